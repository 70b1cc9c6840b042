"""Jobs over workers: in order, the same by any number, none lost with a worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mien.jobs import AHEAD, Local, Lost


@dataclass(frozen=True)
class Squares:
    """Squares numbers; -1 ends its process whenever, -2 the first time, -3 is an error."""

    folder: Path

    def open(self) -> Callable[[int], int]:
        return self._one

    def _one(self, number: int) -> int:
        if number == -3:
            raise ValueError("a bug")
        seen = self.folder / str(number)
        if number == -1 or (number == -2 and not seen.exists()):
            seen.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number * number


def test_answers_are_in_order_by_any_number_of_workers(tmp_path: Path) -> None:
    wanted = [n * n for n in range(9)]
    for workers in (1, 2):
        assert list(Local(workers).map(Squares(tmp_path), range(9))) == wanted
    assert list(Local(2).map(Squares(tmp_path), [])) == []


@pytest.mark.skipif(os.name == "nt", reason="kills by a signal")
def test_a_worker_that_dies_loses_no_other_job(tmp_path: Path) -> None:
    jobs = [1, 2, -2, 3, -1, 4, 5]
    answers = list(Local(2).map(Squares(tmp_path), jobs))
    assert [a for a in answers if not isinstance(a, Lost)] == [1, 4, 4, 9, 16, 25]
    (lost,) = [a for a in answers if isinstance(a, Lost)]
    assert answers.index(lost) == 4
    assert lost.job == -1
    assert "ended, twice" in lost.reason


def test_a_bug_ends_the_run(tmp_path: Path) -> None:
    for workers in (1, 2):
        with pytest.raises(ValueError, match="a bug"):
            list(Local(workers).map(Squares(tmp_path), [1, -3, 2]))


TERMINAL = """
import os, signal, sys, time
from collections.abc import Callable
from pathlib import Path
from mien.jobs import Local

class Slow:
    def open(self) -> Callable[[int], int]:
        return self.one

    def one(self, number: int) -> int:
        os.write(1, f"begun {number}\\n".encode())  # at once: two workers share the pipe
        while number and not Path(__file__).with_name("stopped").exists():
            time.sleep(0.05)
        return number

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background has it ignored
    try:
        list(Local(2).map(Slow(), [0, 1]))
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.skipif(os.name == "nt", reason="stops by a signal")
def test_whoever_stops_a_run_hears_of_no_worker(tmp_path: Path) -> None:
    """Ctrl-C reaches the workers too: they end with the run, and say nothing."""
    script = tmp_path / "slow.py"
    script.write_text(TERMINAL)
    run = subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    assert run.stdout is not None
    assert [run.stdout.readline() for _ in range(2)] == ["begun 0\n", "begun 1\n"]
    time.sleep(0.2)  # one works, one waits for a job
    os.killpg(run.pid, signal.SIGINT)
    time.sleep(0.2)
    (tmp_path / "stopped").touch()
    _, said = run.communicate(timeout=60)
    assert run.returncode == 130
    assert said == ""


def test_jobs_are_not_taken_far_ahead(tmp_path: Path) -> None:
    taken: list[int] = []

    def endless() -> Iterator[int]:
        for number in range(10**9):
            taken.append(number)
            yield number

    for workers in (1, 2):
        taken.clear()
        answers = Local(workers).map(Squares(tmp_path), endless())
        assert [next(answers) for _ in range(3)] == [0, 1, 4]
        assert len(taken) <= 3 + AHEAD * workers
        answers.close()  # type: ignore[attr-defined]
