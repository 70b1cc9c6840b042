"""Cutting the upper teeth out of a smile: where the lips end, where the teeth end, and the row of
teeth laid flat.

Landmarks miss the edge of a lip by a pixel or two, so each edge is the best path from corner to
corner near them: lip to mouth above, tooth to gap below.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

from mien.face_model.arrays import Bool, Double, Float, Index, Real, UInt8
from mien.face_model.eyes import polygon
from mien.face_model.sampling import LUMA, sample

EYES = 6.51
"""Distance of the eyes' middles on the mean face, cm: the ruler."""
WORK = 48
"""Pixels per centimetre while edges are looked for."""
BOX = (7.4, 3.8)
"""Width and height of the searched part around the mouth, cm."""
UPPER, LOWER = [60, 61, 62, 63, 64], [60, 67, 66, 65, 64]
"""Inner-lip landmarks from left to right."""
NEAR_UPPER, NEAR_LOWER = 0.16, 0.22
"""How far an edge may lie from the landmarks' line, cm."""
INSET = 0.03
"""Kept away from the lip's edge, cm: no rim of lip comes along."""
EDGE = 0.025
"""Half width of the softened edges, cm."""
NOTCH = (0.12, 0.08)
"""How far the edge of a tooth may lie above and below the row's smooth curve, cm."""
PEG, BETWEEN, EVENED = 0.4, 0.3, 0.05
"""What hangs below the row and is narrower than this, cm, is a piece of a lower tooth that touches
it; what reaches up into the row and is narrower than the second is a gap, which the picture shows
as one; over what width, cm, the edge is made even."""
BRIGHTEST, WHITISH, PALEST = 97, 0.8, 25
"""Percentile of the inside's lightness that is enamel in light; part of that from which on it is
looked for; and percentile of the redness there that is its own: in a dropped jaw little is tooth,
and much of the rest is lip and tongue."""
BELOW, LIP = (0.03, 0.12), (0.25, 0.6)
"""How far below an edge, cm, a lip is looked for; how much of it is none, and a whole one."""
INNER, MET_EVEN = 0.2, 0.4
"""How far inside a row, cm, its end begins: there it fades, and cheeks are near; and over what
width a lip meets a row as much."""
PASSED = 8 * 0.2
"""An end of a tooth counts 1 / e of another once this has been passed on the way down: a fifth of
the step from enamel to dark, as the filter sums it."""
END = 0.15
"""Half width over which a row fades at its two ends, cm."""
SHUT, NARROWEST = 0.03, 1.5
"""Lip gap over the mouth's width, and width of the seen row, cm, below which there are no teeth to
cut."""
MIDDLE = 1.2
"""Half width of what counts as front teeth, cm."""


@dataclass(frozen=True)
class Row:
    """An upper row of teeth laid flat: column 0 is the left in the picture, row 0 the highest.

    pixels (R, C, 4) RGB and coverage; top (C,) cm, how high above the teeth's edge the upper lip
    cut it; arc (C,) cm, how much higher the teeth's edge lies than in the middle, the same left and
    right; enamel (3,): colour of the front teeth; opening: lip gap over the mouth's width; shown:
    height, cm, of the front teeth that is seen; clean: 0..1, how much of that is tooth; place (2,)
    px: where in the photograph the two middle teeth meet at their edge; edge (C, 2) px: where in it
    each column has the row's edge, teeth and gaps alike; rise (2,) px: 1 cm up in it; met (C,):
    whether, 0..1, the lower lip lies right below the edge, which then is the lip's;
    higher (C,) cm: how much higher the edge lies than in the middle, left and right as they are.
    """

    pixels: UInt8
    top: Float
    arc: Float
    enamel: Float
    opening: float
    shown: float
    clean: float
    place: Double
    edge: Double
    rise: Double
    met: Float
    higher: Float


@dataclass(frozen=True)
class Flat:
    """How a row is laid flat: pixels per cm; half width; heights above and below the teeth's edge,
    cm."""

    density: int
    half: float
    above: float
    below: float

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return round((self.above + self.below) * self.density), round(2 * self.half * self.density)

    @property
    def across(self) -> Float:
        """Place of each column (C,), cm from the middle, to the right in the picture."""
        n = self.shape[1]
        return ((np.arange(n) - (n - 1) / 2) / self.density).astype(np.float32)

    @property
    def heights(self) -> Float:
        """Height of each row (R,) above the teeth's edge, cm."""
        n = self.shape[0]
        return (self.above - (np.arange(n) + 0.5) / self.density).astype(np.float32)


