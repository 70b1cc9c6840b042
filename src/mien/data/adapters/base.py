"""What every data set says about itself: its terms, and how it lies on disk as its makers publish
it. A description, no code; `reading` is the one reader of all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mien.data.adapters import reading
from mien.data.adapters.labels import Beside
from mien.data.manifest import Record
from mien.data.sequences import TemporalProfile

POINTS = ".tem"
"""Ending of the file of hand-checked points beside a photograph that has one."""
PICTURE = r"\.(?:jpe?g|png|bmp|tiff?)"
FILM = r"\.(?:mpe?g|mp4|avi|flv|mov|wmv|m4v|mkv|webm)"
"""Endings, for `DataSet.files`."""

Use: TypeAlias = Literal["any use", "non-commercial research"]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A set of photographs or films: its terms, and how its original download becomes records."""

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
    weights: Use
    """What weights trained on it may be used for, by the set's own terms."""
    source: str
    """Its DOI or address."""
    obtain: str
    """What to download and how to unpack it."""
    example: str
    """The path of one of its files."""
    files: tuple[str, ...]
    """Patterns of its pictures' and films' paths, whole, letters of any case. Groups: `person`, or
    `picture` or `listed` (its number or path in a list) where nobody is said to appear twice;
    `emotion`; `frame`, the number of a picture in a series; `take`, what tells a person's series or
    films apart; `part`, of the makers' own split."""
    marker: str | None = None
    """A file that must lie in a folder which nobody says is of this set: its names are common."""
    anywhere: bool = True
    """Whether the files may lie in a folder below the one that is named."""
    emotions: Mapping[str, str] = field(default_factory=dict)
    """From what its names call an emotion, in small letters, to `facs.EMOTIONS`; others are None.
    """
    shows: str | None = None
    """The emotion of all its pictures."""
    beside: Beside | None = None
    """Labels from files beside the pictures, in place of those in names."""
    profile: TemporalProfile | None = None
    """How an expression goes through its films or series."""
    frames: int = 2
    """How many frames to take of each, unless the command says."""
    held_out: tuple[str, ...] = ()
    """The `part` that its makers hold out: the test split; of the others 6 % are validation."""
    shipped: bool = False
    """Whether weights that ship were trained on it: its people's splits are `split_of`, always."""
    points: bool = False
    """Whether files of hand-checked points lie beside photographs."""
    alterable: bool = False
    """Whether its people consented to altered pictures of them being shown."""

    def records(self, folder: Path) -> list[Record]:
        """Records of a folder in the original layout, file names relative to it. DataError for any
        other folder, and where frames must be chosen by what they show: an import does that."""
        return reading.records(self, folder)


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
