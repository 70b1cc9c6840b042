"""Paste: the edit arrives where it should, the rest stays to the bit, and it stays sharp."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mien import images
from mien.data.adapters.tem import read_tem, to_68
from mien.faces import align
from mien.faces.align import View
from mien.faces.paste import face_shape, paste
from mien.nn.compose import compose, picture
from mien.types import AlignedFace, Composition, Face, Faces, Float, UInt8, unchanged

S = 128


def photograph(side: int, seed: int = 0) -> UInt8:
    """Texture at every scale, like skin, uint8 (side, side, 3)."""
    rng = np.random.default_rng(seed)
    out = np.full((side, side, 3), 128, np.float32)
    for step in (1, 4, 16, 64):
        coarse = rng.normal(0, 14, (max(2, side // step), max(2, side // step), 3))
        out += cv2.resize(coarse.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    return np.clip(out, 0, 255).astype(np.uint8)


def face_in(
    photo: UInt8, share: float, angle: float = 0.0, shift: tuple[float, float] = (0, 0)
) -> AlignedFace:
    """A face of the template's shape whose crop is `share` of the photograph wide, turned by
    `angle`.
    """
    side = share * photo.shape[1]
    points = (align.template(S) + 0.5) / S - 0.5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    centre = np.array(photo.shape[1::-1]) / 2 + np.array(shift)
    landmarks = (points @ turn.T * side + centre).astype(np.float32)
    return align.align(photo, Face((0, 0, 1, 1), 1.0, landmarks), S)


def bump(x: float, y: float, width: float) -> Float:
    """A Gaussian (S, S) in crop px."""
    line = np.arange(S, dtype=np.float32)
    return np.exp(-((line[None] - x) ** 2 + (line[:, None] - y) ** 2) / (2 * width**2))


def edit(
    flow: tuple[float, float] = (0, 0), cover: float = 0.0, paint: float = -0.8, width: float = 9.0
) -> Composition[Float]:
    """A bump of flow (crop units) and of cover in the middle of the crop."""
    shape = bump(64, 64, width)
    return Composition(
        np.stack([shape * flow[0], shape * flow[1]])[None],
        (1 - cover * shape)[None, None],
        np.full((1, 3, S, S), paint, np.float32),
    )


def sharpness(pixels: UInt8, inside: NDArray[np.bool_]) -> float:
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return float(cv2.Laplacian(grey, cv2.CV_32F)[inside].var())


def inside_face(photo: UInt8, landmarks: Float) -> NDArray[np.bool_]:
    mask = np.zeros(photo.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(landmarks).astype(np.int32)), 1)
    return mask > 0


@pytest.mark.parametrize("angle", [0.0, 0.3])
@pytest.mark.parametrize("share", [0.1, 0.6, 1.7])
def test_no_edit_is_the_photograph(share: float, angle: float) -> None:
    photo = photograph(500)
    face = face_in(photo, share, angle)
    result = paste(photo, face, unchanged(Faces.stack([face]).pixels))
    assert result is not photo
    assert np.array_equal(result, photo)


def test_outside_the_edit_not_a_bit_changes() -> None:
    photo = photograph(700)
    face = face_in(photo, 0.7, 0.2)
    result = paste(photo, face, edit(flow=(0.05, 0.02), cover=1.0))
    changed = (result != photo).any(-1)
    ys, xs = np.nonzero(changed)
    where = align.transform(face.matrix, np.stack([xs, ys], 1).astype(np.float32))
    distance = np.linalg.norm(where - 64, axis=1)
    assert changed.sum() > 5000
    assert distance.max() < 4.5 * 9  # the bump is below half a level there
    assert result.shape == photo.shape
    assert result.dtype == np.uint8


def test_edits_fade_before_the_border_of_the_crop() -> None:
    """Everything moves and everything is painted, as far as the crop goes: no edge may show."""
    photo = photograph(600)
    photo[:] = (photo // 8) + 112  # little texture, so that a step would stand out
    face = face_in(photo, 0.6)
    everywhere = Composition(
        np.full((1, 2, S, S), 0.03, np.float32),
        np.full((1, 1, S, S), 0.5, np.float32),
        np.ones((1, 3, S, S), np.float32),
    )
    result = paste(photo, face, everywhere).astype(float)
    changed = np.abs(result - photo).max(-1)
    ys, xs = np.nonzero(changed)
    where = align.transform(face.matrix, np.stack([xs, ys], 1).astype(np.float32))
    assert where.min() > -0.5
    assert where.max() < S - 0.5
    across = cv2.blur(result, (9, 9))[300].mean(-1)
    assert changed.max() > 30
    assert np.abs(np.diff(across)).max() < 6  # 60 levels over the 36 px of the window


def test_flow_moves_the_photograph_by_crop_units() -> None:
    """Where the flow is flat, the result is the photograph shifted by whole pixels, to the bit."""
    photo = photograph(640)
    face = face_in(photo, 0.8)  # a crop of 512 px: 4 photograph px per crop px
    flow = np.zeros((1, 2, S, S), np.float32)
    flow[:, 0], flow[:, 1] = 8 / 512, -16 / 512
    source = Faces.stack([face]).pixels
    result = paste(photo, face, Composition(flow, np.ones((1, 1, S, S), np.float32), source))
    middle = result[250:390, 250:390].astype(int)
    shifted = photo[250 - 16 : 390 - 16, 250 + 8 : 390 + 8].astype(int)
    assert np.abs(middle - shifted).max() <= 1


def test_flow_turns_with_the_face() -> None:
    """A quarter turn: x of the crop is y of the photograph."""
    photo = photograph(640)
    face = face_in(photo, 0.8, np.pi / 2)
    flow = np.zeros((1, 2, S, S), np.float32)
    flow[:, 0] = 8 / 512
    source = Faces.stack([face]).pixels
    result = paste(photo, face, Composition(flow, np.ones((1, 1, S, S), np.float32), source))
    shifted = photo[250 + 8 : 390 + 8, 250:390].astype(int)
    assert np.abs(result[250:390, 250:390].astype(int) - shifted).max() <= 1


def test_paint_covers_and_shows_no_detail_of_what_was_there() -> None:
    photo = photograph(800)
    face = face_in(photo, 0.8)
    result = paste(photo, face, edit(cover=1.0, paint=-0.8, width=25))
    middle = result[385:415, 385:415].astype(float)
    assert abs(middle.mean() - 0.1 * 255) < 3
    assert middle.std() < 0.15 * photo[385:415, 385:415].std()


def test_new_light_keeps_the_skin() -> None:
    """Half covered by the same skin, darker: darker, with its texture above the crop's resolution
    whole.
    """
    photo = photograph(900)
    face = face_in(photo, 0.9)
    source = Faces.stack([face]).pixels
    flow, mask = np.zeros((1, 2, S, S), np.float32), np.full((1, 1, S, S), 0.5, np.float32)
    result = paste(photo, face, Composition(flow, mask, source - 0.3))
    part = np.s_[300:600, 300:600]
    fine = [
        x[part] - cv2.GaussianBlur(x[part], (0, 0), 4)
        for x in (result.astype(float), photo.astype(float))
    ]
    assert result[part].mean() == pytest.approx(photo[part].mean() - 0.15 * 127.5, abs=1)
    assert fine[0].std() == pytest.approx(fine[1].std(), rel=0.1)
    assert np.corrcoef(fine[0].ravel(), fine[1].ravel())[0, 1] > 0.98


def test_painting_what_is_there_changes_little() -> None:
    """A method that repaints a lip as it was does not blur it, whatever its mask says."""
    photo = photograph(900)
    face = face_in(photo, 0.9)
    source = Faces.stack([face]).pixels
    mask = 1 - bump(64, 64, 15)[None, None]
    result = paste(photo, face, Composition(np.zeros((1, 2, S, S), np.float32), mask, source))
    whole = np.ones(photo.shape[:2], bool)
    assert sharpness(result, whole) == pytest.approx(sharpness(photo, whole), rel=0.1)


def test_a_small_face_gets_the_plain_composition() -> None:
    """Below the crop's resolution there is no detail to add: `compose`, seen at the photograph's
    scale.
    """
    photo = np.asarray(cv2.GaussianBlur(photograph(400), (0, 0), 2.0), np.uint8)
    face = face_in(photo, 0.25)  # a crop of 100 px
    change = edit(flow=(0.04, 0.0), cover=0.7, paint=-0.5)
    before, fields = torch.from_numpy(Faces.stack([face]).pixels), change.mapped(torch.from_numpy)
    crop = compose(before, fields).numpy()
    result = paste(photo, face, change)
    seen = Faces.stack(
        [AlignedFace(align.warp(result, face.matrix, S), face.matrix, face.landmarks)]
    )
    difference = np.abs(seen.pixels - crop)[..., 15:-15, 15:-15] * 127.5
    assert difference.mean() < 0.8
    assert difference.max() < 8


@pytest.mark.parametrize("shift", [(-300, 0), (280, 120), (0, -310)])
def test_faces_partly_out_of_the_frame(shift: tuple[float, float]) -> None:
    photo = photograph(600)
    face = face_in(photo, 0.8, 0.1, shift)
    result = paste(photo, face, edit(flow=(0.06, 0.04), cover=1.0, width=14))
    assert result.shape == photo.shape
    assert (result != photo).any()


def test_a_face_outside_the_frame_changes_nothing() -> None:
    photo = photograph(300)
    face = face_in(photo, 0.5, shift=(5000, 0))
    assert np.array_equal(paste(photo, face, edit(cover=1.0)), photo)


def drawn_over(
    photo: UInt8, paint: Float, cover: Float, off: float = 0.0
) -> tuple[UInt8, AlignedFace]:
    """A photograph with `paint` (S, S) in -1..1 over it as far as `cover` (S, S) says, drawn at the
    face's own size, which lies `off` px beside the photograph's pixels; and the face."""
    found = face_in(photo, S / photo.shape[1], 0.1, (off, off))
    shape = (1, 1, S, S)
    edited = Composition(
        np.zeros((1, 2, S, S), np.float32),
        (1 - cover).reshape(shape),
        np.repeat(paint.reshape(shape), 3, 1),
        np.ones(shape, np.float32),
    )
    return paste(photo, found, edited), found


def test_what_is_drawn_at_the_photographs_size_arrives_sharp() -> None:
    """Teeth on a turned face: pixels between the crop's are read with the contrast of these."""
    rng = np.random.default_rng(5)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (S, S)).astype(np.float32), (0, 0), 0.7)
    paint = np.clip(0.25 * grain / grain.std(), -0.9, 0.9)
    cover = np.clip(2 * bump(64, 64, 25), 0, 1)
    shown, _ = drawn_over(np.full((300, 300, 3), 128, np.uint8), paint, cover, 0.5)
    inside = np.zeros(shown.shape[:2], bool)
    inside[140:160, 140:160] = True
    drawn = np.round((paint + 1) * 127.5).astype(np.uint8)
    whole = np.zeros((S, S), bool)
    whole[54:74, 54:74] = True
    assert sharpness(shown, inside) > 0.75 * sharpness(np.repeat(drawn[..., None], 3, 2), whole)


