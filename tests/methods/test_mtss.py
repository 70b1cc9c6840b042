"""mtss against what is known of the paper's networks and losses."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch
from torch import nn

import mien
from mien.methods.mtss import losses
from mien.methods.mtss.config import Architecture
from mien.methods.mtss.method import MTSS
from mien.methods.mtss.networks import (
    SDU,
    Decoder,
    Discriminator,
    Encoder,
    Extractor,
    Mapper,
    Translator,
)
from mien.training.weights import write_weights

PAPER = Architecture()


def millions(module: nn.Module) -> float:
    return sum(p.numel() for p in module.parameters()) / 1e6


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda: Encoder(PAPER), 0.6),
        (lambda: Translator(PAPER), 1.03),
        (lambda: Decoder(PAPER), 0.7),
        (lambda: Extractor(PAPER), 41.0),
        (lambda: SDU(PAPER, 128), 3.3),
        (lambda: Mapper(PAPER), 1.7),
        (lambda: Discriminator(PAPER), 40.5),
    ],
    ids=["encoder", "translator", "decoder", "extractor", "sdu", "mapper", "discriminator"],
)
def test_parameters_of_the_papers_widths(made: object, expected: float) -> None:
    """Counts from the published shapes: G 48.4 M of which these, D 40.5 M."""
    assert callable(made)
    assert millions(made()) == pytest.approx(expected, abs=0.06)


def test_shapes_of_the_papers_widths() -> None:
    with torch.no_grad():
        face = torch.zeros(1, 3, 128, 128)
        maps = Encoder(PAPER)(face)
        assert [tuple(m.shape[1:]) for m in maps] == [(64, 128, 128), (128, 64, 64), (256, 32, 32)]
        extractor = Extractor(PAPER)
        assert extractor.look(face).shape == (1, 128, 64, 64)
        assert extractor(face).shape == (1, 256)
        style, content = SDU(PAPER, 128)(maps[1], extractor.look(face))
        assert style.shape == content.shape == (1, 128, 64, 64)
        assert Translator(PAPER).affine.out_features == 1792
        assert Decoder(PAPER)(maps[2], content).shape == (1, 64, 128, 128)
        assert [h.shape for h in Discriminator(PAPER)(face)] == [(1, 8), (1, 8)]


def test_skip_is_what_the_style_part_leaves() -> None:
    torch.manual_seed(0)
    f_s, f_r = torch.randn(2, 1, 16, 8, 8).unbind()
    sdu = SDU(Architecture(width=8, sdu=32), 16)
    style, content = sdu(f_s, f_r)
    assert torch.allclose(style + content, f_s, atol=1e-6)
    assert style.abs().max() <= 1


@pytest.fixture(scope="module")
def faces() -> torch.Tensor:
    """Eight made faces (8, 3, 64, 64): patches of soft colour, each another."""
    generator = torch.Generator().manual_seed(3)
    coarse = torch.rand(8, 3, 8, 8, generator=generator) * 2 - 1
    return nn.functional.interpolate(coarse, 64, mode="bicubic", align_corners=False).clamp(-1, 1)


SMALL = Architecture(
    size=64, width=16, middle=8, blocks=1, style=16, latent=4, mapper=8, extractor=8,
    extractor_max=32, sdu=64, norm="group",
)  # fmt: skip


def life(standardised: bool, faces: torch.Tensor) -> tuple[float, float, float]:
    """Of a new unit's style part: the share at the ends of its tanh, how much it differs from face
    to face (of its root mean square), and the share of its numbers that teach anything."""
    torch.manual_seed(0)
    method = MTSS(replace(SMALL, sdu_standardised=standardised))
    with torch.no_grad():
        f_s, f_r = method.encoder(faces)[1], method.extractor.look(faces)
    f_s.requires_grad_()
    style, _ = method.sdu(f_s, f_r)
    (gradient,) = torch.autograd.grad(style.sum(), method.sdu.get_parameter("out.bias"))
    kept = style.detach()
    spread = (kept - kept.mean(0)).square().mean().sqrt() / kept.square().mean().sqrt()
    ends = (kept.abs() > 0.999).float().mean()
    return float(ends), float(spread), float(gradient.mean() / kept[:, 0].numel())


def test_sdu_lives(faces: torch.Tensor) -> None:
    ends, spread, slope = life(True, faces)
    assert ends < 0.05
    assert spread > 0.1
    assert slope > 0.3  # of tanh, 1 at its middle and 0 at its ends


def test_sdu_of_older_weights_is_dead(faces: torch.Tensor) -> None:
    """What the test above is there to notice."""
    ends, _, slope = life(False, faces)
    assert ends > 0.7
    assert slope < 0.15


@torch.no_grad()
def test_the_unit_of_the_weights_that_ship_lives(faces: torch.Tensor) -> None:
    shipped = mien.load("mtss")
    assert isinstance(shipped, MTSS)
    large = nn.functional.interpolate(faces, shipped.size, mode="bicubic").clamp(-1, 1)
    style, _ = shipped.sdu(shipped.encoder(large)[1], shipped.extractor.look(large))
    assert (style.abs() > 0.999).float().mean() < 0.1
    assert style.std(0).mean() > 0.05


def test_weights_older_than_the_choice_are_drawn_as_they_were_trained(tmp_path: Path) -> None:
    """A file that does not say how its unit was made."""
    dead = replace(SMALL, sdu_standardised=False)
    said = {k: v for k, v in asdict(dead).items() if k != "sdu_standardised"}
    path = tmp_path / "mtss.safetensors"
    write_weights(path, MTSS(dead), {"method": "mtss", "architecture": json.dumps(said)})
    older = mien.load("mtss", weights=path)
    assert isinstance(older, MTSS)
    assert not older.sdu.standardised
    assert MTSS(SMALL).sdu.standardised


def test_sdu_does_not_teach_the_extractor() -> None:
    f_r = torch.randn(1, 16, 8, 8, requires_grad=True)
    f_s = torch.randn(1, 16, 8, 8, requires_grad=True)
    SDU(Architecture(width=8, sdu=32), 16)(f_s, f_r)[0].sum().backward()
    assert f_r.grad is None
    assert f_s.grad is not None


def test_mapper_has_one_branch_per_expression() -> None:
    mapper = Mapper(Architecture(mapper=8, style=6, latent=4))
    z = torch.randn(1, 4).expand(8, -1)
    styles = mapper(z, torch.arange(8))
    assert torch.unique(styles, dim=0).shape[0] == 8
    assert torch.allclose(styles[3:4], mapper(z[:1], torch.tensor([3])), atol=1e-6)


def test_composing_head_starts_as_nearly_nothing() -> None:
    small = Architecture(
        size=32, stem=2, width=8, middle=8, blocks=1, style=16, latent=4, mapper=8,
        extractor=8, extractor_max=16, sdu=16, head="compose",
    )  # fmt: skip
    method = MTSS(small)
    from mien.guides import Label
    from mien.types import Faces

    source = Faces(torch.rand(1, 3, 32, 32) * 2 - 1, torch.zeros(1, 68, 2))
    edit = method.edit(source.mapped(method.numbers), Label("happy"))
    assert not edit.flow.any()
    assert edit.mask.mean() == pytest.approx(1 / (1 + math.exp(-2.0)), abs=1e-5)


@pytest.mark.parametrize("reading", [losses.orthogonality_cosine, losses.orthogonality_gram])
def test_orthogonality_is_zero_only_for_orthogonal_parts(reading: object) -> None:
    assert callable(reading)
    a, b = torch.zeros(2, 1, 2, 4, 4).unbind()
    a[:, 0, :2], b[:, 1, 2:] = 1, 1
    assert reading(a, b) == pytest.approx(0, abs=1e-6)
    assert reading(a, a) > 0.1


def test_classification_skips_what_has_no_label() -> None:
    classifier = nn.Linear(4, 8)
    styles = torch.randn(3, 4)
    label = torch.tensor([2, -1, 5])
    keep = label >= 0
    expected = nn.functional.cross_entropy(classifier(styles[keep]), label[keep]).detach()
    found = losses.classification(classifier, (styles,), (label,))
    assert found.item() == pytest.approx(float(expected), rel=1e-5)
    nothing = losses.classification(classifier, (styles,), (torch.full((3,), -1),))
    assert float(nothing) == 0
