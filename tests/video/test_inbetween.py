"""Frames between drawn ones: which they are, and what they show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.editor import Editor
from mien.faces.align import template
from mien.faces.registration import SIDE
from mien.guides import Guide, Label
from mien.methods.registry import load
from mien.types import AlignedFace, Composition, Face, Float, UInt8
from mien.video import film as module
from mien.video.driving import Constant
from mien.video.film import fitted
from mien.video.following import followed
from mien.video.inbetween import MOST, Planned, Wanted, between, strides
from mien.video.reading import Frame, look
from mien.video.steadying import Steady, steadied

HAPPY = Label("happy")
GREY = np.full((SIDE, SIDE, 3), 128, np.uint8)


def planned(
    number: int,
    moved: float = 0.0,
    pixels: UInt8 = GREY,
    guide: Guide = HAPPY,
    intensity: float = 1.0,
    side: int = 200,
) -> Planned:
    points = template(SIDE)
    points[48:] += np.float32(moved)
    crop = AlignedFace(pixels, np.eye(2, 3, dtype=np.float32), points)
    wanted = Wanted(Face.at(points), crop, side, guide, intensity)
    steady = Steady(Frame(pixels, number, number / 25), (points,), (1.0,))
    return Planned(steady, (wanted,))


def lengths(frames: list[Planned]) -> list[int]:
    return [len(group) for group in strides(frames)]


def dark(box: tuple[slice, slice], light: int = 30) -> UInt8:
    out = GREY.copy()
    out[box] = light
    return out


def test_a_face_that_stays_or_moves_evenly_is_drawn_now_and_then() -> None:
    assert lengths([planned(k) for k in range(2 * MOST + 2)]) == [1, MOST, MOST, 1]
    assert lengths([planned(k, moved=0.5 * k) for k in range(MOST + 1)]) == [1, MOST]
    assert lengths([planned(k, intensity=0.1 * k) for k in range(MOST + 1)]) == [1, MOST]
    assert lengths([]) == []


@pytest.mark.parametrize(
    "odd",
    [
        {"moved": 1.0},
        {"pixels": dark(np.s_[42:51, 38:56])},  # a blink
        {"pixels": dark(np.s_[78:92, 50:78], 112)},  # a mouth in the shade, a little
        {"pixels": dark(np.s_[46:49, 74:77])},  # a glance
        {"guide": Label("happy")},  # who says the same need not mean it
        {"intensity": 0.9},
        {"side": 210},
    ],
    ids=["moved", "blink", "shade", "glance", "guide", "intensity", "side"],
)
def test_a_frame_that_is_not_what_was_expected_is_drawn(odd: dict[str, Any]) -> None:
    frames = [planned(k) for k in range(5)]
    assert lengths(frames) == [1, 4]
    frames[2] = planned(2, **odd)
    assert 2 in np.cumsum(lengths(frames)) - 1


def test_a_face_that_comes_or_goes_is_drawn() -> None:
    frames = [planned(k) for k in range(6)]
    frames[2] = replace(frames[2], faces=(None,))
    assert lengths(frames) == [1, 1, 1, 1, 2]
    assert lengths([replace(one, faces=(None,)) for one in frames]) == [1, 5]


def edit(seed: int, side: int = 12) -> Composition[Float]:
    random = np.random.default_rng(seed)

    def field(channels: int, low: float, high: float) -> Float:
        return random.uniform(low, high, (1, channels, side, side)).astype(np.float32)

    return Composition(field(2, -0.1, 0.1), field(1, 0, 1), field(3, -1, 1), field(1, 0.5, 1.5))


def picture(one: Composition[Float]) -> Float:
    """It over a photograph of 100 levels that does not move."""
    assert one.gain is not None
    return np.asarray(one.mask * one.gain * 100 + (1 - one.mask) * (one.paint + 1) * 127.5)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_what_lies_between_is_the_mean_of_both_pictures(share: float) -> None:
    first, last = edit(1), edit(2)
    mixed = between(first, last, share)
    mean = (1 - share) * picture(first) + share * picture(last)
    np.testing.assert_allclose(picture(mixed), mean, atol=0.05)
    np.testing.assert_allclose(mixed.flow, (1 - share) * first.flow + share * last.flow, atol=1e-6)


def test_edits_of_two_kinds_are_not_mixed() -> None:
    first, last = edit(1), edit(2)
    assert between(replace(first, gain=None), last, 0.5) is last
    assert between(edit(3, side=10), last, 0.5) is last


def test_a_film_hardly_differs_from_one_drawn_frame_by_frame(
    make_film: Any, moving: list[UInt8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = look(make_film(tmp_path / "in.mp4", moving[:9], sound=None))
    editor = Editor(load("morphable"))
    shown: dict[int, list[UInt8]] = {}
    for most in (1, MOST):
        monkeypatch.setattr(module, "MOST", most)
        steps = steadied(followed(film.frames(), "largest"))
        groups = list(fitted(editor, steps, Constant(HAPPY)))
        assert (max(map(len, groups)) > 1) == (most > 1)
        shown[most] = [one.pasted(editor).marked() for group in groups for one in group]
    frames = [frame.pixels for frame in film.frames()]
    for source, every, some in zip(frames, shown[1], shown[MOST], strict=True):
        at = np.abs(every.astype(int) - source).max(-1) > 2
        off = (every.astype(float) - some)[at]
        assert at.sum() > 1000
        assert 10 * np.log10(255**2 / max(float((off**2).mean()), 1e-9)) > 42
