"""Reading the face model, and saying what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.errors import AssetMissing, DataError
from mien.face_model import mesh, packed
from mien.face_model.mesh import FaceModel


def test_a_missing_model_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="mien data import ict-facekit"):
        FaceModel.load(tmp_path / "model.npz")


def test_what_ships_is_the_original(original: Callable[..., Path]) -> None:
    shipped = FaceModel.load()
    whole = FaceModel.load(original("ict_facekit", "ict_facekit.npz"))
    assert packed.FILE.stat().st_size < 12e6
    assert shipped.names == whole.names
    assert (shipped.triangles == whole.triangles).all()
    assert (shipped.identities == whole.identities).all()
    assert np.abs(shipped.expressions - whole.expressions).max() <= packed.STILL


def test_its_notice_ships_with_it() -> None:
    assert "USC Institute for Creative Technologies" in packed.NOTICE.read_text(encoding="utf-8")


def test_packing_loses_nothing_that_moves(model: FaceModel, tmp_path: Path) -> None:
    m, path = model, tmp_path / "model.safetensors"
    arrays = (m.neutral, m.names, m.expressions, m.identities, m.triangles, m.layers, m.landmarks)
    packed.write(arrays, path)
    for kept, again in zip(arrays, packed.read(path), strict=True):
        assert np.array_equal(np.asarray(kept), np.asarray(again))


@pytest.mark.parametrize("content", [b"", b"not an archive", b"PK\x03\x04 cut short"])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"model\.npz is not a usable face model"):
        FaceModel.load(path)


def test_a_model_without_its_arrays(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez(path, neutral=np.zeros((5, 3), np.float32))
    with pytest.raises(DataError, match="mien data import ict-facekit"):
        FaceModel.load(path)


def test_a_model_with_damaged_numbers(tmp_path: Path, original: Callable[..., Path]) -> None:
    with np.load(original("ict_facekit", "ict_facekit.npz")) as arrays:
        parts = {name: arrays[name] for name in arrays.files}
    parts["neutral"] = parts["neutral"].copy()
    parts["neutral"][100] = np.nan
    with pytest.raises(ValueError, match="not a finite number"):
        FaceModel.from_arrays(parts)


def test_parts_of_the_model(model: FaceModel) -> None:
    assert model.neutral.shape == (mesh.KEPT, 3)
    assert len(model.names) == 53
    assert model.triangles.max() < mesh.KEPT
    assert set(np.unique(model.layers)) == {1, 2, 3, 4, 5, 6}
    left = model.neutral[mesh.EYE["L"], 0].mean()
    assert left > 0 > model.neutral[mesh.EYE["R"], 0].mean()
    assert model.normals(model.neutral)[model.landmarks[30], 2] > 0.5


def test_residual_moves_landmarks_as_told_and_teeth_not_at_all(model: FaceModel) -> None:
    asked = np.zeros((68, 2), np.float32)
    asked[48:] = (3, -2)
    moved = model.residual @ asked
    assert np.abs(moved[model.landmarks[48:]] - (3, -2)).max() < 1.0
    assert np.abs(moved[model.landmarks[36]]).max() < 0.3
    assert (moved[mesh.TEETH] == 0).all()
    assert np.ptp(moved[mesh.EYE["L"]], axis=0).max() < 1e-5
