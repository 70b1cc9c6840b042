"""What a run of decoupling shows of its codes: pictures and numbers."""

from __future__ import annotations

import torch
from torch import Tensor

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


def transferred(method: Decoupling, x: Tensor, donor: Tensor) -> list[tuple[str, Tensor]]:
    """Donors, and what codes make of faces with their expressions, both (B, 3, S, S)."""
    donor_faces = Faces(donor, donor.new_zeros(len(donor), 68, 2))
    codes = Codes(method.encoder(x).identity, method.encode(donor_faces).code)
    return [("donor", donor), ("like donor", method.drawn(codes))]


def rebuilt(method: Decoupling, x: Tensor) -> dict[str, float]:
    """PSNR (dB) of faces x (B, 3, S, S) from codes alone, after one pass and after all."""
    own = method.encoder(x)
    return {
        "psnr_codes": psnr(method.drawn(own), x),
        "psnr_refined": psnr(method.drawn(method.refined(x, own)), x),
    }


def numbers(
    method: Decoupling, x: Tensor, y: Tensor, units: Tensor, donor: Faces[Tensor]
) -> dict[str, float]:
    """What `rebuilt` says, and the PSNR to y, the faces with the expression of units (B, 47), given
    them; mean error of the units read from a donor who shows these too.
    """
    own = method.encoder(x)
    wanted = method.from_units(units).code
    read = method.units(method.encode(donor))
    return rebuilt(method, x) | {
        "psnr_codes_units": psnr(method.drawn(Codes(own.identity, wanted)), y),
        "units_mae": float((read - units).abs().mean()),
    }
