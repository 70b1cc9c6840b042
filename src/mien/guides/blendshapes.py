"""By blendshapes, as ARKit and the programs around it write them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from mien.errors import GuideError, near
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces

SIDED = (
    "browDown", "browOuterUp", "cheekSquint", "eyeBlink", "eyeLookDown", "eyeLookIn", "eyeLookOut",
    "eyeLookUp", "eyeSquint", "eyeWide", "mouthDimple", "mouthFrown", "mouthLowerDown",
    "mouthPress", "mouthSmile", "mouthStretch", "mouthUpperUp", "noseSneer",
)  # fmt: skip
WHOLE = (
    "browInnerUp", "cheekPuff", "jawForward", "jawLeft", "jawOpen", "jawRight", "mouthClose",
    "mouthFunnel", "mouthLeft", "mouthPucker", "mouthRight", "mouthRollLower", "mouthRollUpper",
    "mouthShrugLower", "mouthShrugUpper",
)  # fmt: skip
NAMES: tuple[str, ...] = (
    *(f"{name}{side}" for name in SIDED for side in ("Left", "Right")),
    *WHOLE,
)
"""ARKit's 52 blendshapes but for `tongueOut`, which the face model lacks: (51,)."""
UNSEEN = ("tongueOut", "headYaw", "headPitch", "headRoll", "leftEyeYaw", "leftEyePitch",
          "leftEyeRoll", "rightEyeYaw", "rightEyePitch", "rightEyeRoll")  # fmt: skip
"""Columns that such files have and that are passed over here."""
_KNOWN = {name.lower(): name for name in (*NAMES, *UNSEEN)}


@dataclass(frozen=True)
class Blendshapes(Guide):
    """Guide by the weights of ARKit's blendshapes, 0 to 1 each, absolute; those that are not named
    are 0. Names as Apple writes them, in any case: `jawOpen`, `mouthSmileLeft`."""

    weights: tuple[tuple[str, float], ...]

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> Self:
        """From names and numbers; GuideError for a name that ARKit does not have or a value out of
        range."""
        found: dict[str, float] = {}
        for name, value in values.items():
            known = _KNOWN.get(
                str(name).strip().replace("_L", "Left").replace("_R", "Right").lower()
            )
            if known is None:
                listed = "ARKit's are jawOpen, eyeBlinkLeft, ..."
                raise GuideError(
                    f"unknown blendshape {name!r}: {near(str(name), NAMES, listed=listed)}"
                )
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise GuideError(f"blendshape {name} is {value!r}: give a number from 0 to 1")
            if not -0.5 <= value <= 1.5:  # nor is NaN; an integer may be too large for a float
                number = f"{value:g}" if isinstance(value, float) else "out of range"
                raise GuideError(f"blendshape {name} is {number}: give a number from 0 to 1")
            if known not in UNSEEN:
                found[known] = min(1.0, max(0.0, float(value)))
        return cls(tuple(sorted(found.items())))

    @classmethod
    def read(cls, path: Path) -> Self:
        """A JSON file: an object of names and numbers, or one with such an object under
        `blendshapes`; GuideError says what is wrong."""
        try:
            values = json.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise GuideError(f"{path} cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError):  # numbers of thousands of digits too
            if path.suffix.lower() == ".csv":
                raise GuideError(
                    f"{path} is no JSON: blendshapes over time are for `mien video --like-shapes`"
                ) from None
            raise GuideError(f'{path} is not JSON: write {{"jawOpen": 0.5, ...}}') from None
        if isinstance(values, dict) and isinstance(values.get("blendshapes"), dict):
            values = values["blendshapes"]
        if not isinstance(values, dict) or not values:
            raise GuideError(f'{path} holds no blendshapes: write {{"jawOpen": 0.5, ...}}')
        return cls.of_values(values)

    def describe(self) -> str:
        shown = [f"{name}={value:g}" for name, value in self.weights if value]
        return ",".join(shown) or "blendshapes at rest"

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        row = np.zeros(len(NAMES), np.float32)
        for name, value in self.weights:
            row[NAMES.index(name)] = value
        rows = np.tile(row, (1 if source is None else len(source), 1))
        return method.from_blendshapes(method.array(rows))
