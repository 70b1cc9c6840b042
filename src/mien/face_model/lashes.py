"""The lashes of an upper lid that is closed or nearly so: the dark edge that their roots make, from
the inner corner to beyond the outer one, and curves that hang from it in small bundles, longer,
denser, darker and more curled in some people than in others."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.arrays import Double, Float
from mien.face_model.eyes import fixed_point
from mien.face_model.frame import Frame
from mien.face_model.layers import Layers
from mien.face_model.sampling import LUMA, merged
from mien.face_model.smoothstep import smoothstep

COUNT = (58, 84)
"""Fewest and most lashes of a lid."""
LASH_THICK = 0.036
"""Width of a lash at its root, cm."""
LASH_COVER = (0.62, 0.9)
"""How much of what is behind it a lash hides at its root, least and most."""
LONG, LONGER = (0.28, 0.72), (0.75, 1.2)
"""Length as seen from the front, cm: near the nose, and at two thirds of the way out; and people's,
in units of that."""
FAN = (-0.35, 1.0)
"""Slope aside, towards the temple, of the first and of the last lash, per length."""
CURL = (0.25, 0.5)
"""How much the tips turn up and out, per length."""
BUNDLES, TOGETHER = (2, 5), (0.2, 0.75)
"""How many lashes lean on one another, fewest and most, and how far their tips come together."""
PLACES = (0.1, 1.04)
"""Where on the lid's edge the first and the last of them stand: 0 is the inner corner, 1 the outer
one."""
EDGE, EDGE_COVER = (0.075, 0.105), (0.72, 0.9)
"""Width of the edge that their roots make, cm, and how dark it is."""
SHADE, SHADE_WIDTH = (0.28, 0.38), 0.5
"""How dark the shade is that lashes and the lid's edge throw, and how wide, cm."""
SPARSE, RICH = 0.85, 1.2
"""Length of lashes of which the open eye shows none, and of mascara, in units of a person's."""
BARE, MADE_UP = 0.004, 0.02
"""How far lashes stand out from the skin above the outer half of an open eye, in units of the
skin's brightness: hardly any, and mascara (of 68 London training people at 640 px: .001 to .033,
and .011 in the middle)."""
SHADE_ABOVE = 0.2
"""How far above the edge its middle lies, in units of its width: a lid bends away from the light
there."""
USUAL, READABLE = 0.5, (18.0, 40.0)
"""How rich lashes are, 0..1, in a photograph too small to tell: width of an eye, px, up to which it
is, and from which on it is not."""
STANDING = (0.14, 0.22)
"""Height of an open eye, in its widths, up to which its lashes do not stand up over the skin, and
from which on they do."""
BEYOND, DROOP, SUNK, LOWER = 0.06, 0.9, 0.015, 0.025
"""How far the edge of a closed lid goes on beyond the landmark of the outer corner; how low it ends
there: by so much of how low it hangs at most, and by so much more, for the corner sinks with it;
and how far it lies over the lower lid (widths of the eye; by eye, beside the blinks of `grid`)."""
OPENED, CLOSED = 0.45, 0.9
"""Blink up to which the edge is the mesh's, and from which on it is a closed lid's."""
HANGING = 0.2
"""How far a lid must come down until its lashes show against what is below."""
LEAST_BLUR = 0.3
"""Blur of a photograph, raster px, that changes nothing."""
POINTS = 6
REACH = 1.6
"""How far from the corners of an eye, cm, its lashes and their shade lie at most."""


@dataclass(frozen=True)
class Look:
    """How a photograph shows lashes: their colour (3,), 0..255; `blur`, sigma, px of the crop;
    `shading` (3,), by how much more than brightness each colour of the skin changes in shade."""

    colour: Float
    blur: float
    shading: Float


