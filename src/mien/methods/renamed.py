"""Fields of configurations by the names that they had before 0.1.0: recipes, weights and `--set`
that say them go on working.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any


class RenamedField(FutureWarning):
    """A field was given by the name that it had before 0.1.0."""


ARCHITECTURE = {
    "hedge": "occlusion_threshold",
    "checks": "refinement_steps",
    "rest": "unit_floor",
}
SECTIONS = {
    "architecture": ARCHITECTURE,
    "weights": {"cover": "occlusion", "lent": "transfer"},
    "training": {"lent": "reference_share"},
}
"""Old name -> today's, by the section of a recipe."""


def fields_today(fields: Mapping[str, Any], names: Mapping[str, str] = ARCHITECTURE) -> Any:
    """`fields` by today's names; where an old and a new name stand together, the new one counts."""
    older = {names[k]: v for k, v in fields.items() if k in names}
    return older | {k: v for k, v in fields.items() if k not in names}


def with_note(fields: Mapping[str, Any], names: Mapping[str, str] = ARCHITECTURE) -> Any:
    """The same, of fields that a person wrote: a RenamedField warning says today's name of each."""
    for old in fields:
        if old in names:
            warnings.warn(f"{old} is called {names[old]} now", RenamedField, stacklevel=3)
    return fields_today(fields, names)


def recipe_today(values: Mapping[str, Any], note: bool = True) -> dict[str, Any]:
    """A recipe's sections by today's names, each old one with its note unless `note` is off."""
    read = with_note if note else fields_today
    return {
        name: read(section, SECTIONS[name])
        if name in SECTIONS and isinstance(section, Mapping)
        else section
        for name, section in values.items()
    }
