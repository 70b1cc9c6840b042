#!/usr/bin/env python3
"""Lines of Python by room, at a commit and now, as the table of docs/architecture.md.

    python tools/lines.py [COMMIT]

Comments and docstrings count. Standard library and git only.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import PurePosixPath

BEFORE = "7736dd9"
"""The commit before there was one trainer."""
FOLDERS = ("src/mien", "benchmarks", "tests")
ROWS = {
    "`methods/mtss`": ("methods/mtss",),
    "`methods/auswap`": ("methods/auswap",),
    "`methods/aipgan`": ("methods/aipgan",),
    "`methods/decoupling`": ("methods/decoupling",),
    "`methods/morphable` (draws by the face model since)": ("methods/morphable",),
    "`methods`, what all share": ("methods",),
    "`nn`": ("nn",),
    "`training` and `tables`": ("training", "tables"),
    "`data`": ("data",),
    "`judges` and `metrics`": ("judges", "metrics"),
    "`face_model`, `faces`, `rig`": ("face_model", "faces", "rig"),
    "`cli`, `server`, `studio` (before: `web`)": ("cli", "server", "studio", "web"),
    "the rest of `src/mien`": (),
    "`bench` (before: `benchmarks`)": ("benchmarks", "bench"),
    "`tests`": ("tests",),
}
"""What a row is called -> the rooms in it; none: all that no other row has."""


def room(path: PurePosixPath) -> str:
    """`methods/mtss` of src/mien/methods/mtss/task.py, `nn` of src/mien/nn/units.py."""
    if path.parts[0] != "src":
        return path.parts[0]
    depth = 2 if path.parts[2] == "methods" and len(path.parts) > 4 else 1
    return "/".join(path.parts[2 : 2 + depth])


def lines(commit: str) -> Counter[str]:
    """Lines of each room at a commit."""
    listed = ["git", "ls-tree", "-r", "--name-only", commit, *FOLDERS]
    names = subprocess.run(listed, check=True, capture_output=True, text=True).stdout.splitlines()
    found: Counter[str] = Counter()
    for name in names:
        if name.endswith(".py"):
            shown = ["git", "show", f"{commit}:{name}"]
            text = subprocess.run(shown, check=True, capture_output=True).stdout
            found[room(PurePosixPath(name))] += text.count(b"\n")
    return found


def main(before: str = BEFORE) -> None:
    """Print the table."""
    then, now = lines(before), lines("HEAD")
    named = {one for rooms in ROWS.values() for one in rooms}
    rest = tuple((then.keys() | now.keys()) - named)
    print("| what | before | now |\n| --- | --- | --- |")
    for title, rooms in ROWS.items():
        chosen = rooms or rest
        print(f"| {title} | {sum(then[r] for r in chosen):,} | {sum(now[r] for r in chosen):,} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
