"""Training samples from shards: truth in the right place, and the same ones after a resume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mien import facs
from mien.data.batch import Tensors, collate
from mien.data.loading import LabelledFaces, RigFaces, RigLabelled, RigPairs, open_renders
from mien.errors import DataError
from mien.faces.align import MIRROR
from mien.rig.expressions import emotion_of, expression_list
from mien.rig.shards import Sample, key_of, write_shard

SIZE, SHOWN = 64, 12
"""Each person's states: the photograph, neutral, eight full prototypes, two weak ones of which the
last turns the head."""
LISTED = expression_list(0)
LANDMARKS = np.stack([np.linspace(8, 56, 68), 60 - np.linspace(4, 28, 68)], 1)


def sample(person: int, state: int) -> Sample:
    """A picture that tells itself: red is 100 times the person, green 20 times the state, blue
    rises to the right. The third person's own expression is unknown."""
    image = np.zeros((SIZE, SIZE, 3), np.uint8)
    image[..., 0], image[..., 1] = 100 * person, 20 * state
    image[..., 2] = np.linspace(0, 255, SIZE).astype(np.uint8)
    neutral = person < 2
    own = np.full(47, 0.0 if neutral else 0.3)
    units = LISTED[state - 1] if state else own
    facts = {
        "units": [float(u) for u in units],
        "label": emotion_of(units) if state or neutral else None,
        "landmarks": LANDMARKS.tolist(),
        "person": f"set/{person}",
        "photo": f"set/{person}/a",
        "size": SIZE,
        "turn": [0.0, 9.0 if state == SHOWN - 1 else 0.0, 0.0],
        "light": [0.0, 0.0, 0.0],
        "neutral": neutral,
        "expression": state - 1,
        "state": state,
    }
    half = (SIZE // 2, SIZE // 2)
    flow = np.full((*half, 2), 0.01 * state, np.float32)
    seen = np.full(half, 255, np.uint8)
    return Sample(key_of(facts["photo"], state), facts, image, flow, seen, seen // 5)


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in two shards."""
    folder = tmp_path_factory.mktemp("renders")
    for name, people in (("00000", (0, 1)), ("00001", (2,))):
        every = [sample(p, k) for p in people for k in range(SHOWN)]
        write_shard(folder / "train" / f"{name}.tar", every)
    return folder


def identified(pixels: Tensor) -> tuple[int, int]:
    """Person and state of a picture that was not relit."""
    red, green, _ = (pixels.mean((1, 2)) + 1) * 127.5
    return round(float(red) / 100), round(float(green) / 20)


def plain_pairs(folder: Path) -> RigPairs:
    return RigPairs(folder, "train", size=32, augment=False)


def equal(a: Tensors, b: Tensors) -> bool:
    """To the bit, in every tensor there is."""
    found: list[list[Tensor]] = [[], []]

    def keeping(kept: list[Tensor]) -> Callable[[Tensor], Tensor]:
        def keep(tensor: Tensor) -> Tensor:
            kept.append(tensor)
            return tensor

        return keep

    for one, kept in zip((a, b), found, strict=True):
        one.map(keeping(kept))
    return len(found[0]) == len(found[1]) and all(map(torch.equal, *found))


def test_photographs_in_their_order(renders: Path) -> None:
    photos = open_renders(renders, "train")
    assert [p.person for p in photos] == ["set/0", "set/1", "set/2"]
    assert all(p.units.shape == (SHOWN, 47) for p in photos)
    assert photos[0].still == list(range(SHOWN - 1))


def test_a_pair_is_one_person_and_its_truth(renders: Path) -> None:
    pairs = plain_pairs(renders)
    for i in range(60):
        item = pairs[i]
        (person, source), (same, target) = (
            identified(item.source.pixels),
            identified(item.target.pixels),
        )
        reference, worn = identified(item.donor.pixels)
        assert person == same
        assert reference != person or target == 0
        assert worn == target
        assert SHOWN - 1 not in (source, target)  # no guide asks for a turned head
        assert item.source.pixels.shape == (3, 32, 32)
        shown = LISTED[target - 1] if target else np.full(47, 0.0 if person < 2 else 0.3)
        assert np.allclose(item.target.units, shown, atol=1e-6)
        known = target > 0 or person < 2
        assert int(item.target.label) == (max(0, target - 1) if target <= 8 and known else -1), (
            person,
            target,
        )
        if source == target:
            assert (item.truth.flow == 0).all()
        else:
            assert torch.allclose(item.truth.flow, torch.tensor(0.01 * target), atol=1e-4)
        assert float(item.truth.known) == (source in (0, target))
        assert torch.allclose(item.truth.visible, torch.tensor(1.0))
        assert torch.allclose(item.truth.mouth, torch.tensor(51 / 255))


def test_targets_may_name_units_or_be_weak_more_often(
    renders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = {("single unit", "eyes"): frozenset({4}), ("weak emotion",): frozenset({2})}
    monkeypatch.setattr("mien.rig.expressions.rows", lambda names: kinds[names])

    def share(state: int, **asked: Any) -> float:
        pairs = RigPairs(renders, "train", size=32, augment=False, **asked)
        return float(np.mean([identified(pairs[i].target.pixels)[1] == state for i in range(100)]))

    assert share(5) < 0.25 < 0.4 < share(5, named=0.6) < 0.8
    assert share(3) < 0.25 < 0.4 < share(3, weak=0.6) < 0.8
    # what is weak is a share of what is left
    assert share(5, named=0.6, weak=1.0) > 0.4
    assert 0.2 < share(3, named=0.6, weak=1.0) < 0.6


def test_portraits_are_of_the_same_pictures(renders: Path) -> None:
    """Nothing is drawn anew for them."""
    plain, more = (RigPairs(renders, "train", size=32, seed=3, portraits=p) for p in (False, True))
    for i in range(12):
        a, b = plain[i], more[i]
        assert a.source_person is a.donor_person is None
        assert b.source_person is not None
        assert b.donor_person is not None
        assert equal(a, replace(b, source_person=None, donor_person=None))


def test_a_portrait_is_the_person_at_rest(renders: Path) -> None:
    pairs = RigPairs(renders, "train", size=64, augment=False, portraits=True)
    assert pairs.people == ["set/0", "set/1", "set/2"]
    for i in range(30):
        item = pairs[i]
        for face, who in ((item.source, item.source_person), (item.donor, item.donor_person)):
            assert who is not None
            person, _ = identified(face.pixels)
            # the third person's photograph is not at rest, their first render is
            assert identified(who.neutral) == (person, 0 if person < 2 else 1)
            assert int(who.index) == person
            assert who.neutral.shape == (3, 64, 64)
            assert np.allclose(face.landmarks, LANDMARKS, atol=1e-4)


def test_a_portrait_is_turned_lit_and_mirrored_with_its_picture(renders: Path) -> None:
    pairs = RigPairs(renders, "train", size=64, portraits=True)
    flipped = same = 0
    for i in range(40):
        item = pairs[i]
        first = item.source.pixels[2]
        mirrored = bool(first[:, :16].mean() > first[:, -16:].mean())
        flipped += mirrored
        for points in (face.landmarks for face in (item.source, item.target, item.donor)):
            inner = points[MIRROR] if mirrored else points
            assert (inner[0, 0] < inner[67, 0]) != mirrored
        assert torch.equal(item.source.landmarks, item.target.landmarks)  # told so here
        for face, who in ((item.source, item.source_person), (item.donor, item.donor_person)):
            assert who is not None
            picture, rest = face.pixels, who.neutral
            if pairs.photos[int(who.index)].neutral:
                same += torch.equal(picture, rest)
            assert bool(rest[2, :, :16].mean() > rest[2, :, -16:].mean()) == mirrored
    assert 8 < flipped < 32
    assert same > 5  # the picture itself, noise and all, where it is at rest


def test_a_person_never_at_rest_has_no_portrait(tmp_path: Path) -> None:
    write_shard(tmp_path / "train" / "0.tar", [sample(2, k) for k in (0, 2, 3)])
    assert len(RigPairs(tmp_path, "train").photos) == 1
    with pytest.raises(DataError, match="no neutral picture of set/2"):
        RigPairs(tmp_path, "train", portraits=True)


@pytest.mark.parametrize("kind", ["pairs", "labelled", "faces"])
def test_a_resumed_run_sees_the_same(renders: Path, kind: str) -> None:
    def opened(seed: int = 4) -> RigPairs | RigLabelled | LabelledFaces:
        if kind == "pairs":
            return RigPairs(renders, "train", size=32, seed=seed)
        if kind == "labelled":
            return RigLabelled(renders, "train", size=32, seed=seed)
        return LabelledFaces(RigFaces(renders, "train", size=32, seed=seed))

    def items(data: RigPairs | RigLabelled | LabelledFaces, order: list[int]) -> dict[int, Tensors]:
        return {i: data[i] for i in order}

    whole = items(opened(), list(range(12)))
    resumed = items(opened(), [11, 7, 9])
    assert all(equal(whole[i], resumed[i]) for i in resumed)
    assert not all(equal(a, b) for a, b in zip(
        whole.values(), items(opened(5), list(range(12))).values(), strict=True
    ))  # fmt: skip


def test_labelled_faces_in_turn_show_every_emotion_once(renders: Path) -> None:
    data = RigLabelled(renders, "train", size=32)
    for turn in range(3):
        items = [data[8 * turn + k] for k in range(8)]
        assert {int(x.source.label) for x in items} == set(range(8))
        assert all(int(x.wanted) != int(x.source.label) for x in items)
    assert {int(data[i].wanted) for i in range(48)} == set(range(8))


def test_labelled_faces_share_their_emotions_where_asked(renders: Path) -> None:
    data = RigLabelled(renders, "train", 4, size=32)
    for batch in range(6):
        items = [data[4 * batch + k] for k in range(4)]
        assert len({(int(x.source.label), int(x.wanted)) for x in items}) == 1


def test_every_face_once(renders: Path) -> None:
    faces = RigFaces(renders, "train", size=32, augment=False)
    assert len(faces) == 2 * SHOWN + SHOWN - 1  # the third photograph's own units are a guess
    shown = [faces[i] for i in range(len(faces))]
    seen = [identified(x[0]) for x in shown]
    assert seen == [(p, k) for p in range(3) for k in range(SHOWN) if (p, k) != (2, 0)]
    for (_, k), (_, units, label, landmarks) in zip(seen, shown, strict=True):
        assert np.allclose(units, LISTED[max(0, k - 1)], atol=1e-6)
        contempt_on_the_right = 9
        expected = {0: 0, contempt_on_the_right: 7}.get(k, k - 1) if k < 10 else -1
        assert int(label) == expected
        assert np.allclose(landmarks, (LANDMARKS + 0.5) / 2 - 0.5, atol=1e-4)


def test_a_mirrored_face_keeps_its_truth(renders: Path) -> None:
    faces = RigFaces(renders, "train", size=64, people=lambda p: p == "set/0")
    flipped = 0
    for i in range(40):
        pixels, units, label, landmarks = faces[i]
        mirrored = bool(pixels[2, :, :16].mean() > pixels[2, :, -16:].mean())
        flipped += mirrored
        inner = landmarks[MIRROR] if mirrored else landmarks
        assert (inner[0, 0] < inner[67, 0]) != mirrored
        shown = facs.mirror(LISTED) if mirrored else LISTED
        assert np.abs(shown - units.numpy()).max(1).min() < 1e-6
        assert -1 <= int(label) < 8
    assert 8 < flipped < 32


def test_people_are_filtered(renders: Path) -> None:
    faces = RigFaces(renders, "train", augment=False, people=lambda person: person == "set/1")
    assert len(faces) == SHOWN
    assert {identified(faces[i][0])[0] for i in range(len(faces))} == {1}
    with pytest.raises(DataError, match="no face of the people"):
        RigFaces(renders, "train", people=lambda person: False)


def test_a_worker_process_can_have_it(renders: Path) -> None:
    data = plain_pairs(renders)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.Subset(data, range(6)), batch_size=3, num_workers=1,
        multiprocessing_context="spawn", collate_fn=collate,
    )  # fmt: skip
    batches = list(loader)
    assert equal(batches[1][0:1], collate([data[3]]))
    assert len(batches[1]) == 3


def test_what_is_missing_costs_one_line(renders: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run `mien rig render` first"):
        open_renders(renders, "validation")
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "a.safetensors").write_bytes(b"")
    with pytest.raises(DataError, match="older mien: run `mien rig render` again"):
        open_renders(tmp_path, "train")
    write_shard(tmp_path / "train" / "0.tar", [sample(0, 0)])
    with pytest.raises(DataError, match="two states"):
        RigPairs(tmp_path, "train")
    with pytest.raises(DataError, match="no faces labelled happy"):
        RigLabelled(tmp_path, "train", 4)
