"""The face at rest, foretold from a smile."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.face_model.mesh import FaceModel
from mien.face_model.neutral import NeutralTable, learn, shipped
from mien.face_model.render import Rig
from mien.faces.align import template
from mien.tables.neutral import kept_out, opened


def smiling(rng: np.random.Generator, amount: float) -> tuple[np.ndarray, np.ndarray]:
    """A face at rest, and the same one with its mouth `amount` wider and opened by half of that."""
    rest = template(320).astype(np.float64) + rng.normal(0, 1, (68, 2))
    shown = rest.copy()
    shown[[48, 60], 0] -= amount
    shown[[54, 64], 0] += amount
    shown[[55, 56, 57, 58, 59, 65, 66, 67], 1] += amount / 2
    return rest, shown


@pytest.fixture(scope="module")
def table() -> NeutralTable:
    rng = np.random.default_rng(0)
    return learn(smiling(rng, rng.uniform(0, 16)) for _ in range(80))


def test_what_was_learnt_holds_for_others(table: NeutralTable) -> None:
    rng = np.random.default_rng(1)
    pairs = [smiling(rng, 10) for _ in range(20)]
    before = np.mean([np.abs(shown - rest)[48:].max() for rest, shown in pairs])
    after = np.mean([np.abs(table(shown) - rest)[48:].mean() for rest, shown in pairs])
    assert before > 9.9
    assert after < 1.5


def test_it_follows_place_size_and_turn(table: NeutralTable) -> None:
    _, shown = smiling(np.random.default_rng(2), 10)
    turn = np.array([[np.cos(0.3), -np.sin(0.3)], [np.sin(0.3), np.cos(0.3)]]) * 1.7
    assert np.allclose(table(shown @ turn.T + 40), table(shown) @ turn.T + 40)


def test_it_is_saved_whole(
    table: NeutralTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table.save(tmp_path / "neutral.safetensors")
    monkeypatch.setattr("mien.face_model.neutral.TABLE", tmp_path / "neutral.safetensors")
    _, shown = smiling(np.random.default_rng(3), 5)
    assert np.allclose(shipped.__wrapped__()(shown), table(shown), atol=1e-3)


def test_an_open_mouth_is_no_smile(rig: Rig, model: FaceModel) -> None:
    """By photographs of smiles alone its mouth at rest would be 9 px too narrow in the mean, and 16
    at most."""

    def width(points: np.ndarray) -> float:
        return float(points[54, 0] - points[48, 0])

    pairs = opened(model, rig.fit.landmarks)
    off = np.array([width(shipped()(shown)) - width(rest) for rest, shown in pairs])
    assert np.abs(off).mean() < 4
    assert np.abs(off).max() < 8


def test_what_is_learnt_of_open_mouths_is_measured_on_people_kept_out() -> None:
    rng = np.random.default_rng(5)
    smiles, posed = [], []
    for _ in range(24):
        rest, shown = smiling(rng, rng.uniform(4, 16))
        dropped = rest.copy()
        dropped[[55, 56, 57, 58, 59, 65, 66, 67], 1] += rng.uniform(20, 40)
        smiles.append((rest, shown))
        posed.append([(rest, dropped)])
    smile, dropped_jaw = kept_out(smiles, posed, posed)
    without, worse = kept_out(smiles, posed, [[] for _ in posed])
    assert dropped_jaw < 0.5 * worse
    assert smile == pytest.approx(without, rel=0.01), (
        "what a smile leaves is the photographs' to say"
    )


def test_the_shipped_table_narrows_a_smile_and_leaves_rest_alone() -> None:
    rest, shown = smiling(np.random.default_rng(4), 12)

    def width(points: np.ndarray) -> float:
        return float(points[54, 0] - points[48, 0])

    assert width(shipped()(shown)) < width(shown) - 8
    assert np.abs(shipped()(rest) - rest).mean() < 3
