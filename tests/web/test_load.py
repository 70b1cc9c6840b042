"""The load benchmark against the real `mien serve`, for a moment."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_runs(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command = [sys.executable, ROOT / "benchmarks/load.py", "--seconds", "3", "--clients", "40"]
    # bodies that trickle have a minute's time: test_slow has them, with a shorter one
    command += ["--slow", "half_head", "half_body"]
    command += ["--edits", "8", "-o", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(out.read_text())
    crowd, memory = found["crowd"], found["memory"]
    assert crowd["answers"].keys() == {"200", "429 busy"}, "forty at once are more than may wait"
    assert crowd["told_to_slow"]["half_head: 408 too_slow"] >= 2
    assert crowd["wrong"] == memory["wrong"] == []
    assert crowd["p50_ms"] <= crowd["p99_ms"]
    assert crowd["health_asked"] > 5
    assert memory["edits"] == 8
    # eight edits are too few for a line on memory, and a busy machine is slow to answer
    assert done.returncode == 0 or re.search(r"not fine: (health|memory)", done.stderr)


def test_what_is_wrong_is_told() -> None:
    found = {
        "crowd": {"wrong": ["no answer"] * 2, "health_slowest_ms": 1000},
        "memory": {"wrong": [], "memory_growth": 1.06},
    }
    told = ["no answer (x 2)", "health took 1000 ms", "memory x 1.06"]
    assert load().faults(found) == told


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (429, b'{"error": {"code": "busy", "message": "later"}}', False),
        (503, b'{"error": {"code": "ending", "message": "later"}}', False),
        (500, b'{"error": {"code": "internal", "message": "see the log"}}', True),
        (429, b'{"error": {"code": "busy", "message": ""}}', True),
        (404, b"Not Found", True),
        (200, b"\x89PNG\r\n\x1a\n", True),
    ],
)
def test_answers_are_judged(status: int, body: bytes, wrong: bool) -> None:
    assert bool(load().judge(status, body)[1]) == wrong


def load() -> Any:
    spec = importlib.util.spec_from_file_location("load", ROOT / "benchmarks/load.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["load"] = module
    spec.loader.exec_module(module)
    return module
