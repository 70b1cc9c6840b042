"""Faces are found where they are, in the sizes and lights that photographs come in."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data

from mien import images
from mien.errors import FaceNotFound, GuideError
from mien.faces import landmarks, search
from mien.faces.align import mirrored
from mien.faces.detect import astray, choose, detect, face_of, is_face, seen_above
from mien.faces.graph import Network
from mien.types import Face, Float, UInt8
from mien.zoo.samples import samples

FLUX = Path(os.environ.get("MIEN_DATA", "../shared/data")) / "flux_schnell" / "images"

# Read off the picture by eye, px: corners of the eyes, tip of the nose, corners of the mouth, chin.
SEEN = {
    36: (195, 101),
    39: (213, 103),
    42: (238, 104),
    45: (257, 103),
    30: (225, 123),
    48: (200, 139),
    54: (245, 143),
    8: (220, 180),
}


@pytest.fixture(scope="module")
def astronaut() -> UInt8:
    return np.asarray(data.astronaut(), np.uint8)


def _off(points: Float, scale: float = 1.0, shift: tuple[float, float] = (0, 0)) -> float:
    """Mean distance from what the eye reads, in distances of the outer eye corners (62 px)."""
    names = list(SEEN)
    wanted = (np.array([SEEN[i] for i in names]) + 0.5) * scale - 0.5 + np.array(shift)
    return float(np.linalg.norm(points[names] - wanted, axis=1).mean() / (62 * scale))


def test_landmarks_lie_on_the_face(astronaut: UInt8) -> None:
    (face,) = detect(astronaut)
    assert face.landmarks.shape == (68, 2)
    assert face.landmarks.dtype == np.float32
    assert _off(face.landmarks) < 0.06
    left, top, right, bottom = face.box
    assert left < face.landmarks[30, 0] < right
    assert top < face.landmarks[30, 1] < bottom


@pytest.mark.parametrize("scale", [0.45, 1.0, 2.5])
def test_sizes(astronaut: UInt8, scale: float) -> None:
    picture = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert _off(detect(np.asarray(picture, np.uint8))[0].landmarks, scale) < 0.07


def test_grey_and_dark(astronaut: UInt8) -> None:
    grey = np.repeat(cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    dark = (astronaut * 0.2).astype(np.uint8)
    assert _off(detect(np.asarray(grey, np.uint8))[0].landmarks) < 0.06
    assert _off(detect(dark)[0].landmarks) < 0.07


@pytest.mark.parametrize("angle", [-25, 25])
def test_tilted(astronaut: UInt8, angle: float) -> None:
    turn = cv2.getRotationMatrix2D((225, 130), angle, 1.0)
    face = detect(np.asarray(cv2.warpAffine(astronaut, turn, (512, 512)), np.uint8))[0]
    back = cv2.invertAffineTransform(turn)
    assert _off(face.landmarks @ back[:, :2].T.astype(np.float32) + back[:, 2]) < 0.07


def test_a_face_that_fills_the_frame(astronaut: UInt8) -> None:
    close = cv2.resize(astronaut[68:192, 175:277], None, fx=8, fy=8, interpolation=cv2.INTER_CUBIC)
    face = detect(np.asarray(close, np.uint8))[0]
    assert _off(face.landmarks, 8.0, (-175 * 8, -68 * 8)) < 0.08


@pytest.mark.parametrize("scale", [0.67, 0.75])
def test_a_small_face_in_a_large_photograph(astronaut: UInt8, scale: float) -> None:
    """66 px of face in twelve megapixels, found by the second look, though the first believes in
    something else beside it.
    """
    scene = np.full((3000, 4000, 3), 128, np.uint8)
    small = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    scene[2000 : 2000 + len(small), 3000 : 3000 + len(small)] = small
    (face,) = detect(scene)
    assert _off(face.landmarks, scale, (3000, 2000)) < 0.08


def test_mirroring_the_picture_mirrors_the_landmarks(astronaut: UInt8) -> None:
    there = detect(astronaut)[0].landmarks
    back = mirrored(detect(np.ascontiguousarray(astronaut[:, ::-1]))[0].landmarks, 512)
    assert np.linalg.norm(there - back, axis=1).mean() < 0.03 * 62


def test_two_faces_side_by_side(astronaut: UInt8) -> None:
    near = cv2.resize(astronaut, None, fx=1.5, fy=1.5)
    both = np.zeros((768, 1280, 3), np.uint8)
    both[:512, :512], both[:, 512:] = astronaut, near
    faces = detect(both)
    assert len(faces) == 2
    assert faces[0].area > faces[1].area
    assert _off(faces[0].landmarks, 1.5, (512, 0)) < 0.07
    assert _off(faces[1].landmarks) < 0.07


def _turned(points: Float, side: int, turn: int) -> Float:
    """Points of a square picture as `np.rot90(picture, turn)` moves them."""
    for _ in range(turn):
        points = np.stack([points[:, 1], side - 1 - points[:, 0]], axis=1)
    return points


@pytest.mark.parametrize("turn", [1, 2, 3])
def test_on_its_side_or_head(astronaut: UInt8, turn: int) -> None:
    upright = detect(astronaut)[0].landmarks
    (face,) = detect(np.ascontiguousarray(np.rot90(astronaut, turn)))
    assert np.linalg.norm(face.landmarks - _turned(upright, 512, turn), axis=1).mean() < 0.03 * 62


def test_a_group_on_its_head_keeps_all_its_faces() -> None:
    row = np.concatenate([images.read(path).pixels for path in samples().values()], axis=1)
    assert len(detect(row)) == 3
    faces = detect(np.ascontiguousarray(row[::-1, ::-1]))
    assert len(faces) == 3
    assert all(face.landmarks[27, 1] > face.landmarks[8, 1] for face in faces)


def test_a_big_face_hides_no_small_ones() -> None:
    """Twelve megapixels: one face of 1,100 px and three of 145."""
    scene = np.full((3000, 4000, 3), 110, np.uint8)
    anna, ben, cora = (images.read(path).pixels for path in samples().values())
    wanted = []
    small = ((ben, 2500, 200), (cora, 3300, 1300), (anna, 2700, 2400))
    for pixels, left, top, width in ((anna, 100, 500, 1100), *((*s, 145) for s in small)):
        face = detect(pixels)[0]
        scale = width / (face.box[2] - face.box[0])
        shown = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        scene[top : top + len(shown), left : left + len(shown)] = shown[: 3000 - top]
        ratio = len(shown) / len(pixels)
        wanted.append((face.landmarks + 0.5) * ratio - 0.5 + (left, top))
    faces = detect(scene)
    assert len(faces) == 4
    for points in wanted:
        size = float(np.ptp(points[:, 0]))
        assert min(np.abs(face.landmarks - points).mean() for face in faces) < 0.02 * size


def test_no_face() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3), dtype=np.uint8)
    assert detect(noise) == []
    assert detect(np.zeros((5, 3, 3), np.uint8)) == []


@pytest.mark.parametrize("name", ["coffee", "brick", "grass", "coins", "clock", "rocket", "retina"])
def test_textures_and_things_are_no_faces(name: str) -> None:
    pixels = np.asarray(getattr(data, name)())
    assert detect(np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels) == []


def _forgetful() -> None:
    """Nothing of the pictures that were seen is known."""
    search._LOOKS.clear()
    landmarks._READS.clear()


def _bytes(faces: list[Face]) -> list[tuple[float, object, bytes]]:
    return [(face.score, face.box, face.landmarks.tobytes()) for face in faces]


@pytest.fixture
def pictures(astronaut: UInt8) -> list[UInt8]:
    found = (images.read(path).pixels for path in samples().values())
    upright = [np.asarray(cv2.resize(pixels, (400, 400)), np.uint8) for pixels in found]
    return [*upright, np.ascontiguousarray(upright[0][::-1, ::-1]), astronaut]


def test_eight_threads_find_what_one_finds(pictures: list[UInt8]) -> None:
    alone = [_bytes(detect(picture)) for picture in pictures]
    _forgetful()
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda picture: _bytes(detect(picture)), pictures * 4))
    assert together == alone * 4


def test_any_number_of_threads_gives_the_same_bytes(pictures: list[UInt8]) -> None:
    limits = pytest.importorskip("threadpoolctl").threadpool_limits
    was = torch.get_num_threads(), cv2.getNumThreads()
    found = []
    try:
        for count in (1, 2, 4):
            torch.set_num_threads(count)
            cv2.setNumThreads(count)
            _forgetful()
            with limits(count):
                found.append([_bytes(detect(picture)) for picture in pictures[-2:]])
    finally:
        torch.set_num_threads(was[0])
        cv2.setNumThreads(was[1])
    assert found[0] == found[1] == found[2]


def test_a_picture_that_was_seen_is_not_looked_at_again(
    pictures: list[UInt8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one that differs in a single pixel is."""
    _forgetful()
    asked = list[str]()
    network = Network.__call__

    def counted(self: Network, x: Float) -> tuple[Float, ...]:
        asked.append(str(x.shape))
        return network(self, x)

    monkeypatch.setattr(Network, "__call__", counted)
    first = _bytes(detect(pictures[0]))
    once = len(asked)
    assert once
    assert _bytes(detect(pictures[0].copy())) == first
    assert len(asked) == once
    other = pictures[0].copy()
    other[200, 200] ^= 128
    detect(other)
    assert len(asked) > once


