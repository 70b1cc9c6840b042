"""One thread for linear algebra. The face model's matrices are small: threads win nothing on an
idle machine, on a busy one they wait for each other longer than the work takes, and their number
would show in the last digits."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from threadpoolctl import ThreadpoolController


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
