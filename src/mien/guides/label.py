"""By the name of an emotion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien import facs
from mien.errors import GuideError
from mien.guides.base import Guide, Speaker
from mien.types import Array, Expression, Faces, Float


@dataclass(frozen=True)
class Label(Guide):
    """Guide by emotion names, with a variant or without (`anger`, `anger:open`), one for the whole
    batch or one per face. An emotion says nothing of where the eyes look, and
    `morphable` leaves them there."""

    names: tuple[str, ...]

    def __init__(self, names: str | Sequence[str]) -> None:
        given = (names,) if isinstance(names, str) else names
        object.__setattr__(self, "names", tuple(facs.plain(name) for name in given))

    def indices(self, batch: int) -> NDArray[np.int64]:
        """Positions of the emotions in `facs.EMOTIONS`, whatever the variant, int64 (B,)."""
        at = [facs.EMOTIONS.index(facs.emotion(name)) for name in self._for(batch)]
        return np.array(at, np.int64)

    def units(self, batch: int) -> Float:
        """What the labels mean in action units, (B, 47)."""
        return np.stack([facs.prototype(name) for name in self._for(batch)])

    def varied(self, batch: int) -> NDArray[np.bool_]:
        """Which faces are asked for a variant that no position in `facs.EMOTIONS` says, bool
        (B,)."""
        return np.array([name in facs.VARIANTS for name in self._for(batch)])

    def describe(self) -> str:
        return ",".join(self.names)

    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        batch = len(source) if source is not None else len(self.names)
        asked = method.from_labels(method.array(self.indices(batch)))
        varied = self.varied(batch)
        if varied.any():
            units = method.from_units(method.array(self.units(batch)))
            share = method.array(varied[:, None].astype(np.float32))
            asked = Expression(share * units.code + (1 - share) * asked.code)
        return asked if own is None else method.gazing_as(own, asked)

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        share = method.share(intensity, self._for(len(source)))
        return own.toward(self.expression(method, source, own), share)

    def of(self, index: int) -> Label:
        return Label(self.names[index]) if len(self.names) > 1 else self

    def _for(self, batch: int) -> tuple[str, ...]:
        names = self.names * batch if len(self.names) == 1 else self.names
        if len(names) != batch:
            raise GuideError(f"{len(names)} labels for {batch} faces: give one, or one per face")
        return names
