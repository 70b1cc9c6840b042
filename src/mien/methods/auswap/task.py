"""How auswap is trained: the adversaries first, then encoders and generator together, as in ADLD.

`unpaired` sees two strangers at a time and knows their AUs: the paper. `pairs` also knows what the
first looks like with the expression of the second (Differs), and keeps every other term. `faces` is
a first stage for E_a and the map alone, which are cheap and need more faces than the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import torch
from torch import Tensor

from mien.data.batch import Batch, Pairs, Shown, Strangers
from mien.data.loading import LabelledFaces, RigPairs
from mien.data.photographs import StrangePhotographs
from mien.methods.auswap import losses
from mien.methods.auswap.config import AUSwapConfig
from mien.methods.auswap.method import AUSwap
from mien.methods.auswap.networks import FreeReader, PatchDiscriminator
from mien.methods.task import MethodTask, adversary_answer, some
from mien.nn.alive import Answer
from mien.nn.compose import compose
from mien.nn.phases import Group, Loss, Phase
from mien.nn.units import read_error
from mien.types import Faces


@dataclass(frozen=True)
class Swap:
    """Two faces (n, 3, S, S), with each other's expressions, and with their own."""

    faces: tuple[Tensor, Tensor]
    swapped: tuple[Tensor, Tensor]
    rebuilt: tuple[Tensor, Tensor]


