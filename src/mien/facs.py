"""The vocabulary of expression: action units (FACS), emotions, and the prototypes that join them.

An *action-unit vector* is a float array (..., 47) in [0, 1] whose entries are named by `UNITS`:
units that have two sides appear as `AU12L` and `AU12R` (the person's own left and right), the
others once. 0 is the unit at rest, 1 its strongest. FACS writes intensity as letters; `LETTERS`
gives them as numbers.

Source: Ekman, Friesen & Hager, *Facial Action Coding System* (2002); prototypes after its
investigator's guide, table 10-2, shortened to the units that the face model moves, as strong as
people pose them (`docs/labels.md`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien.errors import GuideError, near

SIDED = (1, 2, 4, 5, 6, 7, 9, 10, 12, 14, 15, 16, 20, 24, 30, 33, 43)
"""Units that the left and right half of the face make independently (AU30L: the jaw to the left).
"""
UNSIDED = (17, 18, 22, 23, 25, 26, 27, 28, 29, 61, 62, 63, 64)
"""Units of the whole face."""

NAMES: dict[int, str] = {
    1: "inner brow raiser", 2: "outer brow raiser", 4: "brow lowerer", 5: "upper lid raiser",
    6: "cheek raiser", 7: "lid tightener", 9: "nose wrinkler", 10: "upper lip raiser",
    12: "lip corner puller", 14: "dimpler", 15: "lip corner depressor", 16: "lower lip depressor",
    17: "chin raiser", 18: "lip pucker", 20: "lip stretcher", 22: "lip funneler",
    23: "lip tightener", 24: "lip presser", 25: "lips part", 26: "jaw drop", 27: "mouth stretch",
    28: "lip suck", 29: "jaw thrust", 30: "jaw sideways", 33: "cheek blow", 43: "eyes closed",
    61: "eyes turn left", 62: "eyes turn right", 63: "eyes up", 64: "eyes down",
}  # fmt: skip

ALIASES: dict[int, int] = {45: 43}
"""AU45 (blink) is AU43 (eyes closed) seen in one picture."""

LETTERS: dict[str, float] = {"A": 0.1, "B": 0.3, "C": 0.5, "D": 0.75, "E": 1.0}
"""FACS intensity letters (trace, slight, marked, severe, maximum) on the scale 0..1."""

UNITS: tuple[str, ...] = tuple(
    name
    for au in sorted((*SIDED, *UNSIDED))
    for name in ((f"AU{au}L", f"AU{au}R") if au in SIDED else (f"AU{au}",))
)
INDEX: dict[str, int] = {name: i for i, name in enumerate(UNITS)}

EMOTIONS: tuple[str, ...] = (
    "neutral", "happy", "sad", "surprise", "fear", "anger", "disgust", "contempt",
)  # fmt: skip

Vector = NDArray[np.float32]


def columns(unit: str) -> tuple[int, ...]:
    """Indices in `UNITS` that a name such as `AU12`, `AU12L` or `au45` addresses.

    >>> " ".join(UNITS[i] for i in columns("AU12"))
    'AU12L AU12R'
    """
    match = re.fullmatch(r"AU(\d+)([LR]?)", unit.strip().upper())
    number = int(match[1]) if match else -1
    number = ALIASES.get(number, number)
    if match is None or number not in NAMES:
        raise GuideError(
            f"unknown action unit {unit!r}: choose from {', '.join(f'AU{n}' for n in NAMES)}"
        )
    if match[2] and number not in SIDED:
        raise GuideError(f"AU{number} has no sides: write AU{number} instead of {unit!r}")
    names = (
        (f"AU{number}{side}" for side in match[2] or "LR") if number in SIDED else (f"AU{number}",)
    )
    return tuple(INDEX[name] for name in names)


def vector(units: Mapping[str, float]) -> Vector:
    """Action-unit vector (47,) of named units; the ones not named are 0."""
    out = np.zeros(len(UNITS), np.float32)
    for name, value in units.items():
        out[list(columns(name))] = value
    return out


def mirror(units: Vector) -> Vector:
    """The action-unit vectors (..., 47) of the mirrored faces: left and right change places."""
    return np.ascontiguousarray(units[..., _MIRROR])


_SWAP = {"AU61": "AU62", "AU62": "AU61"}
_MIRROR = np.array(
    [INDEX[_SWAP.get(n, n[:-1] + {"L": "R", "R": "L"}.get(n[-1], n[-1]))] for n in UNITS]
)

PROTOTYPES: dict[str, dict[str, float]] = {
    "neutral": {},
    "happy": {"AU6": 0.4, "AU12": 0.85, "AU25": 0.8, "AU26": 0.15},
    "sad": {
        "AU1": 1.0, "AU2": 0.2, "AU4": 0.2, "AU7": 0.3, "AU15": 0.9, "AU17": 1.0, "AU20": 0.2,
        "AU24": 0.3, "AU28": 0.2, "AU43": 0.15,
    },
    "surprise": {"AU1": 1.0, "AU2": 0.9, "AU5": 0.9, "AU25": 0.6, "AU26": 1.0, "AU27": 0.3},
    "fear": {
        "AU1": 1.0, "AU2": 0.7, "AU4": 0.5, "AU5": 1.0, "AU16": 0.4, "AU20": 1.0, "AU25": 1.0,
        "AU26": 0.65,
    },
    "anger": {
        "AU4": 1.0, "AU5": 0.3, "AU6": 0.5, "AU7": 1.0, "AU9": 0.3, "AU10": 0.1, "AU15": 0.2,
        "AU17": 0.85, "AU23": 0.8, "AU24": 0.6, "AU28": 0.3,
    },
    "disgust": {
        "AU4": 0.85, "AU6": 0.4, "AU7": 0.85, "AU9": 0.65, "AU10": 1.0, "AU15": 0.6, "AU16": 0.15,
        "AU25": 0.55, "AU43": 0.12,
    },
    "contempt": {
        "AU14L": 0.45, "AU12L": 1.0, "AU10L": 0.3, "AU24L": 0.4, "AU2R": 0.6, "AU7": 0.4,
        "AU17": 0.4, "AU43": 0.2,
    },
}  # fmt: skip
"""What an emotion label means here, at intensity 1, in action units: how strongly the median person
poses it. `docs/labels.md` says how they were found."""

VARIANTS: dict[str, dict[str, float]] = {
    "happy:closed": {"AU6": 0.4, "AU12": 0.5, "AU14": 0.15},
    "sad:open": {
        "AU1": 1.0, "AU4": 0.4, "AU6": 0.5, "AU7": 0.5, "AU15": 0.6, "AU16": 0.5, "AU20": 0.5,
        "AU25": 1.0, "AU26": 0.2,
    },
    "surprise:closed": {"AU1": 1.0, "AU2": 0.9, "AU5": 0.9, "AU25": 0.2},
    "fear:closed": {
        "AU1": 1.0, "AU2": 0.6, "AU4": 0.5, "AU5": 1.0, "AU20": 1.0, "AU24": 0.2,
    },
    "anger:open": {
        "AU4": 1.0, "AU5": 0.4, "AU7": 0.8, "AU9": 0.25, "AU10": 0.8, "AU16": 0.75, "AU25": 1.0,
        "AU26": 0.3,
    },
    "disgust:closed": {
        "AU4": 0.7, "AU6": 0.4, "AU7": 0.8, "AU9": 0.8, "AU10": 0.8, "AU15": 0.4, "AU17": 0.7,
        "AU24": 0.2,
    },
    "disgust:open": {
        "AU4": 0.5, "AU6": 0.4, "AU7": 0.7, "AU9": 0.6, "AU10": 1.0, "AU16": 0.5, "AU25": 0.9,
        "AU26": 0.4,
    },
    "contempt:right": {
        "AU14R": 0.45, "AU12R": 1.0, "AU10R": 0.3, "AU24R": 0.4, "AU2L": 0.6, "AU7": 0.4,
        "AU17": 0.4, "AU43": 0.2,
    },
}  # fmt: skip
"""Other ways in which people show the same emotion, as `label:variant`, in action units."""

PLAIN: dict[str, str] = {
    "happy": "open", "sad": "closed", "surprise": "open", "fear": "open", "anger": "closed",
    "contempt": "left",
}  # fmt: skip
"""Which variant a label without one is: `anger` is `anger:closed`."""

LABELS: tuple[str, ...] = (*EMOTIONS, *VARIANTS)
"""All that a guide by label may say."""


WORDS: dict[str, str] = {
    word: name
    for name, words in {
        "neutral": ("calm", "relaxed", "rest"),
        "happy": ("happiness", "joy", "joyful", "smile", "smiling"),
        "sad": ("sadness", "unhappy"),
        "surprise": ("surprised", "amazed"),
        "fear": ("afraid", "fearful", "frightened", "scared"),
        "anger": ("angry", "mad"),
        "disgust": ("disgusted",),
        "contempt": ("contemptuous",),
    }.items()
    for word in words
}
"""What others call an expression -> the label that a message then offers."""


def emotion(label: str) -> str:
    """The emotion, one of `EMOTIONS`, of a label with or without a variant; GuideError names the
    labels there are.

    >>> emotion("anger:open")
    'anger'
    """
    return plain(label).partition(":")[0]


def plain(label: str) -> str:
    """The label as `LABELS` has it: without the variant where that is what it is anyway.

    >>> plain("anger:closed"), plain("anger:open")
    ('anger', 'anger:open')
    """
    name, colon, variant = label.partition(":")
    if name not in PROTOTYPES:
        raise GuideError(f"unknown expression {label!r}: {near(name, EMOTIONS, WORDS)}")
    if not colon or PLAIN.get(name) == variant:
        return name
    if label not in VARIANTS:
        known = [name, *(v for v in VARIANTS if v.partition(":")[0] == name)]
        raise GuideError(f"{name} has no variant {variant!r}: choose from {', '.join(known)}")
    return label


def prototype(label: str) -> Vector:
    """Action-unit vector (47,) of an emotion label such as `anger` or `anger:open`; GuideError
    names the labels there are."""
    name = plain(label)
    return vector(PROTOTYPES[name] if name in PROTOTYPES else VARIANTS[name])


@dataclass(frozen=True)
class Setting:
    """One unit asked for: `AU12=0.8` (absolute) or `AU12=+0.3` (relative to the source)."""

    unit: str
    value: float
    relative: bool = False

    def __post_init__(self) -> None:
        columns(self.unit)
        low = -1.0 if self.relative else 0.0
        if not low <= self.value <= 1.0:
            raise GuideError(
                f"{self.unit}={self.value:g} is out of range: absolute values lie in 0..1, "
                "relative ones (with a sign) in -1..1"
            )


def parse(text: str) -> Setting:
    """`AU12=0.8`, `AU12L=C` or `AU4=+0.3` as a `Setting`.

    >>> parse("AU4=+0.3")
    Setting(unit='AU4', value=0.3, relative=True)
    """
    several = [one.strip() for one in text.split(",")]
    if len(several) > 1 and all("=" in one for one in several):
        each = ", ".join(f'"{one}"' for one in several)
        raise GuideError(f"{text!r} holds several units: give each by itself, {each}")
    unit, equals, value = text.partition("=")
    value = value.strip()
    if not equals or not value:
        raise GuideError(f"cannot read {text!r}: write a unit and a value, such as AU12=0.8")
    if value.upper() in LETTERS:
        return Setting(unit.strip().upper(), LETTERS[value.upper()])
    try:
        return Setting(unit.strip().upper(), float(value), relative=value[0] in "+-")
    except ValueError:
        raise GuideError(
            f"cannot read the value in {text!r}: a number in 0..1 or a FACS letter A to E"
        ) from None


OPPOSED: tuple[tuple[str, str], ...] = (("AU61", "AU62"), ("AU63", "AU64"), ("AU30L", "AU30R"))
"""Pairs that no face shows at once: eyes left and right, eyes up and down, jaw left and right."""


def check_together(settings: Iterable[Setting]) -> None:
    """GuideError where two settings contradict: one unit asked for twice, or two opposed ones. A
    side after its whole unit refines it.

    >>> check_together([parse("AU12=0.8"), parse("AU12L=0.2")])
    """
    asked: dict[int, Setting] = {}
    for setting in settings:
        here = set(columns(setting.unit))
        for other in (asked[i] for i in here if i in asked):
            if not here < set(columns(other.unit)):
                raise _contradiction(other, setting)
        asked |= dict.fromkeys(here, setting)
    for pair in OPPOSED:
        one, two = (asked.get(INDEX[name]) for name in pair)
        if one and two and one is not two and one.value > 0 and two.value > 0:
            raise _contradiction(one, two)


def _contradiction(one: Setting, two: Setting) -> GuideError:
    return GuideError(f"{_words(one)} and {_words(two)} contradict one another: give one of them")


def _words(setting: Setting) -> str:
    return f"{setting.unit}={setting.value:{'+' if setting.relative else ''}g}"


def apply(settings: Iterable[Setting], start: Vector) -> Vector:
    """`start` (47,) with the named units set or moved, clipped to [0, 1]."""
    out = start.copy()
    for s in settings:
        index = list(columns(s.unit))
        out[index] = out[index] + s.value if s.relative else s.value
    return np.clip(out, 0, 1)
