"""Back into the photograph: a composition found on a small crop, applied at the photo's own size.

A method answers at the crop's side S (128) with `mask * warp(source, flow) + (1 - mask) * paint`.
Here the same three fields, brought to the photograph by cubic splines, act on its own pixels, which
are resampled once:

    W    the photograph, moved by the flow (Lanczos; where nothing moves, its very values)
    L    W as the crop shows it: reduced to S and enlarged again, all that the method could see
    D    W - L, the detail that only the photograph has
    result = L + (1 - mask) * (paint - L) + what is kept of D,   which is W where mask = 1

so colour up to the crop's resolution is the composition's and detail above it is the photograph's.
Plain composition would keep mask * D. But a mask of 0.7 over skin says that light or colour
changed, not that three tenths of the pores went away; and a mask of 0.1 in an open mouth says that
something else is there now, whose look the photo's detail must not spoil. Two rules decide:

- the mask's: a smooth step, nothing with slope 0 at mask = 0, everything from `FULL_DETAIL` on;
- the picture's: where paint shows what W shows, in colour or in structure, it is the same lip or
  cheek whatever the mask says, and keeps its texture. A method that paints lips at 128 px, and
  paints them as they were, so loses nothing.

A face smaller than its crop has no detail above it: D fades out with the scale, which leaves the
plain composition.

A composition with a `gain` is drawn at the face's own size, where there is nothing to guess: it is
applied as it is, `mask * gain * W + (1 - mask) * paint`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face_model.eyes import smooth
from mien.face_model.sampling import channels, merged, tripled
from mien.face_model.smoothstep import smoothstep
from mien.face_model.threads import together
from mien.faces import align, moving
from mien.faces.align import View
from mien.types import AlignedFace, Composition, Float, UInt8

BORDER = 0.1
"""Width of the soft window along the crop's border, in crop units: there an edit fades to nothing.
"""

FULL_DETAIL = 0.6
"""Mask from which on all of the photograph's detail is kept."""

_REPAINTED = 0.999  # cover from which on, everywhere, a face is a picture of its own
_NO_COVER = 1 / 512  # of 255 levels this is half a level: it would not be seen
_UNLIKE, _ALIKE = 0.5, 0.85  # correlations at which paint is something else, and the same thing
_CLOSE = 8.0  # levels of difference: up to here paint is the photograph, at twice that not
_FLAT = 20.0  # levels squared: below this variance there is nothing to correlate
_TEXTURE = 20.0  # levels: more than skin has above the crop's resolution, less than a slit
_SOFTLY = 3.0  # px: a face's soft edge is drawn as small as leaves its sigma this
_FINEST = 4  # splines are evaluated at up to this many times the crop's side, linearly from there


@dataclass(frozen=True)
class _Fields:
    """A composition without a gain in crop pixels: flow px (S, S, 2), cover = 1 - mask (S, S, 1),
    and paint 0..255 (S, S, 3).
    """

    flow: Float
    cover: Float
    paint: Float

    @property
    def side(self) -> int:
        return int(self.cover.shape[0])


def paste(photo: UInt8, face: AlignedFace, edit: Composition[Float]) -> UInt8:
    """The photograph, uint8 (H, W, 3), with an edit of its aligned face applied: a new array of the
    same size.

    `edit` is the composition of this one face (B = 1), its side the side of `face.pixels`, or less
    if it has a gain. Pixels that it does not reach are the input's, bit for bit. A mask of 0
    everywhere means a repainted picture: its tone is matched along the seam, and it is laid in with
    a soft edge in the face's shape.
    """
    result = photo.copy()
    own, side = len(face.pixels), edit.mask.shape[-1]
    matrix = face.matrix if own == side else align.resized(face.matrix, own, side)
    view = align.view(photo, matrix, side)
    if view is None:
        return result
    if edit.gain is not None and edit.mask.max() > 1 - _REPAINTED:
        _draw(photo, view, edit, result)
        return result
    fields = _fields(edit)
    if fields.cover.min() > _REPAINTED:
        fields = _repainted(fields, face)
    fields = _faded(fields)
    if fields.cover.any() or fields.flow.any():
        view.of(result)[:] = _composed(photo, view, fields)
    return result


def _fields(edit: Composition[Float]) -> _Fields:
    flow, mask, paint = (_array(part) for part in (edit.flow, edit.mask, edit.paint))
    levels = paint + 1
    levels *= np.float32(127.5)
    return _Fields(flow * mask.shape[0], 1 - mask, levels)


def _array(field: Float) -> Float:
    """The first of a batch (B, C, S, S) as (S, S, C)."""
    first: Float = field[0].transpose(1, 2, 0)
    return first


