"""The house rules are tests; this is the code they read."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "mien"


@dataclass(frozen=True)
class Module:
    """A module of mien: its dotted name below `mien`, its file, its syntax tree."""

    name: str
    path: Path
    tree: ast.Module

    def imports(self) -> set[str]:
        """Dotted names of everything it imports, at the top or inside a function."""
        return set(_imports(self.tree))


@cache
def _imports(tree: ast.Module) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


@pytest.fixture(scope="session")
def modules() -> list[Module]:
    """Every module of mien, parsed."""
    return [
        Module(
            ".".join(path.relative_to(SOURCE).with_suffix("").parts),
            path,
            ast.parse(path.read_text(encoding="utf-8")),
        )
        for path in sorted(SOURCE.rglob("*.py"))
    ]


@pytest.fixture(scope="session")
def tracked() -> list[Path]:
    """Every file that git tracks and that is there."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout: there is no list of tracked files")
    names = done.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT
