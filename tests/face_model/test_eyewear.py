"""Sunglasses, told from eyes and left where they are; clear glasses, whose rims are not bent."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

import mien
from mien import facs, images
from mien.editor import Editor
from mien.face_model.eyes import shut
from mien.face_model.eyewear import covered
from mien.face_model.glasses import rims
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces import align
from mien.faces.detect import detect
from mien.guides import Label
from mien.types import AlignedFace, Faces, UInt8
from mien.zoo.samples import samples

LUMA = np.array([0.299, 0.587, 0.114])


def with_glasses(photo: UInt8, points: np.ndarray) -> tuple[UInt8, np.ndarray]:
    """The photograph wearing dark lenses, and where (H, W) they are."""
    lenses = np.zeros(photo.shape[:2], np.uint8)
    for part in (slice(36, 42), slice(42, 48)):
        eye = points[part]
        width = float(np.ptp(eye[:, 0]))
        x, y = eye[:, 0].mean(), eye[:, 1].mean() + 0.1 * width
        axes = (round(0.95 * width), round(0.7 * width))
        cv2.ellipse(lenses, (round(x), round(y)), axes, 0, 0, 360, 1, -1)
    out = photo.copy()
    out[lenses > 0] = (out[lenses > 0] * 0.05 + 18).astype(np.uint8)
    return out, lenses > 0


def seen(photo: UInt8, points: np.ndarray) -> bool:
    face = detect(photo)[0]
    crop = align.align(photo, face, 320)
    moved = points @ crop.matrix[:, :2].T + crop.matrix[:, 2]
    return covered(crop.pixels.astype(np.float32), moved.astype(np.float64))


@pytest.mark.parametrize("name", ["anna", "ben", "cora"])
def test_dark_lenses_are_told_from_eyes(name: str) -> None:
    photo = images.read(samples()[name]).pixels
    points = detect(photo)[0].landmarks
    assert not seen(photo, points)
    assert seen(with_glasses(photo, points)[0], points)
    dim = (photo * 0.35).astype(np.uint8)
    assert not seen(dim, points)


def test_covered_eyes_stay_and_it_is_told() -> None:
    photo = images.read(samples()["anna"]).pixels
    points = detect(photo)[0].landmarks
    dark, lenses = with_glasses(photo, points)
    editor = Editor(mien.load("morphable"))
    result = editor.edit(dark, Label("surprise"))
    moved = np.abs(result.pixels.astype(int) - dark).max(-1)
    assert "covered" in result.metadata["held"]
    assert np.percentile(moved[lenses], 99) <= 1
    mouth = points[48:68]
    low, high = mouth.min(0).astype(int), mouth.max(0).astype(int)
    assert moved[low[1] : high[1], low[0] : high[0]].max() > 60
    plain = editor.edit(photo, Label("surprise"))
    assert plain.held == ()
    assert "held" not in plain.metadata


def test_closed_lids_stay_closed_and_it_is_told(model: FaceModel, anna: AlignedFace) -> None:
    """What they hide is not known; the rest of the face does what is asked."""
    opened = Rig(model, anna.pixels, anna.landmarks, neutral=False)
    closed = opened.render(facs.vector({"AU43": 1.0}), 320)
    points = anna.landmarks.copy()
    for lid in ([36, 37, 38, 39, 40, 41], [42, 43, 44, 45, 46, 47]):
        line = closed.landmarks[lid]
        ends = np.interp(line[:, 0], line[[0, 3], 0], line[[0, 3], 1])
        points[lid] = np.stack([line[:, 0], ends + 0.15 * (line[:, 1] - ends)], 1)
    rig = Rig(model, closed.image, points, neutral=False)
    assert all(rig.hidden.shut.values())
    assert "closed" in rig.held[0]
    assert opened.held == ()
    surprised = rig.render(facs.prototype("surprise"), 320)
    x, y = surprised.landmarks[36:42].mean(0).round().astype(int)
    part = np.s_[y - 4 : y + 5, x - 8 : x + 9]
    now, before = (np.percentile(p[part] @ LUMA, [5, 95]) for p in (surprised.image, opened.crop))
    assert np.ptp(now) < 0.6 * np.ptp(before)
    assert np.ptp(surprised.mouth.sum(0)) > 10


@pytest.mark.parametrize(
    ("left", "right", "closed"),
    [(0.3, 0.3, ""), (0.11, 0.11, ""), (0.3, 0.04, "R"), (0.11, 0.05, "LR"), (0.03, 0.03, "LR")],
)
def test_narrow_eyes_are_not_closed_ones(left: float, right: float, closed: str) -> None:
    points = np.zeros((68, 2))
    for at, height in ((36, right), (42, left)):
        h = 15 * height
        lid = [(0.0, 0.0), (10.0, -h), (20.0, -h), (30.0, 0.0), (20.0, h), (10.0, h)]
        points[at : at + 6] = lid
    assert {side for side, one in shut(points).items() if one} == set(closed)


def with_rims(photo: UInt8, points: np.ndarray, width: int = 7) -> tuple[UInt8, np.ndarray]:
    """The photograph wearing round glasses with dark rims, and where (H, W) these are."""
    drawn = np.zeros(photo.shape[:2], np.uint8)
    middles = [points[part].mean(0) for part in (slice(36, 42), slice(42, 48))]
    apart = float(np.linalg.norm(points[45] - points[36]))
    sides = []
    for k, (x, y) in enumerate(middles):
        axes = (round(0.25 * apart), round(0.24 * apart))
        middle = (round(x), round(y + 0.05 * apart))
        cv2.ellipse(drawn, middle, axes, 0, 0, 360, 1, width, cv2.LINE_AA)
        sides.append((middle[0] + (1 - 2 * k) * axes[0], middle[1]))
    cv2.line(drawn, sides[0], sides[1], 1, width)
    out = photo.copy()
    out[drawn > 0] = (40, 26, 20)
    return out, drawn > 0


@pytest.mark.parametrize("name", ["anna", "ben", "cora"])
def test_rims_are_found_where_they_are(name: str) -> None:
    photo = images.read(samples()[name]).pixels
    points = detect(photo)[0].landmarks
    worn, drawn = with_rims(photo, points)
    plain, crop = (align.align(p, detect(p)[0], 320) for p in (photo, worn))
    assert rims(plain.pixels, plain.landmarks.astype(np.float64)) == []
    found = rims(crop.pixels, crop.landmarks.astype(np.float64))
    assert len(found) == 3
    lines = np.concatenate(found[:2]).astype(np.float32)
    x, y = np.round(align.transform(align.inverse(crop.matrix), lines)).astype(int).T
    away = cv2.distanceTransform((~drawn).astype(np.uint8), cv2.DIST_L2, 5)
    assert np.percentile(away[y, x], 80) < 6


def test_rims_stay_while_brows_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    photo = images.read(samples()["anna"]).pixels
    points = detect(photo)[0].landmarks
    worn, drawn = with_rims(photo, points)

    def changed() -> float:
        result = Editor(mien.load("morphable")).edit(worn, Label("surprise")).pixels
        return float(np.abs(result.astype(int) - worn)[drawn].mean())

    held = changed()
    monkeypatch.setattr("mien.face_model.render.rims", lambda *_: [])
    assert held < 0.6 * changed()


def test_a_film_keeps_whether_there_are_glasses(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first frame of a person decides: a rim that comes and goes would bend and spring back. A
    frame whose eyes are taken to be covered says nothing of it.
    """
    photo = images.read(samples()["anna"]).pixels
    worn, _ = with_rims(photo, detect(photo)[0].landmarks)
    method = mien.load("morphable")
    crops = [align.align(picture, detect(picture)[0], 320) for picture in (worn, photo)]
    faces = [Faces.stack([crop]) for crop in crops]
    who = method.people(faces[0])
    monkeypatch.setattr("mien.face_model.hidden.covered", lambda *_: True)
    dark = Faces.stack([align.align(images.read(samples()["ben"]).pixels, detect(worn)[0], 320)])
    assert method.model_head.rigs(replace(dark, people=who))[0].rims == []
    monkeypatch.undo()
    found = [method.model_head.rigs(replace(face, people=who))[0].rims for face in faces]
    assert [len(lines) for lines in found] == [3, 3]
