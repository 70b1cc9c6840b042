"""Long works of the studio, such as a film or a series: how far one is, who has its files open,
and that one of a kind is made at a time.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from mien.errors import MienError
from mien.server.answers import Refused
from mien.server.sitting import Gone


@dataclass
class Making:
    """Something that is being made, or was."""

    total: int
    """Pictures that there will be, about; 0 if that is not known."""
    began: float = field(default_factory=time.perf_counter)
    done: int = 0
    """Pictures that are there."""
    wanted: bool = True
    """False: it ends at the next picture."""
    whole: bool = False
    """Whether all of it is there."""
    ended: bool = False
    error: MienError | Refused | None = None

    @property
    def left(self) -> float | None:
        """Seconds left, if that is known yet."""
        if not self.done or not self.total:
            return None
        spent = time.perf_counter() - self.began
        return spent * max(0, self.total - self.done) / self.done


class Project(Protocol):
    """What a page has open, in a folder of its own."""

    key: str
    session: str

    @property
    def busy(self) -> bool:
        """Whether something is being made of it."""
        ...

    def close(self) -> None:
        """Stop what is being made, and forget all, files too."""
        ...


P = TypeVar("P", bound=Project)


class Projects(Generic[P]):
    """Projects of one kind, by key; those unused for longest give way to new ones."""

    def __init__(self, new: Callable[[str], P], called: str, most: int = 8) -> None:
        self._new, self._called, self._most = new, called, most
        self._open: OrderedDict[str, P] = OrderedDict()
        self._filling: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __contains__(self, key: str) -> bool:
        return key in self._open

    def get(self, key: str) -> P:
        """The project; Gone when there is none."""
        if key not in self._open:
            raise Gone(
                f"open a {self._called} first" if not key else f"open the {self._called} again"
            )
        self._open.move_to_end(key)
        return self._open[key]

    def take(self, key: str, session: str, *, filling: bool = False) -> P:
        """The project, a new one of this page when there is none. One that is `filling` counts as
        busy until it begins or is dropped."""
        if key in self._open:
            return self.get(key)
        while len(self._open) >= self._most:
            oldest = next((k for k in self._open if not self._busy(k)), None)
            if oldest is None:
                raise Refused(429, "busy", "too many are open: try again in a moment")
            self._open.pop(oldest).close()
        project = self._new(session)
        self._open[project.key] = project
        if filling:
            self._filling.add(project.key)
        return project

    def drop(self, key: str) -> None:
        """Forget a project, and end what is being made of it."""
        self._filling.discard(key)
        if key in self._open:
            self._open.pop(key).close()

    def leave(self, session: str) -> None:
        """A page was closed: what it had open goes."""
        for key in [key for key, project in self._open.items() if project.session == session]:
            self.drop(key)

    def check_free(self, project: P | None = None) -> None:
        """Refused (429) while one is being made, or one but this is being filled to be made."""
        filled = self._filling - ({project.key} if project else set())
        if filled or any(other.busy for other in self._open.values()):
            raise Refused(
                429,
                "busy",
                f"a {self._called} is being made: wait until it is done, or cancel it",
                {"Retry-After": "10"},
            )

    def begin(self, project: P, making: Making, work: Coroutine[Any, Any, None]) -> None:
        """Do the work, and keep in `making` how it ends."""
        self._filling.discard(project.key)
        task = asyncio.create_task(self._run(project, making, work))
        self._tasks.add(task)  # else it may be collected before it is done
        task.add_done_callback(self._tasks.discard)

    def _busy(self, key: str) -> bool:
        return key in self._filling or self._open[key].busy

    async def _run(self, project: P, making: Making, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except (MienError, Refused) as error:
            making.error = error
        except Exception:
            making.error = Refused(500, "internal", "the server failed: its log says why")
            raise
        finally:
            making.ended = True
            if project.key not in self._open:
                project.close()  # again: the step that was under way may have written
