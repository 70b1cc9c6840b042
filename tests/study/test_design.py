"""Trials: balanced over conditions, people and sides, the same for a seed, and of known truth."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from mien.errors import DataError
from mien.study import pictures
from mien.study.design import CHECK, DIFFERENT, LEFT, SAME, Trial, design


def read(folder: Path, photographs: str | None = None) -> list[pictures.Picture]:
    return pictures.read(folder, None, photographs)[0]


def asked(trials: list[Trial]) -> list[Trial]:
    return [t for t in trials if t.condition != CHECK]


def shown(trial: Trial) -> pictures.Picture:
    return trial.left if trial.answer == LEFT else trial.right


def other(trial: Trial) -> pictures.Picture:
    return trial.right if trial.answer == LEFT else trial.left


def test_the_table_of_a_series(stimuli: Path) -> None:
    found, left_out = pictures.read(stimuli, None, "neutral")
    assert (len(found), left_out) == (15, 1)  # repetitions are one picture, the failed one is out
    rest = [p for p in found if p.photograph]
    assert [(p.person, p.label, p.intensity) for p in rest] == [
        (person, "neutral", 0.0) for person in ("anna", "ben", "cora")
    ]


def test_the_stronger_picture_is_right(stimuli: Path) -> None:
    trials = asked(design(read(stimuli), "more", None, 4, seed=1))
    assert len(trials) == 3 * 2 * 3  # people, labels, pairs of 0, 0.5 and 1
    for trial in trials:
        assert shown(trial).person == other(trial).person
        assert shown(trial).intensity > other(trial).intensity
        assert shown(trial).label == trial.condition.split()[0]
        assert other(trial).label in (shown(trial).label, "neutral")


@pytest.mark.parametrize(("ask", "count"), [("more", 12), ("more", 18), ("photograph", 10)])
def test_conditions_people_and_sides_are_balanced(stimuli: Path, ask: str, count: int) -> None:
    for seed in range(5):
        trials = asked(design(read(stimuli, "neutral"), ask, count, 3, seed))
        conditions = Counter(t.condition for t in trials)
        assert max(conditions.values()) - min(conditions.values()) <= 1
        for condition, total in conditions.items():
            lefts = sum(t.answer == LEFT for t in trials if t.condition == condition)
            assert abs(2 * lefts - total) <= 1
            people = Counter(shown(t).person for t in trials if t.condition == condition)
            assert max(people.values()) - min(people.values()) <= 1
        assert abs(2 * sum(t.answer == LEFT for t in trials) - count) <= 1


def test_a_photograph_is_beside_an_edit_of_the_same_person(stimuli: Path) -> None:
    for trial in asked(design(read(stimuli, "neutral"), "photograph", None, 0, seed=0)):
        assert shown(trial).photograph
        assert not other(trial).photograph
        assert shown(trial).person == other(trial).person
    with pytest.raises(DataError, match="--photographs"):
        design(read(stimuli), "photograph", None, 0, seed=0)


def test_same_and_different_people_are_asked_equally_often(stimuli: Path) -> None:
    trials = asked(design(read(stimuli), "same", 16, 0, seed=0))
    assert Counter(t.answer for t in trials) == {SAME: 8, DIFFERENT: 8}
    for trial in trials:
        assert (trial.left.person == trial.right.person) == (trial.answer == SAME)


def test_a_seed_decides(stimuli: Path) -> None:
    first, again, second = (design(read(stimuli), "more", 9, 2, seed) for seed in (3, 3, 4))
    assert first == again
    assert first != second
    # nothing can be told from the order
    assert [t.name for t in first] == sorted({t.name for t in first})
    assert Counter(t.condition for t in first)[CHECK] == 2
    assert {t.answer for t in first if t.condition == CHECK} == {"left", "right"}


def test_only_some_labels(stimuli: Path) -> None:
    trials = asked(design(read(stimuli), "more", None, 0, 0, ["sad"]))
    assert {t.condition.split()[0] for t in trials} == {"sad"}
    with pytest.raises(DataError, match="only 9 trials"):
        design(read(stimuli), "more", 10, 0, 0, ["sad"])
    with pytest.raises(DataError, match="two intensities"):
        design(read(stimuli), "more", None, 0, 0, ["anger"])


def test_tables_of_ones_own(stimuli: Path, tmp_path: Path) -> None:
    table = tmp_path / "mine.csv"
    table.write_text(
        "file,person,label,intensity,photograph\n"
        "anna/neutral-1.png,anna,happy,,yes\nanna/happy-1.png,anna,happy,,no\n"
    )
    found, _ = pictures.read(stimuli, table, None)
    (trial,) = design(found, "photograph", None, 0, 0)
    assert (trial.condition, shown(trial).file.name) == ("happy", "neutral-1.png")
    for text, fault in (
        ("file\nanna/happy-1.png\n", "no column 'person'"),
        ("file,person\nanna/none.png,anna\n", "not there"),
        ("file,person,intensity\nanna/happy-1.png,anna,strong\n", "line 2: cannot read intensity"),
        ("file,person,photograph\nanna/happy-1.png,anna,perhaps\n", "write yes or no"),
        ("file,person,label\nanna/happy-1.png,anna,happy:odd\n", "line 2"),
        ("file,person\n", "no picture"),
    ):
        table.write_text(text)
        with pytest.raises(DataError, match=fault):
            pictures.read(stimuli, table, None)


def test_a_manifest_of_invented_people(stimuli: Path, tmp_path: Path) -> None:
    row = '{{"file_name": "{0}", "person": "nobody/{1}", "emotion": {2}, "units": null, '
    row += '"landmarks": null, "licence": "CC-BY-4.0", "source": "made", "split": "train"}}\n'
    for person in ("anna", "ben"):
        (tmp_path / person).mkdir()
        for label in ("neutral", "happy"):
            name = f"{person}/{label}.png"
            (tmp_path / name).write_bytes((stimuli / person / "neutral-1.png").read_bytes())
    lines = [
        row.format(f"{p}/{n}.png", p, f'"{n}"' if n != "odd" else "null")
        for p in ("anna", "ben")
        for n in ("neutral", "happy")
    ]
    (tmp_path / "metadata.jsonl").write_text("".join(lines))
    found = read(tmp_path)
    assert [(p.person, p.label, p.intensity) for p in found[:2]] == [
        ("nobody/anna", "happy", 1.0), ("nobody/anna", "neutral", 0.0),
    ]  # fmt: skip
    assert len(asked(design(found, "more", None, 0, 0))) == 2
    assert len(asked(design(found, "same", None, 0, 0))) == 4


def test_a_folder_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no table"):
        read(tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        read(tmp_path / "none")
