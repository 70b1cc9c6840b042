"""What several test folders use: the original data sets, where they are, and an isolated cache."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mien.zoo import data_home


@pytest.fixture(scope="session")
def original() -> Callable[..., Path]:
    """`original("london")` is that folder or file of `data_home()`; the test skips without it."""

    def find(*parts: str) -> Path:
        path = data_home().joinpath(*parts)
        if not path.exists():
            pytest.skip(f"needs {'/'.join(parts)} in {data_home()} (see docs/data.md)")
        return path

    return find


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of mien's own, so that a test neither sees nor leaves imports."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MIEN_CACHE", str(folder))
    return folder
