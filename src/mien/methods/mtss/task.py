"""How mtss is trained: the paper's unpaired phases, and the rig's paired ones.

`unpaired` follows HiSD's public loop with MTSS's additions: one generator step and one
discriminator step per batch, the fakes reused detached. `pairs` adds the rig's truth (Differs) and
keeps the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.batch import Batch, Named, Pairs
from mien.data.loading import RigLabelled, RigPairs
from mien.data.photographs import NamedPhotographs, Photographs, is_manifest
from mien.methods.mtss import losses
from mien.methods.mtss.config import MTSSConfig
from mien.methods.mtss.method import MTSS
from mien.methods.mtss.networks import Discriminator, StyleClassifier
from mien.methods.task import MethodTask
from mien.nn import losses as shared
from mien.nn.alive import Answer
from mien.nn.compose import compose
from mien.nn.phases import Group, Loss, Phase, fixed
from mien.nn.units import prototypes, read_error


class MTSSTask(MethodTask[MTSS]):
    """Phases, data and previews of mtss for a config."""

    config: MTSSConfig
    steps: Tensor

    def __init__(self, config: MTSSConfig, data: Path) -> None:
        super().__init__(config, data, MTSS(config.architecture))
        self.classifier = StyleClassifier(config.architecture)
        self.discriminator = Discriminator(config.architecture)
        self.adversaries(
            self.classifier, self.discriminator, paired=config.training.data == "pairs"
        )
        self.fakes: tuple[Tensor, Tensor] | None = None
        self.register_buffer("steps", torch.tensor(0))  # of the discriminator, for lazy R1

    def dataset(self, split: str, seed: int) -> RigPairs | RigLabelled | NamedPhotographs:
        """The rig's pairs; or labelled faces, photographs' or the rig's."""
        t, size = self.config.training, self.config.architecture.size
        if t.data == "pairs" and not is_manifest(self.data):
            return self.pairs(split, seed)
        # Differs: the ancestor's batches share one emotion, and a classifier of one label a step
        # pulls every style to it in turn: after 30,000 images it was at chance
        alike = 1 if t.mixed else t.batch
        if is_manifest(self.data):
            self.ask_no_truth()
            photographs = Photographs(self.data, split, size=size, seed=seed)
            return NamedPhotographs(photographs, alike)
        return RigLabelled(self.data, split, alike, size=size, seed=seed)

    def phases(self) -> Sequence[Phase]:
        t, m = self.config.training, self.method
        rest = [c for name, c in m.named_children() if name != "mapper"] + [self.classifier]
        groups = [Group(rest, t.lr), Group([m.mapper], t.lr_mapper)]
        loss = self.paired if t.data == "pairs" else self.unpaired
        phases = [self.phase("generator", groups, loss, weight_decay=t.weight_decay)]
        # as in HiSD, the adversaries' rate and decay are constant
        steady: dict[str, Any] = {"weight_decay": t.weight_decay, "schedule": lambda _: 1.0}
        if self.config.weights.adversarial:
            judge = [Group([self.discriminator], t.lr_discriminator)]
            phases.append(
                self.phase("discriminator", judge, self.judge, every=t.adversary_every,
                           start=self.join, **steady)
            )  # fmt: skip
        return phases + self.critics(t.lr_discriminator, **steady)

    @property
    def join(self) -> int:
        """Images after which the adversary joins."""
        return int(self.config.training.adversary_from * self.config.training.images)

    # ---- the paper's generator step ------------------------------------------------------------

    def unpaired(self, batch: Named, seen: int) -> Loss:
        """No-translation, self-translation, translation and cycle (HiSD), with MTSS's two terms."""
        m = self.method
        x, i, j = batch.source.pixels, batch.source.label, batch.wanted
        content, skip, style_map = m.separate(x)
        own = m.extractor(x)
        asked = m.mapper(torch.randn(len(x), m.architecture.latent, device=x.device), j)
        plain = compose(x, m.head(m.decoder(content, skip), x))
        itself = compose(x, m.translate(x, content, skip, own, own))
        translated = compose(x, m.translate(x, content, skip, own, asked))
        again, skip_again, _ = m.separate(translated)
        worn = m.extractor(translated)
        cycled = compose(translated, m.translate(translated, again, skip_again, worn, own))
        self.fakes = translated.detach(), cycled.detach()
        one, two = self.discriminator(translated)[0], self.discriminator(cycled)[1]
        with fixed(m.extractor, self.classifier):
            said = self.classifier(m.extractor.conclude(m.sdu.inject(style_map)))
        parts = {
            "reconstruction": sum((r - x).abs().mean() for r in (plain, itself, cycled)),
            "style": (worn - asked).abs().mean(),
            "adversarial": -losses.pick(one, j).mean() - losses.pick(two, i).mean(),
            "classification": losses.classification(self.classifier, (own, asked), (i, j)),
            # Differs: it teaches the unit alone, in the terms of whoever learns to read faces
            "style_part": F.cross_entropy(said, i, ignore_index=-1),
            "orthogonality": self.orthogonality(style_map, skip),
            "align": (self.own_styles(batch) - own.detach()).abs().mean(),
            "units": self.label_error(own, batch),
        }
        return Loss.weighed(parts, self.config.weights)

    def own_styles(self, batch: Named) -> Tensor:
        """The style mapped from the units of the source's label: teaches the unit map beside the
        paper's nets.
        """
        units = prototypes().to(batch.source.pixels)[batch.source.label]
        return self.method.unit_map.to_code(units)  # type: ignore[no-any-return]

    def label_error(self, own: Tensor, batch: Named) -> Tensor:
        """Squared error of the units read from the (detached) style of labelled faces."""
        units = prototypes().to(own)[batch.source.label]
        read = self.method.unit_map.to_units(own.detach())
        return read_error(read, units, units.new_ones(len(units)))

    # ---- the generator step with the rig's truth ----------------------------------------------

    def paired(self, batch: Pairs, seen: int) -> Loss:
        """Source to target with pixel, edge, flow and mask truth; styles from donor, units and
        label agree.
        """
        m, w = self.method, self.config.weights
        x, y = batch.source.pixels, batch.target.pixels
        content, skip, style_map = m.separate(x)
        read = m.extractor(torch.cat([x, batch.donor.pixels]))
        own, donor = read.chunk(2)
        mapped = m.unit_map.to_code(batch.target.units)
        z = torch.randn(len(x), m.architecture.latent, device=x.device)
        named = m.mapper(z, batch.target.label.clamp_min(0))
        edit = m.translate(x, content, skip, own, self.draw_style(donor, mapped, named, batch))
        result = compose(x, edit)
        labelled = (batch.target.label >= 0).float()[:, None]
        tail = m.extractor.conclude(m.sdu.inject(style_map))
        parts = {
            "align": (donor - mapped).abs().mean()
            + (
                batch.source.exact[:, None] * (own - m.unit_map.to_code(batch.source.units)).abs()
            ).mean()
            + (labelled * (named - mapped.detach()).abs()).mean(),
            "units": self.unit_error(own, donor, tail, batch),
            "classification": losses.classification(
                self.classifier,
                (own, donor, named),
                (batch.source.label, batch.target.label, batch.target.label),
            ),
            "style_part": losses.classification(self.classifier, (tail,), (batch.source.label,)),
            "orthogonality": self.orthogonality(style_map, skip),
        }
        parts |= self.truth_terms(edit, result, batch)
        if w.adversarial and seen >= self.join:
            parts["adversarial"] = self.fool(result, y, batch)
        return Loss.weighed(parts, self.config.weights)

    def draw_style(self, donor: Tensor, mapped: Tensor, named: Tensor, batch: Pairs) -> Tensor:
        """Per face one of the three guides: reference, units, or label where the target has one."""
        u = torch.rand(len(donor), 1, device=donor.device)
        labelled = batch.target.label[:, None] >= 0
        third = torch.where(labelled, named, mapped)
        return torch.where(u < 0.4, donor, torch.where(u < 0.65, mapped, third))

    def unit_error(self, own: Tensor, donor: Tensor, tail: Tensor, batch: Pairs) -> Tensor:
        """Squared error of the units read from the extracted styles, and from the unit map's own
        styles.
        """
        read = self.method.unit_map.to_units
        back = read(self.method.unit_map.to_code(batch.target.units))
        exact = batch.source.exact[:, None]
        error: Tensor = (
            (exact * (read(own) - batch.source.units).square()).sum(1).mean()
            + (read(donor) - batch.target.units).square().sum(1).mean()
            + (back - batch.target.units).square().sum(1).mean()
        )
        return error

    def fool(self, result: Tensor, real: Tensor, batch: Pairs) -> Tensor:
        """The adversarial term on labelled targets; keeps what the discriminator will look at."""
        keep = batch.target.label >= 0
        if not bool(keep.any()):
            self.fakes = None
            return result.new_zeros(())
        self.fakes = result[keep].detach(), real[keep]
        return -losses.pick(self.discriminator(result[keep])[0], batch.target.label[keep]).mean()

    # ---- shared --------------------------------------------------------------------------------

    def answers(self, average: MTSS, batch: Batch) -> dict[str, Answer]:
        """What the discriminator says of faces, and the classifier of the average's styles."""
        x, w, found = batch.source.pixels, self.config.weights, {}
        if w.adversarial:
            found["discriminator"] = Answer(torch.cat(self.discriminator(x), 1))
        if w.classification:
            found["style classifier"] = Answer(self.classifier(average.extractor(x)))
        return found

    def orthogonality(self, style_map: Tensor, content_map: Tensor) -> Tensor:
        if self.config.training.orthogonality == "cosine":
            return losses.orthogonality_cosine(style_map, content_map)
        return losses.orthogonality_gram(style_map, content_map)

    def judge(self, batch: Pairs | Named, seen: int) -> Loss:
        """The discriminator's step on the generator's last, detached fakes: hinge and R1."""
        w, t = self.config.weights, self.config.training
        if self.fakes is None:
            return Loss({"real": self.discriminator(batch.source.pixels[:1])[0].sum() * 0.0})
        first, second = self.fakes
        if isinstance(batch, Pairs):
            label = batch.target.label[batch.target.label >= 0]
            real_label, real = label, second
        else:
            label, real_label, real = batch.wanted, batch.source.label, batch.source.pixels
        real = real.detach().requires_grad_()
        one, two = self.discriminator(real)
        one, two = losses.pick(one, real_label), losses.pick(two, real_label)
        fake = losses.pick(self.discriminator(first)[0], label)
        parts = {"real": shared.hinge_real(one), "fake": shared.hinge_fake(fake)}
        heads = [one]
        if isinstance(batch, Named):
            cycled = losses.pick(self.discriminator(second)[1], batch.source.label)
            parts |= {"real_cycle": shared.hinge_real(two), "fake_cycle": shared.hinge_fake(cycled)}
            heads.append(two)
        if w.r1 and int(self.steps) % t.r1_every == 0:
            parts["r1"] = w.r1 * t.r1_every * torch.stack([shared.r1(h, real) for h in heads]).sum()
        self.steps += 1
        return Loss(parts)
