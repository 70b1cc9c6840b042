"""Fields of configurations and arrays of weights by the names that they had before 0.1.0: recipes,
weights and `--set` that say them go on working.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any, TypeVar

Value = TypeVar("Value")


class RenamedField(FutureWarning):
    """A field was given by the name that it had before 0.1.0."""


ARCHITECTURE = {
    "hedge": "occlusion_threshold",
    "checks": "refinement_steps",
    "rest": "unit_floor",
}
SECTIONS = {
    "architecture": ARCHITECTURE,
    "weights": {"cover": "occlusion", "lent": "transfer", "at_rest": "neutral"},
    "training": {"lent": "reference_share"},
}
"""Old name -> today's, by the section of a recipe."""
ARRAYS = {
    "unit_map.to_style.": "unit_map.to_code.",
    ".told1.": ".modulation1.",
    ".told2.": ".modulation2.",
}
"""Part of an array's name in older files -> today's."""


def arrays_today(arrays: Mapping[str, Value]) -> dict[str, Value]:
    """What a file of weights, or the state of a training, holds, by today's names."""
    return {_array_today(name): value for name, value in arrays.items()}


def _array_today(name: str) -> str:
    for old, new in ARRAYS.items():
        name = name.replace(old, new)
    return name


def fields_today(fields: Mapping[str, Any], names: Mapping[str, str] = ARCHITECTURE) -> Any:
    """`fields` by today's names; where an old and a new name stand together, the new one counts."""
    older = {names[k]: v for k, v in fields.items() if k in names}
    return older | {k: v for k, v in fields.items() if k not in names}


def with_note(fields: Mapping[str, Any], names: Mapping[str, str] = ARCHITECTURE) -> Any:
    """The same, of fields that a person wrote: a RenamedField warning says today's name of each."""
    for old in fields:
        if old in names:
            _note(old, names[old])
    return fields_today(fields, names)


def _note(old: str, new: str) -> None:
    warnings.warn(f"{old} is called {new} now", RenamedField, stacklevel=4)


def recipe_today(values: Mapping[str, Any], note: bool = True) -> dict[str, Any]:
    """A recipe's sections by today's names, those of its stages too, each old one with its note
    unless `note` is off. Before recipes are merged: an old name in one must meet today's in the
    other.
    """
    read = with_note if note else fields_today
    out: dict[str, Any] = {}
    for name, section in values.items():
        if not isinstance(section, Mapping):
            out[name] = section
        elif name == "stages":
            out[name] = {
                stage: recipe_today(row, note) if isinstance(row, Mapping) else row
                for stage, row in section.items()
            }
        else:
            out[name] = read(section, SECTIONS[name]) if name in SECTIONS else section
    return out


def setting_today(setting: str) -> str:
    """`weights.cover=1`, said on top of a recipe, by today's name, with its note."""
    path, equals, text = setting.partition("=")
    section, dot, last = path.rpartition(".")
    names = SECTIONS.get(section.rpartition(".")[2], {})
    if last in names:
        _note(last, names[last])
    return f"{section}{dot}{names.get(last, last)}{equals}{text}"
