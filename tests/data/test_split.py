from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mien.data.split import SPLITS, split_of, splits_of


def test_the_split_of_a_person_never_changes() -> None:
    """Weights were trained on these answers: others would leak test people into training."""
    people = ["london/003", "london/005", "canada/008f", "congress/A000022", "congress/A000055"]
    assert [split_of(p) for p in people] == ["test", "train", "train", "train", "train"]


def test_shares() -> None:
    counts = Counter(split_of(f"set/{i}") for i in range(20_000))
    assert abs(counts["train"] / 20_000 - 0.74) < 0.01
    assert abs(counts["validation"] / 20_000 - 0.06) < 0.01
    assert abs(counts["test"] / 20_000 - 0.20) < 0.01


@given(st.text())
def test_every_id_has_a_split(person: str) -> None:
    assert split_of(person) in SPLITS


@given(st.sets(st.text(min_size=1), min_size=3, max_size=12))
def test_nobody_s_split_is_empty(people: set[str]) -> None:
    made = splits_of(people)
    assert made.keys() == people
    assert set(made.values()) == set(SPLITS)
    assert made == splits_of(sorted(people, reverse=True))


def test_many_people_keep_the_split_of_their_id() -> None:
    people = [f"set/{i}" for i in range(200)]
    assert splits_of(people) == {p: split_of(p) for p in people}
    assert splits_of(["one", "two"]) == {p: split_of(p) for p in ("one", "two")}
