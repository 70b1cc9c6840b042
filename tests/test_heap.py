"""Memory that is free goes back to the system."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from mien import heap
from mien.heap import give_back


def resident() -> float:
    """MB of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_what_is_free_between_what_is_used_goes_back() -> None:
    if heap._trim() is None:
        pytest.skip("not glibc")
    held = [np.ones(12_000, np.float32) for _ in range(4_000)]  # 48 kB each: in the arena
    full = resident()
    kept = held[::50]
    del held
    give_back()
    assert resident() < full - 120
    assert len(kept) == 80


def test_where_there_is_no_such_allocator_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_trim", lambda: None)
    assert give_back() is False
