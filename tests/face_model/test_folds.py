"""Folds learnt from smiles, and creases that are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from mien.face_model import creases as creases_module
from mien.face_model import folds
from mien.face_model.creases import ALONE, CREASES, SHORTER, SLANT, Creases, _personal
from mien.face_model.folds import Folds, SmileExample, learn, mirrored, place
from mien.face_model.lines import SkinLines, skin_lines
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.patches import Patch, patch_of
from mien.face_model.render import Rig


def smiling_weights(model: FaceModel, **shapes: float) -> np.ndarray:
    out = np.zeros(len(model.names), np.float32)
    for name, weight in shapes.items():
        out[model.index[name]] = weight
    return out


def test_what_every_smile_shows_is_learnt(model: FaceModel) -> None:
    """People whose smiles differ in strength, with noise, one of them lit from the side."""
    random = np.random.default_rng(0)
    x, y = model.neutral[FACE, 0], model.neutral[FACE, 1]
    true = (-0.2 * np.exp(-((np.abs(x) - 2.8) ** 2 + (y + 1) ** 2))).astype(np.float32)
    people = []
    for strength in np.linspace(0.2, 0.9, 40):
        seen = folds.depth(strength) * true + random.normal(0, 0.05, len(true))
        seen += 0.1 * np.tanh(x) * random.choice([-1, 1])
        weights = smiling_weights(model, mouthSmile_L=strength, mouthSmile_R=strength)
        people.append(SmileExample(seen.astype(np.float32), np.ones_like(true), weights))
    found = learn(model, people)
    expected = true * place(model)
    assert np.corrcoef(found, expected)[0, 1] > 0.9
    assert np.abs(found - found[mirrored(model)]).mean() < 0.003


def test_one_sided_smiles_fold_one_side(model: FaceModel) -> None:
    x = model.neutral[FACE, 0]
    drawn = Folds(model, folds.shipped())
    none = smiling_weights(model)
    lit = np.abs(np.log(drawn(smiling_weights(model, mouthSmile_L=1.0), none)))
    assert lit[x > 1].max() > 0.08
    assert lit[x < -1].max() < 0.01
    assert (drawn(none, none) == 1).all()


def test_a_closed_smile_loses_its_folds(model: FaceModel) -> None:
    drawn = Folds(model, folds.shipped())
    none, smile = smiling_weights(model), smiling_weights(model, mouthSmile_L=0.8, cheekSquint_L=1)
    assert np.allclose(drawn(none, smile) * drawn(smile, none), 1, atol=1e-5)


def test_the_table_is_small_and_says_where_it_is_from(tmp_path: Path) -> None:
    assert folds.TABLE.stat().st_size < 40_000
    folds.save(folds.shipped(), tmp_path / "table.safetensors")
    again = load_file(tmp_path / "table.safetensors")["smile"]
    assert (again == folds.shipped().astype(np.float16)).all()


def skin(rough: float) -> SkinLines:
    """Skin without lines of its own, as furrowed as `rough` says."""
    plain = np.zeros((320, 320), np.float32)
    return lines_of(plain, plain, rough)


def lines_of(level: np.ndarray, upright: np.ndarray, rough: float) -> SkinLines:
    """Skin with these lines (320, 320), and so furrowed."""
    out = SkinLines(np.full((*level.shape, 3), 128, np.float32), 16.0, rough)
    out.level, out.upright = level, upright
    return out


FURROWED = skin(1.0)


def creases(rig: Rig, bare: float = 1.0, seed: int = 1, lines: SkinLines = FURROWED) -> Creases:
    points = rig.fit.camera.project(rig.person.neutral)[0]
    everywhere = np.full(FACE.stop, bare, np.float32)
    return Creases(rig.model, points, lines, float(rig.fit.camera.scale), everywhere, seed)


@pytest.mark.parametrize("shape", sorted({crease.shape for crease in CREASES}))
def test_every_shape_creases_dark_and_bright(neutral: Rig, shape: str) -> None:
    names = [n for n in neutral.model.names if n.removesuffix("_L").removesuffix("_R") == shape]
    weights = smiling_weights(neutral.model, **dict.fromkeys(names, 1.0))
    drawn = creases(neutral)(weights, np.zeros_like(weights))
    assert drawn is not None
    assert -0.8 < drawn.min() < -0.04
    assert 0.01 < drawn.max() < 0.3


def test_creases_are_the_persons_own_and_always_the_same(neutral: Rig) -> None:
    weights = smiling_weights(neutral.model, browDown_L=1.0, browDown_R=1.0)
    none = np.zeros_like(weights)
    a, b, other = (creases(neutral, seed=seed)(weights, none) for seed in (1, 1, 2))
    assert a is not None
    assert b is not None
    assert other is not None
    assert (a == b).all()
    assert np.abs(a - other).max() > 0.02


def test_creases_are_carried_from_frame_to_frame(
    neutral: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a frame where the face is a little turned and larger they are what drawing them anew
    makes; where skin has moved by itself they are drawn anew."""
    model, scale = neutral.model, float(neutral.fit.camera.scale)
    points = neutral.fit.camera.project(neutral.person.neutral)[0]
    everywhere = np.full(FACE.stop, 1.0, np.float32)
    turn = np.array([[1.02, 0.03], [-0.03, 1.02]], np.float32)
    moved = ((points - 160) @ turn + 163).astype(np.float32)
    bent = moved + 4 * np.sin(points[:, ::-1] / 9).astype(np.float32)
    drawn = list[int]()

    def counted(*parts: Any) -> Patch:
        drawn.append(1)
        return patch_of(*parts)

    monkeypatch.setattr(creases_module, "patch_of", counted)
    weights = smiling_weights(model, browDown_L=1.0, browDown_R=1.0, noseSneer_L=1.0)
    none = np.zeros_like(weights)
    first = Creases(model, points, FURROWED, scale, everywhere, 1)
    first(weights, none)
    assert len(drawn) == 3
    for where, count in ((moved, 3), (bent, 6)):
        frame = Creases(model, where, FURROWED, 1.02 * scale, everywhere, 1, first)
        carried = frame(weights, none)
        assert len(drawn) == count
    drawn.clear()
    frame = Creases(model, moved, FURROWED, 1.02 * scale, everywhere, 1, first)
    again = Creases(model, moved, FURROWED, 1.02 * scale, everywhere, 1)
    carried, anew = frame(weights, none), again(weights, none)
    assert carried is not None
    assert anew is not None
    assert np.abs(anew).max() > 0.3
    assert np.abs(carried - anew).max() < 0.03


