"""Labels, their variants, and what they mean in action units."""

from __future__ import annotations

import numpy as np
import pytest

from mien import facs
from mien.errors import GuideError
from mien.guides import Label


@pytest.mark.parametrize("label", facs.LABELS)
def test_every_label_is_units_in_range_and_its_own_name(label: str) -> None:
    units = facs.prototype(label)
    assert units.shape == (len(facs.UNITS),)
    assert units.min() >= 0
    assert units.max() <= 1
    assert facs.plain(label) == label
    assert facs.emotion(label) in facs.EMOTIONS


def test_no_two_labels_mean_the_same() -> None:
    table = np.stack([facs.prototype(label) for label in facs.LABELS])
    apart = np.abs(table[:, None] - table[None]).max(-1) + np.eye(len(table))
    assert apart.min() > 0.1


def test_a_label_is_one_of_its_variants() -> None:
    for name, variant in facs.PLAIN.items():
        assert f"{name}:{variant}" not in facs.VARIANTS
        assert facs.plain(f"{name}:{variant}") == name
    assert Label("anger:closed") == Label("anger")


def test_open_mouths_open_and_closed_ones_stay_shut() -> None:
    part = [i for n in (25, 26, 27) for i in facs.columns(f"AU{n}")]
    for label in facs.LABELS:
        variant = label.partition(":")[2] or facs.PLAIN.get(label, "")
        if variant in ("open", "closed") and label != "surprise:closed":  # its lips just part
            assert facs.prototype(label)[part].any() == (variant == "open")


def test_contempt_to_the_right_is_the_mirror_of_contempt() -> None:
    left, right = facs.prototype("contempt"), facs.prototype("contempt:right")
    np.testing.assert_array_equal(right, facs.mirror(left))


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ("bored", "unknown expression 'bored': choose from neutral, happy"),
        ("anger:loud", "anger has no variant 'loud': choose from anger, anger:open"),
        ("neutral:open", "neutral has no variant 'open': choose from neutral"),
        ("anger:", "anger has no variant '': choose from anger, anger:open"),
    ],
)
def test_an_unknown_label_or_variant_is_told(label: str, told: str) -> None:
    with pytest.raises(GuideError, match=told):
        Label(label)


def test_a_variant_is_its_emotion_and_its_own_units() -> None:
    label = Label(["anger", "anger:open"])
    assert label.indices(2).tolist() == [facs.EMOTIONS.index("anger")] * 2
    assert label.varied(2).tolist() == [False, True]
    assert (label.units(2)[1] == facs.prototype("anger:open")).all()
    assert Label("happy").units(3).shape == (3, len(facs.UNITS))
    with pytest.raises(GuideError, match="2 labels for 3 faces"):
        label.units(3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("AU6=1,AU12=0.9", 'holds several units: give each by itself, "AU6=1", "AU12=0.9"$'),
        ("AU12=0,8", "cannot read the value in 'AU12=0,8': a number in 0..1 or a FACS letter"),
        ("AU12", "write a unit and a value, such as AU12=0.8"),
    ],
)
def test_what_is_no_unit_is_said_with_how_units_are_written(text: str, told: str) -> None:
    with pytest.raises(GuideError, match=told):
        facs.parse(text)
