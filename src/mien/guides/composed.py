"""By several guides, one after the other."""

from __future__ import annotations

from dataclasses import dataclass

from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces


@dataclass(frozen=True)
class Composed(Guide):
    """Guides that build on one another: a label, then units that change it, then a gaze."""

    parts: tuple[Guide, ...]

    def describe(self) -> str:
        return " ".join(part.describe() for part in self.parts)

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        asked = own
        for part in self.parts:
            asked = part.expression(method, source, asked)
        assert asked is not None
        return asked

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        asked = own
        for part in self.parts:
            asked = part.wanted(method, source, asked, intensity)
        return asked

    def of(self, index: int) -> Composed:
        return Composed(tuple(part.of(index) for part in self.parts))
