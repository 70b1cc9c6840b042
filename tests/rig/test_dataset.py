"""Shards: complete, repeatable, resumable."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file

from mien import facs
from mien.errors import DataError
from mien.rig.dataset import Source, render_dataset
from mien.rig.expressions import expression_list
from mien.rig.mesh import FaceModel

FEW = {"states": 4, "size": 64, "progress": False}


def shards(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*.safetensors"))}


def test_a_shard_holds_what_it_says(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    render_dataset(model, sources[:1], tmp_path, states=12, size=64, workers=1, progress=False)
    path = sources[0].shard(tmp_path)
    a = load_file(path)
    shapes = {name: (x.shape, x.dtype.name) for name, x in a.items()}
    assert shapes == {
        "images": ((12, 64, 64, 3), "uint8"),
        "units": ((12, len(facs.UNITS)), "float32"),
        "expression": ((12,), "int32"),
        "landmarks": ((12, 68, 2), "float32"),
        "flow": ((12, 32, 32, 2), "float16"),
        "visibility": ((12, 32, 32), "uint8"),
        "mouth": ((12, 32, 32), "uint8"),
    }
    assert a["expression"][0] == -1
    assert (a["units"][1:] == expression_list(0)[a["expression"][1:]]).all()
    assert (a["flow"][0] == 0).all()
    assert (a["visibility"][0] == 255).all()
    assert a["images"].std((1, 2)).min() > 5
    with safe_open(path, "np") as f:
        facts = json.loads(f.metadata()["mien"])
    assert (facts["person"], facts["split"], facts["neutral"]) == ("london/003", "train", True)


def test_same_seed_same_bytes_whatever_the_workers(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    render_dataset(model, sources[:2], tmp_path / "a", workers=1, **FEW)
    render_dataset(model, sources[:2], tmp_path / "b", workers=2, **FEW)
    assert len(shards(tmp_path / "a")) == 3
    assert shards(tmp_path / "a") == shards(tmp_path / "b")
    render_dataset(model, sources[:2], tmp_path / "c", workers=1, seed=1, **FEW)
    assert shards(tmp_path / "a") != shards(tmp_path / "c")


def test_finished_shards_are_kept(model: FaceModel, sources: list[Source], tmp_path: Path) -> None:
    first = render_dataset(model, sources[:1], tmp_path, workers=1, **FEW)
    before = sources[0].shard(tmp_path).stat().st_mtime_ns
    second = render_dataset(model, sources[:2], tmp_path, workers=1, **FEW)
    assert [o.status for o in first + second] == ["written", "kept", "written"]
    assert sources[0].shard(tmp_path).stat().st_mtime_ns == before


KILLED = """
import sys
from pathlib import Path
import numpy as np
from mien.rig.dataset import Source, render_dataset
from mien.rig.mesh import FaceModel
a = np.load(sys.argv[1])
rest = ("train", a["crop"], a["landmarks"], True, "CC")
people = [Source(f"p{i}", f"p{i}", *rest) for i in range(6)]
few = {"states": 4, "size": 64, "progress": False}
render_dataset(FaceModel.load(), people, Path(sys.argv[2]), workers=1, **few)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_killed_run_goes_on(model: FaceModel, sources: list[Source], tmp_path: Path) -> None:
    base, out = sources[0], tmp_path / "out"
    people = [
        replace(base, person=f"p{i}", photo=f"p{i}", licence="CC", origin="") for i in range(6)
    ]
    np.savez(tmp_path / "in.npz", crop=base.crop, landmarks=base.landmarks)
    run = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path / "in.npz"), str(out)])
    deadline = time.monotonic() + 120
    while len(list(out.glob("train/*.safetensors"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.wait()
    there = shards(out)
    assert 3 <= len(there) < 7, "killed too late to show anything"
    outcomes = render_dataset(model, people, out, workers=1, **FEW)
    assert sum(o.status == "kept" for o in outcomes) == len(there) - 1
    render_dataset(model, people, tmp_path / "whole", workers=1, **FEW)
    assert shards(out) == shards(tmp_path / "whole")


def test_a_bad_fit_is_refused_and_counted(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    shaken = sources[0].landmarks + np.random.default_rng(0).normal(0, 14, (68, 2))
    bad = replace(sources[0], photo="bad", landmarks=shaken.astype(np.float32))
    (outcome,) = render_dataset(model, [bad], tmp_path, workers=1, **FEW)
    assert outcome.status == "refused"
    assert not bad.shard(tmp_path).exists()
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["refused"] == 1
    assert report["refused_photos"][0]["photo"] == "bad"


def test_other_settings_do_not_mix(model: FaceModel, sources: list[Source], tmp_path: Path) -> None:
    render_dataset(model, [], tmp_path, workers=1, **FEW)
    with pytest.raises(DataError, match="other settings"):
        render_dataset(model, [], tmp_path, states=5, size=64, workers=1, progress=False)


def test_two_photographs_of_one_name(
    model: FaceModel, sources: list[Source], tmp_path: Path
) -> None:
    with pytest.raises(DataError, match="share their name"):
        render_dataset(model, [sources[0], sources[0]], tmp_path, workers=1, **FEW)
