"""Directions of valence and arousal as mixtures of mien's own prototypes, for protocol `control`.

Russell (1980, "A circumplex model of affect", J. Pers. Soc. Psychol. 39, 1161-1178) had 28 words of
affect ordered around a circle: pleasure at 0 degrees, arousal at 90. Five of mien's prototypes are
among them; a word between two of them is asked for as the mixture that its angle says.

Differs: Russell scaled words, not faces. A mixture here is a known mix of action units that no
prototype is, so that one can measure whether mixtures come out in proportion; it is not how people
look who feel so.
"""

from __future__ import annotations

import numpy as np

from mien import facs

ANGLES: dict[str, float] = {
    "happy": 7.8, "delighted": 24.9, "excited": 48.6, "astonished": 69.8, "aroused": 73.8,
    "tense": 92.8, "alarmed": 96.5, "angry": 99.0, "afraid": 116.0, "annoyed": 123.0,
    "distressed": 138.0, "frustrated": 141.0, "miserable": 188.7, "sad": 207.5, "gloomy": 210.0,
    "depressed": 211.0, "bored": 242.0, "droopy": 256.6, "tired": 267.7, "sleepy": 271.9,
    "calm": 316.2, "relaxed": 318.0, "satisfied": 319.0, "at ease": 321.0, "content": 323.0,
    "serene": 328.6, "glad": 349.0, "pleased": 353.2,
}  # fmt: skip
"""Where Russell's words lie, degrees. Inferred: those in whole degrees could not be checked against
the paper; the fifteen others stand in a published summary of its numbers.
"""

ANCHORS: dict[str, dict[str, float]] = {
    "happy": facs.PROTOTYPES["happy"],
    "astonished": facs.PROTOTYPES["surprise"],
    "angry": facs.PROTOTYPES["anger"],
    "afraid": facs.PROTOTYPES["fear"],
    "sad": facs.PROTOTYPES["sad"],
    "sleepy": {"AU43": 0.5},
}
"""The words that mien has a face for, in action units. Inferred: no prototype is of low arousal, so
half-closed lids stand for it; with the neutral face there, `sleepy` would have no direction.
"""


def affect(angle: float) -> facs.Vector:
    """Action units (47,) in [0, 1] of a direction of affect, degrees: linear in the angle between
    the two `ANCHORS` beside it.

    >>> bool((affect(7.8) == facs.prototype("happy")).all())
    True
    """
    angles = [ANGLES[word] for word in ANCHORS]
    known = np.stack([facs.vector(units) for units in ANCHORS.values()])
    return np.stack([np.interp(angle, angles, column, period=360) for column in known.T]).astype(
        np.float32
    )
