"""What a person is asked to show, one row each: from a table, from labels, or drawn at random."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien import facs
from mien.errors import DataError, GuideError, MienError
from mien.guides import ActionUnits, Blendshapes, Composed, Gaze, Guide, Label, Staging

COLUMNS = (
    "name", "label", "au", "blendshapes", "intensity", "side", "gaze", "turn", "light",
)  # fmt: skip
"""Columns of a table of asks; any may be missing or empty."""
SIDES = ("both", "left", "right")
DRAWS = ("emotions", "units")
"""What may be drawn at random: an emotion, each as often, at 0.25 to 1; one unit at 0.5 to 1."""
STRONGEST = 2.0


@dataclass(frozen=True)
class Ask:
    """One row: a guide, how far to follow it, and the `name` of its pictures."""

    name: str
    guide: Guide | None
    """None: the face as it is."""
    intensity: float = 1.0
    emotion: str | None = None
    """The label that the picture has, where it has one."""
    units: facs.Vector | None = None
    """The action units asked for, (47,), where they are known in full."""


def of_labels(names: Sequence[str]) -> list[Ask]:
    """One ask for each label; GuideError for one that there is not."""
    return [of_row({"label": name}) for name in dict.fromkeys(names)]


def of_row(row: Mapping[str, str]) -> Ask:
    """The ask of a table's row.

    Raises:
        GuideError: it cannot be read, or asks for two whole expressions.
    """
    told = {key: (row.get(key) or "").strip() for key in COLUMNS}
    side, strength = told["side"] or "both", _number(told["intensity"] or "1", "intensity")
    if side not in SIDES:
        raise GuideError(f"side is {side!r}, not one of {', '.join(SIDES)}")
    if not 0 <= strength <= STRONGEST:
        raise GuideError(f"intensity {strength:g} is out of range: 0 to {STRONGEST:g}")
    if told["label"] and told["blendshapes"]:
        raise GuideError("label and blendshapes exclude one another: give one of them")
    parts: list[Guide] = []
    if told["label"]:
        parts.append(_label(told["label"], side))
    if told["blendshapes"]:
        parts.append(_shapes(told["blendshapes"], side))
    if told["au"]:
        units = told["au"].replace(";", " ").replace(",", " ").split()
        parts.append(ActionUnits.parse(*(_sided(unit, side) for unit in units)))
    if told["gaze"]:
        left, up = _numbers(told["gaze"], "gaze", 2)
        parts.append(Gaze(left, up))
    if told["turn"] or told["light"]:
        pitch, yaw, roll = _numbers(told["turn"] or "0 0 0", "turn", 3)
        key, high = _numbers(told["light"] or "0 0", "light", 2)
        parts.append(Staging((pitch, yaw, roll), (key, high)))
    if not parts:
        raise GuideError("the row asks for nothing: fill label, au, blendshapes, gaze or turn")
    guide = parts[0] if len(parts) == 1 else Composed(tuple(parts))
    plain = told["label"] == "neutral" and len(parts) == 1
    name = told["name"] or _name(told, side, strength)
    alone = bool(told["label"]) and len(parts) == 1 and side == "both" and strength == 1
    return Ask(
        re.sub(r"[^\w.+-]+", "-", name).strip("-.") or "ask", None if plain else guide, strength,
        facs.emotion(told["label"]) if told["label"] else None,
        facs.prototype(told["label"]) if alone else None,
    )  # fmt: skip


def read(path: Path) -> tuple[list[Ask], list[str]]:
    """The asks of a CSV file with `COLUMNS`, and a line for each row that cannot be read.

    Raises:
        DataError: the file cannot be read, has unknown columns, or no row that can.
    """
    rows = table(path, COLUMNS)
    asks: dict[str, Ask] = {}
    faults: list[str] = []
    for number, row in rows:
        try:
            ask = of_row(row)
            if ask.name in asks:
                raise GuideError(f"the name {ask.name} is taken by a row above")
            asks[ask.name] = ask
        except MienError as error:
            faults.append(f"{path}, line {number}: {error}")
    if not asks:
        raise DataError(faults[0] if faults else f"{path} has no rows")
    return list(asks.values()), faults


def table(path: Path, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
    """Rows of a CSV file with their line numbers; DataError if it cannot be read or has a column
    that is not among `columns`."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            unknown = sorted(set(reader.fieldnames or ()) - set(columns))
            if unknown:
                raise DataError(
                    f"{path} has a column {unknown[0]!r}: there are {', '.join(columns)}"
                )
            return [
                (reader.line_num, {k: v or "" for k, v in row.items() if isinstance(k, str)})
                for row in reader
            ]
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path} is not a CSV file in UTF-8") from None


