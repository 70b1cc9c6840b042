"""What a person is asked to show, one row each: from a table, or from labels."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mien import facs
from mien.errors import DataError, GuideError, MienError, near
from mien.files import read_table
from mien.guides import ExpressionSpec, Guide
from mien.guides.blendshapes import NAMES as SHAPES
from mien.guides.spec import FORMS
from mien.metrics.circumplex import affect
from mien.people import background
from mien.people.background import Background
from mien.people.camera import MOST_NOISE

COLUMNS = (
    "name", "label", "valence", "arousal", "au", "blendshapes", "intensity", "side", "gaze", "turn",
    "light", "noise", "background",
)  # fmt: skip
"""Columns of a table of asks; any may be missing or empty. Besides, columns may be named as action
units (`AU12`, `AU12L`) or as ARKit's blendshapes (`jawOpen`): a vector a row."""
OTHER_COLUMNS = {
    "emotion": "label", "expression": "label", "strength": "intensity", "units": "au",
}  # fmt: skip
"""What people call a column otherwise, for the message that names the right one."""
SIDES = ("both", "left", "right")
STRONGEST = 2.0
_SHAPES = {name.lower(): name for name in SHAPES}


@dataclass(frozen=True)
class Ask:
    """One row: a guide, how far to follow it, and the `name` of its pictures."""

    name: str
    guide: Guide | None
    """None: the face as it is."""
    intensity: float = 1.0
    emotion: str | None = None
    """The label that the picture has, where it has one."""
    units: facs.Vector | None = field(default=None, compare=False)
    """The action units asked of a face at rest, (47,), where they are known in full."""
    affect: tuple[float, float] | None = None
    """Valence and arousal asked for, -1 to 1 each."""
    noise: float = 0.0
    """Noise of the camera, levels (`people.camera`)."""
    background: Background | None = None
    """The wall behind the person; None: the person's own."""
    row: tuple[tuple[str, str], ...] = ()
    """What it was read from."""

    @property
    def whole(self) -> bool:
        """Whether it asks for a label, other than rest, and for nothing less and nothing besides
        that changes the expression: judges may be asked whether they read it."""
        said = {key for key, value in self.row if value}
        return (
            self.emotion not in (None, "neutral")
            and self.intensity == 1
            and said <= {"name", "label", "intensity", "turn", "light", "noise", "background"}
        )


def of_labels(names: Sequence[str]) -> list[Ask]:
    """One ask for each label; GuideError for one that there is not."""
    return [of_row({"label": name}) for name in dict.fromkeys(names)]


def of_row(row: Mapping[str, str]) -> Ask:
    """The ask of a table's row.

    Raises:
        GuideError: it cannot be read, or asks for two whole expressions.
    """
    cells = {key: (row.get(key) or "").strip() for key in COLUMNS}
    cells["au"] = " ".join([cells["au"], *_vector(row, is_unit)]).strip()
    shapes = _vector(row, is_shape)
    side = cells["side"] or "both"
    if side not in SIDES:
        raise GuideError(f"side is {side!r}, not one of {', '.join(SIDES)}")
    felt = _affect(cells)
    spec = ExpressionSpec.of(_fields(cells, side, shapes, felt))
    if not 0 <= spec.intensity <= STRONGEST:
        raise GuideError(f"intensity {spec.intensity:g} is out of range: 0 to {STRONGEST:g}")
    noise = _noise(cells["noise"])
    wall = background.read(cells["background"])
    if spec.empty and not noise and wall is None:
        raise GuideError(
            "the row asks for nothing: fill label, valence and arousal, au, blendshapes, gaze or "
            "turn"
        )
    label = cells["label"]
    still = spec.empty or spec == ExpressionSpec(to="neutral", intensity=spec.intensity)
    return Ask(
        re.sub(r"[^\w.+-]+", "-", cells["name"] or _name(cells, side)).strip("-.") or "ask",
        None if still else spec.guide(),
        spec.intensity,
        facs.emotion(label) if label else None,
        _asked(spec),
        felt,
        noise,
        wall,
        tuple((k, v) for k, v in row.items() if v),
    )


def is_unit(column: str) -> bool:
    """Whether a column is named as an action unit."""
    try:
        facs.columns(column)
    except GuideError:
        return False
    return True