def _faded(fields: _Fields) -> _Fields:
    """The same edit, flow and cover taken to nothing along the crop's border."""
    ramp = _ramp(fields.side)
    window = (ramp[:, None] * ramp)[..., None]
    return _Fields(fields.flow * window, fields.cover * window, fields.paint)


def _ramp(side: int) -> Float:
    """How far (S,) an edit counts, 0..1, from one border of the crop to the other."""
    centres = (np.arange(side) + 0.5) / side
    return smoothstep((np.minimum(centres, 1 - centres) / BORDER).astype(np.float32))


def _draw(photo: UInt8, view: View, edit: Composition[Float], result: UInt8) -> None:
    """Apply a composition at the face's own size to the part of `result` that it changes, band by
    band, side by side: its fields are larger than the photograph."""
    tops = range(0, view.bottom - view.top, moving.BAND)
    together([partial(_draw_band, photo, view, edit, result, top) for top in tops])


def _draw_band(photo: UInt8, view: View, edit: Composition[Float], result: UInt8, top: int) -> None:
    """The same for the rows of a band that begins at `top`."""
    width, height = view.right - view.left, view.bottom - view.top
    bottom = min(top + moving.BAND, height)
    first, last = max(top - moving.NEAR, 0), min(bottom + moving.NEAR, height)
    band = view.within((slice(first, last), slice(0, width)))
    rows = _rows(band, edit.mask.shape[-1])
    if (packed := _Packed.of(edit, rows, band.matrix)) is None:
        return
    if (part := _reached(packed.moves[..., 3] > 0, (0, rows.start), band)) is None:
        return
    band = band.within((slice(0, last - first), part[1]))
    *motion, stretched, there = channels(_drawn(packed.moves, band, rows))
    touched = np.asarray(there > 0)
    for near, inner, window in moving.runs(touched, slice(top - first, bottom - first)):
        shift = [part[near] for part in motion]
        moved = moving.moved(photo, band.within(near), shift, stretched[near])[inner]
        pixels = packed.over(moved, band.within(window), rows)
        cv2.copyTo(pixels, touched[window].view(np.uint8), band.of(result)[window])


@dataclass(frozen=True)
class _Packed:
    """Rows of an edit that is drawn, faded along the crop's border, for a photograph of which a
    matrix says how it is brought to the crop. moves (h, S, 4): motion px of the photograph, how
    much stronger detail is to be, and whether anything changes; light (h, S): the share of the
    photograph's that shows; covers (h, S), whether anything is painted, and painted (h, S, 3): that
    times what it covers, 0..255; None where nothing is."""

    moves: Float
    light: Float
    covers: NDArray[np.bool_]
    painted: Float | None

    @classmethod
    def of(cls, edit: Composition[Float], rows: slice, matrix: Float) -> _Packed | None:
        """None where nothing changes."""
        assert edit.gain is not None
        side = edit.mask.shape[-1]
        ramp = _ramp(side)
        window = ramp[rows, None] * ramp
        flow = edit.flow[0, :, rows] * (np.float32(side) * window)
        cover = (1 - edit.mask[0, 0, rows]) * window
        gain = 1 + (edit.gain[0, 0, rows] - 1) * window
        covers = cover >= _NO_COVER
        changes = (moving.longest(flow) * _scale(matrix) >= moving.NO_MOTION) | covers
        changes |= np.abs(gain - 1) >= _NO_COVER
        if not changes.any():
            return None
        turn = align.inverse(matrix)[:, :2]
        motion = [of_x * flow[0] + of_y * flow[1] for of_x, of_y in turn]
        # four channels are warped in half the time of three
        moves = cv2.merge((*motion, moving.stretching(flow), changes.astype(np.float32)))
        light = (1 - cover) * gain
        cover *= np.float32(127.5)
        colours = ((part + np.float32(1)) * cover for part in edit.paint[0, :, rows])
        painted = merged(list(colours)) if covers.any() else None
        return cls(np.asarray(moves, np.float32), light, covers, painted)

    def over(self, moved: Float, view: View, rows: slice) -> UInt8:
        """Moved pixels (h, w, 3) of a part of the photograph in their new light, under what is
        painted there."""
        # linearly, teeth and lashes would lose a quarter of their contrast from pixel to pixel
        way = cv2.INTER_CUBIC
        light = tripled(_drawn(self.light, view, rows, way))
        pixels = np.asarray(cv2.multiply(moved, light, dtype=cv2.CV_8U), np.uint8)
        seen = _seen(view, rows, self.covers.shape)
        part = _reached(self.covers[seen], (seen[1].start, seen[0].start + rows.start), view)
        if part is not None and self.painted is not None:
            painted = _drawn(self.painted, view.within(part), rows, way)
            pixels[part] = cv2.add(moved[part] * light[part], painted, dtype=cv2.CV_8U)
        return pixels  # rounded, within 0..255


