"""The stages of a training in which a GAN grows, in images: codes alone, one for every layer that
it grows by (Karras et al., ICLR 2018), and edits. Phases start and stop where stages do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from typing import Any, Protocol

from mien.errors import ConfigError
from mien.nn.phases import rate_at

CODES, EDITS = "codes", "edits"


class GrowingBudget(Protocol):
    """What a configuration of training says of growth."""

    @property
    def images(self) -> int:
        """Seen in all."""

    @property
    def batch(self) -> int:
        """Images a step: stages meet between steps."""

    @property
    def warmup(self) -> int:
        """Images over which the rate rises, in every stage."""

    @property
    def decay(self) -> str:
        """Of the codes' and of the last stage, see `rate_at`."""

    @property
    def codes(self) -> float:
        """Share of the budget, at the start, for codes alone."""

    @property
    def edits(self) -> float:
        """Share of the budget, at the end, for edits."""

    @property
    def growth(self) -> Sequence[float]:
        """Parts of what is left for the layers at 4, 8, 16, ... px."""

    @property
    def progressive(self) -> bool:
        """False: all layers are there from the start."""

    @property
    def fade(self) -> float:
        """Part of a layer's images over which it is faded in."""


@dataclass(frozen=True)
class ResolutionStage:
    """Images `start` to `stop`, in which the layer numbered `layer` is the last to have grown."""

    name: str
    layer: int
    start: int
    stop: int
    fades: bool = True
    """Whether its layer is faded in: the first one is there from the start."""

    def progress(self, seen: float) -> float:
        """Share of the stage that is over, 0 to 1."""
        return min(1.0, max(0.0, (seen - self.start) / max(1, self.stop - self.start)))

    def rate(self, t: GrowingBudget, progress: float) -> float:
        """Factor of the learning rate at a share of the whole budget: it rises at the start, and
        falls in the codes' and in the last stage; while the GAN grows it stays (ProGAN).
        """
        seen = progress * t.images
        falls = t.decay == "cosine" and (self.name == CODES or self.stop == t.images)
        rise = t.warmup / max(1, self.stop - self.start)
        return rate_at(self.progress(seen), rise, "cosine" if falls else "none")

    def when(self, t: GrowingBudget) -> dict[str, Any]:
        """What makes a phase (`nn.phases.Phase`) of the stage."""
        return {"start": self.start, "stop": self.stop, "schedule": partial(self.rate, t)}

    def grown(self, seen: int, t: GrowingBudget) -> float:
        """How far the GAN has grown: its layer is faded in over the first part of the stage."""
        fades = t.progressive and t.fade and self.fades and self.name not in (CODES, EDITS)
        return self.layer + min(0.0, self.progress(seen) / t.fade - 1) if fades else self.layer


def stage_at(stages: Sequence[ResolutionStage], seen: int) -> ResolutionStage:
    """The stage at so many images; the last one after the end."""
    return next((s for s in stages if seen < s.stop), stages[-1])


def stages(t: GrowingBudget, sides: Sequence[int]) -> list[ResolutionStage]:
    """The stages that have images, in order; they meet between batches."""
    last = len(sides) - 1
    parts = list(t.growth[: len(sides)])
    if len(parts) < len(sides) or sum(parts) <= 0 or t.codes + t.edits > 1:
        raise ConfigError(
            f"training.growth must name {len(sides)} parts, for the layers at 4 to {sides[-1]} px, "
            "and training.codes and training.edits leave a share for them"
        )
    left = (1 - t.codes - t.edits) / sum(parts)
    grow = [(f"{side}", k, part * left) for k, (side, part) in enumerate(zip(sides, parts))]  # noqa: B905
    if not t.progressive:
        grow = [(f"{sides[-1]}", last, 1 - t.codes - t.edits)]
    begins = next((k for _, k, part in grow if part), last)
    rows = [(CODES, begins, t.codes), *grow, (EDITS, last, t.edits)]
    shares = [0.0, *accumulate(share for _, _, share in rows)]
    bounds = [round(share * t.images / t.batch) * t.batch for share in shares]
    bounds[-1] = t.images
    made = [
        ResolutionStage(name, layer, start, stop)
        for (name, layer, _), (start, stop) in zip(rows, pairwise(bounds), strict=True)
    ]
    there = [stage for stage in made if stage.stop > stage.start]
    first = min((k for k, s in enumerate(there) if s.name not in (CODES, EDITS)), default=0)
    return [replace(s, fades=s.fades and k > first) for k, s in enumerate(there)]
