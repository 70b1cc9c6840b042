"""What the measures of drawing make of points, frames and pictures whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from mien.faces.align import template

from .conftest import FOLDER

SIDE = 640

if TYPE_CHECKING:
    from mien.judges.outside import Seen


@pytest.fixture(autouse=True)
def _outsiders() -> None:
    pytest.importorskip("dlib", reason="the outsiders' measures need dlib")


def seen(points: np.ndarray) -> Seen:
    from mien.judges.landmarker import Mesh
    from mien.judges.outside import Seen

    mesh = Mesh(np.zeros((478, 3), np.float32), np.zeros(52, np.float32))
    return Seen(mesh, points.astype(np.float64), np.zeros(128))


def smiled(points: np.ndarray, wide: float, up: float) -> np.ndarray:
    """The mouth's corners moved outward, in all, and up, in outer eye corner distances."""
    out, unit = points.astype(np.float64), np.linalg.norm(points[36] - points[45])
    out[48] += unit * np.array([-wide / 2, -up])
    out[54] += unit * np.array([wide / 2, -up])
    return out


def test_sharpness_of_the_skin_knows_nothing_of_the_lips() -> None:
    from mien.bench.edits.references import _skin, mouth
    from mien.bench.edits.shots import SEEN

    points = template(SEEN)
    random = np.random.default_rng(0)
    grain = random.integers(100, 156, (SEEN, SEEN, 3)).astype(np.uint8)
    lips, skin = grain.copy(), np.full_like(grain, 128)
    (left, top), (right, low) = points[48:].min(0).astype(int), points[48:].max(0).astype(int)
    inside = np.s_[top + 8 : low - 8, left + 20 : right - 20]
    lips[inside] = 128
    skin[inside] = grain[inside]
    who = seen(points)
    assert mouth(lips, who) < 0.9 * mouth(grain, who)
    assert _skin(lips, who) > 0.97 * _skin(grain, who)
    assert _skin(skin, who) < 0.2 * _skin(grain, who)


def test_half_of_a_smile_on_a_face_of_another_size_is_half() -> None:
    from mien.bench.edits.references import shares

    rest, other = template(SIDE), 0.7 * template(SIDE)
    reference = seen(smiled(rest, 0.2, 0.08))
    found = shares(seen(other), seen(smiled(other, 0.1, 0.04)), seen(rest), reference)
    assert found == pytest.approx({"width": 0.5, "lift": 0.5})


def test_how_far_the_judge_differs_from_itself() -> None:
    from mien import images
    from mien.bench.edits.references import LEAST, shaken
    from mien.bench.edits.shots import Shot
    from mien.errors import AssetMissing

    photo = images.read(FOLDER.parent / "src/mien/zoo/samples/anna.jpg")
    try:
        found = shaken([Shot("anna", photo)])
    except AssetMissing as error:
        pytest.skip(str(error))
    assert set(found) == set(LEAST)
    assert all(0 < value < 0.1 for value in found.values())


def test_no_share_is_told_of_what_the_lender_hardly_does() -> None:
    from mien.bench.edits.references import shares

    rest = template(SIDE)
    reference, made = seen(smiled(rest, 0.2, 0.004)), seen(smiled(rest, 0.1, 0.05))
    assert shares(seen(rest), made, seen(rest), reference) == pytest.approx({"width": 0.5})


def test_the_shut_and_the_widest_frame_have_open_eyes() -> None:
    from mien.bench.edits.references import talking

    rows = [(0, 0.01, 0.9), (1, 0.02, 0.1), (2, 0.2, 0.1), (3, 0.3, 0.8)]
    frames = [{"clip": "a", "i": i, "gap": gap, "blink": blink} for i, gap, blink in rows]
    asleep = [{"clip": "b", "i": i, "gap": 0.1 * i, "blink": 1.0} for i in range(3)]
    assert talking([*frames, *asleep]) == {"a": (1, 2), "b": (0, 2)}


def test_a_blurred_mouth_is_less_sharp_and_other_skin_does_not_count() -> None:
    import cv2

    from mien.bench.edits.references import mouth

    random = np.random.default_rng(0)
    crop = random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
    face = seen(template(SIDE))
    blurred = np.asarray(cv2.GaussianBlur(crop, (0, 0), 2), np.uint8)
    assert mouth(blurred, face) < 0.1 * mouth(crop, face)
    elsewhere = crop.copy()
    elsewhere[: SIDE // 3] = blurred[: SIDE // 3]
    assert mouth(elsewhere, face) == mouth(crop, face)
    assert mouth(crop, replace(face, points=face.points + 5)) != mouth(crop, face)


def test_a_column_tells_its_means_its_worst_and_its_spread() -> None:
    from mien.bench.edits.shots import Column, means, spread

    column = Column(
        [{"a": 1.0, "done": True}, {"a": 3.0, "done": False}, {"b": 2.0}], ["x", "y", "z"]
    )
    assert means(column) == {"a": 2.0, "done": 0.5, "b": 2.0}
    assert column.worst("a", 1) == ["x"]
    assert column.worst("a", 1, largest=True) == ["y"]
    assert spread(column.values("a")) == [1.0, 1.5, 2.0, 2.5, 3.0]
    assert spread([]) == []


def test_an_intensity_begins_at_what_the_photograph_shows() -> None:
    from mien import facs, images
    from mien.bench.edits.drawing import Drawn
    from mien.faces.detect import choose, detect

    photo = images.read(FOLDER.parent / "src/mien/zoo/samples/anna.jpg").pixels
    (face,) = choose(detect(photo), "largest")
    who = Drawn(None, photo, face, None)  # type: ignore[arg-type]

    def off(share: float) -> float:
        made = who.drawn(facs.prototype("surprise"), share).astype(np.float32)
        return float(np.abs(made - photo).mean())

    assert off(0) == 0
    assert off(0.01) < 0.1 * off(0.2)
