"""The skin of a closed lid: what is around the eye, spread over it, with the fold of the open lid
left in it, brighter where it bulges towards the light. Brow and lower lid stay as they are."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, UInt8
from mien.face_model.eyes import dilated, disc, polygon, smooth, spread
from mien.face_model.sampling import LUMA

FAN = (0.2, 0.26)
"""How far beyond the outer corner, and above it, the tips of its lashes lie, in widths of the
eye."""
LOWER_EDGE, CORNER = 0.04, 0.1
"""How much of the lower lid a closed one hides, below the edge of the open eye: its wet rim, and
more at the outer corner, which sinks, in widths of the eye."""
CLEAN = 0.86
"""Skin beside the eye that is darker than this, relative to its brighter part and to the skin a
little farther out, which may lie in shade, is lash or paint."""
THIN, HAIRLINE, GRAIN = 0.05, 0.06, 5.0
"""Half width of a lash, in widths of the eye; how much darker than its surround it is at least,
relative to the skin; and how often what is usual there, for rough skin is not lashes."""
EVEN, ROUGHLY = 0.1, 2.5
"""Blur of what a lid is made of, in widths of the eye: where skin of one side meets that of another
there is no edge; and the sigma, px, in which it is drawn well enough."""
BULGE = 0.07
"""How much brighter than the skin around it a closed lid is where it bulges towards the light."""
CLEAR_OF_LASHES, GRAIN_MOST = 0.34, 2.0
"""How far below the eye the skin begins whose texture a lid gets, in widths of the eye; and how far
that goes at most, in units of what is usual: what goes farther is a line."""
CLEAR_OF_BROW = 0.14
"""Distance from a brow's middle, in widths of the eye, up to which its hair stays."""
ABOVE_BROW, LIKELY, THICKEST, NO_BROW = 0.06, 0.3, 0.6, 0.15
"""... it stays farther down as long as it is there: how far above the brow's middle is looked; how
far below it, at what odds (sigma) and at most (of the way to the lid), it ends, which is where it
gets brighter fastest; and by how much, in units of the skin in a width of the eye, that must be."""
HAIR_ENDS, BROW_ENDS, BROW_SHADE = 0.04, 0.12, 1.3
"""How far below that edge the last hair lies, and over what length the lid takes over, in widths of
the eye; what lies below it by this much of that is still in its shade."""
FAR = 1e-3
"""What hair of a brow, and its shade, count beside skin in what a lid is made of."""
FOLD_THIN, FOLD_SOFT, FOLD_LONG, FOLD_ABOVE = 0.07, 0.015, 0.11, 0.05
"""The fold of an open lid: half its width at most, the blur under which it is looked for, half its
length at least, and how far above the lid's edge it lies at least, in widths of the eye."""
FOLD_OUT, FOLD_STRAY, FOLD_WIDE = 0.8, 0.05, 0.025
"""How far out it is looked for, 1 being the outer corner, where it goes under lashes; how far from
a curve it strays, and how wide it is on a closed lid (sigmas, widths of the eye)."""
FOLD_KEPT, FOLD_DEEPEST, FOLD_ALONG = 0.85, 0.18, 0.12
"""How much of its darkness a closed lid keeps, how much at most, and over what length that is
evened out, in widths of the eye."""
FEWEST = 8
"""Columns of pixels that show a fold at least, or it is none."""


def close(
    photo: Float, corners: Double, brow: Double, side: str, fine: float
) -> tuple[Float, tuple[slice, slice]]:
    """Paint the eye (6, 2) px of a photograph (H, W, 3), in place, over by the skin around it: how
    much (H, W) of it is painted, and the window around that. The hair of the `brow` (5, 2) px
    stays, and so do the lashes of the lower lid.

    Lashes, fold and make-up at the border are hidden too, so that they do not bleed into the lid.
    """
    width = float(np.linalg.norm(corners[3] - corners[0]))
    hidden = _area(photo.shape[:2], corners, brow, side, fine)
    beside = dilated(hidden, disc(0.16 * width))
    left, top, across, down = cv2.boundingRect(beside)
    window = (slice(top, top + down), slice(left, left + across))
    part, mask, near = photo[window], hidden[window] > 0, beside[window] > 0
    light = part @ LUMA
    ring = near & ~mask
    cover = np.zeros(photo.shape[:2], np.float32)
    if not ring.any():
        return cover, window
    bright = float(np.percentile(light[ring], 60))
    off = _below_brow(photo, window, bright, brow, corners)
    below = np.clip(off / BROW_ENDS, 0, 1)
    bare = np.clip(off / BROW_ENDS - BROW_SHADE, FAR, 1)
    stain = _stained(part, light, mask, near, bare, bright, width, fine)
    filled = smooth(spread(part, (ring & ~stain) * bare, 0.12 * width), EVEN * width, ROUGHLY)
    at = corners - (left, top)
    lit = _bulge(light.shape, at, width) * (1 - _fold(light, at, width, side) * below)
    filled = filled * lit[..., None] + _grain(photo, window, corners, fine)
    lower = at[[0, 5, 4, 3]]
    lower[0 if side == "R" else 3, 1] += (CORNER - LOWER_EDGE) * width
    edge = np.interp(np.arange(across), *lower[np.argsort(lower[:, 0])].T) + LOWER_EDGE * width
    gone = mask | (stain & (np.arange(down)[:, None] < edge))
    k = cv2.GaussianBlur(gone.astype(np.float32), (0, 0), 1.3 * fine)
    inward = np.ones((down, across), np.uint8)
    inward[[0, -1]] = inward[:, [0, -1]] = 0
    fade = cv2.distanceTransform(inward, cv2.DIST_L2, 3) / np.float32(0.1 * width)
    k *= np.clip(fade, 0, 1) * below  # no edge where the window ends
    photo[window] = part * (1 - k[..., None]) + filled * k[..., None]
    cover[window] = k
    return cover, window


