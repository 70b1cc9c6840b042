"""The eyes of a photograph, completed: the iris where a lid hides it, the white beside it, and the
skin of a closed lid.

Lengths tuned by eye are in pixels of the 320 px crop; `fine` says how many pixels of the picture at
hand are one of those. "Right" is the person's right eye, landmarks 36-41.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float, Int, Real, UInt8
from mien.face_model.sampling import LUMA

POINTS = {"R": slice(36, 42), "L": slice(42, 48)}
BROWS = {"R": slice(17, 22), "L": slice(22, 27)}

IRIS_RADII = (0.54, 0.60, 0.66)
"""Iris radii to try, cm: adults differ little, so the face's scale nearly tells it."""
CLEAR_OF_BROW = 0.14
"""Distance from a brow's middle, in widths of the eye, up to which its hair stays."""
LID_EDGE = 0.05
"""Width of what belongs to a lid along its edge, in widths of the eye."""
FINE_SIGMA = 10.0
"""Sigma, px, in which a Gaussian is drawn well enough: wider ones are drawn smaller."""
EDGE_REACH = 0.06
"""How far from the upper lid's edge its lashes are looked for, in widths of the eye."""
SHUT = (0.07, 0.13)
"""Height of an eye's outline, in units of its width, under which it is closed, and the same beside
an eye that is: laughing eyes are narrower than 0.13, but not one of them alone."""
SHADOW = 0.93
"""What was behind a lid is a little darker than what was in the open."""
THIN, HAIRLINE = 0.05, 0.06
"""Half width of a lash, in widths of the eye, and how much darker than its surround it is at least,
relative to the skin."""
GRAIN = 5.0
"""... and at least this often what is usual there: rough skin is not lashes."""
FAR = 1e-4
"""Weight of the mean colour where nothing that is known is near."""
CLEAN = 0.86
"""Skin beside the eye that is darker than this, relative to its brighter part and to the skin a
little farther out, which may lie in shade, is lash or paint."""


@dataclass(frozen=True)
class Iris:
    """Centre (2,) px and radius px."""

    centre: Double
    radius: float

    def at(self, fine: float) -> Iris:
        """The same in a picture of `fine` times the pixels."""
        return Iris((self.centre + 0.5) * fine - 0.5, self.radius * fine)


@dataclass(frozen=True)
class EyeTextures:
    """The eyes of a picture (H, W): `hidden` (H, W, 3), what a lid hides of them, where the
    photograph does not show it; `kept` (H, W), how far it does; lids (H, W, 3), the photograph with
    closed lids; the white's colour (3,), the lashes' colour (3,), and each iris by side."""

    hidden: Float
    kept: Float
    lids: Float
    white: Float
    lash: Float
    irises: dict[str, Iris]
    covers: dict[str, Float]
    """Per side, how much (H, W) of the photograph a closed lid replaces: the eye, its lashes and
    the crease above."""


def eye_textures(
    image: Float, landmarks: Double, irises: dict[str, Iris], fine: float
) -> EyeTextures:
    """Textures of a picture (H, W, 3), 0..255, with landmarks (68, 2) and irises in its px."""
    shape = image.shape[:2]
    complete, kept, lids = np.zeros_like(image), np.zeros(shape, np.float32), image.copy()
    around, covers = np.zeros(shape, np.uint8), dict[str, Float]()
    openings = {side: polygon(shape, landmarks[part]) for side, part in POINTS.items()}
    whites = {side: _white(image, openings[side], irises[side]) for side in POINTS}
    for side, closed in shut(landmarks).items():
        if closed:  # what lies there is a lid: as bright as the light is, and of no hue
            whites[side] = np.full(3, float(whites[side] @ LUMA), np.float32)
    brightest = max(whites.values(), key=lambda white: float(white @ LUMA))
    for side, part in POINTS.items():
        corners, iris = landmarks[part], irises[side]
        box = _box(shape, corners.mean(0), iris.radius)
        # An eye in shade, or one that is nearly shut, shows little white: believe it by half.
        white = (whites[side] + brightest) * np.float32(0.5)
        opening = openings[side][box]
        inner = polygon(shape, _clear_of_lids(corners))[box].astype(np.float32)
        own = np.clip(cv2.GaussianBlur(inner, (0, 0), 0.8 * fine) * 1.6 - 0.3, 0, 1)
        corner = np.array([box[1].start, box[0].start], np.float64)
        within = Iris(iris.centre - corner, iris.radius)
        filled = _complete_eye(image[box], opening, within, white, fine)
        complete[box] = filled * (1 - own[..., None]) * np.float32(SHADOW)
        kept[box] = own
        area = _lid_area(shape, corners, landmarks[BROWS[side]], side, fine)
        covers[side], window = _close(lids, area, corners, fine)
        covers[side][window] *= _below_brow(window, landmarks[BROWS[side]], corners)
        edge = np.zeros(shape, np.uint8)
        reach = max(1, round(2 * EDGE_REACH * float(np.linalg.norm(corners[3] - corners[0]))))
        cv2.polylines(edge, [fixed_point(corners[:4])], False, (1,), reach, shift=4)
        around |= edge
    lash = np.percentile(image[around > 0], 6, axis=0) if around.any() else np.zeros(3)
    return EyeTextures(
        complete,
        kept,
        lids,
        np.mean(list(whites.values()), 0, np.float32),
        lash.astype(np.float32),
        irises,
        covers,
    )


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


