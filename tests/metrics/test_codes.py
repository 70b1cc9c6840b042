"""What codes hold: shares of variance, nearest neighbours, attacks; and what is drawn from them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mien.errors import DataError
from mien.methods.learnt import Learnt
from mien.metrics import decoded
from mien.metrics.codes import (
    Crossed,
    by_chance,
    crossed,
    encoded,
    expression_code,
    holds,
    identity_code,
    main_effects,
    name_expression,
    name_person,
    nearest,
    views,
)
from mien.metrics.decoded import Outsiders
from mien.nn.compose import picture
from mien.types import Composition, Expression, Faces, Identity

PEOPLE, EXPRESSIONS = 6, 3


def made(seed: int = 0) -> Crossed:
    """People of one colour each, red and green, whose lower half is as blue as their expression."""
    rng = np.random.default_rng(seed)
    pixels = torch.zeros(PEOPLE, EXPRESSIONS, 3, 128, 128)
    for person in range(PEOPLE):
        pixels[person, :, :2] = torch.from_numpy(rng.uniform(-0.8, 0.8, (2, 1, 1)))
        for expression in range(EXPRESSIONS):
            pixels[person, expression, 2, 64:] = expression / 2 - 0.5
    names = tuple(f"p{k}" for k in range(PEOPLE))
    faces = Faces(pixels.flatten(0, 1), torch.zeros(PEOPLE * EXPRESSIONS, 68, 2))
    return Crossed(names, ("neutral", "happy", "sad"), faces)


class Apart(Learnt):
    """A method whose codes are apart: who is the colour, what the blue of the lower half; `leaks`
    of the colour go into the expression code."""

    name, native, size = "apart", (), 32

    def __init__(self, leaks: float = 0.0) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1), requires_grad=False)
        self.architecture = SimpleNamespace(head="picture")
        self.leaks = leaks

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        colour = source.pixels[:, :2].mean((2, 3))
        return Identity(source, (colour, self.encode(source).code))

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        half = faces.pixels.shape[-1] // 2
        blue = faces.pixels[:, 2:, half:].mean((2, 3))
        return Expression(torch.cat([blue, self.leaks * faces.pixels[:, :2].mean((2, 3))], 1))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        return Expression(torch.stack([index / 8 - 0.5, 0 * index, 0 * index], 1).float())

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(units[:, :3])

    def units(self, expression: Expression[Tensor]) -> Tensor:
        return torch.zeros(len(expression.code), 47)

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        colour, _ = identity.features
        size = self.size
        out = torch.zeros(len(colour), 3, size, size)
        out[:, :2] = colour[:, :, None, None]
        out[:, 2, size // 2 :] = expression.code[:, :1, None]
        return picture(out)


class Seeing(Outsiders):
    """Judges that see exactly what `made` draws."""

    def __init__(self) -> None:
        super().__init__(cast(Any, None), cast(Any, None))

    def people(self, faces: Faces[Tensor]) -> Tensor:
        return faces.pixels[:, :2].mean((2, 3))

    def shapes(self, faces: Faces[Tensor]) -> Tensor:
        half = faces.pixels.shape[-1] // 2
        return faces.pixels[:, 2:, half:].mean((2, 3))


def test_shares_are_those_of_the_design() -> None:
    person, expression = torch.randn(5, 1, 3), torch.randn(1, 4, 3)
    both = main_effects(person + expression)
    assert sum(both) == pytest.approx(1, abs=1e-3)
    assert main_effects(person.expand(5, 4, 3)) == (1.0, 0.0)
    signs = torch.tensor([1.0, -1.0])
    assert main_effects((signs[:, None] * signs)[..., None]) == (0.0, 0.0)  # interaction alone


def test_shares_of_noise_are_known() -> None:
    torch.manual_seed(0)
    found = main_effects(torch.randn(6, 3, 4000))
    assert found == pytest.approx(by_chance((6, 3)), abs=0.02)


def test_the_largest_crossed_part_is_taken() -> None:
    face: Faces[Tensor] = Faces(torch.zeros(1, 3, 8, 8), torch.zeros(1, 68, 2))
    shown = {(p, e): face for p in "abcd" for e in ("happy", "neutral")}
    shown |= {("a", "sad"): face, ("e", "neutral"): face}
    data = crossed(shown)
    assert data.people == tuple("abcd")
    assert data.expressions == ("neutral", "happy")  # rest comes first
    assert len(data.faces) == 8
    with pytest.raises(DataError, match="no two people"):
        crossed({("a", "happy"): face, ("b", "sad"): face})


def test_nearest_neighbours_are_looked_for_elsewhere() -> None:
    who, what = torch.eye(4).repeat_interleave(3, 0), torch.eye(3).repeat(4, 1)
    assert nearest(who, (4, 3)).person == 1
    assert nearest(what, (4, 3)).expression == 1
    assert nearest(who + 0.01 * torch.randn(12, 4), (4, 3)).expression < 0.9


def test_attacks_find_what_is_there_and_nothing_else() -> None:
    torch.manual_seed(1)
    n, m, v = 6, 3, 6
    who = torch.randn(n, 8).repeat_interleave(m * v, 0)
    what = torch.randn(m, 8).repeat_interleave(v, 0).repeat(n, 1)
    noise = 0.1 * torch.randn(n * m * v, 8)
    assert name_person(who + noise, (n, m)).best > 0.95
    assert name_expression(what + noise, (n, m)).best > 0.95
    assert name_person(what + noise, (n, m)).best < 0.35
    assert name_expression(who + noise, (n, m)).best < 0.6


def test_codes_that_are_apart_are_found_to_be() -> None:
    method, data = Apart().eval(), made()
    how = holds(expression_code(method), data)
    assert how["variance_by_expression"] > 0.99
    assert how["nearest"]["expression"] == 1
    who = holds(identity_code(method), data)
    assert who["variance_by_person"] > 0.99
    assert encoded(identity_code(method), data.faces).shape[1] == 2  # its own code is left out
    leaking = holds(expression_code(Apart(leaks=2.0).eval()), data)
    assert leaking["variance_by_person"] > 0.5
    assert leaking["person_named"]["best"] > 2 * how["person_named"]["best"]


def test_views_are_of_the_same_faces() -> None:
    data = made()
    seen = views(data.faces, 4)
    assert len(seen) == 4 * len(data.faces)
    apart = (seen.pixels - data.faces.pixels.repeat_interleave(4, 0)).abs().mean((1, 2, 3))
    assert float(apart.min()) > 0.001
    assert float(apart.mean()) < 0.3


def test_faces_drawn_of_codes_that_are_apart() -> None:
    method, data, judges = Apart().eval(), made(), Seeing()
    assert decoded.alone(method)
    known = judges.both(data.faces)
    found = decoded.by_reference(method, data, judges, known)
    assert found["who"]["source"] > 0.99
    assert found["what"]["expression"] > 0.99
    assert found["what"]["source"] == pytest.approx(0, abs=0.01)
    assert found["identity_distance"] == pytest.approx(0, abs=0.01)
    assert found["expression_left"] == pytest.approx(0, abs=0.01)
    assert found["swap_who_is_the_sources"] == found["swap_what_is_the_references"] == 1
    named = decoded.by_label(method, data, judges, known)
    assert named["what"]["label"] > 0.99


def test_references_are_those_who_show_most() -> None:
    data, judges = made(), Seeing()
    strong = data.faces.pixels.clone().view(PEOPLE, EXPRESSIONS, 3, 128, 128)
    strong[[1, 4], 1:, 2, 64:] += 0.3
    moved = Crossed(
        data.people, data.expressions, Faces(strong.flatten(0, 1), data.faces.landmarks)
    )
    references, sources = decoded.references_and_sources(moved, judges.both(moved.faces))
    assert references == [1, 4]
    assert sources == [0, 2, 3, 5]


def test_a_lesion_takes_its_own_half_away() -> None:
    data, judges = made(), Seeing()
    found = decoded.lesions(Apart().eval(), data, judges, judges.both(data.faces))
    assert found["own codes"]["identity_distance"] == pytest.approx(0, abs=0.01)
    nobody, no_expression = found["average identity"], found["average expression"]
    assert nobody["identity_distance"] > 0.1
    assert nobody["expression_distance"] == pytest.approx(0, abs=0.01)
    assert no_expression["identity_distance"] == pytest.approx(0, abs=0.01)
    assert no_expression["expression_distance"] > 0.1
    assert nobody["who"]["person"] == 0
    assert no_expression["what"]["expression"] == 0


def test_what_the_landmarker_misses_is_no_number() -> None:
    class Blind(Seeing):
        def shapes(self, faces: Faces[Tensor]) -> Tensor:
            return torch.full((len(faces), 1), torch.nan)

    data, judges = made(), Blind()
    found = decoded.by_reference(Apart().eval(), data, judges, judges.both(data.faces))
    assert found["seen_by_landmarker"] == 0
    assert found["what"] is found["expression_left"] is None
    assert found["who"]["source"] > 0.99


def test_the_grid_shows_people_by_expressions() -> None:
    data, judges = made(), Seeing()
    page = decoded.grid(Apart().eval(), data, judges.both(data.faces), people=2)
    assert page.dtype == np.uint8
    assert page.shape[1] > 64 * (2 + 2 * EXPRESSIONS + 7)
