"""Many jobs over several workers: the one way in which mien spreads work.

A `Task` says what is done to a job, an `Engine` where. `Local` works in this process or in
processes of its own, `mien.cluster.Ray` on other machines. What comes back is in the order of the
jobs, whatever the number of workers; few jobs are under way at once, so that neither memory nor
time is spent far ahead of who takes the results.
"""

from __future__ import annotations

import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Generic, Protocol, TypeVar

J = TypeVar("J")
R = TypeVar("R")
Job = TypeVar("Job", contravariant=True)
Answer = TypeVar("Answer", covariant=True)

AHEAD = 2
"""Jobs under way for each worker."""


class Task(Protocol[Job, Answer]):
    """What is done to each job. It is pickled, once for each worker."""

    def open(self) -> Callable[[Job], Answer]:
        """Load what the work needs; the function that does one job. What it raises ends the run, so
        what may go wrong with one job belongs into its answer."""
        ...


@dataclass(frozen=True)
class Lost(Generic[J]):
    """A job that ended its worker, twice, and was given up."""

    job: J
    reason: str


class Engine(Protocol):
    """Where jobs are done."""

    def map(self, task: Task[J, R], jobs: Iterable[J]) -> Iterator[R | Lost[J]]:
        """The answers in the order of the jobs."""
        ...


@dataclass(frozen=True)
class Local:
    """This machine: `workers` processes, or this one where there is one. With more, the calling
    script needs the usual `if __name__ == "__main__"`."""

    workers: int = 1

    def map(self, task: Task[J, R], jobs: Iterable[J]) -> Iterator[R | Lost[J]]:
        """The answers in the order of the jobs.

        A worker that dies, of too little memory say, loses nothing: what was under way is done
        again, each job in a process of its own, and a job that ends that one too is `Lost`.
        """
        if self.workers > 1:
            yield from _spread(task, jobs, self.workers)
            return
        work: Callable[[J], R] | None = None
        for job in jobs:
            work = work or task.open()
            yield work(job)


def _spread(task: Task[J, R], jobs: Iterable[J], workers: int) -> Iterator[R | Lost[J]]:
    waiting, under_way = iter(jobs), deque[tuple[J, "Future[R | Lost[J]]"]]()
    pool = _pool(task, workers)
    try:
        while True:
            for job in waiting:
                try:
                    under_way.append((job, pool.submit(_do, job)))
                except BrokenProcessPool:  # a worker died since the last answer
                    dead: Future[R | Lost[J]] = Future()
                    dead.set_exception(BrokenProcessPool())
                    under_way.append((job, dead))
                if len(under_way) >= AHEAD * workers:
                    break
            if not under_way:
                return
            job, future = under_way.popleft()
            try:
                yield future.result()
            except BrokenProcessPool:
                pool.shutdown(cancel_futures=True)
                yield _alone(task, job)
                for other, left in under_way:
                    yield _kept(task, other, left)
                under_way.clear()
                pool = _pool(task, workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _kept(task: Task[J, R], job: J, future: Future[R | Lost[J]]) -> R | Lost[J]:
    """What a job under way has answered already, or answers alone."""
    if future.done() and not future.cancelled():
        try:
            return future.result()
        except BrokenProcessPool:
            pass
    return _alone(task, job)


def _alone(task: Task[J, R], job: J) -> R | Lost[J]:
    """The answer of a process that does nothing else."""
    with _pool(task, 1) as pool:
        try:
            answer: R = pool.submit(_do, job).result()
        except BrokenProcessPool:
            return Lost(job, "its process ended, twice: is there enough memory?")
    return answer


def _pool(task: Task[J, R], workers: int) -> ProcessPoolExecutor:
    # spawned: the threads of the libraries do not come along by fork
    return ProcessPoolExecutor(workers, get_context("spawn"), _open, (task,))


_work: list[Callable[[Any], Any]] = []
"""What a worker process does: opened once, not with every job."""


def _open(task: Task[Any, Any]) -> None:
    # Ctrl-C reaches all processes of a terminal: this one ends when the one that gives jobs does
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["OMP_NUM_THREADS"] = "1"
    _work[:] = [task.open()]
    one_thread()


def one_thread() -> None:
    """Let the libraries that a worker has loaded take one thread each: workers share the cores."""
    for library, setting in (("cv2", "setNumThreads"), ("torch", "set_num_threads")):
        if library in sys.modules:  # what a task does not need is not loaded
            getattr(sys.modules[library], setting)(1)


def _do(job: Any) -> Any:
    return _work[0](job)
