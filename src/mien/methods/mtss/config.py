"""The choices of mtss: architecture, losses, training. Defaults are the paper's; recipes change
some.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from mien.methods.config import BaseArchitecture, MethodConfig, RigTraining, RigWeights


@dataclass(frozen=True)
class Architecture(BaseArchitecture):
    """Shapes of the networks."""

    stem: int = 1  # space-to-depth before encoder and extractor; 1 is the paper, 2 costs a quarter
    width: int = 64  # channels of the encoder at its first resolution; doubled at each of two Downs
    middle: int = 64  # channels of the translator
    blocks: int = 7  # residual blocks of the translator
    style: int = 256  # length of the style (expression) code
    latent: int = 32  # length of the mapper's noise
    mapper: int = 256  # width of the mapper
    extractor: int = 64  # channels of the extractor at its first resolution
    extractor_max: int = 2048  # the most channels the extractor grows to
    sdu: int = 512  # channels that the style disentanglement unit lifts to
    sdu_standardised: bool = True  # ... standardises its maps; without, its tanh is at +-1: dead
    skip: bool = True  # the decoder sees the purified skip; without: a plain AdaIN generator
    discriminator: int = 64  # channels of the discriminator at its first resolution
    discriminator_max: int = 2048  # the most channels the discriminator grows to
    relative: bool = False  # the translator sees the source's own style too; the paper's does not
    refine: bool = False  # a styled block after the decoder's first Up; the paper has none
    refine_last: bool = False  # ... and at its last map, where lids can be distinguished
    norm: Literal["instance", "group"] = (
        "instance"  # of encoder and decoder; the paper's is instance
    )
    older: ClassVar[dict[str, bool]] = {"sdu_standardised": False}
    """Fields that weights may be older than, with what these were made with."""


@dataclass(frozen=True)
class LossWeights(RigWeights):
    """Weights of the losses; 0 switches a term off and saves its cost."""

    adversarial: float = 1.0  # hinge, as in HiSD
    r1: float = 1.0  # squared gradient of D on real images, per image, batch mean
    style: float = 1.0  # L1 between asked and re-extracted style
    reconstruction: float = 1.0  # no-translation, self-translation and cycle, equal shares
    classification: float = 1.0  # the paper's cls_w: of styles extracted and mapped
    style_part: float = 1.0  # the same of the skip's style part, through the extractor's tail
    orthogonality: float = 0.001  # the paper's ort_w
    units: float = 0.0  # squared error of the units read from a style code
    align: float = (
        0.0  # L1 between a face's extracted style and the style mapped from its units or label
    )


@dataclass(frozen=True)
class Training(RigTraining):
    """Budget and rates. Images are counted, not steps."""

    data: Literal["unpaired", "pairs"] = "unpaired"  # unpaired: labelled faces; pairs: rig truth
    images: int = 1_600_000  # seen in all: 200,000 iterations of 8
    batch: int = 8
    lr: float = 1e-4
    lr_mapper: float = 1e-6
    lr_discriminator: float = 1e-4
    decay: Literal["none", "cosine"] = "none"
    ema_images: float = 552.0  # half-life; beta 0.99 at batch 8 (ln 2 / -ln 0.99 steps of 8)
    adversary_from: float = 0.0  # share of the budget after which the adversary joins
    mixed: bool = True  # a batch shows all emotions; the ancestor's shares one, and one to give it
    r1_every: int = 1  # lazy R1: every n-th step of the discriminator, weight times n
    orthogonality: Literal["cosine", "gram"] = (
        "gram"  # squared cosine, or channel cross-Gram's norm
    )


@dataclass(frozen=True)
class MTSSConfig(MethodConfig):
    """Everything that a recipe may set for mtss."""

    architecture: Architecture = field(default_factory=Architecture)
    weights: LossWeights = field(default_factory=LossWeights)
    training: Training = field(default_factory=Training)

    small_architecture: ClassVar[Mapping[str, Any]] = {
        "stem": 2, "width": 8, "discriminator": 8, "middle": 8, "blocks": 1, "style": 16,
        "latent": 4, "mapper": 8, "extractor": 8, "extractor_max": 16, "sdu": 16,
        "discriminator_max": 16,
    }  # fmt: skip
    small_training: ClassVar[Mapping[str, Any]] = {"adversary_from": 0.0}
    without: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "style disentanglement (a dead unit)": ("architecture.sdu_standardised=false",),
        "skip (a plain AdaIN generator)": (
            "architecture.skip=false", "weights.style_part=0", "weights.orthogonality=0",
        ),
        "orthogonality": ("weights.orthogonality=0",),
        "classification": ("weights.classification=0", "weights.style_part=0"),
        "classification of the style part": ("weights.style_part=0",),
        "emotions mixed in a batch (one a batch)": ("training.mixed=false",),
        "style loss": ("weights.style=0",),
        "adversary": ("weights.adversarial=0",),
        "reconstruction and cycle": ("weights.reconstruction=0",),
    }  # fmt: skip
