"""A photograph's pixels, moved: resampled once, as sharp as they were, and only where they move."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face_model.sampling import tripled
from mien.faces.align import View
from mien.types import Float, UInt8

NO_MOTION = 1 / 64
"""Px; the resampler knows positions to 1/32 px."""
_OVERSHOOT = 0.15  # share of the local range; measured: see `_sharply`
_LEAST_GAIN, _MOST_GAIN = 0.65, 1.25  # measured: see `_crisp`
_BETWEEN = np.float32(1 / 3)
"""Of detail below 1 px, for each squared px off a pixel's middle, x and y: half a pixel off both
ways 0.76 of a photograph's Laplacian variance is left without it, 0.97 with it (12 London training
people at 768 and at 300 px)."""
_LEAST_GAP, _WIDEST, BAND = 48, 384, 192
"""Columns without change that part two windows, and columns and rows, px, that one has at most:
what a window takes stays in the processor's cache."""
NEAR = 4
"""Pixels around a tile that its sharpening looks at: as far as its blur reaches."""
_MARGIN = 6  # px around the sampled part of the photograph, for the resampler's kernel
_AWAY = np.arange(-3, 5) - 0.5  # px, from half way between two pixels to the eight around
_HALF = np.sinc(_AWAY) * np.sinc(_AWAY / 4)
_HALF = (_HALF / _HALF.sum()).astype(np.float32)  # Lanczos' kernel there
_Window: TypeAlias = tuple[slice, slice]
"""Rows and columns."""


def moved(photo: UInt8, view: View, motion: Sequence[Float], stretched: Float) -> Float:
    """A window's view with each pixel taken from `motion`, x and y (h, w) px, away, as crisp as it
    was, its detail stronger by `stretched` (h, w), which `stretching` gives; float32 (h, w, 3),
    0..255, a little beyond at edges.

    Pixels that do not move are the photograph's. Beyond its edge the photograph is mirrored.
    """
    moves = longest(motion) >= NO_MOTION
    if not moves.any():
        return view.of(photo).astype(np.float32)
    rows = np.arange(view.top, view.bottom, dtype=np.float32)[:, None]
    columns = np.arange(view.left, view.right, dtype=np.float32)
    sampled = _sharply(*_near(photo, motion[0] + columns, motion[1] + rows))
    if not moves.all():
        kept = view.of(photo).astype(np.float32)
        cv2.copyTo(sampled, moves.view(np.uint8), kept)
        sampled = kept
    return _crisp(sampled, stretched, motion)


def _near(photo: UInt8, x: Float, y: Float) -> tuple[UInt8, Float, Float]:
    """The part of the photograph that places `x`, `y` (h, w) px look at, and the places in it."""
    low = [max(math.floor(v.min()) - _MARGIN, 0) for v in (x, y)]
    high = [math.ceil(v.max()) + _MARGIN for v in (x, y)]
    source = photo[low[1] : max(high[1], low[1] + 1), low[0] : max(high[0], low[0] + 1)]
    return source, x - np.float32(low[0]), y - np.float32(low[1])


def _sharply(source: UInt8, x: Float, y: Float) -> Float:
    """`source` (h, w, 3) at the places `x`, `y` (h, w) px, its ringing cut: Lanczos over 8 pixels
    each way to twice the size, cubic from there: as true as Lanczos itself half way between pixels,
    less so elsewhere, exact at whole pixels, and quicker.

    The nine pixels around a place bound what may stand there, give or take `_OVERSHOOT` of their
    range, without which half of what Lanczos keeps of the sharpness (against a bicubic) would be
    lost again.
    """
    kernel, more = np.ones((3, 3), np.uint8), _OVERSHOOT
    low, high = cv2.erode(source, kernel), cv2.dilate(source, kernel)
    bounds = [
        cv2.addWeighted(one, 1 + more, other, -more, 0) for one, other in ((low, high), (high, low))
    ]
    out = _sampled(_doubled(source), 2 * x, 2 * y, cv2.INTER_CUBIC)
    least, most = (_sampled(bound, x, y, cv2.INTER_NEAREST) for bound in bounds)
    np.maximum(out, least, out=out)
    return np.minimum(out, most, out=out)


def _doubled(source: UInt8 | Float) -> Float:
    """`source` (h, w, 3) with what lies half way between its pixels: (2 h, 2 w, 3). Channel by
    channel, since interleaving single numbers is what processors have instructions for."""
    height, width = source.shape[:2]
    rows: list[tuple[Float, Float]] = []
    for plane in (np.ascontiguousarray(one, np.float32) for one in cv2.split(source)):
        row = np.asarray(cv2.merge((plane, _between(plane, 1))), np.float32)
        row = row.reshape(height, 2 * width)
        rows.append((row, _between(row, 0)))
    out = np.empty((height, 2, 2 * width, 3), np.float32)
    for k, planes in enumerate(zip(*rows, strict=True)):
        cv2.merge(planes, out[:, k])
    return out.reshape(2 * height, 2 * width, 3)