@dataclass(frozen=True)
class _Smile:
    """An upright picture (H, W, 3) of an open mouth, `WORK` px per cm, what was found in it, and
    the matrix that brought the photograph there; columns, and per column the rows of the upper
    lip's and of the upper teeth's edge, (N,)."""

    photo: UInt8
    matrix: Double
    picture: Float
    points: Double
    tooth: Float
    lip: Float
    columns: Index
    top: Double
    edge: Double


def cut(photo: UInt8, landmarks: Real, flat: Flat) -> Row | None:
    """The upper row of teeth of a photograph (H, W, 3) RGB with landmarks (68, 2) px; None if the
    mouth is closed or no row of teeth is found."""
    photo, landmarks, shrunk = _at_density(photo, landmarks, flat.density)
    matrix = _upright(landmarks)
    size = (round(BOX[0] * WORK), round(BOX[1] * WORK))
    picture = cv2.warpAffine(photo, matrix, size, flags=cv2.INTER_CUBIC).astype(np.float32)
    points = landmarks @ matrix[:, :2].T + matrix[:, 2]
    lips = points[60:68]
    width = float(lips[4, 0] - lips[0, 0])
    opening = float((lips[5:8, 1].mean() - lips[1:4, 1].mean()) / max(width, 1.0))
    if opening < SHUT or width < WORK:
        return None
    maps = _maps(picture, points)
    if maps is None:
        return None
    tooth, lip = maps
    # seen from the side, eyes are near each other and a mouth may be wider than the box
    columns = np.arange(max(0, int(np.ceil(lips[0, 0]))), min(int(lips[4, 0]), size[0]))
    top, edge = _edges(tooth, lip, points, columns)
    seen = _toothed(tooth, top, edge, columns)
    if seen.sum() < NARROWEST * WORK:
        return None
    smile = _Smile(photo, matrix, picture, points, tooth, lip, columns[seen], top[seen], edge[seen])
    row = _flattened(smile, flat, opening)
    place, edge = ((part + 0.5) / shrunk - 0.5 for part in (row.place, row.edge))
    return replace(row, place=place, edge=edge, rise=row.rise / shrunk)


def _at_density(photo: UInt8, landmarks: Real, density: int) -> tuple[UInt8, Double, float]:
    """A photograph that is much finer than is kept, shrunk by area, its landmarks, and by how
    much."""
    points = np.asarray(landmarks, np.float64)
    own = float(np.linalg.norm(points[42:48].mean(0) - points[36:42].mean(0))) / EYES
    shrink = 1.2 * density / max(own, 1.0)
    if shrink > 0.8:
        return photo, points, 1.0
    small = cv2.resize(photo, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), (points + 0.5) * shrink - 0.5, shrink


def _upright(points: Double) -> Double:
    """What brings the mouth of landmarks (68, 2) upright to the middle of the box, (2, 3)."""
    across = points[42:48].mean(0) - points[36:42].mean(0)
    scale = EYES * WORK / float(np.linalg.norm(across))
    c, s = np.array([across[0], -across[1]]) / np.linalg.norm(across) * scale
    matrix = np.array([[c, -s, 0.0], [s, c, 0.0]])
    middle = np.array([points[[51, 57, 60, 62, 64, 66], 0].mean(), points[60:68, 1].mean()])
    matrix[:, 2] = (np.array(BOX) * WORK - 1) / 2 - matrix[:, :2] @ middle
    return matrix


def _maps(picture: Float, points: Double) -> tuple[Float, Float] | None:
    """How much each pixel (H, W) looks like enamel, and like lip, 0..1; None without contrast."""
    shape = picture.shape[:2]
    inner, outer = polygon(shape, points[60:68]), polygon(shape, points[48:60])
    away = cv2.distanceTransform(np.asarray(1 - inner, np.uint8), cv2.DIST_L2, 5)
    lip = (outer > 0) & (away > 0.12 * WORK)
    core = cv2.erode(inner, np.ones((3, 3))) > 0
    if core.sum() < 50 or lip.sum() < 50:
        return None
    soft = cv2.GaussianBlur(picture, (0, 0), 0.7)
    lab = cv2.cvtColor(np.clip(soft / 255, 0, 1), cv2.COLOR_RGB2LAB)
    light, red = lab[..., 0], lab[..., 1]
    high = float(np.percentile(light[core], BRIGHTEST))
    pale = float(np.percentile(red[core & (light > WHITISH * high)], PALEST))
    redness = (red - pale) / max(float(np.median(red[lip])) - pale, 6.0)
    bright = np.clip((light - 0.45 * high) / (0.25 * high), 0, 1)
    tooth = bright * np.clip(1.4 - 1.6 * redness, 0, 1)
    shown = np.clip((light - 0.30 * high) / (0.12 * high), 0, 1)
    return tooth.astype(np.float32), (np.clip((redness - 0.3) / 0.4, 0, 1) * shown).astype(
        np.float32
    )