def test_a_drawn_edge_has_no_halo() -> None:
    """Paint of the photograph's own colour, with a hard edge, cannot be seen."""
    photo = np.full((300, 300, 3), 200, np.uint8)
    cover = np.zeros((S, S), np.float32)
    cover[50:80, 45:85] = 1
    same, _ = drawn_over(photo, np.full((S, S), 200 / 127.5 - 1, np.float32), cover, 0.3)
    assert np.abs(same.astype(int) - photo).max() <= 1


@pytest.mark.parametrize("place", [(64, 64), (20, 100)])
def test_paint_is_read_where_there_is_some(
    monkeypatch: pytest.MonkeyPatch, place: tuple[int, int]
) -> None:
    """As if it were read everywhere."""
    photo = photograph(700, 4)
    cover = bump(*place, 3) * (bump(*place, 3) > 0.01)
    paint = np.full((S, S), 0.8, np.float32)
    here, _ = drawn_over(photo, paint, cover, 0.3)

    def everywhere(_: object, __: object, view: View) -> tuple[slice, slice]:
        return slice(0, view.bottom - view.top), slice(0, view.right - view.left)

    monkeypatch.setattr("mien.faces.paste._reached", everywhere)
    whole, _ = drawn_over(photo, paint, cover, 0.3)
    assert np.abs(here.astype(int) - photo).max() > 40
    assert np.abs(here.astype(int) - whole).max() <= 1


