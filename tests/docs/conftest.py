"""Every page of the documentation, and every tutorial, by name."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, pattern in (("page", "**/*.md"), ("tutorial", "tutorials/*.md")):
        if name in metafunc.fixturenames:
            paths = sorted(DOCS.glob(pattern))
            ids = [p.relative_to(DOCS).as_posix() for p in paths]
            metafunc.parametrize(name, paths, ids=ids)