def _edges(tooth: Float, lip: Float, points: Double, columns: Index) -> tuple[Double, Double]:
    """Rows (N,), per column, of the upper lip's edge and of the upper teeth's."""
    y = np.arange(len(tooth))[:, None]
    over = np.interp(columns, points[UPPER, 0], points[UPPER, 1])
    under = np.interp(columns, points[LOWER, 0], points[LOWER, 1])
    leaves = cv2.Sobel(cv2.GaussianBlur(1 - lip, (0, 0), 1.2), cv2.CV_32F, 0, 1)[:, columns]
    top = _path(leaves * np.exp(-(((y - over) / (NEAR_UPPER * WORK)) ** 2)), 0.04, 2)
    ends = -cv2.Sobel(cv2.GaussianBlur(tooth, (0, 0), 0.8), cv2.CV_32F, 0, 1)[:, columns]
    beyond = np.maximum((y - under) / (0.7 * NEAR_LOWER * WORK), 0)
    ends = np.maximum(ends, 0) * (y > over)
    passed = np.cumsum(ends, axis=0) - ends  # a lower row ends too, and often more sharply
    edge = _path(ends * np.exp(-(beyond**2) - passed / PASSED), 0.08, 3)
    return top.astype(np.float64), edge.astype(np.float64)


def _path(gain: NDArray[Any], stiffness: float, jump: int) -> Index:
    """Rows (N,) of the path from left to right through `gain` (H, N) that collects the most; each
    row of a step costs `stiffness`."""
    height, count = gain.shape
    steps = np.arange(-jump, jump + 1)
    best, came = gain[:, 0].copy(), np.zeros((height, count), np.intp)
    for x in range(1, count):
        padded = np.pad(best, jump, constant_values=-np.inf)
        options = np.stack(
            [padded[jump + s : jump + s + height] - stiffness * abs(s) for s in steps]
        )
        chosen = options.argmax(0)
        came[:, x] = steps[chosen]
        best = options[chosen, np.arange(height)] + gain[:, x]
    rows = np.empty(count, np.intp)
    rows[-1] = best.argmax()
    for x in range(count - 1, 0, -1):
        rows[x - 1] = rows[x] + came[rows[x], x]
    return rows


def _toothed(tooth: Float, top: Double, edge: Double, columns: Index) -> Bool:
    """Columns (N,) from the first that shows a tooth to the last."""
    found = [
        b - a > 0.08 * WORK and tooth[int(a) : int(b) + 1, x].mean() > 0.35
        for a, b, x in zip(top, edge, columns, strict=True)
    ]
    out = np.zeros(len(columns), bool)
    at = np.flatnonzero(found)
    if len(at):
        out[at[0] : at[-1] + 1] = True
    return out


def _flattened(smile: _Smile, flat: Flat, opening: float) -> Row:
    """Flatten the row of a smile."""
    x = smile.columns.astype(np.float64)
    curve = Polynomial.fit(x, _fair(x, smile.edge, 4), 4)
    lip = Polynomial.fit(x, _fair(x, smile.top, 6), 6)
    middle = _midline(smile.picture, smile.points, curve)
    across = flat.across.astype(np.float64)
    columns = middle + across * WORK
    within = _ramp(np.minimum(columns - x[0], x[-1] - columns), END)
    base = curve(np.clip(columns, x[0], x[-1]))
    height = np.maximum((base - lip(np.clip(columns, x[0], x[-1]))) / WORK - INSET, 0.0)
    rows = base - flat.heights[:, None].astype(np.float64) * WORK
    place = np.stack(np.broadcast_arrays(columns, rows), -1)
    bites = base + np.interp(columns, x, _bitten(smile.edge - curve(x)))
    cover = _ramp(bites - INSET * WORK * 0.5 - rows, EDGE) * within
    inverse = np.linalg.inv(smile.matrix[:, :2])
    colour = _read(smile.photo, (place - smile.matrix[:, 2]) @ inverse.T)
    front = (np.abs(across) < MIDDLE) & (flat.heights[:, None] < height)
    front &= flat.heights[:, None] > 0
    enamel = _read(smile.tooth, place)
    teeth = front & (enamel > 0.8)
    side = np.minimum(np.abs(across) * WORK, min(middle - x[0], x[-1] - middle))
    arc = (curve(middle) - (curve(middle - side) + curve(middle + side)) / 2) / WORK
    return Row(
        pixels=np.dstack([colour, np.round(255 * cover).astype(np.uint8)]),
        top=height.astype(np.float32),
        arc=arc.astype(np.float32),
        enamel=np.asarray(np.median(colour[teeth], axis=0) if teeth.any() else [0] * 3, np.float32),
        opening=opening,
        shown=float(height[np.abs(across) < MIDDLE].mean()),
        clean=float(enamel[front].mean()) if front.any() else 0.0,
        place=(np.array([middle, curve(middle)]) - smile.matrix[:, 2]) @ inverse.T,
        edge=(np.stack([columns, base], 1) - smile.matrix[:, 2]) @ inverse.T,
        rise=np.array([0.0, -WORK]) @ inverse.T,
        met=_met(smile, columns, bites),
        higher=((curve(middle) - base) / WORK).astype(np.float32),
    )


