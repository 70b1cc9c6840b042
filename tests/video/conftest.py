"""Films made for the tests: a sample face that moves slowly before a background, with a tone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mien import images
from mien.types import UInt8
from mien.zoo.samples import samples

av = pytest.importorskip("av")
RATE = 25
TONE = 16_000  # samples a second


def scene(index: float, side: int = 300) -> UInt8:
    """Frame `index`: the face moves, turns and grows a little; (180, 320, 3)."""
    return _scene(images.read(samples()["anna"]).pixels, index, side)


def _scene(face: UInt8, index: float, side: int) -> UInt8:
    turn, scale = 2 * np.sin(index / 9), side / 600 * (1 + 0.03 * np.sin(index / 14))
    matrix = cv2.getRotationMatrix2D((300, 300), turn, scale)
    matrix[:, 2] += (160 - 300 + 8 * np.sin(index / 8), 90 - 300 + 4 * np.cos(index / 11))
    shown = cv2.warpAffine(face, matrix, (320, 180), flags=cv2.INTER_AREA, borderMode=1)
    return np.asarray(shown, np.uint8)


def write_film(
    path: Path,
    frames: Sequence[UInt8],
    *,
    pts: Sequence[int] | None = None,
    sound: str | None = "aac",
    rotation: int = 0,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
) -> Path:
    """A film of the frames at 25 a second, or at `pts` in 1/600 s."""
    base = Fraction(1, 600)
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=RATE)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pix_fmt
        stream.codec_context.time_base = base
        if codec == "libx264":
            stream.codec_context.options = {"preset": "ultrafast", "crf": "14"}
        if rotation:
            stream.set_display_rotation(rotation)
        audio = out.add_stream(sound, rate=TONE, layout="mono") if sound else None
        out.start_encoding()
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = pts[index] if pts is not None else index * 600 // RATE
            frame.time_base = base
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
        if audio is not None:
            _tone(out, audio, len(frames) / RATE)
    return path


def _tone(out: Any, audio: Any, seconds: float) -> None:
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * TONE)) / TONE)
    for start in range(0, len(wave), 1024):
        part = wave[None, start : start + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = TONE, start, Fraction(1, TONE)
        out.mux(audio.encode(frame))
    out.mux(audio.encode(None))


@pytest.fixture(scope="session")
def make_film() -> Callable[..., Path]:
    return write_film


@pytest.fixture(scope="session")
def moving() -> list[UInt8]:
    """A second and a bit of film."""
    return [scene(i) for i in range(28)]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory, moving: list[UInt8]) -> Path:
    return write_film(tmp_path_factory.mktemp("film") / "clip.mp4", moving)
