"""Hand-checked points followed from a photograph at rest to the same person's smile.

Nobody has checked points of a smile, but the points at rest lie in the same light and almost the
same place: optical flow carries them over, better than a network that saw only rendered smiles
knows them. What opens or hides on the way (the inner lips) is left to the network.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.faces.align import STABLE, inverse, similarity, template, transform, warp
from mien.types import Float, UInt8

_SIZE = 320
_INNER = slice(60, 68)
_HALF = (*range(17), 48, 54, *range(55, 60))
"""Jaw, corners of the mouth and lower lip: they slide or fold, so flow and network share them."""
_ASTRAY = 1.5
"""A point that flow does not bring back to where it came from, px of the crop, is not followed."""


def followed(neutral: UInt8, points: Float, other: UInt8, guess: Float) -> Float:
    """Landmarks (68, 2) px of `other`, given those of `neutral` and a network's guess at them.

    Both are photographs uint8 (H, W, 3) of one person in one setting.
    """
    stable = list(STABLE)
    goal = template(_SIZE)
    matrices = [similarity(p[stable], goal[stable]) for p in (points, guess)]
    crops = [warp(pixels, m, _SIZE) for pixels, m in zip((neutral, other), matrices, strict=True)]
    start, network = (transform(m, p) for m, p in zip(matrices, (points, guess), strict=True))
    arrived = start + _at(_flow(crops[0], crops[1]), start)
    astray = np.linalg.norm(arrived + _at(_flow(crops[1], crops[0]), arrived) - start, axis=1)
    out = np.where((astray < _ASTRAY)[:, None], arrived, network)
    half = list(_HALF)
    out[half] = (out[half] + network[half]) / 2
    out[_INNER] = network[_INNER]
    return transform(inverse(matrices[1]), out.astype(np.float32))


def _flow(one: UInt8, two: UInt8) -> Float:
    """Smoothed motion (H, W, 2) px from crop to crop."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setFinestScale(0)
    search.setPatchSize(12)
    search.setVariationalRefinementIterations(10)
    grey = [cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY) for crop in (one, two)]
    empty = np.zeros((*grey[0].shape, 2), np.float32)
    flow = search.calc(grey[0], grey[1], empty)
    return np.asarray(cv2.GaussianBlur(flow, (0, 0), 2.0), np.float32)


def _at(flow: Float, points: Float) -> Float:
    """The motion (N, 2) at points (N, 2)."""
    x, y = points.astype(np.float32).T[:, :, None]
    found = cv2.remap(flow, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, np.float32).reshape(-1, 2)
