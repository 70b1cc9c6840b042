"""The reader of action units without torch, who goes by it, and what a reference transfers."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

import mien
from mien import facs, images
from mien.errors import WeightsError
from mien.faces.align import align
from mien.faces.detect import detect
from mien.methods import reader, registry
from mien.methods.drawing import ModelHead
from mien.methods.morphable import retargeting
from mien.methods.morphable.method import Morphable
from mien.methods.morphable.retargeting import AJAR, parted
from mien.methods.morphable.synthesis import Shown, matched
from mien.nn import tensors
from mien.types import Expression, Faces, Float, UInt8
from mien.zoo.records import read_weights, records
from mien.zoo.samples import samples


@pytest.fixture(scope="module")
def editor() -> mien.Editor:
    return mien.Editor(mien.load("morphable"))


def faces(name: str, side: int) -> Faces[Float]:
    return faces_of(images.read(samples()[name]).pixels, side)


def faces_of(pixels: UInt8, side: int = 320) -> Faces[Float]:
    return Faces.stack([align(pixels, detect(pixels)[0], side)])


def test_numpy_reads_what_torch_reads() -> None:
    torch = pytest.importorskip("torch", reason="needs mien[train]")
    from mien.nn.reader import UnitReader

    learnt = UnitReader().eval()
    arrays, _ = read_weights(records()[reader.NAME].path)
    learnt.load_state_dict({k: v.float() for k, v in tensors.named(arrays).items()})
    crops = [faces(name, reader.SIZE) for name in ("anna", "ben", "cora")]
    with torch.no_grad():
        for seen in crops:
            wanted = learnt(tensors.faces(seen).pixels).clamp(0, 1)[0].numpy()
            assert reader.of(seen)[0] == pytest.approx(wanted, abs=2e-3)


@pytest.mark.parametrize("name", [n for n, row in registry.METHODS.items() if row.task])
def test_what_the_face_model_draws_goes_by_the_reader_and_own_heads_by_their_own_codes(
    name: str,
) -> None:
    pytest.importorskip("torch", reason="needs mien[train]")
    method = mien.load(name)
    seen = method.seen(faces("ben", 320))
    read = reader.of(seen.mapped(method.numbers))
    shown = method.shown(seen).code
    assert shown.equal(method.from_units(method.array(read)).code)
    assert method.expression(mien.Reference(seen)).code.equal(shown)
    assert method.numbers(method.read(seen)) == pytest.approx(read, abs=0.12)  # by its maps
    assert method.read_by == records()[reader.NAME].sha256
    own = mien.load(name, head="own")
    assert own.shown(seen).code.equal(own.encode(seen).code)
    assert not own.encode(seen).code.equal(shown)
    assert own.read_by == ""


def test_a_result_says_which_reader(editor: mien.Editor) -> None:
    result = editor.edit(samples()["anna"], mien.Label("happy"), 0.3)
    assert result.metadata["reader"] == records()[reader.NAME].sha256


def test_a_drawn_expression_is_read_back(editor: mien.Editor) -> None:
    # a raised brow is read by the forehead's lines, of which Anna's skin has few
    whole = (("anna", "AU12", 0.35), ("anna", "AU26", 0.3), ("anna", "AU43", 0.35))
    for who, unit, least in (*whole, ("ben", "AU1", 0.2)):
        rest = reader.read(images.to_uint8(faces(who, 320).pixels)[0])
        result = editor.edit(samples()[who], mien.ActionUnits.parse(f"{unit}=1"))
        crop = align(result.pixels, detect(result.pixels)[0], 320).pixels
        moved = (reader.read(crop) - rest)[list(facs.columns(unit))].mean()
        assert moved > least, (unit, moved)


def test_brows_and_lids_are_transferred(editor: mien.Editor) -> None:
    """What 68 landmarks say of a fitted face hardly has them: 0.13 of `surprise` at the most."""
    method = editor.method
    assert isinstance(method, Morphable)
    source = faces("anna", 320)
    made = editor.edit(samples()["anna"], mien.Label("surprise")).pixels
    reference = Faces.stack([align(made, detect(made)[0], 320)])
    own = method.encode(source)
    got = method.transferred(reference, source, own).code - own.code
    asked = method.from_labels(np.array([facs.EMOTIONS.index("surprise")])).code - own.code
    for part in ("brow", "eyeWide"):
        at = [i for i, name in enumerate(method.model.names) if name.startswith(part)]
        share = float(got[0, at] @ asked[0, at] / (asked[0, at] @ asked[0, at]))
        assert 0.35 < share < 1.6, (part, share)


def mouth(pixels: UInt8) -> NDArray[np.float64]:
    """Width of the mouth, gap of the inner lips and height of the corners over the eyes, by the
    landmarks of a picture, in distances of the outer eye corners."""
    points = detect(pixels)[0].landmarks.astype(float)
    x, y = points.T
    gap = y[[67, 66, 65]].mean() - y[[61, 62, 63]].mean()
    lift = y[36:48].mean() - y[[48, 54]].mean()
    out: NDArray[np.float64] = np.array([x[54] - x[48], gap, lift]) / (x[45] - x[36])
    return out


@pytest.mark.parametrize("receiver", ["cora", "anna"])  # somebody else, and the same person
@pytest.mark.parametrize("asked", ["AU12=0.8,AU25=0.9,AU26=0.2", "AU25=1,AU26=0.9"])
def test_a_mouth_moves_as_far_as_the_references(
    editor: mien.Editor, receiver: str, asked: str
) -> None:
    """The network alone opens it half as far: it reads strong mouths as weaker."""
    shown = editor.edit(samples()["anna"], mien.ActionUnits.parse(*asked.split(","))).pixels
    before = images.read(samples()[receiver]).pixels
    after = editor.edit(samples()[receiver], editor.reference(images.photograph(shown))).pixels
    change = mouth(shown) - mouth(images.read(samples()["anna"]).pixels)
    got = mouth(after) - mouth(before)
    assert 0.8 < got[1] / change[1] < 1.25
    assert abs(got[0] - change[0]) < 0.06
    assert abs(got[2] - change[2]) < 0.05


@pytest.mark.parametrize("receiver", ["anna", "cora"])  # the same person, and somebody else
def test_a_slit_between_shut_lips_opens_no_mouth(editor: mien.Editor, receiver: str) -> None:
    """Landmarks put one into shut smiles; the lips themselves lie there. Where none do it opens."""
    method, source = editor.method, faces(receiver, 320)
    assert isinstance(method, Morphable)
    own = method.encode(source)
    shut = images.read(samples()["anna"]).pixels
    opened = editor.edit(samples()["anna"], mien.ActionUnits.parse("AU25=1", "AU26=0.6")).pixels

    def moved(pixels: UInt8, gap: float) -> Float:
        shown = faces_of(pixels)
        points = shown.landmarks.copy()
        points[0, [65, 66, 67], 1] += gap * (points[0, 45, 0] - points[0, 36, 0])
        change = method.transferred(Faces(shown.pixels, points), source, own).code - own.code
        shapes = ("jawOpen", "mouthLowerDown_L", "mouthUpperUp_L")
        return np.array([change[0, method.model.index[name]] for name in shapes])

    for gap in (0.025, 0.09):
        assert moved(shut, gap).max() < 0.1
    assert moved(opened, 0).max() > 0.2


@pytest.mark.parametrize("grey", [False, True])
def test_lips_are_parted_where_no_lip_is(editor: mien.Editor, grey: bool) -> None:
    """Of shut mouths nothing, of smiles with teeth and of open mouths most of the gap."""
    found = {}
    for asked in ("neutral", "happy:closed", "happy", "surprise"):
        shown = editor.edit(samples()["anna"], mien.Label(asked)).pixels
        if grey:
            shown = np.repeat(shown.mean(2, keepdims=True).astype(np.uint8), 3, 2)
        found[asked] = parted(faces_of(shown))
    assert max(found["neutral"], found["happy:closed"]) < AJAR[0]
    assert min(found["happy"], found["surprise"]) > AJAR[1]


def test_ones_own_expression_is_matched_by_its_pixels(editor: mien.Editor) -> None:
    """One person's photographs are compared themselves: shapes that neither the network nor the
    landmarks tell apart come nearer, whatever light the reference was taken in."""
    source, before = faces("anna", 320), images.read(samples()["anna"]).pixels
    method = editor.method
    assert isinstance(method, Morphable)
    (rig,) = method.model_head.rigs(source)
    asked = mien.ActionUnits.parse("AU18=0.7", "AU26=0.5")
    truth = editor.edit(samples()["anna"], asked).pixels
    darker = faces_of((0.85 * truth.astype(float)).astype(np.uint8))
    start = method.model_head.own(rig) + method._read(darker)[0] - method._read(source)[0]
    shown = Shown.of(images.to_uint8(darker.pixels)[0], darker.landmarks[0])
    goal = matched(method.model_head, rig, start, shown, "seen")

    def off(weights: np.ndarray) -> float:
        code = method._padded(weights[None])
        made = images.to_uint8(
            method.composed(source.pixels, method.edit(source, Expression(code)))
        )
        wanted = align(truth, detect(before)[0], 320).pixels
        return float(np.abs(made[0].astype(float) - wanted)[180:290, 90:230].mean())

    assert off(goal) < 0.7 * off(start)


def test_a_reference_is_read_to_the_same_bytes_by_any_number_of_threads(
    editor: mien.Editor,
) -> None:
    """Fit, network and mouth: what one of them sums up in parts shows by three threads or eight."""
    shown = editor.edit(samples()["anna"], mien.ActionUnits.parse("AU18=0.7", "AU26=0.5")).pixels
    reference, source, codes = faces_of(shown), faces("cora", 320), set()
    for threads in (1, 3, 8):
        with threadpool_limits(threads, "blas"):
            method = Morphable()
            method._given = ModelHead(method.model)  # nothing fitted yet
            (rig,) = method.model_head.rigs(source)
            code = method.transferred(reference, source, method.encode(source)).code
        codes.add((code.tobytes(), rig.person.neutral.tobytes()))
    assert len(codes) == 1


def test_the_first_frame_of_a_film_says_whose_reference_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another frame's doubt would be a jump; and frames are not compared by pixels."""
    method = mien.load("morphable")
    source, reference = faces("anna", 320), faces("ben", 320)
    film = Faces(source.pixels, source.landmarks, method.people(source))
    asked: list[tuple[bool, bool]] = []
    doubts = iter((True, False, False))
    monkeypatch.setattr(retargeting.Face, "is_of", lambda *_: next(doubts))

    def noted(*parts: object) -> np.ndarray:
        asked.append((bool(parts[-2]), bool(parts[-1])))
        return np.zeros(53, np.float32)

    monkeypatch.setattr(retargeting, "retargeted", noted)
    for shown in (film, Faces(0.9 * film.pixels, film.landmarks, film.people), source):
        method.transferred(reference, shown, method.encode(shown))
    assert asked == [(True, False), (True, False), (False, True)]


