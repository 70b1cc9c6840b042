"""Where mien looks for data and keeps what it makes. Nothing else decides a folder."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_BESIDE = Path("..", "shared", "data")
"""Where a development checkout has its data: beside the repository, never inside it."""


def repository() -> Path | None:
    """Root of the checkout that this package runs from; None when it is installed as a wheel."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "pyproject.toml").is_file() else None


def data_home() -> Path:
    """Folder that holds the original data sets, one folder each (`london/`, `ict_facekit/`, ...).

    `MIEN_DATA` if it is set; else `../shared/data` beside the repository or the current folder if
    it is there; else the user's data folder. The answer need not exist: who reads from it says what
    is missing.
    """
    named = os.environ.get("MIEN_DATA")
    if named:
        return Path(named).expanduser()
    for root in (repository(), Path.cwd()):
        if root is not None and (root / _BESIDE).is_dir():
            return (root / _BESIDE).resolve()
    return Path(platformdirs.user_data_dir("mien"))


def cache_home() -> Path:
    """Folder for what can be made again (renders, imports): `MIEN_CACHE` or the user's cache."""
    named = os.environ.get("MIEN_CACHE")
    return Path(named).expanduser() if named else Path(platformdirs.user_cache_dir("mien"))


def dataset_home(name: str) -> Path:
    """Where `mien data import NAME` writes its manifest unless it is said otherwise."""
    return cache_home() / "datasets" / name


def rig_home() -> Path:
    """Where `mien rig` keeps rendered training samples unless it is said otherwise."""
    return cache_home() / "rig"


def own_mouths() -> Path | None:
    """The user's own library of mouths, `MIEN_MOUTHS`; None if it is not set."""
    named = os.environ.get("MIEN_MOUTHS")
    return Path(named).expanduser() if named else None