def _met(smile: _Smile, columns: Double, edge: Double) -> Float:
    """How much lip (C,), 0..1, lies right below the edge (C,) px of the row's columns (C,) px; what
    is beside the row is as its end is."""
    rows = edge + np.linspace(*BELOW, 7)[:, None] * WORK
    lip = _read(smile.lip, np.stack(np.broadcast_arrays(columns, rows), -1)).mean(0)
    share = np.clip((lip - LIP[0]) / (LIP[1] - LIP[0]), 0, 1)
    ends = np.clip(columns, smile.columns[0] + INNER * WORK, smile.columns[-1] - INNER * WORK)
    share = np.interp(ends, columns, share).astype(np.float32)
    even = MET_EVEN * WORK / float(columns[1] - columns[0])
    return np.asarray(cv2.GaussianBlur(share[None], (0, 0), even)[0], np.float32)


def _bitten(off: Double) -> Double:
    """How far the edge of each column (N,) lies below the row's smooth curve, px, given where its
    path does: no further than teeth do, without pegs and without gaps between two teeth."""
    whole: NDArray[Any] = np.clip(off, -NOTCH[0] * WORK, NOTCH[1] * WORK)[None]
    for way, size in ((cv2.MORPH_CLOSE, BETWEEN), (cv2.MORPH_OPEN, PEG)):
        wide = np.ones((1, 2 * round(size * WORK / 2) + 1), np.uint8)
        whole = cv2.morphologyEx(whole, way, wide, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), EVENED * WORK)[0], np.float64)


def _read(picture: UInt8 | Float, place: Double) -> NDArray[Any]:
    """`picture` (H, W[, 3]) at `place` (R, C, 2) px."""
    x, y = (np.ascontiguousarray(place[..., i], np.float32) for i in (0, 1))
    seen = cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(seen)


def _fair(x: Double, y: Double, degree: int) -> Double:
    """`y` (N,) with what lies far from its own smooth curve pulled onto it."""
    out = y
    for _ in range(3):
        smooth = Polynomial.fit(x, out, degree)(x)
        spread = max(float(np.median(np.abs(out - smooth))) * 2.5, 0.5)
        out = np.clip(out, smooth - spread, smooth + spread)
    return np.asarray(out, np.float64)


def _midline(picture: Float, points: Double, curve: Polynomial) -> float:
    """Where the two middle teeth meet: the darkest column near the middle of the lips."""
    guess = float(points[[51, 57, 62, 66], 0].mean())
    around = np.arange(round(guess - 0.3 * WORK), round(guess + 0.3 * WORK) + 1)
    rows = curve(around)[None] - np.linspace(0.08, 0.4, 9)[:, None] * WORK
    grid = np.stack(np.broadcast_arrays(around[None].astype(np.float64), rows), -1)
    light = sample(picture @ LUMA, grid.reshape(-1, 2).astype(np.float32)).reshape(rows.shape)
    profile = cv2.GaussianBlur(light.mean(0)[None], (0, 0), 1.0)[0]
    local = profile - cv2.GaussianBlur(profile[None], (0, 0), 0.12 * WORK)[0]
    toward = 0.02 * float(profile.mean()) * ((around - guess) / (0.3 * WORK)) ** 2
    return float(around[int(np.argmin(local + toward))])


def _ramp(distance: Real, half: float) -> Double:
    """0..1 across an edge, at `distance` px inside it, `half` cm to either side."""
    return np.clip(np.asarray(distance, np.float64) / (2 * half * WORK) + 0.5, 0, 1)
