"""The look at the finished site finds links that lead nowhere."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

LINKS = Path(__file__).resolve().parents[2] / "docs" / "site" / "links.py"


def test_dead_links_are_found(script: Callable[[Path], ModuleType], tmp_path: Path) -> None:
    links = script(LINKS)
    (tmp_path / "in").mkdir()
    (tmp_path / "picture one.svg").touch()
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><a href="#top">1</a><a href="in/page.html#here">2</a>'
        '<img src="picture%20one.svg"><a href="https://example.org/gone">3</a>'
        '<a href="in/page.html#gone">4</a><a href="#gone">5</a>',
        encoding="utf-8",
    )
    (tmp_path / "in" / "page.html").write_text(
        '<p id="here"><a href="..">1</a><a href="../index.html#top">2</a><img src="gone.svg"></p>',
        encoding="utf-8",
    )
    assert links.dead(tmp_path) == [
        "in/page.html: gone.svg",
        "index.html: in/page.html#gone",
        "index.html: #gone",
    ]
