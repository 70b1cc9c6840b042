"""benchmarks/README.md has a row for each script there, and says which files are no scripts."""

from __future__ import annotations

import re
from pathlib import Path


def rows(text: str) -> dict[str, list[str]]:
    """Heading of a first column -> the files that its rows name there."""
    found: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if not line.startswith("|"):
            heading = ""
            continue
        first = line.split("|")[1].strip()
        heading = heading or first
        found.setdefault(heading, []).extend(re.findall(r"`(\w+\.py)`", first))
    return found


def test_each_script_has_one_row(root: Path) -> None:
    found = rows((root / "benchmarks" / "README.md").read_text(encoding="utf-8"))
    files = {p.name: p.read_text(encoding="utf-8") for p in (root / "benchmarks").glob("*.py")}
    scripts = sorted(name for name, text in files.items() if "__main__" in text)
    assert sorted(found["script"]) == scripts
    assert sorted(found["file"]) == sorted(files.keys() - set(scripts))


def test_rows_are_read_by_their_table() -> None:
    scripts = "| script | q |\n| --- | --- |\n| `a.py` | `no.py` |\n"
    table = f"{scripts}\nx\n\n| file |\n| --- |\n| `b.py`, `c.py` |\n"
    assert rows(table) == {"script": ["a.py"], "file": ["b.py", "c.py"]}
