"""Names in code are the field's: what was renamed once does not come back.

Prose has its own list (tests/docs/test_words.py); this one reads the identifiers that code defines.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

INSTEAD = {
    "told": "say what it is: metadata, answer, label, outcome",
    "lent": "reference, donor, transferred", "lender": "reference, donor",
    "lenders": "references, donors", "lend": "transfer", "lends": "transfers",
    "lendable": "transferable",
    "hedge": "occlusion", "watch": "critic", "watches": "part critics", "watched": "measured",
    "watching": "progress, critic", "playing": "active",
    "apart": "distance, difference, error", "journal": "training log",
    "party": "leakage split", "brief": "summary",
    "lay": "flatten, apply", "laid": "flattened, applied", "relief": "wrinkle map",
    "course": "resolution schedule",
}  # fmt: skip
"""A word in an identifier -> the field's."""


def defined(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every identifier that a module defines, with its line: classes, functions, their parameters,
    variables, fields and what is set on `self`."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name, node.lineno
            case ast.arg():
                yield node.arg, node.lineno
            case ast.Name(ctx=ast.Store()):
                yield node.id, node.lineno
            case ast.Attribute(ctx=ast.Store()):
                yield node.attr, node.lineno


def words(name: str) -> list[str]:
    """`toReference` and `to_reference` are two words each."""
    return [w.lower() for w in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)]


def test_words_are_found_in_names() -> None:
    tree = ast.parse("class LentFilm:\n    def at(self, told_by): self.lender = 1\n")
    found = {name for name, _ in defined(tree) if INSTEAD.keys() & set(words(name))}
    assert found == {"LentFilm", "told_by", "lender"}


def test_names_are_the_fields(modules: list[Any], root: Path) -> None:
    trees = [(m.name, m.tree) for m in modules]
    for folder in ("tools", "docs", ".ci"):
        paths = sorted((root / folder).rglob("*.py"))
        trees += [(p.name, ast.parse(p.read_text(encoding="utf-8"))) for p in paths]
    wrong = [
        f"{module}:{line} {name}: {INSTEAD[word]}"
        for module, tree in trees
        for name, line in defined(tree)
        for word in words(name)
        if word in INSTEAD
    ]
    wrong += [f"{m.name}: a module" for m in modules if INSTEAD.keys() & set(m.name.split("."))]
    assert wrong == []