def drawn(kind: str, count: int, seed: Sequence[int]) -> list[Ask]:
    """`count` asks at random, the same for the same seed; every kind as often as the others, in
    rounds of all. GuideError for an unknown distribution."""
    if kind not in DRAWS:
        raise GuideError(f"cannot draw {kind!r}: choose from {', '.join(DRAWS)}")
    random = np.random.default_rng(list(seed))
    whole = sorted({name.rstrip("LR") for name in facs.UNITS})
    choices = list(facs.EMOTIONS if kind == "emotions" else whole)
    order = [str(c) for _ in range(-(-count // len(choices))) for c in random.permutation(choices)]
    asks = []
    for number, choice in enumerate(order[:count]):
        if kind == "emotions":
            strength = f"{random.uniform(0.25, 1):.2f}"
            row = {"label": choice, "intensity": strength}
        else:
            row = {"au": f"{choice}={random.uniform(0.5, 1):.2f}"}
        asks.append(of_row({**row, "name": f"{number:03d}-{choice}"}))
    return asks


def _label(name: str, side: str) -> Guide:
    if side == "both":
        return Label(name)
    other = "R" if side == "left" else "L"
    wanted = facs.prototype(facs.plain(name))
    shown = [
        f"{unit}={value:.4f}"
        for unit, value in zip(facs.UNITS, wanted, strict=True)
        if value > 0 and not unit.endswith(other)
    ]
    if not shown:
        raise GuideError(f"{name} has no side: leave side empty")
    return ActionUnits.parse(*shown)


def _shapes(text: str, side: str) -> Guide:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise GuideError(f'cannot read blendshapes {text[:40]!r}: write {{"jawOpen": 0.4}}')
    made = Blendshapes.of_values(values)
    if side == "both":
        return made
    other = "Right" if side == "left" else "Left"
    return Blendshapes(tuple(pair for pair in made.weights if not pair[0].endswith(other)))


def _sided(unit: str, side: str) -> str:
    """`AU12=0.8` on one side: `AU12L=0.8`; a unit without sides stays."""
    name, sign, value = unit.partition("=")
    mark = {"both": "", "left": "L", "right": "R"}[side]
    return f"{name}{mark}{sign}{value}" if f"{name.upper()}{mark}" in facs.INDEX else unit


def _name(told: Mapping[str, str], side: str, strength: float) -> str:
    parts = [told[key] for key in ("label", "au", "gaze", "turn", "light") if told[key]]
    if told["blendshapes"]:
        parts.insert(0, "blendshapes")
    parts += [side] * (side != "both") + [f"{strength:g}"] * (strength != 1)
    return "-".join(parts)


def _number(text: str, what: str) -> float:
    (value,) = _numbers(text, what, 1)
    return value


def _numbers(text: str, what: str, count: int) -> list[float]:
    try:
        values = [float(part) for part in text.replace(",", " ").replace(";", " ").split()]
    except ValueError:
        values = []
    if len(values) != count or not np.isfinite(values).all():
        raise GuideError(f"cannot read {what} {text!r}: write {count} number{'s' * (count > 1)}")
    return values
