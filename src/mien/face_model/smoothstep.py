"""The cubic smooth step, by which shares fade in and out."""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from mien.face_model.arrays import Double, Float

Kind = TypeVar("Kind", Float, Double)


def smoothstep(t: Kind) -> Kind:
    """0 up to 0, 1 from 1 on, with slope 0 at both ends: of the same kind as `t`."""
    inside = np.clip(t, 0, 1)
    out: Kind = inside * inside * (3 - 2 * inside)
    return out
