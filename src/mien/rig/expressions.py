"""The shared list of expressions: the same index means the same action units for every person.

Faces do not move at random. What a photograph is rendered in comes from the emotions, from smiles
that the rig has fitted to real photographs, from blends of emotions, from single units and from
sparse random mixes, with the odds in `ODDS`, and after `COMMON` of them from single units and what
eyes do, with those in `NAMED`; how it stands and is lit, with those in `STAGED`.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from mien import facs
from mien.face_model.arrays import Float, Int
from mien.face_model.pose_light import PoseAndLight

ODDS: dict[str, float] = {
    "weak emotion": 0.30,  # an emotion's prototype at 0.75, 0.5 or 0.25
    "real smile": 0.20,  # fitted to a real photograph
    "blend": 0.15,  # of two emotions
    "single unit": 0.10,  # half or full, or one side of it
    "mix": 0.25,  # two to five units at random
}
"""What a state of a photograph shows, after neutral and the full prototypes that each is shown
in."""

NAMED: dict[str, float] = {"single unit": 0.4, "eyes": 0.6}
"""The odds of what comes after: a guide names units one at a time, and lids close in one or
two of a hundred of the expressions above."""
COMMON = 39
"""Expressions of a photograph that are drawn by `ODDS`, neutral and prototypes among them."""

STAGED: dict[str, float] = {
    "as it is": 0.80,
    "head turned": 0.10,
    "light changed": 0.06,
    "both": 0.04,
}
"""How such a state stands and is lit. Neutral and the full prototypes stay as the photograph is."""
TURN = (12.0, 20.0, 10.0)
"""Largest pitch, yaw and roll of a turned head, degrees, either way; small ones are likelier."""
LIGHT = (1.0, 0.7, 0.7)
"""Largest change of the key light sideways and upwards, and of the exposure in stops."""

COUNTS: dict[str, int] = {"blend": 90, "mix": 200}
"""Random expressions in the list: enough to cover the units by twos and threes, few enough to be
met on many people."""
INTENSITIES = (1.0, 0.75, 0.5, 0.25)
SMILES = Path(__file__).with_name("smiles.safetensors")
"""Units (N, 47) fitted to smiles of training people (`mien.tables.smiles`)."""

_NEVER_TOGETHER = (
    ("AU61", "AU62"), ("AU63", "AU64"), ("AU30L", "AU30R"), ("AU5", "AU43"), ("AU18", "AU20"),
    ("AU12", "AU15"), ("AU24", "AU26"), ("AU24", "AU27"), ("AU28", "AU26"), ("AU28", "AU27"),
    ("AU23", "AU27"), ("AU22", "AU24"), ("AU18", "AU12"), ("AU28", "AU22"), ("AU18", "AU24"),
)  # fmt: skip
"""Units that pull against each other: a random mix keeps the first it drew."""


@cache
def sections(seed: int = 0) -> dict[str, Float]:
    """The list in parts, each (N, 47): neutral, full emotions, then the kinds of `ODDS`."""
    rng = np.random.default_rng([seed, 1])
    parts = {
        "neutral": [facs.prototype("neutral")],
        "emotion": emotions(),
        "weak emotion": [strength * p for strength in INTENSITIES[1:] for p in emotions()],
        "real smile": list(smiles()),
        "blend": _blends(rng, COUNTS["blend"]),
        "single unit": _single_units(),
        "mix": [_random_mix(rng) for _ in range(COUNTS["mix"])],
        "eyes": _eyes(),
    }
    return {kind: np.stack(rows).astype(np.float32) for kind, rows in parts.items()}


def expression_list(seed: int = 0) -> Float:
    """Action units (E, 47): row 0 is neutral, then the parts of `sections` one after the other."""
    return np.concatenate(list(sections(seed).values()))


@cache
def rows(kinds: tuple[str, ...], seed: int = 0) -> frozenset[int]:
    """The rows of the list that belong to some of `sections`."""
    found, first = set[int](), 0
    for kind, part in sections(seed).items():
        if kind in kinds:
            found.update(range(first, first + len(part)))
        first += len(part)
    return frozenset(found)


def smiles() -> Float:
    """Units (N, 47) of real smiles."""
    return load_file(SMILES)["units"]


def emotions() -> list[Float]:
    """The seven emotions that are not neutral, and contempt on the other side, each (47,)."""
    out = [facs.prototype(name) for name in facs.EMOTIONS if name != "neutral"]
    return [*out, facs.mirror(facs.prototype("contempt"))]


def emotion_of(units: Float) -> str | None:
    """The emotion whose full prototype `units` (47,) is, contempt on either side, or None."""
    names = [name for name in facs.EMOTIONS if name != "neutral"] + ["contempt"]
    known = [facs.prototype("neutral"), *emotions()]
    for name, prototype in zip(["neutral", *names], known, strict=True):
        if np.abs(prototype - units).max() < 1e-4:
            return name
    return None


def choose_states(seed: int, photo: str, count: int) -> Int:
    """Which rows (count,) of the list a photograph is rendered in, no row twice.

    Neutral, every emotion at full strength, then by `ODDS`, then by `NAMED`. Depends on the seed
    and the photograph's name alone; a smaller count is the beginning of a larger one.
    """
    rng = np.random.default_rng([seed, *photo.encode()])
    later = np.random.default_rng([seed, 2, *photo.encode()])  # leaves the common draws alone
    parts, left, first = sections(seed), {}, 0
    for kind, rows in parts.items():
        left[kind] = list((later if kind == "eyes" else rng).permutation(len(rows)) + first)
        first += len(rows)
    chosen = list(range(1 + len(parts["emotion"])))
    while len(chosen) < count:
        tables = (ODDS, NAMED) if len(chosen) < COMMON else (NAMED, ODDS)
        table = next(t for t in tables if any(left[kind] for kind in t))
        odds = np.array([table[kind] * bool(left[kind]) for kind in table])
        chosen.append(left[list(table)[rng.choice(len(table), p=odds / odds.sum())]].pop())
    return np.array(chosen[:count], np.int32)


def choose_pose_and_light(seed: int, photo: str, state: int, row: int) -> PoseAndLight:
    """How the photograph's `state`, which shows `row` of the list, stands and is lit."""
    if row < 1 + len(emotions()):
        return PoseAndLight()
    rng = np.random.default_rng([seed, state, *photo.encode()])
    kind = list(STAGED)[rng.choice(len(STAGED), p=list(STAGED.values()))]
    pitch, yaw, roll = (round(float(v), 3) for v in rng.triangular(-1, 0, 1, 3) * TURN)
    side, up, stops = (round(float(v), 3) for v in rng.triangular(-1, 0, 1, 3) * LIGHT)
    still = (0.0, 0.0, 0.0)
    return PoseAndLight(
        turn=(pitch, yaw, roll) if kind in ("head turned", "both") else still,
        light=(side, up, stops) if kind in ("light changed", "both") else still,
    )


