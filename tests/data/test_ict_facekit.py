import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.data.adapters import ict_facekit
from mien.errors import DataError

EXPRESSIONS = ("jawOpen", "mouthSmile_L")


def write_obj(path: Path, vertices: np.ndarray) -> None:
    rows = ["# comment", "mtllib x.mtl"]
    rows += [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    rows += ["vt 0.0 0.0", "vt 0.5 0.25", "vt 1.0 1.0"]
    rows += ["usemtl M_Face", "f 1/1 2/2 3/3 4/1", "usemtl M_Teeth", "f 5/3 4/2 1/1"]
    rows += ["usemtl M_Face", "f 2/1 3/1 4/1 5/1"]
    path.write_text("\n".join(rows) + "\n")


@pytest.fixture
def download(tmp_path: Path) -> Path:
    """A face of five vertices with all the files of the original."""
    folder = tmp_path / "ICT-FaceKit" / "FaceXModel"
    folder.mkdir(parents=True)
    names = [f"identity{i:03d}" for i in range(ict_facekit.IDENTITIES)]
    for i, name in enumerate(("generic_neutral_mesh", *EXPRESSIONS, *names)):
        write_obj(folder / f"{name}.obj", np.arange(15).reshape(5, 3) + 0.25 * i)
    index = {"expressions": EXPRESSIONS, "idx_to_landmark_verts": [i % 5 for i in range(68)]}
    (folder / "vertex_indices.json").write_text(json.dumps(index))
    return folder.parent


def test_import(download: Path, tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    path = ict_facekit.import_model(
        download, tmp_path / "new" / "model.npz", lambda done, total: steps.append((done, total))
    )
    assert steps[-1] == (102, 102)
    assert [p.name for p in path.parent.iterdir()] == ["model.npz"]
    with np.load(path, allow_pickle=False) as model:
        assert model["neutral"].tolist() == np.arange(15).reshape(5, 3).tolist()
        assert model["expression_names"].tolist() == list(EXPRESSIONS)
        assert model["expression_deltas"].dtype == np.float16
        assert (model["expression_deltas"][1] == 0.5).all()
        assert model["identity_deltas"].shape == (100, 5, 3)
        assert (model["identity_deltas"][0] == 0.75).all()
        assert model["faces"].tolist() == [[0, 1, 2, 3], [4, 3, 0, -1], [1, 2, 3, 4]]
        assert model["face_uvs"].tolist() == [[0, 1, 2, 0], [2, 1, 0, -1], [0, 0, 0, 0]]
        assert model["uvs"].tolist() == [[0, 0], [0.5, 0.25], [1, 1]]
        assert model["face_material"].tolist() == [0, 1, 0]
        assert model["material_names"].tolist() == ["M_Face", "M_Teeth"]
        assert model["landmark_vertices"].shape == (68,)


def test_it_lands_where_the_rig_looks(
    download: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "home"))
    path = ict_facekit.import_model(download / "FaceXModel")
    assert path == tmp_path / "home" / "ict_facekit" / "ict_facekit.npz"


def break_index(folder: Path) -> None:
    (folder / "vertex_indices.json").write_text("{}")


def drop_index(folder: Path) -> None:
    (folder / "vertex_indices.json").unlink()


def five_corners(folder: Path) -> None:
    with (folder / "generic_neutral_mesh.obj").open("a") as stream:
        stream.write("f 1/1 2/2 3/3 4/1 5/1\n")


def fewer_vertices(folder: Path) -> None:
    write_obj(folder / "jawOpen.obj", np.zeros((4, 3)))


def broken_number(folder: Path) -> None:
    (folder / "jawOpen.obj").write_text("v 0 zero 0\n")


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (break_index, "not the index"),
        (drop_index, "clone the GitHub repository"),
        (five_corners, "5 corners"),
        (fewer_vertices, "jawOpen.obj has 4 vertices"),
        (broken_number, "jawOpen.obj is not an OBJ"),
    ],
)
def test_damage_is_named_and_nothing_written(
    download: Path, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    damage(download / "FaceXModel")
    with pytest.raises(DataError, match=says) as caught:
        ict_facekit.import_model(download, tmp_path / "out" / "model.npz")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_an_unwritable_place_says_what_to_do(download: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="--out"):
        ict_facekit.import_model(download, tmp_path / "file" / "model.npz")


def test_a_partial_download_lists_what_is_missing(
    original: Callable[..., Path], tmp_path: Path
) -> None:
    sample = original("ict_facekit", "sample")
    with pytest.raises(DataError, match=r"150 of 154 OBJ files are missing.*browDown_L\.obj"):
        ict_facekit.import_model(sample, tmp_path / "model.npz")
    assert list(tmp_path.iterdir()) == []


def test_the_original_neutral_mesh(original: Callable[..., Path]) -> None:
    mesh = ict_facekit.read_mesh(
        original("ict_facekit", "sample", "FaceXModel") / "generic_neutral_mesh.obj"
    )
    with np.load(original("ict_facekit", "ict_facekit.npz"), allow_pickle=False) as model:
        np.testing.assert_array_equal(mesh.vertices, model["neutral"])
        np.testing.assert_array_equal(mesh.faces, model["faces"])
        np.testing.assert_array_equal(mesh.face_uvs, model["face_uvs"])
        np.testing.assert_array_equal(mesh.uvs, model["uvs"])
        np.testing.assert_array_equal(mesh.face_material, model["face_material"])
        assert mesh.material_names == model["material_names"].tolist()


@pytest.mark.parametrize("name", ["mouthSmile_L", "jawOpen", "identity000"])
def test_the_original_shapes(original: Callable[..., Path], name: str) -> None:
    folder = original("ict_facekit", "sample", "FaceXModel")
    neutral = ict_facekit.read_vertices(folder / "generic_neutral_mesh.obj")
    shape = ict_facekit.read_vertices(folder / f"{name}.obj") - neutral
    with np.load(original("ict_facekit", "ict_facekit.npz"), allow_pickle=False) as model:
        if name == "identity000":
            wanted = model["identity_deltas"][0]
        else:
            wanted = model["expression_deltas"][model["expression_names"].tolist().index(name)]
    np.testing.assert_array_equal(shape.astype(np.float16), wanted)
