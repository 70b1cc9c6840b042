"""The eyes of a photograph as their pictures need them: completed, closed, and what is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.eyeballs import completed, white_of
from mien.face_model.eyes import (
    BROWS,
    POINTS,
    Iris,
    dilated,
    disc,
    fixed_point,
    polygon,
    shut,
    smooth,
    spread,
)
from mien.face_model.lashes import richness
from mien.face_model.sampling import LUMA, around
from mien.face_model.threads import together

ROOM = 1.6
"""How far around the eyes their textures, and the skin that these are made of, reach, in widths of
an eye."""
FAN = (0.2, 0.26)
"""How far beyond the outer corner, and above it, the tips of its lashes lie, in widths of the
eye."""
CLEAR_OF_BROW = 0.14
"""Distance from a brow's middle, in widths of the eye, up to which its hair stays."""
HAIRY, LIKELY, THICKEST, NO_BROW = 0.06, 0.3, 0.6, 0.3
"""... it stays farther down as long as it is there: the room above that is looked at; a brow is
hardly thicker than this, and no thicker than this part of the way to the lid; and its lower edge, where it gets brighter fastest, is
none where that is by less than this of the skin's brightness in a width of the eye."""
HAIR_ENDS, BROW_ENDS, BROW_SHADE = 0.04, 0.12, 0.8
"""... how far below that edge its last hair lies; over this length, in widths of the eye, the lid
takes over; and what lies below it by this much of that is still shaded by it."""
LID_EDGE = 0.05
"""Width of what belongs to a lid along its edge, in widths of the eye."""
EDGE_REACH = 0.06
"""How far from the upper lid's edge its lashes are looked for, in widths of the eye."""
THIN, HAIRLINE = 0.05, 0.06
"""Half width of a lash, in widths of the eye, and how much darker than its surround it is at least,
relative to the skin."""
FAR = 1e-3
"""What hair of a brow counts beside skin in what a lid is made of."""
GRAIN = 5.0
"""... and at least this often what is usual there: rough skin is not lashes."""
BULGE = 0.07
"""How much brighter than the skin around a closed lid is where it bulges towards the light."""
PIXEL, SHARP = 0.5, 0.75
"""Sigma of the edges of a sharp picture's eyes: that of a pixel, px, and that of lids and irises
themselves, px of the 320 px crop (London, 320 to 1,350 px)."""
LOWER_EDGE = 0.04
"""How much of the lower lid, below the edge of the open eye, a closed one hides: its wet rim."""
EVEN = 0.1
"""Blur of what a lid is made of: where skin of one side meets that of another there is no edge, in
widths of the eye."""
FOLD_THIN, FOLD_SOFT, FOLD_LONG, FOLD_ABOVE = 0.07, 0.015, 0.07, 0.05
"""The fold of an open lid: half its width at most, the blur under which it is looked for, half its
length at least, and how far above the lid's edge it lies at least, in widths of the eye."""
FOLD_ENDS, FOLD_STRAY, FOLD_WIDE = 0.8, 0.05, 0.025
"""How far out it is looked for, 1 being the outer corner: there it goes under lashes; how far from
a curve it strays, and how wide it is when the lid is closed, in widths of the eye."""
FOLD_KEPT, FOLD_DEEPEST = 0.85, 0.18
"""How much of its darkness stays on a closed lid, and at most how much."""
CLEAR_OF_LASHES = 0.24
"""How far below the eye the skin begins of which a lid has its texture, in widths of the eye."""
BESIDE = 4
"""Pixels of nothing around what is kept of the textures."""
CLEAN = 0.86
"""Skin beside the eye that is darker than this, relative to its brighter part and to the skin a
little farther out, which may lie in shade, is lash or paint."""


