"""Every guide: what it says of itself, what it refuses, what it asks of the face model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mien import facs, images
from mien.errors import GuideError
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import (
    ActionUnits,
    Blendshapes,
    Composed,
    Gaze,
    Guide,
    Held,
    Label,
    Reference,
    Staging,
)
from mien.guides.blendshapes import NAMES
from mien.methods.base import Method
from mien.methods.morphable.method import Morphable
from mien.methods.registry import load
from mien.nn.tensors import at, faces
from mien.types import Faces, Float
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def method() -> Morphable:
    found = load("morphable")
    assert isinstance(found, Morphable)
    return found


@pytest.fixture(scope="module")
def anna() -> Faces[Float]:
    pixels = images.read(samples()["anna"]).pixels
    return Faces.stack([align(pixels, detect(pixels)[0], 192)])


def shown(
    method: Morphable, anna: Faces[Float], guide: Guide, amount: float = 1.0
) -> dict[str, float]:
    """The action units that the code asked for says."""
    code = method.wanted(anna, method.encode(anna), guide, amount)
    return dict(zip(facs.UNITS, method.units(code)[0].tolist(), strict=True))


def test_a_gaze_turns_the_eyes_and_nothing_else(method: Morphable, anna: Faces[Float]) -> None:
    own = shown(method, anna, ActionUnits(()))
    seen = shown(method, anna, Gaze(0.8, -0.5))
    assert seen["AU61"] == pytest.approx(0.8, abs=0.05)
    assert seen["AU64"] == pytest.approx(0.5, abs=0.05)
    still = [u for u in facs.UNITS if u not in ("AU61", "AU62", "AU63", "AU64")]
    assert max(abs(own[u] - seen[u]) for u in still) < 0.05


@pytest.mark.parametrize("name", ["neutral", "happy", "anger:open"])
def test_a_label_leaves_the_eyes_where_they_look(
    method: Morphable, anna: Faces[Float], name: str
) -> None:
    aside = Gaze(0.6, -0.4).expression(method, anna, method.encode(anna))
    code = Label(name).wanted(method, anna, aside, 1.0)
    seen = dict(zip(facs.UNITS, method.units(code)[0].tolist(), strict=True))
    assert seen["AU61"] == pytest.approx(0.6, abs=0.05)
    assert seen["AU64"] == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("bad", [(1.5, 0), (0, -2)])
def test_a_gaze_out_of_range(bad: tuple[float, float]) -> None:
    with pytest.raises(GuideError, match="-1 to 1"):
        Gaze(*bad)


def test_blendshapes_are_the_face_models_own(method: Morphable, anna: Faces[Float]) -> None:
    guide = Blendshapes.of_values({"jawOpen": 0.5, "MouthSmileLeft": 0.7, "browInnerUp": 0.4})
    code = method.expression(guide, anna).code[0, : len(method.model.names)]
    asked = dict(zip(method.model.names, code.tolist(), strict=True))
    assert asked["jawOpen"] == pytest.approx(0.5)
    assert asked["mouthSmile_L"] == pytest.approx(0.7)
    assert asked["mouthSmile_R"] == 0
    assert asked["browInnerUp_L"] == asked["browInnerUp_R"] == pytest.approx(0.4)


def test_every_blendshape_moves_something_of_its_own(method: Morphable) -> None:
    rows = np.eye(len(NAMES), dtype=np.float32)
    codes = method.from_blendshapes(rows).code
    assert (np.abs(codes).sum(1) > 0).all()
    assert len({tuple(code.tolist()) for code in codes}) == len(NAMES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "holds no blendshapes"),
        ('{"smile": 1}', "unknown blendshape 'smile'"),
        ('{"jawOpen": 1' + "0" * 400 + "}", "out of range"),
        ("9" * 5000, "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"jawOpen": "much"}', "give a number"),
        ('{"jawOpen": 7}', "give a number from 0 to 1"),
        ('{"jawOpen": NaN}', "give a number from 0 to 1"),
    ],
)
def test_blendshapes_that_cannot_be_read(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "shapes.json"
    path.write_text(content)
    with pytest.raises(GuideError, match=message):
        Blendshapes.read(path)
    table = path.rename(tmp_path / "take.csv")
    if "JSON" in message:
        with pytest.raises(GuideError, match="`mien video --like-shapes`"):
            Blendshapes.read(table)


def test_blendshapes_of_other_programs(tmp_path: Path) -> None:
    path = tmp_path / "shapes.json"
    values = {"blendshapes": {"eyeBlink_L": 1, "tongueOut": 0.3, "HeadYaw": 0.1}}
    path.write_text(json.dumps(values))
    assert Blendshapes.read(path).weights == (("eyeBlinkLeft", 1.0),)


def test_parts_build_on_one_another(method: Morphable, anna: Faces[Float]) -> None:
    wink = Composed((Label("happy"), ActionUnits.parse("AU43L=1")))
    seen, happy = shown(method, anna, wink), shown(method, anna, Label("happy"))
    assert seen["AU43L"] > 0.9 > 0.3 > seen["AU43R"]
    assert seen["AU12L"] == pytest.approx(happy["AU12L"], abs=0.05)
    assert wink.describe() == "happy AU43L=1"


def test_what_is_held_stays(method: Morphable, anna: Faces[Float]) -> None:
    own = shown(method, anna, ActionUnits(()))
    upper = shown(method, anna, Held(Label("surprise"), "lower"))
    assert upper["AU26"] == pytest.approx(own["AU26"], abs=0.05)
    assert upper["AU1L"] > 0.8
    speaking = shown(method, anna, Held(Label("happy"), "speech"))
    assert speaking["AU25"] == pytest.approx(own["AU25"], abs=0.05)
    assert speaking["AU12L"] > 0.5
    with pytest.raises(GuideError, match="choose from speech, upper, lower"):
        Held(Label("happy"), "nose")


def test_a_turned_head_and_a_moved_light(method: Morphable, anna: Faces[Float]) -> None:
    plain = method.generate(anna, Label("neutral"))
    for guide in (Staging(turn=(0, 12, 0)), Staging(light=(0.8, 0))):
        seen = method.generate(anna, guide)
        assert np.abs(seen - anna.pixels).mean() > 0.01
        assert not np.array_equal(seen, plain)
    right = method.generate(anna, Staging(light=(-0.8, 0)))
    left = method.generate(anna, Staging(light=(0.8, 0)))
    middle = anna.pixels.shape[-1] // 2
    lit = left - right
    assert lit[..., middle:].mean() > lit[..., :middle].mean()  # the person's left is on the right
    with pytest.raises(GuideError, match="30 degrees"):
        Staging(turn=(0, 90, 0))


def test_networks_leave_heads_alone(wide_mouth: Method[Any], anna: Faces[Float]) -> None:
    with pytest.raises(GuideError, match="use --method morphable"):
        wide_mouth.expression(Staging(turn=(0, 5, 0)), wide_mouth.seen(anna))


def test_networks_take_blendshapes_as_units(wide_mouth: Method[Any], anna: Faces[Float]) -> None:
    guide = Blendshapes.of_values({"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0})
    assert np.allclose(wide_mouth.expression(guide, wide_mouth.seen(anna)).code[0, 0], 2, atol=0.3)


def test_intensity_of_units_is_their_own(method: Morphable, anna: Faces[Float]) -> None:
    half, whole = (
        shown(method, anna, ActionUnits.parse("AU26=0.8"), amount)["AU26"] for amount in (0.5, 1.0)
    )
    assert half == pytest.approx(whole / 2, abs=0.06)


def test_a_reference_of_any_size_is_read_at_the_methods_own(anna: Faces[Float]) -> None:
    small = load("aipgan", head="own")
    whole = Faces(anna.pixels[..., :191, :191], anna.landmarks)  # odd: no network takes it as it is
    fitting = at(faces(whole), small.size)
    assert torch.equal(small.expression(Reference(whole)).code, small.encode(fitting).code)
    assert torch.equal(small.read(whole), small.read(fitting))


def test_a_photograph_is_no_reference_yet(anna: Faces[Float]) -> None:
    """What callers try first says what to do instead."""
    with pytest.raises(GuideError, match=r"editor\.reference"):
        Reference("friend.jpg")  # type: ignore[arg-type]
    assert len(Reference(anna).faces) == 1
