"""Answers become rates by the key, and only those that a study may count."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest
from scipy.stats import binomtest

from mien.errors import DataError
from mien.study import answers, pictures
from mien.study import page as pages
from mien.study.design import CHECK, DIFFERENT, LEFT, RIGHT, SAME, design

MIRRORED = {LEFT: RIGHT, RIGHT: LEFT, SAME: SAME, DIFFERENT: DIFFERENT}
OTHER = {LEFT: RIGHT, RIGHT: LEFT, SAME: DIFFERENT, DIFFERENT: SAME}

Key = tuple[str, dict[str, dict[str, str]]]
Decide = Callable[[dict[str, str], int], str]


def study(stimuli: Path, folder: Path, ask: str = "more") -> Path:
    found, _ = pictures.read(stimuli, None, None)
    path = folder / "study.html"
    pages.write(path, design(found, ask, None, 4, 0), stimuli, 64, "Faces", "Hello")
    return pages.key_of(path)


def send(
    folder: Path, key: Path, name: str, decide: Decide, turned: int = 1, seconds: float = 1.0
) -> Path:
    """What a participant's page would write, `decide` saying the answer as list 1 sees it."""
    number, trials = answers.read_key(key)
    path = folder / f"answers-{name}.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(answers.COLUMNS)
        for place, (trial, row) in enumerate(sorted(trials.items()), 1):
            said = decide(row, place)
            if turned == 2 and row["condition"] != CHECK:
                said = MIRRORED[said]
            writer.writerow([number, name, turned, place, trial, said, seconds])
    return path


def right(row: dict[str, str], _: int) -> str:
    return row["answer"]


def wrong(row: dict[str, str], _: int) -> str:
    return row["answer"] if row["condition"] == CHECK else OTHER[row["answer"]]


def left(row: dict[str, str], _: int) -> str:
    return LEFT


