"""Many sliders as one part of the page, plain range inputs: ARKit's blendshapes by region of the
face, and the units of a film.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Collection, Mapping
from html import escape
from typing import Any

from mien.errors import GuideError
from mien.guides.blendshapes import NAMES
from mien.guides.spec import finite
from mien.web.parts import html
from mien.web.units import finder

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
_COUNT = itertools.count()


def draw() -> tuple[Any, Any]:
    """The sliders, in the layout that is open: the part that is moved, and the one that says where
    they stand."""
    names = {f"shape-{name}": (_place(_region(name)), f"{_plain(name)} {name}") for name in NAMES}
    html(finder(names, {region: _place(region) for region in REGIONS}), "find-shape", "find.js")
    groups = {
        (_place(region), region): {
            name: f"{_plain(name).capitalize()}: {name}"
            for name in NAMES
            if _region(name) == region
        }
        for region in REGIONS
    }
    return island("shapes", "shape", groups)


def island(
    name: str, kind: str, groups: Mapping[tuple[str, str], Mapping[str, str]]
) -> tuple[Any, Any]:
    """Plain sliders from 0 to 1 as one part of the page, `name`, each with the id `kind-NAME`, and
    the part `name-at` that says where they stand: by id and title of each group its sliders'
    names, and what they are called."""
    rows = "".join(
        f'<h3 id="{place}">{title}</h3>' + "".join(_row(kind, *row) for row in rows.items())
        for (place, title), rows in groups.items()
    )
    sliders = html(f'<div class="mien-shapes">{rows}</div>', name, "shapes.js")
    return sliders, html(standing(name, {}), f"{name}-at", "shapes_at.js")


def standing(name: str, values: Mapping[str, float]) -> str:
    """Where the sliders of a part stand, for the page's script; those not named are at 0. No two
    answers are alike: the page passes over what says the same as the one before, and the sliders
    may have been moved since.
    """
    moved = {key: round(value, 2) for key, value in values.items() if value}
    values_now = escape(json.dumps(moved))
    return (
        f'<span hidden data-of="{name}" data-at="{next(_COUNT)}" data-values="{values_now}"></span>'
    )


def moved(event: Any, known: Collection[str] = NAMES) -> tuple[str, float]:
    """The name and the value of an event; GuideError for what the page would not send."""
    name, value = getattr(event, "shape", None), finite(getattr(event, "value", None))
    if not isinstance(name, str) or name not in known:
        raise GuideError("there is no slider of this name")
    if value is None or not 0 <= value <= 1:
        raise GuideError("a number from 0 to 1 is needed")
    return name, round(value, 2)


def _row(kind: str, name: str, title: str) -> str:
    return (
        f'<label id="{kind}-{name}"><span>{title}</span>'
        f'<input type="range" min="0" max="1" step="0.01" value="0" data-shape="{name}">'
        "<output>0</output></label>"
    )


def _plain(name: str) -> str:
    bare = re.sub("(Left|Right)$", "", name)
    if bare in _PLAIN and bare != name:
        return f"{_PLAIN[bare]}, {name[len(bare) :].lower()}"
    return _PLAIN[name]


def _region(name: str) -> str:
    return next(region for region, start in REGIONS.items() if re.match(start, name))


def _place(region: str) -> str:
    return "shapes-" + region.lower().replace(", ", "-")
