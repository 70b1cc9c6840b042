"""Whether the mechanisms of a method still do something: its bounded parts, gates and tanh maps,
and its adversaries.

A gate that is open everywhere, on every face, is the identity function with parameters; a tanh at
its ends passes no gradient; an adversary that says the same whatever it is shown teaches nothing;
and one that is beaten leaves what it was to drive out. All look like any other training in its
losses, so a run asks.
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

SILENT = 0.001
"""The spread of an adversary's answers over what it is shown below which it says nothing."""
RANKED_AT_MOST = 0.7
"""The share of pairs of faces, one with and one without what a code must not tell, that an
adversary ranks right from which on the code tells it. Chance is 0.5."""
SHARP = 0.99
"""The part of a gate's greatest entropy above which it does not choose."""


@dataclass(frozen=True)
class Answer:
    """What an adversary says."""

    values: Tensor
    """(B, ...), of B different inputs of the kind that it reads: one value for all is no answer."""
    read: Tensor | None = None
    """(N, n): how sure it is of n things about N faces, which the code that it reads must not
    tell; None for an adversary that reads pictures."""
    truth: Tensor | None = None
    """(N, n): whether they are so, 0 or 1."""
    known: Tensor | None = None
    """(N, n): whether `truth` is known, 0 or 1."""


@dataclass(frozen=True)
class Gate:
    """What a bounded part says of faces."""

    values: Tensor
    """(B, ...)."""
    low: float = 0.0
    high: float = 1.0
    selects: bool = False
    """Whether it is to choose: then it may be at its ends, but not at one alone, and must not let
    half of everything through."""

    @property
    def share(self) -> Tensor:
        """The values between the ends of their range, 0 to 1."""
        return (self.values.float() - self.low) / (self.high - self.low)

    def ends(self) -> float:
        """The share of values at either end; of a part that selects at the fuller one."""
        shut, open_ = (self.share < END).float().mean(), (self.share > 1 - END).float().mean()
        return float(torch.maximum(shut, open_) if self.selects else shut + open_)

    def spread(self) -> float:
        """Standard deviation over places and faces, each channel by itself, root mean square of
        them, as a share of the range."""
        values = self.share
        if values.ndim > 2:
            values = values.movedim(1, -1).flatten(0, -2)  # (B * places, C)
        return float(values.std(0, correction=0).square().mean().sqrt())

    def entropy(self) -> float:
        """The mean of its entropies, 0 where it is at an end to 1 where it is half open."""
        return float(entropy(self.share).mean())


def entropy(gate: Tensor) -> Tensor:
    """Entropy of each value of a gate in [0, 1], bits."""
    p = gate.float().clamp(1e-6, 1 - 1e-6)
    return -(p * p.log2() + (1 - p) * (1 - p).log2())


@runtime_checkable
class Gated(Protocol):
    """A method with such parts."""

    def gates(self, face: Tensor) -> Mapping[str, Gate]:
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
        shut, varied = gate.ends(), gate.spread()
        numbers |= {f"{name}, ends": round(shut, 4), f"{name}, spread": round(varied, 4)}
        if gate.selects:
            numbers[f"{name}, entropy"] = round(gate.entropy(), 4)
        if not shut <= MOST:  # nor where it is no number
            alarms.append(f"{name} is dead: {shut:.1%} of it is at an end of its range")
        elif varied < LEAST:
            alarms.append(f"{name} is dead: the same everywhere, on every face ({varied:.1%})")
        elif gate.selects and gate.entropy() > SHARP:
            alarms.append(f"{name} does not choose: entropy {gate.entropy():.2f} of 1 at most")
    return numbers, alarms


def ranked(read: Tensor, truth: Tensor, known: Tensor) -> float | None:
    """How well answers (N, n) rank the faces of which something is so above the others: the share
    of pairs in the right order (the area under the ROC curve), mean over the things that are so
    for some and not for others; None where there is none.
    """
    shares = []
    for said, so, sure in zip(read.T.float(), truth.T, known.T, strict=True):
        there, absent = said[(sure > 0) & (so > 0)], said[(sure > 0) & (so <= 0)]
        if len(there) and len(absent):
            margins = there[:, None] - absent[None]
            shares.append(float((margins > 0).float().mean() + 0.5 * (margins == 0).float().mean()))
    return sum(shares) / len(shares) if shares else None


@torch.no_grad()
def heard(answers: Mapping[str, Answer]) -> tuple[dict[str, float], list[str]]:
    """Numbers for a run's log, of every adversary how its answers differ and, of those that read
    codes, how well they tell what the code must not; and lines of alarm.
    """
    numbers: dict[str, float] = {}
    alarms: list[str] = []
    for name, answer in answers.items():
        differ = float(answer.values.float().std(0, correction=0).square().mean().sqrt())
        numbers[f"{name}, spread"] = round(differ, 4)
        if not differ >= SILENT:  # nor where it is no number
            alarms.append(f"{name} is dead: it says the same of everything ({differ:.4f})")
        if answer.read is None or answer.truth is None or answer.known is None:
            continue
        read = ranked(answer.read, answer.truth, answer.known)
        if read is not None:
            numbers[f"{name}, read"] = round(read, 4)
            if read > RANKED_AT_MOST:
                alarms.append(
                    f"{name} is not heeded: the code tells what it must not, {read:.0%} of pairs "
                    "are ranked right (chance 50%)"
                )
    return numbers, alarms
