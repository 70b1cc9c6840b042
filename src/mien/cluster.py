"""Jobs over several machines, by Ray: the same jobs and the same bytes as `Local`, elsewhere.

Ray stays optional (`pip install 'mien[ray]'`); nothing else of mien imports it.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mien.errors import AssetMissing, ConfigError
from mien.jobs import AHEAD, Lost, Task, one_thread

J = TypeVar("J")
R = TypeVar("R")

PATIENCE = 10.0
"""Seconds in which the head of a cluster must answer."""


@dataclass(frozen=True)
class Ray:
    """`workers` processes of a Ray cluster, one core each, on whichever of its nodes have cores.

    A worker that cannot be placed (too few cores, a node that has left) is waited for while others
    work: a node that joins later takes part, one that leaves loses nothing. As many jobs are under
    way as `Local` has, so memory is bounded, and answers come in the order of the jobs.

    address: of the cluster's head, such as `10.0.0.5:6379` or `auto`; None starts a cluster of
        this machine, for the run alone.
    workers: how many.
    """

    address: str | None = None
    workers: int = 2

    def map(self, task: Task[J, R], jobs: Iterable[J]) -> Iterator[R | Lost[J]]:
        """The answers in the order of the jobs.

        What was under way in a worker or on a node that died is done again, each job by a worker
        that does nothing else; one that ends two of those as well is `Lost`. What a job raises ends
        the run, as in `Local`. AssetMissing without Ray, ConfigError if no cluster answers or no
        worker starts.
        """
        with self._joined() as ray:
            crew = _Crew(ray, task, self.workers)
            try:
                yield from crew.map(jobs)
            finally:
                crew.leave()

    def check(self, folder: Path) -> None:
        """ConfigError unless every node of the cluster sees `folder`, where workers write."""
        sign = folder / f".{uuid.uuid4().hex}"
        sign.touch()
        try:
            with self._joined() as ray:
                blind = _Crew.blind(ray, str(sign.resolve()))
        finally:
            sign.unlink()
        if blind:
            raise ConfigError(
                f"{folder} is not there on {', '.join(blind)}: write to a folder that all nodes "
                "share under the same path"
            )

    @contextmanager
    def _joined(self) -> Iterator[Any]:
        ray = _ray()
        if ray.is_initialized():  # by the caller, who leaves it too
            yield ray
            return
        # what workers print is theirs: a run tells of its jobs itself
        kept: dict[str, Any] = {"log_to_driver": False, "logging_level": "ERROR"}
        if self.address is None:
            kept |= {"num_cpus": self.workers, "include_dashboard": False}
        try:
            _reach(self.address)
            ray.init(self.address or "local", **kept)
        except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
            line = " ".join(str(error).split())[:200]
            raise ConfigError(f"no Ray cluster answers at {self.address}: {line}") from None
        try:
            yield ray
        finally:
            ray.shutdown()


def _ray() -> Any:
    try:
        import ray
    except ImportError:
        raise AssetMissing("--engine ray needs Ray: pip install 'mien[ray]'") from None
    return ray


def _reach(address: str | None) -> None:
    """OSError where nobody listens: Ray itself would try for minutes."""
    host, colon, port = (address or "").rpartition("://")[2].rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), PATIENCE).close()


class _Worker:
    """A process on some node that does one job after the other."""

    def __init__(self, task: Task[Any, Any], place: Path) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"
        if place.is_dir():  # paths are the caller's, who may stand elsewhere than Ray
            os.chdir(place)
        self._task = task
        self._work: Callable[[Any], Any] | None = None

    def open(self) -> None:
        """Open the task: here, for what fails while a worker is made counts as its death."""
        self._work = self._work or self._task.open()
        one_thread()

    def do(self, job: Any) -> Any:
        """The answer to a job."""
        assert self._work is not None
        return self._work(job)


class _Crew:
    """The workers of one run, those who are placed and those who wait for a core."""

    def __init__(self, ray: Any, task: Task[Any, Any], count: int) -> None:
        self._ray = ray
        died = ("RayActorError", "ObjectLostError", "OutOfMemoryError", "WorkerCrashedError")
        self._died = tuple(getattr(ray.exceptions, name) for name in died)
        self._patience = 2 * count  # deaths of workers of whom none has come yet
        self._kind = ray.remote(max_restarts=0)(_Worker)
        self._task = ray.put(task)  # once for all workers of a node
        self._place = Path.cwd()
        self._coming: dict[Any, Any] = {}  # an answer to come -> its worker
        self._load: dict[Any, int] = {}  # a worker who is here -> jobs that it has
        for _ in range(count):
            self._call()

    def map(self, jobs: Iterable[Any]) -> Iterator[Any]:
        waiting, under_way = iter(jobs), deque[tuple[Any, Any, Any]]()
        while True:
            self._fill(waiting, under_way)
            if not under_way:
                return
            job, answer, worker = under_way.popleft()
            try:
                yield self._get(answer)
            except self._died:
                self._lose(worker)
                yield self._alone(job)
            finally:
                if worker in self._load:
                    self._load[worker] -= 1

    def leave(self) -> None:
        """End all workers."""
        for worker in (*self._load, *self._coming.values()):
            self._ray.kill(worker)

    @staticmethod
    def blind(ray: Any, path: str) -> list[str]:
        """The nodes, by their names, that do not see a file."""
        near = ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        look = ray.remote(num_cpus=0)(os.path.exists)
        asked = {
            node["NodeManagerHostname"]: look.options(
                scheduling_strategy=near(node["NodeID"], soft=False)
            ).remote(path)
            for node in ray.nodes()
            if node["Alive"]
        }

        def seen(answer: Any) -> bool:
            try:
                return bool(ray.get(answer))
            except ray.exceptions.RayError:  # the node has left
                return False

        return [name for name, answer in asked.items() if not seen(answer)]

    def _call(self) -> None:
        worker = self._kind.options(num_cpus=1).remote(self._task, self._place)
        self._coming[worker.open.remote()] = worker

    def _fill(self, waiting: Iterator[Any], under_way: deque[tuple[Any, Any, Any]]) -> None:
        """Give jobs to workers with the fewest, until each has `AHEAD` or none is left."""
        self._greet(wait=not self._load)
        while (room := min(self._load, key=self._load.__getitem__, default=None)) is not None:
            if self._load[room] >= AHEAD:
                return
            job = next(waiting, _END)
            if job is _END:
                return
            under_way.append((job, room.do.remote(job), room))
            self._load[room] += 1

    def _greet(self, *, wait: bool) -> None:
        """Take in those workers who have come; wait for the first if nobody is here."""
        while self._coming:
            here, _ = self._ray.wait(list(self._coming), timeout=None if wait else 0)
            if not here:
                return
            for answer in here:
                worker = self._coming.pop(answer)
                try:
                    self._get(answer)
                except self._died as error:  # on its way
                    self._patience -= 1
                    if self._patience < 0:
                        line = " ".join(str(error).split())[-200:]  # the cause stands last
                        raise ConfigError(
                            f"no worker starts: is the same mien installed on every node? ({line})"
                        ) from None
                    self._call()
                else:
                    self._load[worker] = 0
                    self._patience = max(self._patience, 2)
            wait = not self._load

    def _lose(self, worker: Any) -> None:
        """A worker died: another is called for, on whichever node has a core."""
        if self._load.pop(worker, None) is not None:
            self._call()

    def _alone(self, job: Any) -> Any:
        """The answer of a worker who does nothing else; it needs no core to be free.

        The first may be sent to a node that is about to be missed, which is no fault of the job's;
        the second stands on the caller's own.
        """
        near = self._ray.util.scheduling_strategies.NodeAffinitySchedulingStrategy
        here = near(self._ray.get_runtime_context().get_node_id(), soft=True)
        for where in ("SPREAD", here):
            kind = self._kind.options(num_cpus=0, scheduling_strategy=where)
            worker = kind.remote(self._task, self._place)
            try:
                self._get(worker.open.remote())
                return self._get(worker.do.remote(job))
            except self._died:
                continue
            finally:
                self._ray.kill(worker)
        return Lost(job, "its process ended, three times: is there enough memory?")

    def _get(self, answer: Any) -> Any:
        """What a worker answers; what it raises, as it was raised there."""
        try:
            return self._ray.get(answer)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None


_END = object()
