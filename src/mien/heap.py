"""Memory that is free is used again, or goes back to the system.

The allocator of glibc keeps what threads have freed in their arenas, in pieces between what is in
use: over a long film a process grew by as much again as it needs, while what lives stayed the same.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from functools import cache

_ARENA_MAX, _MMAP_THRESHOLD, _TRIM_THRESHOLD = -8, -3, -1  # numbers of glibc's `malloc.h`
_LARGEST = _FREE = 32 << 20


def share() -> bool:
    """Have all threads of this process take memory from one heap, so that what one frees another
    uses, and keep up to 32 MB free at its end; whether it could. Before threads begin. Photographs
    take a fifth less memory by it, and no more time; frames of a film, which four threads share, a
    tenth more time. Who sets `MALLOC_` variables decides."""
    library = None if any(name.startswith("MALLOC_") for name in os.environ) else _glibc()
    if library is None:
        return False
    # the largest that glibc takes from its heap: what is larger comes from the system each time
    choices = ((_ARENA_MAX, 1), (_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _FREE))
    done = [library.mallopt(name, value) for name, value in choices]
    return all(done)


def give_back() -> bool:
    """Ask the allocator to return what is free; whether it could. Nothing, and False, where it is
    not glibc's."""
    trim = _trim()
    return trim is not None and bool(trim(0))


@cache
def _trim() -> Callable[[int], int] | None:
    library = _glibc()
    if library is None:
        return None
    library.malloc_trim.argtypes = [ctypes.c_size_t]
    found: Callable[[int], int] = library.malloc_trim
    return found


@cache
def _glibc() -> ctypes.CDLL | None:
    if not sys.platform.startswith("linux"):
        return None
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:  # musl is another library
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None
