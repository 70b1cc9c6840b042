"""The JSON form of an expression: what it says comes back, and every mistake is told in a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mien
from mien import images
from mien.cli.asking import asked_for
from mien.errors import GuideError
from mien.guides import ActionUnits, ExpressionSpec, Label, Reference, Scaled
from mien.types import Faces
from mien.zoo.samples import samples

ALL: dict[str, Any] = {
    "name": "smirk", "to": "anger:open", "like": "friend.jpg", "share": 0.5,
    "au": ["AU12=0.8", "AU4=+0.3"], "gaze": [0.6, 0.0], "turn": [0.0, 12.0, 0.0],
    "light": [0.5, 0.0], "region": "lower", "intensity": 0.7,
}  # fmt: skip
LENT = Reference(Faces(np.zeros((1, 3, 8, 8), np.float32), np.zeros((1, 68, 2), np.float32)))


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    spec = ExpressionSpec.of(ALL)
    assert spec.to_json() == ALL
    path = tmp_path / "smirk.json"
    spec.save(path)
    assert json.loads(path.read_text()) == ALL
    assert ExpressionSpec.load(path).like == str(tmp_path / "friend.jpg")
    assert ExpressionSpec.of({}).to_json() == {}


def test_its_guide_is_all_of_it_in_order() -> None:
    told = ExpressionSpec.of(ALL).guide(LENT).describe()
    assert told == (
        "anger:open reference by 0.5 AU12=0.8,AU4=+0.3 gaze=0.6,0 turn=0,12,0 light=0.5,0 "
        "keeping upper"
    )
    assert ExpressionSpec.of({"to": "happy"}).guide() == Label("happy")
    kept = ExpressionSpec.of({"to": "happy", "au": ["AU1=1"]}).guide(kept="speech")
    assert kept.describe() == "happy keeping speech AU1=1", (
        "units asked for by themselves are meant"
    )
    with pytest.raises(GuideError, match=r"give the reference photograph friend\.jpg"):
        ExpressionSpec.of(ALL).guide()


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "say which expression"),
        ({"name": "nothing"}, "say which expression"),
        ({"joy": 1}, "unknown field 'joy'"),
        ({"to": 3}, "to is '3': give a text"),
        ({"to": "grin"}, "unknown expression"),
        ({"to": "happy", "like": "a.jpg"}, "to and like exclude one another"),
        ({"to": "happy", "blendshapes": {"jawOpen": 1}}, "to and blendshapes exclude"),
        ({"to": "happy", "share": 0.5}, "give a photograph too"),
        ({"like": "a.jpg", "share": 1.5}, "share 1.5 is out of range"),
        ({"au": "AU12=1"}, "au is a list of units"),
        ({"au": ["AU12=1", "AU12=0"]}, "contradict"),
        ({"blendshapes": []}, "blendshapes are an object"),
        ({"blendshapes": {"grin": 1}}, "unknown blendshape"),
        ({"gaze": [1]}, "write LEFT,UP"),
        ({"gaze": [True, 0]}, "give a number"),
        ({"gaze": 1}, "write LEFT,UP"),
        ({"gaze": [float("nan"), 0]}, "give a number"),
        ({"gaze": "nan,0"}, "give a number"),
        ({"gaze": [10**400, 0]}, "give a number"),
        ({"turn": "0,80,0"}, "30 degrees"),
        ({"light": [2, 0]}, "-1 to 1"),
        ({"to": "sad", "region": "nose"}, "choose from face, upper, lower"),
        ({"to": "sad", "intensity": 11}, "out of range"),
        ({"to": "sad", "intensity": "1"}, "give a number"),
    ],
)
def test_mistakes(values: dict[str, Any], told: str) -> None:
    with pytest.raises(GuideError, match=told):
        ExpressionSpec.of(values).guide()


@pytest.mark.parametrize(
    "content", ["", "{", "[" * 100_000, "9" * 9999, '"happy"', "x" * 1_000_002]
)
def test_files_that_hold_none(tmp_path: Path, content: str) -> None:
    path = tmp_path / "e.json"
    path.write_text(content)
    with pytest.raises(GuideError, match=r"e\.json (is not JSON|holds no expression)"):
        ExpressionSpec.load(path)


def test_options_beside_a_file(tmp_path: Path) -> None:
    path = tmp_path / "e.json"
    path.write_text(json.dumps({"to": "sad", "au": ["AU1=1"], "gaze": [1, 0], "intensity": 0.5}))
    same = asked_for(path).spec
    assert same.to_json() == {"to": "sad", "au": ["AU1=1"], "gaze": [1, 0], "intensity": 0.5}
    more = asked_for(path, to="happy", au=["AU2=1"], gaze="0,1").spec
    assert (more.to, more.au, more.gaze) == ("happy", ("AU1=1", "AU2=1"), (0, 1))
    reference = asked_for(path, like=samples()["ben"])
    assert (reference.spec.to, reference.spec.share, reference.photo is None) == (None, 1, False)
    half = asked_for(path, like=samples()["ben"], share=0.5)
    assert (half.spec.to, half.spec.share) == ("sad", 0.5)
    assert half.words != reference.words
    assert str(samples()["ben"]) not in half.words, "a photograph is told by what it shows"


def test_a_share_is_half_of_the_way() -> None:
    method = mien.load("morphable")
    pixels = images.read(samples()["anna"]).pixels
    from mien.faces.align import align
    from mien.faces.detect import detect

    anna = Faces.stack([align(pixels, detect(pixels)[0], 192)])
    own = method.encode(anna)
    half = method.wanted(anna, own, Scaled(Label("happy"), 0.5), 1.0).code
    assert np.array_equal(half, method.wanted(anna, own, Label("happy"), 0.5).code)
    units = Scaled(ActionUnits.parse("AU26=1"), 0.5)
    assert np.array_equal(
        method.wanted(anna, own, units, 1.0).code,
        method.wanted(anna, own, units.part, 0.5).code,
    )
    assert np.allclose(half, method.expression(Scaled(Label("happy"), 0.5), anna).code)


def test_a_lone_surrogate_is_no_name() -> None:
    with pytest.raises(GuideError, match="name has a lone surrogate"):
        ExpressionSpec.parse(rb'{"to": "happy", "name": "\ud800"}', "a.json")
