"""What one face is to wear, in the studio."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field, replace

from mien.guides import ExpressionSpec, Guide, Reference


@dataclass(frozen=True)
class Wish:
    """What one face is to wear. Its intensity is `intensity`, that of `spec` stays 1."""

    base: str
    """The whole expression, as people know it: a label, who lends it, a file; or nothing."""
    intensity: float
    spec: ExpressionSpec
    lent: Reference | None = field(default=None, compare=False)
    """The expression of the photograph that `spec` names."""

    @property
    def guide(self) -> Guide:
        """What it asks a method for."""
        return self.spec.guide(self.lent)

    @property
    def kind(self) -> tuple[str, ...]:
        """What it is made of: the base, and what is set on top of it."""
        top = [key for key in ("au", "gaze", "turn", "light") if getattr(self.spec, key)]
        return (self.base, *top, self.spec.region)

    @property
    def name(self) -> str:
        """What the history shows."""
        spec, base = self.spec, self.base
        if spec.share != 1:
            base = f"{spec.share:.0%} {base}" + (f" on {spec.to}" if spec.to else "")
        told = [f"units {' '.join(spec.au)}"] if spec.au else []
        for key in ("gaze", "turn", "light"):
            if (values := getattr(spec, key)) is not None:
                told.append(f"{key} {','.join(f'{v:g}' for v in values)}")
        what = ", ".join(told)
        shown = f"{what} on {base}" if what and base else what or base
        return shown if spec.region == "face" else f"{shown}, {spec.region} face"

    @property
    def key(self) -> tuple[str, float, str]:
        """What its picture depends on."""
        return self.base, self.intensity, json.dumps(self.spec.to_json(), sort_keys=True)

    def shared(self, share: float) -> Wish:
        """It, with a lent expression followed as far as `share`, 0..1; of another one, it."""
        if self.lent is None:
            return self
        under = None if share == 1 else self.spec.to
        return replace(self, spec=replace(self.spec, share=share, to=under))

    @classmethod
    def label(cls, name: str, intensity: float) -> Wish:
        """An expression by name."""
        return cls(name, intensity, ExpressionSpec(to=name))

    def __str__(self) -> str:
        return f"{self.name}, {self.intensity:.0%}" if self.intensity != 1 else self.name


Look = tuple[Wish | None, ...]
"""What every face wears, the largest first; None is the face as it was."""


@dataclass
class Step:
    """A step of the history."""

    look: Look
    picture: bytes = b""
    """The first of the faces that were chosen then, as JPEG; empty until the look was drawn."""
    name: str = field(default_factory=lambda: secrets.token_urlsafe(6))
