"""Memory that is free goes back to the system."""

from __future__ import annotations

import os
import subprocess
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
@pytest.mark.parametrize("variables", [{}, {"MALLOC_ARENA_MAX": "3"}])
def test_threads_share_one_heap_unless_a_variable_decides(variables: dict[str, str]) -> None:
    if heap._glibc() is None:
        pytest.skip("not glibc")
    code = "from mien.heap import share; print(share())"
    own = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env=own | variables, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(not variables)


def test_where_there_is_no_such_allocator_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heap, "_trim", lambda: None)
    assert give_back() is False
