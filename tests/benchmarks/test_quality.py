"""Which rows a table has, which it has not and why, and what is written of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from panels import quick_panel

from mien import images
from mien.faces.align import align, template
from mien.faces.detect import detect
from mien.guides import Label, Reference
from mien.metrics import protocols, report
from mien.metrics.bench import JudgePanel
from mien.metrics.protocols import Protocol
from mien.metrics.scorecard import Contestant
from mien.metrics.trials import Section, Trial, nothing
from mien.nn import tensors
from mien.types import Faces
from mien.zoo.samples import samples

SIDE = 16


@pytest.fixture(scope="module")
def runs(fakes: Path, renders: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """StarGAN twice, the second time at another side; HiSD once."""
    from mien.bench.peers.base import Plan
    from mien.bench.peers.run import PEERS, Training, train

    folder = tmp_path_factory.mktemp("runs")
    for name, kind, size in (
        ("stargan", "stargan", SIDE), ("large", "stargan", 32), ("hisd", "hisd", SIDE),
    ):  # fmt: skip
        root = fakes / PEERS[kind].facts.folder
        train(Training(kind, root, renders, Plan(size, 4, 2)), folder / name)
    return folder


def test_rows_are_the_trainings_of_this_size(runs: Path, fakes: Path) -> None:
    from mien.bench.peers import quality

    rows = quality.peer_rows(runs, fakes, SIDE)
    assert [row.name for row in rows.contestants] == ["hisd", "stargan"]
    assert rows.trained["hisd"]["seen"] == 4
    assert rows.skipped.keys() == {"stargan (large)", "starganv2", "ganimation", "liveportrait"}
    assert rows.skipped["stargan (large)"] == "trained at 32 px; this table is of 16 px"
    assert rows.skipped["starganv2"] == f"not trained in {runs}"
    assert "convert them to safetensors" in rows.skipped["liveportrait"]


def test_an_unfinished_training_says_so(fakes: Path, renders: Path, tmp_path: Path) -> None:
    from mien.bench.peers import quality
    from mien.bench.peers.base import Plan
    from mien.bench.peers.run import Training, train

    asked = Training("hisd", fakes / "HiSD", renders, Plan(SIDE, 8, 2), minutes=0)
    train(asked, tmp_path / "hisd")
    rows = quality.peer_rows(tmp_path, fakes, SIDE)
    assert [row.name for row in rows.contestants] == ["hisd after 2 of 8 images"]
    (tmp_path / "hisd" / "weights.safetensors").unlink()
    rows = quality.peer_rows(tmp_path, fakes, SIDE)
    assert "no weights at" in rows.skipped["hisd after 2 of 8 images"]


def test_a_line_depends_on_weights_their_code_and_its_adapter(
    runs: Path, fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.bench.peers import quality

    first = quality.depends_on("a", fakes / "HiSD")
    assert quality.depends_on("a", fakes / "HiSD") == first
    assert quality.depends_on("b", fakes / "HiSD") != first
    assert quality.depends_on("a", fakes / "stargan") != first
    monkeypatch.setattr(quality, "ADAPTERS", tmp_path)
    assert quality.depends_on("a", fakes / "HiSD") != first


def test_without_code_or_trainings_the_reasons_remain(runs: Path) -> None:
    from mien.bench.peers import quality

    rows = quality.peer_rows(None, None, SIDE)
    assert not rows.contestants
    assert set(rows.skipped.values()) == {
        "no --runs given", "its code is needed: say --checkouts FOLDER",
    }  # fmt: skip
    rows = quality.peer_rows(runs, None, SIDE)
    assert rows.skipped["hisd"] == "its code is needed too: say --checkouts FOLDER"


def test_the_table_holds_who_was_asked_and_why_others_were_not(
    runs: Path, fakes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.bench.peers import quality

    pixels = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0)) * 2 - 1
    source = Faces(pixels, torch.from_numpy(template(SIDE)).expand(2, -1, -1))

    def section(name: str, ask: Any) -> Section:
        trial = Trial(source, ("a", "b"), ("happy",) * 2, ask, truth=source, emotions=(1, 1))
        return Section(name, [trial], answer="the rig")

    both = [section("by label", Label("happy")), section("by reference", Reference(source))]
    monkeypatch.setitem(protocols.PROTOCOLS, "wild", lambda _: Protocol(both))
    monkeypatch.setattr(quality, "check", lambda *_: None)  # it asks for the portraits of "wild"
    mine = Contestant("mtss", nothing, "0")
    monkeypatch.setattr(report, "contestants", lambda _: ([mine], SIDE))
    panel = quick_panel()
    monkeypatch.setattr(JudgePanel, "standing", classmethod(lambda *_: panel))
    asked = quality.Asked(tmp_path, tmp_path, ["mtss"], runs, fakes, ["wild"])
    quality.written(tmp_path, *quality.measure(asked))
    about = json.loads((tmp_path / "quality.json").read_text())
    by_label, by_reference = (about["sections"][f"wild: {s.name}"]["lines"] for s in both)
    assert list(by_label) == ["nothing", "the rig", "mtss", "hisd", "stargan"]
    assert by_label["stargan"]["columns"]["psnr"]["mean"] < 80
    assert by_reference["stargan"] == {"skipped": "stargan takes no references"}
    assert by_reference["hisd"]["faces"] == 2
    assert about["command"]
    assert about["weights"].keys() == {"mtss", "hisd", "stargan"}
    assert about["peers"]["hisd"]["repository"].endswith("imlixinyang/HiSD")
    text = (tmp_path / "quality.md").read_text()
    assert "- stargan (large): trained at 32 px" in text
    _, with_references = text.split("## wild: by reference")
    assert "stargan takes no references" in with_references
    assert "| stargan |" in (tmp_path / "short.md").read_text()


def test_the_face_model_stands_beside_networks_of_any_size() -> None:
    rows, size = report.contestants(report.entrants(["morphable", "mtss"]))
    assert [row.name for row in rows] == ["morphable", "mtss"]
    assert size == 128  # the network's
    pixels = images.read(samples()["anna"]).pixels
    small = tensors.faces(Faces.stack([align(pixels, detect(pixels)[0], 64)]))
    trial = Trial(small, ("anna",), ("happy",), Label("happy"))
    made = rows[0].edit(trial)
    assert made.shape == (1, 3, 64, 64)
    assert (made - small.pixels).abs().max() > 0.2
