"""By how the head stands and how it is lit."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces

FARTHEST = 30.0
"""Largest turn that may be asked for, degrees."""


@dataclass(frozen=True)
class Staging(Guide):
    """Guide by head and light, as changes of the photograph's own: `turn` is pitch (up), yaw and
    roll (to the person's own left), degrees; `light`, how far the key light moves to the person's
    left and up, -1 to 1 each. The expression stays. For methods that draw by the face model only.
    """

    turn: tuple[float, float, float] = (0.0, 0.0, 0.0)
    light: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        if max(map(abs, self.turn)) > FARTHEST:
            raise GuideError(f"a head turns by up to {FARTHEST:g} degrees each way here")
        if max(map(abs, self.light)) > 1:
            raise GuideError("the light moves by -1 to 1 each way")

    def describe(self) -> str:
        turn, light = (",".join(f"{v:g}" for v in values) for values in (self.turn, self.light))
        return f"turn={turn} light={light}"

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        if own is None:
            raise GuideError("a turn changes a source: give the source face too")
        return method.staged(own, self.turn, self.light)