def _seen(view: View, rows: slice, shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of some rows of the crop (h, S) that a part of a view looks at."""
    right, bottom = view.right - view.left, view.bottom - view.top
    corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float32)
    places = align.transform(view.matrix, corners) - np.array([0, rows.start], np.float32)
    low, high = np.floor(places.min(0)).astype(int) - 3, np.ceil(places.max(0)).astype(int) + 4
    (left, top), (right, bottom) = np.maximum(low, 0).tolist(), np.maximum(high, 0).tolist()
    return slice(top, min(bottom, shape[0])), slice(left, min(right, shape[1]))


def _rows(band: View, side: int) -> slice:
    """The rows of the crop that a part of a view looks at, and a few around them."""
    right, bottom = band.right - band.left, band.bottom - band.top
    corners = np.array([[0, 0], [right, 0], [0, bottom], [right, bottom]], np.float32)
    y = align.transform(band.matrix, corners)[:, 1]
    start = int(np.clip(math.floor(float(y.min())) - 4, 0, side - 1))
    return slice(start, int(np.clip(math.ceil(float(y.max())) + 5, start + 1, side)))


def _reached(
    where: NDArray[np.bool_], corner: tuple[int, int], view: View
) -> tuple[slice, slice] | None:
    """The part of a view that holds what is set in a part of the crop (h, w) from `corner` (x, y)
    px on; None where there is nothing."""
    left, top, across, down = cv2.boundingRect(where.view(np.uint8))
    if not across:
        return None
    edges = np.array([[x, y] for x in (-3, across + 2) for y in (-3, down + 2)], np.float32)
    places = align.transform(align.inverse(view.matrix), edges + np.add(corner, (left, top)))
    size = (view.right - view.left, view.bottom - view.top)
    low, high = np.floor(places.min(0)), np.ceil(places.max(0)) + 1
    (x, y), (right, bottom) = (np.clip(at, 0, size).astype(int).tolist() for at in (low, high))
    return (slice(y, bottom), slice(x, right)) if x < right and y < bottom else None


def _drawn(fields: Float, view: View, rows: slice, way: int = cv2.INTER_LINEAR) -> Float:
    """Fields of some rows of the crop (r, S, C), four at most, over a view's pixels (h, w, C): the
    crop is as fine as the photograph, or nearly."""
    matrix = view.matrix.copy()
    matrix[1, 2] -= rows.start
    seen = cv2.warpAffine(
        fields,
        matrix,
        (view.right - view.left, view.bottom - view.top),
        flags=way | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(seen, np.float32)


def _composed(photo: UInt8, view: View, fields: _Fields) -> UInt8:
    """The photograph's part in `view` with the edit applied (see the module's text)."""
    shape = (view.bottom - view.top, view.right - view.left)
    crop_to_photo = align.inverse(view.matrix)[:, :2]
    motion = _enlarged(fields.flow, view.matrix, shape) @ crop_to_photo.T
    motion = np.ascontiguousarray(motion.transpose(2, 0, 1))
    moved, stretched = view.of(photo).astype(np.float32), moving.stretching(motion)
    for near, inner, window in moving.tiles(moving.longest(motion) >= moving.NO_MOTION):
        shift = [part[near] for part in motion]
        moved[window] = moving.moved(photo, view.within(near), shift, stretched[near])[inner]
    cover = np.clip(_enlarged(fields.cover, view.matrix, shape), 0, 1)
    cover[cover < _NO_COVER] = 0
    rows, columns = (np.flatnonzero(cover.any(axis)) for axis in ((1, 2), (0, 2)))
    if rows.size:
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        paint = np.clip(_enlarged(fields.paint, view.matrix, shape)[part], 0, 255)
        seen = _as_the_crop_shows(moved, view.matrix, fields.side)
        detail = moved[part] - _enlarged(seen, view.matrix, shape)[part]
        detail *= smoothstep(np.array(2 * (_scale(view.matrix) - 1), np.float32))
        low = moved[part] - detail
        same = _enlarged(_same(seen, fields.paint), view.matrix, shape)[part]
        moved[part] = low + cover[part] * (paint - low) + _kept(detail, 1 - cover[part], same)
    out: UInt8 = np.clip(np.rint(moved), 0, 255).astype(np.uint8)
    return out


def _scale(matrix: Float) -> float:
    """Photograph px per crop px."""
    return 1 / math.hypot(float(matrix[0, 0]), float(matrix[1, 0]))


def _as_the_crop_shows(pixels: Float, matrix: Float, side: int) -> Float:
    """`pixels` (h, w, 3) reduced to the crop (side, side, 3), the way `align` does it; 0..255."""
    crop = align.warp(np.clip(np.rint(pixels), 0, 255).astype(np.uint8), matrix, side)
    return crop.astype(np.float32)


def _same(seen: Float, paint: Float) -> Float:
    """How surely paint shows what the moved photograph shows, (S, S, 1) in [0, 1].

    Both (S, S, 3) in 0..255. They are alike in colour, or their structure is: a high local
    correlation, such as that of a lip and the same lip in another light.
    """
    difference = _local(np.abs(seen - paint).max(-1))
    a, b = seen.mean(-1), paint.mean(-1)
    mean_a, mean_b = _local(a), _local(b)
    covariance = _local(a * b) - mean_a * mean_b
    variance_a, variance_b = _local(a * a) - mean_a**2, _local(b * b) - mean_b**2
    scale = np.sqrt(np.maximum(variance_a, 0) * np.maximum(variance_b, 0))
    structure = smoothstep((covariance / (scale + _FLAT) - _UNLIKE) / (_ALIKE - _UNLIKE))
    out: Float = np.maximum(structure, smoothstep(2 - difference / _CLOSE))[..., None]
    return out


def _kept(detail: Float, mask: Float, same: Float) -> Float:
    """What stays of the photograph's detail; under the mask's step only its texture, no line."""
    keep = smoothstep(mask / np.float32(FULL_DETAIL))
    texture = np.clip(detail, -_TEXTURE, _TEXTURE)
    out: Float = keep * detail + np.clip(same - keep, 0, 1) * texture
    return out


def _local(image: Float) -> Float:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), 2.0), dtype=np.float32)


def _enlarged(field: Float, matrix: Float, shape: tuple[int, int]) -> Float:
    """A crop's field (S, S, C) over photograph pixels (h, w, C); 0 outside the crop.

    An interpolating cubic spline to a few times the crop's side, then linearly under the matrix:
    both steps reproduce constants and, off the border, straight slopes, so a smooth flow stays
    smooth.
    """
    side, _, channels = field.shape
    fine = side * min(_FINEST, max(1, math.ceil(_scale(matrix))))
    spline = _spline(side, fine)
    drawn = np.einsum("ts,suc->tuc", spline, field, optimize=True)
    drawn = np.einsum("vu,tuc->tvc", spline, drawn, optimize=True)
    out = cv2.warpAffine(
        np.ascontiguousarray(drawn),
        align.resized(matrix, side, fine),
        shape[::-1],
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
    )
    return np.asarray(out, dtype=np.float32).reshape(*shape, channels)


@lru_cache(maxsize=8)
def _spline(side: int, fine: int) -> Float:
    """The matrix (fine, side) of cubic spline interpolation between pixel centres, ends kept."""
    nodes = _basis(np.arange(side, dtype=np.float64), side)
    places = (np.arange(fine) + 0.5) * side / fine - 0.5
    out: Float = (_basis(places, side) @ np.linalg.inv(nodes)).astype(np.float32)
    return out


def _basis(places: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Weights (N, side) of the `side` B-spline coefficients at `places`; beyond the ends they are
    repeated.
    """
    out = np.zeros((len(places), side))
    first = np.floor(places).astype(int) - 1
    for tap in range(4):
        distance = np.abs(places - (first + tap))
        near = 2 / 3 - distance**2 + distance**3 / 2
        far = (2 - distance) ** 3 / 6
        weight = np.where(distance < 1, near, np.where(distance < 2, far, 0))
        np.add.at(out, (np.arange(len(places)), np.clip(first + tap, 0, side - 1)), weight)
    return out


