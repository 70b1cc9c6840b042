"""Folds learnt from smiles, and creases that are drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from safetensors.numpy import load_file

from mien.data.split import split_of
from mien.face_model import creases as creases_module
from mien.face_model import folds
from mien.face_model.creases import ALONE, CREASES, SHORTER, SLANT, Creases, _personal
from mien.face_model.folds import FoldChart, Folds, SmileExample, learn, place
from mien.face_model.lines import SkinLines, skin_lines
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.patches import Patch, patch_of
from mien.face_model.render import Rig


def smiling_weights(model: FaceModel, **shapes: float) -> np.ndarray:
    out = np.zeros(len(model.names), np.float32)
    for name, weight in shapes.items():
        out[model.index[name]] = weight
    return out


def everywhere() -> np.ndarray:
    return np.ones(FoldChart.shape, np.float32)


def at() -> tuple[np.ndarray, np.ndarray]:
    """The places (h, w) of the chart, cm."""
    rows, columns = np.mgrid[: FoldChart.shape[0], : FoldChart.shape[1]] + 0.5
    return columns / folds.DENSITY - folds.WIDE, folds.TOP - rows / folds.DENSITY


def furrow(x: float, y: float = -1.0, width: float = 0.15) -> np.ndarray:
    """A dark furrow (h, w) that runs upright on both sides of the nose."""
    across, along = at()
    deep = np.exp(-(((np.abs(across) - x) / width) ** 2) - (along - y) ** 2)
    return np.asarray(-0.25 * deep, np.float32)


def test_what_every_smile_shows_is_learnt(model: FaceModel) -> None:
    """People whose smiles differ in strength, with noise, some lit from the left, some from the
    right."""
    random = np.random.default_rng(0)
    true, (x, _) = furrow(2.8, width=0.8), at()
    people = []
    for strength in np.linspace(0.2, 0.9, 40):
        seen = folds.depth(strength) * true + random.normal(0, 0.05, true.shape)
        seen += 0.1 * np.tanh(x) * random.choice([-1, 1])
        people.append(example("a", seen, float(strength)))
    found = learn(model, people, {"a"}).mean
    expected = true * FoldChart(model).rasterised(place(model)[:, None])[..., 0]
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.9
    assert np.abs(found - found[:, ::-1]).max() < 0.005


def example(name: str, seen: np.ndarray, smile: float) -> SmileExample:
    return SmileExample(name, seen.astype(np.float32), everywhere(), smile, 0.8, 0.1)


def test_a_donor_keeps_the_fold_that_a_mean_blurs(model: FaceModel) -> None:
    """Furrows that lie apart in each person: the mean is shallow, each donor's is as it was."""
    apart = {f"p{k}": furrow(2.3 + 0.1 * k) for k in range(10)}
    people = [example(n, folds.depth(0.8) * f, 0.8) for n, f in apart.items()]
    library = learn(model, people, apart)
    assert library.mean.min() > 0.6 * furrow(2.8).min()
    for donor in library.donors:
        assert donor.folds.min() < 0.5 * apart[donor.name].min()
        assert donor.folds.min() < 1.2 * folds.DEEPENED * library.mean.min()


def test_light_that_moved_between_two_photographs_is_nobodys_fold(model: FaceModel) -> None:
    x, _ = at()
    (donor,) = learn(model, [example("a", 0.3 * np.tanh(x / 3), 0.8)], {"a"}).donors
    assert np.abs(donor.folds[:, 70:110]).max() < 0.06


def test_stubble_is_no_fold(model: FaceModel) -> None:
    random = np.random.default_rng(0)
    grainy = random.normal(0, 0.05, FoldChart.shape)
    (donor,) = learn(model, [example("a", grainy, 0.8)], {"a"}).donors
    assert donor.folds.std() < 0.5 * grainy.std()


def test_a_donor_has_like_skin_and_turn_decides_among_the_alike() -> None:
    library = folds.shipped()
    dark = {library.choose(0.45, 0.8, turn).name for turn in range(folds.ALIKE)}
    fair = {library.choose(0.9, 0.0, turn).name for turn in range(folds.ALIKE)}
    assert len(dark) == len(fair) == folds.ALIKE
    assert "london/099" in dark  # the donors' darkest skin
    assert not dark & fair


def pressed(rig: Rig, **shapes: float) -> np.ndarray | None:
    """What a photograph's folds are under these shapes."""
    weights = rig.fit.weights.copy()
    for name, weight in shapes.items():
        weights[rig.model.index[name]] = weight
    return folds_of(rig)(weights, rig.fit.weights)


def folds_of(
    rig: Rig, free: np.ndarray | None = None, turn: int = 0, seen: SkinLines | None = None
) -> Folds:
    library, source = folds.shipped(), rig.source
    donor = library.choose(0.8, 0.1, turn)
    lines = seen or SkinLines(rig.small.astype(np.float32), rig.fit.camera.scale)
    return Folds(rig.model, library.mean, donor, source.points, source.depth, free, lines)


