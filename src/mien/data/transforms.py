"""Augmentation of face crops in numpy, one random draw shared by all pictures that belong together.

Both ends of a pair see the same geometry, light and camera, or the network would learn to restore
instead of to edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator

from mien.types import Float, UInt8


@dataclass(frozen=True)
class Geometry:
    """A similarity from the stored crop (side `stored`) to the training crop (side `size`), maybe
    mirrored.
    """

    matrix: Float  # (2, 3), stored px -> training px
    mirrored: bool
    stored: int
    size: int

    @classmethod
    def draw(
        cls, rng: Generator, stored: int, size: int, strength: float = 1.0, mirrored: bool = False
    ) -> Geometry:
        """Turn within ±14°, zoom 0.85..1.15, shift within 6 % of the side, at strength 1."""
        angle = np.clip(np.deg2rad(rng.normal(0, 6.0 * strength)), -0.25, 0.25)
        zoom = float(np.exp(np.clip(rng.normal(0, 0.06 * strength), -0.16, 0.16))) * size / stored
        shift = rng.normal(0, 0.025 * strength, 2).clip(-0.06, 0.06) * size
        linear = zoom * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], np.float32
        )
        if mirrored:
            linear[:, 0] *= -1
        centre = np.full(2, (stored - 1) / 2, np.float32)
        offset = (size - 1) / 2 + shift - linear @ centre
        return cls(np.column_stack([linear, offset]).astype(np.float32), mirrored, stored, size)

    def image(self, pixels: UInt8) -> UInt8:
        """uint8 (stored, stored, 3) -> (size, size, 3)."""
        return cv2.warpAffine(
            pixels, self.matrix, (self.size, self.size), flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )  # type: ignore[return-value]  # fmt: skip

    def field(self, field: Float, out: int) -> Float:
        """A scalar or vector field (h, h[, c]) over the stored crop, seen at `out` over the
        training crop.
        """
        h = field.shape[0]
        m = self.matrix.astype(np.float64)
        # between grids whose pixel centres sit at (i + 0.5) / side
        a, b = self.stored / h, out / self.size
        linear = m[:, :2] * a * b
        offset = (m @ [(a - 1) / 2, (a - 1) / 2, 1] + 0.5) * b - 0.5
        matrix = np.column_stack([linear, offset])
        return cv2.warpAffine(
            field, matrix, (out, out), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
        )  # type: ignore[return-value]

    def flow(self, flow: Float, out: int) -> Float:
        """A displacement field (h, h, 2) in crop units of the stored crop -> crop units of the
        training crop.
        """
        moved = self.field(flow, out)
        linear = self.matrix[:, :2] * (self.stored / self.size)
        return (moved @ linear.T).astype(np.float32)

    def points(self, points: Float) -> Float:
        """Points (n, 2) in stored px -> training px (the order is not mirrored)."""
        return points @ self.matrix[:, :2].T + self.matrix[:, 2]


@dataclass(frozen=True)
class Photometry:
    """Light and camera: the same for every picture of a pair."""

    gain: Float  # (3,) per channel
    offset: float
    gamma: float
    saturation: float
    gradient: Float  # (2,) brightness ramp over the crop
    blur: float
    noise: float
    jpeg: int  # 0: none
    seed: int

    @classmethod
    def draw(cls, rng: Generator, strength: float = 1.0) -> Photometry:
        """Grey 8 %, tinted 10 %, soft 15 %, noisy 20 %, JPEG 30 %; light and colour always a
        little.
        """
        gain = np.exp(rng.normal(0, 0.12 * strength) + rng.normal(0, 0.03 * strength, 3))
        saturation = float(np.exp(rng.normal(0, 0.2 * strength)))
        kind = rng.random()
        if kind < 0.08:
            saturation = 0.0
        elif kind < 0.18:
            gain = gain * np.exp(rng.normal(0, 0.12, 3))
        return cls(
            gain=gain.astype(np.float32),
            offset=float(rng.normal(0, 8 * strength)),
            gamma=float(np.exp(rng.normal(0, 0.15 * strength))),
            saturation=saturation,
            gradient=(rng.normal(0, 0.12 * strength, 2)).astype(np.float32),
            blur=float(rng.uniform(0.3, 1.1)) if rng.random() < 0.15 else 0.0,
            noise=float(rng.uniform(1, 6)) if rng.random() < 0.2 else 0.0,
            jpeg=int(rng.integers(40, 95)) if rng.random() < 0.3 else 0,
            seed=int(rng.integers(2**31)),
        )

    def apply(self, pixels: UInt8) -> UInt8:
        """uint8 (S, S, 3) -> the same face under this light and camera."""
        size = pixels.shape[0]
        x: Any = pixels.astype(np.float32)
        grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
        x = grey[..., None] + self.saturation * (x - grey[..., None])
        ramp = np.linspace(-1, 1, size, dtype=np.float32)
        x = x * self.gain * (1 + self.gradient[0] * ramp[None, :, None])
        x = x * (1 + self.gradient[1] * ramp[:, None, None])
        x = 255 * (np.clip(x, 0, 255) / 255) ** self.gamma + self.offset
        if self.blur:
            x = cv2.GaussianBlur(x, (0, 0), self.blur)
        if self.noise:
            x = x + np.random.default_rng(self.seed).normal(0, self.noise, x.shape)
        out = np.clip(x + 0.5, 0, 255).astype(np.uint8)
        return _compressed(out, self.jpeg) if self.jpeg else out


def _compressed(pixels: UInt8, quality: int) -> UInt8:
    """What JPEG at `quality` leaves of a picture."""
    coded = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    seen = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return np.ascontiguousarray(seen[..., ::-1])