def is_shape(column: str) -> bool:
    """Whether a column is named as one of ARKit's blendshapes."""
    return column.lower() in _SHAPES


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
    that is neither among `columns` nor named as a unit or a blendshape."""
    named, rows = read_table(path, FORMS)
    unknown = sorted(n for n in {*named} - {*columns} if not (is_unit(n) or is_shape(n)))
    if unknown:
        meant = near(unknown[0], columns, OTHER_COLUMNS)
        raise DataError(
            f"{path} has a column {unknown[0]!r}: {meant}, action units and blendshapes"
        )
    return rows


def _fields(
    cells: Mapping[str, str], side: str, shapes: Sequence[str], felt: tuple[float, float] | None
) -> dict[str, Any]:
    """The fields of an `ExpressionSpec` that a row fills, on one side if it says so."""
    units = [_sided(unit, side) for unit in re.split(r"[;,\s]+", cells["au"]) if unit]
    label: str | None = cells["label"] or None
    if felt is not None:
        if label is not None:
            raise GuideError("label and valence with arousal exclude one another: give one of them")
        units = [*_half(_felt(felt), side, "affect"), *units]
    if label is not None and side != "both":
        units, label = [*_half(facs.prototype(label), side, label), *units], None
    weights = None
    if cells["blendshapes"] or shapes:
        weights = _shapes(cells["blendshapes"], shapes, side)
    fields = {"to": label, "blendshapes": weights, "au": units or None}
    if cells["intensity"]:
        fields["intensity"] = _number(cells["intensity"], "intensity")
    return fields | {key: cells[key].replace(";", " ") or None for key in FORMS}


def _vector(row: Mapping[str, str], known: Callable[[str], bool]) -> list[str]:
    """`NAME=VALUE` of the columns that are named so and not empty."""
    return [f"{k}={v.strip()}" for k, v in row.items() if known(k) and (v or "").strip()]


def _affect(cells: Mapping[str, str]) -> tuple[float, float] | None:
    """Valence and arousal of a row; GuideError where one is missing or they lie outside of the
    circle."""
    if not cells["valence"] and not cells["arousal"]:
        return None
    valence, arousal = (_number(cells[key] or "0", key) for key in ("valence", "arousal"))
    if not math.hypot(valence, arousal) <= 1 + 1e-6:
        raise GuideError("valence and arousal lie in a circle: the sum of their squares is up to 1")
    return valence, arousal


def _felt(felt: tuple[float, float]) -> facs.Vector:
    """Action units (47,) of valence and arousal: the direction says which, the distance from rest
    how strong (`metrics.circumplex`, after Russell 1980)."""
    valence, arousal = felt
    units = affect(math.degrees(math.atan2(arousal, valence))) * math.hypot(valence, arousal)
    return np.asarray(units, np.float32)


def _asked(spec: ExpressionSpec) -> facs.Vector | None:
    """The units asked of a face at rest, as far up as intensity says; None for blendshapes."""
    if spec.blendshapes is not None or spec.intensity > 1:
        return None
    start = facs.prototype(spec.to or "neutral")
    return facs.apply([facs.parse(text) for text in spec.au], start) * np.float32(spec.intensity)


def _noise(text: str) -> float:
    noise = _number(text or "0", "noise")
    if not 0 <= noise <= MOST_NOISE:
        raise GuideError(f"noise {noise:g} is out of range: 0 to {MOST_NOISE:g} levels")
    return noise


def _number(text: str, what: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise GuideError(f"cannot read {what} {text!r}: write a number, such as 0.5") from None


def _half(units: facs.Vector, side: str, called: str) -> list[str]:
    """The units of an expression that show on one side, or on both."""
    other = {"both": "", "left": "R", "right": "L"}[side]
    wanted = zip(facs.UNITS, units, strict=True)
    shown = [f"{u}={v:.4f}" for u, v in wanted if v > 0 and not (other and u.endswith(other))]
    if not shown and side != "both":
        raise GuideError(f"{called} has no side: leave side empty")
    return shown


def _shapes(text: str, columns: Sequence[str], side: str) -> Any:
    """Blendshapes as JSON or columns say them, those of one side."""
    try:
        values = json.loads(text or "{}")
        for name, value in (column.split("=") for column in columns):
            values[_SHAPES[name.lower()]] = float(value)
    except (ValueError, RecursionError, TypeError):
        values = None
    if not isinstance(values, dict):
        shown = text or " ".join(columns)
        raise GuideError(f'cannot read blendshapes {shown[:40]!r}: write {{"jawOpen": 0.4}}')
    other = {"both": (), "left": ("Right",), "right": ("Left",)}[side]
    return {name: value for name, value in values.items() if not name.endswith(other)}


def _sided(unit: str, side: str) -> str:
    """`AU12=0.8` on one side: `AU12L=0.8`; a unit without sides stays."""
    name, sign, value = unit.partition("=")
    mark = {"both": "", "left": "L", "right": "R"}[side]
    return f"{name}{mark}{sign}{value}" if f"{name.upper()}{mark}" in facs.INDEX else unit


def _name(cells: Mapping[str, str], side: str) -> str:
    parts = [cells[key] for key in ("label", "au", *FORMS) if cells[key]]
    parts += [f"{key}{cells[key]}" for key in ("valence", "arousal", "noise", "background")
              if cells[key]]  # fmt: skip
    if cells["blendshapes"] or not parts:
        parts.insert(0, "blendshapes")
    parts += [side] * (side != "both")
    strength = cells["intensity"]
    return "-".join(
        [*parts, f"{float(strength):g}"] if strength and float(strength) != 1 else parts
    )