def _area(shape: tuple[int, ...], corners: Double, brow: Double, side: str, fine: float) -> UInt8:
    """Mask of the opening, its lashes and the fold above: what a closed lid replaces."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    room = max(4.0, float(corners[[1, 2], 1].mean() - brow[1:4, 1].mean()))
    points = corners.copy()
    points[[1, 2], 1] -= min(0.3 * width, 0.55 * room)
    points[[4, 5], 1] += LOWER_EDGE * width
    across = points[3] - points[0]
    outer, inner = 0.22, 0.05  # lashes stand out beyond the outer corner
    first, last = (outer, inner) if side == "R" else (inner, outer)
    points[0], points[3] = points[0] - across * first, points[3] + across * last
    tips = corners[0 if side == "R" else 3] - across * (FAN[0] if side == "R" else -FAN[0])
    tips[1] -= min(FAN[1] * width, 0.5 * room)
    sunk = corners[0 if side == "R" else 3] + (0, CORNER * width)
    outline = np.concatenate([points, tips[None], sunk[None]]).astype(np.float32)
    hull = np.asarray(cv2.convexHull(outline), np.float32)[:, 0]
    return dilated(polygon(shape, hull), disc(fine))


def _stained(
    part: Float, light: Float, mask: Bool, near: Bool, bare: Float, bright: float, width: float,
    fine: float,
) -> Bool:  # fmt: skip
    """Which pixels (h, w) `near` the eye, and not under the `mask`, are lash or paint, in a picture
    (h, w, 3) of brightness `light` (h, w) with skin as `bright`, where `bare` (h, w) is no brow."""
    ring = near & ~mask
    thin = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, disc(THIN * width))
    hairs = (thin > max(HAIRLINE * bright, GRAIN * float(np.median(thin[ring])))).astype(np.uint8)
    hairs = np.asarray(cv2.dilate(hairs, disc(1.2 * fine)), np.uint8)
    beyond = near & (dilated(mask.astype(np.uint8), disc(0.12 * width)) == 0) & (hairs == 0)
    limit: Float | float = bright
    if beyond.any():
        limit = np.minimum(spread(part, beyond * bare, 0.2 * width) @ LUMA, bright)
    stain: Bool = ring & ((light < CLEAN * limit) | (hairs > 0))
    return stain


def _below_brow(
    photo: Float, window: tuple[slice, slice], bright: float, brow: Double, corners: Double
) -> Float:
    """How far (h, w), in widths of the eye, a pixel of a window lies below the hair of a `brow`
    (5, 2) px, in a photograph (H, W, 3) with skin as `bright`: a thick brow ends lower."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    top = window[0].start
    high = max(0, min(top, int(brow[:, 1].min() - ABOVE_BROW * width)))
    rows, columns = np.arange(high, window[0].stop), np.arange(window[1].start, window[1].stop)
    line = np.interp(columns, *brow[np.argsort(brow[:, 0])].T)
    lid = (np.interp(columns, *corners[:4].T) - line) / width
    down = ((rows[:, None] - line) / width).astype(np.float32)
    light = photo[high : window[0].stop, window[1]] @ LUMA
    soft = cv2.GaussianBlur(light, (0, 0), max(0.03 * width, 0.5))
    rise = np.gradient(soft, axis=0) * np.exp(-np.square(down / np.float32(LIKELY)))
    rise *= (down > 0) & (down < THICKEST * lid)
    ends = down[rise.argmax(0), np.arange(len(columns))] + np.float32(HAIR_ENDS)
    steep = np.maximum(rise.max(0), 0) * np.float32(width / bright)
    thick, sure = (
        cv2.GaussianBlur(one[None], (0, 0), 0.08 * width)[0] for one in (ends * steep, steep)
    )
    out: Float = down[top - high :] - np.maximum(thick / (sure + NO_BROW), CLEAR_OF_BROW)
    return out


