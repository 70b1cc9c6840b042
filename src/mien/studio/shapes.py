"""The sliders of ARKit's blendshapes, by region of the face."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

from mien.errors import GuideError
from mien.guides.blendshapes import NAMES
from mien.guides.spec import finite
from mien.studio.units import Row

REGIONS: dict[str, str] = {
    "Brows": "brow", "Eyes": "eye", "Nose, cheeks": "nose|cheek", "Mouth": "mouth", "Jaw": "jaw",
}  # fmt: skip
"""Regions of the face -> how the names of their blendshapes begin."""
_PLAIN = {
    "browDown": "frown", "browInnerUp": "inner brows up", "browOuterUp": "outer brows up",
    "cheekPuff": "cheeks blown up", "cheekSquint": "smiling eyes", "eyeBlink": "wink",
    "eyeLookDown": "look down", "eyeLookIn": "look to the nose", "eyeLookOut": "look outward",
    "eyeLookUp": "look up", "eyeSquint": "narrowed eyes", "eyeWide": "eyes wide",
    "jawForward": "jaw forward", "jawLeft": "jaw sideways", "jawOpen": "mouth open",
    "jawRight": "jaw sideways", "mouthClose": "lips closed", "mouthDimple": "dimples",
    "mouthFrown": "mouth corners down", "mouthFunnel": "lips forward",
    "mouthLeft": "mouth sideways", "mouthLowerDown": "lower lip down",
    "mouthPress": "pressed lips", "mouthPucker": "kiss",
    "mouthRight": "mouth sideways", "mouthRollLower": "lower lip sucked in",
    "mouthRollUpper": "upper lip sucked in", "mouthShrugLower": "chin up",
    "mouthShrugUpper": "upper lip pushed up", "mouthSmile": "smile",
    "mouthStretch": "mouth stretched wide", "mouthUpperUp": "upper lip up",
    "noseSneer": "wrinkled nose",
}  # fmt: skip
"""What people who do not know ARKit would call them."""


def rows() -> dict[str, list[Row]]:
    """All sliders by region."""
    return {region: [_row(name) for name in NAMES if _region(name) == region] for region in REGIONS}


def standing(values: Mapping[str, float]) -> dict[str, float]:
    """Where every slider stands, by its id; those not named are at 0."""
    return {f"shape-{name}": round(values.get(name, 0.0), 2) for name in NAMES}


def moved(name: Any, value: Any, known: Collection[str] = NAMES) -> tuple[str, float]:
    """The name and the value of a slider from 0 to 1 that was moved; GuideError for what the page
    would not send."""
    number = finite(value)
    if not isinstance(name, str) or name not in known:
        raise GuideError("there is no slider of this name")
    if number is None or not 0 <= number <= 1:
        raise GuideError("a number from 0 to 1 is needed")
    return name, round(number, 2)


def _row(name: str) -> Row:
    plain = _plain(name)
    return Row(name, f"{plain.capitalize()}: {name}", f"{plain} {name}")


def _plain(name: str) -> str:
    bare = re.sub("(Left|Right)$", "", name)
    if bare in _PLAIN and bare != name:
        return f"{_PLAIN[bare]}, {name[len(bare) :].lower()}"
    return _PLAIN[name]


def _region(name: str) -> str:
    return next(region for region, start in REGIONS.items() if re.match(start, name))
