"""How methods are trained, as far as they share it: by the rig's pairs, whose truth is known, with
critics of parts of the face; and what a run shows of a method and says of it.

What is a paper's own is in the method's `task.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from mien import facs
from mien.data.batch import Batch, Pairs, Shown, Strangers
from mien.data.loading import LabelledFaces, RigFaces, RigPairs
from mien.data.photographs import Photographs, StrangePhotographs, is_manifest, shown
from mien.errors import ConfigError
from mien.methods.config import MethodConfig, RigWeights
from mien.methods.learnt import Learnt
from mien.nn import losses
from mien.nn.alive import Answer
from mien.nn.blocks import initialise
from mien.nn.compose import resize
from mien.nn.parts import PartCritics
from mien.nn.phases import Group, Loss, Phase, Task, rate_at
from mien.types import Composition, Faces

Trained = TypeVar("Trained", bound=Learnt)

CROWD = 2048
"""People at most whose portraits are shown; there may be hundreds of thousands."""
AT_ONCE = 32


class MethodTask(Task[Trained]):
    """The training half of a method, which is what is kept of it."""

    config: MethodConfig
    from_truth: ClassVar[tuple[str, ...]] = ()
    """The paper's own weights that need the rig's truth, beside those of `RigWeights`."""

    def __init__(self, config: Any, data: Path, method: Trained) -> None:
        """data: folder of rig shards, or of aligned photographs."""
        super().__init__()
        self.config, self.data, self.method = config, data, method
        self.ema_images = config.training.ema_images

    @property
    def kept(self) -> Trained:
        return self.method

    def adversaries(self, *own: nn.Module, paired: bool = True) -> None:
        """Begin the task's own adversaries, and the critics of parts of the face.

        paired: whether the truth is known, without which no critic plays.
        """
        self.part_critics = PartCritics(self.config.weights, paired)
        for module in (*own, self.part_critics):
            initialise(module)

    # ---- data ------------------------------------------------------------------------------------

    def pairs(self, split: str, seed: int, portraits: bool = False) -> RigPairs:
        """The rig's pairs; portraits: with who they are of."""
        t = self.config.training
        return RigPairs(
            self.data, split, size=self.config.architecture.size, seed=seed,
            augment=split == "train", portraits=portraits, named=t.named, weak=t.weak,
        )  # fmt: skip

    def strangers(
        self, split: str, seed: int, portraits: bool = False
    ) -> RigPairs | StrangePhotographs:
        """Two people at a time: photographs, or the rig's pairs. ConfigError where photographs are
        to answer what the rig alone knows.
        """
        if not is_manifest(self.data):
            return self.pairs(split, seed, portraits)
        self.ask_no_truth()
        size, augment = self.config.architecture.size, split == "train"
        return StrangePhotographs(
            Photographs(self.data, split, size=size, seed=seed, augment=augment)
        )

    def ask_no_truth(self) -> None:
        """ConfigError for a term, or a kind of data, that photographs do not have."""
        paper = f"train recipes/{self.method.name}/paper_128.yaml"
        kind = getattr(self.config.training, "data", "unpaired")
        if kind != "unpaired":
            raise ConfigError(
                f"{self.data} holds photographs, and training.data is {kind}: {paper}"
            )
        needing = [f.name for f in fields(RigWeights) if f.name != "smooth"]
        for name in (*needing, *self.from_truth):
            if getattr(self.config.weights, name):
                raise ConfigError(
                    f"weights.{name} needs the rig's truth, and {self.data} holds photographs: "
                    f"set it to 0, or {paper}"
                )

    def faces(self, split: str, seed: int) -> LabelledFaces:
        """The rig's faces, one by one; ConfigError of photographs, which have no such stage."""
        if is_manifest(self.data):
            self.ask_no_truth()
        return LabelledFaces(
            RigFaces(self.data, split, size=self.config.architecture.size, seed=seed)
        )

    def portraits(self) -> Iterator[Tensor]:
        """The training people as they are, (n, 3, S, S) at a time: every photograph of the rig's;
        of photographs one of each person.
        """
        size = self.config.architecture.size
        if is_manifest(self.data):
            found = Photographs(self.data, "train", size=size, augment=False)
            still = np.random.default_rng(0)  # draws nothing without augmentation
            each = [of[0] for of in found.of.values()][:CROWD]
            read = (shown(found.photograph(k, still)).pixels for k in each)
        else:
            faces = RigFaces(self.data, "train", size=size, augment=False)
            own = {s: i for i, (s, _) in reversed(list(enumerate(faces.faces)))}
            read = (faces[i][0] for i in sorted(own.values()))
        while some := list(islice(read, AT_ONCE)):
            yield torch.stack(some)

    # ---- phases ----------------------------------------------------------------------------------

    def phase(
        self, name: str, groups: Sequence[Group], loss: Callable[[Any, int], Loss], **more: Any
    ) -> Phase:
        """A phase by the configuration's optimiser and rate; `more`: what is different."""
        t = self.config.training
        common: dict[str, Any] = {"betas": t.betas, "clip": t.clip, "schedule": self.rate}
        return Phase(name, groups, loss, **(common | more))

    def critics(self, lr: float, **more: Any) -> list[Phase]:
        """The phase in which the critics of parts learn, where any plays."""
        active = self.part_critics.active
        if not active:
            return []
        learn: Callable[[Any, int], Loss] = lambda *_: Loss(self.part_critics.critic_loss())  # noqa: E731
        return [self.phase("critic", [Group(active, lr)], learn, **more)]

    def rate(self, progress: float) -> float:
        """Factor of the learning rate at `progress` 0..1 of the budget."""
        t = self.config.training
        return rate_at(progress, t.warmup / t.images, t.decay)

    def truth_terms(
        self, edit: Composition[Tensor], result: Tensor, batch: Pairs
    ) -> dict[str, Tensor]:
        """Every term of an edit and its result (B, 3, S, S) beside the truth, and what the critics
        of parts say.

        Pixels weigh more where the expressions differ, inside an open mouth, and on the eyes: teeth
        and lids are few pixels.
        """
        t, truth, side = self.config.training, batch.truth, result.shape[-1]
        x, y = batch.source.pixels, batch.target.pixels
        weight = losses.emphasis(x, y, t.emphasis) + t.mouth * resize(truth.mouth, side)
        if t.eyes:
            lids = (batch.target.landmarks[:, losses.EYES] + 0.5) / side
            weight = weight + t.eyes * losses.heat(lids, side)
        return {
            "pixel": losses.pixel(result, y, weight),
            "edges": losses.edges(result, y, weight),
            "flow": losses.flow(edit, truth.flow, truth.visible, truth.known),
            "mask": losses.mask(edit, truth.visible, truth.known),
            "occlusion": losses.occlusion(edit, truth.visible, truth.known),
            "smooth": losses.smoothness(edit),
            **self.part_critics.terms(result, y, batch.target.landmarks),
        }

    # ---- what a run shows of itself --------------------------------------------------------------

    @torch.no_grad()
    def preview(self, average: Trained, batch: Batch) -> list[tuple[str, Tensor]]:
        """Source, every label, the source's own code; what another gives; where the truth is known,
        the target by units too.
        """
        source = _faces(batch.source.pixels)
        identity, x = average.identity(source), source.pixels
        columns = [("source", x)]
        for k, name in enumerate(facs.EMOTIONS):
            index = torch.full((len(x),), k, device=x.device)
            columns.append((name, average.decode(identity, average.from_labels(index))))
        columns.append(("own", average.decode(identity, average.encode(source))))
        if isinstance(batch, Strangers):
            donor = batch.donor.pixels
            columns += [
                ("donor", donor),
                ("like donor", average.decode(identity, average.encode(_faces(donor)))),
            ]
        if isinstance(batch, Pairs):
            columns += [
                ("by units", average.decode(identity, average.from_units(batch.target.units))),
                ("truth", batch.target.pixels),
            ]
        return columns

    @torch.no_grad()
    def validate(self, average: Trained, batch: Batch) -> dict[str, float]:
        """PSNR (dB) to the truth, by units and by reference, and of the unedited source; nothing
        where no truth is known.
        """
        if not isinstance(batch, Pairs):
            return {}
        x, y = batch.source.pixels, batch.target.pixels
        keep = (x - y).abs().flatten(1).amax(1) > 0
        identity = average.identity(_faces(x))
        edits = average.decode(identity, average.from_units(batch.target.units))
        donor = average.decode(identity, average.encode(_faces(batch.donor.pixels)))
        return {
            "psnr_nothing": psnr(x[keep], y[keep]),
            "psnr_units": psnr(edits[keep], y[keep]),
            "psnr_reference": psnr(donor[keep], y[keep]),
        }


