"""Asks at random, so that a distribution is met."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from mien import facs
from mien.errors import GuideError
from mien.people.asks import Ask, of_row
from mien.people.together import Together

DRAWS = ("emotions", "units", "affect", "faces")
"""What may be drawn: an emotion, each as often, at 0.25 to 1; one unit, each as often, at 0.5 to 1;
a point of the circle of valence and arousal, any as likely as any other; units as they go together
in photographs of people."""
VARIED = ("turn", "light", "noise", "background")
"""What may vary beside the expression."""
TURN = (8.0, 15.0, 8.0)
"""Largest pitch, yaw and roll, degrees either way: what the face model carries, and some room."""
LIGHT = 0.6
"""Farthest that the key light moves, either way."""
NOISE = 8.0
"""Strongest noise, levels."""
WALL, TINT, SHADE = (165.0, 235.0), 12.0, (0.8, 1.05)
"""Brightness of a wall at its top; how far a colour departs from grey, levels; its bottom over its
top. A darker wall would show the light edges that fine hair has before a bright one."""
LEAST = 0.05
"""A unit below this is not asked for."""


def drawn(kind: str, count: int, seed: Sequence[int]) -> list[Ask]:
    """`count` asks at random, the same for the same seed. GuideError for an unknown
    distribution."""
    if kind not in DRAWS:
        raise GuideError(f"cannot draw {kind!r}: choose from {', '.join(DRAWS)}")
    random = np.random.default_rng(list(seed))
    if kind == "affect":
        rows = [_affect(random) for _ in range(count)]
    elif kind == "faces":
        table = Together.shipped()
        rows = [_face(table.draw(random)) for _ in range(count)]
    else:
        whole = sorted({name.rstrip("LR") for name in facs.UNITS})
        choices = list(facs.EMOTIONS if kind == "emotions" else whole)
        rounds = (random.permutation(choices) for _ in range(-(-count // len(choices))))
        rows = [_of(str(c), random) for order in rounds for c in order][:count]
    return [of_row({**row, "name": f"{i:03d}-{row['name']}"}) for i, row in enumerate(rows)]


def varied(ask: Ask, kinds: Sequence[str], seed: Sequence[int]) -> Ask:
    """The same ask with a head turned, a light moved, noise, and a wall at random: what of these is
    among `kinds` and not asked for already. GuideError for another kind."""
    random = np.random.default_rng(list(seed))
    row = dict(ask.row)
    found = {
        "turn": " ".join(f"{random.uniform(-most, most):.1f}" for most in TURN),
        "light": " ".join(f"{random.uniform(-LIGHT, LIGHT):.2f}" for _ in range(2)),
        "noise": f"{random.uniform(0, NOISE):.1f}",
        "background": _wall(random),
    }
    for kind in kinds:
        if kind not in VARIED:
            raise GuideError(f"cannot vary {kind!r}: choose from {', '.join(VARIED)}")
        row[kind] = row.get(kind) or found[kind]
    return of_row({**row, "name": ask.name})


def _wall(random: np.random.Generator) -> str:
    """A plain wall, or one that is darker or lighter at the bottom."""
    top = random.uniform(*WALL) + random.uniform(-TINT, TINT, 3)
    bottom = top * (random.uniform(*SHADE) if random.random() < 0.5 else 1)
    return " ".join(
        "#" + "".join(f"{round(c):02x}" for c in np.clip(colour, 0, 255))
        for colour in (top, bottom)
    )


def _of(choice: str, random: np.random.Generator) -> dict[str, str]:
    if choice in facs.EMOTIONS:
        return {"name": choice, "label": choice, "intensity": f"{random.uniform(0.25, 1):.2f}"}
    return {"name": choice, "au": f"{choice}={random.uniform(0.5, 1):.2f}"}


def _affect(random: np.random.Generator) -> dict[str, str]:
    """A point of the unit circle's inside, each as likely."""
    angle, far = random.uniform(0, 2 * math.pi), math.sqrt(random.uniform(0, 1))
    valence, arousal = f"{far * math.cos(angle):.3f}", f"{far * math.sin(angle):.3f}"
    return {"name": f"v{valence}a{arousal}", "valence": valence, "arousal": arousal}


def _face(units: facs.Vector) -> dict[str, str]:
    """A row that asks for units; at rest where there are none."""
    shown = [f"{n}={v:.3f}" for n, v in zip(facs.UNITS, units, strict=True) if v >= LEAST]
    return (
        {"name": "face", "au": " ".join(shown)} if shown else {"name": "face", "label": "neutral"}
    )
