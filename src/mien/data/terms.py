"""What weights may be used for, by the photographs that they were trained on.

Every record says its licence and source; a set that mien knows says what its terms allow of
weights. What is trained carries both: `training_sets` and `weights_for` go into its record.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from mien.data.adapters import KNOWN
from mien.data.manifest import Record

ANY, RESEARCH = "any use", "non-commercial research"
UNSAID = "not stated: ask whose photographs they are"

_FREE = re.compile(
    r"CC0\b|CC-BY(-SA)?-\d|MIT\b|Apache-|ODbL-|public domain|US government", re.IGNORECASE
)
_NARROW = re.compile(r"non-?commercial|\bNC\b|research|academic", re.IGNORECASE)


def training_sets(records: Iterable[Record]) -> list[dict[str, str]]:
    """The sets that records come from, by name: what they are called, their licence and source, and
    what weights trained on them may be used for.
    """
    titles = {d.source: d for d in KNOWN.values()}
    found = {}
    for licence, source in sorted({(r.licence, r.source) for r in records}):
        known = titles.get(source)
        found[licence, source] = {
            "name": source if known is None else known.title,
            "licence": licence,
            "source": source,
            "weights": use_under(licence) if known is None else known.weights,
        }
    return sorted(found.values(), key=lambda one: (one["name"], one["licence"]))


def use_under(licence: str) -> str:
    """What weights may be used for by a licence alone.

    >>> use_under("CC-BY-4.0"), use_under("CC-BY-NC-4.0")
    ('any use', 'non-commercial research')
    """
    if _NARROW.search(licence):
        return RESEARCH
    return ANY if _FREE.match(licence) else UNSAID


def weights_for(sets: Sequence[Mapping[str, str]]) -> str:
    """What weights trained on all of some `training_sets` may be used for: the narrowest."""
    uses = {one["weights"] for one in sets}
    return next((use for use in (RESEARCH, UNSAID) if use in uses), ANY)
