"""By a share of another guide."""

from __future__ import annotations

from dataclasses import dataclass

from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces


@dataclass(frozen=True)
class Scaled(Guide):
    """A guide that is followed by a share only: 0 leaves the source as it is, 1 is the guide."""

    part: Guide
    share: float

    def describe(self) -> str:
        return f"{self.part.describe()} by {self.share:g}"

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        asked = self.part.expression(method, source, own)
        return asked if own is None else own.toward(asked, self.share)

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        return self.part.wanted(method, source, own, self.share * intensity)

    def of(self, index: int) -> Scaled:
        return Scaled(self.part.of(index), self.share)
