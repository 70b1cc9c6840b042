"""Jobs over a Ray cluster: as `Local` does them, and none lost with a worker or a node."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mien.cli.batch import Job, run
from mien.cluster import Ray
from mien.editor import Editor
from mien.errors import ConfigError
from mien.guides import Label
from mien.jobs import AHEAD, Local, Lost
from mien.methods.base import Method
from mien.zoo.samples import samples

ray = pytest.importorskip("ray", reason="needs mien[ray]")


@dataclass(frozen=True)
class Squares:
    """Squares numbers; -1 ends its process whenever, -2 the first time, -3 fills the disk, 100 and
    more take a second."""

    folder: Path

    def open(self) -> Callable[[int], int]:
        return self._one

    def _one(self, number: int) -> int:
        if number == -3:
            raise OSError(errno.ENOSPC, "No space left on device")
        seen = self.folder / str(number)
        if number == -1 or (number == -2 and not seen.exists()):
            seen.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if number >= 100:
            (self.folder / f"began-{number}").touch()
            time.sleep(1)
        return number * number


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """Two nodes with one core each, on this machine."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


@pytest.fixture
def engine(nodes: Any) -> Ray:
    return Ray(nodes.address, 2)


def test_answers_are_in_order(engine: Ray, tmp_path: Path) -> None:
    assert list(engine.map(Squares(tmp_path), range(9))) == [n * n for n in range(9)]
    assert list(engine.map(Squares(tmp_path), [])) == []


def test_more_workers_than_cores_wait(nodes: Any, tmp_path: Path) -> None:
    assert list(Ray(nodes.address, 5).map(Squares(tmp_path), range(4))) == [0, 1, 4, 9]


def test_a_worker_that_dies_loses_no_other_job(engine: Ray, tmp_path: Path) -> None:
    jobs = [1, 2, -2, 3, -1, 4, 5]
    answers = list(engine.map(Squares(tmp_path), jobs))
    assert [a for a in answers if not isinstance(a, Lost)] == [1, 4, 4, 9, 16, 25]
    (lost,) = [a for a in answers if isinstance(a, Lost)]
    assert answers.index(lost) == 4
    assert lost.job == -1


def test_what_a_job_raises_ends_the_run(engine: Ray, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as fault:
        list(engine.map(Squares(tmp_path), [1, -3, 2]))
    assert fault.value.errno == errno.ENOSPC


def test_jobs_are_not_taken_far_ahead(engine: Ray, tmp_path: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in range(10**9):
            taken.append(number)
            yield number

    answers = engine.map(Squares(tmp_path), endless())
    assert [next(answers) for _ in range(3)] == [0, 1, 4]
    assert len(taken) <= 3 + AHEAD * engine.workers
    answers.close()  # type: ignore[attr-defined]


def test_photographs_are_the_same_bytes_as_here(
    engine: Ray, wide_mouth: Method[Any], tmp_path: Path
) -> None:
    """And a call again finds them done; one that is no photograph stops no other."""
    edit = _Happy(Editor(wide_mouth, "0" * 64))
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    sources = [*samples().values(), broken]
    for name, where in (("here", Local()), ("there", engine), ("there", engine)):
        (tmp_path / name).mkdir(exist_ok=True)
        jobs = [Job(path, tmp_path / name / f"{path.stem}.png") for path in sources]
        outcome = run(jobs, edit, "happy", engine=where)
        assert [path for path, _ in outcome.failed] == [broken]
    assert (outcome.written, outcome.skipped) == (0, len(samples()))
    for path in samples().values():
        here, there = (tmp_path / n / f"{path.stem}.png" for n in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()


@dataclass(frozen=True)
class _Happy:
    editor: Editor

    def __call__(self, photo: Any) -> Any:
        return self.editor.edit(photo, Label("happy"))


def test_nodes_that_do_not_see_the_folder_are_named(
    engine: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.check(tmp_path)
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setattr(Path, "resolve", lambda path: Path("/nowhere") / path.name)
    with pytest.raises(ConfigError, match=r"is not there on .*same path"):
        engine.check(tmp_path)


@dataclass(frozen=True)
class Stillborn:
    """A task that ends whoever opens it."""

    def open(self) -> Callable[[int], int]:
        os._exit(1)


def test_workers_that_never_start_are_told(engine: Ray) -> None:
    with pytest.raises(ConfigError, match="no worker starts"):
        list(engine.map(Stillborn(), [1, 2]))


def test_workers_stand_where_the_caller_stands(
    engine: Ray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Where:  # of no module, for those are sought where the caller stands
        def open(self) -> Callable[[int], str]:
            return lambda _: str(Path.cwd())

    monkeypatch.chdir(tmp_path)
    assert list(engine.map(Where(), [1])) == [str(tmp_path)]


def test_no_cluster_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"no Ray cluster answers at 127\.0\.0\.1:9"):
        Ray("127.0.0.1:9").check(Path())


def test_a_node_that_leaves_midway_loses_nothing(nodes: Any, tmp_path: Path) -> None:
    """Last, for the node is gone."""
    leaving = nodes.add_node(num_cpus=1)
    nodes.wait_for_nodes()
    jobs = range(100, 112)
    answers = Ray(nodes.address, 3).map(Squares(tmp_path), jobs)
    found = [next(answers)]
    nodes.remove_node(leaving, allow_graceful=False)
    found += answers
    assert found == [n * n for n in jobs]
