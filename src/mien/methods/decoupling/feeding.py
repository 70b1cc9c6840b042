"""The lessons of the feedback network of decoupling, and the codes that it drives an edit by."""

from __future__ import annotations

import torch
from torch import Tensor

from mien.methods.decoupling import losses
from mien.methods.decoupling.codes import Codes
from mien.methods.decoupling.config import LossWeights
from mien.methods.decoupling.method import Decoupling
from mien.nn import losses as shared

MOST_BEFORE = 2
"""Passes at most before the one that learns: it must also help where others have helped."""


def driven(m: Decoupling, face: Tensor, codes: Codes) -> Tensor:
    """The expression codes (n, E) that faces give: as read, or where the feedback network drives
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


def fed_back(
    m: Decoupling, w: LossWeights, codes: Codes, other: Tensor, made: Tensor, truth: Tensor
) -> dict[str, Tensor]:
    """The feedback network (n): one more pass towards the photograph; and pictures whose codes
    are known: what was changed in the codes is found (latent reconstruction), what was not is
    left (swap consistency).

    other: another expression for each; made: the pictures of `codes`.
    """
    codes = Codes(codes.identity.detach(), codes.expression.detach())
    parts = {}
    if w.refined:
        before, shown = codes, made.detach()
        for _ in range(int(torch.randint(MOST_BEFORE + 1, ()))):
            with torch.no_grad():
                before = before.moved(m.feedback(truth, shown))
                shown = m.generator(before)
        after = m.generator(before.moved(m.feedback(truth, shown)))
        parts["refined"] = shared.absolute(after, truth).mean()
    if not (w.latent or w.swap):
        return parts
    n, others = len(made), codes.identity.roll(1, 0)
    same_who = Codes(codes.identity, other.detach())
    same_how = Codes(others, codes.expression)
    pictures = m.generator(
        Codes(*(torch.cat(pair) for pair in zip(same_who, same_how, strict=True)))
    )
    step = m.feedback(pictures, torch.cat([made, made]))
    who, how = step.identity.split(n), step.expression.split(n)
    spread = torch.cat([codes.expression, other.detach()]).std()
    one, still = torch.ones_like(spread), torch.zeros_like(spread)
    parts["latent"] = losses.missed(
        how[0], other.detach() - codes.expression, spread
    ) + losses.missed(who[1], others - codes.identity, one)
    parts["swap"] = losses.missed(who[0], still, one) + losses.missed(how[1], still, spread)
    return parts
