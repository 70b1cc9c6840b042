"""The choices of auswap: architecture, losses, training. Defaults are the design inferred from the
paper's abstract and its authors' earlier public code; recipes change some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mien.methods.config import BaseArchitecture, MethodConfig, RigTraining, RigWeights


@dataclass(frozen=True)
class Architecture(BaseArchitecture):
    """Shapes of the networks."""

    stem: int = 1  # space-to-depth before both encoders; 1 is the paper's family, 2 costs a quarter
    width: int = 64  # channels of E_f at its first resolution; doubled at each of two Downs
    middle: int = 64  # channels of the generator's residual blocks
    blocks: int = 6  # residual blocks of the generator
    per_unit: int = 4  # numbers of the AU-related feature that each unit is read from
    encoder: int = 64  # channels of E_a at its first resolution
    encoder_max: int = 512  # the most channels E_a grows to
    reader: int = 128  # channels of the multi-class adversary
    discriminator: int = 64  # channels of the image discriminators: 64-64-128-128 in the family
    relative: bool = False  # the generator sees the face's own AU-related feature too
    look: bool = False  # the generator's last blocks see the face that is to be moved
    refine: bool = False  # a styled block after the generator's first Up
    refine_last: bool = False  # ... and at its last map, where lids can be distinguished
    project: bool = False  # at inference: of a feature only the units read from it are transferred
    unit_floor: float = 0.0  # ... and a unit read below this rests: weak readings tell faces apart
    norm: Literal["instance", "group"] = "instance"  # of E_f, E_a and the generator's Ups


@dataclass(frozen=True)
class LossWeights(RigWeights):
    """Weights of the losses; 0 switches a term off and saves its cost."""

    units: float = 1.0  # AU loss on the encoded feature
    units_again: float = 1.0  # AU loss on the feature encoded from a swapped face
    free: float = 1.0  # multi-class adversary: the AU-free feature is driven to the uniform answer
    swap_consistency: float = 1.0  # swapped faces must pass for self-reconstructions
    realism: float = 1.0  # swapped and self-reconstructed faces must pass for photographs
    reconstruction: float = 10.0  # L1 of the self-reconstruction
    cycle: float = 10.0  # L1 of the cross-cycle: swap, encode again, swap back
    mapped: float = 1.0  # L1 between encoded feature and the map's from AUs; trains the map
    same: float = 0.0  # rig truth: one person's AU-free features agree over expressions


@dataclass(frozen=True)
class Training(RigTraining):
    """Budget and rates. Images are counted, not steps."""

    data: Literal["unpaired", "pairs", "faces"] = (
        "unpaired"  # unpaired: two strangers; pairs: rig truth too; faces: E_a and the map alone
    )
    lr: float = 5e-5  # generator, E_f and discriminators
    lr_units: float = 1e-4  # E_a, its readout and the map
    betas: tuple[float, float] = (0.5, 0.9)
    decay: Literal["none", "linear", "cosine"] = "linear"  # linear: from half of the budget on
    share: float = 1.0  # part of a batch that is reconstructed, swapped back and judged
    adversary_from: float = 0.0  # share of the budget after which the image discriminators join
    present: float = 0.2  # intensity from which a unit counts as present, for the adversary
    noise: float = 0.0  # standard deviation of noise on transferred features: a narrower channel


@dataclass(frozen=True)
class AUSwapConfig(MethodConfig):
    """Everything that a recipe may set for auswap."""

    architecture: Architecture = field(default_factory=Architecture)
    weights: LossWeights = field(default_factory=LossWeights)
    training: Training = field(default_factory=Training)

    small_architecture: ClassVar[Mapping[str, Any]] = {
        "stem": 2, "width": 16, "discriminator": 8, "middle": 8, "blocks": 1, "encoder":
        8, "encoder_max": 16, "reader": 8,
    }  # fmt: skip
    small_training: ClassVar[Mapping[str, Any]] = {"adversary_from": 0.0}
    without: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "multi-class adversary": ("weights.free=0",),
        "swap consistency": ("weights.swap_consistency=0",),
        "realism": ("weights.realism=0",),
        "cross-cycle": ("weights.cycle=0",),
        "self-reconstruction": ("weights.reconstruction=0",),
        "units of swapped faces": ("weights.units_again=0",),
    }  # fmt: skip
