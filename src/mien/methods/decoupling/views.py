"""What a run of decoupling shows of its codes: pictures and numbers."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.data.batch import Pairs
from mien.methods.decoupling.codes import Codes
from mien.methods.decoupling.method import Decoupling
from mien.methods.task import psnr
from mien.types import Faces


def codes_alone(method: Decoupling, x: Tensor) -> list[tuple[str, Tensor]]:
    """Faces (B, 3, S, S), their pictures from codes after one pass and after all, and what codes
    make of the faces under three other expressions.
    """
    own = method.encoder(x)
    columns = [
        ("source", x),
        ("codes", method.drawn(own)),
        ("refined", method.drawn(method.refined(x, own))),
    ]
    for name in (1, 3, 5):
        how = method.from_labels(torch.full((len(x),), name, device=x.device)).code
        columns.append((f"{name}", method.drawn(Codes(own.identity, how))))
    return columns


def numbers(method: Decoupling, batch: Pairs) -> dict[str, float]:
    """PSNR (dB) from codes alone, after one pass and all, and with another expression by units;
    mean error of the donor's units.
    """
    x, y = batch.source.pixels, batch.target.pixels
    own = method.encoder(x)
    wanted = method.from_units(batch.target.units).code
    read = method.read(Faces(batch.donor.pixels, batch.donor.landmarks))
    return {
        "psnr_codes": psnr(method.drawn(own), x),
        "psnr_refined": psnr(method.drawn(method.refined(x, own)), x),
        "psnr_codes_units": psnr(method.drawn(Codes(own.identity, wanted)), y),
        "units_mae": float((read - batch.target.units).abs().mean()),
    }