@dataclass(frozen=True)
class EyeTextures:
    """The eyes of a picture, in the part (H, W) of it that has them, whose `corner` (x, y) px is
    there; beyond it all is 0. `hidden` (H, W, 3), what a lid hides of them, where the photograph
    does not show it; `kept` (H, W), how far it does; lids (H, W, 3), what closed lids add to the
    photograph; the white's colour (3,), the lashes' colour (3,), and each iris by side."""

    hidden: Float
    kept: Float
    lids: Float
    white: Float
    lash: Float
    irises: dict[str, Iris]
    corner: tuple[int, int]
    rich: float
    """How far the lashes stand out, 0..1."""
    blur: float
    """How blurred the picture is beyond a sharp one of its size: sigma, px of the 320 px crop."""
    covers: dict[str, Float]
    """Per side, how much (H, W) of the photograph a closed lid replaces: the eye, its lashes and
    the crease above."""


def eye_textures(
    image: Float, landmarks: Double, irises: dict[str, Iris], fine: float
) -> EyeTextures:
    """Textures of a picture (H, W, 3), 0..255, with landmarks (68, 2) and irises in its px."""
    width = max(float(np.linalg.norm(np.ptp(landmarks[part], 0))) for part in POINTS.values())
    there = around(image.shape, landmarks[36:48], ROOM * width)
    corner = there[1].start, there[0].start
    image, landmarks, seen = image[there], landmarks - corner, irises
    irises = {side: Iris(iris.centre - corner, iris.radius) for side, iris in seen.items()}
    shape = image.shape[:2]
    complete, lids = (np.zeros(image.shape, np.float32) for _ in range(2))
    kept, painted = np.zeros(shape, np.float32), image.copy()
    edges, covers = np.zeros(shape, np.uint8), dict[str, Float]()
    boxes = list[tuple[slice, slice]]()
    openings = {side: polygon(shape, landmarks[part]) for side, part in POINTS.items()}
    whites = {
        side: white_of(image, openings[side], irises[side], landmarks[part])
        for side, part in POINTS.items()
    }
    for side, closed in shut(landmarks).items():
        if closed:  # what lies there is a lid: as bright as the light is, and of no hue
            whites[side] = np.full(3, float(whites[side] @ LUMA), np.float32)
    brightest = max(whites.values(), key=lambda white: float(white @ LUMA))

    def ball(side: str) -> tuple[tuple[slice, slice], Float, Float]:
        corners, iris = landmarks[POINTS[side]], irises[side]
        box = _box(shape, corners.mean(0), iris.radius)
        # An eye in shade, or one that is nearly shut, shows little white: believe it by half.
        white = (whites[side] + brightest) * np.float32(0.5)
        opening = openings[side][box]
        inner = polygon(shape, _clear_of_lids(corners))[box].astype(np.float32)
        own = np.clip(cv2.GaussianBlur(inner, (0, 0), 0.8 * fine) * 1.6 - 0.3, 0, 1)
        within = Iris(iris.centre - (box[1].start, box[0].start), iris.radius)
        return box, *completed(image[box], opening, own, within, white, fine)

    for box, filled, own in together([partial(ball, side) for side in POINTS]):
        complete[box] = filled * (1 - own[..., None])
        kept[box] = own
        boxes.append(box)
    for side, part in POINTS.items():
        corners = landmarks[part]
        area = _lid_area(shape, corners, landmarks[BROWS[side]], side, fine)
        covers[side], window = _close(painted, area, corners, landmarks[BROWS[side]], side, fine)
        boxes.append(window)
        lids[window] = painted[window] - image[window]
        edge = np.zeros(shape, np.uint8)
        reach = max(1, round(2 * EDGE_REACH * float(np.linalg.norm(corners[3] - corners[0]))))
        cv2.polylines(edge, [fixed_point(corners[:4])], False, (1,), reach, shift=4)
        edges |= edge
    lash = np.percentile(image[edges > 0], 6, axis=0) if edges.any() else np.zeros(3)
    bright = image @ LUMA
    rich = float(np.mean([richness(bright, landmarks[part], s) for s, part in POINTS.items()]))
    held = _around(boxes, shape)
    complete, lids, kept = (part[held].copy() for part in (complete, lids, kept))
    return EyeTextures(
        complete,
        kept,
        lids,
        np.mean(list(whites.values()), 0, np.float32),
        lash.astype(np.float32),
        seen,
        (corner[0] + held[1].start, corner[1] + held[0].start),
        rich,
        float(np.mean([_blur(bright, landmarks[part], fine) for part in POINTS.values()])),
        {side: cover[held].copy() for side, cover in covers.items()},
    )


