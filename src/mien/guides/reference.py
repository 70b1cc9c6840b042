"""By somebody's photograph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces


@dataclass(frozen=True)
class Reference(Guide):
    """Guide by other people's photographs: their expression is transferred. One serves a batch.

    `Editor.reference` makes it of a photograph; GuideError if it is made of anything but aligned
    faces.
    """

    faces: Faces[Any]

    def __post_init__(self) -> None:
        if not isinstance(self.faces, Faces):
            raise GuideError("a Reference holds aligned faces: use editor.reference(photo)")

    def describe(self) -> str:
        return "reference"

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        seen = method.seen(self.faces)  # a crop is of its own photograph's size
        return method.transferred(seen, source, own)

    def of(self, index: int) -> Reference:
        if len(self.faces) == 1:
            return self
        return Reference(self.faces.mapped(lambda part: part[index : index + 1]))
