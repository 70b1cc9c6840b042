"""Invented people: one seed, one person; resumed, extended, described; told apart from others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from mien import images
from mien.data.manifest import read_manifest
from mien.errors import ConfigError, DataError, GuideError
from mien.methods.base import Method
from mien.methods.decoupling.config import Architecture
from mien.methods.decoupling.method import Decoupling
from mien.people import decoupled as people
from mien.people.decoupled import Settings

SMALL = Architecture(
    size=32, trunk=8, trunk_norm="group", pyramid=8, mapping=8, depth=2,
    layers=((8, 0), (4, 6), (2, 6), (0, 6)), generator=256, generator_max=16, feedback=8,
    people=4, composer=16, blocks=1, head="compose",
)  # fmt: skip
SETTINGS = Settings("decoupling", "0123", seed=1, spread=1.0)


@pytest.fixture(scope="module")
def method() -> Method[Any]:
    torch.manual_seed(0)
    made = Decoupling(SMALL)
    with torch.no_grad():  # off the start, where a composing head changes nothing
        for p in made.parameters():
            p.add_(0.02 * torch.randn_like(p))
    made.crowd.fit(torch.randn(9, sum(made.layout.lengths)))
    return made.eval()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*.png"))}


def test_a_folder_of_people_is_a_data_set(method: Method[Any], tmp_path: Path) -> None:
    rows = people.write(method, SETTINGS, tmp_path, 2, ("neutral", "happy"), licence="CC0-1.0")
    read = read_manifest(tmp_path)
    assert [r.file_name for r in read] == [
        "00000/neutral.png", "00000/happy.png", "00001/neutral.png", "00001/happy.png",
    ]  # fmt: skip
    assert [r.person for r in rows] == [r.person for r in read]
    assert len({r.person for r in read}) == 2
    assert {r.emotion for r in read} == {"neutral", "happy"}
    for row in read:
        assert images.read(tmp_path / row.file_name).pixels.shape == (32, 32, 3)
    assert len(set(files(tmp_path).values())) == 4


def test_a_stopped_run_goes_on_and_a_larger_one_adds(method: Method[Any], tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    people.write(method, SETTINGS, whole, 3, ("neutral", "sad"), licence="CC0-1.0")
    people.write(method, SETTINGS, parts, 1, ("neutral",), licence="CC0-1.0")
    kept = parts / "00000" / "neutral.png"
    before = kept.stat().st_mtime_ns
    (parts / "00001").mkdir()
    people.write(method, SETTINGS, parts, 3, ("neutral", "sad"), licence="CC0-1.0")
    assert kept.stat().st_mtime_ns == before
    assert files(parts) == files(whole)
    assert (parts / "metadata.jsonl").read_bytes() == (whole / "metadata.jsonl").read_bytes()


def test_other_settings_need_another_folder(method: Method[Any], tmp_path: Path) -> None:
    people.write(method, SETTINGS, tmp_path, 1, ("neutral",), licence="CC0-1.0")
    other = Settings("decoupling", "0123", seed=2, spread=1.0)
    with pytest.raises(DataError, match="other settings"):
        people.write(method, other, tmp_path, 1, ("neutral",), licence="CC0-1.0")


def test_spread_leads_away_from_the_average(method: Method[Any]) -> None:
    def shown(spread: float, number: int) -> object:
        settings = Settings("decoupling", "", seed=1, spread=spread)
        return people.pictures(method, settings, number, ["neutral"])["neutral"].tolist()

    assert shown(0.0, 0) == shown(0.0, 1)
    assert shown(1.0, 0) != shown(1.0, 1)


def test_mistakes(method: Method[Any], wide_mouth: Method[Any], tmp_path: Path) -> None:
    with pytest.raises(GuideError, match="unknown expression 'bored'"):
        people.write(method, SETTINGS, tmp_path, 1, ("bored",), licence="CC0-1.0")
    with pytest.raises(ConfigError, match="invents nobody"):
        people.write(wide_mouth, SETTINGS, tmp_path, 1, ("neutral",), licence="CC0-1.0")
