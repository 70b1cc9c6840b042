"""The scorecard: every contestant in every section, summed up over people.

Finished lines are kept, each under a hash of all that it depends on (pictures, guides, weights,
judges, the code itself), so that an interrupted run goes on where it stopped and nothing stale is
ever shown.
"""

from __future__ import annotations

import ast
import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import mien
from mien.files import replacing
from mien.guides import ActionUnits, Label
from mien.metrics.agreement import agreement, is_code
from mien.metrics.bench import JudgePanel, Measured, SectionBench
from mien.metrics.groups import Groups
from mien.metrics.intensity import line
from mien.metrics.protocols import PROTOCOLS, Protocol, Setting
from mien.metrics.statistics import summarise
from mien.metrics.trials import Ask, Editing, Section, answer, nothing

COUNTED = ("failed", "lost", "untouched")
"""Columns of which a number is given, not a mean."""
GAINS = ("psnr", "ms_ssim", "face_psnr", "face_ms_ssim")
"""Columns whose gain over doing nothing is given too."""
NOTHING = "nothing"
UNRELATED = (
    "bench", "cli", "editor.py", "hub.py", "metrics/broken.py", "metrics/codes.py",
    "metrics/cost.py", "metrics/decoded.py", "metrics/ffe.py", "metrics/ffe_judges.py",
    "metrics/ffe_tasks.py", "metrics/film.py", "metrics/paper.py", "metrics/plot.py",
    "metrics/report.py", "metrics/spread.py", "metrics/summary.py", "metrics/table.py",
    "metrics/targets.py", "people", "server", "studio", "study", "tables", "training", "video",
)  # fmt: skip
"""What of mien's source no result depends on: measuring does not import it."""
FEWEST = 5
"""Results that a line of readings over intensities is drawn through, at least."""

Line = dict[str, Any]
Progress = Callable[[str, int, int], None]
"""Hears what is being measured, how many results are done, and of how many."""


def able(_: Section) -> None:
    """Whoever can be asked by every guide takes part in every section."""


@dataclass(frozen=True)
class Contestant:
    """One way of editing; `weights` says what it has learnt, its SHA-256 first."""

    name: str
    edit: Editing
    weights: str
    cannot: Callable[[Section], str | None] = able
    """Why it takes no part in a section, or None."""


def score(
    contestants: Sequence[Contestant],
    protocols: Sequence[str],
    setting: Setting,
    panel: JudgePanel,
    kept: Path,
    progress: Progress = lambda *_: None,
    known: Mapping[str, Callable[[Setting], Protocol]] | None = None,
    groups: Groups | None = None,
) -> dict[str, Any]:
    """Sections by name, each with its people, and a line for doing nothing, for the answer where
    there is one, and for every contestant; a contestant that cannot take part has the reason there.

    `kept` is the folder of finished lines; `known` are the protocols to choose from, by default
    those of data sets and renders; `groups` says of people what else lines are given by. One thread
    computes, so that the same numbers come out whatever the number of cores.
    """
    table: dict[str, Any] = {}
    with one_thread():
        for name in protocols:
            protocol = (known or PROTOCOLS)[name](setting)
            for section in protocol.sections:
                title = f"{name}: {section.name}"
                every = Lines(title, section, contestants, panel, kept, progress)
                lines = dict(_lines(every, groups))
                table[title] = {
                    "people": section.people,
                    "without_face": list(protocol.without_face),
                    "lines": lines,
                }
    return table


class Lines:
    """The lines of one section, each measured once and kept.

    Attributes:
        rows: doing nothing, the answer where there is one, and every contestant.
    """

    def __init__(
        self, title: str, section: Section, contestants: Sequence[Contestant], panel: JudgePanel,
        kept: Path, progress: Progress = lambda *_: None,
    ) -> None:  # fmt: skip
        self.section, self._contestants = section, contestants
        self._title, self._panel, self._kept, self._progress = title, panel, kept, progress
        self.rows = [Contestant(NOTHING, nothing, ""), *contestants]
        if section.answer:
            self.rows.insert(1, Contestant(section.answer, answer, "answer"))
        self._known = depends_on(panel)
        # what is no editor's does not hear what is asked: two sections may share such lines
        self._digests = {asked: section_digest(section, asked) for asked in (True, False)}
        self._bench = SectionBench(section, panel)

    def measured(self, row: Contestant) -> Measured:
        """What one of the rows reached; none that cannot take part may be asked."""
        section = self.section
        inputs = self._known | {"row": row.name, "weights": row.weights}
        inputs["trials"] = self._digests[row in self._contestants]
        separate = row.edit is answer and section.answers
        at = self._bench
        if separate:
            at = SectionBench(replace(section, trials=section.answers), self._panel)
        done = _Counter(f"{self._title}: {row.name}", at.section, self._progress)
        return once(self._kept, inputs, partial(at.measure, row.edit, done.more))

    def fill(self, name: str) -> None:
        """Measure the row of that name, so that it is kept; with doing nothing the answer too."""
        for row in self.rows:
            asked = row.name == name or (name == NOTHING and row not in self._contestants)
            if asked and row.cannot(self.section) is None:
                self.measured(row)


