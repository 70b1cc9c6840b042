"""SECURITY.md names a test for every threat, and every test that it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path


def test_every_threat_has_a_test_that_exists(root: Path) -> None:
    text = (root / "SECURITY.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 20
    for row in rows:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row.rsplit("|", 2)[1])
        assert named, f"no test holds: {row}"
        for file, test in named:
            tree = ast.parse((root / file).read_text(encoding="utf-8"))
            found = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert test in found, f"{file} has no {test}"
