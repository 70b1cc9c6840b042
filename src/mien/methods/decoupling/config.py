"""The choices of decoupling: architecture, losses, training. Defaults are the design inferred from
the paper's abstract and its ancestors (ProGAN, pSp, ALAE, ReStyle); recipes change some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mien.methods.config import BaseArchitecture, MethodConfig, RigTraining, RigWeights


@dataclass(frozen=True)
class Architecture(BaseArchitecture):
    """Shapes of the networks."""

    size: int = 128  # side of the crop, px: a power of two, 32 to 256 or more
    trunk: int = 64  # channels of the ResNet50's stem; 64 is He et al.'s
    trunk_norm: Literal["batch", "group"] = "batch"
    pyramid: int = 256  # channels of every level of the feature pyramid
    mapping: int = 512  # width of both mapping networks
    depth: int = 8  # their layers
    # which code enters where: (channels of the identity code, numbers of the expression code) of
    # the generator's layers at 4, 8, 16, ... px, 0 for none; entries beyond `size` are not used
    layers: tuple[tuple[int, int], ...] = (
        (512, 0), (512, 0), (0, 512), (0, 512), (512, 0), (512, 0), (512, 0),
    )  # fmt: skip
    grain: int = 1  # most cells a side of a layer's identity code: 1 a vector, 16 a map
    places: int = 0  # maps that a layer's expression code is spread over beside its whole
    generator: int = 16384  # channels of the generator's layers times their side, px
    generator_max: int = 512  # the most channels they have
    discriminator: int = 16384  # the same of the discriminator
    discriminator_max: int = 512
    feedback: int = 64  # channels of the feedback network at its first resolution
    driven: bool = True  # what is transferred is the code after all passes: the feedback network's
    passes: int = 3  # at inference: 1 maps the face to codes, each further one looks at the picture
    reader: int = 256  # width of the adversary that reads identity codes
    people: int = 128  # directions in which invented people differ
    composer: int = 64  # channels of the composing head's network
    blocks: int = 3  # its styled blocks
    project: bool = False  # at inference: of a code only the units read from it are transferred
    older: ClassVar[dict[str, bool]] = {"driven": False}
    """Fields that weights may be older than, with what these were made with."""


@dataclass(frozen=True)
class LossWeights(RigWeights):
    """Weights of the losses; 0 switches a term off and saves its cost."""

    units: float = 1.0  # squared error of the units read from an expression code
    mapped: float = 1.0  # the map from units meets the codes, and is read back
    classification: float = 0.1  # cross-entropy of the emotion read from an expression code
    uniform: float = 1.0  # the adversary's answers about an identity code must be uniform
    same: float = 0.0  # rig truth: one person's identity codes agree over expressions
    reconstruction: float = 10.0  # L1 of the picture from codes alone
    structure: float = 1.0  # its contrast and structure, as SSIM has them, at three sizes
    transfer: float = 0.0  # rig truth: the same two with another expression, from codes alone
    refined: float = 10.0  # L1 of the picture after one more pass of the feedback network
    latent: float = 1.0  # latent reconstruction: the feedback network finds what codes changed
    swap: float = 1.0  # swap consistency: ... and leaves the code that did not change
    realism: float = 0.1  # pictures from codes, of people seen and invented, pass for photographs
    r1: float = 10.0  # gradient penalty on photographs


@dataclass(frozen=True)
class Training(RigTraining):
    """Budget and rates. Images are counted, not steps."""

    images: int = 2_400_000  # seen in all
    codes: float = 0.0  # share of the budget, at the start, for codes alone, on single faces
    # parts of the budget for the layers at 4, 8, 16, ... px; entries beyond `size` are not used.
    # It begins with the first layer that has a part, all below it there from the start: at 16 px a
    # face has a mouth that opens, and below nothing is learnt that lasts
    growth: tuple[float, ...] = (0.0, 0.0, 1.0, 2.0, 4.0, 8.0, 8.0)
    edits: float = 0.0  # share of the budget, at the end, for the composing head
    fade: float = 0.5  # part of a layer's images over which it is faded in
    progressive: bool = True  # False: all layers are there from the start
    lr: float = 1e-3  # generator, identity mapping, feedback network: equalised rates
    lr_codes: float = 1e-3  # trunk, expression mapping, classifier, map from units
    lr_composer: float = 1e-3
    lr_discriminator: float = 1e-3
    decay: Literal["none", "cosine"] = "none"  # cosine: of the codes' and of the last stage
    share: float = 1.0  # part of a batch that is judged, looked at again and swapped
    r1_every: int = 8  # ... of which every so many carry the gradient penalty
    reference_share: float = 1.0  # of faces taught by the reference's code; others by units' codes
    noise: float = 0.0  # standard deviation of the noise on expression codes: a narrower channel
    noise_identity: float = 0.0  # ... on identity codes, in differences of people
    crowd: int = 1024  # newest identity codes kept, whose spread people are invented from
    crowd_every: int = 128  # batches between looks at that spread
    present: float = 0.2  # intensity from which a unit counts as present, for the adversary


@dataclass(frozen=True)
class DecouplingConfig(MethodConfig):
    """Everything that a recipe may set for decoupling."""

    architecture: Architecture = field(default_factory=Architecture)
    weights: LossWeights = field(default_factory=LossWeights)
    training: Training = field(default_factory=Training)

    small_architecture: ClassVar[Mapping[str, Any]] = {
        "trunk": 8, "pyramid": 8, "mapping": 8, "depth": 2, "generator": 256,
        "generator_max": 16, "discriminator": 256, "discriminator_max": 16, "feedback": 8,
        "reader": 8, "composer": 16, "blocks": 1, "people": 4,
    }  # fmt: skip
    small_training: ClassVar[Mapping[str, Any]] = {"images": 64, "warmup": 0, "growth": (1.0,) * 4}
    without: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "growth": ("training.progressive=false",),
        "growth from 16 px (from 4 px)": ("training.growth=[1, 2, 4, 8, 16]",),
        "feedback network": (
            "architecture.passes=1", "weights.refined=0", "weights.latent=0", "weights.swap=0",
        ),
        "feedback's codes drive": ("architecture.driven=false",),
        "separation adversary": ("weights.uniform=0",),
        "swap consistency": ("weights.swap=0",),
        "adversary": ("weights.realism=0",),
    }  # fmt: skip
