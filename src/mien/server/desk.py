"""One thing at a time, a bounded queue before it, and a time limit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from mien.server.answers import Refused
from mien.server.limits import Limits
from mien.server.visitors import ending

T = TypeVar("T")


class Desk:
    """Works on one request at a time in a thread of its own: torch spreads each over all cores, so
    that two at once would only wait for one another, with twice the memory.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="mien-desk")
        self._present = 0
        self._overdue = 0
        self._begun: set[Future[Any]] = set()
        self._closed = False

    @property
    def queue(self) -> int:
        """Requests at the desk: those that wait, and the one that is worked on."""
        return self._present + self._overdue

    @property
    def full(self) -> bool:
        """Whether all places are taken."""
        return not self._closed and self.queue > self.limits.waiting

    @property
    def working(self) -> bool:
        """Whether the thread has something to do: a task cannot be stopped once it has begun."""
        return any(not job.done() for job in tuple(self._begun))

    def check(self) -> None:
        """Refused (429) when all places are taken, (503) once the desk is closed."""
        if self._closed:
            raise ending()
        if self.full:
            raise Refused(
                429,
                "busy",
                "too many requests at once: try again in a moment",
                {"Retry-After": "1"},
            )

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place at the desk, for a request that is in whole, to its answer; Refused when there is
        none (`check`), so that what waits is bounded in memory too.
        """
        self.check()
        self._present += 1
        try:
            yield
        finally:
            self._present -= 1

    async def work(self, task: Callable[[], T]) -> T:
        """The result of `task`; Refused (503) when it is not there in time, or when the desk is
        closed before it has begun.

        A thread cannot be stopped: a task that runs over its time keeps its place until it ends.
        """
        job = self._submit(task)
        try:
            async with asyncio.timeout(self.limits.seconds):
                return await self._result(job)
        except TimeoutError:
            raise Refused(
                503, "too_slow", f"this took longer than {self.limits.seconds:g} s: send less"
            ) from None
        finally:
            self._forget(job)

    async def turn(self, task: Callable[[], T]) -> T:
        """The result of `task`, one step of a long work: between two steps others get their turn,
        so nobody waits longer for it than a step takes. It takes no place, and has no time limit.
        Refused (503) once the desk is closed.
        """
        job = self._submit(task)
        try:
            return await self._result(job)
        finally:
            job.cancel()  # nobody waits for it any more

    def _submit(self, task: Callable[[], T]) -> Future[T]:
        try:
            job = self._worker.submit(task)
        except RuntimeError:
            raise ending() from None
        self._begun.add(job)
        job.add_done_callback(self._begun.discard)
        return job

    async def _result(self, job: Future[T]) -> T:
        try:
            return await asyncio.shield(asyncio.wrap_future(job))
        except asyncio.CancelledError:
            if self._closed and job.cancelled():
                raise ending() from None
            raise

    def _forget(self, job: Future[T]) -> None:
        """A job that nobody waits for: it never starts, or is counted until it ends."""
        if job.done() or job.cancel():
            return
        loop = asyncio.get_running_loop()
        self._overdue += 1
        job.add_done_callback(lambda _: loop.call_soon_threadsafe(self._ended))

    def _ended(self) -> None:
        self._overdue -= 1

    def close(self) -> None:
        """Begin nothing any more; who waits gets an answer, what is worked on goes on."""
        self._closed = True
        self._worker.shutdown(wait=False, cancel_futures=True)
