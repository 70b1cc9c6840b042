"""What the API and the studio share: the methods, opened once, the one desk, and the films and
series of both, of which one each is made at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from mien.editor import Editor
from mien.errors import AssetMissing
from mien.guides import Label
from mien.methods.registry import DEFAULT, METHODS, OWN, check_installed, installed
from mien.server.desk import Desk
from mien.server.limits import Limits
from mien.zoo.records import Record, records
from mien.zoo.samples import samples

if TYPE_CHECKING:
    from mien.server.reels import Reels
    from mien.server.series import AllSeries


@dataclass
class Workshop:
    """Editors by name of method, and where they work."""

    opener: Callable[[str], Editor]
    """Opens a method with its weights, which takes seconds."""
    default: str = DEFAULT
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.desk = Desk(self.limits)
        self._editors: dict[str, Editor] = {}

    @cached_property
    def series(self) -> AllSeries:
        """The series that are open, in the studio or as jobs of the API."""
        from mien.server.series import AllSeries

        return AllSeries(self)

    @cached_property
    def reels(self) -> Reels:
        """The films that are open, in the studio or as jobs of the API; needs PyAV."""
        from mien.server.reels import Reels

        return Reels(self)

    @property
    def methods(self) -> tuple[str, ...]:
        """Methods that can edit here, the default first: those whose weights there are, and torch
        if they need it."""
        others = (name for name in METHODS if name in records() and installed(name))
        return (self.default, *(name for name in others if name != self.default))

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The methods in words, each with its name; those with a network also with that network's
        own picture, `NAME head=own`."""
        choices = []
        for name in self.methods:
            if not METHODS[name].task:
                choices.append((f"The face model reads and draws ({name})", name))
                continue
            choices.append((f"The network {name} reads, the face model draws", name))
            own = f"{name} head={OWN}"
            choices.append((f"The network {name} reads and draws: smaller and softer", own))
        return choices

    def check(self, method: str | None) -> str:
        """The name of one of `choices`, the default for None; ConfigError for a method that does
        not exist or lacks torch, AssetMissing for one without weights. Both before a photograph is
        looked at.
        """
        name = method or self.default
        if name not in (known for _, known in self.choices):
            check_installed(name)
            raise AssetMissing(f"{name} has no weights here: choose {', '.join(self.methods)}")
        return name

    def editor(self, method: str) -> Editor:
        """The editor of a method; called at the desk, for the first call loads the weights."""
        if method not in self._editors:
            self._editors[method] = self.opener(method)
        return self._editors[method]

    def warm(self) -> None:
        """Open the default method and edit a sample, so that the first click waits for nothing."""
        sample = next(iter(samples().values()))
        self.editor(self.default).edit(str(sample), Label("happy"))

    def records(self) -> Mapping[str, Record]:
        """What is known of the weights that ship, for the methods that can edit here."""
        return {name: row for name, row in records().items() if name in self.methods}
