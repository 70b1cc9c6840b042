"""torch-fidelity's pickle becomes safetensors: only the file of that name, and only tensors."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from mien.errors import AssetMissing, WeightsError


@pytest.fixture
def inception() -> Any:
    import inception

    return inception


def named(path: Path) -> str:
    """What a file with these contents must have been called."""
    return f"weights-{hashlib.sha256(path.read_bytes()).hexdigest()[:8]}.pth"


def test_the_file_becomes_safetensors(
    inception: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there, out = tmp_path / "there.pth", tmp_path / "out.safetensors"
    torch.save({"fc.bias": torch.arange(8.0)}, there)
    monkeypatch.setattr(inception, "URL", there.as_uri())
    monkeypatch.setattr(inception, "NAME", named(there))
    monkeypatch.setattr(inception.tensors, "__defaults__", (named(there),))
    monkeypatch.setattr(sys, "argv", ["inception.py", "-o", str(out)])
    inception.main()
    assert load_file(out)["fc.bias"].tolist() == list(range(8))
    monkeypatch.setattr(inception, "MOST", 100)
    with pytest.raises(AssetMissing, match="does not end"):
        inception.main()
    monkeypatch.setattr(inception, "URL", (tmp_path / "gone.pth").as_uri())
    with pytest.raises(AssetMissing, match="--weights"):
        inception.main()


def test_a_place_that_cannot_be_written_is_told(
    inception: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    there = tmp_path / "there.pth"
    torch.save({"fc.bias": torch.arange(8.0)}, there)
    monkeypatch.setattr(inception.tensors, "__defaults__", (named(there),))
    out = there / "out.safetensors"  # in a folder that is a file
    monkeypatch.setattr(sys, "argv", ["inception.py", "--weights", str(there), "-o", str(out)])
    with pytest.raises(SystemExit) as exit_:
        inception.or_one_line(inception.main)
    assert exit_.value.code == 2
    assert str(there) in capsys.readouterr().err


class Bad:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("ran"),))  # type: ignore[return-value]


def test_other_files_are_refused(
    inception: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    other = tmp_path / "other.pth"
    torch.save({"fc.bias": Bad()}, other)
    with pytest.raises(WeightsError, match="its SHA-256 begins with"):
        inception.tensors(other, "weights-00000000.pth")
    with pytest.raises(WeightsError, match="more than tensors"):
        inception.tensors(other, named(other))
    assert not Path("ran").exists()
    torch.save([1, 2], other)
    with pytest.raises(WeightsError, match="more than tensors"):
        inception.tensors(other, named(other))
