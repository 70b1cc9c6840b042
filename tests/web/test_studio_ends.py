"""Last of those that visit the studio (`conftest.LAST`): it ends at work and leaves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("av", reason="needs mien[video]")


def test_it_ends_and_leaves_nothing(
    visits: Callable[..., Any], server: Any, films: Callable[..., Path]
) -> None:
    """Of all that was done: nothing was sent to another machine, nothing is left on the disk."""
    page = visits(viewport={"width": 1280, "height": 900}).page
    page.get_by_role("tab", name="Film").click()
    page.set_input_files("#film input[type=file]", films("last", 400))
    page.get_by_label("Before: last.mp4").wait_for()
    page.get_by_role("button", name="Make the film").click()
    page.get_by_text(re.compile(r"Frame \d+ of 400")).wait_for()
    said = server.stop()
    assert said.count("\n") == 1, said
    assert server.url in said
    assert not server.calls.exists(), server.calls.read_text()
    assert list(server.temporary.iterdir()) == []
