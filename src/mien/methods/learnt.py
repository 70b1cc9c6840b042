"""A method of networks, learnt with torch: what all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.guides import Guide
from mien.methods import reader
from mien.methods.base import Method
from mien.methods.registry import MODEL
from mien.methods.renamed import arrays_today
from mien.methods.strengths import Strengths
from mien.nn import tensors
from mien.nn.compose import compose
from mien.nn.units import prototypes
from mien.types import Composition, Expression, Faces, Float, Identity

FOLLOW = 0.5  # share of what a result lacks that is asked for on top: its reading is not exact


class Learnt(nn.Module, Method[Tensor]):
    """Base of the methods that torch learns and runs, on any of its devices."""

    refinement_steps: int = 0
    """How often `answer` reads its result and asks again for what is missing."""

    def __init__(self) -> None:
        nn.Module.__init__(self)
        Method.__init__(self)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        """The expressions of emotion labels, int64 (B,) into `facs.EMOTIONS`: of their prototypes'
        action units, where no method learns labels themselves."""
        return self.from_units(prototypes().to(self.device)[index])

    @property
    def read_by(self) -> str:
        return reader.digest() if self.drawn_by == MODEL else ""

    def shown(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        """Drawn by the face model, a face shows what the reader of all methods sees in it, as the
        method's map from units says it; drawn by its own head, what its own encoder says.

        Differs: the papers' encoders read for their own decoders, and less well.
        """
        if self.drawn_by != MODEL:
            return self.encode(faces)
        return self.from_units(self.array(reader.of(faces.mapped(self.numbers))))

    def array(self, values: NDArray[Any]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(self.device)

    def numbers(self, values: Tensor) -> Float:
        return np.asarray(values.detach().float().cpu().numpy(), np.float32)

    def seen(self, source: Faces[Any]) -> Faces[Tensor]:
        return tensors.at(source.mapped(self._tensor), self.size)

    def restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, str]) -> None:
        self.load_state_dict(tensors.named(arrays_today(arrays)))

    def ready(self, device: str) -> Self:
        return self.float().eval().requires_grad_(False).to(device)

    @property
    def strengths_used(self) -> Strengths:
        """None where refinement steps find out what is missing."""
        return {} if self.refinement_steps else self.strengths

    def answer(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        """What to do to the source so that it is read to show the expression.

        `compose`, and then `refinement_steps` times: the result is read as action units, and
        half of what it lacks is asked for on top, so that one ask means one strength on more faces.
        """
        edit = self.compose(identity, expression)
        if not self.refinement_steps:
            return edit
        face, wanted = identity.source, self.units(expression)
        code, start = expression.code, self.from_units(wanted).code
        for _ in range(self.refinement_steps):
            seen = Faces(self.composed(face.pixels, edit), face.landmarks)
            lacks = wanted - self.units(self.encode(seen))
            code = code + self.from_units(wanted + FOLLOW * lacks).code - start
            edit = self.compose(identity, Expression(code))
        return edit

    def composed(self, pixels: Tensor, edit: Composition[Tensor]) -> Tensor:
        return compose(pixels, edit).clamp(-1, 1)

    @torch.no_grad()
    def edit(
        self,
        source: Faces[Float],
        guide: Guide | Expression[Tensor],
        intensity: float = 1.0,
        side: int | None = None,
    ) -> Composition[Float]:
        return super().edit(source, guide, intensity, side)

    @torch.no_grad()
    def generate(self, source: Faces[Tensor], guide: Guide, intensity: float = 1.0) -> Tensor:
        return super().generate(source, guide, intensity)

    @torch.no_grad()
    def read(self, faces: Faces[Any]) -> Tensor:
        return super().read(faces)

    def _own(self, source: Faces[Float], seen: Faces[Tensor]) -> Expression[Tensor]:
        """From memory, unless weights are still learnt."""
        return self.shown(seen) if self.training else super()._own(source, seen)

    def _tensor(self, values: Any) -> Tensor:
        return torch.as_tensor(values).to(self.device)
