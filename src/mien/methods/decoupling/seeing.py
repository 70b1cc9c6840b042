"""What the generator of decoupling is taught with: codes that the encoder reads from a batch, and
those that the feedback network makes of them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mien.data.batch import Pairs, Strangers
from mien.methods.decoupling.codes import Codes, Seen
from mien.methods.decoupling.config import Training
from mien.methods.decoupling.method import Decoupling
from mien.methods.decoupling.progressive import faded


def look(m: Decoupling, t: Training, batch: Strangers, n: int, grown: float) -> Seen:
    """The encoder's codes of a batch and of its first n donors, and those that the generator is
    taught with: as read, with the noise, or for some faces as the map makes them of units that are
    known.

    grown: how far the GAN has grown, for `driven`.
    """
    x, lenders = batch.source.pixels, batch.donor[:n]
    count, pairs = len(x), isinstance(batch, Pairs)
    faces = [x, lenders.pixels]
    if isinstance(batch, Pairs):
        faces.append(batch.target.pixels[:n])
    read = m.encoder(torch.cat(faces))
    own, donors, rest = (Codes(*pair) for pair in zip(*(_parts(c, count, n) for c in read)))  # noqa: B905
    by_units = torch.rand(count, 1, device=x.device) >= t.lent
    by_units &= batch.source.known.amin(1)[:, None] > 0
    how = own.expression + t.noise * torch.randn_like(own.expression)
    how = torch.where(by_units, m.code_maps.to_code(batch.source.units), how)
    after = driven(m, faded(lenders.pixels, grown), donors)
    by_reference = torch.rand(n, 1, device=x.device) < t.lent
    by_reference |= lenders.known.amin(1)[:, None] == 0
    mapped = m.code_maps.to_code(batch.donor.units)
    noisy = after + t.noise * torch.randn_like(after)
    others = mapped[n:] if pairs else how[n:].detach()
    wanted = torch.cat([torch.where(by_reference, noisy, mapped[:n]), others])
    who = own.identity + t.noise_identity * torch.randn_like(own.identity)
    lent = (
        donors.expression if after is donors.expression else torch.cat([donors.expression, after])
    )
    return Seen(own, lent, rest.identity if pairs else None, who, how, wanted)


def _parts(code: Tensor, count: int, n: int) -> tuple[Tensor, Tensor, Tensor]:
    return code[:count], code[count : count + n], code[count + n :]


def driven(m: Decoupling, face: Tensor, codes: Codes) -> Tensor:
    """The expression codes (n, E) that faces lend: as read, or where the feedback network drives
    the edit as its last pass has them. That one alone is taught, by what they must say.

    face: the photographs (n, 3, s, s) at the side that the generator has grown to.
    """
    if not m.architecture.driven or m.architecture.passes == 1:
        return codes.expression
    codes = Codes(*(c.detach() for c in codes))
    with torch.no_grad():
        for _ in range(m.architecture.passes - 2):
            codes = codes.moved(m.feedback(face, m.generator(codes)))
        shown = m.generator(codes)
    return codes.moved(m.feedback(face, shown)).expression
