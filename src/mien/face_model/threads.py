"""Threads: one for linear algebra, several for what is independent.

The face model's matrices are small: threads win nothing on an idle machine, on a busy one they wait
for each other longer than the work takes, and their number would show in the last digits. Windows
of a drawing, levels of a pyramid and crops of a face know nothing of one another: they are made
side by side, each as it would be alone."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

import cv2
from threadpoolctl import ThreadpoolController

T = TypeVar("T")
U = TypeVar("U")


class _Limit:
    """The limit is the process's: the first thread that needs it sets it, the last one lifts it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._limiter: Any = None

    def enter(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._limiter = _controller().limit(limits=1, user_api="blas")
            self._inside += 1

    def leave(self) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._limiter.restore_original_limits()
                self._limiter = None


_LIMIT = _Limit()


@contextmanager
def one_thread() -> Iterator[None]:
    """NumPy's BLAS at one thread inside, in all threads; as it was afterwards."""
    _LIMIT.enter()
    try:
        yield
    finally:
        _LIMIT.leave()


@cache
def _controller() -> ThreadpoolController:
    """Finding the loaded libraries takes milliseconds: once is enough."""
    return ThreadpoolController()


def together(calls: Sequence[Callable[[], T]]) -> list[T]:
    """What each call returns; side by side where OpenCV may use more than one thread. Whoever is
    free takes the next call, the caller too, so the longest should come first."""
    threads = min(cv2.getNumThreads(), len(calls))
    if threads < 2:
        return [call() for call in calls]
    waiting, done = deque(enumerate(calls)), dict[int, T]()

    def work() -> None:
        while waiting:
            try:
                index, call = waiting.popleft()
            except IndexError:  # another one was quicker
                return
            done[index] = call()

    helpers = [_helpers().submit(work) for _ in range(threads - 1)]
    try:
        work()
    finally:
        waiting.clear()  # nothing more is begun where a call has failed
        for helper in helpers:
            if not helper.cancel():  # one that was busy elsewhere is not waited for
                helper.result()
    return [done[index] for index in range(len(calls))]


def both(first: Callable[[], T], second: Callable[[], U]) -> tuple[T, U]:
    """What two calls return that make different things, side by side."""
    calls: list[Callable[[], Any]] = [first, second]
    one, other = together(calls)
    return one, other


@cache
def _helpers() -> ThreadPoolExecutor:
    """As many as there are other cores. Made with the first call: a process that is forked
    afterwards must not edit (`mien.forked`)."""
    return ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "mien")