def _blur(light: Float, corners: Double, fine: float) -> float:
    """How blurred, px of the 320 px crop, the edges of an eye (6, 2) px are in a picture of
    brightness `light` (H, W), beyond those of a sharp picture: contrast over the steepest slope."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    part = light[around(light.shape, corners, 0.12 * width)]
    if min(part.shape) < 3:
        return 0.0
    steep = max(float(np.percentile(np.abs(np.diff(part, axis=k)), 99)) for k in (0, 1))
    low, high = np.percentile(part, (5, 95))
    sigma = float(high - low) / max(2.5 * steep, 1e-3)  # of a Gaussian edge
    return float(np.sqrt(max(0.0, sigma**2 - PIXEL**2 - (SHARP * fine) ** 2))) / fine


def _around(boxes: Sequence[tuple[slice, slice]], shape: tuple[int, ...]) -> tuple[slice, slice]:
    """The part of a picture (H, W) that holds all of some boxes, and `BESIDE` pixels around it."""
    ys, xs = (
        slice(
            max(min(part.start for part in parts) - BESIDE, 0),
            min(max(part.stop for part in parts) + BESIDE, side),
        )
        for parts, side in zip(zip(*boxes, strict=True), shape, strict=True)
    )
    return ys, xs


def _clear_of_lids(corners: Double) -> Double:
    """An eye's outline (6, 2) without the lashes' shadow above and the wet line below: they go
    where the lids go, not with the eyeball."""
    out = corners.copy()
    opened = corners[[5, 4]] - corners[[1, 2]]
    width = float(np.linalg.norm(corners[3] - corners[0]))
    height = np.maximum(np.linalg.norm(opened, axis=1, keepdims=True), 1e-3)
    inset = opened / height * np.minimum(0.3 * height, LID_EDGE * width)
    out[[1, 2]] += inset
    out[[5, 4]] -= inset
    return out


def _box(shape: tuple[int, ...], centre: Double, radius: float) -> tuple[slice, slice]:
    """The part of the picture that this eyeball can reach."""
    x, y = centre
    left, right = int(max(x - radius * 4, 0)), int(min(x + radius * 4, shape[1]))
    top, bottom = int(max(y - radius * 3, 0)), int(min(y + radius * 3, shape[0]))
    return slice(top, bottom), slice(left, right)


def _below_brow(
    window: tuple[slice, slice], light: Float, bright: float, brow: Double, corners: Double
) -> Float:
    """How far (h, w), in widths of the eye, a pixel of a window lies below the hair of a brow (5, 2)
    px, in a picture of brightness `light` (h, w) with skin as `bright`: a thick brow ends lower."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    order = np.argsort(brow[:, 0])
    rows, columns = (np.arange(part.start, part.stop) for part in window)
    line = np.interp(columns, brow[order, 0], brow[order, 1])
    down = (rows[:, None] - line) / width
    soft = cv2.GaussianBlur(light, (0, 0), max(0.03 * width, 0.5))
    lid = (np.interp(columns, *corners[[0, 1, 2, 3]].T) - line) / width
    rise = np.gradient(soft, axis=0) * np.exp(-((down / LIKELY) ** 2))
    rise *= (down > 0) & (down < THICKEST * lid)
    end = np.maximum(rise.argmax(0), 0)
    steep = np.maximum(rise.max(0), 0) * (width / bright)
    thick = (down[end, np.arange(len(columns))] + HAIR_ENDS) * steep
    thick, steep = (
        cv2.GaussianBlur(one[None].astype(np.float32), (0, 0), 0.08 * width)[0]
        for one in (thick, steep)
    )
    thick = thick / (steep + NO_BROW)
    out: Float = (down - np.maximum(thick, CLEAR_OF_BROW)).astype(np.float32)
    return out


