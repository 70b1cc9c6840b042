"""A scorecard's lines by many workers: they measure and keep them, the card itself only reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien.jobs import Engine
from mien.metrics import folder as own
from mien.metrics import report
from mien.metrics.bench import JudgePanel
from mien.metrics.protocols import PROTOCOLS, Protocol, Setting, check
from mien.metrics.scorecard import NOTHING, Contestant, Lines, one_thread

Job = tuple[str, str]
"""A protocol, and whose lines of it: a contestant's, or those of nobody (`NOTHING`)."""


@dataclass(frozen=True)
class Opened:
    """Everything that measures: contestants and judges with their networks, protocols by name."""

    contestants: Sequence[Contestant]
    protocols: Mapping[str, Callable[[Setting], Protocol]]
    setting: Setting
    panel: JudgePanel


@dataclass(frozen=True)
class Order:
    """What a scorecard is to measure, as it was asked for; small, for it goes to every worker.

    setting: of every folder alike; folders: of the user's own, instead of the standard protocols.
    protocols: by name; none: all that can be. inception, perceptual, classifier, embedding: files
    of their weights.
    """

    entrants: tuple[report.Entrant, ...]
    setting: Setting
    folders: tuple[Path, ...] = ()
    protocols: tuple[str, ...] = ()
    inception: Path | None = None
    perceptual: Path | None = None
    classifier: Path | None = None
    embedding: Path | None = None

    def open(self) -> Opened:
        """Load what it names.

        Raises:
            ConfigError, DataError, AssetMissing: something is not there or does not fit.
        """
        setting = self.setting
        known: Mapping[str, Callable[[Setting], Protocol]]
        if not self.folders:
            chosen = report.protocols(self.protocols)
            contestants, size = report.contestants(self.entrants)
            setting = replace(setting, size=size)
            check(chosen, setting)
            known = {name: PROTOCOLS[name] for name in chosen}
        else:
            settings = [replace(setting, folder=folder) for folder in self.folders]
            setting = settings[0]
            known = own.protocols([own.Folder.read(one) for one in settings], self.protocols)
            contestants = report.at_own_size(self.entrants)
        panel = JudgePanel.standing(
            self.inception, self.perceptual, self.classifier, self.embedding
        )
        return Opened(contestants, known, setting, panel)


@dataclass(frozen=True)
class Filling:
    """Lines as jobs, measured into the folder `kept`, which all workers see."""

    order: Order
    kept: Path

    def open(self) -> Callable[[Job], None]:
        """The function that measures one row of a protocol, unless it is there."""
        opened = self.order.open()
        last: dict[str, Protocol] = {}  # one at a time: its faces are large

        def fill(job: Job) -> None:
            name, row = job
            with one_thread():
                if name not in last:
                    last.clear()
                    last[name] = opened.protocols[name](opened.setting)
                for section in last[name].sections:
                    title = f"{name}: {section.name}"
                    Lines(title, section, opened.contestants, opened.panel, self.kept).fill(row)

        return fill


def fill(
    order: Order, names: Sequence[str], kept: Path, engine: Engine,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> None:  # fmt: skip
    """Measure all lines of the protocols `names` by an engine. What a lost worker leaves is missing
    in `kept`, and measured by who reads it."""
    rows = [NOTHING, *(one.row for one in order.entrants)]
    jobs = [(name, row) for name in names for row in rows]
    for done, _ in enumerate(engine.map(Filling(order, kept), jobs), 1):
        progress("lines of the scorecard", done, len(jobs))
