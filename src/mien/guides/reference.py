"""By somebody's photograph."""

from __future__ import annotations

from dataclasses import dataclass

from mien.guides.base import Guide, Speaker
from mien.types import Expression, Faces


@dataclass(frozen=True)
class Reference(Guide):
    """Guide by other people's photographs: their expression is lent. One serves a batch."""

    faces: Faces

    def describe(self) -> str:
        return "reference"

    def expression(
        self, method: Speaker, source: Faces | None, own: Expression | None
    ) -> Expression:
        return method.encode(method.seen(self.faces))  # a crop is of its own photograph's size

    def of(self, index: int) -> Reference:
        if len(self.faces) == 1:
            return self
        part = slice(index, index + 1)
        return Reference(Faces(self.faces.pixels[part], self.faces.landmarks[part]))
