"""How the landmark network is shown a labelled face: cropped askew, lit, tinted, blurred, covered,
mirrored.

A hundred people in one studio teach nothing about the world's light and cameras; these views have
to.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.faces.align import STABLE as STABLE_POINTS
from mien.faces.align import mirrored, similarity, template, transform
from mien.types import Float, UInt8

_STABLE = list(STABLE_POINTS)


@dataclass(frozen=True)
class Example:
    """A face with its points: a picture around it as JPEG bytes, points (68, 2) in its px, and how
    often it is drawn.
    """

    jpeg: bytes
    points: Float
    weight: float = 1.0

    @classmethod
    def of(cls, pixels: UInt8, points: Float, weight: float = 1.0) -> Example:
        """Keep a picture uint8 (H, W, 3) RGB and its points."""
        data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])[1]
        return cls(data.tobytes(), points.astype(np.float32), weight)

    def pixels(self) -> UInt8:
        """The picture, uint8 (H, W, 3) RGB."""
        picture = cv2.imdecode(np.frombuffer(self.jpeg, np.uint8), cv2.IMREAD_COLOR_RGB)
        return np.asarray(picture, dtype=np.uint8)


def view(
    image: UInt8,
    points: Float,
    other: Callable[[], UInt8],
    size: int,
    random: np.random.Generator,
    calm_share: float,
) -> tuple[UInt8, Float]:
    """One training view of a face: crop uint8 (size, size, 3) and its points (68, 2) in crop px.

    `image` is any picture around the face with `points` in its px; `other` gives a background;
    `calm_share` of views are as the last pass meets a good photograph: nearly aligned, sharp,
    uncovered.
    """
    calm = random.random() < calm_share
    if random.random() < 0.5:
        image, points = other_lips(image, points, *random.uniform((0.25, 0.35), 1.35))
    if not calm and random.random() < 0.2:
        image = _other_background(image, points, other(), random)
    matrix = _askew(points, size, not calm and random.random() < 0.5, random)
    border = (cv2.BORDER_REFLECT, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)[random.integers(3)]
    seen = cv2.warpAffine(image, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
    crop = np.asarray(seen, np.uint8)
    moved = transform(matrix, points)
    if random.random() < 0.5:
        crop = np.ascontiguousarray(crop[:, ::-1])
        moved = mirrored(moved, size)
    if calm:
        return _recolour(crop, random), moved
    if random.random() < 0.12:
        crop = _glasses(crop, moved, random)
    if random.random() < 0.2:
        crop = _occluded(crop, random)
    return _degrade(_recolour(crop, random), random), moved


def _askew(points: Float, size: int, rough: bool, random: np.random.Generator) -> Float:
    """The aligning similarity, off by as much as the detector's box is (`rough`) or a first
    pass.
    """
    roll, grow, slide = (0.17, 0.13, 0.055) if rough else (0.035, 0.03, 0.015)
    aligned = similarity(points[_STABLE], template(size)[_STABLE]).astype(np.float64)
    angle = float(np.clip(random.normal(0, roll), -0.55, 0.55))
    zoom = math.exp(float(np.clip(random.normal(0, grow), -0.35, 0.3)))
    turn = zoom * np.array(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]]
    )
    # A little aspect and shear stand for turned heads and wide lenses.
    turn = turn @ (np.eye(2) + random.normal(0, 0.035, (2, 2)))
    middle = np.array([size / 2, size / 2])
    out = turn @ aligned
    out[:, 2] += middle - turn @ middle + random.normal(0, slide * size, 2)
    return out.astype(np.float32)


def other_lips(image: UInt8, points: Float, upper: float, lower: float) -> tuple[UInt8, Float]:
    """Lips `upper` and `lower` times as thick in a picture of an upright face, and its points.

    The hand-checked faces are young; older lips are thinner. Skin up to the nose and down to the
    chin is stretched instead; the edges between the lips and the corners of the mouth stay.
    """
    left, right = math.ceil(points[48, 0]), math.floor(points[54, 0])
    x = np.arange(left, right + 1, dtype=np.float64)
    if len(x) < 8 or not (left >= 0 and right < image.shape[1]):
        return image, points
    moved = points.copy()
    edges = []
    for outer, inner, end, share in (
        (range(48, 55), (60, 61, 62, 63, 64), float(points[33, 1]), upper),
        ((48, *range(59, 54, -1), 54), (60, 67, 66, 65, 64), float(points[8, 1]), lower),
    ):
        rim, border = _height(points, (48, *inner, 54), x), _height(points, tuple(outer), x)
        limit = border + 0.7 * (end - border)
        edges.append((rim, border, rim + share * (border - rim), limit))
        for index in tuple(outer)[1:-1]:
            at = float(_height(points, (48, *inner, 54), points[index : index + 1, 0])[0])
            moved[index, 1] = at + share * (points[index, 1] - at)
    top, bottom = int(edges[0][3].min()), math.ceil(edges[1][3].max())
    if top < 0 or bottom >= image.shape[0]:
        return image, points
    y = np.arange(top, bottom + 1, dtype=np.float64)
    rows = [
        np.interp(y, (t[3], t[2], t[0], b[0], b[2], b[3]), (t[3], t[1], t[0], b[0], b[1], b[3]))
        for t, b in zip(*(np.stack(edge, axis=1) for edge in edges), strict=True)
    ]
    source = np.stack(rows, axis=1).astype(np.float32)
    columns = np.broadcast_to(x.astype(np.float32), source.shape)
    out = image.copy()
    seen = cv2.remap(image, np.ascontiguousarray(columns), source, cv2.INTER_LINEAR)
    out[top : bottom + 1, left : right + 1] = seen
    return out, moved


def _height(points: Float, names: tuple[int, ...], x: NDArray[np.floating]) -> NDArray[np.float64]:
    """y of the line through landmarks, from left to right, at each x."""
    line = points[list(names)].astype(np.float64)
    order = np.maximum.accumulate(line[:, 0] + np.arange(len(line)) * 1e-3)
    return np.asarray(np.interp(x, order, line[:, 1]))


def _other_background(
    image: UInt8, points: Float, other: UInt8, random: np.random.Generator
) -> UInt8:
    """Everything outside jaw and forehead replaced by another picture, turned and recoloured."""
    height, width = image.shape[:2]
    chin, eyes = points[8], points[36:48].mean(axis=0)
    top = eyes + (eyes - chin) * random.uniform(0.7, 0.95)
    across = (points[16] - points[0]) * 0.46
    rise = (top - chin) * 0.05
    steps = (0.85, 0.3, -0.3, -0.85)
    crown = [top + across * step + rise * (abs(step) < 0.5) for step in steps]
    outline = (
        np.concatenate([points, np.stack(crown)])[[*range(17), *range(68, 72)]]
        .round()
        .astype(np.int32)
    )
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [outline], 255)
    soft = (
        cv2.GaussianBlur(mask, (0, 0), random.uniform(0.7, 2.5)).astype(np.float32)[..., None] / 255
    )
    back = cv2.resize(np.rot90(other, int(random.integers(4))), (width, height))
    back = _recolour(np.ascontiguousarray(back), random)
    if random.random() < 0.3:
        back = np.full_like(back, random.integers(0, 256, 3))
    return (image * soft + back * (1 - soft)).astype(np.uint8)


def _glasses(crop: UInt8, points: Float, random: np.random.Generator) -> UInt8:
    """Frames around both eyes, sometimes with tinted lenses."""
    out = crop.copy()
    colour = tuple(int(v) for v in random.integers(0, 120, 3))
    thick = int(random.integers(1, 4))
    left, right = points[36:42].mean(axis=0), points[42:48].mean(axis=0)
    span = float(np.linalg.norm(right - left))
    angle = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
    axes = (round(span * random.uniform(0.3, 0.42)), round(span * random.uniform(0.18, 0.33)))
    tint = random.uniform(0.3, 0.9) if random.random() < 0.2 else 0.0
    for centre in (left, right):
        spot = (round(float(centre[0])), round(float(centre[1] + span * 0.04)))
        if tint > 0:
            lens = out.copy()
            cv2.ellipse(lens, spot, axes, angle, 0, 360, colour, -1)
            out = np.asarray(cv2.addWeighted(lens, tint, out, 1 - tint, 0), np.uint8)
        cv2.ellipse(out, spot, axes, angle, 0, 360, colour, thick, cv2.LINE_AA)
    return out


def _occluded(crop: UInt8, random: np.random.Generator) -> UInt8:
    """A box of flat colour, noise or the crop's own pixels over up to a seventh of it."""
    size = crop.shape[0]
    out = crop.copy()
    width, height = random.integers(size // 10, round(size * 0.38), 2)
    x, y = random.integers(0, size - width), random.integers(0, size - height)
    kind = random.random()
    if kind < 0.5:
        patch = np.tile(random.integers(0, 256, 3, np.uint8), (height, width, 1))
    elif kind < 0.7:
        patch = random.integers(0, 256, (height, width, 3), np.uint8)
    else:
        a, b = random.integers(0, size - width), random.integers(0, size - height)
        patch = crop[b : b + height, a : a + width]
    out[y : y + height, x : x + width] = patch
    return out


def _recolour(crop: UInt8, random: np.random.Generator) -> UInt8:
    """Grey, tint, gamma, contrast and a light from one side."""
    x = crop.astype(np.float32) / 255
    if random.random() < 0.2:
        x = np.repeat(x @ np.array([[0.299], [0.587], [0.114]], np.float32), 3, axis=2)
    else:
        grey = x.mean(axis=2, keepdims=True)
        x = grey + (x - grey) * random.uniform(0.3, 1.6)
    x = np.clip(x, 0, 1) ** np.float32(math.exp(random.normal(0, 0.35)))
    x = (x - 0.5) * math.exp(random.normal(0, 0.22)) + 0.5 + random.normal(0, 0.07)
    x = x * np.exp(random.normal(0, 0.09, 3)).astype(np.float32)
    if random.random() < 0.55:
        x = x * _light(crop.shape[0], crop.shape[1], random)
    return (np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8)


def _light(height: int, width: int, random: np.random.Generator) -> NDArray[np.float32]:
    """A gain (height, width, 3): bright on one side and dark on the other, of two colours and with
    a hard edge in a third of all, as film and stage light faces.
    """
    staged = random.random() < 0.35
    angle = random.uniform(0, 2 * math.pi)
    x, y = np.linspace(-1, 1, width), np.linspace(-1, 1, height)[:, None]
    ramp = np.cos(angle) * x + np.sin(angle) * y + random.uniform(-0.4, 0.4)
    strong, steep = (random.uniform(0.5, 1.3), random.uniform(1, 9)) if staged else (
        random.uniform(0.15, 0.8), random.uniform(0.7, 4)
    )  # fmt: skip
    side = np.tanh(ramp * steep)[..., None]
    tint = random.normal(0, 0.35, 3) if staged else np.zeros(3)
    return np.asarray(np.exp(strong * side + tint * side), dtype=np.float32)


def _degrade(crop: UInt8, random: np.random.Generator) -> UInt8:
    """Blur, lost resolution, sensor noise, JPEG."""
    size = crop.shape[0]
    if random.random() < 0.25:
        crop = np.asarray(cv2.GaussianBlur(crop, (0, 0), random.uniform(0.4, 1.8)), dtype=np.uint8)
    if random.random() < 0.2:
        small = round(size * random.uniform(0.35, 0.8))
        less = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
        crop = np.asarray(
            cv2.resize(less, (size, size), interpolation=cv2.INTER_LINEAR), dtype=np.uint8
        )
    if random.random() < 0.4:
        grain = random.normal(0, random.uniform(1, 14), crop.shape).astype(np.float32)
        crop = np.clip(crop + grain, 0, 255).astype(np.uint8)
    if random.random() < 0.3:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(15, 80))]
        crop = np.asarray(
            cv2.imdecode(cv2.imencode(".jpg", crop, quality)[1], cv2.IMREAD_COLOR), np.uint8
        )
    return crop