def test_a_known_face_is_confirmed_however_it_is_turned(astronaut: UInt8) -> None:
    points = detect(astronaut)[0].landmarks
    assert is_face(astronaut, points)
    turned = np.ascontiguousarray(np.rot90(astronaut))
    assert is_face(turned, _turned(points, 512, 1).astype(np.float32))
    assert not is_face(turned, points)
    assert not is_face(astronaut, points + np.array((0, 200), np.float32))


def _faces() -> list[Face]:
    points = np.zeros((68, 2), np.float32)
    boxes = [(100.0, 0.0, 200.0, 100.0), (0.0, 0.0, 80.0, 80.0), (300.0, 300.0, 350.0, 350.0)]
    return [Face(box, 1.0, points) for box in boxes]


def test_landmarks_whose_mouth_is_the_chin_are_not_believed(astronaut: UInt8) -> None:
    (face,) = detect(astronaut)
    assert face.doubt == ""
    points = face.landmarks
    ends = (range(36, 42), range(42, 48), [30], [48, 51, 54, 57], [0], [16])
    seen = np.array([points[list(part)].mean(0) for part in ends])
    assert astray(astronaut, points, seen) == ""
    length = np.linalg.norm(seen[3] - seen[:2].mean(0))
    low = points.copy()
    low[48:, 1] += 0.6 * length
    assert seen_above(low, seen)[0] > seen_above(points, seen)[0] + 0.2
    assert "not where its mouth is" in astray(astronaut, low, seen)
    # nose and mouth by less: neither alone would do
    lower = points.copy()
    lower[27:36, 1] += 0.3 * length
    lower[48:, 1] += 0.3 * length
    assert "not where its mouth is" in astray(astronaut, lower, seen)
    lower[27:36] = points[27:36]
    assert astray(astronaut, lower, seen) == ""
    # a detector that errs at first is asked again
    high = seen - (0, 0.35 * length)
    assert astray(astronaut, points, high) == ""


