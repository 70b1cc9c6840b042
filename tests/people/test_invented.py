"""People mixed from the samples: photographs of nobody, judged, resumed, the same again."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.spatial import Delaunay

from mien import facs, images
from mien.data.manifest import FILE_NAME, Record, read_manifest, write_manifest
from mien.editor import Editor
from mien.errors import DataError, FaceUndrawable
from mien.faces.detect import detect
from mien.people.asks import of_row
from mien.people.crowd import Crowd, _parts
from mien.people.invented import (
    NOTE,
    Person,
    Settings,
    _Draw,
    asks_digest,
    portrait,
    sources_digest,
    write,
)
from mien.people.mixing import Recipe, _check_folds, mix
from mien.people.packing import pack
from mien.people.shapes import gain, length
from mien.people.sources import pool
from mien.provenance import mark
from mien.types import Face, Float, UInt8

ASKS = [of_row({"label": "happy"})]


def settings(crowd: Crowd, **changes: Any) -> Settings:
    made = Settings(
        sources_digest(crowd), "morphable", "", 1, 512, 3, 0.01, (), {}, asks_digest(ASKS)
    )
    return dataclasses.replace(made, **changes)


@pytest.fixture(scope="module")
def mixed(crowd: Crowd) -> UInt8:
    source = [crowd.source(p) for p in crowd.people]
    recipe = Recipe((0.4, 0.3, 0.3), 0, (1, 2, 1))
    shares = dict(zip(crowd.people, recipe.shares, strict=True))
    return mix(crowd.model, source, recipe, crowd.shapes.mixed(crowd.mean({}), shares), 512)


def test_the_mixed_face_is_another_one_in_the_frame_of_the_first(
    crowd: Crowd, mixed: UInt8
) -> None:
    assert mixed.shape == (512, 512, 3)
    (face,) = detect(mixed)
    source = crowd.source(next(iter(crowd.people)))
    alone = mix(crowd.model, [source] * 3, Recipe((0.4, 0.3, 0.3), 0, (1, 2, 1)),
                source.neutral, 512)  # fmt: skip
    (own,) = detect(alone)
    change = np.abs(mixed.astype(float) - alone).mean(-1)
    x0, y0 = own.landmarks.min(0).astype(int)
    x1, y1 = own.landmarks.max(0).astype(int)
    assert change[y0:y1, x0:x1].mean() > 5
    assert change[:20].mean() < 1  # the wall stays
    assert np.abs(face.landmarks - own.landmarks).max() > 3


def test_surroundings_that_fold_are_refused() -> None:
    line = np.arange(10, dtype=np.float32)
    points = np.stack(np.meshgrid(line, line), -1).reshape(-1, 2)
    mesh = Delaunay(points).simplices.astype(np.int32)
    stretched = points * np.array([1.5, 0.7], np.float32)
    _check_folds(points, stretched, mesh, 40)
    folded = points.copy()
    folded[75, 0] += 1.5  # past its neighbour
    with pytest.raises(FaceUndrawable, match="cannot follow"):
        _check_folds(points, folded, mesh, 40)
    _check_folds(points, folded, mesh, 100)  # on the face: such are hidden


def test_a_mean_is_brought_back_to_the_spread_of_one() -> None:
    assert gain((1.0,)) == 1
    assert gain((0.5, 0.5)) == pytest.approx(2**0.5)
    assert gain((0.1,) * 10) == 1.6


@pytest.fixture(scope="module")
def made(crowd: Crowd, editor: Editor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person at rest and smiling."""
    folder = tmp_path_factory.mktemp("people")
    report = write(crowd, editor, settings(crowd), folder, 1, ASKS)
    assert report.people == 1
    return folder


