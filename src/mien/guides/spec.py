"""An expression as people and programs write it: the one form behind the options of the command
line, the fields of the HTTP API, and the JSON file that both take.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from mien.errors import GuideError, near
from mien.guides.base import Guide
from mien.guides.blendshapes import Blendshapes
from mien.guides.composed import Composed
from mien.guides.gaze import Gaze
from mien.guides.held import Held
from mien.guides.label import Label
from mien.guides.scaled import Scaled
from mien.guides.staging import Staging
from mien.guides.units import ActionUnits

REGIONS: dict[str, str | None] = {"face": None, "upper": "lower", "lower": "upper"}
"""What may change -> the part of the face that stays (`guides.held`)."""
FORMS: dict[str, tuple[str, str]] = {
    "gaze": ("LEFT,UP", "0.5,0"),
    "turn": ("PITCH,YAW,ROLL", "0,10,0"),
    "light": ("LEFT,UP", "0.5,0.3"),
}
"""Numbers that belong together, and an example of each."""
STRONGEST = 10.0
"""Largest intensity, either way."""
_LARGEST_FILE = 1_000_000  # bytes


@dataclass(frozen=True)
class ExpressionSpec:
    """What is asked of a face: a whole expression (`to`, `blendshapes`), a share of the one that a
    reference photograph shows (`like`), and on top of both `au`, `gaze`, `turn` and `light`.

    GuideError for what cannot be read, is out of range, or contradicts itself.

    >>> ExpressionSpec.of({"to": "happy", "gaze": [0.6, 0]}).guide().describe()
    'happy gaze=0.6,0'
    """

    name: str | None = None
    """What people call it; it changes nothing."""
    to: str | None = None
    """A label, such as `anger:open`."""
    blendshapes: Mapping[str, float] | None = None
    """ARKit's, of the whole face: those not named are 0."""
    like: str | None = None
    """The reference photograph, as its file is called: who opens it gives `guide` its
    expression."""
    share: float = 1.0
    """How far `like` is followed, 0 to 1."""
    au: tuple[str, ...] = ()
    """Action units, as `AU12=0.8` or `AU4=+0.3`."""
    gaze: tuple[float, ...] | None = None
    turn: tuple[float, ...] | None = None
    light: tuple[float, ...] | None = None
    region: str = "face"
    """What may change: one of `REGIONS`."""
    intensity: float = 1.0
    """How much of all of it: 0 changes nothing; -10 to 10."""

    def __post_init__(self) -> None:
        if self.region not in REGIONS:
            raise GuideError(f"unknown region {self.region!r}: {near(self.region, REGIONS)}")
        if not abs(self.intensity) <= STRONGEST:
            raise GuideError(f"intensity {self.intensity:g} is out of range: -10 to 10")
        if not 0 <= self.share <= 1:
            raise GuideError(f"share {self.share:g} is out of range: 0 to 1")
        if self.share != 1 and self.like is None:
            raise GuideError("share says how far `like` is followed: give a photograph too")
        whole = ("to", "blendshapes", *(("like",) if self.share == 1 else ()))
        given = [key for key in whole if getattr(self, key) is not None]
        if len(given) > 1:
            raise GuideError(f"{' and '.join(given)} exclude one another: give one of them")
        self._base()
        self._top()

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ExpressionSpec:
        """From an object of JSON, whose keys are the fields; pairs and triples may be text too
        (`"0.6,0"`)."""
        known = [field.name for field in fields(cls)]
        for key in values:
            if key not in known:
                raise GuideError(f"unknown field {key!r}: {near(str(key), known)}")
        return cls(**{k: _read(k, v) for k, v in values.items() if v is not None})

    @classmethod
    def load(cls, path: Path) -> ExpressionSpec:
        """From a JSON file; `like` is then a path, relative to the file's folder."""
        try:
            with path.open("rb") as file:
                data = file.read(_LARGEST_FILE + 1)
        except OSError as error:
            raise GuideError(f"{path} cannot be read: {error.strerror}") from None
        spec = cls.parse(data, str(path))
        return spec if spec.like is None else replace(spec, like=str(path.parent / spec.like))

    @classmethod
    def parse(cls, data: bytes, called: str) -> ExpressionSpec:
        """From the bytes of a JSON file that people know as `called`."""
        try:
            values = json.loads(data.decode("utf-8-sig")) if len(data) <= _LARGEST_FILE else None
        except (ValueError, RecursionError):
            raise GuideError(f'{called} is not JSON: write {{"to": "happy", ...}}') from None
        if not isinstance(values, dict):
            raise GuideError(f'{called} holds no expression: write {{"to": "happy", ...}}')
        try:
            return cls.of(values)
        except GuideError as error:
            raise GuideError(f"{called}: {error}") from None

    def save(self, path: Path) -> None:
        """Write the JSON file, whole or not at all; GuideError if that fails."""
        from mien.files import replacing

        try:
            with replacing(path) as part:
                part.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise GuideError(f"{path} cannot be written: {error.strerror}") from None

    def to_json(self) -> dict[str, Any]:
        """The object of JSON that `of` reads back: what differs from its default."""
        out = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if value != field.default:
                out[field.name] = list(value) if isinstance(value, tuple) else value
        return out

    def but(self, given: Mapping[str, Any]) -> ExpressionSpec:
        """With fields of `given` (as in `of`) in place of its own; units join its units, and a
        whole expression takes the place of a whole one."""
        there = self.to_json()
        if "to" in given or "blendshapes" in given or _follows_wholly(given):
            gone = ["to", "blendshapes", *(["like"] if _follows_wholly(there) else [])]
            there = {key: value for key, value in there.items() if key not in gone}
        if "like" in given:
            there.pop("share", None)
        units = {"au": [*there.get("au", ()), *given["au"]]} if given.get("au") else {}
        return ExpressionSpec.of({**there, **given, **units})

    @property
    def empty(self) -> bool:
        """Whether nothing is asked for."""
        return self.like is None and not self._base() and not self._top()

    def guide(self, reference: Guide | None = None, kept: str | None = None) -> Guide:
        """What it asks for; `intensity` is the caller's to apply.

        reference: the expression of the photograph `like`; kept: what a whole expression leaves
        as it is, such as `speech`. GuideError when nothing is asked for, or `reference` is missing.
        """
        if self.empty:
            raise GuideError(
                "say which expression: by to, like, blendshapes, au, gaze, turn, light"
            )
        whole = self._base()
        if self.like is not None:
            if reference is None:
                raise GuideError(f"give the reference photograph {self.like}")
            whole.append(reference if self.share == 1 else Scaled(reference, self.share))
        if kept is not None:
            whole = [Held(part, kept) for part in whole]  # what is asked for by itself is meant
        parts = (*whole, *self._top())
        made = parts[0] if len(parts) == 1 else Composed(parts)
        held = REGIONS[self.region]
        return made if held is None else Held(made, held)

    def _base(self) -> list[Guide]:
        base: list[Guide] = [] if self.to is None else [Label(self.to)]
        if self.blendshapes is not None:
            base.append(Blendshapes.of_values(self.blendshapes))
        return base

    def _top(self) -> list[Guide]:
        top: list[Guide] = [ActionUnits.parse(*self.au)] if self.au else []
        if self.gaze is not None:
            top.append(Gaze(*_those("gaze", self.gaze)))
        if self.turn is not None or self.light is not None:
            pitch, yaw, roll = _those("turn", self.turn or (0.0, 0.0, 0.0))
            left, up = _those("light", self.light or (0.0, 0.0))
            top.append(Staging((pitch, yaw, roll), (left, up)))
        return top


