"""The contract of a guide, and what it may ask of a method."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar, Protocol

import torch
from torch import Tensor

from mien import facs
from mien.types import Expression, Faces


class Speaker(Protocol):
    """What a guide needs of a method: its ways to an expression code (see `methods.base`)."""

    name: ClassVar[str]

    @property
    def device(self) -> torch.device: ...

    def seen(self, source: Faces) -> Faces: ...

    def encode(self, faces: Faces) -> Expression: ...

    def from_labels(self, index: Tensor) -> Expression: ...

    def from_units(self, units: Tensor) -> Expression: ...

    def from_blendshapes(self, weights: Tensor) -> Expression: ...

    def stepped(
        self, own: Expression, settings: Iterable[facs.Setting], intensity: float
    ) -> Expression: ...

    def staged(
        self, own: Expression, turn: tuple[float, float, float], light: tuple[float, float]
    ) -> Expression: ...

    def held(self, own: Expression, wanted: Expression, numbers: Iterable[int]) -> Expression: ...

    def share(self, intensity: float, names: Iterable[str] | None) -> Tensor: ...


class Guide(ABC):
    """What a face, or each face of a batch, is asked to show."""

    @abstractmethod
    def describe(self) -> str:
        """The guide in words, for metadata and file names."""

    @abstractmethod
    def expression(
        self, method: Speaker, source: Faces | None, own: Expression | None
    ) -> Expression:
        """The code (B, D) that it asks for in full.

        `own` is the code of the source's own expression; GuideError where the guide needs a source
        and there is none.
        """

    def wanted(
        self, method: Speaker, source: Faces, own: Expression, intensity: float
    ) -> Expression:
        """The code to ask for so that `intensity` of the way from the source's own expression (0)
        to the guide's (1) shows, and beyond."""
        share = method.share(intensity, None)
        return own.toward(self.expression(method, source, own), share)

    def of(self, index: int) -> Guide:
        """What it asks of one face of the batch."""
        return self