@dataclass(frozen=True)
class Lashes:
    """One person's lashes, the same in every picture: their number, length and fan in units of the
    usual, curl, how far they come `together`; `cover`, `edge` (cm), `edge_cover` and `shade` are
    how they look."""

    seed: int
    count: int
    long: float
    fan: float
    curl: float
    together: float
    cover: float
    edge: float
    edge_cover: float
    shade: float

    @classmethod
    def of(cls, seed: int, rich: float = USUAL) -> Lashes:
        """`seed`: of the person; `rich`: how far their lashes stand out, 0..1."""
        random = np.random.default_rng((seed, 23))
        ranges = (COUNT, LONGER, (0.75, 1.2), CURL, TOGETHER, LASH_COVER, EDGE, EDGE_COVER, SHADE)
        shares = random.uniform(0, 1, len(ranges))
        for k in (1, 5, 6, 7):  # what the photograph tells of them counts more than chance
            shares[k] = 0.35 * shares[k] + 0.65 * rich
        count, long, *rest = (
            a + (b - a) * float(s) for (a, b), s in zip(ranges, shares, strict=True)
        )
        return cls(
            seed,
            round(count * (0.75 + 0.35 * rich)),
            long * (SPARSE + (RICH - SPARSE) * rich),
            *rest,
        )

    def __call__(self, edge: Float, unit: float, side: str, hang: float) -> Float:
        """Lashes (L, 6, 2) px, each from root to tip, along a lid's `edge` (N, 2) px from the inner
        corner to beyond the outer one, at `unit` px per cm; `hang` 0..1: how far they hang."""
        random = np.random.default_rng((self.seed, 7 if side == "L" else 8))
        out = float(np.sign(edge[-1, 0] - edge[0, 0]) or 1.0)
        at = _along(edge)
        step = (PLACES[1] - PLACES[0]) / self.count
        places = np.linspace(*PLACES, self.count) + random.normal(0, 0.6 * step, self.count)
        roots = np.stack([np.interp(places, at, edge[:, i]) for i in (0, 1)], 1)
        sizes = LONG[0] + (LONG[1] - LONG[0]) * np.sin(np.pi * np.clip(places / 1.3, 0, 1))
        sizes *= self.long * (0.4 + 0.6 * hang) * unit * random.uniform(0.5, 1.15, self.count)
        aside = self.fan * (FAN[0] + (FAN[1] - FAN[0]) * places**1.3)
        aside += random.normal(0, 0.14, self.count)
        tips = roots[:, 0] + out * aside * sizes
        sizes_of = random.integers(BUNDLES[0], BUNDLES[1] + 1, self.count)
        bundles = np.repeat(np.arange(self.count), sizes_of)[: self.count]
        meet = np.bincount(bundles, tips) / np.maximum(np.bincount(bundles), 1)
        tips += self.together * (meet[bundles] - tips)
        aside = (tips - roots[:, 0]) / np.maximum(sizes, 1e-6)
        t = np.linspace(0, 1, POINTS)
        x = aside[:, None] * t + out * self.curl * 0.5 * t**2
        y = np.broadcast_to(t - self.curl * t**2, x.shape)
        curves = roots[:, None] + sizes[:, None, None] * np.stack([x, y], 2)
        return np.asarray(curves, np.float32)

    def draw(self, frame: Frame, line: Float, side: str, layers: Layers, look: Look) -> None:
        """Draw the lashes of a lid and their edge over a window; `line` (N, 2) raster px of the
        mesh's edge of that lid, in the order of the picture."""
        blink = frame.scene.blink[side]
        strength, blur = min(1.0, 1.6 * blink), look.blur * frame.window.scale
        if strength <= 0.05:
            return
        ends = frame.scene.landmarks[[42, 45] if side == "L" else [39, 36]]
        corners, shape = frame.window.to_raster(ends), layers.keep.shape
        room = REACH * frame.unit
        low, high = corners.min(0) - room, corners.max(0) + room
        if (high < 0).any() or (low > shape[1::-1]).any():
            return
        edge = edge_of(line if side == "L" else line[::-1], corners, blink)
        dark = self.shade * (0.3 * strength + 0.7 * _shut(blink))
        _shade(layers, edge, SHADE_WIDTH * frame.unit, dark * (1 + look.shading))
        drawn = band(edge, self.edge * frame.unit, shape, strength * self.edge_cover, blur)
        if drawn is not None:
            layers.over(*drawn, look.colour)
        hang = (blink - HANGING) / (1 - HANGING)
        if hang > 0:
            strokes = self(edge, frame.unit, side, min(1.0, hang))
            drawn = inked(strokes, frame.unit, shape, self.cover * min(1.0, 2 * hang), blur)
            if drawn is not None:
                layers.over(*drawn, look.colour)


