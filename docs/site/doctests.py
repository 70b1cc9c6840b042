"""Examples in docstrings (`>>>`) as blocks of code, wherever they stand in the text."""

from __future__ import annotations

import re
from typing import Any

import griffe

EXAMPLE = re.compile(r"^>>> .*(?:\n(?!\s*$).+)*", re.M)


class Doctests(griffe.Extension):  # type: ignore[misc,unused-ignore]
    """Puts fences around doctests, which Markdown would take for quotations."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Once a module, class, function or attribute is read."""
        if obj.docstring is not None and ">>>" in obj.docstring.value:
            text = obj.docstring.value
            obj.docstring.value = EXAMPLE.sub(lambda m: f"```pycon\n{m[0]}\n```", text)
