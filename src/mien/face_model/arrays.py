"""The kinds of array that the rig works with."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Float: TypeAlias = NDArray[np.float32]
"""Pictures, meshes, weights."""
Double: TypeAlias = NDArray[np.float64]
"""Landmarks and whatever is solved for."""
Real: TypeAlias = NDArray[np.floating[Any]]
"""Either of the two."""
Int: TypeAlias = NDArray[np.int32]
Index: TypeAlias = NDArray[np.intp]
Layer: TypeAlias = NDArray[np.int8]
Bool: TypeAlias = NDArray[np.bool_]
UInt8: TypeAlias = NDArray[np.uint8]
