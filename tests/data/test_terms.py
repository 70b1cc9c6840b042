from pathlib import Path

import pytest

from mien.data import Record
from mien.data.adapters import KNOWN
from mien.data.terms import ANY, RESEARCH, UNSAID, training_sets, use_under, weights_for

DOCS = Path(__file__).parents[2] / "docs" / "datasets.md"


def record(licence: str, source: str) -> Record:
    return Record("a.jpg", "set/1", None, None, None, licence, source, "train")


@pytest.mark.parametrize(
    ("licence", "use"),
    [
        ("CC0-1.0", ANY),
        ("CC-BY-4.0", ANY),
        ("CC-BY-SA-4.0", ANY),
        ("ODbL-1.0 and DbCL-1.0", ANY),
        ("public domain (US government work)", ANY),
        ("CC-BY-NC-4.0", RESEARCH),
        ("CC-BY-NC-SA-4.0", RESEARCH),
        ("research, by application", RESEARCH),
        ("non-commercial research", RESEARCH),
        ("CC-BY-ND-4.0", UNSAID),
        ("not stated", UNSAID),
        ("all rights reserved", UNSAID),
    ],
)
def test_a_licence_alone(licence: str, use: str) -> None:
    assert use_under(licence) == use


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_a_known_set_by_its_records(name: str) -> None:
    known = KNOWN[name]
    (one,) = training_sets([record(known.licence, known.source)] * 2)
    assert one == {
        "name": known.title,
        "licence": known.licence,
        "source": known.source,
        "weights": known.weights,
    }
    assert use_under(known.licence) == known.weights


def test_the_narrowest_decides() -> None:
    free, own = record("CC-BY-4.0", "https://example.org"), record("not stated", "not stated")
    narrow = record(KNOWN["rafd"].licence, KNOWN["rafd"].source)
    assert weights_for(training_sets([free])) == ANY
    assert weights_for(training_sets([free, own])) == UNSAID
    assert weights_for(training_sets([own, narrow, free])) == RESEARCH
    assert [s["name"] for s in training_sets([own, narrow, free])] == [
        "Radboud Faces Database",
        "https://example.org",
        "not stated",
    ]


def test_sources_tell_sets_apart() -> None:
    assert len({d.source for d in KNOWN.values()}) == len(KNOWN)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_the_page_says_what_the_descriptions_say(name: str) -> None:
    known = KNOWN[name]
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    (row,) = [line for line in lines if line.startswith(f"| `{name}` |")]
    for text in (known.title, known.licence, known.weights, known.source, known.example):
        assert text in row
