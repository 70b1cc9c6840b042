"""One thread for linear algebra. The rig's matrices are small: threads win nothing on an idle
machine, and on a busy one they wait for each other longer than the work takes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """NumPy's and SciPy's BLAS at one thread inside; as it was afterwards."""
    with _controller().limit(limits=1, user_api="blas"):
        yield


@cache
def _controller() -> ThreadpoolController:
    """Finding the loaded libraries takes milliseconds: once is enough."""
    return ThreadpoolController()
