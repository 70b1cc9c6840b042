"""How an opened mouth ends: in corners, in lips that are a little uneven, wet and folded."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
import pytest

from mien import facs
from mien.face_model.lip_rim import FOLD, LipRim
from mien.face_model.render import Rig

UNIT = 40.0
LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def ellipse(across: float = 2.5, high: float = 0.6) -> np.ndarray:
    """An opening (H, W) with round ends, `across` and `high` cm each way, at `UNIT` px per cm."""
    mask = np.zeros((160, 280), np.uint8)
    cv2.ellipse(mask, (140, 80), (round(across * UNIT), round(high * UNIT)), 0, 0, 360, (1,), -1)
    return mask > 0


@pytest.mark.parametrize("seed", range(4))
def test_round_ends_become_corners(seed: int) -> None:
    """A tenth of a centimetre from its end the opening is half as high as the ellipse, and in the
    middle as high as that."""
    mask = ellipse()
    inside = LipRim.of(seed)(mask, UNIT).inside
    left, right = np.flatnonzero(mask.any(0))[[0, -1]]
    for end in (left + round(0.1 * UNIT), right - round(0.1 * UNIT)):
        assert inside[:, end].sum() < 0.65 * mask[:, end].sum()
    middle = slice(left + round(UNIT), right - round(UNIT))
    assert inside[:, middle].sum() == pytest.approx(mask[:, middle].sum(), rel=0.03)


def test_a_dropped_jaw_stays_round() -> None:
    """A tall opening is cut less than a flat one, for its part of the height."""
    left = []
    for high in (0.4, 1.5):
        mask = ellipse(2.0, high)
        at = np.flatnonzero(mask.any(0))[0] + round(0.2 * UNIT)
        left.append(LipRim.of(1)(mask, UNIT).inside[:, at].sum() / mask[:, at].sum())
    assert left[1] > left[0] + 0.05


def test_edges_are_soft_uneven_and_a_persons_own() -> None:
    mask = ellipse()
    one, same, other = (LipRim.of(seed)(mask, UNIT).inside for seed in (1, 1, 2))
    assert (one == same).all()
    assert np.abs(one - other).max() > 0.1
    assert ((one > 0.05) & (one < 0.95)).sum(0)[100:180].min() >= 2
    top = (1 - one[:80]).sum(0)[60:220]
    smooth = cv2.GaussianBlur(top[None], (0, 0), 0.6 * UNIT)[0]
    assert np.std((top - smooth)[20:-20]) > 0.1


@pytest.mark.parametrize("seed", range(4))
def test_a_fold_goes_on_beyond_the_corner_and_ends(seed: int) -> None:
    mask = ellipse()
    fold = LipRim.of(seed)(mask, UNIT).fold
    left = int(np.flatnonzero(mask.any(0))[0])
    assert fold[:, left - round(0.08 * UNIT)].max() > 0.15
    assert fold[:, : left - round(max(FOLD) * UNIT) - 1].max() < 1e-3
    assert fold[:, 130:150].max() < 1e-3


def test_only_the_lower_lip_is_wet_along_its_edge() -> None:
    edge = LipRim.of(3)(ellipse(), UNIT)
    assert edge.shine[81:].max() > 0.02
    assert edge.shine[:80].max() == 0
    assert edge.shine[ellipse()].max() < 0.5 * edge.shine.max()


def test_the_edge_moves_on_evenly_as_a_mouth_opens() -> None:
    """No step of 16, from a slit to a wide mouth, moves it by much more than its neighbours."""
    highs = np.linspace(0.1, 1.5, 17)
    frames = [LipRim.of(2)(ellipse(2.2, high), UNIT) for high in highs]
    steps = np.array([
        [np.abs(a.inside - b.inside).sum(), np.abs(a.fold - b.fold).sum()]
        for a, b in pairwise(frames)
    ])  # fmt: skip
    assert (steps[:, 0] < 2 * np.median(steps[:, 0])).all()
    assert (steps[:, 1] < 0.3 * max(frame.fold.sum() for frame in frames)).all()


def test_a_slit_stays_open_and_the_rim_elsewhere_where_it_is() -> None:
    slit = np.zeros((40, 200), bool)
    slit[18:22, 20:180] = True
    inside = LipRim.of(1)(slit, UNIT).inside
    assert (inside[19:21, 40:160] > 0.8).all()
    top = np.argmax(LipRim.of(1)(ellipse(), UNIT).inside[:, 140] > 0.5)
    assert abs(int(top) - int(np.argmax(ellipse()[:, 140]))) <= 0.05 * UNIT


@pytest.mark.parametrize("size", [1, 3])
def test_an_opening_of_a_few_pixels_is_no_error(size: int) -> None:
    mask = np.zeros((40, 60), bool)
    mask[20, 30 : 30 + size] = True
    edge = LipRim.of(0)(mask, UNIT)
    assert all(np.isfinite(one).all() for one in (edge.inside, edge.fold, edge.shine))


def test_a_drawn_mouth_has_dark_corners(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of an opened mouth is darker beyond its corners with the fold than without."""
    fear = facs.vector({"AU25": 1.0, "AU26": 0.6, "AU20": 0.6})
    with_fold = rig.render(fear, 640, supersample=1)
    call = LipRim.__call__

    def without(self: LipRim, mask: np.ndarray, unit: float) -> object:
        edge = call(self, mask, unit)
        return type(edge)(edge.inside, edge.fold * 0, edge.shine)

    monkeypatch.setattr(LipRim, "__call__", without)
    plain = rig.render(fear, 640, supersample=1)
    lost = (plain.image.astype(np.float32) - with_fold.image) @ LUMA
    outside = with_fold.mouth == 0
    columns = np.flatnonzero((with_fold.mouth > 0.5).any(0))
    assert (lost * outside)[:, : columns[0]].max() > 8
    assert (lost * outside)[:, columns[-1] + 1 :].max() > 8
    assert lost.min() > -8
