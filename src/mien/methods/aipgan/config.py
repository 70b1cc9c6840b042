"""The choices of aipgan: architecture, losses, training. Defaults are the design inferred from the
paper's abstract and its sisters'; recipes change some.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Architecture:
    """Shapes of the networks."""

    size: int = 128  # side of the crop, px
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
    intrinsic: Literal["deforming", "neutral"] = (
        "deforming"  # deforming: texture and warp rebuild the photograph; neutral: face at rest
    )
    pooling: Literal["low_rank", "outer", "sketch", "concatenation"] = "low_rank"
    scales: Literal["all", "last"] = "all"  # where the two encoders' maps are joined
    rank: int = 128  # channels of the low-rank product; length of the sketch
    reduced: int = 16  # channels of each side of the full outer product
    discriminator: int = 64  # channels of the discriminator: 64-128-256-512
    head: Literal["compose", "picture"] = (
        "picture"  # picture: the paper's; compose: warp, mask and paint
    )
    relative: bool = False  # the decoder sees the face's own expression maps too
    refine: bool = False  # a styled block where lids and lips can be told apart
    look: bool = False  # the decoder's last block sees the face that is to be moved
    hedge: float = 0.0  # compose head, at inference: cover up to here is taken for hedging
    checks: Literal[0, 1, 2, 3, 4] = 0  # at inference: times a result is read and mended
    project: bool = False  # at inference: of a code nothing is lent but the units read from it
    norm: Literal["instance", "group"] = "instance"  # of every residual block


@dataclass(frozen=True)
class Weights:
    """Weights of the losses; 0 switches a term off and saves its cost."""

    landmarks: float = 0.1  # L1 of the landmarks that a code says, px at 128
    attention: float = 10.0  # expression's spatial map to the landmarks' heat: the supervision
    units: float = 1.0  # squared error of the units read from a code
    mapped: float = 1.0  # L1 between code and the map's from units; trains the map
    intrinsic: float = 10.0  # L1 of the intrinsic image, or of what texture and warp rebuild
    warp_smooth: float = 1e-6  # deforming: total variation of the warp, summed over its pixels
    warp_mean: float = 1e-2  # deforming: squared distance of the mean warp from none, px
    realism: float = 1.0  # results must pass for photographs
    judged_units: float = 1.0  # the discriminator must read the wanted units from them
    judged_person: float = 1.0  # ... and recognise the source's person
    expression_again: float = 1.0  # expression consistency: code of the result
    identity_again: float = 1.0  # identity consistency: identity maps of the result
    reconstruction: float = 10.0  # L1 of the face under its own code
    pixel: float = 0.0  # paired truth (rig): weighted L1 of the result
    edges: float = 0.0  # paired truth: L1 on its image gradients
    flow: float = 0.0  # rig truth: where a pixel came from, L1 in px at 128, where visible
    mask: float = 0.0  # rig truth: L1 of the mask to visibility
    cover: float = 0.0  # rig truth: -log of the share painted where nothing is to be moved in
    mouth_realism: float = 0.0  # paired truth: mouths must pass a critic of their own
    mouth_match: float = 0.0  # ... and look to its layers as the true ones do
    eyes_realism: float = 0.0  # paired truth: eyes and brows must pass a critic of their own
    eyes_match: float = 0.0  # ... and look to its layers as the true ones do
    smooth: float = 0.0  # total variation of the flow, px at 128


@dataclass(frozen=True)
class Training:
    """Budget and rates. Images are counted, not steps."""

    data: Literal["unpaired", "pairs", "faces"] = (
        "unpaired"  # unpaired: two strangers; pairs: rig truth; faces: expression encoder alone
    )
    images: int = 400_000  # seen in all
    batch: int = 16
    people: int = 1024  # room for so many training people in the discriminator
    lr: float = 1e-4
    lr_discriminator: float = 1e-4  # of the critics of mouths and eyes too
    betas: tuple[float, float] = (0.5, 0.999)
    weight_decay: float = 0.0
    clip: float = 100.0
    decay: Literal["none", "linear", "cosine"] = "linear"  # linear: from half of the budget on
    warmup: int = 0  # images over which the rate rises
    ema_images: float = 4000.0  # half-life
    share: float = 1.0  # part of a batch that is judged, rebuilt and encoded again
    adversary_from: float = 0.0  # share of the budget after which results are judged
    adversary_every: int = 1  # batches between the discriminator's steps
    lent: float = 1.0  # share of faces taught by the reference's code; the others by units' codes
    noise: float = 0.0  # standard deviation of the noise on lent codes: a narrower channel
    emphasis: float = 4.0  # extra weight of pixels where the two expressions differ
    mouth: float = 0.0  # extra weight inside an open mouth: teeth are few pixels
    eyes: float = 0.0  # extra weight on the eyes: so are lids
    named: float = 0.0  # pairs: share of targets that show a single unit, or what eyes alone do
    weak: float = 0.0  # ... share of the others that show an emotion below full strength
    seed: int = 0


@dataclass(frozen=True)
class AIPGANConfig:
    """Everything that a recipe may set for aipgan."""

    architecture: Architecture = field(default_factory=Architecture)
    weights: Weights = field(default_factory=Weights)
    training: Training = field(default_factory=Training)