def test_people_do_not_frown_alike(neutral: Rig) -> None:
    """The frowns of any two people are nearly as unlike as furrows in the same place can be."""
    weights = smiling_weights(neutral.model, browDown_L=1.0, browDown_R=1.0)
    none, half = np.zeros_like(weights), skin(0.5)
    drawn = [creases(neutral, seed=seed, lines=half)(weights, none) for seed in range(8)]
    alike = np.corrcoef([one.ravel() for one in drawn if one is not None])
    assert len(alike) == 8
    assert np.median(alike[np.triu_indices(8, 1)]) < 0.3


@pytest.mark.parametrize("shape", sorted(ALONE))
def test_nobody_lacks_a_shapes_only_furrow(neutral: Rig, shape: str) -> None:
    names = [n for n in neutral.model.names if n.removesuffix("_L").removesuffix("_R") == shape]
    weights = smiling_weights(neutral.model, **dict.fromkeys(names, 1.0))
    for seed in range(8):  # a quarter of all furrows are left out
        drawn = creases(neutral, seed=seed)(weights, np.zeros_like(weights))
        assert drawn is not None
        assert drawn.min() < -0.02


def test_a_furrow_across_the_middle_is_one(neutral: Rig) -> None:
    """The dent over a raised chin is as deep in its middle as beside it, and alike on both sides:
    halves of their own look like two strokes."""
    weights = smiling_weights(neutral.model, mouthShrugLower=1.0)
    shape = neutral.model.neutral[FACE]
    points = neutral.fit.camera.project(neutral.person.neutral)[0]
    dent = np.flatnonzero((np.abs(shape[:, 1] + 5.45) < 0.35) & (shape[:, 2] > 3))
    x, y = points[dent].round().astype(int).T
    for seed in range(8):
        drawn = creases(neutral, seed=seed)(weights, np.zeros_like(weights))
        assert drawn is not None
        deep = drawn[y, x]
        right, middle, left = (
            deep[(shape[dent, 0] > low) & (shape[dent, 0] < low + 0.5)].min()
            for low in (-0.85, -0.25, 0.35)
        )
        assert middle < 0.4 * min(left, right), seed
        assert 0.5 < left / right < 2, seed


