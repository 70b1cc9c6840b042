"""How strongly to ask for an expression so that what shows is as strong as was meant.

A network that learns by L1 answers a change it is unsure of with the median change, and for weak
expressions that is none: asked for a quarter of a smile, it does nothing; asked for more than half,
hardly more. What it answers can be seen beforehand, and asked for accordingly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien import facs
from mien.types import Expression, Faces, Identity

Strengths: TypeAlias = Mapping[str, tuple[float, ...]]
"""What the amounts `NODES` of an emotion are asked for as, by its name; of whatever has no name
that is known, by `ANY`.
"""
NODES = (0.125, 0.25, 0.5, 0.75)
"""The amounts whose strengths are kept; 0 and 1 stay, and so does what is beyond."""
ANY = "any"
GRID = tuple(k / 12 for k in range(1, 13))
"""What is tried for a fit."""
LEAST = 0.1
"""An emotion that moves the reading by less, of 1, does not say how it rises."""


def stronger(strengths: Strengths, amount: Any, name: str = ANY) -> NDArray[np.float64]:
    """What to ask for where `amount` (any shape, any sign) of a name is meant; as it is without
    strengths.

    >>> stronger({"any": (0.3, 0.4, 0.5, 0.75)}, [0.0, 0.25, -0.5, 1.0, 1.5]).tolist()
    [0.0, 0.4, -0.5, 1.0, 1.5]
    """
    meant = np.asarray(amount, np.float64)
    nodes = strengths.get(name) or strengths.get(ANY)
    if nodes is None:
        return meant
    size = np.abs(meant)
    lifted = np.interp(size, (0.0, *NODES, 1.0), (0.0, *nodes, 1.0))
    return np.where(size < 1, np.copysign(lifted, meant), meant)


class Reader(Protocol):
    """What a fit asks of a method: to make results, and to read them (`methods.base.Method`)."""

    def identity(self, source: Faces) -> Identity: ...
    def encode(self, faces: Faces) -> Expression: ...
    def from_labels(self, index: Tensor) -> Expression: ...
    def units(self, expression: Expression) -> Tensor: ...
    def decode(self, identity: Identity, expression: Expression) -> Tensor: ...


@torch.no_grad()
def fit(method: Reader, faces: Faces) -> dict[str, tuple[float, ...]]:
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


def _moved(method: Reader, faces: Faces, made: Tensor, start: Tensor, way: Tensor) -> float:
    """How far the reading went along `way` (47,), 1 is all of it; mean over faces."""
    seen = method.units(method.encode(Faces(made, faces.landmarks)))
    return float(((seen - start) @ way / way.square().sum()).mean())
