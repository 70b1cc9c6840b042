"""How methods are trained, as far as they share it: what a run shows of a method and says of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import torch
from torch import Tensor

from mien import facs
from mien.methods.base import Method
from mien.nn.phases import Task
from mien.types import Faces

Learnt = TypeVar("Learnt", bound=Method)


class MethodTask(Task[Learnt]):
    """The training half of a method, which is what is kept of it."""

    method: Learnt

    @property
    def kept(self) -> Learnt:
        return self.method

    @torch.no_grad()
    def preview(self, method: Learnt, batch: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
        """Named columns (B, 3, S, S) of a sheet of pictures, made with the averaged method.

        Source, every label, the source's own code; where the truth is known, the target by
        reference and by units.
        """
        x = batch["source"]
        source = Faces(x, x.new_zeros(len(x), 68, 2))
        identity = method.identity(source)
        columns = [("source", x)]
        for k, name in enumerate(facs.EMOTIONS):
            index = torch.full((len(x),), k, device=x.device)
            columns.append((name, method.decode(identity, method.from_labels(index))))
        columns.append(("own", method.decode(identity, method.encode(source))))
        if "target" in batch:
            donor = Faces(batch["donor"], source.landmarks)
            columns += [
                ("donor", batch["donor"]),
                ("like donor", method.decode(identity, method.encode(donor))),
                ("by units", method.decode(identity, method.from_units(batch["target_units"]))),
                ("truth", batch["target"]),
            ]
        return columns

    @torch.no_grad()
    def validate(self, method: Learnt, batch: Mapping[str, Tensor]) -> dict[str, float]:
        """PSNR (dB) to the truth, of the averaged method by units and by reference, and of the
        unedited source; nothing where no truth is known.
        """
        if "target" not in batch:
            return {}
        x, y = batch["source"], batch["target"]
        source = Faces(x, x.new_zeros(len(x), 68, 2))
        keep = (x - y).abs().flatten(1).amax(1) > 0
        identity = method.identity(source)
        edits = method.decode(identity, method.from_units(batch["target_units"]))
        lent = method.decode(identity, method.encode(Faces(batch["donor"], source.landmarks)))
        return {
            "psnr_nothing": psnr(x[keep], y[keep]),
            "psnr_units": psnr(edits[keep], y[keep]),
            "psnr_reference": psnr(lent[keep], y[keep]),
        }


def psnr(a: Tensor, b: Tensor) -> float:
    """Mean over the batch of 10 log10(4 / MSE) for images in [-1, 1], dB."""
    mse = (a - b).square().flatten(1).mean(1).clamp_min(1e-10)
    return float((10 * torch.log10(4 / mse)).mean())
