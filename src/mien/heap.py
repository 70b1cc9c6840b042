"""Memory that is free goes back to the system.

The allocator of glibc keeps what threads have freed in their arenas, in pieces between what is in
use: over a long film a process grew by as much again as it needs, while what lives stayed the same.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from functools import cache


def give_back() -> bool:
    """Ask the allocator to return what is free; whether it could. Nothing, and False, where it is
    not glibc's."""
    trim = _trim()
    return trim is not None and bool(trim(0))


@cache
def _trim() -> Callable[[int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        found = ctypes.CDLL("libc.so.6").malloc_trim
    except (OSError, AttributeError):  # musl has none
        return None
    found.argtypes, found.restype = [ctypes.c_size_t], ctypes.c_int
    return found
