"""How strongly to ask for an expression so that what shows is as strong as was meant.

A network that learns by L1 answers a change it is unsure of with the median change, and for weak
expressions that is none: asked for a quarter of a smile, it does nothing; asked for more than half,
hardly more. What it answers can be seen beforehand, and asked for accordingly.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Strengths: TypeAlias = Mapping[str, tuple[float, ...]]
"""What the amounts `NODES` of an emotion are asked for as, by its name; of whatever has no name
that is known, by `ANY`.
"""
NODES = (0.125, 0.25, 0.5, 0.75)
"""The amounts whose strengths are kept; 0 and 1 stay, and so does what is beyond."""
ANY = "any"


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
