"""What every data set says about itself; one module each knows how it lies on disk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data.manifest import Record

POINTS = ".tem"
"""Ending of the file of hand-checked points beside a photograph that has one."""


@dataclass(frozen=True)
class DataSet:
    """A set of photographs: its terms, and how its original download becomes records."""

    name: str
    """What the commands call it; also its folder below `data_home()`."""
    title: str
    """What its makers call it."""
    contents: str
    """What is in it, in a few words."""
    licence: str
    """SPDX identifier, or the terms in a few words."""
    terms: str
    """What mien may do with it beyond the licence."""
    source: str
    """Its DOI or address."""
    obtain: str
    """What to download and how to unpack it."""
    records: Callable[[Path], list[Record]]
    """Records of a folder in the original layout, file names relative to it, or DataError."""
    alterable: bool = False
    """Whether its people consented to altered pictures of them being shown."""


def landmarks_beside(photo: Path) -> NDArray[np.float32] | None:
    """The 68 landmarks (68, 2) px that the template beside a photograph implies; None without."""
    points = template_beside(photo)
    if points is None:
        return None
    from mien.data.adapters.tem import to_68  # torch comes with it: not for a listing

    return to_68(points)


def template_beside(photo: Path) -> NDArray[np.float32] | None:
    """The hand-checked points (189, 2) px in the file beside a photograph; None without one."""
    path = photo.with_suffix(POINTS)
    if not path.is_file():
        return None
    from mien.data.adapters.tem import read_tem  # torch comes with it: not for a listing

    return read_tem(path)
