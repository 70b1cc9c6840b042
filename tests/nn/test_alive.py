import pytest
import torch
from torch import Tensor, nn

import mien
from mien.methods.aipgan.config import Architecture
from mien.methods.aipgan.method import AIPGAN
from mien.methods.auswap.config import Architecture as AUSwapArchitecture
from mien.methods.auswap.method import AUSwap
from mien.nn.alive import Answer, Gate, heard, ranked, vitals


class Gated(nn.Module):
    """A method that has nothing but a gate."""

    def __init__(self, values: Tensor, low: float = 0.0, selects: bool = False) -> None:
        super().__init__()
        self.gate = Gate(values, low, selects=selects)

    def gates(self, face: Tensor) -> dict[str, Gate]:
        return {"gate": self.gate}


NOISE = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))
PLACES = torch.linspace(0, 1, 64).view(1, 1, 8, 8).expand(4, 1, 8, 8)


@pytest.mark.parametrize(
    ("values", "low", "says"),
    [
        (torch.full((4, 1, 8, 8), 0.998), 0.0, "100.0% of it is at an end"),
        (NOISE.round() * 2 - 1, -1.0, "100.0% of it is at an end"),
        (torch.full((4, 1, 8, 8), 0.5), 0.0, "the same everywhere"),
        (torch.tensor([0.2, 0.8]).view(1, 2, 1, 1).expand(4, 2, 8, 8), 0.0, "the same everywhere"),
        (NOISE, 0.0, None),
        (PLACES * 0.9 + 0.05, 0.0, None),  # the same on all faces, but it chooses places
        (NOISE * 2 - 1, -1.0, None),
    ],
    ids=["open", "tanh at its ends", "constant", "constant channels", "noise", "places", "tanh"],
)
def test_alarms(values: Tensor, low: float, says: str | None) -> None:
    numbers, alarms = vitals(Gated(values, low), torch.zeros(4, 3, 64, 64))
    assert set(numbers) == {"gate, ends", "gate, spread"}
    assert len(alarms) == (says is not None)
    assert all(says in alarm for alarm in alarms if says)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        (torch.full((4, 1, 8, 8), 0.998), "100.0% of it is at an end"),
        (torch.zeros(4, 1, 8, 8), "100.0% of it is at an end"),
        (torch.full((4, 1, 8, 8), 0.5), "the same everywhere"),
        (0.5 + 0.1 * (NOISE - 0.5), "does not choose"),
        (NOISE.round(), None),  # at both ends: it chooses
        (0.1 + 0.8 * NOISE.round(), None),
    ],
    ids=["open", "shut", "half", "nearly half", "binary", "nearly binary"],
)
def test_a_gate_that_is_to_choose(values: Tensor, says: str | None) -> None:
    numbers, alarms = vitals(Gated(values, selects=True), torch.zeros(4, 3, 64, 64))
    assert set(numbers) == {"gate, ends", "gate, spread", "gate, entropy"}
    assert len(alarms) == (says is not None)
    assert all(says in alarm for alarm in alarms if says)


def test_answers_of_adversaries() -> None:
    silent, lost = torch.full((6, 3), 0.7), torch.full((6, 3), torch.nan)
    numbers, alarms = heard({"a": Answer(silent), "b": Answer(lost), "c": Answer(NOISE)})
    assert [a.partition(" is dead")[0] for a in alarms] == ["a", "b"]
    assert numbers["c, spread"] > 0.1
    truth = torch.tensor([[0.0], [0.0], [1.0], [1.0]])
    known = torch.ones(4, 1)
    numbers, alarms = heard({"a": Answer(NOISE, truth + 0.1 * NOISE[:, 0, 0, :1], truth, known)})
    assert numbers["a, read"] == 1
    assert "not heeded" in alarms[0]
    numbers, alarms = heard({"a": Answer(NOISE, torch.zeros(4, 1), truth, known)})
    assert numbers["a, read"] == 0.5
    assert not alarms


def test_ranks_count_what_is_known_alone() -> None:
    sure = torch.tensor([[0.9, 0.0], [0.1, 0.0], [0.5, 0.0]])
    truth = torch.tensor([[1.0, 1.0], [0.0, 1.0], [0.0, 1.0]])
    known = torch.ones(3, 2)
    assert ranked(sure, truth, known) == 1  # of the second thing all are so: it ranks nobody
    known[1:, 0] = 0
    assert ranked(sure, truth, known) is None


def test_a_method_without_gates_has_none() -> None:
    assert vitals(nn.Identity(), torch.zeros(1, 3, 64, 64)) == ({}, [])
    without = AIPGAN(Architecture(size=64, width=8, width_max=16, attention=False))
    numbers, _ = vitals(without, torch.zeros(1, 3, 64, 64))
    assert set(numbers) == {"expression code, ends", "expression code, spread"}


def test_what_ships_dead_is_noticed(faces: Tensor) -> None:
    numbers, alarms = vitals(mien.load("mtss"), faces)
    assert alarms == []
    assert numbers["style disentanglement, ends"] < 0.1
    _, alarms = vitals(mien.load("aipgan"), faces)
    assert [a.partition(" is dead")[0] for a in alarms] == ["identity attention"]
    codes = {"auswap": "AU-related feature", "aipgan": "expression code"}
    codes["decoupling"] = (
        "expression code"  # of faces at rest: hardly different, but in their range
    )
    for name, code in codes.items():
        assert vitals(mien.load(name), faces)[0][f"{code}, ends"] < 0.05


def test_new_gates_live(faces: Tensor) -> None:
    torch.manual_seed(0)
    assert vitals(AIPGAN(Architecture(width=8, width_max=32)), faces)[1] == []
    assert vitals(AUSwap(AUSwapArchitecture(width=8, encoder=8, middle=8)), faces)[1] == []


def test_a_code_at_its_ends_is_noticed(faces: Tensor) -> None:
    made = AUSwap(AUSwapArchitecture(width=8, encoder=8, middle=8))
    with torch.no_grad():
        made.unit_encoder.out.weight.mul_(100)
    assert "AU-related feature is dead" in vitals(made, faces)[1][0]


@pytest.fixture(scope="module")
def faces() -> Tensor:
    """The bundled samples, aligned, (N, 3, 128, 128)."""
    from mien import images
    from mien.faces.align import align
    from mien.faces.detect import detect
    from mien.nn.tensors import faces as tensors
    from mien.types import Faces
    from mien.zoo.samples import samples

    found = []
    for path in samples().values():
        pixels = images.read(path).pixels
        found.append(align(pixels, detect(pixels)[0], 128))
    return tensors(Faces.stack(found)).pixels
