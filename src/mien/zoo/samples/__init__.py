"""The sample faces that mien brings along: people who do not exist; see the README beside this
file.
"""

from __future__ import annotations

from pathlib import Path


def samples() -> dict[str, Path]:
    """Name -> JPEG file of every bundled sample, 600 x 600 px, neutral, by name."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.jpg"))}
