"""What mtss's own claim is measured by."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.bench.methods.adain import askew, table, turned
from mien.data.loading import open_renders
from mien.methods.mtss.config import Architecture
from mien.methods.mtss.config import MTSSConfig as Config
from mien.methods.mtss.method import MTSS
from mien.metrics.triples import draw_triples


def test_source_and_truth_lie_alike_and_the_reference_otherwise(renders: Path) -> None:
    straight = draw_triples(renders, "train", 6, size=16)
    assert askew(straight, 0.0, 0) is straight
    one, again, other = askew(straight, 1.0, 0), askew(straight, 1.0, 0), askew(straight, 1.0, 1)
    assert torch.equal(one.source.pixels, again.source.pixels)
    assert not torch.equal(one.source.pixels, other.source.pixels)
    assert torch.equal(one.source.landmarks, one.truth.landmarks)
    moved = one.source.landmarks - straight.source.landmarks
    assert float(moved.abs().max()) > 0.2
    assert not torch.equal(one.source.landmarks, one.reference.landmarks)
    far = askew(straight, 2.0, 0).source.landmarks - straight.source.landmarks
    assert float(far.abs().mean()) > float(moved.abs().mean())


def test_references_are_somebody_else_turned_as_asked(renders: Path) -> None:
    photos = [
        replace(photo, turned=[5.0 * k for k in range(len(photo.turned))], still=[0, 1, 2, 3])
        for photo in open_renders(renders, "train")
    ]
    found = turned(photos, (7.0, 14.0), 50, np.random.default_rng(0))
    assert found
    for (photo, first), (other, k), (same, state) in found:
        assert same is photo
        assert first == 0
        assert other.person != photo.person
        assert 7 <= abs(other.turned[k]) < 14
        assert other.expression[k] == photo.expression[state] > 0
    assert turned(photos, (90.0, 91.0), 50, np.random.default_rng(0)) == []


def test_without_its_skip_mtss_draws_another_face() -> None:
    small = Architecture(size=64, head="picture", **Config.small_architecture)
    torch.manual_seed(0)
    whole, plain = MTSS(small), MTSS(replace(small, skip=False))
    plain.load_state_dict(whole.state_dict())
    face = torch.rand(2, 3, 64, 64) * 2 - 1
    with torch.no_grad():
        parts = [m.separate(face) for m in (whole, plain)]
        style = torch.zeros(2, 16)
        drawn = [
            m.decoder(m.translator(p[0], style, style), p[1])
            for m, p in zip((whole, plain), parts, strict=True)
        ]
    assert float(parts[0][1].abs().max()) > 0
    assert float(parts[1][1].abs().max()) == 0
    assert torch.equal(parts[0][0], parts[1][0])
    assert float((drawn[0] - drawn[1]).abs().max()) > 1e-3


def test_both_stand_in_the_table() -> None:
    gain = {"mean": 1.0, "low": 0.5, "high": 1.5}
    one = {"psnr_gain": gain, "identity": gain, "unit_error_left": 0.7}
    found = {
        "sha256": {"mtss": "a", "plain AdaIN": "b"},
        "rows": {"crops as aligned": {"triples": 9, "mtss": one, "plain AdaIN": one}},
    }
    lines = table(found).splitlines()
    assert len(lines) == 4
    assert lines[2] == "| crops as aligned | 9 | mtss | +1.00 (+0.50..+1.50) | 0.70 | 1.00 |"


@pytest.mark.parametrize("path", ["recipes/mtss/paper_64.yaml", "recipes/mtss/paper_128.yaml"])
def test_the_papers_recipe_has_the_skip(path: str) -> None:
    assert "skip: false" not in (Path(__file__).resolve().parents[2] / path).read_text("utf-8")
