"""Matrix products that come out the same to the bit for any number of threads.

A BLAS shares a large product among threads, and how it is cut decides in which order is summed; its
threads also wait for one another by turning round, which on a busy machine takes many times as long
as the product. Small products it gives to one thread: these are many small ones.
"""

from __future__ import annotations

import numpy as np

from mien.types import Float

_SMALL = 65536 * 4
"""Multiplications up to which OpenBLAS uses one thread (interface/gemm.c: SMP_THRESHOLD_MIN times
GEMM_MULTITHREAD_THRESHOLD); the wheels of numpy bring OpenBLAS.
"""


def product(weight: Float, x: Float) -> Float:
    """`weight @ x`, (M, K) by (K, N), the columns a few at a time."""
    (rows, inner), count = weight.shape, x.shape[1]
    piece = _divisor(count, max(1, _SMALL // (rows * inner)))
    out = np.empty((rows, count), np.float32)
    np.matmul(weight, _pieces(x, piece), out=_pieces(out, piece))
    return out


def _pieces(x: Float, piece: int) -> Float:
    """(K, N) seen as (N / piece, K, piece)."""
    return x.reshape(len(x), -1, piece).transpose(1, 0, 2)


def _divisor(number: int, most: int) -> int:
    """The largest divisor of a number that is at most `most`."""
    return next(d for d in range(min(number, most), 0, -1) if number % d == 0)