def test_one_sided_smiles_fold_one_side(neutral: Rig) -> None:
    middle = round(float(neutral.fit.landmarks[[27, 33, 8], 0].mean()))
    drawn = pressed(neutral, mouthSmile_L=1.0)
    assert drawn is not None
    left, right = drawn[:, middle + 12 :], drawn[:, : middle - 12]  # the person's own left
    assert left.min() < -0.1
    assert np.abs(right).max() < 0.03


def test_a_smile_that_goes_takes_its_own_folds_along_and_leaves_moles(neutral: Rig) -> None:
    """Lines beside the nose are a smile's, those elsewhere are not, and dots are no lines."""
    points, unit = neutral.fit.landmarks, neutral.fit.camera.scale
    nose, corner = points[[31, 48]]  # the person's right: the picture's left
    fold = [nose + at * (corner - nose) - (0.55 * unit, 0) for at in (0.1, 0.8)]
    skin = np.full((320, 320, 3), 170, np.float32)
    lined, dotted = skin.copy(), skin.copy()
    a, b = (np.round(end).astype(int).tolist() for end in fold)
    cv2.line(lined, a, b, (110, 110, 110), 2)
    cv2.line(lined, (150, 40), (170, 40), (110, 110, 110), 2)  # the forehead
    middle = ((fold[0] + fold[1]) / 2).round().astype(int)
    cv2.circle(dotted, tuple(middle.tolist()), 2, (110, 110, 110), -1)
    weights, smiling = (neutral.fit.weights.copy() for _ in range(2))
    for side in "LR":
        weights[neutral.model.index[f"mouthSmile_{side}"]] = 0
        smiling[neutral.model.index[f"mouthSmile_{side}"]] = 0.7
    plain, line, dot = (
        folds_of(neutral, seen=SkinLines(photo, unit))(weights, smiling)
        for photo in (skin, lined, dotted)
    )
    assert plain is not None
    assert line is not None
    assert dot is not None
    x, y = middle
    assert line[y, x] > 0.15  # of the line's depth of 0.4
    assert line[y, x] > 2 * plain[y, x]
    assert np.abs(line - plain)[30:50].max() == 0
    assert np.abs(dot - plain).max() < 0.02


def test_nothing_is_folded_where_nothing_smiles(neutral: Rig) -> None:
    assert pressed(neutral) is None
    assert pressed(neutral, jawOpen=1.0) is None


def test_a_fold_lies_beside_the_nose_and_not_beside_the_face(neutral: Rig) -> None:
    drawn = pressed(neutral, mouthSmile_L=1.0, mouthSmile_R=1.0)
    assert drawn is not None
    nose, mouth = neutral.fit.landmarks[[31, 35]], neutral.fit.landmarks[[48, 54]]
    for wing, corner in zip(nose, mouth, strict=True):
        x, y = ((wing + corner) / 2).round().astype(int)
        assert drawn[y - 20 : y + 20, x - 20 : x + 20].min() < -0.08
    outline = neutral.fit.landmarks[:17]
    assert np.abs(drawn[:, : int(outline[:, 0].min()) - 8]).max() < 0.02
    assert np.abs(drawn[int(outline[:, 1].max()) + 12 :]).max() < 0.02


def test_what_is_covered_is_not_folded(neutral: Rig) -> None:
    weights = neutral.fit.weights.copy()
    weights[neutral.model.index["mouthSmile_L"]] = 1.0
    covered = folds_of(neutral, np.zeros(FACE.stop, np.float32))(weights, neutral.fit.weights)
    assert covered is not None
    assert not covered.any()


def test_a_smile_that_goes_takes_the_mean_and_no_strangers_fold(neutral: Rig) -> None:
    """The photograph shows its own person's folds: another's would leave bright lines."""
    smile = neutral.fit.weights.copy()
    smile[[neutral.model.index[f"mouthSmile_{side}"] for side in "LR"]] = 0.8
    one, other = (folds_of(neutral, turn=turn) for turn in range(2))
    gone = [drawn(neutral.fit.weights, smile) for drawn in (one, other)]
    come = [drawn(smile, neutral.fit.weights) for drawn in (one, other)]
    assert gone[0] is not None
    assert gone[0].max() > 0.03
    assert gone[1] is not None
    assert np.array_equal(gone[0], gone[1])
    assert come[0] is not None
    assert come[1] is not None
    assert np.abs(come[0] - come[1]).max() > 0.1


def test_the_file_is_small_says_whose_it_is_and_keeps_what_it_holds(tmp_path: Path) -> None:
    library = folds.shipped()
    assert folds.TABLE.stat().st_size < 1_000_000
    assert all(str(split_of(donor.name)) == "train" for donor in library.donors)
    library.save(tmp_path / "table.safetensors")
    kept, again = load_file(folds.TABLE), load_file(tmp_path / "table.safetensors")
    assert kept.keys() == again.keys()
    assert all(np.array_equal(kept[name], again[name]) for name in kept)


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