def _lid_area(
    shape: tuple[int, ...], corners: Double, brow: Double, side: str, fine: float
) -> UInt8:
    """Mask of the opening, its lashes and the crease above: what a closed lid replaces."""
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
    outline = np.concatenate([points, tips[None]]).astype(np.float32)
    hull = np.asarray(cv2.convexHull(outline), np.float32)[:, 0]
    return dilated(polygon(shape, hull), disc(fine))


def _close(
    photo: Float, hidden: UInt8, corners: Double, brow: Double, side: str, fine: float
) -> tuple[Float, tuple[slice, slice]]:
    """Paint one eye of a photograph (H, W, 3), in place, over by the skin around it: how much (H,
    W) of it is painted, and the window around that. The hair of the `brow` (5, 2) px stays.

    Lashes, crease and make-up at the border are hidden too, so that they do not bleed into the lid.
    """
    width = float(np.linalg.norm(corners[3] - corners[0]))
    reach = disc(0.16 * width)
    beside = dilated(hidden, reach)
    left, top, across, down = cv2.boundingRect(beside)
    window = (slice(top, top + down), slice(left, left + across))
    part, mask, near = photo[window], hidden[window], beside[window] > 0
    light = part @ LUMA
    ring = near & (mask == 0)
    cover = np.zeros(photo.shape[:2], np.float32)
    if not ring.any():
        return cover, window
    bright = np.percentile(light[ring], 60)
    thin = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, disc(THIN * width))
    hairs = (thin > max(HAIRLINE * bright, GRAIN * float(np.median(thin[ring])))).astype(np.uint8)
    hairs = np.asarray(cv2.dilate(hairs, disc(1.2 * fine)), np.uint8)
    beyond = near & (dilated(mask, disc(0.12 * width)) == 0) & (hairs == 0)
    high = max(0, min(top, int(brow[:, 1].min() - HAIRY * width)))  # or the brow is not seen
    tall = slice(high, top + down), window[1]
    off = _below_brow(tall, photo[tall] @ LUMA, float(bright), brow, corners)[top - high :]
    below, bare = np.clip(off / BROW_ENDS, 0, 1), np.clip(off / BROW_ENDS - BROW_SHADE, FAR, 1)
    clean = spread(part, beyond * bare, 0.2 * width) @ LUMA
    limit = np.minimum(clean, bright) if beyond.any() else bright
    stain = ring & ((light < CLEAN * limit) | (hairs > 0))
    known = (ring & ~stain) * np.asarray(bare, np.float32)  # hair makes no lid, if skin is near
    filled = smooth(spread(part, known, 0.12 * width), EVEN * width)
    ys, xs = np.mgrid[top : top + down, left : left + across].astype(np.float32)
    middle = corners[[1, 2, 4, 5]].mean(0)
    x, y = (xs - middle[0]) / (0.5 * width), (ys - middle[1]) / (0.30 * width)
    bulge = 1 + BULGE * np.exp(-(x**2 * 1.5 + (y + 0.9) ** 2))
    grain = _grain(photo, window, corners, fine)
    crease = _crease(light, corners - (left, top), width, side) * below
    filled = filled * (bulge * (1 - crease))[..., None] + grain
    lower = corners[[0, 5, 4, 3]][np.argsort(corners[[0, 5, 4, 3], 0])]
    ends = np.interp(xs[0], *lower.T) + LOWER_EDGE * width
    stain &= ys < ends  # lashes of the lower lid stay
    k = cv2.GaussianBlur((mask | stain).astype(np.float32), (0, 0), 1.3 * fine)[..., None]
    inward = np.ones((down, across), np.uint8)
    inward[[0, -1]] = inward[:, [0, -1]] = 0
    fade = cv2.distanceTransform(inward, cv2.DIST_L2, 3) / np.float32(0.1 * width)
    k *= (np.clip(fade, 0, 1) * below)[..., None]  # no edge where the window ends
    photo[window] = part * (1 - k) + filled * k
    cover[window] = k[..., 0]
    return cover, window


