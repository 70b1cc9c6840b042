"""Events of the studio's page, as Gradio's configuration lists them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def opening_of(dependencies: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """The event of a photograph that is dropped: three inputs, and all that follows a step."""
    return next(
        d
        for d in dependencies
        if len(d["inputs"]) == 3
        and len(d["outputs"]) > 8
        and [event for _, event in d["targets"]] == ["upload"]
    )
