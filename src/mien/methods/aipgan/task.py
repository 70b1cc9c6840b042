"""How aipgan is trained: the discriminator, then both encoders and the decoder together.

`unpaired` sees two strangers at a time: the paper. `pairs` also knows what the first looks like
with the expression of the second (Differs), and keeps every other term. `faces` is a first stage
for the expression encoder and the map from units alone, which are cheap and need more faces than
the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from mien.data.batch import Batch, Pairs, Shown, Strangers
from mien.data.loading import LabelledFaces, RigPairs
from mien.data.photographs import StrangePhotographs
from mien.errors import ConfigError
from mien.methods.aipgan import losses
from mien.methods.aipgan.config import AIPGANConfig
from mien.methods.aipgan.method import AIPGAN
from mien.methods.aipgan.networks import INTRINSIC, Discriminator
from mien.methods.task import MethodTask, psnr, some
from mien.nn import losses as shared
from mien.nn.alive import Answer
from mien.nn.compose import compose, resize, warp
from mien.nn.phases import Group, Loss, Phase
from mien.nn.units import read_error
from mien.types import Expression, Faces

JUDGED = ("realism", "judged_units", "judged_person")


class AIPGANTask(MethodTask[AIPGAN]):
    """Phases and data of aipgan for a config."""

    config: AIPGANConfig

    def __init__(self, config: AIPGANConfig, data: Path) -> None:
        super().__init__(config, data, AIPGAN(config.architecture))
        self.discriminator = Discriminator(config.architecture, config.training.people)
        self.adversaries(self.discriminator, paired=config.training.data == "pairs")

    def dataset(self, split: str, seed: int) -> RigPairs | LabelledFaces | StrangePhotographs:
        """Two people at a time, with portraits; ConfigError when they are more people than there is
        room for.
        """
        if self.config.training.data == "faces":
            return self.faces(split, seed)
        pairs, room = self.strangers(split, seed, portraits=True), self.config.training.people
        count = len(pairs.people)
        if split == "train" and count > room:
            raise ConfigError(
                f"{self.data} has {count} training people and training.people is {room}: "
                f"say --set training.people={count}"
            )
        return pairs

    @property
    def gate(self) -> nn.Module | None:
        """What is taught by the intrinsic image alone: the identity's gate, where it chooses."""
        return self.method.identity_encoder.gate() if self.config.weights.intrinsic else None

    def phases(self) -> Sequence[Phase]:
        t, m = self.config.training, self.method
        reading = [m.expression_encoder, m.expression_features, m.unit_map]
        decay = {"weight_decay": t.weight_decay}
        if t.data == "faces":
            return [self.phase("expression", [Group(reading, t.lr)], self.read, **decay)]
        phases = []
        if self.judged:
            when = {"every": t.adversary_every, "start": self.join}
            judge = [Group([self.discriminator], t.lr_discriminator)]
            phases.append(self.phase("discriminator", judge, self.judge, **when))
        if self.gate is not None:
            phases.append(self.phase("gate", [Group([self.gate], t.lr)], self.choose))
        alone = self.gate is not None
        identity = m.identity_encoder.others() if alone else [m.identity_encoder]
        groups = [Group([*reading, *identity, m.decoder, m.head], t.lr)]
        phases.append(self.phase("generator", groups, self.make, **decay))
        return phases + self.critics(t.lr_discriminator)

    @property
    def join(self) -> int:
        """Images after which results are judged."""
        return int(self.config.training.adversary_from * self.config.training.images)

    @property
    def judged(self) -> list[str]:
        """The discriminator's terms that have a weight."""
        return [name for name in JUDGED if getattr(self.config.weights, name)]

    # ---- the discriminator's step ----------------------------------------------------------------

    def judge(self, batch: Strangers, seen: int) -> Loss:
        """Photographs against results; units and people of photographs alone, which are known."""
        n = self.part(batch)
        x, d = batch.source.pixels[:n], batch.donor.pixels[:n]
        real, units, person = self.discriminator(torch.cat([x, d]))
        parts = {}
        if "realism" in self.judged:
            fake, _, _ = self.discriminator(self.results(x, d))
            parts["realism"] = shared.hinge_real(real) + shared.hinge_fake(fake)
        if "judged_units" in self.judged:
            truth = torch.cat([batch.source.units[:n], batch.donor.units[:n]])
            parts["judged_units"] = read_error(units, truth, known(batch, n))
        if "judged_person" in self.judged:
            assert batch.source_person is not None
            assert batch.donor_person is not None
            who = torch.cat([batch.source_person.index[:n], batch.donor_person.index[:n]])
            parts["judged_person"] = losses.somebody_else(person, who)
        return Loss(parts)

    @torch.no_grad()
    def results(self, x: Tensor, d: Tensor) -> Tensor:
        """Faces `x` with the expressions of `d`, both (n, 3, S, S)."""
        own, donor = (self.method.expression_encoder(f)[0] for f in (x, d))
        maps, _, _ = self.method.identity_encoder(x)
        return compose(x, self.method.transfer(x, maps, own, donor))

    # ---- the generator's step ------------------------------------------------------------------

    def choose(self, batch: Strangers, seen: int) -> Loss:
        """The identity's gate alone: what it lets through must rebuild the intrinsic image, and
        nothing else teaches it; it is to open or to shut.
        """
        maps, bottom, gate = self.method.identity_encoder(batch.source.pixels)
        assert gate is not None
        parts = self.intrinsic_terms(maps, bottom, batch) | {"choice": losses.undecided(gate)}
        return Loss.weighed(parts, self.config.weights)

    def make(self, batch: Strangers, seen: int) -> Loss:
        """Every term of both encoders and the decoder that has a weight."""
        m, n = self.method, self.part(batch)
        x, d = batch.source.pixels, batch.donor.pixels
        codes, gate = m.expression_encoder(torch.cat([x, d]))
        maps, bottom, _ = m.identity_encoder(x)
        own, donor = self.draw(codes, batch)
        edit = m.transfer(x, maps, own, donor)
        result = compose(x, edit)
        both = torch.cat([batch.source.landmarks, batch.donor.landmarks])
        units = torch.cat([batch.source.units, batch.donor.units])
        parts = self.code_terms(codes, gate, both, units, known(batch, len(x)))
        parts |= self.intrinsic_terms(maps, bottom, batch)
        if isinstance(batch, Pairs) and self.config.training.data == "pairs":
            parts |= self.truth_terms(edit, result, batch)
        parts |= self.again(result[:n], [k[:n] for k in maps], codes[len(x) :][:n], batch)
        if self.config.weights.reconstruction:
            back = m.transfer(x[:n], [k[:n] for k in maps], own[:n], own[:n])
            parts["reconstruction"] = (compose(x[:n], back) - x[:n]).abs().mean()
        if self.judged and seen >= self.join:
            parts |= self.passes(result[:n], batch)
        return Loss.weighed(parts, self.config.weights)

    def draw(self, codes: Tensor, batch: Strangers) -> tuple[Tensor, Tensor]:
        """Own and given codes for the decoder: as encoded, with the noise, or for some faces as the
        map makes them of the units that are known.
        """
        t = self.config.training
        units = torch.cat([batch.source.units, batch.donor.units])
        count = len(codes) // 2
        mapped = self.method.unit_map.to_code(units)
        noisy = codes + t.noise * torch.randn_like(codes)
        by_units = (torch.rand(count, device=codes.device) >= t.reference_share).float().repeat(2)
        drawn = torch.where((by_units * known(batch, count).amin(1))[:, None] > 0, mapped, noisy)
        own, donor = drawn.chunk(2)
        return own, donor

    def read(self, batch: Batch, seen: int) -> Loss:
        """The first stage: codes of single faces, and the map. The noise gives codes the scale that
        the decoder will need.
        """
        face = batch.source
        codes, gate = self.method.expression_encoder(face.pixels)
        codes = codes + self.config.training.noise * torch.randn_like(codes)
        parts = self.code_terms(codes, gate, face.landmarks, face.units, face.known)
        return Loss.weighed(parts, self.config.weights)

    def code_terms(
        self, codes: Tensor, gate: Tensor | None, landmarks: Tensor, units: Tensor, sure: Tensor
    ) -> dict[str, Tensor]:
        """What the codes of faces must say, landmarks (B, 68, 2) px and units (B, 47) where they
        are `sure` (B, 47) 0 or 1; and where their encoder looks. The map learns of faces all of
        whose units are.
        """
        m, w = self.method, self.config.weights
        points = (landmarks + 0.5) / self.config.architecture.size
        parts = {}
        if w.landmarks:
            parts["landmarks"] = losses.misplaced(m.landmarks(codes), points)
        if w.attention and gate is not None:
            parts["attention"] = losses.attends(gate, points)
        if w.units:
            parts["units"] = read_error(m.unit_map.to_units(codes), units, sure)
        if w.mapped:
            mapped, whole = m.unit_map.to_code(units), sure.amin(1)
            again = read_error(m.unit_map.to_units(mapped), units, whole)
            # the codes stand still: a code pulled to its units would forget the rest of the face
            errors = (mapped - codes.detach()).abs()
            parts["mapped"] = (whole[:, None] * errors).mean() + again
        return parts

    def intrinsic_terms(
        self, maps: list[Tensor], bottom: Tensor, batch: Strangers
    ) -> dict[str, Tensor]:
        """The intrinsic image against the person at rest, where that is shown; or warped against
        the photograph, and itself against the person at rest.
        """
        encoder, w = self.method.identity_encoder, self.config.weights
        if not w.intrinsic:
            return {}
        image = encoder.intrinsic(maps[-1])
        if encoder.deform is not None:
            moved = encoder.deform(bottom)
            seen = F.interpolate(batch.source.pixels, (INTRINSIC, INTRINSIC), mode="area")
            parts = {
                "intrinsic": (warp(image, moved) - seen).abs().mean(),
                "warp_smooth": losses.rough(moved),
                "warp_mean": losses.drift(moved),
            }
            if batch.source_person is not None:
                who = batch.source_person
                parts["neutral"] = losses.unlike(image, who.neutral, who.has_neutral)
            return parts
        n = self.part(batch)
        theirs, _, _ = encoder(batch.donor.pixels[:n])
        made = torch.cat([image, encoder.intrinsic(theirs[-1])])
        assert batch.source_person is not None
        assert batch.donor_person is not None
        both = batch.source_person, batch.donor_person[:n]
        truth, there = (
            torch.cat([getattr(p, k) for p in both]) for k in ("neutral", "has_neutral")
        )
        return {"intrinsic": losses.unlike(made, truth, there)}

    def again(
        self, result: Tensor, maps: list[Tensor], donor: Tensor, batch: Strangers
    ) -> dict[str, Tensor]:
        """TER-GAN's consistencies: the result's code and identity maps.

        Differs: where the truth is known, its code is asked for and not the reference's, whose
        landmarks are also the reference's face shape; and the encoder stands still, or it could
        learn not to see what the decoder leaves undone.
        """
        m, w, parts = self.method, self.config.weights, {}
        if w.expression_again:
            if isinstance(batch, Pairs) and self.config.training.data == "pairs":
                with torch.no_grad():
                    donor, _ = m.expression_encoder(batch.target.pixels[: len(result)])
                held = {k: p.detach() for k, p in m.expression_encoder.named_parameters()}
                code, _ = functional_call(m.expression_encoder, held, result)
            else:
                code, _ = m.expression_encoder(result)
            parts["expression_again"] = losses.relative_l1(code, donor)
        if w.identity_again:
            seen, _, _ = m.identity_encoder(result)
            each = [losses.relative_l1(a, b) for a, b in zip(seen, maps, strict=True)]
            parts["identity_again"] = torch.stack(each).mean()
        return parts

    def passes(self, result: Tensor, batch: Strangers) -> dict[str, Tensor]:
        """What the discriminator must say of results."""
        n = len(result)
        real, units, person = self.discriminator(result)
        donor = batch.donor[:n]
        assert batch.source_person is not None
        parts = {
            "realism": -real.mean(),
            "judged_units": read_error(units, donor.units, donor.known),
            "judged_person": losses.somebody_else(person, batch.source_person.index[:n]),
        }
        return {name: parts[name] for name in self.judged}

    def part(self, batch: Strangers) -> int:
        """How many of a batch are judged, rebuilt and encoded again."""
        return some(self.config.training.share, len(batch))

    # ---- what a run shows of itself --------------------------------------------------------------

    def answers(self, average: AIPGAN, batch: Batch) -> dict[str, Answer]:
        """What the discriminator's heads that have a weight say of faces."""
        if not self.judged:
            return {}
        said = zip(JUDGED, self.discriminator(batch.source.pixels), strict=True)
        return {k.replace("_", " "): Answer(v) for k, v in said if k in self.judged}

    @torch.no_grad()
    def preview(self, average: AIPGAN, batch: Batch) -> list[tuple[str, Tensor]]:
        """Also where the encoders look, the landmarks of the other code, the intrinsic image."""
        columns, face = super().preview(average, batch), _read_faces(batch)
        seen, side = Faces(face.pixels, face.landmarks), face.pixels.shape[-1]
        inside = average.explain(seen, average.encode(seen))[:-1]
        return columns + [(name, resize(picture, side)) for name, picture in inside]

    @torch.no_grad()
    def validate(self, average: AIPGAN, batch: Batch) -> dict[str, float]:
        """Also the error of the reference's landmarks, % of the outer eye corners' distance, that
        of its units, and the PSNR of the intrinsic image to the face at rest, dB, where known.
        """
        numbers = super().validate(average, batch)
        who = batch.source_person if isinstance(batch, Strangers) else None
        if who is not None and bool((there := who.has_neutral > 0).any()):
            maps, _, _ = average.identity_encoder(batch.source.pixels[there])
            image = average.identity_encoder.intrinsic(maps[-1])
            numbers["psnr_intrinsic"] = psnr(image, who.neutral[there])
        return numbers | reading_errors(average, _read_faces(batch))


def _read_faces(batch: Batch) -> Shown:
    """The faces whose expressions are read."""
    return batch.donor if isinstance(batch, Strangers) else batch.source


def reading_errors(method: AIPGAN, faces: Shown) -> dict[str, float]:
    """Mean errors of what the codes of faces say; of a photograph with an emotion and no coded unit
    the units are its prototype's, a suggestion and no truth.
    """
    code, _ = method.expression_encoder(faces.pixels)
    truth = (faces.landmarks + 0.5) / method.size
    eyes = (truth[:, 36] - truth[:, 45]).norm(dim=-1, keepdim=True).clamp_min(1e-3)
    error = (method.landmarks(code) - truth).norm(dim=-1) / eyes
    wrong = (method.units(Expression(code)) - faces.units).abs()
    return {
        "landmarks_percent": 100 * float(error.mean()),
        "units_mae": float((wrong * faces.known).sum() / faces.known.sum().clamp_min(1)),
    }


def known(batch: Strangers, n: int) -> Tensor:
    """Which units are known, (2 n, 47) 0 or 1, of the first sources and donors."""
    return torch.cat([batch.source.known[:n], batch.donor.known[:n]])
