"""The eyes of a photograph as their pictures need them: completed, closed, and what is whose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float
from mien.face_model.closed_lids import close
from mien.face_model.eyeballs import completed, white_of
from mien.face_model.eyes import (
    BROWS,
    POINTS,
    Iris,
    fixed_point,
    polygon,
    shut,
)
from mien.face_model.lashes import USUAL, richness
from mien.face_model.sampling import LUMA, around
from mien.face_model.threads import together
from mien.face_model.tones import tint

ROOM = 1.6
"""How far around the eyes their textures, and the skin that these are made of, reach, in widths of
an eye."""
LID_EDGE = 0.05
"""Width of what belongs to a lid along its edge, in widths of the eye."""
EDGE_REACH = 0.06
"""How far from the upper lid's edge its lashes are looked for, in widths of the eye."""
PIXEL, SHARP = 0.5, 0.75
"""Sigma of the edges of a sharp picture's eyes: that of a pixel, px, and that of lids and irises
themselves, px of the 320 px crop (London, 320 to 1,350 px)."""
DARKEST = 6.0
"""Part of what lies there, percent, that is as dark as lashes."""
BESIDE = 4
"""Pixels of nothing around what is kept of the textures."""


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
        covers[side], window = close(painted, corners, landmarks[BROWS[side]], side, fine)
        boxes.append(window)
        lids[window] = painted[window] - image[window]
        edge = np.zeros(shape, np.uint8)
        reach = max(1, round(2 * EDGE_REACH * float(np.linalg.norm(corners[3] - corners[0]))))
        cv2.polylines(edge, [fixed_point(corners[:4])], False, (1,), reach, shift=4)
        edges |= edge
    lash = _lash_colour(image, painted, edges > 0)
    opened = [side for side, closed in shut(landmarks).items() if not closed]
    rich = [richness(image, landmarks[POINTS[side]], side) for side in opened] or [USUAL]
    held = _around(boxes, shape)
    complete, lids, kept = (part[held].copy() for part in (complete, lids, kept))
    return EyeTextures(
        complete,
        kept,
        lids,
        np.mean(list(whites.values()), 0, np.float32),
        lash,
        seen,
        (corner[0] + held[1].start, corner[1] + held[0].start),
        float(np.mean(rich)),
        float(np.mean([_blur(image, landmarks[part], fine) for part in POINTS.values()])),
        {side: cover[held].copy() for side, cover in covers.items()},
    )


def _lash_colour(image: Float, lids: Float, edges: Bool) -> Float:
    """Colour (3,) of the lashes of a picture (H, W, 3): as dark as its darkest at the `edges` (H,
    W) of the upper lids; half of its hue is that of the closed `lids` (H, W, 3) there, for iris and
    white shine through at the edge, and hair is brown like skin."""
    if not edges.any():
        return np.zeros(3, np.float32)
    dark = np.percentile(image[edges], DARKEST, axis=0).astype(np.float32)
    hue = np.sqrt(tint(dark) * tint(lids[edges].mean(0)))
    return np.asarray(hue * (float(dark @ LUMA) / max(float(hue @ LUMA), 1e-3)), np.float32)


def _blur(image: Float, corners: Double, fine: float) -> float:
    """How blurred, px of the 320 px crop, the edges of an eye (6, 2) px are in a picture (H, W, 3)
    beyond those of a sharp one: contrast over the steepest slope."""
    width = float(np.linalg.norm(corners[3] - corners[0]))
    part = image[around(image.shape, corners, 0.12 * width)] @ LUMA
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
