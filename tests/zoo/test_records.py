"""Weights are read as safetensors of numbers that numpy has, or refused in a line."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from mien.errors import AssetMissing, WeightsError
from mien.zoo.records import read_weights


def written(path: Path, kind: str, size: int) -> Path:
    """Four zeros of a kind of number, `size` bytes each."""
    array = {"dtype": kind, "shape": [4], "data_offsets": [0, 4 * size]}
    header = json.dumps({"__metadata__": {"method": "none"}, "a": array}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4 * size))
    return path


def test_arrays_and_what_a_file_says_of_itself(tmp_path: Path) -> None:
    arrays, facts = read_weights(written(tmp_path / "w.safetensors", "F16", 2))
    assert arrays["a"].dtype == np.float16
    assert arrays["a"].tolist() == [0, 0, 0, 0]
    assert facts == {"method": "none"}


@pytest.mark.parametrize(("kind", "size"), [("BF16", 2), ("F8_E4M3", 1)])
def test_numbers_that_numpy_lacks(tmp_path: Path, kind: str, size: int) -> None:
    with pytest.raises(WeightsError, match="save it in float16 or 32"):
        read_weights(written(tmp_path / "w.safetensors", kind, size))


def test_no_safetensors_and_none_at_all(tmp_path: Path) -> None:
    (tmp_path / "w.safetensors").write_text("weights")
    with pytest.raises(WeightsError, match="is not a safetensors file"):
        read_weights(tmp_path / "w.safetensors")
    with pytest.raises(AssetMissing):
        read_weights(tmp_path / "none.safetensors")