def test_hair_has_no_creases(neutral: Rig) -> None:
    weights = smiling_weights(neutral.model, browInnerUp_L=1.0, browInnerUp_R=1.0)
    assert creases(neutral, bare=0.0)(weights, np.zeros_like(weights)) is None


def test_what_the_photograph_shows_is_not_drawn_again(neutral: Rig) -> None:
    weights = smiling_weights(neutral.model, noseSneer_L=0.6, noseSneer_R=0.6)
    assert creases(neutral)(weights, weights) is None


def sharpest(wrinkle_map: np.ndarray | None) -> float:
    """The steepest change of log-brightness from one pixel to the next."""
    assert wrinkle_map is not None
    return float(max(np.abs(np.diff(wrinkle_map, axis=axis)).max() for axis in (0, 1)))


def test_smooth_skin_is_shaded_and_not_lined(neutral: Rig) -> None:
    frown = smiling_weights(neutral.model, browDown_L=1.0, browDown_R=1.0)
    none = np.zeros_like(frown)
    young, old = (creases(neutral, lines=skin(rough))(frown, none) for rough in (0.0, 1.0))
    assert sharpest(young) < 0.25 * sharpest(old)


def lined(rig: Rig) -> np.ndarray:
    """The sample's crop with two dark lines between the brows."""
    photo = rig.small.astype(np.float32)
    where = np.abs(rig.model.neutral[FACE, :2] - [0, 5.6]).sum(1).argmin()
    x, y = (int(v) for v in rig.source.points[where])
    for at in (x - 5, x + 5):
        photo[y - 9 : y + 9, at : at + 2] *= 0.88
    return photo


def measured(rig: Rig, photo: np.ndarray) -> SkinLines:
    return skin_lines(rig.model, photo, rig.source.points, float(rig.fit.camera.scale))


def test_a_frown_that_is_let_go_takes_its_lines_along(neutral: Rig) -> None:
    photo = lined(neutral)
    lines = measured(neutral, photo)
    plain, changed = lines.upright, photo[..., 1] != neutral.small[..., 1]
    frown = smiling_weights(neutral.model, browDown_L=0.6, browDown_R=0.6)
    none = np.zeros_like(frown)
    released = creases(neutral, lines=lines)(none, frown)
    deepened = creases(neutral, lines=lines_of(lines.level, plain, 0.0))(frown, none)
    assert released is not None
    assert deepened is not None
    assert released[changed].mean() > 0.03  # of the 0.13 in log-brightness, blurred
    assert deepened[changed].mean() < -0.01
    assert released[:200].max() < 0.2


def test_wrinkles_are_told_from_grain(rig: Rig) -> None:
    """Stripes over the forehead make a skin furrowed, noise of the same contrast much less."""
    photo = rig.small.astype(np.float32)
    rows = np.arange(320, dtype=np.float32)[:, None, None]
    striped = photo * (1 + 0.05 * np.sin(rows * 2 * np.pi / 7))
    noise = np.random.default_rng(0).normal(0, 0.035, photo.shape[:2]).astype(np.float32)
    plain, old, noisy = (
        measured(rig, p).rough for p in (photo, striped, photo * (1 + noise[..., None]))
    )
    assert plain < 0.3
    assert old > plain + 0.3
    assert noisy < 0.5 * (plain + old)


def test_people_have_a_crease_at_slants_and_of_lengths_of_their_own() -> None:
    path = np.array([[0.0, 0.0], [1.0, 0.2], [2.0, 0.0]])
    ways = [np.subtract(*_personal(path, np.random.default_rng(k))[[-1, 0]]) for k in range(40)]
    slants, lengths = [np.arctan2(*way[::-1]) for way in ways], np.linalg.norm(ways, axis=1)
    assert 0.5 * SLANT < np.std(slants) < 1.5 * SLANT
    assert 2 * (1 - SHORTER) < lengths.min() < 1.9
    assert lengths.max() <= 2.01