def test_light_alone_is_as_light_beside_paint() -> None:
    """A part of a photograph that nothing is painted on is resampled by itself, to the same."""
    photo = photograph(900, 3)
    face = face_in(photo, 0.95, 0.2)
    rng = np.random.default_rng(8)
    noise = cv2.GaussianBlur(rng.normal(1, 6, (S, S)).astype(np.float32), (0, 0), 4)
    light = np.asarray(noise, np.float32)
    moved = np.stack([cv2.GaussianBlur(light, (0, 0), 3), np.zeros_like(light)])[None]
    flow = np.asarray(moved * 0.02, np.float32)
    mask, paint = np.ones((1, 1, S, S), np.float32), np.zeros((1, 3, S, S), np.float32)
    alone = paste(photo, face, Composition(flow, mask, paint, light[None, None])).astype(int)
    mask[0, 0, 60, 60] = 0.5
    beside = paste(photo, face, Composition(flow, mask, paint, light[None, None])).astype(int)
    there = align.transform(align.inverse(face.matrix), np.array([[60, 60]], np.float32))[0]
    far = np.hypot(*(np.indices(photo.shape[:2])[::-1] - there[:, None, None])) > 40
    assert np.abs(alone - photo).max() > 20
    assert np.abs(beside - alone)[far].max() <= 1
    assert np.abs(beside - alone)[~far].max() > 1


