"""Lashes of a closed lid, and what lies under it."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.face_model.eyes import spread
from mien.face_model.lashes import Lashes
from mien.face_model.render import Rig

LUMA = np.array([0.299, 0.587, 0.114])


def edge_of(side: str) -> np.ndarray:
    out = 1.0 if side == "L" else -1.0
    return np.stack([np.linspace(0, 80 * out, 20), np.full(20, 50.0)], 1).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("side", ["L", "R"])
def test_lashes_hang_from_the_edge_and_fan_out(side: str, seed: int) -> None:
    out, edge, own = 1.0 if side == "L" else -1.0, edge_of(side), Lashes.of(seed)
    some, none = (own(edge, 25.0, side, hang) for hang in (1.0, 0.0))
    tips = np.array([stroke[-1] - stroke[0] for stroke in some])
    assert (tips[:, 1] > 0).all()
    assert 0.4 * 25 > np.median(tips[:, 1]) > 0.05 * 25
    part = own.count // 4
    assert np.median(tips[-part:, 0]) * out > 1.5 > np.median(tips[:part, 0]) * out
    assert np.median(np.ptp(none, axis=1)[:, 1]) < 0.7 * np.median(np.ptp(some, axis=1)[:, 1])
    assert all((a == b).all() for a, b in zip(some, own(edge, 25.0, side, 1.0), strict=True))


def test_people_have_lashes_of_their_own() -> None:
    """Of other numbers, lengths and darkness: they were the same for everyone."""
    people = [Lashes.of(seed) for seed in range(20)]
    assert Lashes.of(3) == people[3]
    long = [
        float(np.median([s[-1, 1] - s[0, 1] for s in own(edge_of("L"), 25.0, "L", 1.0)]))
        for own in people
    ]
    assert max(long) > 2 * min(long)
    assert max(p.cover for p in people) > 1.25 * min(p.cover for p in people)
    assert len({p.count for p in people}) > 8


def test_tips_come_together_in_bundles() -> None:
    """Neighbours within one are nearer than those of two, in who has them so."""
    own = max((Lashes.of(seed) for seed in range(20)), key=lambda one: one.together)
    tips = np.array([s[-1, 0] for s in own(edge_of("L"), 25.0, "L", 1.0)])
    roots = np.array([s[0, 0] for s in own(edge_of("L"), 25.0, "L", 1.0)])
    apart, before = np.abs(np.diff(tips)), np.abs(np.diff(roots))
    within = np.arange(len(apart)) % 3 < 2
    assert (apart / before)[within].mean() < 0.8 * (apart / before)[~within].mean()


def test_a_closed_lid_wears_lashes(rig: Rig) -> None:
    """Below the line between the lids it is darker in places: that line alone is even."""
    size = 640
    shown = rig.render(facs.vector({"AU43": 1.0}), size, supersample=1)
    light = (shown.image @ LUMA).astype(np.float32)
    edge = shown.landmarks[[43, 44]].mean(0)
    width = float(np.ptp(shown.landmarks[42:46, 0]))
    x = np.arange(round(edge[0] - 0.1 * width), round(edge[0] + 0.35 * width))
    rows = [light[round(edge[1] + 0.13 * width) + i][x] for i in range(-2, 3)]
    contrast = max(float(np.std(np.diff(row)) / row.mean()) for row in rows)
    cheek = light[round(edge[1] + 0.5 * width)][x]
    assert contrast > 2 * float(np.std(np.diff(cheek)) / cheek.mean())


def test_what_is_far_from_all_skin_is_not_black() -> None:
    image = np.full((60, 200, 3), 90.0, np.float32)
    known = np.zeros((60, 200), np.float32)
    known[:, :10] = 1
    assert np.abs(spread(image, known, 3.0) - 90).max() < 1
