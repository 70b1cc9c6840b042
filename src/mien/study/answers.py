"""Answers of participants, joined with the key of their study: who is counted, and the rates.

Rates have Wilson's interval over all answers (Wilson 1927), which takes answers for independent;
those of one participant are not, so a second interval draws participants (percentile bootstrap).
Sensitivity d' of same-different studies is corrected log-linearly (Hautus 1995).
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from statistics import NormalDist

from mien.errors import DataError
from mien.files import read_table, replacing
from mien.metrics.statistics import summarise
from mien.study.design import CHECK, DIFFERENT, LEFT, RIGHT, SAME
from mien.study.page import KEY

COLUMNS = ("study", "participant", "list", "position", "trial", "answer", "seconds")
"""Columns of a file of answers, as the page writes it."""
EACH = (
    "study", "participant", "list", "position", "trial", "condition", "left", "right", "answer",
    "wanted", "correct", "seconds",
)  # fmt: skip
"""Columns of a table of single answers."""
ALL = "all"
_NORMAL = NormalDist()
_MIRRORED = {LEFT: RIGHT, RIGHT: LEFT}
_ANSWERS = (LEFT, RIGHT, SAME, DIFFERENT)


@dataclass(frozen=True)
class Answer:
    """One answer of a participant, and whether it is right."""

    participant: str
    condition: str
    wanted: str
    """The right answer, as list 1 sees the trial: `left`, `right`, `same`, `different`."""
    right: bool
    seconds: float
    row: Mapping[str, str] = field(default_factory=dict, compare=False)
    """What the page wrote, and the trial's pictures and right answer as the participant saw them.
    """


@dataclass(frozen=True)
class Rate:
    """How often answers of a condition were right."""

    condition: str
    right: int
    answers: int
    participants: int
    low: float
    high: float
    """Wilson's 95 % interval of right / answers."""
    participants_low: float
    participants_high: float
    """95 % interval of the mean over participants (bootstrap); that of one participant is nan."""
    p: float
    """Two-sided exact binomial test against one half."""

    @property
    def rate(self) -> float:
        """right / answers."""
        return self.right / self.answers


@dataclass
class Reading:
    """What a study's answers come to."""

    rates: list[Rate]
    counted: list[str]
    """Participants whose answers are counted."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Participant -> why the answers are not counted."""
    answers: list[Answer] = field(default_factory=list)
    """The answers that are counted."""
    fast: int = 0
    """Answers that came too fast to have been looked for, of those who are counted."""
    d_prime: float | None = None
    """Sensitivity and criterion of a same-different study, `same` being the signal."""
    criterion: float | None = None


def read_key(path: Path) -> tuple[str, dict[str, dict[str, str]]]:
    """The study's id, and the rows of its key by trial; DataError if it is no key."""
    rows = _rows(path, KEY)
    studies = {row["study"] for row in rows}
    if len(studies) != 1:
        raise DataError(f"{path} is not the key of one study")
    return studies.pop(), {row["trial"]: row for row in rows}


def find_key(answers: Path) -> Path:
    """The key of a file of answers: the `*.key.csv` of its folder that names the same study;
    DataError if there is none."""
    folder = answers if answers.is_dir() else answers.parent
    files = files_of([answers])
    study = _rows(files[0], COLUMNS)[0]["study"]
    for path in sorted(folder.glob("*.key.csv")):
        if read_key(path)[0] == study:
            return path
    raise DataError(f"no key of study {study} is in {folder}: name it with --key STUDY.key.csv")


def files_of(paths: Sequence[Path]) -> list[Path]:
    """The files of answers: those named, and all `*.csv` of folders but keys."""
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            found += sorted(p for p in path.glob("*.csv") if not p.name.endswith(".key.csv"))
        else:
            found.append(path)
    if not found:
        raise DataError(f"no file of answers is in {paths[0]}")
    return found


