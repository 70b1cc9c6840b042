"""What each peer may be asked by, and what it makes of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from mien import facs
from mien.errors import AssetMissing, GuideError
from mien.faces.align import template
from mien.guides import ActionUnits, Label, Reference
from mien.metrics.trials import Own, Section, Trial, Units
from mien.types import Faces

SIDE = 16
HAPPY = facs.EMOTIONS.index("happy")


def faces(seed: int = 0, count: int = 2) -> Faces[Tensor]:
    pixels = torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))
    return Faces(pixels * 2 - 1, torch.from_numpy(template(SIDE)).expand(count, -1, -1))


def trial(ask: Any, **facts: Any) -> Trial:
    return Trial(faces(), ("a", "b"), ("happy",) * 2, ask, **facts)


@pytest.fixture(scope="module")
def row(fakes: Path) -> Callable[[str], Any]:
    """`row("hisd")`: untrained, of a fake checkout."""

    def make(name: str) -> Any:
        from mien.bench.peers.base import Plan
        from mien.bench.peers.run import PEERS

        torch.manual_seed(0)
        kind = PEERS[name]
        return kind(fakes / kind.facts.folder, Plan(SIDE, 1, 1)).row().eval().requires_grad_(False)

    return make


UNITS = torch.from_numpy(facs.prototype("happy")).expand(2, -1)
ASKS: dict[str, Any] = {
    "labels": Label("happy"),
    "references": Reference(faces(5)),
    "action units": ActionUnits.parse("AU12=0.5"),
    "numbers": Units(UNITS),
}


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("stargan", {"references", "action units", "numbers"}),
        ("starganv2", {"action units", "numbers"}),
        ("hisd", {"action units", "numbers"}),
        ("ganimation", {"references"}),
    ],
)
def test_a_peer_is_asked_only_by_what_it_takes(
    name: str, refused: set[str], row: Callable[[str], Any]
) -> None:
    peer = row(name)
    for what, ask in ASKS.items():
        one = trial(ask, units=UNITS)
        reason = peer.cannot(Section(what, [one, trial(Own())]))
        assert (reason is not None) == (what in refused), what
        if reason is None:
            made = peer.editing()(one)
            assert made.shape == (2, 3, SIDE, SIDE)
            assert made.abs().max() <= 1
        else:
            word = "action units" if what == "numbers" else what
            assert reason == f"{name} takes no {word}"
    assert peer.cannot(Section("own", [trial(Own())])) is None
    assert peer.editing()(trial(Own())).shape == (2, 3, SIDE, SIDE)
    for kind in peer.native:
        assert kind in peer.serves
    if "numbers" in refused:
        with pytest.raises(GuideError, match=f"{name} takes no action units: ask it by labels"):
            peer.from_units(UNITS)


@pytest.mark.parametrize("name", ["stargan", "starganv2", "hisd", "ganimation"])
def test_weaker_edits_lie_on_the_line_from_the_face(name: str, row: Callable[[str], Any]) -> None:
    peer = row(name)
    own, wanted = peer.encode(faces()).code, peer.from_labels(torch.tensor([HAPPY] * 2)).code
    seen: list[Tensor] = []

    def compose(identity: Any, expression: Any) -> Any:
        seen.append(expression.code)
        return type(peer).compose(peer, identity, expression)

    peer.compose = compose
    peer.editing()(trial(Label("happy"), intensity=0.25))
    assert torch.allclose(seen[0], 0.75 * own + 0.25 * wanted, atol=1e-6)


def test_labels_of_a_peer_that_draws_styles_do_not_change(row: Callable[[str], Any]) -> None:
    for name in ("starganv2", "hisd"):
        peer, index = row(name), torch.tensor([3, 1, 3])
        torch.manual_seed(1)
        first = peer.from_labels(index).code
        torch.manual_seed(2)
        assert torch.equal(first, peer.from_labels(index).code)
        assert torch.equal(first[0], first[2])
        assert not torch.equal(first[0], first[1])


def test_stargan_takes_the_face_for_what_its_critic_names(row: Callable[[str], Any]) -> None:
    peer = row("stargan")
    _, logits = peer.discriminator(faces().pixels)
    assert torch.equal(peer.encode(faces()).code.argmax(1), logits.argmax(1))
    assert torch.equal(peer.encode(faces()).code.sum(1), torch.ones(2))
    assert peer.eval().generator.norm.training  # its authors' own way of testing


def test_starganv2_is_told_what_a_reference_wears(row: Callable[[str], Any]) -> None:
    peer = row("starganv2")
    reference = faces(5)
    surprise = facs.EMOTIONS.index("surprise")
    told = peer.asked(trial(Reference(reference), emotions=(HAPPY, surprise))).code
    assert torch.equal(told, peer.styled(reference, torch.tensor([HAPPY, surprise])).code)
    units = torch.from_numpy(0.8 * facs.prototype("surprise")).expand(2, -1)
    read = peer.asked(trial(Reference(reference), units=units)).code
    assert torch.equal(read, peer.styled(reference, torch.tensor([surprise] * 2)).code)
    assert not torch.equal(told, read)


def test_ganimation_moves_only_the_units_asked_for(row: Callable[[str], Any]) -> None:
    peer = row("ganimation")
    own = peer.encode(faces()).code
    wanted = peer.asked(trial(ActionUnits.parse("AU12=0.5"))).code
    places = list(facs.columns("AU12"))
    assert torch.allclose(wanted[:, places], torch.full((2, 2), 0.5), atol=1e-6)
    others = [k for k in range(47) if k not in places]
    assert torch.allclose(wanted[:, others], own[:, others], atol=1e-6)
    edit = peer.edit(faces().mapped(peer.numbers), Label("happy"))
    assert bool((edit.flow == 0).all())
    colour, mask = peer.generator(faces().pixels, peer.from_labels(torch.tensor([HAPPY] * 2)).code)
    blend = mask * faces().pixels + (1 - mask) * colour  # its paper's equation 1
    assert torch.allclose(peer.generate(faces(), Label("happy")), blend, atol=1e-5)


def test_one_face_is_read_as_one(row: Callable[[str], Any]) -> None:
    one = faces(0, 1)
    assert row("ganimation").encode(one).code.shape == (1, 47)


def test_liveportrait_lends_the_expression_alone(fakes: Path) -> None:
    from mien.bench.peers.liveportrait import random_row

    peer = random_row(fakes / "LivePortrait", SIDE)
    rising = torch.linspace(-0.5, 0.5, SIDE).expand(2, 3, SIDE, SIDE)
    source, reference = Faces(rising, faces().landmarks), faces(2)
    assert peer.cannot(Section("x", [trial(Label("happy"))])) == "liveportrait takes no labels"
    own = peer.editing()(Trial(source, ("a", "b"), ("own",) * 2, Own()))
    # the fake hands its features on, moved by how far the points move: own points move nothing
    assert torch.allclose(own, source.pixels, atol=0.02)
    assert own.shape == source.pixels.shape
    moved = peer.editing()(Trial(source, ("a", "b"), ("x",) * 2, Reference(reference)))
    shift = (peer.encode(reference).code - peer.encode(source).code).mean(1)
    change = (moved - own).mean((1, 2, 3))
    assert torch.equal(change.sign(), shift.sign())


def test_liveportrait_without_weights_says_what_to_do(fakes: Path, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    from mien.bench.peers.liveportrait import PARTS, random_row, read

    with pytest.raises(AssetMissing, match="convert them to safetensors"):
        read(fakes / "LivePortrait", tmp_path, SIDE)
    with pytest.raises(AssetMissing, match="clone https"):
        random_row(tmp_path, SIDE)
    other = random_row(fakes / "LivePortrait", SIDE, seed=7)
    for name in PARTS:
        save_file(other.parts[name].state_dict(), tmp_path / f"{name}.safetensors")
    same = read(fakes / "LivePortrait", tmp_path, SIDE)
    assert torch.equal(same.encode(faces()).code, other.encode(faces()).code)
