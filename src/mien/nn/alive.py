"""Whether the bounded parts of a network, gates and tanh maps, still do something.

A gate that is open everywhere, on every face, is the identity function with parameters; a tanh at
its ends passes no gradient. Both look like any other training in its losses, so a run asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

END = 0.01
"""How near to an end of its range a value passes hardly any gradient, as a share of the range."""
MOST = 0.9
"""The share of values at the ends from which on a part is dead."""
LEAST = 0.01
"""The spread over places and faces, as a share of the range, below which a part says nothing."""


@runtime_checkable
class Gated(Protocol):
    """A method with such parts."""

    def gates(self, face: Tensor) -> Mapping[str, tuple[Tensor, float, float]]:
        """By name, what each says of faces (B, 3, S, S): values (B, ...), lower and upper end."""
        ...


def ends(values: Tensor, low: float, high: float) -> float:
    """The share of values at either end of their range."""
    share = (values.float() - low) / (high - low)
    return float(((share < END) | (share > 1 - END)).float().mean())


def spread(values: Tensor, low: float, high: float) -> float:
    """Standard deviation over places and faces, each channel by itself, root mean square of them,
    as a share of the range."""
    values = values.float()
    if values.ndim > 2:
        values = values.movedim(1, -1).flatten(0, -2)  # (B * places, C)
    return float(values.std(0, correction=0).square().mean().sqrt() / (high - low))


@torch.no_grad()
def vitals(method: object, face: Tensor) -> tuple[dict[str, float], list[str]]:
    """Numbers for a run's log, of every gate its share at the ends and its spread; and a line of
    alarm for each that is dead. Neither of a method without such parts.
    """
    if not isinstance(method, Gated):
        return {}, []
    numbers: dict[str, float] = {}
    alarms: list[str] = []
    for name, gate in method.gates(face).items():
        shut, varied = ends(*gate), spread(*gate)
        numbers |= {f"{name}, ends": round(shut, 4), f"{name}, spread": round(varied, 4)}
        if shut > MOST:
            alarms.append(f"{name} is dead: {shut:.1%} of it is at an end of its range")
        elif varied < LEAST:
            alarms.append(f"{name} is dead: the same everywhere, on every face ({varied:.1%})")
    return numbers, alarms
