#!/usr/bin/env python3
"""A newcomer's path from an empty machine: pages of docs/ typed word for word, and timed.

    python .ci/newcomer.py [photograph] [set] [people] [training] [-o times.json]

For each path: a clone of what is committed, an empty home, no face data, nothing in the environment
but where programs lie and settings of pip (`PIP_*`: how this machine reaches packages). Every
block of the path's pages is typed from top to bottom into one shell, which stops at the first
failure. Without a name it goes the first, second and fourth path. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]+)\")?\n(.*?)^```", re.M | re.S)
FIRST = "tutorials/index.md"
PATHS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "photograph": (("index.md",), ("happy.png",)),
    "set": ((FIRST, "tutorials/stimuli.md"), ("stimuli/series.csv", "study.html")),
    "people": ((FIRST, "tutorials/training_set.md"), ("invented/metadata.jsonl",)),
    "training": ((FIRST, "tutorials/train.md"), ("runs/mine/rig/mtss.safetensors", "mine.png")),
}
"""What somebody wants -> the pages that lead there, and files that are there in the end."""
USUAL = ("photograph", "set", "training")


def blocks(page: Path) -> list[tuple[str, str, str]]:
    """Language, file name and text of each block of code of a page."""
    return FENCE.findall(page.read_text(encoding="utf-8"))


def commands(text: str) -> list[str]:
    """The lines of a block of shell, those that go on joined; comments and empty lines left out."""
    lines = text.replace("\\\n", " ").splitlines()
    return [" ".join(line.split()) for line in lines if shlex.split(line, comments=True)]


def steps(page: Path) -> Iterator[tuple[str, str]]:
    """What a reader types or saves, as (what it is called, shell)."""
    for kind, title, text in blocks(page):
        here = f"<<'END_OF_BLOCK'\n{text}END_OF_BLOCK"
        if title:
            yield f"(save {title})", f"cat >{shlex.quote(title)} {here}"
        elif kind == "sh":
            yield from ((line, line) for line in commands(text))
        elif kind == "python":
            yield "(python)", f"python - {here}"


def script(typed: list[tuple[str, str]]) -> str:
    """All of it for one shell, which notes the time after each step."""
    parts = ["set -e", "date +%s.%N >>../times"]
    for name, shell in typed:
        parts += [f"echo {shlex.quote('$ ' + name)}", shell, "date +%s.%N >>../times"]
    return "\n".join(parts) + "\n"


def walk(name: str) -> list[dict[str, object]]:
    """Go one path in a folder of its own; the seconds of each step. Exits where a step fails."""
    pages, products = PATHS[name]
    with tempfile.TemporaryDirectory(prefix="newcomer-") as made:
        work, home = Path(made), Path(made) / "home"
        home.mkdir()
        clone = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(work / "mien")]
        subprocess.run(clone, check=True)
        own = os.environ.get("VIRTUAL_ENV", "/nowhere")
        path = [p for p in os.environ["PATH"].split(":") if not p.startswith(own)]
        kept = {key: value for key, value in os.environ.items() if key.startswith("PIP_")}
        surroundings = kept | {"PATH": ":".join(path), "HOME": str(home), "LANG": "C.UTF-8"}
        typed = [step for page in pages for step in steps(work / "mien" / "docs" / page)]
        done = subprocess.run(
            ["bash", "-c", script(typed)], cwd=work / "mien", env=surroundings, check=False
        )
        stamps = [float(line) for line in (work / "times").read_text().split()]
        if done.returncode:
            sys.exit(f"newcomer: {name}: stopped at: {typed[len(stamps) - 1][0]}")
        missing = [p for p in products if not (work / "mien" / p).is_file()]
        if missing:
            sys.exit(f"newcomer: {name}: not there in the end: {', '.join(missing)}")
        rows = [
            {"typed": typed[i][0], "seconds": round(stamps[i + 1] - stamps[i], 1)}
            for i in range(len(typed))
        ]
        rows.append({"typed": "all of it", "seconds": round(stamps[-1] - stamps[0], 1)})
        return rows


def main() -> None:
    """Go the paths asked for, and print their times as tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("paths", nargs="*", metavar="PATH", help=", ".join(PATHS))
    parser.add_argument("-o", "--out", type=Path, help="JSON file for the times")
    asked = parser.parse_args()
    unknown = [p for p in asked.paths if p not in PATHS]
    if unknown:
        parser.error(f"no path {unknown[0]}: {', '.join(PATHS)}")
    commit = subprocess.run(
        ["git", "rev-parse", "--short=12", "HEAD"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    version = platform.python_version()
    facts: dict[str, object] = {
        "command": f"python .ci/newcomer.py {' '.join(asked.paths or USUAL)}",
        "commit": commit,
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {version}",
        "date": time.strftime("%Y-%m-%d"),
    }
    for name in asked.paths or USUAL:
        rows = walk(name)
        facts[name] = rows
        print(f"\n{name}: {', '.join(PATHS[name][0])}\n\n| typed | s |\n| --- | --- |")
        for row in rows:
            print(f"| `{row['typed']}` | {row['seconds']} |")
    if asked.out:
        text = json.dumps(facts, indent=1, ensure_ascii=False)
        asked.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
