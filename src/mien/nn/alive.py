"""Whether the bounded parts of a network, gates and tanh maps, still do something.

A gate that is open everywhere, on every face, is the identity function with parameters; a tanh at
its ends passes no gradient. Both look like any other training in its losses, so a run asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

END = 0.01
"""How near to an end of its range a value passes hardly any gradient, as a share of the range."""
MOST = 0.9
"""The share of values at the ends from which on a part is dead."""
LEAST = 0.01
"""The spread over places and faces, as a share of the range, below which a part says nothing."""


@dataclass(frozen=True)
class Bounded:
    """What a part of a network says of some faces: values (B, ...) in [low, high]."""

    values: Tensor
    low: float = 0.0
    high: float = 1.0

    @property
    def ends(self) -> float:
        """The share of values at either end of the range."""
        share = (self.values.detach().float() - self.low) / (self.high - self.low)
        return float(((share < END) | (share > 1 - END)).float().mean())

    @property
    def spread(self) -> float:
        """Standard deviation over places and faces, each channel by itself, root mean square of
        them, as a share of the range."""
        values = self.values.detach().float()
        if values.ndim > 2:
            values = values.movedim(1, -1).flatten(0, -2)  # (B * places, C)
        return float(values.std(0, correction=0).square().mean().sqrt() / (self.high - self.low))


@runtime_checkable
class Gated(Protocol):
    """A method with such parts."""

    def gates(self, face: Tensor) -> Mapping[str, Bounded]:
        """By name, what each says of faces (B, 3, S, S)."""
        ...


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
        ends, spread = gate.ends, gate.spread
        numbers |= {f"{name}, ends": round(ends, 4), f"{name}, spread": round(spread, 4)}
        if ends > MOST:
            alarms.append(f"{name} is dead: {ends:.1%} of it is at an end of its range")
        elif spread < LEAST:
            alarms.append(f"{name} is dead: the same everywhere, on every face ({spread:.1%})")
    return numbers, alarms
