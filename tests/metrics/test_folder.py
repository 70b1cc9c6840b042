"""Which protocols a folder allows, whom they ask, and for what."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien import facs, images
from mien.data.importing import import_photographs
from mien.errors import ConfigError, DataError
from mien.guides import Label, Reference
from mien.metrics.agreement import code_columns
from mien.metrics.folder import (
    ALL,
    LEAST,
    MOST,
    Folder,
    control,
    for_judges,
    own_side,
    pairs,
    protocols,
    shut_eyes,
    speech,
    units,
)
from mien.metrics.groups import Groups
from mien.metrics.protocols import Setting
from mien.metrics.speech import Clip, clips, speaker
from mien.metrics.speech import pairs as talking
from mien.metrics.trials import Units
from mien.types import Face
from mien.zoo.samples import samples

FACES = [path for _, path in sorted(samples().items())]


@pytest.fixture
def made(tmp_path: Path) -> Any:
    """A folder of the sample faces with a manifest of the given rows."""

    def make(*rows: dict[str, Any], split: str = "test") -> Folder:
        for number, row in enumerate(rows):
            row["file_name"] = f"{number}.jpg"
            shutil.copy(FACES[number % len(FACES)], tmp_path / row["file_name"])
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / "metadata.jsonl").write_text(text)
        return Folder.read(Setting(tmp_path, tmp_path, split, folder=tmp_path))

    return make


def test_what_is_known_decides_what_runs(made: Any) -> None:
    assert made({"person": "x"}).kinds == ["labels"]
    assert made({"person": "x"}, {"person": "x"}).kinds == ["pairs", "labels"]
    coded = {"person": "x", "units": {"AU12": 0.8}}
    assert made(coded, {"person": "x"}).kinds == ["pairs", "labels", "units"]
    with pytest.raises(ConfigError, match="choose from labels"):
        protocols([made({"person": "x"})], ["speech"])


def test_of_a_folder_without_a_word_each_picture_is_somebody(tmp_path: Path) -> None:
    setting = Setting(tmp_path, tmp_path, folder=tmp_path)
    with pytest.raises(DataError, match="no photographs in"):
        Folder.read(setting)
    for path in FACES:
        shutil.copy(path, tmp_path / path.name)
    (tmp_path / "notes.txt").write_text("no picture")
    folder = Folder.read(setting)
    assert folder.kinds == ["labels"]
    assert sorted(folder.people) == sorted(samples())


def test_rest_goes_to_each_expression_and_back(made: Any) -> None:
    folder = made(
        {"person": "x", "emotion": "neutral"}, {"person": "x", "emotion": "happy"},
        {"person": "y", "emotion": "neutral"}, {"person": "x", "emotion": "anger"},
    )  # fmt: skip
    found = {section.name: section for section in pairs(folder)}
    assert set(found) == {
        f"{one} to {other}, by {by}"
        for emotion in ("happy", "anger")
        for one, other in (("neutral", emotion), (emotion, "neutral"))
        for by in ("reference", "label")
    }
    (trial,) = found["neutral to happy, by label"].trials
    assert trial.ask == Label("happy")
    assert trial.emotions == (facs.EMOTIONS.index("happy"),)
    (other,) = found["neutral to happy, by reference"].trials
    assert isinstance(other.ask, Reference)
    assert other.truth is not None
    assert torch.equal(other.ask.faces.pixels, other.truth.pixels)
    assert other.source.pixels.shape == other.truth.pixels.shape
    side = other.source.pixels.shape[-1]
    assert LEAST <= side <= MOST
    assert side > 128  # the samples are larger: measured at their own size
    assert all(section.parts and section.answer for section in found.values())


def test_pictures_without_a_name_go_one_to_the_next(made: Any) -> None:
    (section,) = pairs(made({"person": "x"}, {"person": "x"}))
    assert section.name == "one to another, by reference"
    assert len(section.trials) == 1


def test_coded_units_are_asked_for_and_kept_beside_the_answer(made: Any) -> None:
    folder = made({"person": "x", "units": {"AU12": 0.8, "AU4": 0.0}}, {"person": "x"})
    ((trial,),) = (section.trials for section in units(folder))
    assert isinstance(trial.ask, Units)
    assert trial.coded is not None
    both = list(facs.columns("AU12"))
    assert trial.ask.values[0, both].tolist() == pytest.approx([0.8, 0.8])
    assert trial.ask.values.isfinite().all()
    assert trial.coded[0].isfinite().sum() == len(both) + len(facs.columns("AU4"))


def test_a_set_that_coders_coded_is_read_by_its_adapter(tmp_path: Path) -> None:
    original, out = tmp_path / "original", tmp_path / "bp4d"
    frames = original / "BP4D-training" / "F001" / "T1"
    frames.mkdir(parents=True)
    for number, path in zip((2440, 2441, 2442), FACES, strict=True):
        shutil.copy(path, frames / f"{number}.jpg")
    (original / "AUCoding" / "AU_OCC").mkdir(parents=True)
    (original / "AUCoding" / "AU_INT" / "AU12").mkdir(parents=True)
    coded = "0,1,12,13\n2440,0,0,0\n2441,9,1,1\n2442,1,1,0\n"
    (original / "AUCoding" / "AU_OCC" / "F001_T1.csv").write_text(coded)
    grades = "2441,1\n2442,5\n"
    (original / "AUCoding" / "AU_INT" / "AU12" / "F001_T1_AU12.csv").write_text(grades)
    import_photographs("bp4d", original, out, copy=True)
    folder = Folder.read(Setting(tmp_path, tmp_path, folder=out))
    assert "units" in folder.kinds
    (section,) = units(folder)
    codes = torch.cat([trial.coded for trial in section.trials if trial.coded is not None])
    assert sorted(codes[:, facs.INDEX["AU12L"]].tolist()) == pytest.approx(
        [0, facs.LETTERS["A"], 1]
    )
    read = torch.zeros(len(section.trials), len(facs.UNITS))
    columns = code_columns("a", read, codes)
    assert torch.isnan(columns["coded:AU4"]).all()  # nobody coded it
    assert columns["coded:AU12"].isfinite().all()


def test_whom_weights_were_trained_on_is_left_out(made: Any) -> None:
    rows = [{"person": f"london/{n:03}", "split": "train"} for n in range(2)]
    with pytest.raises(DataError, match="nobody of split test"):
        made(*rows)
    assert len(made(*rows, split=ALL).people) == 2
    assert list(made({"person": "mine/1", "split": "train"}).people) == ["mine/1"]


def test_a_picture_of_nobody_is_told(made: Any, tmp_path: Path) -> None:
    folder = made({"person": "x"}, {"person": "y"})
    images.write(tmp_path / "0.jpg", np.full((300, 300, 3), 90, np.uint8), metadata={})
    (protocol,) = (make(folder.setting) for make in protocols([folder], []).values())
    assert protocol.without_face == ("0.jpg",)
    assert protocol.sections[0].people == ["y"]


def test_a_side_is_bounded() -> None:
    points = np.random.default_rng(0).uniform(0, 1, (68, 2)).astype(np.float32)
    assert own_side(Face.at(points)) == LEAST
    assert own_side(Face.at(5000 * points)) == MOST


def row(number: int, gap: float, blink: float = 0.0) -> dict[str, Any]:
    return {"clip": "a.mpg", "i": number, "gap": gap, "blink": blink, "jaw": 0.0, "pucker": 0.0}


def test_frames_of_speech_are_the_extremes_with_open_eyes() -> None:
    frames = [row(0, 0.02), row(1, 0.2), row(2, 0.4, blink=0.9), row(3, 0.0), row(4, 0.35)]
    assert talking(frames) == {
        "shut mouth to open": (3, 4),
        "open mouth to shut": (4, 3),
        "open eyes to shut": (4, 2),  # the mouth as in the blink
    }
    assert talking([row(0, 0.01), row(1, 0.03)]) == {}  # nobody speaks, nobody blinks


def test_speakers_are_asked_for_one_another_s_mouths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "clips").mkdir()
    rows = []
    for clip in ("a.mpg", "b.mpg", "silent.mpg"):
        (tmp_path / "clips" / clip).touch()
        wide = 0.0 if clip == "silent.mpg" else 0.3
        rows += [row(0, 0.0) | {"clip": clip}, row(1, wide) | {"clip": clip}]
    (tmp_path / "frames.json").write_text(json.dumps(rows))
    faces = {"a": FACES[0], "b": FACES[1]}
    monkeypatch.setattr(Clip, "frame", lambda clip, _: images.read(faces[clip.speaker]).pixels)
    folder = Folder.read(Setting(tmp_path, tmp_path, folder=tmp_path))
    assert folder.kinds == ["speech"]
    found = {section.name: section for section in speech(folder)}
    own, other = (
        found[f"{what}shut mouth to open, by reference"] for what in ("", "another speaker's ")
    )
    assert own.people == other.people == ["a", "b"]
    assert own.answer is not None
    assert other.answer is None
    for mine, theirs in zip(other.trials, reversed(own.trials), strict=True):
        assert mine.truth is None
        assert mine.reference is theirs.truth
    assert [s.name for s in for_judges(folder)] == [
        "shut mouth to open, by reference", "open mouth to shut, by reference",
    ]  # fmt: skip


def test_clips_of_one_speaker_are_told_by_their_names() -> None:
    names = {"s1_a.mpg": 0, "s1_b.mpg": 0, "id2_c.mpg": 0, "d.mpg": 0}
    assert [speaker(n, names) for n in names] == ["s1", "s1", "id2_c", "d"]


def test_a_corpus_that_is_broken_is_told(tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "frames.json").write_text('[{"clip": "a.mpg"}]')
    with pytest.raises(DataError, match=r"frames\.json"):
        clips(tmp_path)
    (tmp_path / "frames.json").write_text(json.dumps([row(0, 0.0), row(1, 0.3)]))
    with pytest.raises(DataError, match=r"lacks a\.mpg"):
        clips(tmp_path)


def test_groups_are_told_with_their_people(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    ages = "".join(f"{n},{20 + 5 * n},{'f' if n % 2 else 'm'}\n" for n in range(8))
    path.write_text(f"id,age,gender\n{ages}")
    people = [f"set/{n}" for n in range(8)] * 2
    told = Groups.read(path).tell({"psnr": list(range(8)) * 2, "lost": [0] * 16}, people)
    assert set(told["age"]) == {"under 30", "30 to 44", "45 and older"}
    assert told["age"]["under 30"]["people"] == 2
    assert told["gender"]["m"]["columns"]["psnr"]["mean"] == 3
    assert set(told["gender"]["m"]["columns"]) == {"psnr"}
    path.write_text("id\n1\n")
    with pytest.raises(DataError, match="first column is who"):
        Groups.read(path)


def test_people_at_rest_are_asked_for_emotions_at_four_intensities(made: Any) -> None:
    folder = made(
        {"person": "x", "emotion": "happy"}, {"person": "x", "emotion": "neutral"},
        {"person": "y", "emotion": "happy"},
    )  # fmt: skip
    assert folder.kinds == ["pairs", "labels", "control"]
    (section,) = control(folder)
    assert section.intensity
    assert section.people == ["x"]  # nobody knows how y looks at rest
    assert {trial.names for trial in section.trials} == {(name,) for name in facs.EMOTIONS[1:]}
    assert sorted({trial.intensity for trial in section.trials}) == [0.25, 0.5, 0.75, 1.0]
    assert all(trial.amount == trial.intensity for trial in section.trials)
    rest = folder.face(folder.people["x"][1])
    assert torch.equal(section.trials[0].source.pixels, rest.pixels)


def test_judges_are_tried_on_eyes_to_shut(made: Any) -> None:
    folder = made({"person": "x", "emotion": "neutral"}, {"person": "x", "emotion": "happy"})
    (section,) = shut_eyes(folder)
    (trial,) = section.trials
    assert trial.truth is None
    assert section.answer is None
    assert isinstance(trial.ask, Units)
    both = list(facs.columns("AU43"))
    assert trial.ask.values[0, both].tolist() == [1, 1]
    assert trial.ask.values.sum() == len(both)
    assert "eyes to shut" in section.name  # the film is tried on it
    assert for_judges(folder)[-1].name == section.name


def test_several_folders_are_called_by_their_names(made: Any, tmp_path: Path) -> None:
    one = made({"person": "x", "emotion": "neutral"})
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(FACES[0], other / "a.jpg")
    two = Folder.read(Setting(tmp_path, tmp_path, folder=other))
    assert list(protocols([one, two], [])) == [
        f"{tmp_path.name}: labels", f"{tmp_path.name}: control", "other: labels",
    ]  # fmt: skip
    assert list(protocols([one, two], ["control"])) == [f"{tmp_path.name}: control"]
    with pytest.raises(ConfigError, match="choose from labels, control"):
        protocols([one, two], ["speech"])
    with pytest.raises(ConfigError, match="two folders of one name"):
        protocols([two, two], [])
