"""Every word and field of the studio can be read: WCAG 2.2 AA, in the light and in the dark."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MEASURE = (Path(__file__).parent / "contrast.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visits: Callable[..., Any], scheme: str) -> None:
    visit = visits(viewport={"width": 1100, "height": 900}, color_scheme=scheme)
    page = visit.page
    weak = {"empty": measured(page)}
    visit.sample("anna")
    page.locator("[data-expression=contempt] img").wait_for()
    visit.press("happy")
    visit.shows("happy")
    page.get_by_role("slider", name="Compare with before").fill("50")
    weak["photograph"] = measured(page)
    for tab in ("Action units", "Like a photo", "Swap", "Film"):
        page.get_by_role("tab", name=tab, exact=True).click()
        weak[tab] = measured(page)
    page.get_by_role("button", name=re.compile("Intensity over time")).click()
    page.get_by_role("radio", name="All faces", exact=True).wait_for()
    page.get_by_role("button", name="Make the film").click()
    page.get_by_text("open a film first").wait_for()
    weak["a mistake"] = measured(page)
    visit.leave()
    assert {where: found for where, found in weak.items() if found} == {}


def measured(page: Any) -> list[str]:
    seen = page.evaluate(MEASURE)
    assert seen["count"] > 20
    return list(seen["weak"])
