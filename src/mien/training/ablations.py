"""What each mechanism of the papers buys: switched off one at a time, several seeds each.

Every run is a method's recipe with a setting or two on top (`MethodConfig.without`), learnt from
the same data and measured alike. All seeds of a row see the same pictures as the same seeds of the
whole method, so a row is given beside it too, seed by seed. The first seed of every row comes
first; what is killed goes on within its run.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from scipy import stats

from mien.errors import ConfigError, DataError
from mien.files import write_text
from mien.metrics.compared import MEASURES, Measure
from mien.training import recipe as recipes
from mien.training.log import LOG
from mien.training.recipe import Stage
from mien.training.stages import finished, train_stage
from mien.zoo.records import digest

WHOLE = "everything"
"""The row of the method as it is."""
MEASURED, REPORT, TABLE = "measured.json", "ablations.json", "ablations.md"


@dataclass(frozen=True)
class Job:
    """A run: a recipe without a mechanism, or whole, by a seed."""

    recipe: Path
    method: str
    row: str
    seed: int
    images: int | None = None
    """The budget; None for the recipe's own."""

    @property
    def stage(self) -> Stage:
        """The recipe with what is set on top."""
        budget = () if self.images is None else (f"training.images={self.images}",)
        seed = f"training.seed={self.seed}"
        return _only(self.recipe, (*settings_of(self), seed, *budget))

    @property
    def mark(self) -> str:
        """Of all that decides the run but its data: what it trains, and from which settings."""
        config = json.dumps(asdict(self.stage.config), sort_keys=True, default=str)
        return hashlib.sha256(f"{self.method} {config}".encode()).hexdigest()

    def folder(self, out: Path) -> Path:
        """Where it is run."""
        plain = "".join(c if c.isalnum() else "_" for c in self.row)
        return out / self.method / plain / f"seed_{self.seed}"


def _only(recipe: Path, settings: tuple[str, ...] = ()) -> Stage:
    stages = recipes.read(recipe, settings)
    if len(stages) > 1:
        raise ConfigError(f"{recipe} has stages: an ablation is one run")
    return stages[0]


def settings_of(job: Job) -> tuple[str, ...]:
    """What switches a job's mechanism off; nothing of the whole method."""
    return () if job.row == WHOLE else _only(job.recipe).config.without[job.row]


def jobs(
    paths: Sequence[Path], seeds: int, images: int | None = None, only: Sequence[str] = ()
) -> list[Job]:
    """All runs, seed by seed, but those that change nothing: what a recipe does without is not
    switched off once more. only: mechanisms, all where none is named.

    Raises:
        ConfigError: a recipe has stages, two are of one method, or a mechanism is unknown.
    """
    plain = {path: _only(path) for path in paths}
    methods = [stage.method for stage in plain.values()]
    for name in methods:
        if methods.count(name) > 1:
            raise ConfigError(f"two recipes are of {name}: give each a folder of its own")
    known = dict.fromkeys(row for stage in plain.values() for row in stage.config.without)
    for name in only:
        if name not in known:
            raise ConfigError(f"no mechanism {name!r}: choose from {', '.join(known)}")
    every = [
        Job(path, stage.method, row, seed, images)
        for seed in range(seeds)
        for path, stage in plain.items()
        for row in (WHOLE, *stage.config.without)
        if row == WHOLE or not only or row in only
    ]
    return [job for job in every if job.row == WHOLE or _differs(job)]


def _differs(job: Job) -> bool:
    whole = Job(job.recipe, job.method, WHOLE, job.seed, job.images)
    return job.stage.config != whole.stage.config


