"""Photographs from and to disk, and pixels of batches: the only room that knows formats
and value ranges.

`read` gives every picture the same shape, upright RGB of 8 bits with the alpha apart, and remembers
what is needed to write it back; `photograph` does so for what a program has in hand. `write` marks
its file as altered by AI and never leaves half a file behind.
"""

from mien.images.formats import FORMATS, UPLOADED, WRITTEN, Format, of_head, of_name
from mien.images.given import Given, photograph
from mien.images.levels import to_uint8
from mien.images.photo import Photo
from mien.images.reading import MAX_PIXELS, PathLike, read, statement
from mien.images.statement import SOURCE_TYPE, stated, xmp
from mien.images.writing import check_suffix, encode, store, write

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "SOURCE_TYPE",
    "UPLOADED",
    "WRITTEN",
    "Format",
    "Given",
    "PathLike",
    "Photo",
    "check_suffix",
    "encode",
    "of_head",
    "of_name",
    "photograph",
    "read",
    "stated",
    "statement",
    "store",
    "to_uint8",
    "write",
    "xmp",
]
