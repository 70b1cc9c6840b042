"""The landmark network's views and training: labels stay on what they label, and the loss goes
down.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from mien import facs
from mien.faces.align import template
from mien.faces.landmarks import SIZE
from mien.rig.expressions import expression_list
from mien.training.landmark_data import STRONGEST, _expression
from mien.training.landmark_net import LandmarkNet, load
from mien.training.landmark_scores import errors
from mien.training.landmark_views import Example, _light, other_lips, view
from mien.training.landmarks import LandmarkConfig, fit, landmark_loss, save
from mien.training.run import Budget
from mien.types import Float, UInt8

DOTS = [2, 14, 8, 30, 17, 26, 48, 54]
CALM = LandmarkConfig().calm


def _dots(size: int = 256) -> tuple[UInt8, Float]:
    """A grey picture with a white dot on a few landmarks that are each other's mirror image."""
    points = (template(size) - size / 2) / 1.3 + size / 2
    image = np.full((size, size, 3), 120, np.uint8)
    for x, y in points[DOTS]:
        cv2.circle(image, (round(float(x)), round(float(y))), 5, (255, 255, 255), -1)
    return image, points.astype(np.float32)


def test_views_move_labels_with_the_pixels() -> None:
    """Labels of dots lie brighter than labels of bare ground, in views of every kind."""
    image, points = _dots()
    bare = [i for i in range(68) if np.linalg.norm(points[DOTS] - points[i], axis=1).min() > 14]
    on_dot: list[float] = []
    off_dot: list[float] = []
    for seed in range(80):
        crop, moved = view(image, points, image.copy, SIZE, np.random.default_rng(seed), CALM)
        assert crop.shape == (SIZE, SIZE, 3)
        assert crop.dtype == np.uint8
        levels = crop.astype(float).mean(axis=2) - np.median(crop)
        for names, found in ((DOTS, on_dot), (bare, off_dot)):
            x, y = moved[names].round().astype(int).T
            inside = (x >= 0) & (y >= 0) & (x < SIZE) & (y < SIZE)
            found.extend(levels[y[inside], x[inside]])
    assert np.mean(on_dot) > np.mean(off_dot) + 25


def test_low_numbers_stay_on_the_left_of_the_picture() -> None:
    """Mirrored or not: otherwise the network would learn two meanings for each landmark."""
    image, points = _dots()
    for seed in range(40):
        _, moved = view(image, points, image.copy, SIZE, np.random.default_rng(seed), CALM)
        assert moved[0, 0] < moved[16, 0]
        assert moved[36, 0] < moved[45, 0]
        assert np.linalg.norm(moved - template(SIZE), axis=1).mean() < 0.3 * SIZE


def _lips() -> tuple[UInt8, Float]:
    """A crop with red lips whose landmarks lie exactly on their edges."""
    points = template(256)
    points[[48, 54, 60, 64]] = (96, 170), (160, 170), (100, 170), (156, 170)
    for outer, inner, sign in (((50, 51, 52), (61, 62, 63), -1), ((58, 57, 56), (67, 66, 65), 1)):
        for column, (edge, rim) in enumerate(zip(outer, inner, strict=True)):
            points[edge], points[rim] = (
                (116 + 12 * column, 170 + 14 * sign),
                (116 + 12 * column, 170),
            )
    for edge, x in ((49, 106), (53, 150), (59, 106), (55, 150)):
        points[edge] = (x, 170 + (8 if edge > 54 else -8))
    image = np.full((256, 256, 3), (210, 170, 150), np.uint8)
    outline = points[48:60].round().astype(np.int32)
    cv2.fillPoly(image, [outline], (170, 60, 60))
    return image, points


@pytest.mark.parametrize(("upper", "lower"), [(0.3, 0.5), (1.3, 0.4), (0.5, 1.3)])
def test_other_lips_carry_their_landmarks(upper: float, lower: float) -> None:
    image, points = _lips()
    changed, moved = other_lips(image, points, upper, lower)
    red = (changed[:, 128].astype(int) @ (1, -1, 0)) > 75
    assert red.any()
    assert np.flatnonzero(red).min() == pytest.approx(170 - 14 * upper, abs=1.5)
    assert np.flatnonzero(red).max() == pytest.approx(170 + 14 * lower, abs=1.5)
    assert moved[51, 1] == pytest.approx(170 - 14 * upper, abs=0.2)
    assert moved[57, 1] == pytest.approx(170 + 14 * lower, abs=0.2)
    kept = [i for i in range(68) if i not in (*range(49, 54), *range(55, 60))]
    assert np.array_equal(moved[kept], points[kept])
    assert np.array_equal(changed[:140], image[:140])
    assert np.array_equal(changed[:, :90], image[:, :90])


def test_lips_as_they_are_stay_as_they_are() -> None:
    image, points = _lips()
    same, moved = other_lips(image, points, 1.0, 1.0)
    assert np.abs(same.astype(int) - image).max() <= 1
    assert np.allclose(moved, points, atol=1e-3)