class AUSwapTask(MethodTask[AUSwap]):
    """Phases and data of auswap for a config."""

    config: AUSwapConfig
    from_truth: ClassVar[tuple[str, ...]] = ("same",)

    def __init__(self, config: AUSwapConfig, data: Path) -> None:
        super().__init__(config, data, AUSwap(config.architecture))
        self.reader = FreeReader(config.architecture)
        self.realism = PatchDiscriminator(config.architecture)
        self.consistency = PatchDiscriminator(config.architecture)
        own = self.reader, self.realism, self.consistency
        self.adversaries(*own, paired=config.training.data == "pairs")

    def dataset(self, split: str, seed: int) -> RigPairs | LabelledFaces | StrangePhotographs:
        """Two people at a time, photographs or the rig's; or single faces of the rig's."""
        if self.config.training.data == "faces":
            return self.faces(split, seed)
        return self.strangers(split, seed)

    def phases(self) -> Sequence[Phase]:
        t, w, m = self.config.training, self.config.weights, self.method
        units = [m.unit_encoder, m.unit_map]
        decay = {"weight_decay": t.weight_decay}
        if t.data == "faces":
            return [self.phase("units", [Group(units, t.lr_units)], self.read, **decay)]
        phases = []
        if w.free:
            phases.append(self.phase("reader", [Group([self.reader], t.lr)], self.read_free))
        if judges := list(self.judges().values()):
            when = {"every": t.adversary_every, "start": self.join}
            phases.append(self.phase("judges", [Group(judges, t.lr)], self.judge, **when))
        groups = [Group([m.free_encoder, m.generator, m.head], t.lr), Group(units, t.lr_units)]
        loss = self.paired if t.data == "pairs" else self.unpaired
        phases.append(self.phase("generator", groups, loss, **decay))
        return phases + self.critics(t.lr)

    @property
    def join(self) -> int:
        """Images after which the image discriminators join."""
        return int(self.config.training.adversary_from * self.config.training.images)

    def judges(self) -> dict[str, PatchDiscriminator]:
        """The image discriminators whose term has a weight, by the term's name."""
        named = {"realism": self.realism, "swap_consistency": self.consistency}
        return {k: d for k, d in named.items() if getattr(self.config.weights, k)}

    # ---- the adversaries' steps ----------------------------------------------------------------

    def read_free(self, batch: Strangers, seen: int) -> Loss:
        """D_f reads units and emotions of two strangers from their AU-free features."""
        return Loss({"source": self.read_loss(batch.source), "donor": self.read_loss(batch.donor)})

    def read_loss(self, face: Shown) -> Tensor:
        """What D_f gets wrong about faces, of which it sees the AU-free feature."""
        with torch.no_grad():
            free = self.method.free_encoder(face.pixels)
        answers, present = self.reader(free), self.config.training.present
        return losses.tell(answers, face.units, face.known, face.label, present)

    def judge(self, batch: Strangers, seen: int) -> Loss:
        """Photographs against made faces; self-reconstructions against swapped ones."""
        with torch.no_grad():
            made = self.swap(*self.part(batch))
        faces, swapped, rebuilt = (torch.cat(p) for p in (made.faces, made.swapped, made.rebuilt))
        parts, judges = {}, self.judges()
        if "realism" in judges:
            d = judges["realism"]
            parts["realism"] = losses.discriminator_loss(d(faces), d(torch.cat([swapped, rebuilt])))
        if "swap_consistency" in judges:
            d = judges["swap_consistency"]
            parts["swap_consistency"] = losses.discriminator_loss(d(rebuilt), d(swapped))
        return Loss(parts)

    def answers(self, average: AUSwap, batch: Batch) -> dict[str, Answer]:
        """What the adversaries say: D_f of noise of a feature's scale, and of the average's AU-free
        features, which must not tell units and emotions; the image discriminators of faces.
        """
        if not isinstance(batch, Strangers):
            return {}
        face, found = batch.source, {}
        if self.config.weights.free:
            free = average.free_encoder(face.pixels)
            units, emotion = self.reader(free)
            noise = torch.cat([a.flatten(1) for a in self.reader(torch.randn_like(free))], 1)
            sure, present = units[..., 1] - units[..., 0], self.config.training.present
            found["multi-class adversary"] = adversary_answer(noise, sure, emotion, face, present)
        for name, judge in self.judges().items():
            found[name.replace("_", " ")] = Answer(judge(face.pixels))
        return found

    # ---- the first stage ---------------------------------------------------------------------

    def read(self, batch: Batch, seen: int) -> Loss:
        """E_a learns its units, the map what E_a says of them."""
        feature = self.method.unit_encoder(batch.source.pixels)
        parts = self.unit_error(feature, batch.source.units, batch.source.known)
        return Loss.weighed(parts, self.config.weights)

    @torch.no_grad()
    def validate(self, average: AUSwap, batch: Batch) -> dict[str, float]:
        """Also the mean absolute error of E_a's units, on single faces."""
        if self.config.training.data != "faces":
            return super().validate(average, batch)
        faces = Faces(batch.source.pixels, batch.source.landmarks)
        return {
            "units_mae": float(
                (average.units(average.encode(faces)) - batch.source.units).abs().mean()
            )
        }

    # ---- the generator's steps -----------------------------------------------------------------

    def unpaired(self, batch: Strangers, seen: int) -> Loss:
        """Two strangers: every term of the paper, none of the truth."""
        x, d = batch.source.pixels, batch.donor.pixels
        m = self.method
        features = m.unit_encoder(torch.cat([x, d]))
        free = m.free_encoder(torch.cat([x, d]))
        parts = self.unit_terms(features, batch) | {"free": self.free_term(free)}
        return Loss.weighed(parts | self.exchange(batch, seen), self.config.weights)

    def paired(self, batch: Pairs, seen: int) -> Loss:
        """The swapped face has a truth; the AU-free features of one person agree."""
        m = self.method
        x, y, d = batch.source.pixels, batch.target.pixels, batch.donor.pixels
        features = m.unit_encoder(torch.cat([x, d]))
        free = m.free_encoder(torch.cat([x, y]))
        own, donor = features.chunk(2)
        code = self.draw(donor, m.unit_map(batch.target.units))
        edit = m.swap(x, free[: len(x)], own, code)
        result = compose(x, edit)
        parts = self.unit_terms(features, batch) | {
            "free": self.free_term(free),
            "same": losses.agree(*free.chunk(2)),
        }
        parts |= self.truth_terms(edit, result, batch)
        return Loss.weighed(parts | self.exchange(batch, seen), self.config.weights)

    def draw(self, donor: Tensor, mapped: Tensor) -> Tensor:
        """Per face the reference's feature, which gets the noise, or its units' through the map."""
        donor = donor + self.config.training.noise * torch.randn_like(donor)
        return torch.where(torch.rand(len(donor), 1, device=donor.device) < 0.6, donor, mapped)

    def unit_terms(self, features: Tensor, batch: Strangers) -> dict[str, Tensor]:
        """AU loss on the features of source and donor, and the map's agreement with them."""
        units = torch.cat([batch.source.units, batch.donor.units])
        known = torch.cat([batch.source.known, batch.donor.known])
        return self.unit_error(features, units, known)

    def unit_error(self, features: Tensor, units: Tensor, known: Tensor) -> dict[str, Tensor]:
        """The same for any faces; `known` (B, 47) 0 or 1. The map learns of faces all of whose
        units are known.
        """
        m = self.method
        mapped, whole = m.unit_map(units), known.amin(1)
        error = (whole[:, None] * (mapped - features).abs()).mean()
        again = read_error(m.unit_encoder.read(mapped), units, whole)
        read = read_error(m.unit_encoder.read(features), units, known)
        return {"units": read, "mapped": error + again}

    def free_term(self, free: Tensor) -> Tensor:
        if not self.config.weights.free:
            return free.new_zeros(())
        return losses.cannot_tell(self.reader(free))

    def exchange(self, batch: Strangers, seen: int) -> dict[str, Tensor]:
        """The terms on a part of the batch: rebuilt, swapped, encoded again, swapped back."""
        w, n = self.config.weights, self.part(batch)
        joined = seen >= self.join
        if not (w.reconstruction or w.cycle or w.units_again or (joined and self.judges())):
            return {}
        made = self.swap(*n)
        parts = {}
        if w.reconstruction:
            parts["reconstruction"] = _reconstruction_error(made.rebuilt, made.faces)
        if w.units_again or w.cycle:
            again = tuple(self.method.unit_encoder(s) for s in made.swapped)
            parts |= self.again(made, again, batch)
        if joined:
            swapped, rebuilt = torch.cat(made.swapped), torch.cat(made.rebuilt)
            for name, judge in self.judges().items():
                # both kinds must pass for photographs; only swapped ones for self-reconstructions
                seen_by = torch.cat([swapped, rebuilt]) if name == "realism" else swapped
                parts[name] = losses.passes(judge(seen_by))
        return parts

    def again(self, made: Swap, again: tuple[Tensor, ...], batch: Strangers) -> dict[str, Tensor]:
        """Encoded again, the swapped faces show the donor's units; swapped back, the donor."""
        m, n = self.method, len(made.faces[0])
        read = [m.unit_encoder.read(f) for f in again]
        donor, own = batch.donor[:n], batch.source[:n]
        back = []
        for k in (0, 1):
            free = m.free_encoder(made.swapped[k])
            back.append(
                compose(made.swapped[k], m.swap(made.swapped[k], free, again[k], again[1 - k]))
            )
        return {
            "units_again": read_error(read[0], donor.units, donor.known)
            + read_error(read[1], own.units, own.known),
            "cycle": _reconstruction_error((back[0], back[1]), made.faces),
        }

    def part(self, batch: Strangers) -> tuple[Tensor, Tensor]:
        """Source and donor of the part of a batch that is swapped both ways."""
        n = some(self.config.training.share, len(batch))
        return batch.source.pixels[:n], batch.donor.pixels[:n]

    def swap(self, one: Tensor, two: Tensor) -> Swap:
        """Both faces with the other's expression, and both with their own."""
        m, n = self.method, len(one)
        both = torch.cat([one, two])
        free, own = m.free_encoder(both), m.unit_encoder(both)
        other = torch.cat([own[n:], own[:n]])
        swapped = compose(both, m.swap(both, free, own, other))
        rebuilt = compose(both, m.swap(both, free, own, own))
        return Swap((one, two), (swapped[:n], swapped[n:]), (rebuilt[:n], rebuilt[n:]))


def _reconstruction_error(made: tuple[Tensor, Tensor], faces: tuple[Tensor, Tensor]) -> Tensor:
    """L1, mean of both."""
    return torch.stack([(a - b).abs().mean() for a, b in zip(made, faces, strict=True)]).mean()