def read(
    files: Sequence[Path], key: Path, attention: float = 0.75, fastest: float = 0.2
) -> Reading:
    """Rates of all answers in `files`.

    Args:
        files: what the page wrote, one or several participants each.
        key: the study's key.
        attention: share of the attention checks that a participant must answer rightly, 0 to 1.
        fastest: answers in less than so many seconds are not counted.

    Raises:
        DataError: a participant stands in two files, or nobody's answers can be counted. A file
            that is damaged or of another study is left out.
    """
    study, trials = read_key(key)
    taken, left_out = _by_participant(files, study)
    left_out |= {name: why for name, rows in taken.items() if (why := _unfit(rows, trials))}
    answers = {
        name: [_answer(row, trials) for row in rows]
        for name, rows in taken.items()
        if name not in left_out
    }
    for name, given in answers.items():
        checks = [a.right for a in given if a.condition == CHECK]
        if checks and sum(checks) / len(checks) < attention:
            left_out[name] = f"{sum(checks)} of {len(checks)} attention checks right"
    counted = [name for name in answers if name not in left_out]
    if not counted:
        raise DataError(f"nobody's answers can be counted: {next(iter(left_out.values()))}")
    of_all = [a for name in counted for a in answers[name] if a.condition != CHECK]
    good = [a for a in of_all if a.seconds >= fastest]
    if not good:
        raise DataError(f"every answer came in less than {fastest:g} s")
    reading = Reading(_rates(good), counted, left_out, good, len(of_all) - len(good))
    if {a.wanted for a in good} == {SAME, DIFFERENT}:
        reading.d_prime, reading.criterion = _signal_detection(good)
    return reading


def write_rates(path: Path, reading: Reading) -> None:
    """Write the rates as a CSV file, a row a condition; DataError if that fails."""
    names = [f.name for f in fields(Rate)]
    rows = [[*(_figure(getattr(r, n)) for n in names), _figure(r.rate)] for r in reading.rates]
    _write(path, [[*names, "rate"], *rows])


def write_each(path: Path, reading: Reading) -> None:
    """Write the answers that are counted as a CSV file with `EACH`, a row an answer; DataError if
    that fails."""
    _write(path, [EACH, *([answer.row[n] for n in EACH] for answer in reading.answers)])


def _figure(value: object) -> object:
    """A number as a table shows it: six digits, empty where there is none."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return value


def _write(path: Path, rows: Iterable[Iterable[object]]) -> None:
    try:
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror}") from None


def rate_of(condition: str, answers: Sequence[Answer]) -> Rate:
    """The rate of one condition's answers, of which there is at least one."""
    right = sum(a.right for a in answers)
    lowest, highest = wilson(right, len(answers))
    people = [a.participant for a in answers]
    low = high = math.nan
    if len(set(people)) > 1:
        drawn = summarise([float(a.right) for a in answers], people)
        low, high = drawn.low, drawn.high
    return Rate(
        condition, right, len(answers), len(set(people)), lowest, highest,
        low, high, by_chance(right, len(answers)),
    )  # fmt: skip


def wilson(right: int, asked: int) -> tuple[float, float]:
    """Wilson's interval (95 %) of a rate."""
    z, rate = _NORMAL.inv_cdf(0.975), right / asked
    middle = (rate + z**2 / (2 * asked)) / (1 + z**2 / asked)
    half = z / (1 + z**2 / asked) * math.sqrt(rate * (1 - rate) / asked + (z / (2 * asked)) ** 2)
    return middle - half, middle + half


def by_chance(right: int, asked: int) -> float:
    """How likely a coin is at least as far from one half, either way (the exact binomial test)."""
    fewer = min(right, asked - right)
    tail = sum(math.comb(asked, k) for k in range(fewer + 1))
    return float(min(1.0, 2 * tail / 2**asked))


def _rates(answers: Sequence[Answer]) -> list[Rate]:
    by = {a.condition: [b for b in answers if b.condition == a.condition] for a in answers}
    return [rate_of(name, by[name]) for name in sorted(by)] + [rate_of(ALL, answers)]