@dataclass(frozen=True)
class Ablations:
    """Runs over one folder of data, and how they are measured."""

    data: Path
    out: Path
    measure: Measure
    facts: Mapping[str, Any]
    """What runs are measured by; runs that were measured by other facts are measured again."""
    about: Mapping[str, Any]
    """How the report came about."""
    say: Callable[[str], None] = print
    known: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What was run elsewhere, by `Job.mark`: `known_runs`."""

    def go(self, todo: Sequence[Job], minutes: float | None = None) -> bool:
        """Train and measure what is left, for so many minutes at most; whether all is done. The
        report is written anew after each run."""
        began = time.monotonic()
        found: dict[Job, Mapping[str, Any]] = {}
        for job in todo:
            stage, folder = job.stage, job.folder(self.out)
            elsewhere = self.known.get(job.mark)
            if elsewhere is None and not finished(stage, folder):
                left = minutes and minutes - (time.monotonic() - began) / 60
                if left is not None and left <= 0:
                    return False
                seen = train_stage(stage, self.data, folder, minutes=left)
                if stage.config.training.images - seen >= stage.step:
                    return False
            found[job] = elsewhere or self.result(job)
            self.say(f"{job.method}, {job.row}, seed {job.seed}: {found[job]['measures']}")
            table = summed(found)
            runs = [{"mark": job.mark, "seed": job.seed, **run} for job, run in found.items()]
            report = {**self.about, **self.facts, "table": table, "runs": runs}
            write_text(self.out / REPORT, json.dumps(report, indent=1) + "\n")
            write_text(self.out / TABLE, in_markdown(table))
        return True

    def result(self, job: Job) -> dict[str, Any]:
        """The measures of a finished run, from memory where they are of these weights and were
        measured by the same facts; and what the run said at its end of its mechanisms."""
        folder = job.folder(self.out)
        weights, kept = folder / f"{job.method}.safetensors", folder / MEASURED
        mark = digest(weights)
        if kept.exists():
            before: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
            if before["sha256"] == mark and before["by"] == dict(self.facts):
                return before
        last = json.loads((folder / LOG).read_text(encoding="utf-8").splitlines()[-1])
        alive = {k: v for k, v in last.items() if "/" not in k and k not in ("seen", "seconds")}
        found = {
            "sha256": mark,
            "by": dict(self.facts),
            "images": last["seen"],
            "seconds": last["seconds"],
            "settings": list(settings_of(job)),
            "log": alive,
            "measures": self.measure(job.method, weights),
        }
        write_text(kept, json.dumps(found, indent=1) + "\n")
        return found


def known_runs(reports: Sequence[Path], facts: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """What the runs of earlier reports measured, by `Job.mark`, of those measured by the same
    facts.

    Raises:
        DataError: a file is no report of ablations.
    """
    out: dict[str, Mapping[str, Any]] = {}
    for path in reports:
        try:
            runs = json.loads(path.read_text(encoding="utf-8"))["runs"]
            out |= {run["mark"]: run for run in runs if run["by"] == dict(facts)}
        except (OSError, ValueError, KeyError, TypeError) as e:
            raise DataError(f"{path}: expected an {REPORT} of `mien bench ablations`") from e
    return out


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean and 95 % interval of it by Student's t; no interval of a single seed.

    >>> over_seeds([1.0, 2.0, 3.0])["mean"], over_seeds([1.0])["low"]
    (2.0, None)
    """
    mean, n = sum(values) / len(values), len(values)
    out: dict[str, Any] = {"mean": round(mean, 4), "low": None, "high": None, "each": list(values)}
    if n > 1:
        error = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
        reach = float(stats.t.ppf(0.975, n - 1)) * error
        out |= {"low": round(mean - reach, 4), "high": round(mean + reach, 4)}
    return out


def summed(found: Mapping[Job, Mapping[str, Any]]) -> dict[str, Any]:
    """Method -> row -> measure -> its mean over seeds, and of what it is above the whole method's,
    seed by seed."""
    out: dict[str, Any] = {}
    for method, row in dict.fromkeys((j.method, j.row) for j in found):
        own = {j.seed: r for j, r in found.items() if (j.method, j.row) == (method, row)}
        whole = {j.seed: r for j, r in found.items() if (j.method, j.row) == (method, WHOLE)}
        first = next(iter(own.values()))
        entry: dict[str, Any] = {
            "seeds": sorted(own), "images": first["images"], "settings": first["settings"],
        }  # fmt: skip
        for name in MEASURES:
            entry[name] = over_seeds([r["measures"][name] for _, r in sorted(own.items())])
            differences = [
                round(r["measures"][name] - whole[s]["measures"][name], 5)
                for s, r in sorted(own.items())
                if s in whole
            ]
            if row != WHOLE and differences:
                entry[_above(name)] = over_seeds(differences)
        out.setdefault(method, {})[row] = entry
    return out


def _above(name: str) -> str:
    return f"{name}, above {WHOLE}"


_COLUMNS = {
    "psnr_gain": "PSNR gain, dB",
    "unit_error_left": "AU error left",
    "identity": "distance to source",
    "to_reference": "... to reference",
    "code_by_expression": "code's variance by expression",
    "code_by_person": "... by person",
    "code_same_expression": "nearest stranger: same expression",
}


def in_markdown(table: Mapping[str, Mapping[str, Any]]) -> str:
    """A table for each method: the whole first, then what is different without each mechanism, with
    its interval over seeds where there are several."""
    parts = []
    for method, rows in table.items():
        lines = [
            f"**{method}**", "",
            f"| without | seeds | {' | '.join(_COLUMNS.values())} |",
            "| --- " * (2 + len(_COLUMNS)) + "|",
        ]  # fmt: skip
        for row, entry in rows.items():
            cells = [_cell(entry, name, row == WHOLE) for name in _COLUMNS]
            named = "nothing (the whole method)" if row == WHOLE else row
            lines.append(f"| {named} | {len(entry['seeds'])} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _cell(entry: Mapping[str, Any], name: str, whole: bool) -> str:
    found = entry.get(name if whole else _above(name))
    if found is None:
        return ""
    sign = "" if whole else "+"
    text = f"{found['mean']:{sign}.2f}"
    if found["low"] is None:
        return text
    return f"{text} ({found['low']:{sign}.2f}..{found['high']:{sign}.2f})"