def test_a_picture_is_laid_in_with_its_tone_matched() -> None:
    """A paper-true head that answers with the same face in a wrong tone: no seam, and the right
    tone.
    """
    photo = photograph(600)
    photo[:] = cv2.GaussianBlur(photo, (0, 0), 6)
    face = face_in(photo, 0.7)
    source = Faces.stack([face]).pixels
    result = paste(photo, face, picture(torch.from_numpy(source - 0.25)).mapped(np.asarray))
    difference = np.abs(result.astype(float) - photo)
    assert difference.max() < 12  # 32 levels without matching
    cover = face_shape(face.landmarks, S)
    assert cover[60, 64] == pytest.approx(1, abs=0.01)
    assert cover[[0, -1]].max() < 0.01
    untouched = align.warp((difference > 0).astype(np.uint8) * 255, face.matrix, S)[cover == 0]
    assert untouched.max(initial=0) == 0


@pytest.mark.parametrize("side", [768, 1350])
@pytest.mark.parametrize("move", ["smile", "jaw"])
def test_edits_stay_sharp(original: Callable[..., Path], side: int, move: str) -> None:
    """Laplacian variance inside the face, result to source, in the median over people."""
    ratios = []
    for path in sorted(original("london", "neutral_front").glob("*.jpg"))[
        :: 12 if side < 1000 else 24
    ]:
        photo = images.read(path).pixels
        ratio = side / photo.shape[0]
        photo = np.asarray(cv2.resize(photo, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
        points = (to_68(read_tem(path.with_suffix(".tem"))) + 0.5) * np.float32(ratio) - 0.5
        face = align.align(photo, Face((0, 0, 1, 1), 1.0, points.astype(np.float32)), S)
        corners, chin = face.landmarks[[48, 54]], face.landmarks[8]
        left, right, jaw = (bump(x, y, 8) for x, y in (*corners, chin))
        x, y = (
            (0.04 * (left - right), 0.02 * (left + right))
            if move == "smile"
            else (0 * jaw, -0.05 * jaw)
        )
        change = Composition(
            np.stack([x, y])[None],
            np.ones((1, 1, S, S), np.float32),
            np.zeros((1, 3, S, S), np.float32),
        )
        result, inside = paste(photo, face, change), inside_face(photo, points)
        ratios.append(sharpness(result, inside) / sharpness(photo, inside))
    assert 0.9 <= np.median(ratios) <= 1.15, ratios