def _signal_detection(answers: Sequence[Answer]) -> tuple[float, float]:
    """d' and criterion c; 0.5 is added to hits and false alarms, 1 to their totals."""
    same = [a for a in answers if a.wanted == SAME]
    other = [a for a in answers if a.wanted == DIFFERENT]
    hits = (sum(a.right for a in same) + 0.5) / (len(same) + 1)
    alarms = (sum(not a.right for a in other) + 0.5) / (len(other) + 1)
    z_hits, z_alarms = _NORMAL.inv_cdf(hits), _NORMAL.inv_cdf(alarms)
    return z_hits - z_alarms, -(z_hits + z_alarms) / 2


def _by_participant(
    files: Sequence[Path], study: str
) -> tuple[dict[str, list[dict[str, str]]], dict[str, str]]:
    """Rows of each participant, who may be in one file only; and files that are left out, with the
    reason.
    """
    found: dict[str, list[dict[str, str]]] = {}
    left_out: dict[str, str] = {}
    for path in files:
        own: dict[str, list[dict[str, str]]] = {}
        try:
            rows = _rows(path, COLUMNS)
            if others := {row["study"] for row in rows} - {study}:
                raise DataError(f"{path} holds answers of study {min(others)}, not of {study}")
        except DataError as error:
            left_out[path.name] = str(error)
            continue
        for row in rows:
            own.setdefault(row["participant"], []).append(row)
        for name, rows in own.items():
            if name in found:
                raise DataError(
                    f"{path} holds answers of {name!r}, who is in another file: keep one of them"
                )
            found[name] = rows
    return found, left_out


def _unfit(rows: Sequence[Mapping[str, str]], trials: Mapping[str, object]) -> str:
    """Why the rows of a participant are no whole set of answers; empty if they are."""
    names = Counter(row["trial"] for row in rows)
    strange = [name for name in names if name not in trials]
    if strange:
        return f"trial {strange[0]} is not in the key"
    if max(names.values()) > 1:
        return "a trial is answered twice"
    if len(names) < len(trials):
        return f"not finished: {len(names)} of {len(trials)} trials"
    return ""


def _answer(row: Mapping[str, str], trials: Mapping[str, Mapping[str, str]]) -> Answer:
    trial = trials[row["trial"]]
    wanted, given = trial["answer"], row["answer"]
    # the second list saw the pictures mirrored; a check says what to press whatever is shown
    seen, shown = wanted, (trial["left"], trial["right"])
    if row["list"] == "2":
        shown = (trial["right"], trial["left"])
        if trial["condition"] != CHECK:
            seen = _MIRRORED.get(wanted, wanted)
    right = given == seen
    facts = {
        **row, "condition": trial["condition"], "left": shown[0], "right": shown[1], "wanted": seen,
        "correct": str(int(right)),
    }  # fmt: skip
    who, seconds = row["participant"], float(row["seconds"])
    return Answer(who, trial["condition"], wanted, right, seconds, facts)


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    """Rows of a CSV file that has these columns and at least one row."""
    names, found = read_table(path)
    if not {*columns} <= {*names}:
        raise DataError(f"{path} does not have the columns {', '.join(columns)}")
    rows = [{name: row[name] for name in columns} for _, row in found]
    if not rows:
        raise DataError(f"{path} has no rows")
    for number, row in enumerate(rows, 2):
        _check_row(path, number, row)
    return rows


def _check_row(path: Path, number: int, row: Mapping[str, str]) -> None:
    """DataError for a row that the page, or the key's writer, would not write."""
    good = {
        "answer": row["answer"] in _ANSWERS,
        "list": row.get("list", "1") in ("1", "2"),
        "seconds": _seconds(row.get("seconds", "1")),
        "participant": bool(row.get("participant", "some")),
    }
    for name in (n for n, fine in good.items() if not fine):
        raise DataError(f"{path}, line {number}: cannot read {name} {row[name]!r}")


def _seconds(text: str) -> bool:
    try:
        value = float(text)
    except ValueError:
        return False
    return 0 <= value < math.inf