def _follows_wholly(values: Mapping[str, Any]) -> bool:
    return values.get("like") is not None and values.get("share", 1.0) == 1


def _read(key: str, value: Any) -> Any:
    """A field as JSON has it, of the field's own type."""
    if key in FORMS:
        return _numbers(key, value)
    if key in ("share", "intensity"):
        return _number(key, value)
    if key == "au":
        if isinstance(value, list | tuple) and all(isinstance(unit, str) for unit in value):
            return tuple(value)
        raise GuideError('au is a list of units: write ["AU12=0.8", "AU4=+0.3"]')
    if key == "blendshapes":
        if isinstance(value, Mapping) and value:
            return dict(Blendshapes.of_values(value).weights)
        raise GuideError('blendshapes are an object: write {"jawOpen": 0.4, ...}')
    if not isinstance(value, str) or len(value) > 1000:
        raise GuideError(f"{key} is {str(value)[:40]!r}: give a text")
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise GuideError(f"{key} has a lone surrogate: give valid Unicode text")
    return value


def finite(value: Any) -> float | None:
    """A number of JSON, whose whole numbers have any length, as a float; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _number(key: str, value: Any) -> float:
    if (number := finite(value)) is None:
        raise GuideError(f"{key} is {str(value)[:40]!r}: give a number")
    return number


def _numbers(key: str, value: Any) -> tuple[float, ...]:
    if isinstance(value, str):
        try:
            value = [float(part) for part in value.replace(",", " ").split()]
        except ValueError:
            raise _unread(key, value) from None
    if not isinstance(value, list | tuple):
        raise _unread(key, value)
    return _those(key, tuple(_number(key, part) for part in value))


def _those(key: str, values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) != FORMS[key][0].count(",") + 1:
        raise _unread(key, values)
    return values


def _unread(key: str, value: object) -> GuideError:
    form, such = FORMS[key]
    shown = ",".join(f"{v:g}" for v in value) if isinstance(value, tuple) else str(value)[:40]
    return GuideError(f"cannot read {key} {shown!r}: write {form}, such as {such}")
