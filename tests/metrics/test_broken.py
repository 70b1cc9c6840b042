"""Broken editors are broken as they say, and a column says which of two it thinks better."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import images
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import Label, Reference
from mien.metrics import broken
from mien.metrics.bench import Measured
from mien.metrics.broken import BREAKS, REAL, Verdict, editors, verdicts
from mien.metrics.parts import leftovers, part_columns
from mien.metrics.pixel import hull_mask
from mien.metrics.table import COLUMNS
from mien.metrics.trials import Section, Trial
from mien.nn import tensors
from mien.types import Faces
from mien.zoo.samples import samples

SIDE = 256


@pytest.fixture(scope="module")
def trial() -> Trial:
    """Anna, asked to shut her eyes and open her mouth as a made picture shows."""
    pixels = images.read(samples()["anna"]).pixels
    face = tensors.faces(Faces.stack([align(pixels, detect(pixels)[0], SIDE)]))
    points = face.landmarks.clone()
    points[:, 64:68, 1] += 0.05 * SIDE  # the lower lip's inner edge: an open mouth
    points[:, 55:60, 1] += 0.05 * SIDE
    shut = face.pixels.clone()
    eyes = hull_mask(face.landmarks, SIDE, "eyes").bool().expand_as(shut)
    shade = torch.linspace(0.1, 0.3, SIDE)[None, None, :, None].expand_as(shut)
    truth = Faces(torch.where(eyes, shade, shut), points)
    return Trial(face, ("anna",), ("x",), Reference(truth), truth=truth)


def shown(made: Tensor, trial: Trial) -> dict[str, float]:
    assert trial.truth is not None
    return {k: float(v) for k, v in leftovers(made, trial.source, trial.truth).items()}


def test_a_film_is_seen_through_by_what_it_lets_through(trial: Trial) -> None:
    assert trial.truth is not None
    assert shown(trial.source.pixels, trial)["eyes_showing"] == pytest.approx(1, abs=1e-3)
    assert shown(trial.truth.pixels, trial)["eyes_showing"] == pytest.approx(0, abs=1e-3)
    through = shown(broken.film(trial), trial)["eyes_showing"]
    assert through == pytest.approx(1 - broken.FILM, abs=0.08)


def test_without_a_truth_the_film_is_held_against_the_source(trial: Trial) -> None:
    def showing(made: Tensor) -> float:
        found = leftovers(made, trial.source, None)
        assert set(found) == {"eyes_showing"}
        return float(found["eyes_showing"])

    assert trial.truth is not None
    assert showing(trial.source.pixels) == pytest.approx(1, abs=1e-3)
    assert showing(broken.film(trial)) == pytest.approx(1 - broken.FILM, abs=0.08)
    assert showing(trial.truth.pixels) < 0.15


def test_a_black_disc_is_a_void_and_lips_are_none(trial: Trial) -> None:
    assert shown(trial.source.pixels, trial)["mouth_void"] == 0
    assert shown(broken.disc(trial), trial)["mouth_void"] > 0.02


def test_each_breaks_what_it_says(trial: Trial) -> None:
    section = Section("open eyes to shut, mouth to open", [trial], parts=True)

    def real(asked: Trial) -> Tensor:
        assert isinstance(asked.ask, Label | Reference)
        if isinstance(asked.ask, Label):
            return -asked.source.pixels
        assert asked.truth is not None
        return asked.truth.pixels

    found = editors(real, section)
    assert set(found) == set(BREAKS)
    made = {name: edit(trial) for name, edit in found.items()}
    assert all(p.shape == trial.source.pixels.shape for p in made.values())
    assert torch.equal(made["nothing"], trial.source.pixels)
    assert torch.equal(made["random expression"], -trial.source.pixels)  # asked by a label
    soft, sharp = (
        float(part_columns(p, trial, None)["left_brow_sharpness"])
        for p in (made["blurred paste"], real(trial))
    )
    assert soft < 0.3 * sharp
    assert set(editors(real, Section("smile", [trial]))) == set(BREAKS) - set(broken.ABOUT)


def test_columns_that_see_a_break_are_columns() -> None:
    assert {column for columns in BREAKS.values() for column in columns} <= COLUMNS.keys()


def measured(**columns: list[float]) -> Measured:
    return Measured([f"p{i}" for i in range(8)], ["x"] * 8, dict(columns))


def test_the_better_one_is_told_person_by_person() -> None:
    real = measured(
        face_psnr=[30.0] * 8, identity=[0.3] * 8, sharpness=[0.9] * 8, units_a=[0.1] * 8
    )
    nothing = measured(
        face_psnr=[20.0] * 8, identity=[0.0] * 8, sharpness=[1.4] * 8,
        units_a=[0.05] * 4 + [0.2] * 4,
    )  # fmt: skip
    (found,) = verdicts({REAL: real, "nothing": nothing}).values()
    told = {v.column: v for v in found}
    assert told["face_psnr"].caught
    assert told["identity"].fooled  # doing nothing keeps the person best
    assert not told["identity"].own
    assert told["sharpness"].caught  # 1.4 is further from 1 than 0.9
    assert not told["units_a"].caught
    assert not told["units_a"].fooled
    assert told["units_a"].own
    same = verdicts({REAL: real, "nothing": real})["nothing"]
    assert {v.better for v in same} == {0.5}
    assert not any(v.caught or v.fooled for v in same)


def test_open_eyes_are_no_fault_where_they_should_be_open() -> None:
    real = measured(face_psnr=[30.0] * 8, eyes_showing=[1.0] * 8, mp_open=[1.0] * 8)
    faded = measured(face_psnr=[20.0] * 8, eyes_showing=[0.1] * 8, mp_open=[0.1] * 8)
    found = verdicts({REAL: real, "mean face": faded})
    assert {v.column for v in found["mean face"]} == {"face_psnr"}
    found = verdicts({REAL: real, "mean face": faded, broken.FILM_OVER: faded})
    assert all(v.fooled for v in found[broken.FILM_OVER] if v.column in broken.SHUT)


def test_the_table_names_who_is_caught_by_what() -> None:
    one = Verdict("face_psnr", 30.0, 20.0, 1.0, 1.0, 1.0, own=True, people=5)
    other = Verdict("identity", 0.3, 0.0, 0.0, 0.0, 0.0, own=False, people=5)
    text = broken.table({"faces: a to b": {"nothing": [one, other]}})
    assert "1 of 1: face PSNR (30.00 to 20.00)" in text
    assert "identity distance (0.300 to 0.000)" in text
    lost = replace(one, better=0.0, low=0.0, high=0.0)
    assert (
        broken.table({"faces: a to b": {"nothing": [lost]}}).count("face PSNR (30.00 to 20.00)")
        == 1
    )
    few = replace(one, people=4)
    assert not few.caught  # four of four are no proof
    assert "0 of 1" in broken.table({"faces: a to b": {"nothing": [few]}})


def test_each_judge_says_what_fools_it(tmp_path: Path) -> None:
    one = Verdict("mouth_psnr", 30.0, 20.0, 1.0, 1.0, 1.0, own=True, people=5)
    blurred = replace(one, better=0.0, low=0.0, high=0.0)
    other = Verdict("mp_lids", 0.3, 0.0, 0.5, 0.2, 0.8, own=False, people=5)
    every = {"a": {"nothing": [one, other], "blurred paste": [blurred]}, "b": {"nothing": [one]}}
    heading, _, *rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in broken.by_judge(every).splitlines()
    ]
    found = {row[0]: dict(zip(heading, row, strict=True)) for row in rows}
    assert found["pixels (PSNR, SSIM)"]["nothing"] == "2, 0 of 2"
    assert found["pixels (PSNR, SSIM)"]["blurred paste"] == "0, 1 of 1"
    assert found["MediaPipe"]["nothing"] == "0, 0 of 1"
    assert found["judge a"]["nothing"] == ""
    broken.write(tmp_path, {"commit": "c"}, every)
    assert broken.read(tmp_path / "judges.json") == every
    assert broken.by_judge(every) in (tmp_path / "judges.md").read_text()


def test_every_column_that_is_weighed_has_its_judge() -> None:
    weighed = [c for c in COLUMNS if c not in broken.UNJUDGED]
    alone = ("crosstalk", "confused_a", "confused_b", "emotion_classifier", "similarity")
    for column in (c for c in weighed if c not in alone):
        judges = [j for j, parts in broken.JUDGES.items() if any(p in column for p in parts)]
        assert len(judges) == 1, column


def test_the_mean_face_is_everybody_once() -> None:
    def of(level: float) -> Trial:
        return Trial(
            Faces(torch.full((1, 3, 160, 160), level), torch.zeros(1, 68, 2)), (str(level),),
            ("x",), Label("happy"),
        )  # fmt: skip

    section = Section("x", [of(0.0), of(0.0), of(0.6)])
    assert np.allclose(broken.mean_face(section), 0.3)