def _bulge(shape: tuple[int, ...], corners: Double, width: float) -> Float:
    """How bright (h, w) a closed lid is, in units of the skin around the eye (6, 2) px."""
    x0, y0 = corners[[1, 2, 4, 5]].mean(0)
    rows, columns = (np.arange(n, dtype=np.float32) for n in shape)
    across = np.exp(-1.5 * np.square((columns - np.float32(x0)) / np.float32(0.5 * width)))
    high = np.exp(-np.square((rows - np.float32(y0)) / np.float32(0.3 * width) + np.float32(0.9)))
    out: Float = 1 + np.float32(BULGE) * high[:, None] * across
    return out


def _fold(light: Float, corners: Double, width: float, side: str) -> Float:
    """How much darker (h, w), 0..1, a closed lid is along the fold above the open eye (6, 2) px, in
    a picture of brightness `light` (h, w): skin keeps the line in which it folds."""
    upper = corners[np.argsort(corners[:4, 0])]
    rows, columns = (np.arange(n, dtype=np.float32) for n in light.shape)
    along = (columns - upper[0, 0]) / (upper[-1, 0] - upper[0, 0])
    along = along if side == "L" else 1 - along
    seen = (along > 0) & (along < FOLD_OUT)
    edge = np.interp(columns, *upper.T)
    high = int(min(max(edge.max(), 1), len(rows)))  # what lies lower is not looked at
    depth = _level_lines(light[:high], width)
    depth *= np.clip(((edge - rows[:high, None]) / width - FOLD_ABOVE) / 0.04, 0, 1)
    most, place = depth.max(0) * seen, depth.argmax(0)
    if (most > 0).sum() < FEWEST:
        return np.zeros(light.shape, np.float32)
    terms = np.stack([np.ones_like(along), along, along**2], 1)
    trust = most
    for _ in range(3):  # what strays from the curve counts less and less
        bend = np.linalg.lstsq(terms * trust[:, None], place * trust, rcond=None)[0]
        line = terms @ bend
        trust = most * np.exp(-0.5 * np.square((place - line) / (FOLD_STRAY * width)))
    strength, share = (
        cv2.GaussianBlur(one[None].astype(np.float32), (0, 0), FOLD_ALONG * width)[0]
        for one in (trust, seen)
    )
    strength = np.minimum(FOLD_KEPT * strength / np.maximum(share, 0.3), FOLD_DEEPEST)
    off = (rows[:, None] - line.astype(np.float32)) / np.float32(FOLD_WIDE * width)
    return np.asarray(np.exp(-0.5 * np.square(off)) * strength, np.float32)


def _level_lines(light: Float, width: float) -> Float:
    """Depth (h, w), 0..1, of the dark lines that run more or less level: lashes are steep."""
    soft = cv2.GaussianBlur(light, (0, 0), max(FOLD_SOFT * width, 0.5))
    high, long, thick = (
        2 * max(1, round(part * width)) + 1 for part in (FOLD_THIN, FOLD_LONG, FOLD_SOFT)
    )
    dark = cv2.morphologyEx(soft, cv2.MORPH_BLACKHAT, np.ones((high, 1), np.uint8))
    wider = cv2.dilate(dark, np.ones((thick, 1), np.uint8))
    level = cv2.morphologyEx(wider, cv2.MORPH_OPEN, np.ones((1, long), np.uint8))
    fold = np.minimum(level, dark)
    return np.asarray(fold / np.maximum(soft + fold, 1), np.float32)


def _grain(photo: Float, window: tuple[slice, slice], corners: Double, fine: float) -> Float:
    """The skin's own texture (h, w, 3) for a closed lid: that of the cheek below, whose lines are
    left out."""
    rows, columns = window
    width = float(np.linalg.norm(corners[3] - corners[0]))
    clear = int(corners[:, 1].max() + CLEAR_OF_LASHES * width)
    top = max(0, min(clear, len(photo) - (rows.stop - rows.start)))
    below = photo[top : top + rows.stop - rows.start, columns]
    detail = below - cv2.GaussianBlur(below, (0, 0), 1.5 * fine)
    most = GRAIN_MOST * np.median(np.abs(detail)) + 1
    out: Float = np.clip(detail, -most, most)
    return out
