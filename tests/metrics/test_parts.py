"""Mouth, eyes and brows apart: what was changed where shows there and nowhere else."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from torch import Tensor

from mien import images
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import Label
from mien.judges.landmarker import SHAPES, Landmarker, Mesh
from mien.metrics.parts import Outsider, background, part_columns
from mien.metrics.pixel import PARTS, REGIONS, region_mask
from mien.metrics.trials import Trial
from mien.nn import tensors
from mien.types import Faces
from mien.zoo.samples import samples

SIDE = 256


class Unlike:
    """Stands for the network: how unlike two pictures are in their levels."""

    name = "levels"

    def map(self, a: Tensor, b: Tensor) -> Tensor:
        return (a - b).abs().mean(1, keepdim=True)


@pytest.fixture(scope="module")
def face() -> Faces[Tensor]:
    pixels = images.read(samples()["anna"]).pixels
    return tensors.faces(Faces.stack([align(pixels, detect(pixels)[0], SIDE)]))


def measured(made: Tensor, face: Faces[Tensor], truth: Faces[Tensor] | None) -> dict[str, float]:
    trial = Trial(face, ("anna",), ("happy",), Label("happy"), truth=truth)
    return {k: float(v) for k, v in part_columns(made, trial, Unlike()).items()}  # type: ignore[arg-type]


def blurred(face: Faces[Tensor], part: str) -> Tensor:
    where = region_mask(face.landmarks, SIDE, part)
    soft = torch.from_numpy(
        cv2.GaussianBlur(face.pixels[0].permute(1, 2, 0).numpy(), (0, 0), 4)
    ).permute(2, 0, 1)[None]
    return torch.where(where.bool(), soft, face.pixels)


def test_parts_lie_at_their_landmarks_and_sides_are_the_person_s_own(face: Faces[Tensor]) -> None:
    masks = {part: region_mask(face.landmarks, SIDE, part)[0, 0] for part in PARTS}
    for part, mask in masks.items():
        ((start, end),) = REGIONS[part]
        for x, y in face.landmarks[0, start:end].round().long():
            assert mask[y, x] == 1
    middle = {part: float(mask.nonzero()[:, 1].float().mean()) for part, mask in masks.items()}
    assert middle["right_eye"] < middle["mouth"] < middle["left_eye"]
    both = torch.maximum(masks["left_eye"], masks["right_eye"])
    assert torch.equal(region_mask(face.landmarks, SIDE, "eyes")[0, 0], both)


@pytest.mark.parametrize("part", PARTS)
def test_a_blur_shows_in_its_own_part(face: Faces[Tensor], part: str) -> None:
    found = measured(blurred(face, part), face, face)
    assert found[f"{part}_sharpness"] < 0.6
    assert found[f"{part}_psnr"] < 60
    assert found[f"{part}_ssim"] < 0.99
    assert found[f"{part}_perceptual"] > 0
    far = "mouth" if part != "mouth" else "left_brow"
    assert found[f"{far}_psnr"] == 80
    assert found[f"{far}_sharpness"] == pytest.approx(1)


def test_sharpness_is_held_against_the_truth_s_own_part(face: Faces[Tensor]) -> None:
    truth = Faces(blurred(face, "mouth"), face.landmarks)
    assert measured(face.pixels, face, truth)["mouth_sharpness"] > 1.5  # too sharp
    assert measured(truth.pixels, face, truth)["mouth_sharpness"] == pytest.approx(1)
    assert "mouth_psnr" not in measured(face.pixels, face, None)
    assert measured(truth.pixels, face, None)["mouth_sharpness"] < 0.6


def test_background_is_what_lies_well_outside_the_face(face: Faces[Tensor]) -> None:
    assert float(background(face.pixels, face)) == 1
    mouth = blurred(face, "mouth")
    assert float(background(mouth, face)) == 1
    corner = face.pixels.clone()
    corner[..., :40, :40] = 0.5
    share = 40 * 40 / SIDE**2
    assert 1 - 3 * share < float(background(corner, face)) < 1 - share


class Says(Landmarker):
    """Answers by the picture's red level: a smile, or nobody."""

    def __init__(self) -> None:
        pass

    def see(self, pixels: np.ndarray) -> Mesh:
        from mien.errors import FaceNotFound

        red = float(pixels[..., 0].mean()) / 255
        if red > 0.9:
            raise FaceNotFound("nobody")
        shapes = np.zeros(len(SHAPES), np.float32)
        shapes[[SHAPES.index("mouthSmileLeft"), SHAPES.index("mouthSmileRight")]] = red
        points = np.random.default_rng(0).normal(size=(478, 3)).astype(np.float32)
        return Mesh(points, shapes)


def test_the_landmarker_is_held_against_the_truth_and_a_lost_face_is_the_largest_error() -> None:
    def of(red: float) -> Tensor:
        return torch.full((1, 3, 32, 32), 2 * red - 1)

    points = torch.zeros(1, 68, 2)
    trial = Trial(
        Faces(of(0.0), points), ("a",), ("happy",), Label("happy"), truth=Faces(of(0.8), points)
    )
    outsider = Outsider(Says(), trial)
    found = {k: float(v) for k, v in outsider.columns(of(0.6)).items()}
    assert found["mp_smile"] == pytest.approx(0.2, abs=0.01)
    assert found["mp_lids"] == found["mp_jaw"] == 0
    assert found["mp_change"] == pytest.approx(0.6 * 2**0.5, abs=0.01)
    gone = {k: float(v) for k, v in outsider.columns(of(1.0)).items()}
    assert gone["mp_smile"] == gone["mp_gap"] == 1
