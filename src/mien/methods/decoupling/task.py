"""How decoupling is trained: codes alone on single faces, then a layer of the GAN after the other,
then the composing head. Every stage is a phase of its own, with its own optimiser (ProGAN resets
its optimiser at each layer); the adversary and the discriminator learn beside them.

The paper's part needs unpaired faces with labels: photographs, or the rig's. What needs the rig's
truth has weight 0 by default (Differs).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.batch import Batch, Pairs, Strangers
from mien.data.loading import Changing, RigPairs
from mien.data.photographs import StrangePhotographs, is_manifest
from mien.errors import ConfigError
from mien.methods.decoupling import losses, views
from mien.methods.decoupling.codes import Codes, Seen
from mien.methods.decoupling.config import DecouplingConfig
from mien.methods.decoupling.feeding import driven, fed_back
from mien.methods.decoupling.method import Decoupling
from mien.methods.task import MethodTask, adversary_answer, some
from mien.nn import losses as shared
from mien.nn.alive import Answer
from mien.nn.code_reader import CodeReader
from mien.nn.compose import compose
from mien.nn.growth import CODES, EDITS, ResolutionStage, stage_at, stages
from mien.nn.phases import Group, Loss, Phase
from mien.nn.progressive import Discriminator, channels, faded
from mien.nn.spread import keep_newest
from mien.nn.units import read_error
from mien.types import Faces


class DecouplingTask(MethodTask[Decoupling]):
    """Phases and data of decoupling for a config."""

    config: DecouplingConfig
    from_truth: ClassVar[tuple[str, ...]] = ("same", "transfer")
    crowd: Tensor
    met: Tensor
    steps: Tensor

    def __init__(self, config: DecouplingConfig, data: Path) -> None:
        super().__init__(config, data, Decoupling(config.architecture))
        a, sides = config.architecture, self.method.layout.sides
        self.reader = CodeReader(sum(self.method.layout.lengths), a.reader)
        self.discriminator = Discriminator(
            [channels(a.discriminator, a.discriminator_max, side) for side in sides]
        )
        self.adversaries(self.reader)
        self.stages = stages(config.training, sides)
        self.register_buffer(
            "crowd", torch.zeros(config.training.crowd, len(self.method.crowd.mean))
        )
        self.register_buffer("met", torch.tensor(0))
        # of the discriminator, for the lazy gradient penalty
        self.register_buffer("steps", torch.tensor(0))
        self.fakes = torch.empty(0)  # the last pictures, for the discriminator
        self.codes = torch.empty(0)  # the last identity codes, for the adversary
        self.composed = False  # whether the composing head has begun to learn
        self.grow(0)

    def dataset(self, split: str, seed: int) -> RigPairs | Changing | StrangePhotographs:
        """Two people at a time, photographs or the rig's; of the rig first single faces, where
        codes are learnt alone.
        """
        first, pairs = self.stages[0], self.strangers(split, seed)
        if split != "train" or first.name != CODES or is_manifest(self.data):
            return pairs
        return Changing(self.faces(split, seed), pairs, first.stop)

    def ask_no_truth(self) -> None:
        super().ask_no_truth()
        if self.config.training.edits:
            raise ConfigError(f"training.edits needs the rig's truth, not photographs: {self.data}")

    # ---- the list of phases --------------------------------------------------------------------

    def phases(self) -> Sequence[Phase]:
        t, w, m = self.config.training, self.config.weights, self.method
        reading = [m.encoder.trunk, m.encoder.pyramid, m.encoder.expression, m.code_maps]
        drawing = [m.encoder.identity, m.generator, m.feedback]
        groups = {CODES: [Group(reading, t.lr_codes)]}
        grown = [Group(reading, t.lr_codes), Group(drawing, t.lr)]
        groups[EDITS] = [*grown, Group([m.composer, m.head], t.lr_composer)]
        phases = []
        for stage in self.stages:
            name = stage.name if stage.name in groups else f"picture_{stage.name}"
            loss = {CODES: self.read, EDITS: self.edit}.get(stage.name, self.picture)
            when = stage.when(t)
            own = groups.get(stage.name, grown)
            phases.append(self.phase(name, own, loss, **when, weight_decay=t.weight_decay))
            if stage.name != CODES and w.realism:
                judge = [Group([self.discriminator], t.lr_discriminator)]
                every = {"every": t.adversary_every}
                phases.append(self.phase(f"judge_{stage.name}", judge, self.judge, **when, **every))
            if stage.name == EDITS:
                phases += self.critics(t.lr_discriminator, **when)
        later = [stage for stage in self.stages if stage.name != CODES]
        if later and w.uniform:
            whole = ResolutionStage("reader", 0, later[0].start, later[-1].stop)
            reader = [Group([self.reader], t.lr_codes)]
            phases.append(self.phase("reader", reader, self.read_identity, **whole.when(t)))
        return phases

    def grow(self, seen: int) -> float:
        """Tell generator and discriminator how far they have grown."""
        grown = stage_at(self.stages, seen).grown(seen, self.config.training)
        for network in (self.method.generator, self.discriminator):
            network.grown.fill_(grown)
        return grown

    # ---- codes alone ---------------------------------------------------------------------------

    def read(self, batch: Batch, seen: int) -> Loss:
        """Single faces: units and emotions from expression codes."""
        face = batch.source
        code = self.method.encoder.expressions(face.pixels)
        parts = self.code_terms(code, face.units, face.known, face.label)
        return Loss.weighed(parts, self.config.weights)

    def code_terms(
        self, code: Tensor, units: Tensor, known: Tensor, label: Tensor
    ) -> dict[str, Tensor]:
        """What expression codes must say, units where `known` (B, 47), and the map from units that
        must meet them where all are.
        """
        maps, w = self.method.code_maps, self.config.weights
        parts = {}
        if w.units:
            parts["units"] = read_error(maps.to_units(code), units, known)
        if w.mapped:
            mapped, whole = maps.to_code(units), known.amin(1)
            error = ((mapped - code).abs().mean(1) * whole).sum() / whole.sum().clamp_min(1)
            parts["mapped"] = error + read_error(maps.to_units(mapped), units, whole)
        if w.classification:
            parts["classification"] = shared.classification(maps.to_emotions(code), label)
        return parts

    # ---- pictures from codes -------------------------------------------------------------------

    def look(self, batch: Strangers, n: int, images: int) -> Seen:
        """The encoder's codes of a batch and of its first n donors, and those that the generator is
        taught with: as read, with the noise, or for some faces as the map makes them of units that
        are known.
        """
        m, t = self.method, self.config.training
        x, donor_faces = batch.source.pixels, batch.donor[:n]
        faces, count = [x, donor_faces.pixels], len(x)
        if isinstance(batch, Pairs):
            faces.append(batch.target.pixels[:n])
        read = m.encoder(torch.cat(faces))
        own = Codes(*(code[:count] for code in read))
        donors = Codes(*(code[count : count + n] for code in read))
        self.meet(own.identity)
        by_units = torch.rand(count, 1, device=x.device) >= t.reference_share
        by_units &= batch.source.known.amin(1)[:, None] > 0
        how = own.expression + t.noise * torch.randn_like(own.expression)
        how = torch.where(by_units, m.code_maps.to_code(batch.source.units), how)
        after = driven(m, faded(donor_faces.pixels, self.grow(images)), donors)
        by_reference = torch.rand(n, 1, device=x.device) < t.reference_share
        by_reference |= donor_faces.known.amin(1)[:, None] == 0
        mapped = m.code_maps.to_code(batch.donor.units)
        noisy = after + t.noise * torch.randn_like(after)
        rest = mapped[n:] if isinstance(batch, Pairs) else how[n:].detach()
        wanted = torch.cat([torch.where(by_reference, noisy, mapped[:n]), rest])
        who = own.identity + t.noise_identity * torch.randn_like(own.identity)
        same = after is donors.expression
        donor_codes = donors.expression if same else torch.cat([donors.expression, after])
        target = read.identity[count + n :] if isinstance(batch, Pairs) else None
        return Seen(own, donor_codes, target, who, how, wanted)

    def meet(self, codes: Tensor) -> None:
        """Keep the newest identity codes (B, D), and hand them to the adversary."""
        self.codes = codes.detach()
        keep_newest(self.crowd, self.met, self.codes)
        before, every = int(self.met) - len(codes), self.config.training.crowd_every * len(codes)
        # early on more often: codes change most while little is learnt
        new = before < len(self.crowd) or not self.method.crowd.known
        if new or before // every < int(self.met) // every:
            self.method.crowd.fit(self.crowd[: min(int(self.met), len(self.crowd))])

    def separation(self, seen: Seen, batch: Strangers) -> dict[str, Tensor]:
        """Expression codes say the expression, those of donors before and after the passes of the
        feedback network; identity codes must not.
        """
        w, n = self.config.weights, self.part(batch)
        faces = [batch.source, *[batch.donor[:n]] * (len(seen.donor_codes) // n)]
        units, label, known = (
            torch.cat([getattr(f, k) for f in faces]) for k in ("units", "label", "known")
        )
        parts = self.code_terms(
            torch.cat([seen.own.expression, seen.donor_codes]), units, known, label
        )
        if w.uniform:
            parts["uniform"] = losses.cannot_read(self.reader(seen.own.identity))
        if w.same and seen.target is not None:
            parts["same"] = (seen.own.identity[:n] - seen.target).square().mean()
        return parts

    def picture(self, batch: Strangers, seen: int) -> Loss:
        """A step of one layer of the progressive GAN."""
        n = self.part(batch)
        codes = self.look(batch, n, seen)
        parts = self.separation(codes, batch) | self.drawn(codes, batch, n, seen)
        return Loss.weighed(parts, self.config.weights)

    def drawn(self, seen: Seen, batch: Strangers, n: int, images: int) -> dict[str, Tensor]:
        """The terms of pictures from codes alone: rebuilt, given another expression where the truth
        is known (every other face), seen by the feedback network and judged. Of strangers the
        discriminator says whether a face with another's expression looks like a photograph.
        """
        w, grown = self.config.weights, self.grow(images)
        count, pairs = len(seen.who), isinstance(batch, Pairs)
        faces = batch.source.pixels, (batch.target if pairs else batch.source).pixels  # type: ignore[attr-defined]
        x, y = (faded(face[:count], grown) for face in faces)
        odd = torch.arange(count, device=x.device) % 2 == 1
        transfers = odd if w.transfer else torch.zeros_like(odd)
        how = torch.where(transfers[:, None], seen.wanted, seen.how)
        truth = torch.where(transfers[:, None, None, None], y, x)
        codes = Codes(seen.who, how)
        made = self.method.generator(codes)
        # an expression is few pixels: without emphasis, leaving it as it was is nearly right
        far = shared.absolute(made, truth, shared.emphasis(x, y, self.config.training.emphasis))
        parts = {"reconstruction": far[~transfers].mean()}
        if w.transfer:
            parts["transfer"] = far[transfers].sum() / transfers.sum().clamp_min(1)
        if w.structure:
            parts["structure"] = shared.structure(made, truth).mean()
        first = Codes(codes.identity[:n], codes.expression[:n])
        other = torch.where(transfers[:, None], seen.how, seen.wanted)[:n]
        parts |= fed_back(self.method, w, first, other, made[:n], truth[:n])
        if w.realism:
            pictures = torch.cat([made[:n], self.method.generator(self.invented(batch, n))])
            if not pairs:
                swapped = self.method.generator(Codes(first.identity, other))
                pictures = torch.cat([pictures, swapped])
            parts["realism"] = shared.logistic_real(self.discriminator(pictures))
            self.fakes = pictures.detach()
        return parts

    def invented(self, batch: Strangers, count: int) -> Codes:
        """Codes of people who do not exist, with expressions that the batch names."""
        device = self.crowd.device
        normal = torch.randn(count, self.config.architecture.people, device=device)
        who = self.method.crowd.draw(normal)
        with torch.no_grad():
            return Codes(who, self.method.code_maps.to_code(batch.donor.units[:count]))

    # ---- the composing head --------------------------------------------------------------------

    def edit(self, batch: Pairs, seen: int) -> Loss:
        """The composition against the rig's truth; pictures from codes go on beside it."""
        self.composed = True
        m, n = self.method, self.part(batch)
        codes = self.look(batch, n, seen)
        parts = self.separation(codes, batch)
        parts |= self.drawn(codes.first(2 * n), batch, n, seen)
        x = batch.source.pixels
        own, wanted = self.after_passes(x, codes, n)
        edit = m.edited(x, own, wanted)
        result = compose(x, edit)
        parts |= self.truth_terms(edit, result, batch)
        if self.config.weights.realism:
            judged = shared.logistic_real(self.discriminator(result[:n]))
            parts["realism"] = parts["realism"] + judged
            self.fakes = torch.cat([self.fakes, result[:n].detach()])
        return Loss.weighed(parts, self.config.weights)

    def after_passes(self, x: Tensor, codes: Seen, n: int) -> tuple[Codes, Tensor]:
        """Own codes, and the expression codes wanted: of the first n as an edit has them, after all
        passes, of the others as read.
        """
        first = Codes(codes.who[:n], codes.how[:n])
        with torch.no_grad():
            seen = self.method.refined(x[:n], first)
        manner = F.pad(seen.expression - first.expression, (0, 0, 0, len(x) - n))
        who = torch.cat([seen.identity, codes.who[n:]])
        return Codes(who, codes.how + manner), codes.wanted + manner

    # ---- the adversaries -----------------------------------------------------------------------

    def read_identity(self, batch: Strangers, seen: int) -> Loss:
        """The adversary reads the last identity codes."""
        read = losses.read_out(
            self.reader(self.codes), batch.source.label, batch.source.units, batch.source.known,
            self.config.training.present,
        )  # fmt: skip
        return Loss({"read": read})

    def judge(self, batch: Strangers, seen: int) -> Loss:
        """The discriminator on the last pictures, and on as many photographs."""
        w, t, n = self.config.weights, self.config.training, len(self.fakes)
        both = torch.cat([batch.source.pixels, batch.donor.pixels])
        chosen = torch.randperm(len(both), device=both.device)[:n]
        real = faded(both[chosen], self.grow(seen)).detach().requires_grad_()
        answers = self.discriminator(real)
        fake = shared.logistic_fake(self.discriminator(self.fakes))
        parts = {"apart": shared.logistic_real(answers) + fake}
        if w.r1 and int(self.steps) % t.r1_every == 0:
            parts["r1"] = 0.5 * w.r1 * t.r1_every * shared.r1(answers, real)
        self.steps += 1
        return Loss(parts)

    def part(self, batch: Strangers) -> int:
        """How many of a batch are judged, looked at again and swapped."""
        return some(self.config.training.share, len(batch))

    # ---- the end of a run, and what it shows of itself -----------------------------------------

    @torch.no_grad()
    def conclude(self, average: Decoupling) -> None:
        """The spread of the training people's identity codes, from every photograph of the rig's,
        or one of each person, as it is and mirrored.
        """
        found = []
        for faces in self.portraits():
            pixels = faces.to(average.device)
            found += [average.encoder(p).identity for p in (pixels, pixels.flip(3))]
        average.crowd.fit(torch.cat(found))

    def answers(self, average: Decoupling, batch: Batch) -> dict[str, Answer]:
        """What the adversaries say: the reader of codes of people's spread, and of the average's
        identity codes, which must not tell units and emotions; the discriminator of faces; and the
        steps of the feedback network.
        """
        x, w, found = batch.source.pixels, self.config.weights, {}
        own, present = average.encoder(x), self.config.training.present
        if w.uniform:
            noise = torch.cat(self.reader(torch.randn_like(own.identity)), 1)
            emotion, units = self.reader(own.identity)
            found["separation adversary"] = adversary_answer(
                noise, units, emotion, batch.source, present
            )
        if w.realism:
            seen = faded(x, float(self.discriminator.grown))
            found["discriminator"] = Answer(self.discriminator(seen)[:, None])
        if w.refined or w.latent or w.swap:
            found["feedback"] = Answer(average.feedback(x, average.drawn(own)).expression)
        return found

    @torch.no_grad()
    def preview(self, average: Decoupling, batch: Batch) -> list[tuple[str, Tensor]]:
        """Codes alone after one pass and after all, given other expressions, another's among them,
        and people invented; the composing head once it learns.
        """
        x, side = batch.source.pixels, batch.source.pixels.shape[-1]
        columns = views.codes_alone(average, x)
        if isinstance(batch, Strangers):
            columns += views.transferred(average, x, batch.donor.pixels)
        if int(self.met) >= len(x) and isinstance(batch, Strangers):
            columns.append(("nobody", average.drawn(self.invented(batch, len(x)))))
        if self.stages[-1].name == EDITS and self.composed:
            columns += super().preview(average, batch)[1:]
        return [(name, F.interpolate(p, size=(side, side))) for name, p in columns]

    @torch.no_grad()
    def validate(self, average: Decoupling, batch: Batch) -> dict[str, float]:
        """How well codes alone rebuild (`views.numbers`); the base's numbers once the composing
        head learns.
        """
        if not isinstance(batch, Pairs):
            return views.rebuilt(average, batch.source.pixels)
        target, donor = batch.target, Faces(batch.donor.pixels, batch.donor.landmarks)
        x, y = batch.source.pixels, target.pixels
        numbers = views.numbers(average, x, y, target.units, donor)
        return numbers | (super().validate(average, batch) if self.composed else {})
