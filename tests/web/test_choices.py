"""What the studio's Advanced offers: methods in words, and their own networks' pictures."""

from __future__ import annotations

import numpy as np
import pytest

from mien import images
from mien.cli.session import open_workshop
from mien.errors import ConfigError, MienError
from mien.methods.registry import DEFAULT, installed, split_head, with_head
from mien.server.sitting import Sitting
from mien.server.wish import Wish
from mien.server.workshop import Workshop
from mien.zoo.samples import samples


def test_every_choice_is_named_in_words(workshop: Workshop) -> None:
    words_of = {name: words for words, name in workshop.choices}
    assert workshop.choices[0] == (f"The face model reads and draws ({DEFAULT})", DEFAULT)
    assert set(workshop.methods) <= words_of.keys()
    assert len(set(words_of.values())) == len(words_of)
    for name in words_of:
        assert workshop.check(name) == name
    for wrong in (f"{DEFAULT} head=own", "aipgan head=", "nothing head=own"):
        with pytest.raises(MienError):
            workshop.check(wrong)
    assert split_head("aipgan head=own") == ("aipgan", {"head": "own"})
    with pytest.raises(ConfigError):
        workshop.check("nothing")


def test_a_networks_own_picture_is_another_one() -> None:
    """Drafts of one are not shown for the other."""
    if not installed("aipgan"):
        pytest.skip("needs torch")
    workshop = open_workshop(DEFAULT, None, "cpu")
    sitting = Sitting(images.read(samples()["anna"]), workshop.editor("aipgan"))
    sitting.wear(Wish.label("happy", 1.0))
    by_model = sitting.preview()
    sitting.use(workshop.editor("aipgan head=own"))
    own = sitting.preview()
    assert with_head(sitting.editor.method) == "aipgan head=own"
    assert sitting.result().heads == ("own",)
    assert np.abs(own.astype(int) - by_model).max() > 40