def _crease(light: Float, corners: Double, width: float, side: str) -> Float:
    """How much darker (h, w), 0..1, a closed lid is along the fold above the open eye (6, 2) px, in
    a picture of brightness `light` (h, w): skin keeps the line in which it folds."""
    soft = cv2.GaussianBlur(light, (0, 0), max(FOLD_SOFT * width, 0.5))
    across = np.ones((2 * max(1, round(FOLD_THIN * width)) + 1, 1), np.uint8)
    dark = cv2.morphologyEx(soft, cv2.MORPH_BLACKHAT, across)
    level = np.ones((1, 2 * max(1, round(FOLD_LONG * width)) + 1), np.uint8)
    thick = cv2.dilate(dark, np.ones((2 * max(1, round(FOLD_SOFT * width)) + 1, 1), np.uint8))
    fold = np.minimum(cv2.morphologyEx(thick, cv2.MORPH_OPEN, level), dark)  # lashes are steep
    depth = fold / np.maximum(soft + fold, 1)
    rows, columns = (np.arange(side, dtype=np.float32) for side in light.shape)
    upper = corners[np.argsort(corners[:4, 0])]
    edge = np.interp(columns, *upper.T)
    depth *= np.clip(((edge - rows[:, None]) / width - FOLD_ABOVE) / 0.04, 0, 1)
    along = (columns - upper[0, 0]) / width
    if side == "R":
        along = 1 - along
    seen = (along > 0) & (along < FOLD_ENDS)
    most, place = depth.max(0) * seen, depth.argmax(0) / width
    if (most > 0).sum() < 8:
        return np.zeros(light.shape, np.float32)
    terms = np.stack([np.ones_like(along), along, along**2], 1)
    trust = most.astype(np.float64)
    for _ in range(3):
        bend = np.linalg.lstsq(terms * trust[:, None], place * trust, rcond=None)[0]
        off = place - terms @ bend
        trust = most * np.exp(-0.5 * (off / FOLD_STRAY) ** 2)
    strength = cv2.GaussianBlur(trust[None].astype(np.float32), (0, 0), 0.12 * width)[0]
    share = cv2.GaussianBlur(seen[None].astype(np.float32), (0, 0), 0.12 * width)[0]
    strength = np.minimum(FOLD_KEPT * strength / np.maximum(share, 0.3), FOLD_DEEPEST)
    line = (terms @ bend) * width
    profile = np.exp(-0.5 * ((rows[:, None] - line) / (FOLD_WIDE * width)) ** 2)
    return np.asarray(profile * strength, np.float32)


def _grain(photo: Float, window: tuple[slice, slice], corners: Double, fine: float) -> Float:
    """The skin's own texture (h, w, 3) for a closed lid: that of the cheek below, whose lines are
    left out."""
    rows, columns = window
    clear = corners[:, 1].max() + CLEAR_OF_LASHES * float(np.linalg.norm(corners[3] - corners[0]))
    top = max(0, min(int(clear), len(photo) - (rows.stop - rows.start)))
    below = photo[top : top + rows.stop - rows.start, columns]
    detail = below - cv2.GaussianBlur(below, (0, 0), 1.5 * fine)
    most = 3 * np.median(np.abs(detail)) + 1
    out: Float = np.clip(detail, -most, most)
    return out
