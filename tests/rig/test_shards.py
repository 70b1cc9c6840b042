"""Shards: tar files that strangers' tools open, of the same bytes each time."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mien.errors import DataError
from mien.rig.shards import Sample, key_of, read_shard, sweep, write_shard


def samples(count: int = 3, size: int = 32) -> list[Sample]:
    rng = np.random.default_rng(0)
    half = (size // 2, size // 2)
    return [
        Sample(
            key_of("set/a.b c", k),
            {"units": [0.5] * 47, "label": None if k % 2 else "happy"},
            rng.integers(0, 256, (size, size, 3), np.uint8),
            rng.normal(0, 0.1, (*half, 2)).astype(np.float16).astype(np.float32),
            rng.integers(0, 256, half, np.uint8),
            rng.integers(0, 256, half, np.uint8),
        )
        for k in range(count)
    ]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    wanted = samples()
    write_shard(tmp_path / "0.tar", wanted)
    for a, (facts, b) in zip(wanted, read_shard(tmp_path / "0.tar"), strict=True):
        assert facts == a.facts
        assert (b.image() == a.image).all()
        assert (b.flow() == a.flow).all()
        assert np.allclose(b.visibility() * 255, a.visibility, atol=1e-3)
        assert np.allclose(b.mouth() * 255, a.mouth, atol=1e-3)


def test_a_plain_tar_reader_finds_everything(tmp_path: Path) -> None:
    (sample,) = samples(1)
    write_shard(tmp_path / "0.tar", [sample])
    with tarfile.open(tmp_path / "0.tar") as tar:
        assert {m.mtime for m in tar} == {0}
        files = {m.name.partition(".")[2]: tar.extractfile(m) for m in tar}
        held = {name: file.read() for name, file in files.items() if file is not None}
        assert {m.name.partition(".")[0] for m in tar} == {"set-a-b-c-000"}
    assert json.loads(held["json"]) == sample.facts
    assert (np.load(io.BytesIO(held["flow.npy"])) == sample.flow).all()
    png = cv2.imdecode(np.frombuffer(held["mouth.png"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert png is not None
    assert np.array_equal(png, sample.mouth)


def test_hugging_face_opens_it(tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    wanted = samples(8)
    write_shard(tmp_path / "set" / "train" / "00000.tar", wanted[:4])
    write_shard(tmp_path / "set" / "train" / "00001.tar", wanted[4:])
    found = datasets.load_dataset(
        "webdataset", data_dir=str(tmp_path / "set"), split="train", cache_dir=str(tmp_path / "c")
    )
    assert len(found) == 8
    for a, b in zip(wanted, found, strict=True):
        assert b["__key__"] == a.key
        assert b["json"] == a.facts
        assert (np.asarray(b["png"]) == a.image).all()
        assert (np.array(b["flow.npy"], np.float32) == a.flow).all()
        assert (np.asarray(b["visibility.png"]) == a.visibility).all()


def test_equal_samples_make_equal_bytes(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.tar", samples())
    write_shard(tmp_path / "b.tar", samples())
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_cut_shard_costs_one_line(tmp_path: Path, kept: float) -> None:
    path = tmp_path / "0.tar"
    write_shard(path, samples())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept * len(whole.rstrip(b"\0")))])
    with pytest.raises(DataError, match="render the set again"):
        read_shard(path)


def test_no_tar_at_all(tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(b"nonsense" * 200)
    with pytest.raises(DataError, match="not a tar file"):
        read_shard(tmp_path / "0.tar")


def test_nothing_stays_of_a_failed_shard(tmp_path: Path) -> None:
    def failing() -> Iterator[Any]:
        yield samples(1)[0]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write_shard(tmp_path / "0.tar", failing())
    assert not list(tmp_path.iterdir())


WRITING = """
import sys, time
from pathlib import Path
from mien.rig.shards import _whole
with _whole(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("begun", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="files in use cannot be removed there")
def test_sweeping_spares_the_living(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", WRITING, str(tmp_path / "train" / "0.tar")]
    writer = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"begun\n"
    assert sweep(tmp_path) == 0
    writer.kill()
    writer.communicate()
    assert len(list(tmp_path.glob("train/.*"))) == 1
    assert sweep(tmp_path) == 1
    assert not list(tmp_path.glob("train/*"))