def test_seen_above_is_along_the_face(astronaut: UInt8) -> None:
    points = detect(astronaut)[0].landmarks
    seen = np.repeat(points[30:31], 6, axis=0)
    c, s = np.cos(2.0), np.sin(2.0)
    turned = np.array([[c, s], [-s, c]]) * 3
    upright = seen_above(points, seen)
    assert upright[0] > 0.1
    assert seen_above(points @ turned, seen @ turned) == pytest.approx(upright, abs=1e-4)


@pytest.mark.skipif(not FLUX.is_dir(), reason="needs the portraits of SFHQ-T2I")
@pytest.mark.parametrize(
    ("name", "believed"),
    [
        ("Face_Pose_2_1", False),
        *((n, True) for n in ("Eye_Gaze_2_4", "Accessories_4_7", "Face_Pose_2_5")),
        *((n, True) for n in ("Expression_x_Sex_1_2", "Expression_4_5")),
    ],
)
def test_heads_tilted_far_back_and_screams(name: str, believed: bool) -> None:
    found = detect(images.read(FLUX / f"{name}.jpg").pixels)
    assert (found[0].doubt == "") == believed


def test_choose() -> None:
    faces = _faces()
    assert choose(faces) == faces[:1]
    assert choose(faces, " Largest ") == faces[:1]
    assert choose(faces, "all") == faces
    assert choose(faces, "index 2") == faces[2:]
    assert choose(faces, "near 310,290") == faces[2:]
    assert choose(faces, "near 20.5 -3") == faces[1:2]


def test_whom_a_photograph_is_of(monkeypatch: pytest.MonkeyPatch) -> None:
    photo, points = np.zeros((400, 400, 3), np.uint8), np.ones((68, 2), np.float32)
    monkeypatch.setattr("mien.faces.detect.detect", lambda pixels: _faces())
    assert face_of(photo, None).box == _faces()[0].box, "the largest"
    assert face_of(photo, points).landmarks is points
    monkeypatch.setattr("mien.faces.detect.detect", lambda pixels: [])
    assert face_of(photo, points).landmarks is points
    with pytest.raises(FaceNotFound):
        face_of(photo, None)


@pytest.mark.parametrize("spec", ["largest", "all", "index 0", "near 1,1"])
def test_choosing_from_nobody(spec: str) -> None:
    with pytest.raises(FaceNotFound, match="no face found"):
        choose([], spec)


def test_choosing_too_far() -> None:
    with pytest.raises(FaceNotFound, match="no face 3: the picture has 3"):
        choose(_faces(), "index 3")


def test_near_is_the_face_at_that_place_or_none() -> None:
    faces = _faces()
    assert choose(faces, "near 150,120") == faces[:1]  # its chin
    with pytest.raises(
        FaceNotFound, match=r"no face at 300,50: the nearest of 3 faces is at 150,50"
    ):
        choose(_faces(), "near 300,50")
    with pytest.raises(FaceNotFound, match=r"the only face is at 325,325, 50 px wide"):
        choose(_faces()[2:], "near 5,5")


NONSENSE = (
    *("", "biggest", "index", "index -1", "index x", "near", "near 3", "near a,b", "near nan,1"),
    *("largest 2", "all of them", "near 1,2,3"),
)


@pytest.mark.parametrize("spec", NONSENSE)
def test_choosing_nonsense(spec: str) -> None:
    with pytest.raises(GuideError, match="near X,Y"):
        choose(_faces(), spec)
