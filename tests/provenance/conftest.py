"""A marked edit of a sample face."""

from __future__ import annotations

from typing import Any

import pytest

from mien.editor import Editor, Result
from mien.guides import Label
from mien.methods.base import Method
from mien.zoo.samples import samples


@pytest.fixture(scope="session")
def edited(wide_mouth: Method[Any]) -> Result:
    """A sample face with a wider, opened mouth."""
    return Editor(wide_mouth, weights="abc123").edit(samples()["anna"], Label("surprise"), 1.5)
