"""On the way from one guide to another."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces


@dataclass(frozen=True)
class Between(Guide):
    """A share of the straight way from one guide (0) to another (1); None for either is the source
    as it is."""

    first: Guide | None
    second: Guide | None
    share: float

    def describe(self) -> str:
        first, second = ("source" if g is None else g.describe() for g in (self.first, self.second))
        return f"{first} to {second} by {self.share:g}"

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        ends = []
        for end in (self.first, self.second):
            asked = own if end is None else end.expression(method, source, own)
            if asked is None:
                raise GuideError("a way from the source needs one: give the source face too")
            ends.append(asked)
        return ends[0].toward(ends[1], self.share)

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        first, second = (
            own if end is None else end.wanted(method, source, own, intensity)
            for end in (self.first, self.second)
        )
        return first.toward(second, self.share)

    def of(self, index: int) -> Between:
        first, second = (g and g.of(index) for g in (self.first, self.second))
        return Between(first, second, self.share)
