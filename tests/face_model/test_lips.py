"""Lips as other expressions show them: closed ones go on, parted ones are made whole."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mien import facs
from mien.data.split import split_of
from mien.face_model import lip_donors
from mien.face_model.eyes import polygon
from mien.face_model.frame import Frame, Window
from mien.face_model.lip_chart import DENSITY
from mien.face_model.lip_donors import HIDDEN, LipDonor, choose, unfolded
from mien.face_model.lips import _liplike, _masks, closed_lips
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Rig
from mien.face_model.shade import shade
from mien.types import AlignedFace

SIZE = 320
LUMA = np.array([0.299, 0.587, 0.114])
REST = facs.vector({})


@pytest.fixture(scope="module")
def parted(model: FaceModel, rig: Rig) -> Rig:
    """The sample's own smile, which shows teeth, as a photograph of its own."""
    smile = rig.render(facs.prototype("happy"), SIZE)
    return Rig(model, smile.image, smile.landmarks, neutral=False)


def lips(image: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    """The colours (N, 3) within the lips' outer border, but for its rim."""
    mask = cv2.erode(polygon(image.shape[:2], landmarks[48:60]), np.ones((3, 3)))
    return image[mask > 0].astype(float)


def test_the_library_is_small_and_of_training_people() -> None:
    donors = lip_donors.shipped()
    assert len(donors) >= 12
    assert all(split_of(f"london/{d.name[:3]}") == "train" for d in donors)
    assert lip_donors.TABLE.stat().st_size < 2e6


def test_the_library_is_laid_out_as_the_chart(model: FaceModel) -> None:
    assert {d.pixels.shape for d in lip_donors.shipped()} == {(*model.lip_chart.shape, 3)}


def test_a_vertex_lies_in_the_chart_where_it_says(model: FaceModel) -> None:
    chart = model.lip_chart
    x, y = (np.arange(n) for n in chart.shape[::-1])
    grid = np.stack(np.meshgrid(x, y), -1)
    assert np.abs(chart.rasterised(chart.places) - grid)[chart.shown].max() < 0.05


def test_closed_lips_unfold_without_the_line_between_them(model: FaceModel) -> None:
    """Two lips of two greys meet in a black line as wide as is hidden: neither it nor any other
    grey is left."""
    chart = model.lip_chart
    rows = np.arange(chart.shape[0])[:, None]
    upper, lower = chart.opening
    middle = (upper + lower) / 2
    flat = np.where(rows < middle, 120.0, 180.0)
    near = 0.6 * HIDDEN * DENSITY
    flat[(rows > upper - near) & (rows < lower + near) & (lower > upper)] = 0
    out = unfolded(np.repeat(flat[..., None], 3, -1).astype(np.float32), chart)
    inside = out[:, chart.shape[1] // 2 - 20 : chart.shape[1] // 2 + 20]
    assert inside.min() > 119
    assert inside.max() < 181


def test_lips_are_lent_by_whose_are_alike() -> None:
    """In any light: a donor's own colours, darkened, bring that donor or one like it."""
    donors = lip_donors.shipped()
    darkest = min(donors, key=lambda d: d.brown)
    found = {choose(donors, d.lip * 0.5, d.skin * 0.5, d.brown).name for d in donors}
    assert len(found) == len(donors)  # the nearest of all is the donor itself
    browns = {choose(donors, darkest.lip, darkest.skin, darkest.brown, k).brown for k in range(2)}
    assert max(browns) < float(np.median([d.brown for d in donors]))


def test_skin_is_not_taken_for_lip() -> None:
    lip, skin = np.array([180, 90, 95], np.float32), np.array([200, 150, 125], np.float32)
    flat = np.broadcast_to(skin, (20, 20, 3)).copy()
    flat[:, 10:] = lip * 0.8  # in shade, of the same hue
    like = _liplike(flat, lip, skin)
    assert like[:, :6].max() < 0.05
    assert like[:, 14:].min() > 0.95
    grey = np.full(3, 90, np.float32)
    assert _liplike(flat.mean(-1, keepdims=True).repeat(3, -1), grey, grey * 1.5).min() == 1


def test_a_closed_smile_has_the_lips_of_the_face_at_rest(parted: Rig, anna: AlignedFace) -> None:
    """The sample at rest, drawn from its own smile, beside its photograph: their colour and how
    much texture they have."""
    r = parted.render(REST, SIZE)
    assert not parted.fit.closed
    made, real = lips(r.image, r.landmarks), lips(anna.pixels, anna.landmarks)
    assert np.abs(np.median(made, 0) - np.median(real, 0)).max() < 20
    darkest = [np.percentile(part @ LUMA, 2) for part in (made, real)]
    assert darkest[0] < 1.35 * darkest[1]  # the lips do meet in a line
    detail = []
    for image, points in ((r.image, r.landmarks), (anna.pixels, anna.landmarks)):
        sharp = cv2.Laplacian((image @ LUMA).astype(np.float32), cv2.CV_32F)
        detail.append(float(np.std(lips(sharp[..., None], points))))
    assert 0.7 < detail[0] / detail[1] < 1.6


def test_lips_that_stay_are_the_photographs(parted: Rig) -> None:
    """Brows move, and no lip is laid over the photograph's; the mouth closes, and it is."""
    weights = parted.fit.weights.copy()
    weights[[parted.model.index[f"browInnerUp_{side}"] for side in "LR"]] += 0.5
    for wanted, low, high in ((weights, 0.0, 0.01), (parted.weights(REST), 0.9, 1.0)):
        scene, _ = parted._scene(wanted, parted.fit.camera, 1.0, True, PoseAndLight(), None)
        assert low <= scene.lips <= high


def test_the_rim_of_an_opened_mouth_is_lip(rig: Rig) -> None:
    """What closed lips hid of themselves is as they are beside it, and no grey mixture: along the
    lower lip's inner edge the colour is the lip's."""
    r = rig.render(facs.vector({"AU26": 1.0}), SIZE)
    edge, border = r.landmarks[[67, 66, 65]], r.landmarks[[58, 57, 56]]
    near, middle = (
        np.array([r.image[round(y), round(x)] for x, y in (edge + (border - edge) * part).tolist()])
        for part in (0.12, 0.5)
    )
    hue = [np.log((c[:, 0] + 6.0) / (c[:, 1] + 6.0)) for c in (near, middle)]
    assert (hue[0] > 0.75 * hue[1]).all()


def test_a_grey_photograph_keeps_grey_lips(model: FaceModel, parted: Rig) -> None:
    grey = np.repeat((parted.crop @ LUMA).astype(np.uint8)[..., None], 3, axis=2)
    rig = Rig(model, grey, parted.fit.landmarks.astype(np.float32), neutral=False)
    image = rig.render(REST, SIZE).image
    assert np.ptp(image.astype(int), axis=-1).max() <= 1


def test_the_same_lips_in_every_size(model: FaceModel, parted: Rig) -> None:
    """The chart has coarser levels for small pictures: in the mean they are the finest one's."""
    chart = model.lip_chart
    ys, xs = np.nonzero((chart.far < -0.1) & (chart.aside > 0.8))
    places = np.stack([xs, ys])[:, None].astype(np.float32)
    fine, coarse = (parted._skin.lips.at(places, unit)[0] for unit in (DENSITY, DENSITY / 6))
    assert coarse[:, :3].std(0).max() < fine[:, :3].std(0).max()
    assert np.abs(fine.mean(0) - coarse.mean(0))[:3].max() < 4


def test_a_made_donor_gives_its_texture(
    model: FaceModel, parted: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Donors with stripes give striped lips, where the photograph shows none of its own."""
    donors = []
    for donor in lip_donors.shipped():
        pixels = donor.pixels.copy()
        pixels[:, ::10] //= 3
        donors.append(LipDonor(donor.name, pixels, donor.lip, donor.skin, donor.brown))
    monkeypatch.setattr("mien.face_model.sitter.lips_library", lambda: tuple(donors))
    landmarks = parted.fit.landmarks.astype(np.float32)
    striped = Rig(model, parted.crop, landmarks, neutral=False).render(REST, SIZE)
    plain = parted.render(REST, SIZE)
    apart = np.abs(striped.image.astype(int) - plain.image).mean(-1)
    upper = polygon((SIZE, SIZE), plain.landmarks[[49, 50, 51, 52, 53, 63, 62, 61]]) > 0
    assert apart[upper].mean() > 4
    far = cv2.dilate(polygon((SIZE, SIZE), plain.landmarks[48:60]), np.ones((41, 41))) == 0
    assert apart[far].max() == 0


def upper_edge(rig: Rig, units: dict[str, float]) -> tuple[float, float]:
    """Brightness of the upper lip just above its inner edge, in units of its middle's: at rest and
    under `units`."""
    found = []
    for r in (rig.original(SIZE), rig.render(facs.vector(units), SIZE)):
        edge, border = r.landmarks[[61, 62, 63]], r.landmarks[[50, 51, 52]]
        rows = [edge + (border - edge) * part for part in (0.1, 0.2, 0.5, 0.6)]
        light = cv2.GaussianBlur((r.image @ LUMA).astype(np.float32), (0, 0), 1)
        seen = [[light[round(y), round(x)] for x, y in row.tolist()] for row in rows]
        near, middle = np.mean(seen[:2]), np.mean(seen[2:])
        found.append(float(near / middle))
    return found[0], found[1]


def test_lips_that_are_drawn_apart_do_not_shade_one_another(rig: Rig) -> None:
    """Where closed lips meet, each is dark. A raised upper lip carried that along, as a dark
    block."""
    closed, raised = upper_edge(rig, facs.PROTOTYPES["disgust"])
    assert closed < 0.9
    assert raised > closed + 0.015  # some is left: it bends into the mouth
    assert raised < 1.05  # and it is no light strip


def test_donated_lips_are_without_that_shade_too(parted: Rig, model: FaceModel) -> None:
    chart, lips = model.lip_chart, parted._skin.lips
    upper = chart.opening[0]
    columns = np.flatnonzero(chart.aside.min(0) > 1.2)
    middle = columns[len(columns) // 2]
    place = np.array([[[middle]], [[upper[middle] - 2.0]]], np.float32)
    shaded, lit = (lips.at(place, DENSITY, dropped)[0, 0] for dropped in (0.0, 1.0))
    assert shaded[3] > 0.9  # the smile does not show it
    assert (lit[:3] > 1.04 * shaded[:3]).all()


def test_the_shade_of_closed_corners_does_not_stay_beside_an_open_mouth(rig: Rig) -> None:
    """Creases lead out of many a closed mouth: grey strokes beside teeth, were they left."""
    points, unit = rig.source.points[FACE], rig.fit.camera.scale
    photo = np.full((SIZE, SIZE, 3), (196, 164, 142), np.float32)
    corner = rig.fit.landmarks[54]
    ends = [np.round((corner[0] + far * unit, corner[1])).astype(int) for far in (0.1, 0.6)]
    cv2.line(photo, ends[0].tolist(), ends[1].tolist(), (110, 80, 70), 3)
    photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 1.0), np.float32)
    drawn = closed_lips(rig.model.lip_chart, photo, points)
    mesh = points - corner
    crease = np.flatnonzero((np.abs(mesh - [0.42 * unit, 0]) < 0.1 * unit).all(1))
    places = rig.model.lip_chart.places[crease].T[:, None]
    seen = photo[tuple(np.round(points[crease]).astype(int).T[::-1])]
    lit = drawn.at(places, DENSITY, dropped=1.0)[0]
    shown = lit[:, :3] + (1 - lit[:, 3:]) * seen
    dark, left = (float((164 - one[:, 1]).mean()) for one in (seen, shown))
    assert dark > 15
    assert left < 0.7 * dark


def test_the_pits_of_a_smiles_corners_are_neither_lip_nor_skin(parted: Rig) -> None:
    """The opening goes on beyond the landmarks' corners; taken for skin, it was a black stain."""
    points, unit = parted.fit.landmarks, parted.fit.camera.scale
    photo = np.full((SIZE, SIZE, 3), (196, 164, 142), np.float32)
    photo[polygon(photo.shape[:2], points[48:60]) > 0] = (190, 140, 153)
    x, y = np.round(points[54] + np.array([0.1 * unit, 0])).astype(int)
    white = np.full(3, 180, np.float32)
    _, skin, clear = _masks(photo, points, unit, white)
    cv2.circle(photo, (int(x), int(y)), round(0.1 * unit) + 1, (12, 8, 8), -1)
    _, without, unclear = _masks(photo, points, unit, white)
    assert skin[y, x + 1] == clear[y, x + 1] == 1
    assert without[y, x + 1] == unclear[y, x + 1] == 0
    assert (skin - without).sum() < (0.6 * unit) ** 2


def test_closed_lips_of_a_film_are_read_anew_where_they_look_different(
    model: FaceModel, anna: AlignedFace
) -> None:
    first = Rig(model, anna.pixels, anna.landmarks, neutral=False)

    def later(pixels: np.ndarray) -> Rig:
        who = first.fit.identity
        return Rig(model, pixels, anna.landmarks, neutral=False, identity=who, before=first)

    noise = np.random.default_rng(0).normal(0, 1, anna.pixels.shape)
    noisy = np.clip(anna.pixels + noise, 0, 255).astype(np.uint8)
    assert first.fit.closed
    assert later(noisy)._skin.lips is first._skin.lips
    darker = np.clip(anna.pixels * 0.9, 0, 255).astype(np.uint8)
    assert later(darker)._skin.lips is not first._skin.lips


def test_a_smile_that_goes_takes_the_shade_of_its_corners_along(model: FaceModel, rig: Rig) -> None:
    """A smile ends in two pits: dark stains beside a mouth at rest, were they left."""
    smile = rig.render(facs.prototype("happy"), SIZE)
    photo, corners = smile.image.copy(), smile.landmarks[[48, 54]]
    unit = rig.fit.camera.scale
    for (x, y), out in zip(np.round(corners).astype(int).tolist(), (-1, 1), strict=True):
        cv2.ellipse(photo, (x + round(out * 0.25 * unit), y), (4, 3), 0, 0, 360, (60, 40, 35), -1)
    photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 1.0), np.uint8)
    pitted = Rig(model, photo, smile.landmarks, neutral=False)
    assert pitted._sitter._lip_state.smiles
    rest, still = pitted.weights(REST), pitted.fit.weights

    def darkest(weights: np.ndarray) -> float:
        drawn = pitted.render_weights(weights, SIZE, relight=0.0, folded=False)
        light = cv2.GaussianBlur(drawn.image @ LUMA, (0, 0), 0.5)
        x, y = np.round(drawn.landmarks[[48, 54]]).astype(int).T
        near = [light[b - 6 : b + 7, a - 16 : a + 17] for a, b in zip(x, y, strict=True)]
        return float(np.mean([one.min() / np.median(one) for one in near]))

    assert pitted._sitter._lip_state.relaxed(still) == 0
    assert darkest(still) < 0.75 * darkest(rest)


def test_pressed_lips_do_not_draw_the_shade_of_their_corners_out(
    model: FaceModel, anna: AlignedFace
) -> None:
    """A corner's crease under a chin that rises: a thin dark stroke, were it left as it is."""
    photo, corners = anna.pixels.copy(), anna.landmarks[[48, 54]]
    unit = Rig(model, photo, anna.landmarks, neutral=True).fit.camera.scale
    for (x, y), out in zip(np.round(corners).astype(int).tolist(), (-1, 1), strict=True):
        end = round(x + out * 0.4 * unit), y + 2
        cv2.line(photo, (x, y), end, (70, 45, 40), 2)
    photo = np.asarray(cv2.GaussianBlur(photo, (0, 0), 0.8), np.uint8)
    lined = Rig(model, photo, anna.landmarks, neutral=True)
    state, weights = lined._sitter._lip_state, lined.weights(facs.prototype("anger"))
    assert state.relaxed(lined.fit.weights) == 0
    assert state.relaxed(weights) > 0.3

    def darkest(strength: float) -> float:
        scene, _ = lined._scene(weights, lined.fit.camera, 0.0, False, PoseAndLight(), None)
        scene = replace(scene, relaxed=strength)
        frame = Frame.of(scene, Window.whole(SIZE))
        layers = shade(lined._skin, frame, None)
        light = layers.image(lined._skin.map(lined._skin.photo, frame.source)) @ LUMA
        x, y = np.round(scene.landmarks[[48, 54]]).astype(int).T
        beside = [(b, a + out * round(0.3 * unit)) for a, b, out in zip(x, y, (-1, 1), strict=True)]
        return float(np.mean([light[b - 5 : b + 6, a - 2 : a + 3].min() for b, a in beside]))

    assert darkest(state.relaxed(weights)) > 1.1 * darkest(0.0)
