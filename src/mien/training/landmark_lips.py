"""Where teeth show, the inner lips' points are put on the lips' edges.

A network that learned from faces at rest and from renders closes real smiles a little: its points
lie on the teeth. Before it teaches its successor, its answers are mended by what the picture shows:
going inwards from the outer edge of a lip, the lip ends where its colour does, provided that teeth
lie between the two ends.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.types import Float, UInt8

_LOWER = ((67, 58), (66, 57), (65, 56))
_UPPER = ((61, 50), (62, 51), (63, 52))
_STEPS = 60
_LIP = 18
"""Steps from a lip's outer edge that are lip for certain."""
_START = 0.12
"""Share of the way from outer edge to middle that is left out: skin that the outer point let in."""
_FAR = 16.0
"""Distance in (weighted) Lab from the lip's own colour that is no longer lip."""
_WEIGHTS = np.array([0.8, 1.6, 0.8], np.float32)
_TEETH = 14.0
"""How much brighter and less red than the lip teeth are, Lab."""
_SHARE = 0.4
_WIDEST = 0.08
"""Largest correction, in distances of the outer eye corners."""

Double = NDArray[np.float64]


def open_lips(crop: UInt8, points: Float) -> Float:
    """Landmarks (68, 2) px of a crop uint8 (S, S, 3), S about 320, with inner lips mended where
    teeth show.
    """
    lab = cv2.cvtColor(crop, cv2.COLOR_RGB2LAB).astype(np.float32)
    lab = np.asarray(cv2.GaussianBlur(lab, (0, 0), 0.8), np.float32)
    eyes = float(np.linalg.norm(points[36] - points[45]))
    across = (points[54] - points[48]) / max(float(np.linalg.norm(points[54] - points[48])), 1e-6)
    found = [
        [
            _edge(lab, points, pair, other[0], across * eyes)
            for pair, other in zip(own, opposite, strict=True)
        ]
        for own, opposite in ((_LOWER, _UPPER), (_UPPER, _LOWER))
    ]
    teeth = [teeth for _, teeth in found[0] + found[1]]
    out = points.copy()
    if np.mean(teeth) < _SHARE:
        return out
    for lip, own, opposite in zip(found, (_LOWER, _UPPER), (_UPPER, _LOWER), strict=True):
        moves = [move for move, _ in lip if move is not None]
        if len(moves) < 2:
            continue
        move = float(np.clip(np.median(moves), -_WIDEST * eyes, 0.03 * eyes))
        for (inner, outer), (other, _) in zip(own, opposite, strict=True):
            out[inner] = points[inner] + move * _inwards(points, inner, outer, other)[1]
    return out


def _inwards(points: Float, inner: int, outer: int, other: int) -> tuple[float, Double]:
    """Length and direction of the way from a lip's outer edge to the middle of the mouth."""
    way = (points[inner] + points[other]) / 2.0 - points[outer].astype(np.float64)
    length = max(float(np.linalg.norm(way)), 1e-6)
    return length, way / length


def _edge(
    lab: Float, points: Float, pair: tuple[int, int], other: int, across: Float
) -> tuple[float | None, float]:
    """How far inwards the lip's edge lies from its landmark (px; None if unseen), and the share of
    teeth behind it.
    """
    inner, outer = pair
    length, way = _inwards(points, inner, outer, other)
    start = points[outer].astype(np.float64)
    share = np.linspace(_START, 1.0, _STEPS)
    path = start + share[:, None] * length * way
    wide = np.linspace(-0.018, 0.018, 7)[None, :, None] * across
    places = (path[:, None] + wide).astype(np.float32)
    seen = cv2.remap(
        lab, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    colours = np.asarray(seen).mean(axis=1)  # (60, 3)
    off = colours - np.median(colours[:_LIP], axis=0)
    distance = np.linalg.norm(off * _WEIGHTS, axis=1)
    far = distance > max(_FAR, 4 * float(np.median(distance[:_LIP])))
    lasting = np.flatnonzero(np.lib.stride_tricks.sliding_window_view(far, 5).all(axis=1))
    lasting = lasting[lasting >= _LIP // 2]
    if not len(lasting):
        return None, 0.0
    white = off[lasting[0] :, 0] - 1.5 * off[lasting[0] :, 1] > _TEETH
    at = float(share[lasting[0]]) * length
    return at - float((points[inner] - start) @ way), float(white.mean())