def _faces(pixels: Tensor) -> Faces[Tensor]:
    """Pictures (B, 3, S, S) as a method takes them; none asks for landmarks."""
    return Faces(pixels, pixels.new_zeros(len(pixels), 68, 2))


def adversary_answer(
    values: Tensor, units: Tensor, emotion: Tensor, face: Shown, present: float
) -> Answer:
    """What an adversary says of codes that must not tell units and emotions of faces, (N, 47) and
    (N, 8), the surer the larger; values (B, ...): what it says of other codes.

    present: intensity from which a unit counts as present. Of a photograph with an emotion and no
    coded unit the units are its prototype's, a suggestion: there ranks of units are ranks of
    emotions.
    """
    there = torch.stack([face.label == k for k in range(emotion.shape[1])], 1)
    sure = (face.label >= 0)[:, None].expand_as(there)
    return Answer(
        values,
        torch.cat([units, emotion], 1),
        torch.cat([face.units >= present, there], 1),
        torch.cat([face.known, sure], 1),
    )


def some(share: float, count: int) -> int:
    """How many of a batch a share is, one at least."""
    return max(1, round(share * count))


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over the batch of 10 log10(4 / MSE) for images in [-1, 1], dB."""
    mse = (a - b).square().flatten(1).mean(1).clamp_min(1e-10)
    return float((10 * torch.log10(4 / mse)).mean())