def _between(source: Float, axis: int) -> Float:
    """What lies half a pixel down, or to the right, of each pixel of `source` (h, w)."""
    taps, anchor = (_HALF[:, None], (0, 3)) if axis == 0 else (_HALF[None], (3, 0))
    out = cv2.filter2D(source, cv2.CV_32F, taps, anchor=anchor, borderType=cv2.BORDER_REFLECT)
    return np.asarray(out, np.float32)


def _sampled(source: Any, x: Float, y: Float, mode: int) -> Float:
    out = cv2.remap(source, x, y, mode, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(out, dtype=np.float32)


def _crisp(moved: Float, stretched: Float, motion: Sequence[Float]) -> Float:
    """`moved` (h, w, 3) by `motion`, x and y (h, w) px, with its finest detail as strong as the
    photograph's: stronger by `stretched` (h, w), which `stretching` gives, and where places were
    between pixels, of which no resampler keeps all (`_BETWEEN`).

    By `stretched` alone, with the rig's own edits of London faces (six labels, at 768 and enlarged
    to 1350 px), the median Laplacian variance inside the face was 0.89 to 1.25 of the source's,
    0.85 to 1.42 without.
    """
    gain = stretched.copy()
    for part in motion:
        off = part - np.rint(part)
        off *= off
        off *= _BETWEEN
        gain += off
    detail = moved - cv2.GaussianBlur(moved, (0, 0), 1.0)
    detail *= tripled(gain)
    detail += moved
    return detail


def stretching(motion: Float) -> Float:
    """By how much (h, w) detail below 1 px is to be stronger under a motion (2, h, w), x and y, px
    of its own grid; 0 where nothing moves.

    Stretched to 1 / a of its area, skin loses contrast from pixel to pixel (its Laplacian variance
    falls to about a squared) and looks soft beside what did not move; pressed together it gains
    and looks gritty. The gain is that 1 / a, within bounds.
    """
    along, down = (
        [cv2.Scharr(part, cv2.CV_32F, 1 - j, j, scale=1 / 32) for part in motion] for j in (0, 1)
    )
    area = (1 + along[0]) * (1 + down[1]) - along[1] * down[0]
    np.maximum(area, np.float32(0.1), out=area)
    gain = np.clip(1 / area, _LEAST_GAIN, _MOST_GAIN)
    gain -= 1
    return np.asarray(gain, np.float32)


def longest(vectors: Float | Sequence[Float]) -> Float:
    """The larger of the two components (2, ...), without sign; NumPy is slow at reducing two."""
    return np.asarray(np.maximum(np.abs(vectors[0]), np.abs(vectors[1])))


def tiles(where: NDArray[np.bool_]) -> Iterator[tuple[_Window, _Window, _Window]]:
    """Windows that hold all that is set in a mask (h, w): with the pixels near them, where in those
    the window itself lies, and the window.
    """
    height = len(where)
    for top in range(0, height, BAND):
        yield from runs(where, slice(top, min(top + BAND, height)))


def runs(where: NDArray[np.bool_], rows: slice) -> Iterator[tuple[_Window, _Window, _Window]]:
    """`tiles` of some rows of a mask."""
    for left, right in _runs(np.asarray(where[rows].any(0))):
        held = np.flatnonzero(where[rows, left:right].any(1))
        top, bottom = rows.start + int(held[0]), rows.start + int(held[-1]) + 1
        up, far = min(top, NEAR), min(left, NEAR)
        near = np.s_[top - up : bottom + NEAR, left - far : right + NEAR]
        inner = np.s_[up : up + bottom - top, far : far + right - left]
        yield near, inner, np.s_[top:bottom, left:right]


def _runs(where: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Where runs of columns (w,) that are set begin, and the first column after each; small gaps do
    not part them, and none is wider than a window."""
    held = np.flatnonzero(where)
    if held.size:
        parted = np.flatnonzero(np.diff(held) > _LEAST_GAP)
        first, last = held[np.r_[0, parted + 1]], held[np.r_[parted, held.size - 1]]
        for start, stop in zip(first.tolist(), (last + 1).tolist(), strict=True):
            pieces = -(-(stop - start) // _WIDEST)
            cuts = np.linspace(start, stop, pieces + 1).astype(int).tolist()
            yield from pairwise(cuts)
