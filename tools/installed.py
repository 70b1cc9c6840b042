"""What a requirement installs: its distributions and their megabytes, beyond what is there anyway.

    python tools/installed.py mien[web]
    python tools/installed.py gradio --beyond 'mien[web]'

Counted in the environment that runs it, by the files that each distribution lists, without compiled
Python; what is not installed there is named. The first is what the studio and the API cost beyond a
plain install.
"""

from __future__ import annotations

import argparse
import json
from importlib import metadata
from pathlib import Path

from one_line import or_one_line
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from mien.errors import ConfigError


def closure(wanted: list[str], missing: set[str]) -> set[str]:
    """Names of the distributions that these requirements need, themselves included; ConfigError
    for a text that is no requirement."""
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    try:
        waiting = [Requirement(text) for text in wanted]
    except InvalidRequirement as error:
        said = str(error).splitlines()[0]
        raise ConfigError(f"write a requirement, such as mien[web]: {said}") from None
    while waiting:
        one = waiting.pop()
        name = canonicalize_name(one.name)
        for extra in ("", *one.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            try:
                needs = metadata.requires(name) or []
            except metadata.PackageNotFoundError:
                missing.add(name)
                break
            found.add(name)
            parts = (Requirement(text) for text in needs)
            waiting += [r for r in parts if r.marker is None or r.marker.evaluate({"extra": extra})]
    return found


def size(name: str) -> int:
    """Bytes of a distribution's files."""
    files = metadata.files(name) or []
    paths = [Path(str(file.locate())) for file in files if "__pycache__" not in str(file)]
    return sum(path.stat().st_size for path in paths if path.exists())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("wanted", nargs="+", help="requirements, such as mien[web]")
    parser.add_argument("--beyond", nargs="+", default=["mien"], help="what is there anyway")
    asked = parser.parse_args()
    missing: set[str] = set()
    more = closure(asked.wanted, missing) - closure(asked.beyond, missing)
    sizes = {name: size(name) for name in more}
    largest = sorted(sizes, key=lambda name: -sizes[name])
    found = {
        "distributions": len(more),
        "megabytes": round(sum(sizes.values()) / 1e6, 1),
        "each": {name: round(sizes[name] / 1e6, 2) for name in largest},
        "missing": sorted(missing),
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    or_one_line(main)
