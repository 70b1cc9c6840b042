"""People frown in ways of their own: one line, two, a bow, hardly any."""

from __future__ import annotations

import numpy as np

from mien.face_model.creases import CREASES, FROWNS, Creases, _bounded, _frown, _person
from mien.face_model.lines import SkinLines
from mien.face_model.mesh import FACE
from mien.face_model.render import Rig

OUTER, INNER, BOW = (c for c in CREASES if c.shape == "browDown")


def test_every_way_to_frown_is_somebodys() -> None:
    seen = set()
    for seed in range(120):
        deep, _ = _frown(seed)
        one, other = deep[OUTER]
        seen |= {way for way in FROWNS if {one, other} == set(way[:2]) and deep[BOW][0] == way[3]}
        assert deep == _frown(seed)[0]
    assert len(seen) == len(FROWNS)


def test_one_line_lies_on_one_side(neutral: Rig) -> None:
    """... of whom has one, on either side; who has two has them on both."""
    index = [neutral.model.index[f"browDown_{side}"] for side in "LR"]
    points = neutral.fit.camera.project(neutral.person.neutral)[0]
    skin = np.ones(FACE.stop, np.float32)
    plain = SkinLines(np.full((320, 320, 3), 128, np.float32), 16.0, 1.0)

    def sides(seed: int) -> list[float]:
        made = Creases(neutral.model, points, plain, float(neutral.fit.camera.scale), skin, seed)
        deep = []
        for i in index:
            weights = np.zeros(len(neutral.model.names), np.float32)
            weights[i] = 1
            drawn = made(weights, np.zeros_like(weights))
            deep.append(0.0 if drawn is None else float(-drawn[drawn < 0].sum()))
        return deep

    def share(way: tuple[float, ...]) -> list[float]:
        people = (s for s in range(200) if _frown(s)[0][OUTER] == way[:2])
        found = [sides(seed) for _, seed in zip(range(6), people, strict=False)]
        return [one / (one + other) for one, other in found]

    two, left = FROWNS[0], FROWNS[1]
    assert np.mean(share(left)) > 0.65
    assert np.mean(share((left[1], left[0]))) < 0.35
    assert 0.35 < np.mean(share(two)) < 0.65


def test_furrows_beside_the_middle_neither_cross_nor_meet() -> None:
    for seed in range(60):
        for furrow in (f for f in _person(seed)[0] if f.crease == INNER):
            assert (furrow.line[:, 0] > 0).all()
            assert np.median(furrow.path[:, 0] * furrow.sign) > 0.08


def test_walls_side_by_side_do_not_add_up_to_a_bright_spot() -> None:
    lit = _bounded(np.array([[-0.2, 0.1, 0.3, 3.0]], np.float32))
    assert np.allclose(lit[0, :2], (-0.2, 0.1))
    assert 0.13 < lit[0, 2] < lit[0, 3] < 0.22


def test_no_furrow_is_a_stroke_of_ink() -> None:
    """A frown of one line at full weight is 1.6 times the shape's, and its depth more than twice
    that: it was half as bright as the skin."""
    dark = _bounded(np.array([[-0.3, -0.6, -3.0]], np.float32))[0]
    assert -0.24 > dark[0] > dark[1] > dark[2] > -0.45


def test_a_frown_of_one_line_is_the_same_in_every_picture() -> None:
    furrows = [f for f in _person(11)[0] if f.crease in (OUTER, INNER, BOW)]
    _person.cache_clear()
    again = [f for f in _person(11)[0] if f.crease in (OUTER, INNER, BOW)]
    assert [f.deep for f in furrows] == [f.deep for f in again]
    assert all(np.array_equal(f.path, g.path) for f, g in zip(furrows, again, strict=True))