def _lines(lines: Lines, groups: Groups | None) -> Iterator[tuple[str, Line]]:
    unedited: Measured | None = None
    for row in lines.rows:
        reason = row.cannot(lines.section)
        if reason is not None:
            yield row.name, {"skipped": reason}
            continue
        measured = lines.measured(row)
        unedited = unedited or measured
        found = summary(measured, unedited, lines.section.intensity)
        if groups is not None and not lines.section.intensity:
            found["by_group"] = groups.tell(measured.columns, measured.people)
        yield row.name, found


def depends_on(panel: JudgePanel) -> dict[str, Any]:
    """What every measured line depends on, beside who edits what."""
    return {
        "panel": panel_facts(panel),
        "code": code_digest(),
        "machine": f"{platform.machine()}, torch {torch.__version__}",
    }


def once(kept: Path, inputs: Mapping[str, Any], measure: Callable[[], Measured]) -> Measured:
    """What was measured from the same inputs before, from the folder `kept`; else now, and kept."""
    place = kept / f"{_digest(inputs)[:32]}.json"
    measured = _read(place)
    if measured is None:
        measured = measure()
        _write(place, measured)
    return measured


@dataclass
class _Counter:
    what: str
    section: Section
    progress: Progress
    done: int = 0

    def more(self, count: int) -> None:
        self.done += count
        total = sum(len(trial) for trial in self.section.trials)
        self.progress(self.what, self.done, total)


def summary(measured: Measured, unedited: Measured, intensity: bool) -> Line:
    """A line of the scorecard from single results; `unedited` are those of doing nothing."""
    facts: Line = {"faces": len(measured.people), "people": len(set(measured.people))}
    if intensity:
        return facts | followed(measured)
    columns, people = measured.columns, measured.people
    facts["columns"] = {
        name: asdict(summarise(values, people))
        for name, values in columns.items()
        if name not in COUNTED and not is_code(name)
    }
    facts["counts"] = {name: int(sum(columns[name])) for name in COUNTED if name in columns}
    if any(map(is_code, columns)):
        facts["codes"] = agreement(columns)
    facts["sets"] = measured.sets
    if "psnr" in columns:
        facts["gains"] = gains(measured, unedited)
    if len(set(measured.names)) > 1:
        facts["by_name"] = {name: _means(measured, name) for name in dict.fromkeys(measured.names)}
    return facts


def gains(measured: Measured, unedited: Measured) -> Line:
    """Over doing nothing, face by face: each gain's summary, and the share of people above it on
    average, in PSNR and MS-SSIM both.
    """
    owners, out, above = np.asarray(measured.people), {}, {}
    for name in GAINS:
        gain = np.subtract(measured.columns[name], unedited.columns[name])
        out[name] = asdict(summarise(gain.tolist(), measured.people))
        above[name] = np.array([gain[owners == who].mean() > 0 for who in np.unique(owners)])
    both = above["psnr"] & above["ms_ssim"]
    return out | {"people_above": round(float(both.mean()), 4)}


def _means(measured: Measured, name: str) -> Line:
    here = [k for k, other in enumerate(measured.names) if other == name]
    return {
        column: round(float(np.mean([values[k] for k in here])), 4)
        for column, values in measured.columns.items()
        if not is_code(column)
    }


