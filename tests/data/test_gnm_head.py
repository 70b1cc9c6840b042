"""The importer of GNM Head on a made file with the published keys: two quads, a face and an eye."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.data.adapters import gnm_head
from mien.errors import DataError

V, IDENTITIES, EXPRESSIONS = 8, 3, 5


def published(**changes: Any) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], np.float32)
    arrays = {
        "version": np.array("3.0"),
        "variant": np.array("head"),
        "template_vertex_positions": rng.normal(0, 0.1, (V, 3)).astype(np.float32),
        "vertex_identity_basis": rng.normal(0, 0.01, (IDENTITIES, V, 3)).astype(np.float32),
        "expression_basis": rng.normal(0, 0.01, (EXPRESSIONS, V, 3)).astype(np.float32),
        "identity_names": np.array([f"head_{i:03d}" for i in range(IDENTITIES)]),
        "expression_names": np.array([f"lower_face_region_{i:03d}" for i in range(EXPRESSIONS)]),
        "quads": np.array([[0, 1, 2, 3], [4, 5, 6, 7]], np.int32),
        "quad_uvs": np.stack([square, square / 2]),
        "triangles": np.zeros((4, 3), np.int32),
        "mirror_indices": np.array([1, 0, 3, 2, 5, 4, 7, 6]),
        "mesh_component_names": np.array(["left_eye", "skin"]),
        "vertex_group_names": np.array(["skin", "lips", "left_eye"]),
        "vertex_groups": np.array(
            [[1] * 4 + [0] * 4, [1, 1] + [0] * 6, [0] * 4 + [1] * 4], np.float32
        ),
    }
    return {k: v for k, v in (arrays | changes).items() if v is not None}


def made(folder: Path, **changes: Any) -> Path:
    """A clone with the model where it lies in the original."""
    place = folder / "gnm/shape/data/versions/v3_0"
    place.mkdir(parents=True)
    np.savez(place / "gnm_head.npz", **published(**changes))
    return folder


def test_the_arrays_of_ict_s_importer_in_centimetres(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    path = gnm_head.import_model(
        made(tmp_path / "clone"), tmp_path / "model.npz", lambda *step: steps.append(step)
    )
    assert steps[-1] == (2, 2)
    original, model = published(), np.load(path)
    for name, key in (
        ("neutral", "template_vertex_positions"),
        ("identity_deltas", "vertex_identity_basis"),
        ("expression_deltas", "expression_basis"),
    ):
        np.testing.assert_allclose(model[name], 100 * original[key], rtol=2e-3, atol=1e-4)
    assert model["expression_deltas"].dtype == np.float16
    np.testing.assert_array_equal(model["faces"], original["quads"])
    np.testing.assert_allclose(model["uvs"][model["face_uvs"]], original["quad_uvs"])
    assert len(model["uvs"]) == 7  # the origin is shared
    named = [str(model["material_names"][m]) for m in model["face_material"]]
    assert named == ["skin", "left_eye"]
    assert list(model["expression_names"]) == list(original["expression_names"])


def test_the_default_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "data"))
    path = gnm_head.import_model(made(tmp_path / "clone"))
    assert path == gnm_head.model_file() == tmp_path / "data/gnm_head/gnm_head.npz"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"expression_basis": None}, "no expression_basis"),
        ({"quads": None, "quad_uvs": None}, "no quad_uvs, quads"),
        ({"expression_basis": np.zeros((EXPRESSIONS, V + 1, 3))}, "not (5, 8, 3)"),
        ({"identity_names": np.array(["one"])}, "identity_names has shape (1,), not (3)"),
        ({"quads": np.full((2, 4), V)}, "quads names vertices"),
        ({"mesh_component_names": np.array(["tail"])}, "said to be of tail"),
        ({"quads": np.array([{}], object)}, "is not GNM Head v3"),
    ],
)
def test_another_file_is_refused(changes: dict[str, Any], says: str, tmp_path: Path) -> None:
    folder = made(tmp_path / "clone", **changes)
    with pytest.raises(DataError) as caught:
        gnm_head.import_model(folder, tmp_path / "model.npz")
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.npz").exists()


def test_no_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="clone the GitHub repository google/GNM"):
        gnm_head.import_model(tmp_path)
    (tmp_path / "gnm_head.npz").write_text("no array")
    with pytest.raises(DataError, match="is not GNM Head v3"):
        gnm_head.import_model(tmp_path)
