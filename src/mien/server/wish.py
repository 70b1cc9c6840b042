"""What one face is to show, in the studio."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from mien.guides import ExpressionSpec, Guide

MOST = 1.5
"""Largest intensity that a slider offers."""
_SHOWN = 3
"""Most moved blendshapes that a name tells."""


@dataclass(frozen=True)
class Wish:
    """What one face is to show. Its intensity is `intensity`, that of `spec` stays 1."""

    base: str
    """The whole expression, as people know it: a label, a reference, a file; or nothing."""
    intensity: float
    spec: ExpressionSpec
    reference: Guide | None = field(default=None, compare=False)
    """The expression of the photograph that `spec` names, or of a film's keyframes."""

    kept: str | None = None
    """What a whole expression leaves as it is, such as `speech` (`guides.held`)."""
    moved: tuple[str, ...] = field(default=(), compare=False)
    """Blendshapes that were moved by hand, or named by a file."""
    before: Wish | None = field(default=None, compare=False)
    """What was shown when the first blendshape was moved."""

    @property
    def guide(self) -> Guide:
        """What it asks a method for."""
        return self.spec.guide(self.reference, self.kept)

    @property
    def kind(self) -> tuple[str, ...]:
        """What it is made of: the base, and what is set on top of it."""
        top = ["blendshapes"] if self.before else []
        top += [key for key in ("au", "gaze", "turn", "light") if getattr(self.spec, key)]
        return (self.base, *top, self.spec.region)

    @property
    def name(self) -> str:
        """What the history shows."""
        spec, base = self.spec, self.base
        if spec.share != 1:
            base = f"{spec.share:.0%} {base}" + (f" on {spec.to}" if spec.to else "")
        shapes = spec.blendshapes or {}
        moved = [f"{name}={shapes.get(name, 0):g}" for name in self.moved[:_SHOWN]]
        moved += ["..."] if len(self.moved) > _SHOWN else []
        parts = [f"blendshapes {' '.join(moved)}"] if moved and self.before else []
        parts += [f"units {' '.join(spec.au)}"] if spec.au else []
        for key in ("gaze", "turn", "light"):
            if (values := getattr(spec, key)) is not None:
                parts.append(f"{key} {','.join(f'{v:g}' for v in values)}")
        what = ", ".join(parts)
        shown = f"{what} on {base}" if what and base else what or base
        return shown if spec.region == "face" else f"{shown}, {spec.region} face"

    @property
    def key(self) -> tuple[str, float, str | None, str]:
        """What its picture depends on."""
        said = json.dumps(self.spec.to_json(), sort_keys=True)
        return self.base, self.intensity, self.kept, said

    @property
    def whole(self) -> ExpressionSpec:
        """It as one expression, with its intensity."""
        return replace(self.spec, intensity=self.intensity)

    def shared(self, share: float) -> Wish:
        """It, with a reference followed as far as `share`, 0..1; of another one, it."""
        if self.reference is None:
            return self
        under = None if share == 1 else self.spec.to
        return replace(self, spec=replace(self.spec, share=share, to=under))

    def shaped(self, start: Mapping[str, float], name: str, value: float) -> Wish:
        """It, with a blendshape moved; `start` is where all of them stood. Blendshapes are a whole
        expression, so what units and a label asked for goes into them."""
        shapes = {k: v for k, v in (dict(start) | {name: value}).items() if v or k == name}
        spec = replace(self.spec, to=None, like=None, share=1.0, au=(), blendshapes=shapes)
        moved = tuple(dict.fromkeys((*self.moved, name)))
        return replace(self, spec=spec, moved=moved, before=self.before or self)

    @classmethod
    def label(cls, name: str, intensity: float) -> Wish:
        """An expression by name."""
        return cls(name, intensity, ExpressionSpec(to=name))

    def __str__(self) -> str:
        return f"{self.name}, {self.intensity:.0%}" if self.intensity != 1 else self.name


Look = tuple[Wish | None, ...]
"""What every face shows, the largest first; None is the face as it was."""


@dataclass
class Step:
    """A step of the history."""

    look: Look
    picture: bytes = b""
    """The first of the faces that were chosen then, as JPEG; empty until the look was drawn."""
    name: str = field(default_factory=lambda: secrets.token_urlsafe(6))
