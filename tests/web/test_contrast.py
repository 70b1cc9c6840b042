"""Every word and field of the studio can be read: WCAG 2.2 AA, in the light and in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MEASURE = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visits: Callable[..., Any], scheme: str, tmp_path: Path) -> None:
    visit = visits(viewport={"width": 1100, "height": 900}, color_scheme=scheme)
    page = visit.page
    weak = {"empty": measured(page)}
    visit.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    visit.press("happy")
    visit.shows("happy")
    page.get_by_role("slider", name="Compare with before").fill("50")
    weak["photograph"] = measured(page)
    for tab in ("Action units", "Like a photo", "Swap", "Series", "Film"):
        page.get_by_role("tab", name=tab, exact=True).click()
        weak[tab] = measured(page)
    for fold in ("Keyframes", "Units, gaze, head, part", "Whose face"):
        page.get_by_role("button", name=re.compile(fold)).click()
    page.get_by_role("radio", name="All faces", exact=True).wait_for()
    page.get_by_role("button", name="Make the film").click()
    told(page, "open a film first")
    weak["a mistake of a film"] = measured(page)
    wrong = tmp_path / "notes.jpg"
    wrong.write_text("no picture at all")
    visit.upload(wrong)
    told(page, "the photograph is not a picture")
    weak["a mistake"] = measured(page)
    visit.leave()
    assert {where: found for where, found in weak.items() if found} == {}


FADED_IN = """
(part) => {
  for (; part; part = part.parentElement) if (getComputedStyle(part).opacity < 1) return false;
  return true;
}
"""


def told(page: Any, words: str) -> None:
    """Wait for a mistake, until it does not fade in any more."""
    page.wait_for_function(FADED_IN, arg=page.get_by_text(words).element_handle())


def measured(page: Any) -> list[str]:
    seen = page.evaluate(MEASURE)
    assert seen["count"] > 20
    return list(seen["weak"])
