"""Frames of people who speak: which of a clip show a shut mouth, a wide one and closed lids.

A spoken corpus is a folder `clips` of films and beside it `frames.json`, a list with an object a
frame: `clip`, `i` its number, `gap` between the lips over the outer eye corners' distance, `blink`,
`jaw` and `pucker` in [0, 1], as MediaPipe's landmarker reads them. So lie the clips of GRID (Cooke
et al. 2006) that mien is measured on. Frames are chosen by these numbers and by nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.errors import DataError
from mien.types import UInt8

FRAMES, CLIPS = "frames.json", "clips"
OPEN_GAP, SHUT_LIDS, AWAKE = 0.08, 0.5, 0.25
"""Lips' gap from which a mouth is open; blink from which lids are closed, and up to which the eyes
are open."""
OPENING = "shut mouth to open"
SAME_SPEAKER = "_"
"""A clip's name up to here says who speaks, where there are several of one speaker."""


@dataclass(frozen=True)
class Clip:
    """One film, and its pairs of frames by what changes: (before, after)."""

    path: Path
    speaker: str
    pairs: Mapping[str, tuple[int, int]]

    @property
    def name(self) -> str:
        return self.path.name

    def frame(self, number: int) -> UInt8:
        """A frame, (H, W, 3) RGB; DataError where the film is too short."""
        film = cv2.VideoCapture(str(self.path))
        try:
            for _ in range(number + 1):  # a position cannot be sought exactly in MPEG-1
                there, pixels = film.read()
                if not there:
                    raise DataError(f"{self.path} has no frame {number}")
        finally:
            film.release()
        return np.ascontiguousarray(pixels[..., ::-1], np.uint8)


def is_spoken(folder: Path) -> bool:
    """Whether a folder is a spoken corpus."""
    return (folder / FRAMES).is_file() and (folder / CLIPS).is_dir()


def clips(folder: Path) -> list[Clip]:
    """The clips of a spoken corpus that show a pair, by name."""
    try:
        rows = json.loads((folder / FRAMES).read_text(encoding="utf-8"))
        by_clip: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            by_clip.setdefault(str(row["clip"]), []).append(row)
        found = [
            Clip(folder / CLIPS / name, speaker(name, by_clip), pairs(every))
            for name, every in sorted(by_clip.items())
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{folder / FRAMES} is not as `mien.metrics.speech` says: {error}"
        ) from None
    missing = [clip.name for clip in found if not clip.path.is_file()]
    if missing:
        raise DataError(f"{folder / CLIPS} lacks {missing[0]}, which {FRAMES} names")
    return [clip for clip in found if clip.pairs]


def speaker(clip: str, every: Mapping[str, Any]) -> str:
    """Who speaks: what several clips' names begin with, or the clip itself."""
    stem = clip.rpartition(".")[0] or clip
    first, found, _ = stem.partition(SAME_SPEAKER)
    alike = [name for name in every if name.startswith(first + SAME_SPEAKER)]
    return first if found and len(alike) > 1 else stem


def pairs(frames: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Of one clip's frames: the mouth shut and widest, and back; the eyes open and shut. What a
    clip does not show is left out."""
    awake = [f for f in frames if f["blink"] < AWAKE]
    out: dict[str, tuple[int, int]] = {}
    if awake:
        shut, wide = (pick(awake, key=lambda f: f["gap"]) for pick in (min, max))
        if wide["gap"] >= OPEN_GAP:
            out[OPENING] = int(shut["i"]), int(wide["i"])
            out["open mouth to shut"] = int(wide["i"]), int(shut["i"])
        closed = max(frames, key=lambda f: f["blink"])
        if closed["blink"] >= SHUT_LIDS:
            # the mouth should say the same in both: speech goes on while the eyes blink
            alike = min(awake, key=lambda f: abs(f["gap"] - closed["gap"]))
            out["open eyes to shut"] = int(alike["i"]), int(closed["i"])
    return out