def richness(image: Float, corners: Double, side: str) -> float:
    """How far the lashes of an open eye (6, 2) px stand out, 0..1, in a picture (H, W, 3):
    as steep dark lines over the skin above the eye's outer half and beyond it."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    up = corners[[0, 1, 2, 3]] if side == "L" else corners[[3, 2, 1, 0]]
    out = float(np.sign(up[3, 0] - up[0, 0]) or 1.0)
    t = np.linspace(0.45, 1, 22)
    above = np.stack([np.interp(t, np.linspace(0, 1, 4), up[:, i]) for i in (0, 1)], 1)
    tail = up[3] + np.linspace(0.02, 0.2, 8)[:, None] * width * np.array([out, 0.0])
    line = np.concatenate([above, tail])
    off = np.linspace(0.05, 0.2, 10)[:, None] * width
    x, y = (line[:, 0] + 0.35 * out * off).astype(np.float32), (line[:, 1] - off).astype(np.float32)
    low = np.maximum([int(x.min() - 0.1 * width), int(y.min() - 0.1 * width)], 0)
    high = [int(x.max() + 0.1 * width) + 2, int(y.max() + 0.1 * width) + 2]
    part = image[low[1] : high[1], low[0] : high[0]]
    if min(part.shape[:2]) < 3:
        return USUAL
    soft = cv2.GaussianBlur(part @ LUMA, (0, 0), max(0.012 * width, 0.3))
    across = np.ones((1, 2 * max(1, round(0.04 * width)) + 1), np.uint8)
    thin = cv2.morphologyEx(soft, cv2.MORPH_BLACKHAT, across)
    stand, skin = (
        cv2.remap(field, x - np.float32(low[0]), y - np.float32(low[1]), cv2.INTER_LINEAR)
        for field in (thin, soft)
    )
    seen = float(stand.mean()) / max(float(np.percentile(skin, 80)), 1.0)
    rich = float(np.clip((seen - BARE) / (MADE_UP - BARE), 0, 1))
    opened = float(np.linalg.norm(corners[[5, 4]] - corners[[1, 2]], axis=1).mean()) / width
    known = _share(width, READABLE) * _share(opened, STANDING)
    return USUAL + known * (rich - USUAL)


def _share(value: float, between: tuple[float, float]) -> float:
    return min(max((value - between[0]) / (between[1] - between[0]), 0.0), 1.0)


def edge_of(line: Float, corners: Float, blink: float) -> Float:
    """The edge (M, 2) px of a lid that is closed by `blink`, 0..1, from the inner corner to beyond
    the outer one, given the mesh's `line` (N, 2) px, in that order, and the `corners` (2, 2) px.

    The mesh's ends rise beside the corners, and its outer one lies inside most photographs'. A lid
    that is closed lies along the lower one, and its outer corner sinks with it.
    """
    inner, outer = corners.astype(np.float64)
    width = max(float(np.linalg.norm(outer - inner)), 1e-3)
    along = (outer - inner) / width
    down = np.array([-along[1], along[0]]) * (1 if along[0] >= 0 else -1)
    off = (line - inner) / width
    u, v = off @ along, off @ down
    within = (u > 0.08) & (u < 0.92)
    u, v = u[within], v[within]
    if len(u) < 4:
        u, v = np.linspace(0.1, 0.9, 9), np.zeros(9)
    at = np.linspace(-0.02, 1 + BEYOND, 40)
    order = np.argsort(u)
    mesh = np.interp(at, np.r_[0.0, u[order], 1.0], np.r_[0.0, v[order], 0.0])
    mesh = np.convolve(np.pad(mesh, 2, mode="edge"), np.full(5, 0.2), "valid")
    shut = _shut(blink)
    lowest = float(np.max(v, initial=0.0))
    near = u < 0.72  # beyond, the mesh's lid rises to its corner
    ends = np.array([1.0, 1 + BEYOND])
    places = np.r_[u[near], ends]
    weights = np.r_[np.ones(int(near.sum())), 3.0, 3.0]
    wanted = np.r_[v[near], np.full(2, DROOP * lowest + SUNK)]
    terms = np.stack([places**k for k in (1, 2, 3)], 1)
    bend = np.linalg.lstsq(terms * weights[:, None], wanted * weights, rcond=None)[0]
    shape = np.stack([at**k for k in (1, 2, 3)], 1) @ bend
    shape += LOWER * smoothstep(at / 0.4)
    off = mesh + shut * (shape - mesh)
    out = inner + width * (at[:, None] * along + off[:, None] * down)
    return np.asarray(out, np.float32)


def _shut(blink: float) -> float:
    """How far, 0..1, a lid that has come down by `blink` is a closed one."""
    return float(smoothstep(np.array(_share(blink, (OPENED, CLOSED)))))


def _along(edge: Float) -> Double:
    """Where the points (M,) of an edge are: 0 at the inner corner, 1 at the outer one."""
    out: Double = np.linspace(-0.02, 1 + BEYOND, len(edge))
    return out


def band(
    edge: Float, width: float, shape: tuple[int, ...], hides: float, blur: float = 0.0
) -> tuple[tuple[slice, slice], Float] | None:
    """The part of a raster of `shape` (H, W) that a lid's `edge` (M, 2) px lies in, and how much
    (h, w) of what is behind its roots' dark band hides: thin at the nose, as wide as `width` px
    towards the temple, ending in a point."""
    at = _along(edge)
    half = 0.5 * width * (0.4 + 0.6 * smoothstep(at / 0.55)) * _ends(at)
    tangent = np.gradient(edge, axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1) * np.sign(edge[-1, 0] - edge[0, 0])
    outline = np.concatenate(
        [edge - normal * half[:, None] * 0.7, (edge + normal * half[:, None] * 1.3)[::-1]]
    )
    soft = float(np.hypot(max(0.7, 0.25 * width), blur))
    found = _part(outline, 3 * soft + 1, shape)
    if found is None:
        return None
    low, part, size = found
    ink = np.zeros(size, np.uint8)
    cv2.fillPoly(ink, [fixed_point(outline - low)], (255,), cv2.LINE_AA, 4)
    cover = cv2.GaussianBlur(ink.astype(np.float32) * np.float32(hides / 255), (0, 0), soft)
    return part, np.asarray(cover, np.float32)


def _ends(at: Double) -> Double:
    """How much (M,) of an edge's width is left near its ends."""
    out: Double = smoothstep((at + 0.02) / 0.25) * (1 - smoothstep((at - 0.74) / (0.26 + BEYOND)))
    return out


