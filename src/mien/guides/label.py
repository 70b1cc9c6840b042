"""By the name of an emotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mien import facs
from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Expression, Faces


@dataclass(frozen=True)
class Label(Guide):
    """Guide by emotion names, one for the whole batch or one per face."""

    names: tuple[str, ...]

    def __init__(self, names: str | Sequence[str]) -> None:
        object.__setattr__(self, "names", (names,) if isinstance(names, str) else tuple(names))
        for name in self.names:
            facs.prototype(name)

    def indices(self, batch: int) -> Tensor:
        """Positions in `facs.EMOTIONS`, int64 (B,)."""
        return torch.tensor([facs.EMOTIONS.index(name) for name in self._for(batch)])

    def describe(self) -> str:
        return ",".join(self.names)

    def expression(
        self, method: Speaker, source: Faces | None, own: Expression | None
    ) -> Expression:
        batch = len(source) if source is not None else len(self.names)
        return method.from_labels(self.indices(batch).to(method.device))

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
