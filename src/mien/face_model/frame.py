"""A window of a picture while it is drawn: which part of the crop it shows, and what the mesh says
of each of its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face_model.arrays import Bool, Float, Int, Layer
from mien.face_model.background import Background
from mien.face_model.camera import Number
from mien.face_model.mesh import BACKGROUND_LAYER, MOUTH_LAYERS, SKIN_LAYER
from mien.face_model.raster import Boxes, Raster, rasterise_behind

SOURCE_SIZE = 320
"""Side of the crop whose pixels are the unit of length here; the photograph may be finer."""

SOURCE, LIDS, BLEND, LIGHT, FLAT = slice(0, 2), slice(2, 4), 4, 5, slice(6, 8)
"""What a vertex carries: its place in the photograph, its place in the second texture, how much of
that shows, brightness, and the place in the chart of the lips."""
CHANNELS = 8


@dataclass(frozen=True)
class Window:
    """A part of a picture of side `side` px that shows the crop, `fine` raster pixels to each of
    its pixels and axis."""

    side: int
    left: int
    top: int
    width: int
    height: int
    fine: int = 1

    @classmethod
    def whole(cls, side: int, fine: int = 1) -> Window:
        return cls(side, 0, 0, side, side, fine)

    @classmethod
    def around(cls, points: Float, room: float, side: int, fine: int) -> Window | None:
        """The window with points (N, 2) px and `room` px around them; None if it holds nothing."""
        low = np.clip(np.floor(points.min(0) - room).astype(int), 0, side)
        high = np.clip(np.ceil(points.max(0) + room).astype(int) + 1, 0, side)
        width, height = (int(n) for n in high - low)
        if width < 2 or height < 2:
            return None
        return cls(side, int(low[0]), int(low[1]), width, height, fine)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of its raster."""
        return self.height * self.fine, self.width * self.fine

    @property
    def part(self) -> tuple[slice, slice]:
        """Where it lies in the picture."""
        rows, columns = self.top, self.left
        return slice(rows, rows + self.height), slice(columns, columns + self.width)

    @property
    def scale(self) -> float:
        """Raster px per px of the crop."""
        return self.side * self.fine / SOURCE_SIZE

    def to_raster(self, points: Float) -> Float:
        """Raster px of crop points (N, 2)."""
        corner = np.array([self.left, self.top], np.float32) * self.fine
        scale = np.float32(self.scale)
        return np.ascontiguousarray(points * scale + (scale - 1) / 2 - corner, np.float32)

    def inner(self, margin: float) -> tuple[Float, Float]:
        """Its upper left and lower right corner (x, y), crop px, `margin` crop px inside it."""
        low = np.array([self.left, self.top], np.float32)
        size = np.array([self.width, self.height], np.float32)
        unit = np.float32(SOURCE_SIZE / self.side)
        return low * unit + np.float32(margin), (low + size) * unit - np.float32(margin)

    @cached_property
    def places(self) -> Float:
        """The crop px, x and y (2, H, W), of every raster pixel."""
        (height, width), scale = self.shape, self.scale
        x = (np.arange(width) + self.left * self.fine - (scale - 1) / 2) / scale
        y = (np.arange(height) + self.top * self.fine - (scale - 1) / 2) / scale
        out = np.empty((2, height, width), np.float32)
        out[0], out[1] = x, y[:, None]
        return out


