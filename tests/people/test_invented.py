"""People mixed from the samples: photographs of nobody, judged, resumed, the same again."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from mien import images
from mien.data.manifest import FILE_NAME, Record, read_manifest, write_manifest
from mien.editor import Editor
from mien.errors import DataError
from mien.faces.detect import detect
from mien.people.asks import of_row
from mien.people.crowd import Crowd, _parts
from mien.people.invented import NOTE, Settings, asks_digest, sources_digest, write
from mien.people.mixing import Recipe, mix
from mien.people.shapes import gain, length
from mien.people.sources import pool
from mien.types import UInt8

ASKS = [of_row({"label": "happy"})]


def settings(crowd: Crowd, **changes: object) -> Settings:
    made = Settings(
        sources_digest(crowd), "morphable", "", 1, 512, 3, 0.01, (), {}, asks_digest(ASKS)
    )
    return dataclasses.replace(made, **changes)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def mixed(crowd: Crowd) -> UInt8:
    lent = [crowd.lent(p) for p in crowd.people]
    recipe = Recipe((0.4, 0.3, 0.3), 0, (1, 2, 1))
    shares = dict(zip(crowd.people, recipe.shares, strict=True))
    return mix(crowd.model, lent, recipe, crowd.shapes.mixed(crowd.mean({}), shares), 512)


def test_the_mixed_face_is_another_one_in_the_frame_of_the_first(
    crowd: Crowd, mixed: UInt8
) -> None:
    assert mixed.shape == (512, 512, 3)
    (face,) = detect(mixed)
    lent = crowd.lent(next(iter(crowd.people)))
    alone = mix(crowd.model, [lent] * 3, Recipe((0.4, 0.3, 0.3), 0, (1, 2, 1)),
                lent.rest, 512)  # fmt: skip
    (own,) = detect(alone)
    change = np.abs(mixed.astype(float) - alone).mean(-1)
    x0, y0 = own.landmarks.min(0).astype(int)
    x1, y1 = own.landmarks.max(0).astype(int)
    assert change[y0:y1, x0:x1].mean() > 5
    assert change[:20].mean() < 1  # the wall stays
    assert np.abs(face.landmarks - own.landmarks).max() > 3


def test_a_mean_is_brought_back_to_the_spread_of_one() -> None:
    assert gain((1.0,)) == 1
    assert gain((0.5, 0.5)) == pytest.approx(2**0.5)
    assert gain((0.1,) * 10) == 1.6


def test_people_are_a_data_set_and_a_run_goes_on(
    crowd: Crowd, editor: Editor, tmp_path: Path
) -> None:
    report = write(crowd, editor, settings(crowd), tmp_path, 1, ASKS)
    assert report.people == 1
    rows = read_manifest(tmp_path)
    assert [r.file_name for r in rows] == ["00000/neutral.png", "00000/happy.png"]
    assert [r.emotion for r in rows] == ["neutral", "happy"]
    assert rows[0].licence == "CC-BY-4.0"
    note = json.loads((tmp_path / "00000" / NOTE).read_text())
    assert len(set(note["sources"])) == 3
    assert min(p["distance"] for p in note["pictures"]) == pytest.approx(report.nearest)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*.png")}
    pixels = {p: images.read(p).pixels for p in before}
    write(crowd, editor, settings(crowd), tmp_path, 1, ASKS)
    assert {p: p.stat().st_mtime_ns for p in before} == before
    (tmp_path / "00000" / NOTE).unlink()
    write(crowd, editor, settings(crowd), tmp_path, 1, ASKS)
    assert all(np.array_equal(images.read(p).pixels, seen) for p, seen in pixels.items())
    with pytest.raises(DataError, match="other settings"):
        write(crowd, editor, settings(crowd, seed=2), tmp_path, 1, ASKS)


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


def test_a_push_leads_away_within_what_people_differ_by(crowd: Crowd) -> None:
    shapes, mean = crowd.shapes, crowd.mean({})
    first, *_ = crowd.people
    shape, far = mean, []
    rest = crowd.lent(first).rest
    for _ in range(20):
        far.append(length(shape - rest))
        pushed = shapes.pushed(shape, mean, first)
        if pushed is None:
            break
        shape = pushed
    assert len(far) < 20  # it ends
    assert far == sorted(far)
    assert far[-1] > far[0] + 0.1
    assert length(shape - mean) <= shapes.bound + 1e-4
    mirrored = shape[shapes._mirror] * np.array([-1, 1, 1], np.float32)
    assert length((shape - mean) - (mirrored - mean[shapes._mirror] * [-1, 1, 1])) < 0.05


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