def followed(measured: Measured) -> Line:
    """How the judges' readings follow what was asked: a line for each emotion or unit, by the mean
    of the judges and by each; means over them; the worst. Left out is what fewer than `FEWEST`
    results show.
    """
    columns = measured.columns
    judges = sorted(name.removeprefix("read_") for name in columns if name.startswith("read_"))
    reads = {j: np.asarray(columns[f"read_{j}"]) for j in judges}
    reads["mean"] = np.mean(list(reads.values()), axis=0)
    names, owners = np.asarray(measured.names), np.asarray(measured.people)
    asked, by_name = np.asarray(columns["asked"]), {}
    for name in dict.fromkeys(measured.names):
        here = names == name
        if here.sum() < FEWEST:
            continue
        # nothing asked is nothing read: the reading is counted from the face at rest
        people = np.unique(owners[here])
        x, who = np.r_[np.zeros(len(people)), asked[here]], [*people, *owners[here]]
        by_name[name] = {
            judge: asdict(line(x.tolist(), [0.0] * len(people) + read[here].tolist(), who))
            for judge, read in reads.items()
        }
    beside = np.mean([columns[f"crosstalk_{j}"] for j in judges], axis=0)
    facts: Line = {
        "columns": {"crosstalk": asdict(summarise(beside.tolist(), measured.people))},
        "by_name": by_name,
    }
    for key, worst in (("r2", "r2_worst"), ("slope", "slope_least")):
        values = [one["mean"][key] for one in by_name.values()]
        if values:
            facts |= {key: round(float(np.mean(values)), 4), worst: min(values)}
    own = [one["mean"]["own_r2"]["mean"] for one in by_name.values() if one["mean"]["own_r2"]]
    if own:
        facts |= {"own_r2": round(float(np.mean(own)), 4), "own_r2_worst": min(own)}
    return facts


def panel_facts(panel: JudgePanel) -> dict[str, str]:
    """SHA-256 of what each judge has learnt."""
    facts = {f"judge_{j.name}": _state_digest(j.net.state_dict()) for j in panel.judges}
    facts["identity"] = panel.who.digest()
    for one in (panel.inception, panel.perceptual):
        if one is not None:
            facts[one.name] = one.digest()
    for name, net in (("classifier", panel.classifier), ("embedding", panel.embedding)):
        if net is not None:
            facts[name] = net.digest()
    if panel.outsider is not None:
        facts["mediapipe"] = panel.outsider.digest()
    return facts


def _state_digest(state: Mapping[str, torch.Tensor]) -> str:
    whole = hashlib.sha256()
    for name in sorted(state):
        whole.update(name.encode())
        whole.update(np.ascontiguousarray(state[name].cpu().numpy()).tobytes())
    return whole.hexdigest()


def section_digest(section: Section, asked: bool) -> str:
    """SHA-256 of all pictures and answers of a section; of what is asked too, if `asked`."""
    whole = hashlib.sha256()
    for trial in (*section.trials, *section.answers):
        said = (trial.people, trial.names, trial.amount, trial.emotions)
        whole.update(repr(said).encode())
        if asked:
            whole.update(repr((_said(trial.ask), trial.intensity)).encode())
        for tensor in trial.tensors(asked):
            whole.update(np.ascontiguousarray(tensor.numpy()).tobytes())
    return whole.hexdigest()


def _said(ask: Ask) -> str:
    """A guide in words; what it holds in numbers is among its trial's tensors."""
    return repr(ask) if isinstance(ask, Label | ActionUnits) else type(ask).__name__


def code_digest(root: Path = Path(mien.__file__).parent) -> str:
    """SHA-256 of what mien's own source in `root` does, whatever its comments and docstrings say,
    but for `UNRELATED`.
    """
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        place = path.relative_to(root)
        if not any(place.is_relative_to(other) for other in UNRELATED):
            whole.update(place.as_posix().encode() + b"\0" + _done(path.read_bytes()))
    return whole.hexdigest()


@cache
def _done(source: bytes) -> bytes:
    """A module's syntax without strings that stand alone: docstrings, of fields too."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [one for one in body if not _text(one)]  # type: ignore[attr-defined]
    return ast.dump(tree).encode()


def _text(node: ast.AST) -> bool:
    alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return alone and isinstance(node.value.value, str)  # type: ignore[attr-defined]


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _read(path: Path) -> Measured | None:
    if not path.is_file():
        return None
    return Measured(**json.loads(path.read_text(encoding="utf-8")))


def _write(path: Path, measured: Measured) -> None:
    with replacing(path) as part:
        part.write_text(json.dumps(asdict(measured)), encoding="utf-8")


@contextmanager
def one_thread() -> Iterator[None]:
    """Torch computes by one thread: the same numbers, whatever the number of cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
