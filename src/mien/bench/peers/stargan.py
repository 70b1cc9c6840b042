"""StarGAN (Choi et al., CVPR 2018): one generator, given the wanted expression as a label."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs
from mien.bench.peers.base import Facts, Peer, PeerMethod, whole
from mien.bench.peers.checkout import argument_defaults, opened
from mien.bench.peers.feed import Clock, Loader, batches, labelled
from mien.guides import Label
from mien.metrics.trials import Own
from mien.nn.compose import picture
from mien.types import Composition, Expression, Faces, Identity


class StarGAN(Peer):
    """Trained by the checkout's `solver.Solver.train`, with the defaults of its `main.py`.

    Differs: labelled as its RaFD (one of eight, softmax); mien's crops, turned and lit at random
    instead of its mirrored ones. Its learning rates stay: by its own rule they would end
    within a thousandth of where they began.
    """

    facts = Facts(
        name="stargan",
        folder="stargan",
        repository="https://github.com/yunjey/stargan",
        commit="94dd002e93a2863d9b987a937b85925b80f7a19f",
        licence="MIT",
        batch=16,
    )
    shown = ("G", "D")

    def build(self, root: Path) -> None:
        plan = self.plan
        never = plan.steps + 1
        config = Namespace(**argument_defaults(root / "main.py"))
        settings = {
            "dataset": "RaFD", "mode": "train", "c_dim": len(facs.EMOTIONS),
            "image_size": plan.size, "batch_size": plan.batch, "num_iters": plan.steps,
            "use_tensorboard": False, "sample_step": never, "model_save_step": never,
            "lr_update_step": never,
        }  # fmt: skip
        vars(config).update(settings)
        with opened(root) as import_:
            self.solver: Any = import_("solver").Solver(None, None, config)
        self.solver.restore_model = lambda _: None  # `run` has brought the weights back
        self.nets = {"G": self.solver.G, "D": self.solver.D}
        self.optimisers = [self.solver.g_optimizer, self.solver.d_optimizer]

    def train(self, clock: Clock, folder: Path, split: str, seed: int, workers: int) -> None:
        plan = self.plan
        # one to a batch: every face draws its own label
        data = labelled(folder, split, 1, size=plan.size, seed=seed)

        def made(first: int) -> Iterator[tuple[Tensor, Tensor]]:
            for batch in batches(data, plan.batch, first, plan.steps, workers):
                yield batch.source.pixels, batch.source.label

        self.solver.rafd_loader = Loader(clock, made, warm=1)
        self.solver.resume_iters = clock.first
        self.solver.train()

    def row(self) -> PeerMethod:
        return StarGANRow(self.nets["G"], self.nets["D"], self.plan.size)


class StarGANRow(PeerMethod):
    """Labels alone. Code (B, 8): how much of each expression the generator is given.

    Inferred: a face's own expression is the one that its discriminator, which learnt to
    classify, names; weaker edits lie on the line from there.
    """

    name = "stargan"
    native = (Label,)
    serves = (Label, Own)

    def __init__(self, generator: nn.Module, discriminator: nn.Module, size: int) -> None:
        super().__init__(size)
        self.generator, self.discriminator = generator, discriminator

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        _, logits = self.discriminator(faces.pixels)
        return self.from_labels(whole(logits).argmax(1))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        return Expression(F.one_hot(index, len(facs.EMOTIONS)).float())

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        return picture(whole(self.generator(identity.source.pixels, expression.code)))

    def train(self, mode: bool = True) -> Self:
        # its authors never leave training's mode: each picture's own statistics, not the kept ones
        return super().train(True)
