"""By the name of an emotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mien import facs
from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Expression, Faces


@dataclass(frozen=True)
class Label(Guide):
    """Guide by emotion names, with a variant or without (`anger`, `anger:open`), one for the whole
    batch or one per face."""

    names: tuple[str, ...]

    def __init__(self, names: str | Sequence[str]) -> None:
        given = (names,) if isinstance(names, str) else names
        object.__setattr__(self, "names", tuple(facs.plain(name) for name in given))

    def indices(self, batch: int) -> Tensor:
        """Positions of the emotions in `facs.EMOTIONS`, whatever the variant, int64 (B,)."""
        return torch.tensor([facs.EMOTIONS.index(facs.emotion(n)) for n in self._for(batch)])

    def units(self, batch: int) -> Tensor:
        """What the labels mean in action units, (B, 47)."""
        return torch.from_numpy(np.stack([facs.prototype(n) for n in self._for(batch)]))

    def varied(self, batch: int) -> Tensor:
        """Which faces are asked for a variant that no position in `facs.EMOTIONS` says, bool
        (B,)."""
        return torch.tensor([n in facs.VARIANTS for n in self._for(batch)])

    def describe(self) -> str:
        return ",".join(self.names)

    def expression(
        self, method: Speaker, source: Faces | None, own: Expression | None
    ) -> Expression:
        batch = len(source) if source is not None else len(self.names)
        asked = method.from_labels(self.indices(batch).to(method.device))
        varied = self.varied(batch).to(method.device)
        if not varied.any():
            return asked
        units = method.from_units(self.units(batch).to(method.device))
        return Expression(torch.where(varied[:, None], units.code, asked.code))

    def wanted(
        self, method: Speaker, source: Faces, own: Expression, intensity: float
    ) -> Expression:
        share = method.share(intensity, self._for(len(source)))
        return own.toward(self.expression(method, source, own), share)

    def of(self, index: int) -> Label:
        return Label(self.names[index]) if len(self.names) > 1 else self

    def _for(self, batch: int) -> tuple[str, ...]:
        names = self.names * batch if len(self.names) == 1 else self.names
        if len(names) != batch:
            raise GuideError(f"{len(names)} labels for {batch} faces: give one, or one per face")
        return names
