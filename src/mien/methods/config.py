"""What the configurations of all learnt methods share. A method's own adds what its paper has, and
may set other defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self


@dataclass(frozen=True)
class BaseArchitecture:
    """Shapes of the networks."""

    size: int = 128  # side of the crop, px
    head: Literal["compose", "picture"] = (
        "picture"  # picture: the paper's; compose: warp, mask and paint
    )
    occlusion_threshold: float = 0.0  # compose head, at inference: cover up to here becomes none
    refinement_steps: Literal[0, 1, 2, 3, 4] = 0  # at inference: times a result is read and mended


@dataclass(frozen=True)
class RigWeights:
    """Weights of the losses that need the rig's truth; 0 switches a term off and saves its cost."""

    pixel: float = 0.0  # weighted L1 of the result
    edges: float = 0.0  # L1 on its image gradients
    flow: float = 0.0  # where a pixel came from, L1 in px at 128, where visible
    mask: float = 0.0  # L1 of the mask to visibility
    occlusion: float = 0.0  # -log of the share painted where nothing is to be moved in
    mouth_realism: float = 0.0  # mouths must pass a critic of their own
    mouth_match: float = 0.0  # ... and look to its layers as the true ones do
    eyes_realism: float = 0.0  # eyes and brows must pass a critic of their own
    eyes_match: float = 0.0  # ... and look to its layers as the true ones do
    smooth: float = 0.0  # total variation of the flow, px at 128; needs no truth


@dataclass(frozen=True)
class RigTraining:
    """Budget and rates. Images are counted, not steps."""

    images: int = 400_000  # seen in all
    batch: int = 16  # images a step, of each process
    betas: tuple[float, float] = (0.0, 0.99)  # Adam's
    weight_decay: float = 0.0  # of all but adversaries
    clip: float = 100.0  # largest norm of a module's gradient
    decay: Literal["none", "linear", "cosine"] = "none"  # linear: from half of the budget on
    warmup: int = 0  # images over which the rate rises
    ema_images: float = 4000.0  # half-life of the average of the weights
    adversary_every: int = 1  # batches between the image discriminators' steps
    emphasis: float = 4.0  # extra weight of pixels where the two expressions differ
    mouth: float = 0.0  # extra weight inside an open mouth: teeth are few pixels
    eyes: float = 0.0  # extra weight on the eyes: so are lids
    named: float = 0.0  # pairs: share of targets that show a single unit, or what eyes alone do
    weak: float = 0.0  # ... share of the others that show an emotion below full strength
    seed: int = 0


@dataclass(frozen=True)
class TrainedConfig:
    """Everything that a recipe may set for what it trains."""

    architecture: Any
    weights: Any
    training: Any

    small_architecture: ClassVar[Mapping[str, Any]] = {}
    small_training: ClassVar[Mapping[str, Any]] = {}
    """What `small` changes beside the size, the budget and the batch."""
    without: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Mechanism of the paper (in brackets: what is there instead) -> settings of a recipe that
    switch it off, for `mien bench ablations`."""

    def small(self) -> Self:
        """The same with networks so small, at 32 px, and so few images, all phases in them, that a
        test trains it in seconds; room for six people.
        """
        shape = {"size": 32, **self.small_architecture}
        budget = {"images": 32, "batch": 4, **self.small_training}
        return replace(
            self,
            architecture=replace(self.architecture, **shape),
            training=replace(self.training, **budget),
        )


@dataclass(frozen=True)
class MethodConfig(TrainedConfig):
    """Everything that a recipe may set for a method."""

    architecture: BaseArchitecture = field(default_factory=BaseArchitecture)
    weights: RigWeights = field(default_factory=RigWeights)
    training: RigTraining = field(default_factory=RigTraining)
