"""The shared list of expressions: the same index means the same action units for every person."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from mien import facs
from mien.rig.arrays import Float, Int

COUNT = 600
"""Expressions in the list: enough to cover the units by twos and threes, few enough to be met on
many people."""
INTENSITIES = (1.0, 0.75, 0.5, 0.25)

_NEVER_TOGETHER = (
    ("AU61", "AU62"), ("AU63", "AU64"), ("AU30L", "AU30R"), ("AU5", "AU43"), ("AU18", "AU20"),
    ("AU12", "AU15"), ("AU24", "AU26"), ("AU24", "AU27"), ("AU28", "AU26"), ("AU28", "AU27"),
    ("AU23", "AU27"), ("AU22", "AU24"), ("AU18", "AU12"), ("AU28", "AU22"), ("AU18", "AU24"),
)  # fmt: skip
"""Units that pull against each other: a random mix keeps the first it drew."""


def expression_list(seed: int = 0) -> Float:
    """Action units (600, 47): neutral, emotions at four intensities, single units, then random
    mixes.

    Rows 0 to `prototype_rows()` are neutral and, strongest first, the seven other emotions and
    mirrored contempt.
    """
    rng = np.random.default_rng([seed, 1])
    rows = [facs.prototype("neutral")]
    rows += [strength * p for strength in INTENSITIES for p in emotions()]
    rows += _single_units()
    rows += _blends(rng, 90)
    rows += [_random_mix(rng) for _ in range(COUNT - len(rows))]
    return np.stack(rows).astype(np.float32)


def emotions() -> list[Float]:
    """The seven emotions that are not neutral, and contempt on the other side, each (47,)."""
    out = [facs.prototype(name) for name in facs.EMOTIONS if name != "neutral"]
    return [*out, facs.mirror(facs.prototype("contempt"))]


def prototype_rows() -> tuple[int, int]:
    """How many rows after row 0 are emotions at full intensity, and how many at lower ones."""
    n = len(emotions())
    return n, n * (len(INTENSITIES) - 1)


def choose_states(seed: int, photo: str, count: int, total: int = COUNT) -> Int:
    """Which rows (count,) of the list a photograph is rendered in.

    Always neutral and every emotion at full strength; then a random half of their lower
    intensities; the rest at random. Depends on the seed and the photograph's name alone.
    """
    full, lower = prototype_rows()
    rng = np.random.default_rng([seed, *photo.encode()])
    fixed = np.arange(1 + full)
    weak = rng.permutation(np.arange(1 + full, 1 + full + lower))[: lower // 2]
    others = rng.permutation(np.arange(1 + full + lower, total))
    return np.concatenate([fixed, weak, others])[:count].astype(np.int32)


def _single_units() -> list[Float]:
    rows = []
    for number in facs.NAMES:
        base = (
            {"AU26": 1.0} if number == 27 else {}
        )  # the mouth stretches by dropping the jaw further
        rows += [facs.vector({**base, f"AU{number}": value}) for value in (0.5, 1.0)]
    one_sided = (f"AU{number}{side}" for number in facs.SIDED for side in "LR" if number != 30)
    return rows + [facs.vector({name: 1.0}) for name in one_sided]


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
