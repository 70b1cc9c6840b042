"""The registry writes these tests: every method, every guide, one contract."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import facs, images
from mien.errors import GuideError
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import ActionUnits, Guide, Label, Reference
from mien.methods import registry
from mien.methods.base import Method
from mien.methods.learnt import Learnt
from mien.nn.compose import compose, decisive
from mien.types import Composition, Expression, Faces, Float, unchanged
from mien.zoo.samples import samples as bundled

HEADS = ("compose", "picture")
TRAINED = [name for name, row in registry.METHODS.items() if row.task]
DRAWN = "morphable"
"""The method without networks: it fits faces, and there are none in noise."""


def built(name: str, head: str) -> Learnt:
    """As small as the method's own configuration says, with all that it may switch on."""
    row = registry.entry(name)
    torch.manual_seed(0)
    assert row.config is not None
    small = registry.resolve(row.config)().small().architecture
    switches = {k: True for k in ("relative", "look", "refine") if hasattr(small, k)}
    architecture = replace(small, head=head, **switches)
    made: Learnt = registry.resolve(row.method)(architecture)
    with torch.no_grad():  # off the start, where a composing head changes nothing
        for p in made.parameters():
            p.add_(0.02 * torch.randn_like(p))
    return made.eval()


@pytest.fixture(params=[(n, h) for n in TRAINED for h in HEADS], ids="-".join)
def trained(request: pytest.FixtureRequest) -> Learnt:
    return built(*request.param)


@pytest.fixture(params=[*((n, h) for n in TRAINED for h in HEADS), (DRAWN, "model")], ids="-".join)
def method(request: pytest.FixtureRequest) -> Method[Any]:
    return asked(*request.param)


@cache
def asked(name: str, head: str) -> Method[Any]:
    """One for all tests that only ask it: none of them changes it."""
    return registry.load(DRAWN) if name == DRAWN else built(name, head)


def faces(method: Method[Any], count: int = 2, seed: int = 1) -> Faces[Any]:
    """In the method's own arrays."""
    if method.name == DRAWN:
        return samples(seed, count)
    generator = torch.Generator().manual_seed(seed)
    pixels = torch.rand(count, 3, method.size, method.size, generator=generator) * 2 - 1
    return Faces(pixels, torch.rand(count, 68, 2, generator=generator) * method.size)


@cache
def samples(first: int, count: int, size: int = 160) -> Faces[Float]:
    photos = [images.read(str(path)).pixels for path in bundled().values()]
    crops = [align(photo, detect(photo)[0], size) for photo in photos]
    return Faces.stack([crops[(first + i) % len(crops)] for i in range(count)])


def picture(
    method: Method[Any], source: Faces[Any], guide: Guide, intensity: float = 1.0
) -> Tensor:
    """What the method makes of faces, as a tensor whatever its arrays are."""
    return torch.as_tensor(method.generate(source, guide, intensity))


def same(pictures: Tensor, source: Faces[Any]) -> bool:
    return torch.equal(pictures, torch.as_tensor(source.pixels))


def guides(method: Method[Any]) -> dict[str, Guide]:
    return {
        "label": Label("happy"),
        "units": ActionUnits.parse("AU12=0.8", "AU4L=+0.3"),
        "reference": Reference(faces(method, 1, seed=5)),
    }


@pytest.mark.parametrize("guide", ["label", "units", "reference"])
def test_every_guide_gives_a_picture(method: Method[Any], guide: str) -> None:
    source = faces(method)
    result = picture(method, source, guides(method)[guide])
    assert result.shape == source.pixels.shape
    assert result.dtype == torch.float32
    assert result.abs().max() <= 1
    assert torch.isfinite(result).all()
    assert not same(result, source)


@pytest.mark.parametrize("guide", ["label", "units", "reference"])
def test_zero_intensity_changes_nothing(method: Method[Any], guide: str) -> None:
    source = faces(method)
    assert same(picture(method, source, guides(method)[guide], 0.0), source)


def test_units_that_ask_for_no_change_change_nothing(method: Method[Any]) -> None:
    source = faces(method)
    result = picture(method, source, ActionUnits.parse("AU12=+0.0"))
    assert same(result, source)


def test_intensity_moves_along_a_line(method: Method[Any]) -> None:
    source, guide = faces(method), Label("anger")
    own, full = method.encode(source), method.expression(guide, source)
    middle, beyond = (method.numbers(own.toward(full, share).code) for share in (0.5, 2.0))
    assert np.allclose(middle, method.numbers(own.code + full.code) / 2, atol=1e-6)
    assert np.allclose(beyond, method.numbers(2 * full.code - own.code), atol=1e-5)


def test_same_input_same_bytes(method: Method[Any]) -> None:
    source = faces(method)
    a, b = (picture(method, source, Label("fear")) for _ in range(2))
    assert torch.equal(a, b)