def test_lips_beyond_the_picture_are_left_alone() -> None:
    image, points = _lips()
    away = points + np.array([400, 0], np.float32)
    same, moved = other_lips(image, away, 0.5, 0.5)
    assert np.array_equal(same, image)
    assert np.array_equal(moved, away)


def test_renders_show_what_no_checked_photograph_does() -> None:
    """Frowns and brows beyond what people do when asked to, lids from shut to wide, open mouths."""
    listed, random = expression_list(), np.random.default_rng(0)
    shown = np.stack([_expression(listed, random) for _ in range(400)])
    names = ("AU1", "AU4", "AU5", "AU43", "AU27")
    of = {name: shown[:, facs.vector({name: 1.0}) > 0].max(1) for name in names}
    assert (of["AU4"] > 1).mean() > 0.08
    assert (of["AU1"] > 1).any()
    assert (of["AU4"] > 0.6).mean() < 0.6
    for name in ("AU5", "AU43", "AU27"):
        assert 0.05 < (of[name] > 0.4).mean() < 0.5
    assert shown.min() >= 0
    assert shown.max() <= STRONGEST


def test_staged_light_has_two_colours() -> None:
    grey = np.full((64, 64, 3), 128, np.uint8)
    lit = [_light(64, 64, np.random.default_rng(seed)) * grey for seed in range(60)]
    tinted = [np.ptp(one / one.mean(2, keepdims=True), axis=2).max() > 0.2 for one in lit]
    assert 0.15 < np.mean(tinted) < 0.6
    assert all(np.isfinite(one).all() and one.min() > 0 for one in lit)


def test_views_are_drawn_by_their_seed() -> None:
    image, points = _dots()
    one, two = (
        view(image, points, image.copy, SIZE, np.random.default_rng(3), CALM) for _ in range(2)
    )
    other = view(image, points, image.copy, SIZE, np.random.default_rng(4), CALM)
    assert np.array_equal(one[0], two[0])
    assert np.array_equal(one[1], two[1])
    assert not np.array_equal(one[0], other[0])


def test_the_loss_is_quadratic_then_linear_and_weighs_the_outline() -> None:
    units = torch.full((2, 68, 2), 0.5)
    at = 0.5 * SIZE - 0.5
    weights = torch.ones(68)
    near, far = torch.full((2, 68, 2), at), torch.full((2, 68, 2), at)
    near[..., 0] += 0.25
    far[..., 0] += 10
    assert landmark_loss(units, near, weights).item() == pytest.approx(0.25**2 / 2 / 0.5)
    assert landmark_loss(units, far, weights).item() == pytest.approx(10 - 0.25)
    jaw = torch.full((2, 68, 2), at)
    jaw[:, :17, 0] += 10
    weights[:17] = 0.4
    expected = 9.75 * 17 * 0.4 / (17 * 0.4 + 51)
    assert landmark_loss(units, jaw, weights).item() == pytest.approx(expected)


def test_errors_are_percent_of_the_eye_corners() -> None:
    truth = template(100)
    eyes = float(np.linalg.norm(truth[36] - truth[45]))
    found = errors(truth + np.array([eyes / 50, 0], np.float32), truth)
    assert found["mouth"] == pytest.approx(2.0, abs=1e-3)
    assert found["inner"] == pytest.approx(2.0, abs=1e-3)


def test_an_example_keeps_its_picture() -> None:
    image, points = _dots()
    example = Example.of(image, points)
    assert np.abs(example.pixels().astype(int) - image).mean() < 3
    assert example.pixels().shape == image.shape


@pytest.mark.slow
def test_training_learns_and_repeats_itself(tmp_path: Path) -> None:
    image, points = _dots()
    examples = [Example.of(image, points)]
    config = LandmarkConfig()
    torch.set_num_threads(1)

    def loss(net: LandmarkNet) -> float:
        made = [
            view(image, points, image.copy, SIZE, np.random.default_rng(s), CALM) for s in range(16)
        ]
        crops = torch.from_numpy(np.stack([c for c, _ in made])).permute(0, 3, 1, 2).float()
        truth = torch.from_numpy(np.stack([p for _, p in made]))
        with torch.no_grad():
            return landmark_loss(net.eval()(crops / 127.5 - 1), truth, torch.ones(68)).item()

    def fitted(name: str, steps: int) -> LandmarkNet:
        return fit(examples, config, Budget(4 * steps, 4, 0), 2e-3, 0.45, tmp_path / name)

    short, again, longer = fitted("one", 4), fitted("two", 4), fitted("long", 30)
    assert loss(longer) < 0.8 * loss(short)
    pairs = zip(short.state_dict().values(), again.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_saved_weights_come_back(tmp_path: Path) -> None:
    net = LandmarkNet().eval()
    save(net, tmp_path, {"licence": "none"})
    crop = torch.rand(1, 3, SIZE, SIZE) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(load(tmp_path / "landmarks.safetensors")(crop), net(crop), atol=2e-3)
