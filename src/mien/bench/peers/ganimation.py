"""GANimation (Pumarola et al., ECCV 2018): given the wanted action units, it answers with a colour
and an attention mask.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mien import facs
from mien.bench.peers.base import Facts, Peer, PeerMethod, whole
from mien.bench.peers.checkout import anywhere, opened, to_python_3
from mien.bench.peers.feed import Clock, Driven, batches
from mien.guides import ActionUnits, Label
from mien.metrics.trials import Own, Units
from mien.types import Composition, Expression, Faces, Identity

_PROTOTYPES = torch.from_numpy(np.stack([facs.prototype(name) for name in facs.EMOTIONS]))


class GANimation(Peer):
    """Trained by the checkout's `models.ganimation.GANimation`, set up by its own option parser.

    The public code is for Python 2 and torch 0.3: it is read through `to_python_3`. Its loop is
    bound to its visualiser, so the same calls are made here: the generator at every fifth batch,
    rates held for the first two thirds of the epochs and let down to nothing in the last.
    Differs: all 47 of mien's units, not OpenFace's 17; a discriminator that fits the side asked for
    (its own is for 128 px); the thirty epochs are thirtieths of the budget.
    """

    facts = Facts(
        name="ganimation",
        folder="GANimation",
        repository="https://github.com/albertpumarola/GANimation",
        commit="40da9ae1a88e6a3c38cd6548be08a61cbd6695ba",
        licence="GPL-3.0",
        batch=25,
    )
    shown = ("G", "D")

    def build(self, root: Path) -> None:
        plan = self.plan
        with opened(root, port=to_python_3) as import_, anywhere():
            options = import_("options.train_options").TrainOptions()
            options.initialize()
            self.options = options._parser.parse_args([])
            settings = {
                "is_train": True, "load_epoch": 0, "image_size": plan.size,
                "batch_size": plan.batch, "cond_nc": len(facs.UNITS), "checkpoints_dir": "",
                "gpu_ids": [0] if torch.cuda.is_available() else [],
            }  # fmt: skip
            vars(self.options).update(settings)
            networks = import_("networks.networks").NetworksFactory
            theirs: Any = import_("models.ganimation").GANimation

            class Sized(theirs):  # type: ignore[misc]
                def _create_discriminator(self) -> Any:
                    return networks.get_by_name(
                        "discriminator_wasserstein_gan",
                        c_dim=self._opt.cond_nc,
                        image_size=self._opt.image_size,
                    )

            self.model = Sized(self.options)
        self.nets = {"G": self.model._G, "D": self.model._D}
        self.optimisers = [self.model._optimizer_G, self.model._optimizer_D]

    def train(self, clock: Clock, folder: Path, split: str, seed: int, workers: int) -> None:
        data = Driven(folder, split, size=self.plan.size, seed=seed)
        made = batches(data, self.plan.batch, clock.first, self.plan.steps, workers)
        every = self.options.train_G_every_n_iterations
        self.model.set_train()
        with anywhere():
            for step in clock:
                batch = next(made)
                names = [str(step)] * self.plan.batch
                self.model.set_input(
                    {
                        "real_img": batch.pixels, "real_cond": batch.units,
                        "desired_cond": batch.desired, "sample_id": names,
                        "real_img_path": names,
                    }
                )  # fmt: skip
                self.model.optimize_parameters(train_generator=(step + 1) % every == 0)
                for _ in range(self._lowered(step + 1) - self._lowered(step)):
                    self.model.update_learning_rate()

    def _lowered(self, steps: int) -> int:
        """How often its rates are let down within `steps`: after each epoch but the first ones."""
        held, falling = self.options.nepochs_no_decay, self.options.nepochs_decay
        epochs: int = steps * (held + falling) // self.plan.steps
        return max(0, epochs - int(held))

    def scalars(self) -> Mapping[str, float]:
        return {"lr_G": self.model._current_lr_G, "lr_D": self.model._current_lr_D}

    def restore(self, scalars: Mapping[str, float], steps: int) -> None:
        self.model._current_lr_G, self.model._current_lr_D = scalars["lr_G"], scalars["lr_D"]
        for optimiser, name in zip(self.optimisers, ("lr_G", "lr_D"), strict=True):
            for group in optimiser.param_groups:
                group["lr"] = scalars[name]

    def row(self) -> PeerMethod:
        return GANimationRow(self.nets["G"], self.nets["D"], self.plan.size)


class GANimationRow(PeerMethod):
    """Action units, and labels by their prototypes. Code (B, 47): the units it is given.

    Inferred: a face's own units are what its discriminator reads, which learnt to; its authors have
    them from OpenFace.
    """

    name = "ganimation"
    native = (ActionUnits,)
    serves = (ActionUnits, Units, Label, Own)

    def __init__(self, generator: nn.Module, discriminator: nn.Module, size: int) -> None:
        super().__init__(size)
        self.generator, self.discriminator = generator, discriminator

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        _, read = self.discriminator(faces.pixels)
        # it drops the batch's dimension where that is one
        return Expression(whole(read).reshape(len(faces), -1).clamp(0, 1))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        return Expression(_PROTOTYPES.to(index.device)[index])

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(units)

    def units(self, expression: Expression[Tensor]) -> Tensor:
        units: Tensor = expression.code.clamp(0, 1)
        return units

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        pixels = identity.source.pixels
        colour, mask = self.generator(pixels, expression.code)
        return Composition(torch.zeros_like(pixels[:, :2]), whole(mask), whole(colour))