def _shade(layers: Layers, edge: Float, width: float, dark: Float) -> None:
    """Dim what lies around a lid's `edge` (M, 2) px, `width` px wide, by as much as `dark` (3,)."""
    soft = max(0.5, 0.35 * width)
    found = _part(edge, 3 * soft + 1, layers.keep.shape)
    if found is None:
        return
    low, part, size = found
    ink = np.zeros(size, np.float32)
    at = _along(edge)
    line = edge[(at > 0.04) & (at < 1.0)] - low - np.array([0, SHADE_ABOVE * width])
    cv2.polylines(
        ink, [fixed_point(line)], False, (1.0,), max(1, round(0.7 * width)), cv2.LINE_8, 4
    )
    ink = _blurred(ink, soft)
    layers.gain[part] *= 1 - np.float32(dark @ LUMA) * ink
    layers.paint[part] *= merged([1 - np.float32(one) * ink for one in dark])


def _part(
    points: Float, room: float, shape: tuple[int, ...]
) -> tuple[Double, tuple[slice, slice], tuple[int, int]] | None:
    """The upper left corner (2,), the slices and the size of the part of a raster of `shape` that
    holds points (N, 2) px and `room` px around them; None if that is nothing."""
    low = np.maximum(np.floor(points.min(0) - room).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0) + room).astype(int) + 1, shape[1::-1])
    if (high <= low).any():
        return None
    size = int(high[1] - low[1]), int(high[0] - low[0])
    return low, (slice(low[1], high[1]), slice(low[0], high[0])), size


def inked(
    strokes: Float, unit: float, shape: tuple[int, ...], hides: float, blur: float = 0.0
) -> tuple[tuple[slice, slice], Float] | None:
    """The part of a raster of `shape` (H, W) that lashes, tapering curves through points (L, K, 2)
    px, lie in, and how much (h, w) of what is behind they hide, at most `hides`; None outside."""
    found = _part(strokes.reshape(-1, 2), 2 + 3 * blur, shape)
    if found is None:
        return None
    low, part, size = found
    ink = np.zeros(size, np.uint8)
    fixed = fixed_point(strokes - low)
    count = strokes.shape[1] - 1
    for k in reversed(range(count)):  # roots last: they are darker than the tips that cross them
        share = 1 - 0.8 * (k / max(count - 1, 1)) ** 1.5
        cv2.polylines(
            ink, list(fixed[:, k : k + 2]), False, (round(255 * share),), 1, cv2.LINE_AA, 4
        )
    cover = ink.astype(np.float32) / np.float32(255)
    thick = LASH_THICK * unit
    if thick > 1:
        cover = _blurred(cover, thick / 2) * np.float32(min(thick, 2.0))
    cover = np.clip(cover * np.float32(min(1.0, thick)), 0, 1) * np.float32(hides)
    return part, _blurred(cover, blur) if blur > LEAST_BLUR else cover


def _blurred(field: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(field, (0, 0), sigma), np.float32)


def smoothed(line: Float) -> Float:
    """Points (N, 2) of a curve, each the mean of seven."""
    padded = np.pad(line, ((3, 3), (0, 0)), mode="edge")
    out = [np.convolve(padded[:, j], np.full(7, 1 / 7), "valid") for j in (0, 1)]
    return np.stack(out, 1).astype(np.float32)