def test_what_is_no_encoder_is_refused() -> None:
    with pytest.raises(WeightsError, match="not a reader of action units"):
        reader.tensors_of({"neutral": np.zeros(3)})


def test_a_face_that_is_its_own_reference_stays(editor: mien.Editor) -> None:
    path = samples()["ben"]
    result = editor.edit(path, editor.reference(path))
    assert (result.pixels == images.read(path).pixels).all()


def test_a_reference_at_rest_is_a_small_change(editor: mien.Editor) -> None:
    """What the network takes for an expression in a face at rest falls out for the most part."""
    own = images.read(samples()["ben"]).pixels.astype(int)
    still = editor.edit(samples()["ben"], editor.reference(samples()["anna"])).pixels
    smile = editor.edit(samples()["anna"], mien.Label("happy"))
    happy = editor.edit(samples()["ben"], editor.reference(images.photograph(smile.pixels))).pixels
    moved = [np.abs(after - own).mean() for after in (still, happy)]
    assert moved[0] < 0.35 * moved[1]


@pytest.mark.parametrize(("receiver", "compared"), [("anna", True), ("cora", False)])
def test_only_one_persons_pictures_are_compared(
    editor: mien.Editor, monkeypatch: pytest.MonkeyPatch, receiver: str, compared: bool
) -> None:
    """And what the comparison says is what the reference asks for."""
    monkeypatch.setattr(retargeting, "matched", lambda head, rig, goal, *_: np.full_like(goal, 0.5))
    shown = editor.edit(samples()["anna"], mien.ActionUnits.parse("AU12=0.6")).pixels
    method, source = Morphable(), faces(receiver, 320)
    code = method.transferred(faces_of(shown), source, method.encode(source)).code[0, :53]
    assert bool(np.allclose(code, 0.5)) == compared
