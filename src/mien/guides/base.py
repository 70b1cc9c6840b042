"""The contract of a guide, and what it may ask of a method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

from mien import facs
from mien.types import Array, Expression, Faces


class Speaker(Protocol[Array]):
    """What a guide needs of a method: its ways to an expression code (see `methods.base`)."""

    name: ClassVar[str]

    def array(self, values: NDArray[Any]) -> Any: ...

    def seen(self, source: Faces[Any]) -> Faces[Array]: ...

    def transferred(
        self, faces: Faces[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]: ...

    def from_labels(self, index: Array) -> Expression[Array]: ...

    def from_units(self, units: Array) -> Expression[Array]: ...

    def from_blendshapes(self, weights: Array) -> Expression[Array]: ...

    def stepped(
        self, own: Expression[Array], settings: Iterable[facs.Setting], intensity: float
    ) -> Expression[Array]: ...

    def staged(
        self, own: Expression[Array], turn: tuple[float, float, float], light: tuple[float, float]
    ) -> Expression[Array]: ...

    def held(
        self, own: Expression[Array], wanted: Expression[Array], numbers: Iterable[int]
    ) -> Expression[Array]: ...

    def gazing_as(self, own: Expression[Array], wanted: Expression[Array]) -> Expression[Array]: ...

    def share(self, intensity: float, names: Iterable[str] | None) -> Array: ...


class Guide(ABC):
    """What a face, or each face of a batch, is asked to show."""

    @abstractmethod
    def describe(self) -> str:
        """The guide in words, for metadata and file names."""

    @abstractmethod
    def expression(
        self, method: Speaker[Array], source: Faces[Array] | None, own: Expression[Array] | None
    ) -> Expression[Array]:
        """The code (B, D) that it asks for in full.

        `own` is the code of the source's own expression; GuideError where the guide needs a source
        and there is none.
        """

    def wanted(
        self, method: Speaker[Array], source: Faces[Array], own: Expression[Array], intensity: float
    ) -> Expression[Array]:
        """The code to ask for so that `intensity` of the way from the source's own expression (0)
        to the guide's (1) shows, and beyond."""
        share = method.share(intensity, None)
        return own.toward(self.expression(method, source, own), share)

    def of(self, index: int) -> Guide:
        """What it asks of one face of the batch."""
        return self
