"""How near invented people are to photographs, and what they are worth: the measures alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

MANY, WIDE = 40, 24


def test_a_critic_tells_what_differs_and_nothing_else() -> None:
    from mien.bench.people.people import Shown, judged

    random = np.random.default_rng(3)
    groups = [("female", "white"), ("male", "black")] * (MANY // 2)

    def shown(shift: float, prefix: str) -> Shown:
        features = random.normal(0, 1, (MANY, WIDE))
        features[:, 3] += shift
        return Shown({"face": features}, groups, [f"{prefix}{i}" for i in range(MANY)])

    real = shown(0, "real")
    told = judged(shown(8, "made"), real, "face")
    assert told["pictures of each"] == MANY
    assert told["right"] > 0.97
    assert abs(judged(shown(0, "made"), real, "face")["right"] - 0.5) < 0.15


def test_a_mixed_person_and_the_frame_are_never_apart() -> None:
    """A critic that learns people by heart has nothing of it: who gave the hair is held out too."""
    from mien.bench.people.people import Shown, judged

    random = np.random.default_rng(4)
    groups = [("female", "white")] * MANY
    who = [f"{i}" for i in range(MANY)]
    own = random.normal(0, 1, (MANY, WIDE))
    made = Shown({"face": own + random.normal(0, 0.01, own.shape)}, groups, who)
    assert abs(judged(made, Shown({"face": own}, groups, who), "face")["right"] - 0.5) < 0.1


def test_groups_are_drawn_as_they_are_in_the_photographs() -> None:
    from mien.bench.people.people import _like

    given = [("f", "w")] * 3 + [("m", "b")] * 9
    wanted = [("f", "w")] * 4 + [("m", "b")] * 2
    found = _like(wanted, given, np.random.default_rng(0))
    assert len(set(found)) == len(wanted)
    assert sum(given[i] == ("f", "w") for i in found) == 3  # all there are
    assert sum(given[i] == ("m", "b") for i in found) == 3


def note(emotions: list[tuple[str, str, str]], **more: Any) -> dict[str, Any]:
    pictures = [
        {"emotion": e.partition(":")[0], "asked": e, "intensity": 1, "affect": None, "file": e,
         "read": {"a": {"emotion": a}, "b": {"emotion": b}}}
        for e, a, b in emotions
    ]  # fmt: skip
    return {"pictures": pictures, "refused": [], "group": {"gender": "male"}, **more}


def test_labels_and_acceptance_count_what_was_noted() -> None:
    from mien.bench.people.people import acceptance, labels

    notes = [
        note([("neutral", "sad", "sad"), ("happy", "happy", "sad"), ("fear", "fear", "fear"),
              ("fear:closed", "sad", "fear")],
             attempts=3, refused=["attempt 0: near", "attempt 1: near", "anger: 0.4 from x"]),
        note([], refused=["attempt 0: near"] * 12),
    ]  # fmt: skip
    found = labels(notes)
    assert (found["pictures"], found["judge a"], found["judge b"]) == (2, 1.0, 0.5)
    assert (found["both"], found["either"]) == (0.5, 1.0)
    assert [found["by label"][k]["both"] for k in ("fear", "fear:closed", "happy")] == [1, 0, 0]
    assert labels([note([("neutral", "sad", "sad")])]) == {"pictures": 0}
    counted = acceptance(notes)
    assert (counted["people"], counted["given up"], counted["portraits drawn"]) == (1, 1, 15)
    assert counted["pictures refused of people who were made"] == 1
    assert counted["share of pictures taken"] == 0.8


def labelled(people: list[str], emotions: list[int], units: list[float]) -> Any:
    from mien.bench.people.worth_sets import Labelled

    count = len(people)
    pair = np.column_stack([units, np.full(count, np.nan)]).astype(np.float32)
    return Labelled(np.zeros((count, 4, 4, 3), np.uint8), np.array(emotions), pair,
                    np.array(people), np.array(["white"] * count, "<U9"))  # fmt: skip


def test_the_area_under_the_curve_is_each_speakers_own() -> None:
    from mien.bench.people.worth import curve

    data = labelled(list("aaaabbbb"), [-1] * 8, [0, 0, 1, 1] * 2)
    said = np.zeros((8, 2), np.float32)
    said[:, 0] = [0, 1, 2, 3, 12, 13, 10, 11]  # b the wrong way round, and all above a's
    every = np.arange(8)
    assert curve(0)(data, (said, said), every) == 0.5
    assert curve(0)(data, (said, said), every[:4]) == 1.0
    twice = np.concatenate([every[:4], every[:4], every])
    assert curve(0)(data, (said, said), twice) == pytest.approx(0.75)


def test_a_gain_has_an_interval_over_people() -> None:
    from mien.bench.people.worth import of_eight, scored

    people = [f"{i:02d}" for i in range(20) for _ in range(2)]
    data = labelled(people, [1] * 40, [np.nan] * 40)
    right, wrong = np.eye(8)[[1] * 40], np.eye(8)[[0] * 40]
    half = np.where(np.arange(40)[:, None] < 20, right, wrong)
    rows = {"real": [(half, half)], "both": [(right, right)]}
    found = scored(data, rows, of_eight)
    assert (found["real"]["mean"], found["both"]["mean"], found["both"]["gain"]) == (0.5, 1, 0.5)
    low, high = found["both"]["gain, interval"]
    assert 0.2 < low < 0.4 < 0.6 < high < 0.8


def test_a_set_as_the_sources_has_their_share_of_white_people() -> None:
    from mien.bench.people.worth import as_sources
    from mien.bench.people.worth_sets import Labelled

    balanced = labelled([f"w{i}" for i in range(4)] + [f"b{i}" for i in range(8)], [1] * 12,
                        [0.0] * 12)  # fmt: skip
    balanced.skins[4:] = "not white"
    more = labelled([f"x{i}" for i in range(6)], [1] * 6, [0.0] * 6)
    skewed = as_sources(Labelled.joined([balanced]), more, 0.75)
    assert len(set(skewed.people)) == 12
    assert float((skewed.skins == "white").mean()) == 0.75


def test_a_classifier_learns_from_pictures_that_name_what_they_show(tmp_path: Path) -> None:
    from mien.bench.people.worth import run
    from mien.bench.people.worth_sets import Labelled

    random = np.random.default_rng(0)
    pixels = random.integers(0, 60, (24, 128, 128, 3)).astype(np.uint8)
    emotions = np.arange(24) % 2
    pixels[emotions == 1, 40:90] += 150
    units = np.column_stack([emotions, 1 - emotions]).astype(np.float32)
    data = Labelled(pixels, emotions, units, np.array(["x"] * 24), np.array([""] * 24))
    said = run(tmp_path, "some, row", 0, [data], {"test": data}, 25, 12)
    of_eight, of_units = said["test"]
    assert float((of_eight.argmax(1) == emotions).mean()) > 0.9
    assert float(((of_units[:, 0] > of_units[:, 1]) == (emotions == 1)).mean()) > 0.9
    again = run(tmp_path, "some, row", 0, [data], {"test": data}, 0, 12)  # nothing is learnt anew
    np.testing.assert_array_equal(again["test"][0], of_eight)
