"""What a person is asked to show, one row each: from a table, from labels, or drawn at random."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien import facs
from mien.errors import DataError, GuideError, MienError
from mien.guides import ExpressionSpec, Guide
from mien.guides.spec import FORMS

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
    side = told["side"] or "both"
    if side not in SIDES:
        raise GuideError(f"side is {side!r}, not one of {', '.join(SIDES)}")
    spec = ExpressionSpec.of(_fields(told, side))
    if not 0 <= spec.intensity <= STRONGEST:
        raise GuideError(f"intensity {spec.intensity:g} is out of range: 0 to {STRONGEST:g}")
    if spec.empty:
        raise GuideError("the row asks for nothing: fill label, au, blendshapes, gaze or turn")
    alone = spec == ExpressionSpec(to=spec.to, intensity=spec.intensity)
    label = told["label"]
    return Ask(
        re.sub(r"[^\w.+-]+", "-", told["name"] or _name(told, side)).strip("-.") or "ask",
        None if alone and spec.to == "neutral" else spec.guide(),
        spec.intensity,
        facs.emotion(label) if label else None,
        facs.prototype(label) if alone and label and spec.intensity == 1 else None,
    )


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


def _fields(told: Mapping[str, str], side: str) -> dict[str, Any]:
    """The fields of an `ExpressionSpec` that a row fills, on one side if it says so."""
    units = [_sided(unit, side) for unit in re.split(r"[;,\s]+", told["au"]) if unit]
    label: str | None = told["label"] or None
    if label is not None and side != "both":
        units, label = [*_half(label, side), *units], None
    shapes = None if not told["blendshapes"] else _shapes(told["blendshapes"], side)
    fields = {"to": label, "blendshapes": shapes, "au": units or None}
    if told["intensity"]:
        fields["intensity"] = _number(told["intensity"])
    return fields | {key: told[key].replace(";", " ") or None for key in FORMS}


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise GuideError(f"cannot read intensity {text!r}: write a number, such as 0.5") from None


def _half(label: str, side: str) -> list[str]:
    """The units that a label shows on one side."""
    other = "R" if side == "left" else "L"
    wanted = zip(facs.UNITS, facs.prototype(label), strict=True)
    shown = [f"{unit}={v:.4f}" for unit, v in wanted if v > 0 and not unit.endswith(other)]
    if not shown:
        raise GuideError(f"{label} has no side: leave side empty")
    return shown


def _shapes(text: str, side: str) -> Any:
    """Blendshapes as JSON says them, those of one side."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise GuideError(f'cannot read blendshapes {text[:40]!r}: write {{"jawOpen": 0.4}}')
    other = {"both": (), "left": ("Right",), "right": ("Left",)}[side]
    return {name: value for name, value in values.items() if not name.endswith(other)}


def _sided(unit: str, side: str) -> str:
    """`AU12=0.8` on one side: `AU12L=0.8`; a unit without sides stays."""
    name, sign, value = unit.partition("=")
    mark = {"both": "", "left": "L", "right": "R"}[side]
    return f"{name}{mark}{sign}{value}" if f"{name.upper()}{mark}" in facs.INDEX else unit


def _name(told: Mapping[str, str], side: str) -> str:
    parts = [told[key] for key in ("label", "au", *FORMS) if told[key]]
    if told["blendshapes"]:
        parts.insert(0, "blendshapes")
    parts += [side] * (side != "both")
    strength = told["intensity"]
    return "-".join(
        [*parts, f"{float(strength):g}"] if strength and float(strength) != 1 else parts
    )