def disc(radius: float) -> UInt8:
    """A structuring element that reaches `radius` px."""
    side = 2 * max(1, round(radius)) + 1
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)), np.uint8)


def polygon(shape: tuple[int, ...], points: Real) -> UInt8:
    """Mask (H, W) of 0 and 1 of the polygon through points (N, 2) px."""
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [fixed_point(points)], (1,), shift=4)
    return mask


def fixed_point(points: Real) -> Int:
    """Points (N, 2) in sixteenths of a pixel, for OpenCV's drawing with shift=4."""
    return np.round(np.asarray(points) * 16).astype(np.int32)


def find_iris(
    image: Float,
    corners: Double,
    opening: UInt8,
    scale: float,
    radii: tuple[float, ...] = IRIS_RADII,
) -> Iris:
    """The disc in the eye's opening that is darkest against its surround, near the middle; `radii`,
    cm, are tried."""
    ys, xs = np.nonzero(opening)
    light = image[ys, xs] @ LUMA
    cx, cy = corners.mean(0)
    best, found = -1e9, Iris(np.array([cx, cy]), radii[len(radii) // 2] * scale)
    if len(light) <= 20:
        return found
    dx, dy = (g.ravel() for g in np.meshgrid(np.arange(-9, 9.1, 0.75), np.arange(-4, 4.1, 0.75)))
    distance = (xs - cx - dx[:, None]) ** 2 + (ys - cy + 0.3 - dy[:, None]) ** 2  # (K, P)
    for radius in (r * scale for r in radii):
        within = distance < radius * radius * 0.85
        inside = within.sum(1)
        outside = len(light) - inside
        bright = within @ light
        contrast = (light.sum() - bright) / np.maximum(outside, 1) - bright / np.maximum(inside, 1)
        score = contrast - 0.4 * np.abs(dx) - 0.8 * np.abs(dy)
        score[(inside < 8) | (outside < 6)] = -1e9
        k = int(np.argmax(score))
        if score[k] > best:
            best, found = float(score[k]), Iris(np.array([cx + dx[k], cy + dy[k] - 0.3]), radius)
    return found


def _from_middle(shape: tuple[int, ...], iris: Iris) -> Float:
    """Distance (H, W) px from the middle of an iris."""
    ys, xs = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    out: Float = np.hypot(xs - iris.centre[0], ys - iris.centre[1]).astype(np.float32)
    return out


def _white(image: Float, opening: UInt8, iris: Iris) -> Float:
    """Colour (3,) of the white of an eye."""
    left, top, across, down = cv2.boundingRect(opening)
    box = np.s_[max(top - 1, 0) : top + down + 1, max(left - 1, 0) : left + across + 1]
    image, opening = image[box], opening[box]
    inner = cv2.erode(opening, np.ones((3, 3))) > 0
    there = Iris(iris.centre - (box[1].start, box[0].start), iris.radius)
    sclera = inner & (_from_middle(image.shape, there) > iris.radius * 1.1)
    if sclera.sum() > 5:
        white = np.percentile(image[sclera], 80, axis=0)
    elif opening.any():
        white = np.percentile(image[opening > 0], 85, axis=0)
    else:
        white = np.full(3, 150.0)
    return white.astype(np.float32)


def shut(landmarks: Real) -> dict[str, bool]:
    """Which eyes of landmarks (68, 2) px are closed."""
    heights = {}
    for side, part in POINTS.items():
        corners = landmarks[part]
        width = max(float(np.linalg.norm(corners[3] - corners[0])), 1e-3)
        opened = np.linalg.norm(corners[[5, 4]] - corners[[1, 2]], axis=1)
        heights[side] = float(opened.mean()) / width
    surely, likely = SHUT
    most = likely if min(heights.values()) < surely else surely
    return {side: height < most for side, height in heights.items()}


def _complete_eye(image: Float, opening: UInt8, iris: Iris, white: Float, fine: float) -> Float:
    """Picture (H, W, 3) of a whole iris on `white` (3,)."""
    distance = _from_middle(image.shape, iris) / np.float32(fine)
    radius = iris.radius / fine
    inner = cv2.erode(opening, disc(fine)) > 0
    colours, radii = image[inner], distance[inner]
    x, y = np.clip(np.round(iris.centre).astype(int), 0, (image.shape[1] - 1, len(image) - 1))
    profile = [image[y, x]]
    for ring in range(int(radius) + 2):
        near = np.abs(radii - ring) < 1.2
        profile.append(np.median(colours[near], axis=0) if near.sum() > 2 else profile[-1])
    table = np.array(profile[1:], np.float32)
    at = np.clip(distance, 0, len(table) - 1.001)
    low = at.astype(int)
    part = (at - low)[..., None]
    iris_colour = table[low] * (1 - part) + table[low + 1] * part
    a = np.clip((radius - distance) / 1.5 + 0.5, 0, 1)[..., None]
    ball = np.clip(1.03 - 0.13 * (distance / radius / 2) ** 2, 0.55, 1)[..., None]
    filled: Float = (white * ball * (1 - a) + iris_colour * a).astype(np.float32)
    return filled


def _box(shape: tuple[int, ...], centre: Double, radius: float) -> tuple[slice, slice]:
    """The part of the picture that this eyeball can reach."""
    x, y = centre
    left, right = int(max(x - radius * 4, 0)), int(min(x + radius * 4, shape[1]))
    top, bottom = int(max(y - radius * 3, 0)), int(min(y + radius * 3, shape[0]))
    return slice(top, bottom), slice(left, right)


def _below_brow(window: tuple[slice, slice], brow: Double, corners: Double) -> Float:
    """How far (h, w) a pixel of a window lies below a brow (5, 2) px, 0 on it and 1 on the lid."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    order = np.argsort(brow[:, 0])
    rows, columns = (np.arange(part.start, part.stop) for part in window)
    line = np.interp(columns, brow[order, 0], brow[order, 1])
    below = (rows[:, None] - line - CLEAR_OF_BROW * width) / (0.12 * width)
    out: Float = np.clip(below, 0, 1).astype(np.float32)
    return out


def _lid_area(
    shape: tuple[int, ...], corners: Double, brow: Double, side: str, fine: float
) -> UInt8:
    """Mask of the opening, its lashes and the crease above: what a closed lid replaces."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    room = max(4.0, float(corners[[1, 2], 1].mean() - brow[1:4, 1].mean()))
    points = corners.copy()
    points[[1, 2], 1] -= min(0.24 * width, 0.5 * room)
    points[[4, 5], 1] += 0.13 * width
    across = points[3] - points[0]
    outer, inner = 0.22, 0.05  # lashes stand out beyond the outer corner
    first, last = (outer, inner) if side == "R" else (inner, outer)
    points[0], points[3] = points[0] - across * first, points[3] + across * last
    hull = np.asarray(cv2.convexHull(points.astype(np.float32)), np.float32)[:, 0]
    return _dilated(polygon(shape, hull), disc(fine))


def _dilated(mask: UInt8, kernel: UInt8) -> UInt8:
    """A mask (H, W) grown by a kernel (h, w), which looks only where something is set."""
    left, top, width, height = cv2.boundingRect(mask)
    down, across = (side // 2 for side in kernel.shape)
    part = np.s_[
        max(top - down, 0) : top + height + down, max(left - across, 0) : left + width + across
    ]
    out = np.zeros_like(mask)
    if width and height:
        out[part] = cv2.dilate(mask[part], kernel)
    return out


def _close(
    photo: Float, hidden: UInt8, corners: Double, fine: float
) -> tuple[Float, tuple[slice, slice]]:
    """Paint one eye of a photograph (H, W, 3), in place, over by the skin around it: how much (H,
    W) of it is painted, and the window around that.

    Lashes, crease and make-up at the border are hidden too, so that they do not bleed into the lid.
    """
    width = float(np.linalg.norm(corners[3] - corners[0]))
    reach = disc(0.16 * width)
    around = _dilated(hidden, reach)
    left, top, across, down = cv2.boundingRect(around)
    window = (slice(top, top + down), slice(left, left + across))
    part, mask, near = photo[window], hidden[window], around[window] > 0
    light = part @ LUMA
    ring = near & (mask == 0)
    cover = np.zeros(photo.shape[:2], np.float32)
    if not ring.any():
        return cover, window
    bright = np.percentile(light[ring], 60)
    thin = cv2.morphologyEx(light, cv2.MORPH_BLACKHAT, disc(THIN * width))
    hairs = (thin > max(HAIRLINE * bright, GRAIN * float(np.median(thin[ring])))).astype(np.uint8)
    hairs = np.asarray(cv2.dilate(hairs, disc(1.2 * fine)), np.uint8)
    beyond = near & (_dilated(mask, disc(0.12 * width)) == 0) & (hairs == 0)
    clean = spread(part, beyond.astype(np.float32), 0.2 * width) @ LUMA
    limit = np.minimum(clean, bright) if beyond.any() else bright
    stain = ring & ((light < CLEAN * limit) | (hairs > 0))
    known = (ring & ~stain).astype(np.float32)
    filled = spread(part, known, 0.12 * width)
    ys, xs = np.mgrid[top : top + down, left : left + across].astype(np.float32)
    middle = corners[[1, 2, 4, 5]].mean(0)
    x, y = (xs - middle[0]) / (0.5 * width), (ys - middle[1]) / (0.30 * width)
    bulge = 1 + 0.05 * np.exp(-(x**2 * 1.5 + y**2)) - 0.05 * np.exp(-((y + 0.9) ** 2) * 9 - x**2)
    grain = _grain(photo, window, corners, fine)
    filled = filled * (0.97 * bulge)[..., None] + grain
    k = cv2.GaussianBlur((mask | stain).astype(np.float32), (0, 0), 1.3 * fine)[..., None]
    inward = np.ones((down, across), np.uint8)
    inward[[0, -1]] = inward[:, [0, -1]] = 0
    fade = cv2.distanceTransform(inward, cv2.DIST_L2, 3) / np.float32(0.1 * width)
    k *= np.clip(fade, 0, 1)[..., None]  # no edge where the window ends
    photo[window] = part * (1 - k) + filled * k
    cover[window] = k[..., 0]
    return cover, window


def _grain(photo: Float, window: tuple[slice, slice], corners: Double, fine: float) -> Float:
    """The skin's own texture (h, w, 3) for a closed lid: that of the cheek below, whose lines are
    left out."""
    rows, columns = window
    down = round(0.62 * float(np.linalg.norm(corners[3] - corners[0])))
    top = min(rows.start + down, len(photo) - (rows.stop - rows.start))
    below = photo[top : top + rows.stop - rows.start, columns]
    detail = below - cv2.GaussianBlur(below, (0, 0), 1.5 * fine)
    most = 3 * np.median(np.abs(detail)) + 1
    out: Float = np.clip(detail, -most, most)
    return out


def _smooth(image: Float, sigma: float) -> Float:
    """`image` (H, W, C) under a Gaussian; one that is wide for its pixels at a part of its size."""
    height, width = image.shape[:2]
    times = min(int(sigma / FINE_SIGMA), height // 8, width // 8)
    if times < 2:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32)
    size = -(-width // times), -(-height // times)
    # whole blocks of pixels, or the last ones would be narrower than the rest
    room = size[1] * times - height, size[0] * times - width
    wide = cv2.copyMakeBorder(image, 0, room[0], 0, room[1], cv2.BORDER_REFLECT_101)
    small = cv2.resize(wide, size, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma / times)
    large = cv2.resize(soft, wide.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(large[:height, :width], np.float32)


def spread(image: Float, known: Float, sigma: float) -> Float:
    """`image` (H, W, 3) smoothed from its `known` (H, W) pixels to all, near ones first."""
    held = image * cv2.merge((known, known, known))  # NumPy is slow at broadcasting to three
    every = max(float(known.sum()), 1.0)
    red, green, blue, _ = (FAR * part / every for part in cv2.sumElems(held))
    stacked = cv2.merge((*cv2.split(held), known))
    total = _smooth(stacked, sigma) + 0.03 * _smooth(stacked, sigma * 2.5)
    *colours, weight = cv2.split(cv2.add(total, (red, green, blue, FAR)))
    return np.asarray(cv2.merge([cv2.divide(part, weight) for part in colours]), np.float32)