def test_right_is_right_on_both_lists(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    files = [
        send(tmp_path, key, "one", right, turned=1),
        send(tmp_path, key, "two", right, turned=2),
        send(tmp_path, key, "three", wrong, turned=2),
    ]
    reading = answers.read(files, key)
    assert reading.counted == ["one", "two", "three"]
    *_, all_ = reading.rates
    assert (all_.condition, all_.right, all_.answers) == ("all", 36, 54)
    assert [r.answers for r in reading.rates[:-1]] == [9] * 6  # three participants, three people
    assert all(r.participants == 3 for r in reading.rates)
    assert all_.participants_low == 0.0  # one of three is always wrong: drawn thrice
    assert all_.participants_high == 1.0


def test_every_answer_is_written_as_its_participant_saw_it(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    files = [send(tmp_path, key, "p1", right), send(tmp_path, key, "p2", wrong, turned=2)]
    answers.write_each(tmp_path / "each.csv", answers.read(files, key))
    with (tmp_path / "each.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    trials = answers.read_key(key)[1]
    asked = [t for t in trials.values() if t["condition"] != CHECK]
    assert tuple(rows[0]) == answers.EACH
    assert len(rows) == 2 * len(asked)
    for row in rows:
        trial, first = trials[row["trial"]], row["list"] == "1"
        assert (row["left"], row["right"]) == (
            (trial["left"], trial["right"]) if first else (trial["right"], trial["left"])
        )
        assert row["correct"] == ("1" if first else "0")
        assert (row["answer"] == row["wanted"]) is first
        assert row["wanted"] == (trial["answer"] if first else MIRRORED[trial["answer"]])


def test_rates_are_a_table_that_others_read(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    reading = answers.read([send(tmp_path, key, "p1", right)], key)
    answers.write_rates(tmp_path / "rates.csv", reading)
    with (tmp_path / "rates.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[-1]["condition"] == "all"
    assert float(rows[-1]["rate"]) == 1
    assert rows[-1]["participants_low"] == ""  # one participant has no interval over participants
    assert all(len(value) < 13 for row in rows for key, value in row.items() if key != "condition")


def test_wilsons_interval() -> None:
    """8 of 10: Newcombe (1998) gives 0.4902 to 0.9433 for the Wilson score method."""
    given = [answers.Answer("p", "happy", LEFT, i < 8, 1.0) for i in range(10)]
    rate = answers.rate_of("happy", given)
    assert (rate.low, rate.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert rate.p == pytest.approx(2 * (45 + 10 + 1) / 1024)
    assert rate.participants_low != rate.participants_low  # one participant has no spread


def test_who_does_not_attend_is_left_out(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    files = [send(tmp_path, key, "good", right), send(tmp_path, key, "asleep", left)]
    reading = answers.read(files, key)
    assert reading.counted == ["good"]
    assert reading.left_out == {"asleep": "2 of 4 attention checks right"}
    assert reading.rates[-1].answers == 18
    both = answers.read(files, key, attention=0.5)
    assert (both.left_out, both.rates[-1].answers) == ({}, 36)
    with pytest.raises(DataError, match="nobody"):
        answers.read(files[1:], key)


def test_answers_that_come_too_fast(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    slow, fast = send(tmp_path, key, "a", right), send(tmp_path, key, "b", wrong, seconds=0.05)
    reading = answers.read([slow, fast], key)
    assert (reading.fast, reading.rates[-1].answers, reading.rates[-1].rate) == (18, 18, 1.0)
    with pytest.raises(DataError, match="every answer"):
        answers.read([fast], key)


def test_not_finished_twice_or_strange(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    good = send(tmp_path, key, "good", right)
    lines = good.read_text().replace("good", "bad").splitlines()
    cases = {
        "not finished: 21 of 22": lines[:-1],
        "answered twice": [*lines, lines[-1]],
        "not in the key": [*lines, lines[-1].replace(lines[-1].split(",")[4], "00000000")],
    }
    for reason, text in cases.items():
        path = tmp_path / "answers-bad.csv"
        path.write_text("\n".join(text) + "\n")
        reading = answers.read([good, path], key)
        assert reason in reading.left_out["bad"]
        assert reading.counted == ["good"]
    with pytest.raises(DataError, match="in another file"):
        answers.read([good, good], key)


def test_files_that_are_none(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    good = send(tmp_path, key, "good", right)
    text = good.read_text()
    path = tmp_path / "answers-x.csv"
    for made, fault in (
        (text.replace(answers.read_key(key)[0], "0" * 12), "answers of study 0"),
        (text.replace(",1.0", ",soon", 1), "line 2: cannot read seconds 'soon'"),
        (text.replace(",right,", ",up,", 1), "cannot read answer 'up'"),
        ("a,b\n1,2\n", "does not have the columns"),
        (text.splitlines()[0] + "\n", "no rows"),
    ):
        path.write_text(made)
        with pytest.raises(DataError, match=fault):
            answers.read([path], key)
        reading = answers.read([path, good], key)
        assert reading.counted == ["good"]
        assert fault in reading.left_out[path.name]
    with pytest.raises(DataError, match="cannot be read"):
        answers.read([tmp_path / "none.csv"], key)


def test_the_key_is_found_beside_the_answers(stimuli: Path, tmp_path: Path) -> None:
    key = study(stimuli, tmp_path)
    send(tmp_path, key, "one", right)
    other = tmp_path / "a.key.csv"
    other.write_text(key.read_text().replace(answers.read_key(key)[0], "f" * 12))
    (file,) = answers.files_of([tmp_path])
    assert file.name == "answers-one.csv"
    assert answers.find_key(file) == key
    key.unlink()
    with pytest.raises(DataError, match="no key of study"):
        answers.find_key(file)


def test_same_or_different(stimuli: Path, tmp_path: Path) -> None:
    """d' of a perfect observer of 12 and 12, log-linear (Hautus 1995): 2 z(12.5 / 13)."""
    key = study(stimuli, tmp_path, "same")
    reading = answers.read([send(tmp_path, key, "one", right, turned=2)], key)
    assert reading.rates[-1].rate == 1.0
    assert reading.d_prime == pytest.approx(2 * 1.7688, abs=1e-3)
    assert reading.criterion == pytest.approx(0.0, abs=1e-9)
    says_same = answers.read([send(tmp_path, key, "two", lambda r, _: (
        r["answer"] if r["condition"] == CHECK else SAME))], key)  # fmt: skip
    assert says_same.d_prime == pytest.approx(0.0, abs=1e-9)
    assert says_same.criterion is not None
    assert says_same.criterion < -1


@pytest.mark.parametrize(("hits", "asked"), [(0, 5), (7, 12), (6, 12), (40, 40), (310, 561)])
def test_rates_are_scipys(hits: int, asked: int) -> None:
    theirs = binomtest(hits, asked, 0.5)
    interval = theirs.proportion_ci(0.95, method="wilson")
    assert answers.wilson(hits, asked) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert answers.by_chance(hits, asked) == pytest.approx(theirs.pvalue, rel=1e-9)
