"""By another guide, with a part of the face left as it is."""

from __future__ import annotations

from dataclasses import dataclass

from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces

UPPER = (1, 2, 4, 5, 6, 7, 43, 61, 62, 63, 64)
"""Action units of brows, lids and gaze."""
TALK = (16, 18, 22, 23, 24, 25, 26, 27, 28, 29, 30)
"""Action units that speak: lips part, round, press and roll, the jaw drops."""
SPEECH = (*TALK, 43, 61, 62, 63, 64)
"""What a talking face does by itself: it speaks, blinks and looks about."""
LOWER = (9, 10, 12, 14, 15, 17, 20, 33, *TALK)
"""Action units of nose, cheeks, mouth and jaw."""
HELD: dict[str, tuple[int, ...]] = {"speech": SPEECH, "upper": UPPER, "lower": LOWER}
"""What may be left as it is, by name."""


@dataclass(frozen=True)
class Held(Guide):
    """A guide that leaves a part of the face as it is: `speech`, or the `upper` or `lower` face."""

    part: Guide
    held: str

    def __post_init__(self) -> None:
        if self.held not in HELD:
            raise GuideError(f"cannot keep {self.held!r}: choose from {', '.join(HELD)}")

    def describe(self) -> str:
        return f"{self.part.describe()} keeping {self.held}"

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        if own is None:
            raise GuideError("what is kept is the source's: give the source face too")
        return method.held(own, self.part.expression(method, source, own), HELD[self.held])

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        asked = self.part.wanted(method, source, own, intensity)
        return method.held(own, asked, HELD[self.held])

    def of(self, index: int) -> Held:
        return Held(self.part.of(index), self.held)
