"""StarGAN v2 (Choi et al., CVPR 2020): styles, drawn at random for a label or taken from a
reference.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mien import facs
from mien.bench.peers.base import STYLES, Facts, Peer, PeerMethod, whole
from mien.bench.peers.checkout import Munch, argument_defaults, as_is, opened
from mien.bench.peers.feed import Clock, Loader, batches, labelled
from mien.guides import Label, Reference
from mien.metrics.trials import Own, Trial
from mien.nn.compose import picture
from mien.types import Composition, Expression, Faces, Identity

_PROTOTYPES = torch.from_numpy(np.stack([facs.prototype(name) for name in facs.EMOTIONS]))
_NEUTRAL = facs.EMOTIONS.index("neutral")
_PUBLISHED = 64
"""Channels that its networks begin with at 256 px, where its authors use it."""


def begun_narrow(source: str) -> str:
    """Its rule, 2^14 / side, gives more channels than the published ones below 256 px, and so many
    at 64 px that a step takes minutes; read so that it begins with the published number.

    >>> begun_narrow("dim_in = 2**14 // img_size")
    'dim_in = 64'
    """
    return source.replace("2**14 // img_size", str(_PUBLISHED))


class StarGANv2(Peer):
    """Trained by the checkout's `core.solver.Solver.train`, with the defaults of its `main.py`; its
    row is its own moving average.

    Differs: no high-pass skip (`w_hpf` 0, as its authors have for animals), which needs a pickle of
    somebody's landmark net; mien's crops instead of its random ones; below 128 px networks that
    begin with 64 channels, as the published ones do at 256 px (`begun_narrow`).
    """

    facts = Facts(
        name="starganv2",
        folder="stargan-v2",
        repository="https://github.com/clovaai/stargan-v2",
        commit="875b70a150609e8a678ed8482562e7074cdce7e5",
        licence="CC BY-NC 4.0",
        batch=8,
    )
    shown = ("generator_ema", "mapping_network_ema", "style_encoder_ema")

    def build(self, root: Path) -> None:
        plan = self.plan
        never = plan.steps + 1
        self.args = Namespace(**argument_defaults(root / "main.py"))
        settings = {
            "mode": "train", "img_size": plan.size, "num_domains": len(facs.EMOTIONS),
            "w_hpf": 0, "batch_size": plan.batch, "total_iters": plan.steps,
            "ds_iter": plan.steps, "sample_every": never, "save_every": never,
            "eval_every": never,
        }  # fmt: skip
        vars(self.args).update(settings)
        port = begun_narrow if plan.size < 128 else as_is
        with opened(root, port=port) as import_:
            module = import_("core.solver")
            module.CheckpointIO = lambda *_, **__: None  # it would make folders and write pickles
            self.solver: Any = module.Solver(self.args)
        self.solver._load_checkpoint = lambda _: None  # `run` has brought the weights back
        averages = {f"{name}_ema": net for name, net in self.solver.nets_ema.items()}
        self.nets = dict(self.solver.nets) | averages
        self.optimisers = list(self.solver.optims.values())

    def train(self, clock: Clock, folder: Path, split: str, seed: int, workers: int) -> None:
        plan, size = self.plan, self.plan.size
        sources = labelled(folder, split, 1, size=size, seed=seed)
        # two to a batch: references come in pairs of one label
        pairs = labelled(folder, split, 2, size=size, seed=seed + 1)

        def source(first: int) -> Iterator[tuple[Tensor, Tensor]]:
            for batch in batches(sources, plan.batch, first, plan.steps, workers):
                yield batch.source.pixels, batch.source.label

        def reference() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
            for batch in batches(pairs, 2 * plan.batch, clock.first, plan.steps, workers):
                first, second = batch.source.pixels[0::2], batch.source.pixels[1::2]
                yield first, second, batch.source.label[0::2]

        seen = Munch(src=Loader(clock, source), ref=reference(), val=source(0))
        self.args.resume_iter = clock.first
        self.solver.train(seen)

    def scalars(self) -> Mapping[str, float]:
        return {"lambda_ds": self.args.lambda_ds}

    def restore(self, scalars: Mapping[str, float], steps: int) -> None:
        # its loop takes the same share off at each step: of what is left, over the steps left
        self.args.lambda_ds = scalars["lambda_ds"]
        self.args.ds_iter = self.plan.steps - steps

    def row(self) -> PeerMethod:
        # without its wrapper for several GPUs, which refuses to work off them
        generator, mapping, encoder = (
            getattr(self.nets[name], "module", self.nets[name]) for name in self.shown
        )
        return StarGANv2Row(generator, mapping, encoder, self.args.latent_dim, self.plan.size)


class StarGANv2Row(PeerMethod):
    """Labels and references. Code (B, style): its style code, which it blends along lines itself.

    Inferred: a label is the mean of many of its random styles (its authors' psi 0). Its encoder
    must be given a face's label, which no reference carries: the truth tells it here, a help that
    no other row gets. A source is taken for a face at rest, which all are where the scorecard asks.
    """

    name = "starganv2"
    native = (Label, Reference)
    serves = (Label, Reference, Own)

    def __init__(
        self, generator: nn.Module, mapping: nn.Module, encoder: nn.Module, latent: int, size: int
    ) -> None:
        super().__init__(size)
        self.generator, self.mapping, self.encoder = generator, mapping, encoder
        self.latent = latent

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        return self.styled(faces, torch.full((len(faces),), _NEUTRAL))

    def styled(self, faces: Faces[Tensor], labels: Tensor) -> Expression[Tensor]:
        """The styles of faces (B) that are known to show `labels` (B,)."""
        return Expression(whole(self.encoder(faces.pixels, labels.to(faces.pixels.device))))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        drawn = torch.randn(STYLES, self.latent, generator=torch.Generator().manual_seed(0))

        def style(label: int) -> Tensor:
            labels = index.new_full((STYLES,), label)
            return whole(self.mapping(drawn.to(index.device), labels)).mean(0)

        return self.typical(index, style)

    def asked(self, trial: Trial) -> Expression[Tensor]:
        if not isinstance(trial.ask, Reference):
            return super().asked(trial)
        if trial.emotions is not None:
            labels = torch.tensor(trial.emotions)
        else:
            assert trial.units is not None, "a reference's trial knows what it asks for"
            labels = torch.cdist(trial.units, _PROTOTYPES).argmin(1)
        return self.styled(trial.ask.faces, labels)

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        return picture(whole(self.generator(identity.source.pixels, expression.code)))