def test_a_portrait_is_what_the_first_picture_shows_under_its_mark(
    crowd: Crowd, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = portrait(crowd, settings(crowd), 0)
    marked = mark.embed(person.pixels, 255 - person.pixels, [person.face])
    np.testing.assert_array_equal(marked, images.read(made / "00000/neutral.png").pixels)
    monkeypatch.setattr("mien.people.invented.ATTEMPTS", 2)
    with pytest.raises(DataError, match="person 0 of seed 1 is nobody: attempt 1: "):
        portrait(crowd, settings(crowd, least=5.0), 0)


def test_people_are_a_data_set_and_a_run_goes_on(
    crowd: Crowd, editor: Editor, made: Path, tmp_path: Path
) -> None:
    rows = read_manifest(made)
    assert [r.file_name for r in rows] == ["00000/neutral.png", "00000/happy.png"]
    assert [r.emotion for r in rows] == ["neutral", "happy"]
    assert rows[0].licence == "CC-BY-4.0"
    note = json.loads((made / "00000" / NOTE).read_text())
    assert len(set(note["sources"])) == 3
    assert [p["read"]["a"]["emotion"] for p in note["pictures"]] == ["neutral", "happy"]
    before = {p: p.stat().st_mtime_ns for p in made.rglob("*.png")}
    write(crowd, editor, settings(crowd), made, 1, ASKS)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    folder = tmp_path / "again"
    shutil.copytree(made, folder)
    for path in (folder / "00000").iterdir():
        path.unlink()
    write(crowd, editor, settings(crowd), folder, 1, ASKS)
    for path in before:
        assert (folder / path.relative_to(made)).read_bytes() == path.read_bytes()
    with pytest.raises(DataError, match="other settings"):
        write(crowd, editor, settings(crowd, seed=2), made, 1, ASKS)


def test_a_picture_is_judged_as_it_lies_on_disk(
    crowd: Crowd, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark moves identity distances, by up to 0.016."""
    judged: list[UInt8] = []
    distances = crowd.distances

    def heard(pixels: UInt8, face: Face) -> dict[str, float]:
        judged.append(pixels)
        return distances(pixels, face)

    monkeypatch.setattr(crowd, "distances", heard)
    write(crowd, editor, settings(crowd), tmp_path, 1, ASKS)
    written = [images.read(path).pixels for path in tmp_path.rglob("*.png")]
    assert len(written) == 2
    assert all(any(np.array_equal(one, seen) for seen in judged) for one in written)


def test_a_person_stands_before_another_wall(
    crowd: Crowd, editor: Editor, made: Path, tmp_path: Path
) -> None:
    asks = [of_row({"label": "neutral", "background": "#b0b8c8", "name": "wall"})]
    write(crowd, editor, settings(crowd, expressions=asks_digest(asks)), tmp_path, 1, asks)
    note = json.loads((tmp_path / "00000" / NOTE).read_text())
    assert [p["background"] for p in note["pictures"]] == [None, "#b0b8c8"]
    pixels = images.read(tmp_path / "00000/wall.png").pixels
    assert np.abs(pixels[:40, :40].astype(float) - (0xB0, 0xB8, 0xC8)).mean() < 4
    rest = images.read(tmp_path / "00000/neutral.png").pixels
    own = images.read(made / "00000/neutral.png").pixels
    np.testing.assert_array_equal(rest, own)  # the portrait keeps its wall
    middle = np.abs(pixels.astype(float) - rest)[220:300, 230:280]
    assert middle.mean() < 1


def test_a_set_is_packed_for_others(made: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert pack(made, tmp_path) == 2
    (split,) = {r.split for r in read_manifest(made)}
    path = tmp_path / "data" / f"{split}-00000.parquet"
    table = parquet.read_table(path)
    rows = table.to_pylist()
    assert [r["file_name"] for r in rows] == ["00000/neutral.png", "00000/happy.png"]
    for row in rows:
        assert row["image"]["bytes"] == (made / row["file_name"]).read_bytes()
        assert len(row["units_asked"]) == len(row["units_read_a"]) == len(facs.UNITS)
        assert len(row["sources"]) == 3
        said, who = row["accepted"].split(" from ", 1)
        assert float(said) == pytest.approx(row["distance"], abs=6e-4)
        assert who.startswith("samples/")
        assert (row["licence"], row["split"], row["seed"]) == ("CC-BY-4.0", split, 1)
    told = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert set(told) == set(table.column_names)
    assert told["image"] == {"_type": "Image"}
    with tarfile.open(tmp_path / "webdataset" / f"{split}-00000.tar") as tar:
        assert sorted(tar.getnames()) == [
            "00000-happy.json", "00000-happy.png", "00000-neutral.json", "00000-neutral.png",
        ]  # fmt: skip
    text = (tmp_path / "README.md").read_text()
    assert f"path: data/{split}-*.parquet" in text
    assert "| happy | 1 | 1 |" in text
    assert f"- {rows[0]['origin']}: CC-BY-4.0. Changes: mixed" in text
    assert "5047666" in text
    assert images.read(tmp_path / "samples.jpg").pixels.shape == (160, 320, 3)
    again = tmp_path / "again"
    pack(made, again)
    assert (again / path.relative_to(tmp_path)).read_bytes() == path.read_bytes()
    with pytest.raises(DataError, match="holds no people"):
        pack(again, tmp_path)


def test_datasets_opens_the_set(made: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    pytest.importorskip("pyarrow")
    pack(made, tmp_path / "set")
    found = datasets.load_dataset(str(tmp_path / "set"), cache_dir=str(tmp_path / "cache"))
    (split,) = found
    assert found[split][1]["emotion"] == "happy"
    assert found[split][1]["image"].size == (512, 512)


def test_who_is_too_near_is_refused(
    crowd: Crowd, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.people.invented.ATTEMPTS", 2)
    report = write(crowd, editor, settings(crowd, least=5.0), tmp_path, 1, ASKS)
    assert report.people == 0
    assert len(report.refused) == 2
    assert "from samples/" in report.refused[0]
    assert not list(tmp_path.rglob("*.png"))
    assert read_manifest(tmp_path) == []


@pytest.mark.parametrize(("agree", "made"), [(0, 1), (1, 1), (2, 0)])
def test_a_label_that_judges_do_not_read_is_refused(
    crowd: Crowd, editor: Editor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agree: int,
    made: int,
) -> None:  # fmt: skip
    """One judge reads what is asked, the other something else; the portrait is nobody's label."""
    read = {"a": {"emotion": "happy"}, "b": {"emotion": "sad"}}
    monkeypatch.setattr("mien.people.invented.read", lambda *_: read)
    monkeypatch.setattr(Editor, "edit", lambda _, photo, *__: photo)
    pixels = np.full((512, 512, 3), 120, np.uint8)
    face = detect(images.read(next(iter(crowd.people.values())).photo).pixels)[0]
    monkeypatch.setattr("mien.people.invented._found", lambda _: face)
    monkeypatch.setattr("mien.people.invented._judged", lambda *_: (face, ("x", 0.9)))
    mixed = crowd.draw([{}], 3, (1, 0, 0))
    person = Person(_Draw("nobody/x-1-00000", tmp_path / "00000", 0), mixed, 0, pixels, face)
    monkeypatch.setattr("mien.people.invented._portrayed", lambda *_: person)
    report = write(crowd, editor, settings(crowd, agree=agree), tmp_path, 1, ASKS)
    assert [r.emotion for r in report.records] == ["neutral", "happy"][: 1 + made]
    assert [line.partition(", ")[2] for line in report.refused] == [
        "happy: judges read happy and sad"
    ] * (1 - made)


def test_labels_are_whole_or_judges_are_not_asked() -> None:
    assert of_row({"label": "sad", "turn": "0 5 0", "background": "#c0c0c0"}).whole
    for more in ({"intensity": "0.5"}, {"side": "left"}, {"au": "AU12=0.3"}):
        assert not of_row({"label": "sad", **more}).whole
    assert not of_row({"label": "neutral"}).whole
    assert not of_row({"au": "AU12=1"}).whole


def test_a_push_leads_away_within_what_people_differ_by(crowd: Crowd) -> None:
    shapes, mean = crowd.shapes, crowd.mean({})
    first, *_ = crowd.people
    shape, far = mean, []
    neutral = crowd.source(first).neutral
    for _ in range(20):
        far.append(length(shape - neutral))
        pushed = shapes.pushed(shape, mean, first)
        if pushed is None:
            break
        shape = pushed
    assert len(far) < 20  # it ends
    assert far == sorted(far)
    assert far[-1] > far[0] + 0.1
    assert length(shape - mean) <= shapes.bound + 1e-4

    def crooked(deviation: Float) -> float:
        """How much of it differs between left and right."""
        other = deviation[shapes._mirror] * np.array([-1, 1, 1], np.float32)
        return length(deviation - other) / length(deviation)

    assert crooked(shape - mean) <= crooked(neutral - mean)  # the person is, the push no more


def test_others_lend_parts_when_the_group_alone_is_too_near(crowd: Crowd) -> None:
    group, *kin = crowd.people
    many = [crowd.draw([{}], 3, (3, 0, attempt)) for attempt in range(3)]
    assert all(len(m.people) == 3 for m in many)  # nobody is outside the group of all
    frame, parts = _parts(np.random.default_rng(1), 4, 2)
    assert frame < 4
    assert {4, 5} <= set(parts)
    assert len({frame, *parts}) == 4
    assert set(many[0].sources) == {group, *kin}


def test_groups_take_turns(crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd, "of", lambda group: list(crowd.people))
    groups = [{"gender": g} for g in "abc"]
    seen = [crowd.draw(groups, 3, (3, number, 0)).group["gender"] for number in range(6)]
    assert sorted(seen[:3]) == sorted(seen[3:]) == ["a", "b", "c"]
    first, again = crowd.draw(groups, 3, (3, 1, 0)), crowd.draw(groups, 3, (3, 1, 0))
    assert first == again
    assert max(first.recipe.shares) <= 0.5


def test_groups_without_three_people_are_not_mixed(crowd: Crowd) -> None:
    assert crowd.groups((), {}) == [{}]
    with pytest.raises(DataError, match="no group has three people"):
        crowd.groups(("gender",), {})


def test_people_who_did_not_consent_are_not_mixed(tmp_path: Path) -> None:
    def record(person: str) -> Record:
        return Record("a.png", person, "neutral", None, None, "public domain", "x", "train")

    write_manifest(tmp_path, [record("congress/A000001")])
    with pytest.raises(DataError, match="did not consent"):
        pool([str(tmp_path)])
    write_manifest(tmp_path, [record("mine/1"), record("mine/2")])
    with pytest.raises(DataError, match=r"2 people .* three at least"):
        pool([str(tmp_path)])
    (tmp_path / FILE_NAME).unlink()
    with pytest.raises(DataError, match="mien data import"):
        pool([str(tmp_path)])
    with pytest.raises(DataError, match="no photographs at"):
        pool([str(tmp_path / "nowhere")])
