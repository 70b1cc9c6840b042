"""How an answer is written: it says what it was measured on, and each file is whole or not there.

One place for all: the command as it can be typed again, the commit and version of the code, the
machine.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.files import write_text
from mien.metrics.report import called, commit, version


def conditions() -> dict[str, Any]:
    """Command, commit, version and machine, of the code that runs now."""
    return {
        "command": called(),
        "commit": commit(),
        "version": version(),
        "machine": {
            "processor": platform.machine(), "system": platform.system(),
            "cores": os.cpu_count(), "python": platform.python_version(),
        },
    }  # fmt: skip


def write(out: Path | None, facts: Mapping[str, Any], *, say: bool = True) -> None:
    """An answer as JSON: printed, unless `say` says otherwise, and kept in `out`, if given."""
    text = json.dumps(facts, indent=1, default=float)
    if say:
        print(text, flush=True)
    if out is not None:
        write_text(out, text + "\n")


def write_both(out: Path, name: str, facts: Mapping[str, Any], text: str) -> None:
    """NAME.json and NAME.md in a folder, which is made; the Markdown is printed too."""
    out.mkdir(parents=True, exist_ok=True)
    write(out / f"{name}.json", facts, say=False)
    write_text(out / f"{name}.md", text)
    print(text)
