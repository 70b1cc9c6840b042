"""HiSD (Li et al., CVPR 2021): styles by tag; here one tag, the expression."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn

from mien import facs
from mien.bench.peers.base import STYLES, Facts, Peer, PeerMethod, device, whole
from mien.bench.peers.checkout import anywhere, opened
from mien.bench.peers.feed import Clock, batches, labelled
from mien.errors import AssetMissing
from mien.guides import Label, Reference
from mien.metrics.trials import Own
from mien.nn.compose import picture
from mien.types import Composition, Expression, Faces, Identity

TAG = 0
"""There is one tag, whose attributes are the eight expressions."""


class HiSD(Peer):
    """Trained by the checkout's `trainer.HiSD_Trainer.update`, with its `configs/celeba-hq.yaml`;
    its row is its own moving average. Its loop is a script that needs a GPU, so the same calls are
    made here: an expression, another one to be moved to, a batch of the first.

    Differs: tag-irrelevant conditions are one zero, as its authors have for sets without them;
    mien's crops, turned and lit at random, instead of its mirrored and tinted ones.
    """

    facts = Facts(
        name="hisd",
        folder="HiSD",
        repository="https://github.com/imlixinyang/HiSD",
        commit="c800b26bcd9b157760ac5f421998c4872666bdb8",
        licence="CC BY-NC-SA 4.0",
        batch=8,
    )
    shown = ("gen_test",)

    def build(self, root: Path) -> None:
        plan, path = self.plan, root / "configs" / "celeba-hq.yaml"
        if not path.is_file():
            raise AssetMissing(f"{path} is missing: is this the right checkout?")
        config = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name in ("beta1", "beta2"):
            config[name] = float(config[name])  # today's Adam refuses the integer 0
        tag = {
            "name": "expression",
            "tag_irrelevant_conditions_dim": 1,
            "attributes": [{"name": name} for name in facs.EMOTIONS],
        }
        config |= {
            "tags": [tag], "batch_size": plan.batch, "total_iterations": plan.steps,
            "new_size": plan.size, "crop_image_height": plan.size, "crop_image_width": plan.size,
        }  # fmt: skip
        with opened(root, "core") as import_:
            self.trainer: Any = import_("trainer").HiSD_Trainer(config)
        self.trainer.to(device())
        models = self.trainer.models
        self.nets = {"gen": models.gen, "gen_test": models.gen_test, "dis": models.dis}
        self.optimisers = [self.trainer.gen_opt, self.trainer.dis_opt]

    def train(self, clock: Clock, folder: Path, split: str, seed: int, workers: int) -> None:
        plan = self.plan
        data = labelled(folder, split, plan.batch, size=plan.size, seed=seed)
        made = batches(data, plan.batch, clock.first, plan.steps, workers)
        irrelevant = torch.zeros(plan.batch, 1, device=device())
        with anywhere():
            for _ in clock:
                batch = next(made)
                own, other = int(batch.source.label[0]), int(batch.wanted[0])
                self.trainer.update(batch.source.pixels.to(device()), irrelevant, TAG, own, other)

    def row(self) -> PeerMethod:
        return HiSDRow(self.nets["gen_test"], self.plan.size)


class HiSDRow(PeerMethod):
    """Labels and references. Code (B, style): the style of the tag.

    Inferred: a label is the mean of many of its random styles; weaker edits lie on the line from
    the source's own extracted style.
    """

    name = "hisd"
    native = (Label, Reference)
    serves = (Label, Reference, Own)

    def __init__(self, generator: nn.Module, size: int) -> None:
        super().__init__(size)
        self.generator: Any = generator

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        return Expression(whole(self.generator.extract(faces.pixels, TAG)))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        noise = torch.Generator().manual_seed(0)
        drawn = torch.randn(STYLES, self.generator.noise_dim, generator=noise).to(index.device)
        return self.typical(index, lambda k: whole(self.generator.map(drawn, TAG, k)).mean(0))

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        features = self.generator.encode(identity.source.pixels)
        moved = self.generator.translate(features, expression.code, TAG)
        return picture(whole(self.generator.decode(moved)))