def _repainted(fields: _Fields, face: AlignedFace) -> _Fields:
    """A repainted picture as an edit: covering the face with a soft edge, its tone moved to the
    photo's there.
    """
    source = face.pixels.astype(np.float32)
    cover = face_shape(face.landmarks, fields.side)
    seam = (4 * cover * (1 - cover))[..., None]  # 1 in the middle of the soft edge
    difference = (source - fields.paint) * seam
    mean = difference.sum((0, 1)) / max(float(seam.sum()), 1e-6)
    reach = 0.12 * fields.side
    carried = cv2.GaussianBlur(difference, (0, 0), reach) + 1e-3 * mean
    weight = cv2.GaussianBlur(seam, (0, 0), reach)[..., None] + 1e-3
    return _Fields(fields.flow, cover[..., None], fields.paint + carried / weight)


def face_shape(landmarks: Float, side: int) -> Float:
    """The face with its forehead as a soft mask, float32 (side, side) in [0, 1], from landmarks
    (68, 2) px.
    """
    forehead = landmarks[17:27] + 0.65 * (landmarks[17:27] - landmarks[30])
    outline = np.concatenate([landmarks[:17], forehead])
    centre = outline.mean(0)
    hull = cv2.convexHull((centre + 1.04 * (outline - centre)).astype(np.float32))
    mask = np.zeros((side, side), np.float32)
    cv2.fillConvexPoly(mask, np.rint(hull * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
    return smooth(mask, 0.03 * side, _SOFTLY)
