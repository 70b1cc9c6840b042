"""The trainer on shards made here: learns, resumes to the bit, guards against NaN, in one process
and in two.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from select import select
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from mien.errors import TrainingError
from mien.training import recipe as recipes
from mien.training.board import EVENTS, Board
from mien.training.log import LOG, STATE, TrainingLog
from mien.training.recipe import Stage
from mien.training.stages import changed_in, make_task, train, train_stage
from mien.training.trainer import Stream, seed_of

ROOT = Path(__file__).parents[2]


def stage(method: str = "mtss", name: str = "rig", **training: Any) -> Stage:
    """A stage of a method's recipe, small, of 32 images where not said otherwise."""
    (found,) = (s for s in recipes.read(ROOT / f"recipes/{method}.yaml") if s.name == name)
    small = found.config.small()
    small = replace(small, training=replace(small.training, **({"images": 32} | training)))
    run = replace(found.run, workers=0, precision="32-true")
    return replace(found, config=small, run=run, name="")


def run(made: Stage, data: Path, out: Path, **more: Any) -> Path:
    """The weights of a stage's run."""
    train_stage(made, data, out, **more)
    return out / f"{made.method}.safetensors"


def last_entry(out: Path) -> dict[str, float]:
    found: dict[str, float] = json.loads((out / LOG).read_text().splitlines()[-1])
    return found


def stop_after(patch: pytest.MonkeyPatch, images: int) -> None:
    patch.setattr(TrainingLog, "__call__", lambda _, trainer: trainer.counters.seen >= images)


@pytest.fixture(scope="module")
def ran(shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The folder of a method's small run, whole or stopped after so many images: made once, and
    copied by whoever goes on with it.
    """

    @cache
    def made(method: str, stop: int | None = None) -> Path:
        out = tmp_path_factory.mktemp(method) / "run"
        with pytest.MonkeyPatch.context() as patch:
            if stop is not None:
                stop_after(patch, stop)
            run(stage(method), shards, out)
        return out

    return made


@pytest.mark.parametrize(("method", "half"), [("mtss", 16), ("decoupling", 20)])
def test_resume_is_exact(
    shards: Path, tmp_path: Path, ran: Callable[..., Path], method: str, half: int
) -> None:
    """Stopped in the middle and resumed, the weights are those of a run in one go, to the bit; what
    was drawn at random meanwhile does not matter.
    """
    whole = ran(method) / f"{method}.safetensors"
    stopped = shutil.copytree(ran(method, half), tmp_path / "stopped")
    assert last_entry(stopped)["seen"] == half
    torch.manual_seed(99)
    assert run(stage(method), shards, stopped).read_bytes() == whole.read_bytes()
    assert not [k for k in load_file(stopped / STATE) if "rng" in k]


@pytest.mark.skipif(find_spec("tensorboard") is None, reason="needs mien[tensorboard]")
def test_tensorboard_shows_what_the_log_says(
    shards: Path, tmp_path: Path, ran: Callable[..., Path]
) -> None:
    """Stopped and resumed, each entry of the log is there once, and the sheets of pictures."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    out = shutil.copytree(ran("mtss", 16), tmp_path / "run")
    run(stage("mtss"), shards, out)
    shown = EventAccumulator(str(out / EVENTS)).Reload()
    entries = [json.loads(line) for line in (out / LOG).read_text().splitlines()]
    assert len(entries) > 1
    points = {point.step: point.value for point in shown.Scalars("psnr_units")}
    assert points == pytest.approx({e["seen"]: e["psnr_units"] for e in entries}, rel=1e-5)
    assert [p.step for p in shown.Images("sheet")] == [e["seen"] for e in entries]


def test_without_tensorboard_the_log_is_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    Board(tmp_path).add({"seen": 1}, tmp_path / "no.png", 1)
    assert not list(tmp_path.iterdir())


def test_random_draws_depend_on_seed_process_and_image() -> None:
    seeds = {seed_of(s, r, i) for s in range(2) for r in range(2) for i in range(0, 64, 4)}
    assert len(seeds) == 64
    assert all(0 <= s < 2**64 for s in seeds)


@pytest.mark.parametrize(("stop", "each"), [(32, 16), (33, 16), (5, 2)])
def test_processes_share_the_images(stop: int, each: int) -> None:
    one, two = (list(Stream(0, stop, rank, 2)) for rank in (0, 1))
    assert len(one) == len(two) == each
    assert sorted(one + two) == list(range(2 * each))


@pytest.mark.parametrize("images", [40, 128])
def test_resumed_with_other_stages_is_one_line(
    shards: Path, tmp_path: Path, ran: Callable[..., Path], images: int
) -> None:
    """Stages are shares of `training.images`: another number moves them under the optimisers."""
    out, made = tmp_path / "run", stage("decoupling")
    shutil.copytree(ran("decoupling", 20), out)
    before = {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()}
    other = stage("decoupling", images=images)
    with pytest.raises(TrainingError, match=r"other stages.*training\.images") as error:
        run(other, shards, out)
    assert "\n" not in str(error.value)
    assert {p.name: p.read_bytes() for p in out.iterdir() if p.is_file()} == before
    assert changed_in(out, other) == ["training.images"]
    assert changed_in(out, made) == []


def test_resumed_with_another_architecture_changes_nothing(shards: Path, tmp_path: Path) -> None:
    made = stage(images=8)
    run(made, shards, tmp_path)
    before = (tmp_path / "recipe.yaml").read_bytes()
    shape = replace(made.config.architecture, style=8)
    with pytest.raises(TrainingError, match="another architecture"):
        run(replace(made, config=replace(made.config, architecture=shape)), shards, tmp_path)
    assert (tmp_path / "recipe.yaml").read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"junk", b"\x08\0\0\0\0\0\0\0{}      "])