def _single_units() -> list[Float]:
    rows = []
    for number in facs.NAMES:
        base = (
            {"AU26": 1.0} if number == 27 else {}
        )  # the mouth stretches by dropping the jaw further
        rows += [facs.vector({**base, f"AU{number}": value}) for value in (0.5, 1.0)]
    one_sided = (f"AU{number}{side}" for number in facs.SIDED for side in "LR" if number != 30)
    return rows + [facs.vector({name: 1.0}) for name in one_sided]


def _eyes() -> list[Float]:
    """What lids, brows and gaze do alone and beside a mouth: a blink, a wink, a look aside."""
    rows: list[dict[str, float]] = []
    for value in (0.25, 0.5, 0.75, 1.0):
        rows += [{f"AU{n}": value} for n in (4, 5, 7, 9, 43)]
    rows += [{f"AU43{side}": value} for side in "LR" for value in (0.6, 1.0)]
    beside: tuple[dict[str, float], ...] = (
        {"AU6": 0.7, "AU12": 0.8}, {"AU4": 0.8}, {"AU1": 0.7, "AU2": 0.7}, {"AU7": 0.6},
        {"AU9": 0.7}, {"AU25": 0.8, "AU26": 0.6}, {"AU15": 0.7, "AU17": 0.5},
    )  # fmt: skip
    rows += [{**other, "AU43": value} for other in beside for value in (0.6, 1.0)]
    rows += [{"AU6": 0.7, "AU12": 0.8, f"AU43{side}": 1.0} for side in "LR"]
    rows += [{"AU5": value, "AU4": 0.8} for value in (0.5, 1.0)]
    rows += [{"AU5": 1.0, "AU1": 0.8, "AU2": 0.8}]
    across, upward = ("AU61", "AU62"), ("AU63", "AU64")
    rows += [{gaze: value} for gaze in (*across, *upward) for value in (0.3, 0.6, 1.0)]
    rows += [{a: 0.7, b: 0.5} for a in across for b in upward]
    rows += [{"AU64": 0.8, "AU43": value} for value in (0.3, 0.6)]  # lids follow a look down
    return [facs.vector(units) for units in rows]


def _blends(rng: np.random.Generator, count: int) -> list[Float]:
    """Mixtures of two emotions."""
    pairs = list(combinations(emotions()[:-1], 2))
    rows = []
    for i in range(count):
        a, b = pairs[i % len(pairs)]
        share, strength = rng.uniform(0.25, 0.75), rng.uniform(0.6, 1.2)
        mix = strength * (share * a + (1 - share) * b)
        rows.append(np.clip(mix, 0, 1).astype(np.float32))
    return rows


def _random_mix(rng: np.random.Generator) -> Float:
    """Two to five units, mostly on both sides alike, half of the time with a gaze."""
    numbers = [n for n in facs.NAMES if n < 61]
    drawn = rng.permutation(numbers)[: rng.integers(2, 6)]
    units: dict[str, float] = {}
    for number in drawn:
        value = float(rng.uniform(0.2, 1.0))
        if number not in facs.SIDED:
            units[f"AU{number}"] = value
            continue
        kind = rng.choice(3, p=(0.6, 0.25, 0.15))  # even, uneven, one side only
        first, second = rng.permutation(["L", "R"])
        units[f"AU{number}{first}"] = value
        if kind < 2 and number != 30:
            units[f"AU{number}{second}"] = (
                value if kind == 0 else value * float(rng.uniform(0.4, 1))
            )
    if rng.random() < 0.5:
        across, upward = rng.uniform(-0.8, 0.8), rng.uniform(-0.6, 0.6)
        units["AU61" if across > 0 else "AU62"] = abs(float(across))
        units["AU63" if upward > 0 else "AU64"] = abs(float(upward))
    return facs.vector(_compatible(units))


def _compatible(units: dict[str, float]) -> dict[str, float]:
    """`units` without those that contradict an earlier one."""
    kept: dict[str, float] = {}
    for name, value in units.items():
        plain = name.rstrip("LR")
        rivals = {b for a, b in _NEVER_TOGETHER if a in (plain, name)}
        rivals |= {a for a, b in _NEVER_TOGETHER if b in (plain, name)}
        if not any(k in rivals or k.rstrip("LR") in rivals for k in kept if k != name):
            kept[name] = value
    return kept
