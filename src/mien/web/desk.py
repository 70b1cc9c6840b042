"""One thing at a time, a bounded queue before it, and a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from mien.web.answers import Refused
from mien.web.limits import Limits

T = TypeVar("T")


class Desk:
    """Works on one request at a time in a thread of its own: torch spreads each over all cores, so
    that two at once would only wait for one another, with twice the memory.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mien-desk")
        self._present = 0
        self._overdue = 0

    @property
    def queue(self) -> int:
        """Requests at the desk: those that wait, and the one that is worked on."""
        return self._present + self._overdue

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place at the desk from the first byte of a request to its answer; Refused (429) when
        all are taken, so that what waits is bounded in memory too.
        """
        if self.queue > self.limits.waiting:
            raise Refused(
                429,
                "busy",
                "too many requests at once: try again in a moment",
                {"Retry-After": "1"},
            )
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def work(self, task: Callable[[], T]) -> T:
        """The result of `task`; Refused (503) when it is not there in time.

        A thread cannot be stopped: a task that runs over its time keeps its place until it ends.
        """
        job = self._worker.submit(task)
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await asyncio.shield(asyncio.wrap_future(job))
        except TimeoutError:
            raise Refused(
                503, "too_slow", f"this took longer than {self.limits.seconds:g} s: send less"
            ) from None
        finally:
            self._forget(job)

    async def turn(self, task: Callable[[], T]) -> T:
        """The result of `task`, one step of a long work: between two steps others get their turn,
        so nobody waits longer for it than a step takes. It takes no place, and has no time limit.
        Refused (503) once the desk is closed.
        """
        try:
            job = self._worker.submit(task)
        except RuntimeError:
            raise Refused(503, "ending", "the server is ending") from None
        return await asyncio.wrap_future(job)

    def _forget(self, job: Future[T]) -> None:
        """A job that nobody waits for: it never starts, or is counted until it ends."""
        if job.done() or job.cancel():
            return
        loop = asyncio.get_running_loop()
        self._overdue += 1
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))

    def _ended(self) -> None:
        self._overdue -= 1

    def close(self) -> None:
        self._worker.shutdown(wait=False, cancel_futures=True)
