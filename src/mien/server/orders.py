"""What is to become of a film in the studio."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from mien.guides import ExpressionSpec, Guide
from mien.types import Expression
from mien.video.driving import Drive

LABEL, PHOTO, FILM = "An expression", "A photograph", "Another film"
SHAPES = "A recording"
"""What can drive a film."""

HAPPY = ExpressionSpec(to="happy")


@dataclass(frozen=True)
class Order:
    """What is to become of a film: `by` is `LABEL`, `PHOTO`, `FILM` or `SHAPES`."""

    by: str = LABEL
    spec: ExpressionSpec = HAPPY
    """What is asked for; with `PHOTO` its whole expression is the photograph's."""
    speech: bool = True
    """Whether lips and jaw go on talking."""
    intensity: float = 1.0
    face: str = "largest"
    start: float = 0.0
    end: float = math.inf
    """The part of the film that is made, s."""
    single: bool = False
    """Whether a preview shows `spec` though there are keyframes: to see one before it is made."""

    @property
    def asked(self) -> ExpressionSpec:
        """The whole expression; of a photograph, that there is one."""
        if self.by != PHOTO:
            return self.spec
        return replace(self.spec, to=None, blendshapes=None, share=1.0, like="the photograph")

    @property
    def kept(self) -> str | None:
        """The part of a face that a whole expression leaves as it is."""
        return "speech" if self.speech else None


@dataclass(frozen=True)
class Later:
    """A drive that is asked from `start` s of its own time on."""

    drive: Drive
    start: float

    def at(self, time: float) -> Guide | Expression[Any] | None:
        """At a time of the part that is made, s."""
        return self.drive.at(time + self.start)


def shown_alike(time: float, other: float | None) -> bool:
    """Whether the page, which shows six digits, shows both times, s, alike."""
    return other is not None and f"{time:g}" == f"{other:g}"
