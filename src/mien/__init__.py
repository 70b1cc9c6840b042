"""Facial expression transfer: another expression on the same face.

The public names, and nothing else. They are loaded when first used, so that `import mien` is quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mien.editor import Editor
    from mien.errors import MienError
    from mien.guides import (
        ActionUnits,
        Between,
        Blendshapes,
        Composed,
        ExpressionSpec,
        Gaze,
        Held,
        Label,
        Reference,
        Scaled,
        Staging,
    )
    from mien.methods.registry import load

__all__ = [
    "ActionUnits",
    "Between",
    "Blendshapes",
    "Composed",
    "Editor",
    "ExpressionSpec",
    "Gaze",
    "Held",
    "Label",
    "MienError",
    "Reference",
    "Scaled",
    "Staging",
    "load",
]

_HOMES = {
    "ActionUnits": "mien.guides",
    "Between": "mien.guides",
    "Blendshapes": "mien.guides",
    "Composed": "mien.guides",
    "Editor": "mien.editor",
    "ExpressionSpec": "mien.guides",
    "Gaze": "mien.guides",
    "Held": "mien.guides",
    "Label": "mien.guides",
    "MienError": "mien.errors",
    "Reference": "mien.guides",
    "Scaled": "mien.guides",
    "Staging": "mien.guides",
    "load": "mien.methods.registry",
}
"""Public name -> the module that defines it; one line here, one in `__all__`, one import above."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'mien' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
