"""`mien methods`: which methods there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def command() -> None:
    """List the methods: what they are, the guides they take by themselves, their weights and
    licence.

    Every method serves every guide; those it does not take by itself go through a small learnt map.
    """
    from rich.console import Console
    from rich.table import Table

    from mien.methods.registry import METHODS, installed, kind
    from mien.zoo.records import records

    table = Table(title="Methods", title_justify="left", show_lines=True)
    for column in ("name", "what", "takes by itself", "weights"):
        table.add_column(column, overflow="fold")
    for name, entry in METHODS.items():
        guides = "needs torch: pip install 'mien\\[train]'"
        if installed(name):
            guides = ", ".join(guide.__name__ for guide in kind(name).native)
        record = records().get(name)
        known = _weights(record.facts, record.licence) if record else "none ship: `mien train`"
        table.add_row(name, f"{entry.summary}\n{entry.paper}", guides, known)
    Console().print(table)


def _weights(facts: Mapping[str, Any], licence: str) -> str:
    """Size, parameters and licence, as far as the record says."""
    size, count = facts.get("size"), facts.get("parameters")
    parts = [f"{size} px"] if size else []
    parts += [f"{count / 1e6:.1f} M parameters"] if count else []
    return "\n".join((*parts, f"default; licence {licence}"))
