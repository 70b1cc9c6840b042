"""How auswap is trained: the adversaries first, then encoders and generator together, as in ADLD.

`unpaired` sees two strangers at a time and knows their AUs: the paper. `pairs` also knows what the
first looks like with the expression of the second (Differs), and keeps every other term. `faces` is
a first stage for E_a and the map alone, which are cheap and need more faces than the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mien.data.loading import LabelledFaces, RigFaces, RigPairs
from mien.methods.auswap import losses
from mien.methods.auswap.config import AUSwapConfig
from mien.methods.auswap.method import AUSwap
from mien.methods.auswap.networks import FreeReader, PatchDiscriminator
from mien.methods.task import MethodTask
from mien.nn import losses as shared
from mien.nn.blocks import initialise
from mien.nn.compose import compose
from mien.nn.parts import Watches
from mien.nn.phases import Group, Loss, Phase, rate_at
from mien.nn.units import read_error
from mien.types import Faces

Batch = dict[str, Tensor]


@dataclass(frozen=True)
class Swap:
    """Two faces (n, 3, S, S), with each other's expressions, and with their own."""

    faces: tuple[Tensor, Tensor]
    swapped: tuple[Tensor, Tensor]
    rebuilt: tuple[Tensor, Tensor]


class AUSwapTask(MethodTask[AUSwap]):
    """Phases and data of auswap for a config."""

    def __init__(self, config: AUSwapConfig, data: Path) -> None:
        super().__init__()
        self.config, self.data = config, data
        self.method = AUSwap(config.architecture)
        self.reader = FreeReader(config.architecture)
        self.realism = PatchDiscriminator(config.architecture)
        self.consistency = PatchDiscriminator(config.architecture)
        self.watches = Watches(config.weights, config.training.data == "pairs")
        for module in (self.reader, self.realism, self.consistency, self.watches):
            initialise(module)
        self.ema_images = config.training.ema_images

    def dataset(self, split: str, seed: int) -> RigPairs | LabelledFaces:
        size = self.config.architecture.size
        if self.config.training.data == "faces":
            return LabelledFaces(RigFaces(self.data, split, size=size, seed=seed))
        return RigPairs(
            self.data, split, size=size, seed=seed, augment=split == "train",
            portraits=bool(self.watches.playing), named=self.config.training.named,
            weak=self.config.training.weak,
        )  # fmt: skip

    def phases(self) -> Sequence[Phase]:
        t, w, m = self.config.training, self.config.weights, self.method
        common: dict[str, Any] = {"betas": t.betas, "clip": t.clip, "schedule": self.rate}
        phases = []
        units = [m.unit_encoder, m.unit_map]
        if t.data == "faces":
            groups = [Group(units, t.lr_units)]
            return [Phase("units", groups, self.read, weight_decay=t.weight_decay, **common)]
        if w.free:
            phases.append(Phase("reader", [Group([self.reader], t.lr)], self.read_free, **common))
        judges = self.judges()
        if judges:
            phases.append(
                Phase("judges", [Group(list(judges.values()), t.lr)], self.judge,
                      every=t.adversary_every, start=self.join, **common)
            )  # fmt: skip
        rest = [m.free_encoder, m.generator, m.head]
        loss = self.paired if t.data == "pairs" else self.unpaired
        groups = [Group(rest, t.lr), Group(units, t.lr_units)]
        phases.append(Phase("generator", groups, loss, weight_decay=t.weight_decay, **common))
        if self.watches.playing:
            critics = [Group(self.watches.playing, t.lr)]
            phases.append(Phase("critic", critics, lambda *_: Loss(self.watches.apart()), **common))
        return phases

    @property
    def join(self) -> int:
        """Images after which the image discriminators join."""
        return int(self.config.training.adversary_from * self.config.training.images)

    def judges(self) -> dict[str, PatchDiscriminator]:
        """The image discriminators whose term has a weight, by the term's name."""
        named = {"realism": self.realism, "swap_consistency": self.consistency}
        return {k: d for k, d in named.items() if getattr(self.config.weights, k)}

    def rate(self, progress: float) -> float:
        """Factor of the learning rate at `progress` 0..1 of the budget."""
        t = self.config.training
        return rate_at(progress, t.warmup / t.images, t.decay)

    # ---- the adversaries' steps ----------------------------------------------------------------

    def read_free(self, batch: Batch, seen: int) -> Loss:
        """D_f reads the units of two strangers from their AU-free features."""
        present = self.config.training.present
        with torch.no_grad():
            one, two = (self.method.free_encoder(batch[k]) for k in ("source", "donor"))
        known = batch["exact"] > 0
        parts = {"donor": losses.tell(self.reader(two), batch["target_units"], present)}
        if bool(known.any()):
            units = batch["source_units"][known]
            parts["source"] = losses.tell(self.reader(one[known]), units, present)
        return Loss(parts)

    def judge(self, batch: Batch, seen: int) -> Loss:
        """Photographs against made faces; self-reconstructions against swapped ones."""
        with torch.no_grad():
            made = self.swap(*self.part(batch))
        faces, swapped, rebuilt = (torch.cat(p) for p in (made.faces, made.swapped, made.rebuilt))
        parts, judges = {}, self.judges()
        if "realism" in judges:
            d = judges["realism"]
            parts["realism"] = losses.told_apart(d(faces), d(torch.cat([swapped, rebuilt])))
        if "swap_consistency" in judges:
            d = judges["swap_consistency"]
            parts["swap_consistency"] = losses.told_apart(d(rebuilt), d(swapped))
        return Loss(parts)

    # ---- the first stage ---------------------------------------------------------------------

    def read(self, batch: Batch, seen: int) -> Loss:
        """E_a learns its units, the map what E_a says of them."""
        return Loss.weighed(
            self.unit_error(
                self.method.unit_encoder(batch["source"]),
                batch["source_units"],
                batch["source_units"].new_ones(len(batch["source"])),
            ),
            self.config.weights,
        )

    @torch.no_grad()
    def validate(self, method: AUSwap, batch: Mapping[str, Tensor]) -> dict[str, float]:
        """Also the mean absolute error of E_a's units, on single faces."""
        if self.config.training.data != "faces":
            return super().validate(method, batch)
        faces = Faces(batch["source"], batch["source"].new_zeros(len(batch["source"]), 68, 2))
        return {"units_mae": float((method.read(faces) - batch["source_units"]).abs().mean())}

    # ---- the generator's steps -----------------------------------------------------------------

    def unpaired(self, batch: Batch, seen: int) -> Loss:
        """Two strangers: every term of the paper, none of the truth."""
        x, d = batch["source"], batch["donor"]
        m = self.method
        features = m.unit_encoder(torch.cat([x, d]))
        free = m.free_encoder(torch.cat([x, d]))
        parts = self.unit_terms(features, batch) | {"free": self.free_term(free)}
        return Loss.weighed(parts | self.exchange(batch, seen), self.config.weights)

    def paired(self, batch: Batch, seen: int) -> Loss:
        """The swapped face has a truth; the AU-free features of one person agree."""
        m, t = self.method, self.config.training
        x, y, d = batch["source"], batch["target"], batch["donor"]
        features = m.unit_encoder(torch.cat([x, d]))
        free = m.free_encoder(torch.cat([x, y]))
        own, lent = features.chunk(2)
        code = self.draw(lent, m.unit_map(batch["target_units"]))
        edit = m.swap(x, free[: len(x)], own, code)
        result = compose(x, edit)
        parts = self.unit_terms(features, batch) | {
            "free": self.free_term(free),
            "same": losses.agree(*free.chunk(2)),
        }
        parts |= shared.paired(edit, result, batch, t.emphasis, t.mouth, t.eyes)
        parts |= self.watches.terms(result, batch)
        return Loss.weighed(parts | self.exchange(batch, seen), self.config.weights)

    def draw(self, lent: Tensor, mapped: Tensor) -> Tensor:
        """Per face the reference's feature, which gets the noise, or its units' through the map."""
        lent = lent + self.config.training.noise * torch.randn_like(lent)
        return torch.where(torch.rand(len(lent), 1, device=lent.device) < 0.6, lent, mapped)

    def unit_terms(self, features: Tensor, batch: Batch) -> dict[str, Tensor]:
        """AU loss on the features of source and donor, and the map's agreement with them."""
        units = torch.cat([batch["source_units"], batch["target_units"]])
        known = torch.cat([batch["exact"], torch.ones_like(batch["exact"])])
        return self.unit_error(features, units, known)

    def unit_error(self, features: Tensor, units: Tensor, known: Tensor) -> dict[str, Tensor]:
        """The same for any faces; `known` (B,) 0 or 1."""
        m = self.method
        mapped = m.unit_map(units)
        apart = (known[:, None] * (mapped - features).abs()).mean()
        again = read_error(m.unit_encoder.read(mapped), units, known)
        read = read_error(m.unit_encoder.read(features), units, known)
        return {"units": read, "mapped": apart + again}

    def free_term(self, free: Tensor) -> Tensor:
        if not self.config.weights.free:
            return free.new_zeros(())
        return losses.cannot_tell(self.reader(free))

    def exchange(self, batch: Batch, seen: int) -> dict[str, Tensor]:
        """The terms on a part of the batch: rebuilt, swapped, encoded again, swapped back."""
        w, n = self.config.weights, self.part(batch)
        joined = seen >= self.join
        if not (w.reconstruction or w.cycle or w.units_again or (joined and self.judges())):
            return {}
        made = self.swap(*n)
        parts = {}
        if w.reconstruction:
            parts["reconstruction"] = _apart(made.rebuilt, made.faces)
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

    def again(self, made: Swap, again: tuple[Tensor, ...], batch: Batch) -> dict[str, Tensor]:
        """Encoded again, the swapped faces show the lender's units; swapped back, the lender."""
        m, n = self.method, len(made.faces[0])
        read = [m.unit_encoder.read(f) for f in again]
        exact, units = batch["exact"][:n], batch["source_units"][:n]
        back = []
        for k in (0, 1):
            free = m.free_encoder(made.swapped[k])
            back.append(
                compose(made.swapped[k], m.swap(made.swapped[k], free, again[k], again[1 - k]))
            )
        return {
            "units_again": read_error(read[0], batch["target_units"][:n], torch.ones_like(exact))
            + read_error(read[1], units, exact),
            "cycle": _apart((back[0], back[1]), made.faces),
        }

    def part(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Source and donor of the part of a batch that is swapped both ways."""
        n = max(1, round(self.config.training.share * len(batch["source"])))
        return batch["source"][:n], batch["donor"][:n]

    def swap(self, one: Tensor, two: Tensor) -> Swap:
        """Both faces with the other's expression, and both with their own."""
        m, n = self.method, len(one)
        both = torch.cat([one, two])
        free, own = m.free_encoder(both), m.unit_encoder(both)
        other = torch.cat([own[n:], own[:n]])
        swapped = compose(both, m.swap(both, free, own, other))
        rebuilt = compose(both, m.swap(both, free, own, own))
        return Swap((one, two), (swapped[:n], swapped[n:]), (rebuilt[:n], rebuilt[n:]))


def _apart(made: tuple[Tensor, Tensor], faces: tuple[Tensor, Tensor]) -> Tensor:
    """L1, mean of both."""
    return torch.stack([(a - b).abs().mean() for a, b in zip(made, faces, strict=True)]).mean()
