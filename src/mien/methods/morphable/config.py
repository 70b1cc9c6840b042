"""The choices of morphable: none that is trained, for nothing of it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Architecture:
    """What the face model is used with."""

    size: int = 320  # side of the crop that faces are fitted in, px; they are drawn at their own
