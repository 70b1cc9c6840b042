from pathlib import Path

import platformdirs
import pytest

from mien.files import replacing
from mien.zoo import cache_home, data_home, dataset_home, paths, rig_home


def test_mien_data_decides(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIEN_DATA", str(tmp_path / "not yet there"))
    assert data_home() == tmp_path / "not yet there"
    monkeypatch.setenv("MIEN_DATA", "~/faces")
    assert data_home() == Path.home() / "faces"


def test_beside_the_repository_then_beside_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    (tmp_path / "a" / "repository").mkdir(parents=True)
    (tmp_path / "b" / "here").mkdir(parents=True)
    monkeypatch.setattr(paths, "repository", lambda: tmp_path / "a" / "repository")
    monkeypatch.chdir(tmp_path / "b" / "here")
    assert data_home() == Path(platformdirs.user_data_dir("mien"))
    (tmp_path / "b" / "shared" / "data").mkdir(parents=True)
    assert data_home() == tmp_path / "b" / "shared" / "data"
    (tmp_path / "a" / "shared" / "data").mkdir(parents=True)
    assert data_home() == tmp_path / "a" / "shared" / "data"


def test_the_cache_moves_as_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MIEN_CACHE", str(tmp_path))
    assert cache_home() == tmp_path
    assert {dataset_home("london").parent.parent, rig_home().parent} == {tmp_path}
    monkeypatch.delenv("MIEN_CACHE")
    assert cache_home() == Path(platformdirs.user_cache_dir("mien"))


def test_replacing_is_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file.txt"
    with replacing(path) as part:
        part.write_text("first")
        assert not path.exists()

    def cut_short() -> None:
        with replacing(path) as part:
            part.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        cut_short()
    assert path.read_text() == "first"
    assert list(path.parent.iterdir()) == [path]
