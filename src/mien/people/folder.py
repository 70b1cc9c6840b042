"""A folder that a run fills, goes on with, and adds to: it serves one set of settings only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.errors import DataError
from mien.files import write_text

SETTINGS = "settings.json"
"""The file that says what decides the pictures beside it."""


def settle(out: Path, settings: Mapping[str, Any], holds: str) -> None:
    """Take `out` for `settings`, which are written there.

    Raises:
        DataError: it `holds`, such as "people of other settings", what others made; or it cannot be
            read or written.
    """
    path = out / SETTINGS
    text = json.dumps(settings, indent=1, sort_keys=True) + "\n"
    try:
        there = path.read_text(encoding="utf-8") if path.is_file() else None
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from None
    if there is None:
        write_text(path, text)
    elif there != text:
        other = _differing(there, json.loads(text))
        raise DataError(f"{out} holds {holds}{other}: choose another folder")


def _differing(there: str, settings: Mapping[str, Any]) -> str:
    """The settings that a file has otherwise, in brackets; nothing where it is damaged."""
    try:
        found = json.loads(there)
        names = sorted(k for k in settings if found.get(k, settings) != settings[k])
    except (ValueError, AttributeError):
        return ""
    return f" ({', '.join(names)})" if names else ""


def make(folder: Path) -> None:
    """Make a folder, if it is not there; DataError if that fails."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"cannot make {folder}: {error.strerror}") from None


def kept(path: Path) -> dict[str, Any] | None:
    """The object of a JSON file that an earlier run wrote; None if it is not there, or damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
