"""From what a critic tells invented smiles: what is hidden, who is compared, what is measured."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import mien


def points(shift: float = 0.0) -> np.ndarray:
    """68 points about where an aligned crop has them."""
    out = np.full((68, 2), 160.0, np.float32)
    out[:17] = np.column_stack(
        [np.linspace(70, 250, 17), 160 + 90 * np.sin(np.linspace(0, 3.1, 17))]
    )
    out[17:27] = np.column_stack([np.linspace(90, 230, 10), np.full(10, 100.0)])
    out[36:48] = np.column_stack([np.linspace(100, 220, 12), np.full(12, 125.0)])
    out[48:60] = np.column_stack([np.linspace(130, 190, 12), np.full(12, 220.0)])
    out[60:68] = [[135, 220], [150, 216], [160, 216], [170, 216],
                  [185, 220], [170, 226], [160, 226], [150, 226]]  # fmt: skip
    return out + shift


def test_parts_share_out_the_crop() -> None:
    from mien.bench.people.smiles import parts

    found = parts(np.stack([points(-2), points(), points(2)]))
    assert list(found) == ["mouth", "eyes", "cheeks", "rest"]
    np.testing.assert_allclose(sum(found.values()), 1, atol=1e-5)
    assert all(mask.min() > -1e-5 for mask in found.values())
    at = {"mouth": (160, 220), "eyes": (110, 115), "cheeks": (110, 180), "rest": (160, 30)}
    for name, (x, y) in at.items():
        assert found[name][y, x] > 0.95, name


def test_a_part_is_hidden_or_alone_and_detail_goes() -> None:
    from mien.bench.people.people import SIDE
    from mien.bench.people.smiles import GREY, looks, parts

    places = parts(np.stack([points()]))
    shown = looks(places)
    crop = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    x, y = 160, 220  # in the mouth
    assert abs(shown["without mouth"](crop)[y, x] - GREY).max() <= 2
    assert abs(shown["mouth alone"](crop)[y, x] - 1.0 * crop[y, x]).max() <= 2
    assert (shown["mouth alone"](crop)[30, 160] == GREY).all()
    np.testing.assert_array_equal(shown["face"](crop), crop)
    assert shown["blurred by 4"](crop).std() < 0.1 * crop.std()


def test_as_many_people_of_each_group_are_drawn_as_there_are() -> None:
    from mien.bench.people.smiles import Sitter, like

    none = np.zeros((2, 2, 3), np.uint8)
    groups = [("f", "w")] * 12 + [("m", "b")] * 2
    people = {f"{i:03d}": Sitter(none, none, group) for i, group in enumerate(groups)}
    found = like(people, Counter({("f", "w"): 3, ("m", "b"): 4}))
    assert Counter(people[who].group for who in found) == {("f", "w"): 3, ("m", "b"): 2}
    assert found == like(people, Counter({("f", "w"): 3, ("m", "b"): 4}))
    assert found != like(people, Counter({("f", "w"): 3, ("m", "b"): 4}), seed=2)


def test_what_is_sharper_and_wider_is_told() -> None:
    from mien.bench.people.people import SIDE
    from mien.bench.people.smiles import Smile, beside, parts

    random = np.random.default_rng(1)
    real = random.integers(100, 120, (SIDE, SIDE, 3)).astype(np.uint8)
    made = real.copy()
    made[200:240, 120:200] = random.integers(70, 150, (40, 80, 3))  # the mouth's grain times four
    wide = points()
    wide[48:68, 0] = 160 + 1.5 * (wide[48:68, 0] - 160)
    places = parts(np.stack([points()]))
    some, others = [Smile(made, wide, (), "a")], [Smile(real, points(), (), "b")]
    found = beside(some, others, places)
    assert found["sharpness, mouth"] > 2
    assert found["sharpness, eyes"] == pytest.approx(1, abs=0.02)
    assert found["mouth's width"] == pytest.approx(1.5)
    assert found["lips' gap over the width"] == pytest.approx([10 / 75, 10 / 50], abs=0.002)


def test_a_face_is_drawn_once_for_the_same_code(tmp_path: Path) -> None:
    from mien.bench.people.smiles import Faces
    from mien.editor import Editor
    from mien.images import read
    from mien.zoo.samples import samples

    pixels = read(samples()["anna"]).pixels
    editor = Editor(mien.load())
    first = Faces(editor, tmp_path, "one").of(pixels, ("f",), "anna", "label")
    rest = Faces(editor, tmp_path, "one").of(pixels, ("f",), "anna")
    assert np.abs(first.crop.astype(int) - rest.crop).max() > 30
    (kept, _) = sorted(tmp_path.iterdir(), key=lambda p: p.stat().st_mtime_ns)
    with np.load(kept) as found:  # what stands there is taken, not drawn again
        np.savez(kept, crop=255 - found["crop"], points=found["points"])
    again = Faces(editor, tmp_path, "one").of(pixels, ("f",), "anna", "label")
    np.testing.assert_array_equal(again.crop, 255 - first.crop)
    other = Faces(editor, tmp_path, "two").of(pixels, ("f",), "anna", "label")
    np.testing.assert_array_equal(other.crop, first.crop)
