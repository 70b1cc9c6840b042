"""Rendered sets: complete, repeatable, resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import facs
from mien.errors import ConfigError, DataError, FaceNotFound
from mien.face_model.camera import Camera
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.jobs import Local
from mien.rig.dataset import Source, even, render_dataset
from mien.rig.expressions import choose_pose_and_light, expression_list
from mien.rig.shards import read_shard

FEW: dict[str, Any] = {"states": 4, "size": 64, "per_shard": 1, "progress": False}


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a set, hidden ones too."""
    files = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def people(source: Source, count: int) -> list[Source]:
    return [replace(source, person=f"p{i}", photo=f"p{i}") for i in range(count)]


def test_a_shard_holds_what_it_says(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    done = render_dataset(model, sources, tmp_path, states=30, size=64, seed=3, progress=False)
    assert (done.written, done.kept, done.refused) == (60, 0, [])
    entries = read_shard(tmp_path / "train" / "00000.tar")
    assert [facts["state"] for facts, _ in entries] == [*range(30), *range(30)]
    listed = expression_list(3)
    for source, states in zip(sources, (entries[:30], entries[30:]), strict=True):
        own, photo = states[0]
        assert (photo.flow() == 0).all()
        assert (photo.visibility() == 1).all()
        assert own["label"] == ("neutral" if source.neutral else None)
        assert [facts["label"] for facts, _ in states[1:9]] == list(facs.EMOTIONS)
        for k, (facts, stored) in enumerate(states):
            assert facts["person"] == source.person
            assert (facts["photo"], facts["licence"]) == (source.photo, "CC")
            assert (facts["seed"], facts["neutral"]) == (3, source.neutral)
            assert 0.5 <= facts["confidence"] <= 1
            assert stored.image().shape == (64, 64, 3)
            assert stored.image().std() > 5
            assert stored.flow().shape == (32, 32, 2)
            assert stored.mouth().shape == (32, 32)
            assert np.shape(facts["landmarks"]) == (68, 2)
            row = facts["expression"]
            assert (row == -1) == (k == 0)
            if k:
                assert np.allclose(facts["units"], listed[row], atol=1e-6)
                pose_light = choose_pose_and_light(3, source.photo, k, row).within(
                    camera(own["camera"])
                )
                assert (facts["turn"], facts["light"]) == ([*pose_light.turn], [*pose_light.light])


def camera(facts: dict[str, Any]) -> Camera:
    return Camera(np.array(facts["rotation"]), facts["scale"], np.array(facts["origin"]))


def test_a_head_that_is_turned_already_is_turned_less() -> None:
    own = Camera(np.radians([0.0, 15.0, 0.0]), 12.0, np.zeros(2))
    assert PoseAndLight(turn=(5, 12, 9)).within(own).turn == pytest.approx((5, 5, 9))
    assert PoseAndLight(turn=(5, -12, 9)).within(own).turn == pytest.approx((5, -12, 9))
    beyond = Camera(np.radians([0.0, -25.0, 0.0]), 12.0, np.zeros(2))
    assert PoseAndLight(turn=(0, -6, 0)).within(beyond).turn == pytest.approx((0, 0, 0))
    looking_up = Camera(np.radians([-10.0, 0.0, 0.0]), 12.0, np.zeros(2))
    assert PoseAndLight(turn=(8, 0, 0)).within(looking_up).turn == pytest.approx((2, 0, 0))


def test_a_turned_head_has_another_camera(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    render_dataset(model, sources[:1], tmp_path, states=40, size=64, progress=False)
    facts = [f for f, _ in read_shard(tmp_path / "train" / "00000.tar")]
    turned = [f for f in facts if any(f["turn"])]
    assert turned
    own = facts[0]["camera"]
    assert all(f["camera"]["rotation"] != own["rotation"] for f in turned)
    assert all(f["camera"] == own for f in facts if not any(f["turn"]))


def test_same_seed_same_bytes_whatever_the_workers(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    render_dataset(model, sources, tmp_path / "a", **FEW)
    render_dataset(model, sources, tmp_path / "b", engine=Local(2), **FEW)
    assert sum(name.endswith(".tar") for name in contents(tmp_path / "a")) == 2
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    render_dataset(model, sources, tmp_path / "c", seed=1, states=4, size=64)
    assert contents(tmp_path / "a") != contents(tmp_path / "c")


KILLED = """
import sys
from pathlib import Path
from typing import Any
import numpy as np
from mien.face_model.camera import Camera
from mien.jobs import Local
from mien.rig.dataset import Source, render_dataset
from mien.face_model.mesh import FaceModel
if __name__ == "__main__":
    a = np.load(sys.argv[1])
    rest = ("train", a["crop"], a["landmarks"], True, "CC")
    people = [Source(f"p{i}", f"p{i}", *rest) for i in range(8)]
    few = {"states": 2, "size": 64, "per_shard": 2, "progress": False}
    workers = int(sys.argv[3])
    render_dataset(FaceModel.load(), people, Path(sys.argv[2]), engine=Local(workers), **few)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize("workers", [1, 2])
def test_a_killed_run_goes_on(
    model: FaceModel, sources: list[Source], tmp_path: Path, workers: int
) -> None:
    photographs, out = people(replace(sources[0], licence="CC", origin=""), 8), tmp_path / "out"
    np.savez(tmp_path / "in.npz", crop=sources[0].crop, landmarks=sources[0].landmarks)
    (tmp_path / "run.py").write_text(KILLED)
    run = subprocess.Popen(
        [sys.executable, tmp_path / "run.py", tmp_path / "in.npz", out, str(workers)],
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    # the moment a shard is half written, after the first is finished
    while not (list(out.glob("train/.0*.json")) and list(out.glob("train/.*.partial"))):
        assert time.monotonic() < deadline
        assert run.poll() is None, "finished before it could be killed"
        time.sleep(0.001)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    finished = {p.stem for p in out.glob("train/*.tar")}
    assert 1 <= len(finished) < 4, "killed too late to show anything"
    for path in out.glob("train/*.tar"):
        assert len(read_shard(path)) == 4
    before = {p: p.stat().st_mtime_ns for p in out.glob("train/.0*.json")}
    few = {**FEW, "states": 2, "per_shard": 2}
    done = render_dataset(model, photographs, out, **few)
    assert done.kept == 4 * len(before)
    assert done.written + done.kept == 16
    assert {p: p.stat().st_mtime_ns for p in before} == before
    assert not list(out.rglob("*.partial"))
    render_dataset(model, photographs, tmp_path / "whole", **few)
    assert contents(out) == contents(tmp_path / "whole")


class Faceless:
    """A photograph in which no face is found."""

    person, photo, split = "nobody", "nobody/1", "train"

    def load(self) -> Source:
        raise FaceNotFound("no face found")


def test_what_cannot_be_rendered_is_refused_and_counted(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    shaken = sources[0].landmarks + np.random.default_rng(0).normal(0, 14, (68, 2))
    bad = replace(sources[0], photo="bad", landmarks=shaken.astype(np.float32))
    for _ in range(2):  # the second time from the notes of the first
        done = render_dataset(model, [bad, Faceless(), sources[1]], tmp_path, **FEW)
        assert [o.pictures for o in done.outcomes] == [0, 0, 4]
        assert [o.photo for o in done.refused] == ["bad", "nobody/1"]
    assert len(list(tmp_path.glob("train/*.tar"))) == 1
    report = json.loads((tmp_path / "report.json").read_text())
    assert (report["pictures"], report["refused"]) == (4, 2)
    assert report["reasons"]["no face found"] == 1
    assert report["refused_photographs"][0]["photo"] == "bad"


def test_other_settings_do_not_mix(model: FaceModel, sources: list[Source], tmp_path: Path) -> None:
    render_dataset(model, [], tmp_path, **FEW)
    with pytest.raises(DataError, match="other size"):
        render_dataset(model, [], tmp_path, **{**FEW, "size": 32})
    with pytest.raises(DataError, match="other photographs"):
        render_dataset(model, sources, tmp_path, **FEW)


def test_an_older_folder_costs_one_line(model: FaceModel, tmp_path: Path) -> None:
    (tmp_path / "expressions.safetensors").write_bytes(b"version 1")
    with pytest.raises(DataError, match="render again"):
        render_dataset(model, [], tmp_path, **FEW)


def test_two_photographs_of_one_name(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="share their name"):
        render_dataset(model, [sources[0], sources[0]], tmp_path, **FEW)


def test_a_count_is_spread_evenly() -> None:
    assert even(10, 4) == [3, 3, 2, 2]
    assert even(4, 4) == [1, 1, 1, 1]
    for count in (3, 10**6):
        with pytest.raises(ConfigError, match="cannot be made"):
            even(count, 4)