def test_a_variant_of_a_label_is_asked_for_by_its_units(method: Method[Any]) -> None:
    label = Label(("anger", "anger:open"))
    code = method.numbers(method.expression(label, faces(method)).code)
    plain = method.numbers(method.expression(Label("anger")).code)
    varied = method.numbers(method.from_units(method.array(label.units(2)[1:])).code)
    assert np.allclose(code[:1], plain, atol=1e-5)
    assert np.array_equal(code[1:], varied)
    assert not np.allclose(code[1:], code[:1], atol=1e-3)


def test_batch_does_not_matter(method: Method[Any]) -> None:
    source = faces(method, 3)
    alone = Faces(source.pixels[1:2], source.landmarks[1:2])
    whole = picture(method, source, Label("sad"))[1:2]
    assert torch.allclose(picture(method, alone, Label("sad")), whole, atol=1e-4)


def test_labels_one_per_face(method: Method[Any]) -> None:
    source = faces(method)
    both = picture(method, source, Label(("happy", "sad")))
    assert torch.allclose(both[1:], picture(method, source, Label("sad"))[1:], atol=1e-4)
    with pytest.raises(GuideError, match="3 labels for 2 faces"):
        picture(method, source, Label(("happy", "sad", "fear")))


def test_units_need_a_source(method: Method[Any]) -> None:
    with pytest.raises(GuideError, match="source"):
        method.expression(ActionUnits.parse("AU12=0.5"))


def test_reading_is_in_range(method: Method[Any]) -> None:
    units = method.read(faces(method))
    assert units.shape == (2, len(facs.UNITS))
    assert units.min() >= 0
    assert units.max() <= 1


def test_gradients_reach_the_networks_and_the_code(trained: Learnt) -> None:
    method, source = trained, faces(trained)
    method.train().requires_grad_(True)
    code = method.from_labels(torch.tensor([1, 2])).code.detach().requires_grad_()
    method.decode(method.identity(source), Expression(code)).square().mean().backward()
    assert code.grad is not None
    assert code.grad.abs().sum() > 0
    assert any(p.grad is not None and p.grad.abs().sum() > 0 for p in method.parameters())


def test_composition_is_resolution_free(trained: Learnt) -> None:
    """Applied to a crop four times as large, it shows the same picture, averaged down."""
    method, source = trained, faces(trained)
    smooth = torch.nn.functional.avg_pool2d(source.pixels, 8)
    large = torch.nn.functional.interpolate(smooth, scale_factor=32, mode="bicubic")
    small = torch.nn.functional.avg_pool2d(large, 4)
    given = replace(source, pixels=small).mapped(method.numbers)
    edit = method.edit(given, Label("happy"), 0.5).mapped(torch.as_tensor)
    # an untrained network's fields are noise, which no resampling keeps: a face's are smooth
    soft = {
        name: torch.nn.functional.avg_pool2d(torch.tanh(getattr(edit, name)), 9, 1, 4)
        for name in ("flow", "paint")
    }
    edit = replace(edit, flow=0.01 * soft["flow"], paint=soft["paint"])
    kernel = 4
    seen = torch.nn.functional.avg_pool2d(compose(large, edit), kernel)
    assert (seen - compose(small, edit)).abs().mean() < 0.05


def test_a_drawing_is_resolution_free() -> None:
    """What the face model draws at 320 px, applied at 160, is what it draws at 160."""
    method = registry.load(DRAWN)
    large, small = samples(0, 1, 320), samples(0, 1, 160)
    one, two = (torch.as_tensor(method.generate(f, Label("surprise"))) for f in (large, small))
    reduced = torch.nn.functional.avg_pool2d(one, 2)
    assert (reduced - two).abs().mean() < 0.02
    assert (two - torch.as_tensor(small.pixels)).abs().mean() > 0.02


@pytest.mark.parametrize("name", TRAINED)
def test_every_method_draws_by_the_face_model(name: str) -> None:
    """Where the face can be fitted, the code is drawn by the face model, at the face's own size;
    `own` is the method's own head, at its own size."""
    method, source = built(name, "compose"), samples(0, 1)
    by_model = method.edit(source, Label("surprise"))
    assert by_model.gain is not None
    assert by_model.flow.shape[-1] == source.pixels.shape[-1]
    method.drawn_by = registry.OWN
    own = method.edit(source, Label("surprise"))
    assert own.gain is None
    assert own.flow.shape[-1] == method.size


def test_decisive_keeps_paint_and_drops_what_is_thin() -> None:
    mask = torch.tensor([1.0, 0.9, 0.5, 0.0]).view(1, 1, 2, 2)
    edit = Composition(torch.zeros(1, 2, 2, 2), mask, torch.zeros(1, 3, 2, 2))
    assert decisive(edit, 0.2).mask.flatten() == pytest.approx([1.0, 1.0, 0.625, 0.0])
    assert decisive(edit, 0.0) is edit


def test_unchanged_is_exact() -> None:
    pixels = torch.rand(1, 3, 32, 32) * 2 - 1
    edit = unchanged(pixels.numpy())
    assert edit.nothing
    assert torch.allclose(compose(pixels, edit.mapped(torch.from_numpy)), pixels, atol=1e-6)
