"""Every page of the documentation, and every tutorial, by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import mien
from mien.methods.registry import DEFAULT

DOCS = Path(__file__).resolve().parents[2] / "docs"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name, pattern in (("page", "**/*.md"), ("tutorial", "tutorials/*.md")):
        if name in metafunc.fixturenames:
            paths = sorted(DOCS.glob(pattern))
            ids = [p.relative_to(DOCS).as_posix() for p in paths]
            metafunc.parametrize(name, paths, ids=ids)


@pytest.fixture(scope="session")
def made() -> Callable[[str], str]:
    """A page that the site makes, by the module's name that makes it."""
    return cache(_made)


def _made(name: str) -> str:
    return str(loaded(DOCS / "site" / f"{name}.py").page())


def loaded(path: Path) -> ModuleType:
    """A script that no package holds, as a module."""
    spec = spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def script() -> Callable[[Path], ModuleType]:
    """`loaded`, for tests."""
    return loaded


_plain = cache(mien.load)


@pytest.fixture
def loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands share the methods that ship: they are read from disk by the first that asks."""
    load = mien.load

    def remembered(name: str = DEFAULT, weights: Any = None, *rest: Any, **settings: Any) -> Any:
        if weights is None and not settings:
            return _plain(name, None, *rest)
        return load(name, weights, *rest, **settings)

    monkeypatch.setattr(mien, "load", remembered, raising=False)
