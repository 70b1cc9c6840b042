"""CONTRIBUTING.md's method is one: registered by a row it trains, is loaded and edits; nothing else
knows of it.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from mien.guides import ActionUnits, Label, Reference
from mien.methods import registry
from mien.methods.registry import METHODS, Entry
from mien.training import recipe as recipes
from mien.training.stages import train
from mien.types import Faces

ROOT = Path(__file__).parents[2]


def test_the_worked_example_is_trained_and_edits(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.S)
    (tmp_path / "tint.py").write_text("\n".join(blocks))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tint", raising=False)
    row = Entry(
        "tint:Tint", "tint:TintTask", "tint:TintConfig",
        "mien.methods.config:BaseArchitecture", "nobody", "a tint",
    )  # fmt: skip
    monkeypatch.setitem(METHODS, "tint", row)
    (tmp_path / "tint.yaml").write_text("method: tint\nstages: {one: {}, two: {}}\n")
    stages = [
        replace(s, config=s.config.small(), run=replace(s.run, workers=0))
        for s in recipes.read(tmp_path / "tint.yaml")
    ]
    stages = [
        replace(s, config=replace(s.config, training=replace(s.config.training, images=8)))
        for s in stages
    ]
    weights = train(stages, shards, tmp_path / "run")
    assert json.loads(weights.with_suffix(".json").read_text())["images"] == 16
    method = registry.load("tint", weights, head="own")
    faces = Faces(torch.rand(2, 3, 32, 32) * 2 - 1, torch.zeros(2, 68, 2))
    for guide in (Label("happy"), ActionUnits.parse("AU12=0.8"), Reference(faces)):
        assert method.generate(faces, guide, intensity=0.5).shape == (2, 3, 32, 32)
    assert not torch.equal(method.generate(faces, Label("sad")), faces.pixels)
