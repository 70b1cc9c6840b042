"""By where the eyes look."""

from __future__ import annotations

from dataclasses import dataclass

from mien import facs
from mien.errors import GuideError
from mien.guides.units import Settings


@dataclass(frozen=True)
class Gaze(Settings):
    """Guide by gaze: how far the eyes turn to the person's own left and up, -1 to 1 each; 1 is as
    far as eyes turn. (0, 0) looks straight ahead. The rest of the face stays."""

    left: float = 0.0
    up: float = 0.0

    def __post_init__(self) -> None:
        if not (-1 <= self.left <= 1 and -1 <= self.up <= 1):
            raise GuideError(f"gaze {self.left:g},{self.up:g} is out of range: -1 to 1 each")

    @property
    def settings(self) -> tuple[facs.Setting, ...]:  # type: ignore[override]
        """The gaze as action units 61 to 64, absolute."""
        ways = {"AU61": self.left, "AU62": -self.left, "AU63": self.up, "AU64": -self.up}
        return tuple(facs.Setting(unit, max(0.0, value)) for unit, value in ways.items())

    def describe(self) -> str:
        return f"gaze={self.left:g},{self.up:g}"
