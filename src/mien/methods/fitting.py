"""A learnt method's strengths (`methods.strengths`), fitted to what it answers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien import facs
from mien.methods.strengths import ANY, NODES
from mien.types import Expression, Faces, Identity

GRID = tuple(k / 12 for k in range(1, 13))
"""What is tried for a fit."""
LEAST = 0.1
"""An emotion that moves the reading by less, of 1, does not say how it rises."""


class Reader(Protocol):
    """What a fit asks of a method: to make results, and to read them (`methods.base.Method`)."""

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]: ...
    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]: ...
    def from_labels(self, index: Tensor) -> Expression[Tensor]: ...
    def units(self, expression: Expression[Tensor]) -> Tensor: ...
    def decode(self, identity: Identity[Tensor], expression: Expression[Tensor]) -> Tensor: ...


@torch.no_grad()
def fit(method: Reader, faces: Faces[Tensor]) -> dict[str, tuple[float, ...]]:
    """Strengths at which the method's own reading of its results rises in a straight line, mean of
    faces at rest (B), from none of each emotion to all of it; none for an emotion that the reading
    does not follow. `ANY` is what its mean over emotions, each in units of its full reading, asks.
    """
    own, identity = method.encode(faces), method.identity(faces)
    start = method.units(own)
    rises = {}
    for index, name in enumerate(facs.EMOTIONS[1:], 1):
        way = torch.from_numpy(facs.prototype(name)).to(start)
        full = method.from_labels(torch.full((len(faces),), index, device=start.device))
        seen = [method.decode(identity, own.toward(full, t)) for t in GRID]
        rise = np.array([_moved(method, faces, made, start, way) for made in seen])
        if rise[-1] >= LEAST:
            rises[name] = rise / rise[-1]
    if rises:
        rises[ANY] = np.mean(list(rises.values()), 0)
    return {name: _inverse(rise) for name, rise in rises.items()}


def _inverse(rise: NDArray[np.float64]) -> tuple[float, ...]:
    """Where a rise at `GRID` reaches `NODES`; where it falls, it stands still."""
    reached = np.maximum.accumulate(np.r_[0.0, rise])
    return tuple(round(float(t), 3) for t in np.interp(NODES, reached, (0.0, *GRID)))


def _moved(method: Reader, faces: Faces[Tensor], made: Tensor, start: Tensor, way: Tensor) -> float:
    """How far the reading went along `way` (47,), 1 is all of it; mean over faces."""
    seen = method.units(method.encode(Faces(made, faces.landmarks)))
    return float(((seen - start) @ way / way.square().sum()).mean())
