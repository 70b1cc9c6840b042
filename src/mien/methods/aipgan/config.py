"""The choices of aipgan: architecture, losses, training. Defaults are the design inferred from the
paper's abstract and its sisters'; recipes change some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mien.methods.config import BaseArchitecture, MethodConfig, RigTraining, RigWeights

Pooling = Literal["low_rank", "outer", "sketch", "concatenation"]
"""How the maps of the two encoders are joined, see `pooling.py`."""
Scales = Literal["all", "last"]


@dataclass(frozen=True)
class Architecture(BaseArchitecture):
    """Shapes of the networks."""

    stem: int = 1  # space-to-depth before both encoders; 2 costs a quarter
    width: int = 64  # channels of both encoders at their first resolution; doubled by each Down
    width_max: int = 512  # the most channels they grow to
    code: int = 128  # numbers of the expression code
    identity: int = 256  # numbers of the identity encoder's bottleneck; 0: a map 8x8, all of it
    features: int = 64  # channels of both up paths at their finest map; doubled below
    features_max: int = 256
    decoder: int = 128  # channels of the decoder at the finest joined map; doubled below
    decoder_max: int = 512
    attention: bool = True  # channel and spatial attention in both encoders
    identity_gate: float = 0.5  # share of places that the identity's spatial gate lets through, by
    # construction, so that it has to choose; 0: as many as it likes, which became all
    intrinsic: Literal["deforming", "neutral"] = (
        "deforming"  # deforming: texture and warp rebuild the photograph; neutral: face at rest
    )
    pooling: Pooling = "low_rank"
    scales: Scales = "all"  # where the two encoders' maps are joined
    rank: int = 128  # channels of the low-rank product; length of the sketch
    reduced: int = 16  # channels of each side of the full outer product
    discriminator: int = 64  # channels of the discriminator: 64-128-256-512
    relative: bool = False  # the decoder sees the face's own expression maps too
    refine: bool = False  # a styled block where lids and lips can be distinguished
    look: bool = False  # the decoder's last block sees the face that is to be moved
    project: bool = False  # at inference: of a code only the units read from it are transferred
    norm: Literal["instance", "group"] = "instance"  # of every residual block
    older: ClassVar[dict[str, float]] = {"identity_gate": 0.0}
    """Fields that weights may be older than, with what these were made with."""


@dataclass(frozen=True)
class LossWeights(RigWeights):
    """Weights of the losses; 0 switches a term off and saves its cost."""

    landmarks: float = 0.1  # L1 of the landmarks that a code says, px at 128
    attention: float = 10.0  # expression's spatial map to the landmarks' heat: the supervision
    units: float = 1.0  # squared error of the units read from a code
    mapped: float = 1.0  # L1 between code and the map's from units; trains the map
    intrinsic: float = 10.0  # L1 of the intrinsic image, or of what texture and warp rebuild
    neutral: float = 5.0  # deforming: L1 of the intrinsic image to the neutral face, where shown
    choice: float = 0.1  # entropy of the identity's spatial gate, bits: it is to open or to shut
    warp_smooth: float = 1e-6  # deforming: total variation of the warp, summed over its pixels
    warp_mean: float = 1e-2  # deforming: squared distance of the mean warp from none, px
    realism: float = 1.0  # results must pass for photographs
    judged_units: float = 1.0  # the discriminator must read the wanted units from them
    judged_person: float = 1.0  # ... and recognise the source's person
    expression_again: float = 1.0  # expression consistency: code of the result
    identity_again: float = 1.0  # identity consistency: identity maps of the result
    reconstruction: float = 10.0  # L1 of the face under its own code


@dataclass(frozen=True)
class Training(RigTraining):
    """Budget and rates. Images are counted, not steps."""

    data: Literal["unpaired", "pairs", "faces"] = (
        "unpaired"  # unpaired: two strangers; pairs: rig truth; faces: expression encoder alone
    )
    people: int = 1024  # room for so many training people in the discriminator
    lr: float = 1e-4
    lr_discriminator: float = 1e-4  # of the critics of mouths and eyes too
    betas: tuple[float, float] = (0.5, 0.999)
    decay: Literal["none", "linear", "cosine"] = "linear"  # linear: from half of the budget on
    share: float = 1.0  # part of a batch that is judged, rebuilt and encoded again
    adversary_from: float = 0.0  # share of the budget after which results are judged
    reference_share: float = 1.0  # of faces taught by the reference's code; others by units' codes
    noise: float = 0.0  # standard deviation of the noise on transferred codes: a narrower channel


@dataclass(frozen=True)
class AIPGANConfig(MethodConfig):
    """Everything that a recipe may set for aipgan."""

    architecture: Architecture = field(default_factory=Architecture)
    weights: LossWeights = field(default_factory=LossWeights)
    training: Training = field(default_factory=Training)

    small_architecture: ClassVar[Mapping[str, Any]] = {
        "stem": 2, "width": 16, "width_max": 16, "discriminator": 8, "code": 16,
        "features": 8, "features_max": 16, "decoder": 8, "decoder_max": 16, "rank": 8,
    }  # fmt: skip
    small_training: ClassVar[Mapping[str, Any]] = {"adversary_from": 0.0, "people": 6}
    without: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "attention": ("architecture.attention=false",),
        "supervision of the attention": ("weights.attention=0",),
        "identity gate that chooses": ("architecture.identity_gate=0",),
        "intrinsic image": ("weights.intrinsic=0", "weights.neutral=0"),
        "bilinear pooling (side by side)": ("architecture.pooling=concatenation",),
        "all scales (the last alone)": ("architecture.scales=last",),
        "expression consistency": ("weights.expression_again=0",),
        "identity consistency": ("weights.identity_again=0",),
        "adversary": ("weights.realism=0", "weights.judged_units=0", "weights.judged_person=0"),
    }  # fmt: skip