def test_a_damaged_state_is_one_line(shards: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(TrainingError, match="damaged or no state"):
        run(stage(images=8), shards, tmp_path)


def test_a_phase_that_is_over_runs_no_more_and_keeps_nothing(
    shards: Path, ran: Callable[..., Path]
) -> None:
    phases = make_task(stage("decoupling"), shards).phases()
    state = load_file(ran("decoupling") / STATE)
    kept = {int(name.split(".")[1]) for name in state if name.startswith("optimizer.")}
    assert kept == {k for k, phase in enumerate(phases) if phase.runs(31)}
    assert not phases[0].runs(31)


def test_training_learns(shards: Path, tmp_path: Path) -> None:
    # the squares change colour and do not move: the rig's flow and visibility would forbid it
    made = stage(images=600, batch=8, warmup=0, adversary_from=2.0)
    weights = replace(made.config.weights, mask=0.0, flow=0.0)
    shape = replace(made.config.architecture, occlusion_threshold=0.0)
    made = replace(made, config=replace(made.config, weights=weights, architecture=shape))
    run(made, shards, tmp_path / "run")
    last = last_entry(tmp_path / "run")
    assert last["psnr_units"] > last["psnr_nothing"]


def test_nan_keeps_the_last_good_state(
    shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "run"
    run(stage(images=8), shards, out)
    good = (out / STATE).read_bytes()
    from mien.nn import losses

    monkeypatch.setattr(losses, "pixel", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(TrainingError, match="last good state"):
        run(stage(images=400), shards, out)
    assert (out / STATE).read_bytes() == good


def test_a_run_is_not_overwritten(shards: Path, tmp_path: Path) -> None:
    run(stage(images=8), shards, tmp_path / "run")
    with pytest.raises(TrainingError, match="another --out"):
        train([stage()], shards, tmp_path / "run", resume=False)


# ---- several processes ---------------------------------------------------------------------------

PROGRAM = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from mien.training import log, recipe, stages

torch.set_num_threads(1)
log.CHECKED = 4
path, data, out, images, batch = sys.argv[1:]
(found,) = (s for s in recipe.read(Path(path)) if s.name == "units")
small = found.config.small()
small = replace(small, training=replace(small.training, images=int(images), batch=int(batch)))
run = replace(found.run, workers=0, precision="32-true", devices=2, sheet_minutes=0.0)
stages.strengths_of = lambda *_: {}
stages.train_stage(replace(found, config=small, run=run, name=""), Path(data), Path(out))
"""
READY = """
import os, runpy, sys
from mien.training import stages

for line in sys.stdin:
    if line.startswith("wait"):
        print(os.waitstatus_to_exitcode(os.waitpid(int(line.split()[1]), 0)[1]), flush=True)
    elif child := os.fork():
        print(child, flush=True)
    else:
        os.setsid()
        os.dup2(2, 1)  # what a child says is no answer
        sys.argv = line.rstrip("\\n").split("\\t")
        runpy.run_path(sys.argv[0], run_name="__main__")
        os._exit(0)
"""


@dataclass(frozen=True)
class Ready:
    """A process that has imported all that trains, once: a child of it begins at once."""

    process: subprocess.Popen[str]

    def said(self, line: str) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        assert select([self.process.stdout], [], [], 300)[0], f"no answer to {line!r}"
        return int(self.process.stdout.readline())

    def started(self, folder: Path, data: Path) -> int:
        """auswap's first stage, which draws nothing at random, in two processes: of the first the
        number; it starts the other, as `mien train --devices 2` does.
        """
        program = folder / "p.py"
        program.write_text(PROGRAM)
        recipe = ROOT / "recipes" / "auswap.yaml"
        return self.said("\t".join(map(str, (program, recipe, data, folder, 64, 4))))

    def ended(self, pid: int) -> int:
        """The exit code of a child, when it has ended."""
        return self.said(f"wait {pid}")


@pytest.fixture(scope="module")
def ready() -> Iterator[Ready]:
    with subprocess.Popen(
        [sys.executable, "-c", READY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as process:  # fmt: skip
        yield Ready(process)


def losses(out: Path) -> np.ndarray[Any, Any]:
    """Of every step, from the log."""
    rows = [json.loads(line) for line in (out / LOG).read_text().splitlines()]
    by_images = {
        r["seen"]: [r["units/units"], r["units/mapped"]] for r in rows if "units/units" in r
    }
    return np.array([by_images[k] for k in sorted(by_images)])


def other_of(first: int) -> int:
    """The process that the first one started."""
    until = time.monotonic() + 200
    children = Path(f"/proc/{first}/task/{first}/children")
    while not (found := children.read_text().split()) and time.monotonic() < until:
        time.sleep(0.05)
    return int(found[0])


@pytest.fixture(scope="module")
def two(shards: Path, ready: Ready, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of two processes, 4 images each."""
    out = tmp_path_factory.mktemp("two")
    assert ready.ended(ready.started(out, shards)) == 0
    return out


@pytest.mark.slow
def test_two_processes_are_one_with_twice_the_batch(
    shards: Path, tmp_path: Path, two: Path
) -> None:
    """The same loss curve, within a thousandth."""
    one = stage("auswap", "units", images=64, batch=8)
    run(replace(one, run=replace(one.run, sheet_minutes=0.0)), shards, tmp_path)
    assert losses(two).shape == (8, 2)
    assert losses(two) == pytest.approx(losses(tmp_path), rel=1e-3)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds a process by Linux's /proc")
def test_killed_and_resumed_the_bytes_are_the_same(
    shards: Path, tmp_path: Path, ready: Ready, two: Path
) -> None:
    """kill -9 of either process ends both; the same command again goes on."""
    state, saved = tmp_path / STATE, 0
    for killed in ("first", "second"):
        first = ready.started(tmp_path, shards)
        second, until = other_of(first), time.monotonic() + 200
        try:
            while saved_at(state) == saved and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(first if killed == "first" else second, signal.SIGKILL)
            assert ready.ended(first) != 0
            while running(second) and time.monotonic() < until:
                time.sleep(0.05)
            assert not running(second)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(first, signal.SIGKILL)
        saved = saved_at(state)
    assert ready.ended(ready.started(tmp_path, shards)) == 0
    a, b = (out / "auswap.safetensors" for out in (two, tmp_path))
    assert a.read_bytes() == b.read_bytes()


def saved_at(state: Path) -> int:
    """When a state was written, ns; 0 where there is none."""
    try:
        return state.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
