"""The load benchmark against the real `mien serve`, for a moment."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_runs(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command = [sys.executable, ROOT / "benchmarks/load.py", "--seconds", "3", "--clients", "12"]
    done = subprocess.run([*command, "-o", out], capture_output=True, text=True, check=False)
    found = json.loads(out.read_text())
    assert found["answers"].keys() == {"200", "429"}, "twelve at once are more than may wait"
    assert found["p50_ms"] <= found["p99_ms"]
    assert "not fine: answers []" in done.stderr or done.returncode == 0, done.stderr
