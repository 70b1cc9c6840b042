"""A benchmark's answer as two files: JSON that says what it was measured on, and Markdown."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.files import replacing
from mien.metrics.report import commit


def conditions() -> dict[str, Any]:
    """The command, the commit and the machine of what was just measured."""
    return {
        "command": "python " + " ".join(sys.argv),
        "commit": commit(),
        "machine": {
            "processor": platform.machine(), "system": platform.system(),
            "cores": os.cpu_count(), "python": platform.python_version(),
        },
    }  # fmt: skip


def write(out: Path, name: str, facts: Mapping[str, Any], text: str) -> None:
    """NAME.json and NAME.md in a folder, which is made; each is whole or not there."""
    out.mkdir(parents=True, exist_ok=True)
    for end, content in ((".json", json.dumps(facts, indent=1) + "\n"), (".md", text)):
        with replacing(out / f"{name}{end}") as part:
            part.write_text(content, encoding="utf-8")
