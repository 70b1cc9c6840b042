"""What is offered in place of a word that nobody knows."""

import pytest

from mien import facs
from mien.errors import GuideError, near
from mien.guides.blendshapes import Blendshapes


@pytest.mark.parametrize(
    ("said", "meant"),
    [("hapy", "happy"), ("Happy", "happy"), ("smile", "happy"), ("angry", "anger")],
)
def test_a_label_that_is_nearly_right_is_offered(said: str, meant: str) -> None:
    with pytest.raises(GuideError, match=f"did you mean '{meant}'"):
        facs.emotion(said)


def test_nothing_is_offered_for_a_word_that_is_near_none() -> None:
    assert near("zebra", facs.EMOTIONS).startswith("choose from neutral")


def test_other_words_mean_labels_that_there_are() -> None:
    assert set(facs.WORDS.values()) == set(facs.EMOTIONS)
    assert not set(facs.WORDS) & set(facs.EMOTIONS)


def test_a_blendshape_that_is_nearly_right_is_offered() -> None:
    with pytest.raises(GuideError, match="did you mean 'jawOpen'"):
        Blendshapes.of_values({"jawOpn": 0.5})
