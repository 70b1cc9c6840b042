"""The sliders of the action units, from the vocabulary: named by FACS and plainly, by region of the
face, with both sides at once and left and right apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mien import facs

REGIONS: dict[str, tuple[int, ...]] = {
    "Brows": (1, 2, 4),
    "Eyes": (5, 6, 7, 43, 61, 62, 63, 64),
    "Nose, cheeks": (9, 33),
    "Lips": (10, 12, 14, 15, 16, 17, 18, 20, 22, 23, 24, 25, 28),
    "Jaw": (26, 27, 29, 30),
}
PLAIN: dict[int, str] = {
    1: "Inner brows up", 2: "Outer brows up", 4: "Frown", 5: "Eyes wide", 6: "Smiling eyes",
    7: "Narrowed eyes", 9: "Wrinkled nose", 10: "Upper lip up", 12: "Smile", 14: "Dimples",
    15: "Mouth corners down", 16: "Lower lip down", 17: "Chin up", 18: "Kiss",
    20: "Mouth stretched wide", 22: "Lips forward", 23: "Thin lips", 24: "Pressed lips",
    25: "Lips apart", 26: "Mouth open", 27: "Mouth wide open", 28: "Lips sucked in",
    29: "Jaw forward", 30: "Jaw sideways", 33: "Cheeks blown up", 43: "Eyes shut",
    61: "Eyes left", 62: "Eyes right", 63: "Eyes up", 64: "Eyes down",
}  # fmt: skip
"""What people without FACS would call them."""


@dataclass(frozen=True)
class Row:
    """A slider: what it sets, what it is called, what it is found by; `side` is `both` or `apart`
    where it is seen only while sides are moved at once, or apart."""

    name: str
    title: str
    words: str
    side: str = ""


def rows() -> dict[str, list[Row]]:
    """All sliders by region."""
    return {
        region: [row for number in numbers for row in _of(number)]
        for region, numbers in REGIONS.items()
    }


def whole() -> dict[str, list[Row]]:
    """Those for both sides at once."""
    return {
        region: [Row(f"AU{n}", f"{PLAIN[n]}: {facs.NAMES[n]} (AU{n})", PLAIN[n]) for n in numbers]
        for region, numbers in REGIONS.items()
    }


def standing(values: Mapping[str, float]) -> dict[str, float]:
    """Where every slider stands, by its id, for values by `facs.UNITS`: one of both sides at their
    mean."""
    return {f"unit-{name}": _mean(name, values) for name in NAMES}


def _of(number: int) -> Iterator[Row]:
    words = f"{PLAIN[number]} {facs.NAMES[number]} AU{number}"
    sided = number in facs.SIDED
    for side, half in {"": "", "L": ", left", "R": ", right"}.items() if sided else (("", ""),):
        title = f"{PLAIN[number]}{half}: {facs.NAMES[number]} (AU{number}{side})"
        yield Row(f"AU{number}{side}", title, words, ("apart" if side else "both") if sided else "")


def _mean(name: str, values: Mapping[str, float]) -> float:
    sides = [values.get(facs.UNITS[i], 0.0) for i in facs.columns(name)]
    return round(sum(sides) / len(sides), 2)


NAMES = tuple(row.name for group in rows().values() for row in group)
"""Names of all sliders: `AU12` for both sides, `AU12L`, `AU12R`."""
