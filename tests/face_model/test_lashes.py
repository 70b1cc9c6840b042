"""Lashes of a closed lid, and what lies under it."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mien import facs
from mien.face_model.eyes import spread
from mien.face_model.lashes import BEYOND, Lashes, band, edge_of, inked, richness
from mien.face_model.render import Rig

LUMA = np.array([0.299, 0.587, 0.114])


def straight(side: str) -> np.ndarray:
    out = 1.0 if side == "L" else -1.0
    return np.stack([np.linspace(0, 80 * out, 20), np.full(20, 50.0)], 1).astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("side", ["L", "R"])
def test_lashes_hang_from_the_edge_and_fan_out(side: str, seed: int) -> None:
    out, edge, own = 1.0 if side == "L" else -1.0, straight(side), Lashes.of(seed)
    some, none = (own(edge, 25.0, side, hang) for hang in (1.0, 0.0))
    tips = np.array([stroke[-1] - stroke[0] for stroke in some])
    assert (tips[:, 1] > 0).all()
    assert 0.6 * 25 > np.median(tips[:, 1]) > 0.15 * 25
    part = own.count // 4
    assert np.median(tips[-part:, 0]) * out > 1.5 > np.median(tips[:part, 0]) * out
    assert np.median(np.ptp(none, axis=1)[:, 1]) < 0.7 * np.median(np.ptp(some, axis=1)[:, 1])
    assert all((a == b).all() for a, b in zip(some, own(edge, 25.0, side, 1.0), strict=True))


def test_people_have_lashes_of_their_own() -> None:
    """Of other numbers, lengths and darkness: they were the same for everyone."""
    people = [Lashes.of(seed) for seed in range(20)]
    assert Lashes.of(3) == people[3]
    long = [
        float(np.median([s[-1, 1] - s[0, 1] for s in own(straight("L"), 25.0, "L", 1.0)]))
        for own in people
    ]
    assert max(long) > 1.4 * min(long)
    assert max(p.cover for p in people) > 1.1 * min(p.cover for p in people)
    assert len({p.count for p in people}) > 8


def test_tips_come_together_in_bundles() -> None:
    """Neighbours within one are nearer than those of two, in who has them so."""
    own = max((Lashes.of(seed) for seed in range(20)), key=lambda one: one.together)
    tips = np.array([s[-1, 0] for s in own(straight("L"), 25.0, "L", 1.0)])
    roots = np.array([s[0, 0] for s in own(straight("L"), 25.0, "L", 1.0)])
    apart, before = np.abs(np.diff(tips)), np.abs(np.diff(roots))
    within = np.arange(len(apart)) % 3 < 2
    assert (apart / before)[within].mean() < 0.8 * (apart / before)[~within].mean()


def test_lashes_are_as_rich_as_the_open_eye_shows_them() -> None:
    """Mascara: more of them, longer and darker, on anybody."""
    for seed in range(6):
        bare, made_up = (Lashes.of(seed, rich) for rich in (0.0, 1.0))
        assert made_up.count > bare.count
        assert made_up.long > 1.2 * bare.long
        assert made_up.cover > bare.cover
        assert made_up.edge_cover > bare.edge_cover


def drawn_eye(lashes: int) -> tuple[np.ndarray, np.ndarray]:
    """A left eye on skin (200, 300, 3), and its corners (6, 2)."""
    photo = np.full((200, 300, 3), 170, np.float32)
    x, y = np.array([80, 110, 150, 180, 150, 110]), np.array([100, 84, 84, 100, 114, 114])
    cv2.ellipse(photo, (130, 100), (50, 16), 0, 0, 360, (60, 50, 45), -1, cv2.LINE_AA)
    for x0 in np.linspace(130, 182, lashes):
        cv2.line(photo, (int(x0), 88), (int(x0) + 12, 66), (30, 30, 30), 2, cv2.LINE_AA)
    return photo, np.stack([x, y], 1).astype(np.float64)


def test_rich_lashes_are_read_of_the_open_eye() -> None:
    """A level fold is none; and a small picture tells nothing."""
    none, some = (richness(*drawn_eye(count), "L") for count in (0, 7))
    assert none < 0.1
    assert some > 0.7
    photo, corners = drawn_eye(0)
    cv2.line(photo, (90, 70), (180, 72), (90, 90, 90), 3, cv2.LINE_AA)
    assert richness(photo, corners, "L") < 0.2
    small = cv2.resize(drawn_eye(7)[0], None, fx=0.15, fy=0.15, interpolation=cv2.INTER_AREA)
    assert richness(np.asarray(small, np.float32), corners * 0.15, "L") == pytest.approx(0.5)


MESH = np.stack(
    [np.linspace(2, 98, 25), 50 + 14 * np.sin(np.linspace(-0.4, np.pi + 0.4, 25))], 1
).astype(np.float32)
"""The edge of a closed lid as the mesh has it, whose ends rise beside the corners."""
CORNERS = np.array([[0, 50], [100, 50]], np.float32)


@pytest.mark.parametrize("flip", [1, -1])
def test_the_edge_of_a_closed_lid_goes_from_corner_to_corner(flip: int) -> None:
    """It began and ended inside them, in a hook. Closed, it ends low: the outer corner sinks."""
    across = np.array([flip, 1], np.float32)
    edge = edge_of(MESH * across, CORNERS * across, 1.0) * across
    assert edge[0, 0] < 0 < 100 < edge[-1, 0] < 100 * (1 + BEYOND) + 1
    assert (np.diff(edge[:, 0]) > 0).all()
    low = edge[:, 1].max() - 50
    assert edge[-1, 1] - 50 > 0.6 * low  # no hook
    assert 8 < low < 20
    half = edge_of(MESH * across, CORNERS * across, 0.4) * across
    at = np.interp(half[5:-8, 0], *MESH.T)
    assert np.abs(half[5:-8, 1] - at).max() < 2  # the opening's, while there is one


def test_the_dark_edge_is_thin_at_the_nose_and_ends_in_a_point() -> None:
    edge = edge_of(MESH, CORNERS, 1.0)
    found = band(edge, 8.0, (120, 140), 0.8)
    assert found is not None
    whole = np.zeros((120, 140), np.float32)
    whole[found[0]] = found[1]
    ink = whole.sum(0)
    assert 0.7 < whole.max() <= 0.8
    assert ink[60] > 1.3 * ink[15] > 0
    assert ink[103] < 0.5 * ink[60]


def test_lashes_are_as_blurred_as_the_photograph() -> None:
    """Between the lids of a film's frames stood the one sharp line of the picture."""
    edge, own = edge_of(MESH, CORNERS, 1.0), Lashes.of(3)
    shape, unit = (120, 140), 33.0
    covers = []
    for blur in (0.0, 3.0):
        for found in (
            band(edge, own.edge * unit, shape, 0.9, blur),
            inked(own(edge, unit, "L", 1.0), unit, shape, 0.9, blur),
        ):
            assert found is not None
            covers.append(found[1])
    for sharp, soft in zip(covers[:2], covers[2:], strict=True):
        steep = [float(np.abs(np.diff(one, axis=0)).max()) for one in (sharp, soft)]
        assert steep[1] < 0.6 * steep[0]
        assert soft.sum() == pytest.approx(sharp.sum(), rel=0.1)


def test_a_closed_lid_ends_in_no_gap(rig: Rig) -> None:
    """Between the inner corner and the outer one there is a dark line everywhere: it had faded out
    where the outer third begins."""
    size = 640
    shown = rig.render(facs.vector({"AU43": 1.0}), size, supersample=1)
    light = (shown.image @ LUMA).astype(np.float32)
    for corners, out in ((slice(36, 42), -1), (slice(42, 48), 1)):
        inner, outer = shown.landmarks[corners][[3, 0] if out < 0 else [0, 3]]
        dark = []
        for part in (0.15, 0.35, 0.55, 0.75, 0.9):
            x, y = np.round(inner + part * (outer - inner)).astype(int)
            column = cv2.GaussianBlur(light[y - 14 : y + 24, x - 2 : x + 3], (0, 0), 1).mean(1)
            skin = np.percentile(column, 85)
            dark.append(float(np.maximum(1 - column / skin, 0).sum()))
        assert min(dark) > 3
        assert dark[3] > 0.8 * max(dark)


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
