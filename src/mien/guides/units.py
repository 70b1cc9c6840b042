"""By action units (FACS)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from mien import facs
from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces


class Settings(Guide):
    """A guide that sets or moves some action units of the source."""

    settings: tuple[facs.Setting, ...]

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        if own is None:
            raise GuideError("action units change a source: give the source face too")
        return method.stepped(own, self.settings, 1.0)

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        return method.stepped(own, self.settings, intensity)


@dataclass(frozen=True)
class ActionUnits(Settings):
    """Guide by action units; units that are not named stay as they are in the source."""

    settings: tuple[facs.Setting, ...]

    @classmethod
    def parse(cls, *texts: str) -> Self:
        """`ActionUnits.parse("AU12=0.8", "AU4=+0.3")`; GuideError for what cannot be read, and for
        settings that contradict one another.
        """
        settings = tuple(facs.parse(text) for text in texts)
        facs.check_together(settings)
        return cls(settings)

    def describe(self) -> str:
        return ",".join(f"{s.unit}={s.value:{'+' if s.relative else ''}g}" for s in self.settings)
