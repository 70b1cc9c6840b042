"""Every benchmark starts: what is renamed in mien would break a command that the documents name."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from mien.errors import ConfigError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
OUTSIDE = {"tflite", "mediapipe", "dlib", "tensorflow", "onnxruntime"}
"""Judges and tools that the suite does not install."""


@pytest.mark.parametrize("name", sorted(p.stem for p in BENCHMARKS.glob("*.py")))
def test_it_can_be_imported(name: str) -> None:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name in OUTSIDE:
            pytest.skip(f"needs {error.name}")
        raise


def test_no_requirement_is_told_in_a_line() -> None:
    installed = importlib.import_module("installed")
    with pytest.raises(ConfigError, match="write a requirement"):
        installed.closure(["mien[web"], set())