@dataclass(frozen=True)
class Scene:
    """A posed face before it is drawn, in px of the crop.

    points (N, 2); depth (N,) cm; attributes (N, 8), each in one piece; triangles (T, 3) and their
    layers (T,); unit, px per cm; blink: how far each upper lid comes down, 0..1; stirred: how far
    each eye, its lids or its gaze, is moved at all, 0..1; wide: how far the eyes are widened;
    opened: how open the mouth is, 0..1; gap_change: the lip gap against the photograph's, cm;
    landmarks (68, 2).
    """

    points: Float
    depth: Float
    attributes: Float
    triangles: Int
    layers: Layer
    unit: float
    blink: dict[str, float]
    stirred: dict[str, float]
    wide: float
    opened: float
    gap_change: float
    pressed: float
    dropped: float
    """How far, 0..1, lips are drawn apart: what they shade while they are closed is lit then."""
    relaxed: float
    """How far, 0..1, a smile is let go: what its corners shade is lit then."""
    lips: float
    """How far, 0..1, the lips are no longer as the photograph shows them."""
    landmarks: Float
    surround: Background
    drift: Float
    """Displacement (G, 2) of the surround."""
    folds: bool
    """Whether that may fold it, as a turning head does."""
    glow: Float | None
    """Log-brightness (G,) of the surround where it came from, if the light has moved."""
    lit: Float | None
    """How far (320, 320) a pixel of the photograph takes part in that."""

    @cached_property
    def boxes(self) -> Boxes:
        """The rectangles around its triangles, px of the crop."""
        return Boxes(self.points, self.triangles)

    def around(self, window: Window) -> Float:
        """Where what surrounds the face comes from, x and y (2, H, W) crop px, at each pixel of a
        window."""
        if self.folds:
            return self.surround.drawn(self.drift, window.to_raster, window.places)
        back = self.surround.origins(self.drift) - self.surround.points
        return window.places + self.surround.over(back, window.places)

    def glowing(self, source: Float) -> Float:
        """By how much (H, W) the light of what comes from `source`, x and y (2, H, W), changes
        there."""
        assert self.glow is not None
        assert self.lit is not None
        x, y = source
        lit = cv2.remap(self.lit, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(np.exp(self.surround.over(self.glow[:, None], source)[0] * lit))


@dataclass(frozen=True)
class Frame:
    """A window of a scene: which triangle each pixel shows."""

    scene: Scene
    window: Window
    raster: Raster
    layer: Layer  # (H, W)
    points: Float = field(repr=False)  # (N, 2) raster px
    source: Float = field(repr=False)
    """Where each pixel comes from, x and y (2, H, W) crop px; of what is no face, its own place."""
    blend: Float = field(repr=False)
    """How much (H, W) of the second texture shows."""
    light: Float = field(repr=False)
    """By how much (H, W) the light of what is seen changes."""

    @classmethod
    def of(
        cls,
        scene: Scene,
        window: Window,
        skin_only: bool = False,
        hidden: Sequence[tuple[Float, Float]] = (),
    ) -> Frame:
        """The frame of a window; `skin_only` leaves out eyes and mouth, and triangles that lie
        `hidden`, within rectangles between two corners (x, y), crop px."""
        points = window.to_raster(scene.points)
        kept = scene.boxes.touching(*window.inner(-0.5 - 0.5 / window.scale))
        for corners in hidden:
            kept &= ~scene.boxes.within(*corners)
        skin = scene.layers == SKIN_LAYER
        ahead = np.flatnonzero(kept & skin)
        behind = np.flatnonzero(kept & ~skin)[: 0 if skin_only else None]
        # what lies behind lids and lips is sunk: skin is always nearer
        raster, found = rasterise_behind(
            points, scene.depth, scene.triangles[ahead], scene.triangles[behind], window.shape
        )
        numbers = np.concatenate([ahead, behind[found]])
        layers = np.append(scene.layers[numbers], np.int8(BACKGROUND_LAYER))
        layer = layers[raster.index]
        face = raster.index >= 0
        seen = raster.spread(scene.attributes.T[[0, 1, BLEND, LIGHT]].T, face)
        if face.all():
            source, (blend, light) = np.split(seen.T.reshape(-1, *window.shape), [2])
        else:
            source = scene.around(window)
            blend = np.zeros(window.shape, np.float32)
            light = np.ones(window.shape, np.float32)
            if scene.glow is not None:
                light = scene.glowing(source)
            for field, channel in zip((*source, blend, light), seen.T, strict=True):
                np.place(field, face, channel)
        return cls(scene, window, raster, layer, points, source, blend, light)

    def spread(self, channels: slice, where: Bool) -> Float:
        """Some of the attributes at the P face pixels of a mask (H, W): (P, C)."""
        return self.raster.spread(self.scene.attributes[:, channels], where)

    @cached_property
    def mouth(self) -> Bool:
        """Inside of the mouth (H, W)."""
        inside: Bool = np.isin(self.layer, MOUTH_LAYERS)
        return inside

    @property
    def unit(self) -> float:
        """Raster px per cm."""
        return self.window.scale * self.scene.unit

    def flow(self) -> Float:
        """Displacement to the source, x and y (2, H, W), in crop units."""
        out: Float = (self.source - self.window.places) * np.float32(1 / SOURCE_SIZE)
        return out


def resized(points: NDArray[Number], side: int, to: int) -> NDArray[Number]:
    """Points (N, 2) px of a square picture of side `side` as pixels of it at side `to`."""
    return ((points + 0.5) * (to / side) - 0.5).astype(points.dtype)
