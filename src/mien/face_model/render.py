"""One photograph in any expression, with the truth about every pixel.

photo crop -> fit -> rest shape -> (weights) -> posed mesh and moved surround -> raster -> every
pixel knows where in the photograph it comes from, in which light, and what is painted over it
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.errors import FaceUndrawable
from mien.face_model import units
from mien.face_model.animate import Pose, asked, drawn, effective, person, pose, rim, sink, stand
from mien.face_model.arrays import Float, UInt8
from mien.face_model.background import NEAR, Background
from mien.face_model.camera import Camera, Number
from mien.face_model.creases import Creases
from mien.face_model.eyes import eye_textures
from mien.face_model.fit import Fit, fit
from mien.face_model.folds import Folds, shipped
from mien.face_model.frame import (
    BLEND,
    CHANNELS,
    COLOUR,
    LIDS,
    LIGHT,
    SOURCE,
    SOURCE_SIZE,
    Frame,
    Scene,
    Window,
)
from mien.face_model.gaze import gaze, iris_vertex, irises_of, pupils
from mien.face_model.inside import Mouth
from mien.face_model.lids import LidFolds
from mien.face_model.light import Light
from mien.face_model.lips import lips_without_slit
from mien.face_model.mesh import EYE, EYE_SOCKETS, EYEBALLS, FACE, MOUTH_INSIDE, SIDES, FaceModel
from mien.face_model.mouth import MouthShade, own_mouth
from mien.face_model.mouths import Donor, MouthLibrary
from mien.face_model.problem import ruler
from mien.face_model.sampling import shrink
from mien.face_model.shade import Skin, mouth_mask, shade
from mien.face_model.stage import Stage, outline_pull, outlying
from mien.face_model.threads import one_thread
from mien.face_model.tones import Tones, brightest

WIDEST_GAP = 0.55
"""Gap of the lips, in widths of the opening, beyond which a photograph shows too little of them to
close them."""
LEAST_RULER = 0.02
"""Distance of the outer eye corners, in sides of the crop, under which there is no face."""
LIP_CHANGE = 0.25
"""Change of the lip gap, cm, after which the lips' rim no longer shows the photograph's dark
line."""
BLINK_GAIN = 2.5
"""The lid's second texture is in place after 1 / this of a blink, before the stretched crease
shows."""
FOLD_REACH = 4.0
"""Distance from an eye, px, up to which its lashes and the shade of its lid lie on the skin."""
UNFOLDING = 0.08
"""Rise of a lid, cm, after which what was folded away shows."""
UNSEEN = 0.1
"""Motion, px, that nobody sees and that is not made: from twice this on, it is made whole."""
STIRRED = 0.06
"""Motion of lids or iris, cm, from which on what lies along the lids is no longer the
photograph's."""
LOOK_BLINK = 0.4
"""A lid that follows the gaze down comes as far as in this much of a blink."""
EYE_LANDMARKS = {"R": slice(36, 42), "L": slice(42, 48)}
DETAILS = ((slice(36, 42), 0.9), (slice(42, 48), 0.9), (slice(48, 68), 0.5))
"""Landmarks of what is drawn finer than the rest, and the room around them, cm: lids, lashes,
teeth and lips have edges, skin has none."""


@dataclass(frozen=True)
class Render:
    """A picture of side S, and what is known of it.

    image uint8 (S, S, 3) RGB; landmarks (68, 2) px at S; flow (S, S, 2): where in the source crop a
    pixel comes from, as a displacement (x, y) in crop units; visibility (S, S) in [0, 1]: 1 where
    the pixel does come from the photograph by that flow; mouth (S, S) in [0, 1]: the inside of the
    open mouth; camera: how the face stands in it, in px of the 320 px crop.
    """

    image: UInt8
    landmarks: Float
    flow: Float
    visibility: Float
    mouth: Float
    camera: Camera


@dataclass(frozen=True)
class Drawing:
    """What turns a crop, at any size, into its drawing: `visibility * gain * moved + paint`.

    Fields of side S, as `Render` has them, and gain (S, S): the change of light of what shows;
    paint (S, S, 3), 0..255: colours times what they cover.
    """

    flow: Float
    visibility: Float
    gain: Float
    paint: Float
    landmarks: Float


class Rig:
    """A photograph that can be animated.

    Attributes:
        fit: the model's fit to it, in px of the 320 px crop.
        units: (47,) the action units that it shows, in [0, 1]; only gaze if it was said to be
            neutral.
        person: the mesh of whom it shows.
        donor: whose teeth are seen in a mouth that opens.
    """

    def __init__(
        self,
        model: FaceModel,
        crop: UInt8,
        landmarks: Float,
        neutral: bool,
        template: Float | None = None,
        identity: Float | None = None,
        donor: Donor | None = None,
    ) -> None:
        """`crop` uint8 (S, S, 3) RGB, upright, of any side: textures are as fine as it is;
        `landmarks` (68, 2) in its pixels; whether the face is at rest; `template` (189, 2),
        hand-checked points in its pixels, where there are some; `identity` (50,), who it shows, if
        that is known from other pictures, and `donor`, whose teeth stand for theirs."""
        side = len(crop)
        if crop.shape != (side, side, 3) or crop.dtype != np.uint8:
            raise ValueError(f"crop is {crop.dtype} {crop.shape}, not uint8 (S, S, 3)")
        if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
            raise ValueError(f"landmarks are {landmarks.shape}, not 68 finite points")
        if ruler(landmarks) < LEAST_RULER * side:
            raise FaceUndrawable("the landmarks do not form a face")
        self.model, self.neutral, self.crop, self.donor = model, neutral, crop, donor
        at, self._small = _resized(landmarks, side, SOURCE_SIZE), _small(crop)
        checked = None if template is None else _resized(template, side, SOURCE_SIZE)
        self.fit: Fit = fit(model, at, neutral, identity, checked)
        self._irises = irises_of(self._small, self.fit)
        found = {s: i.centre for s, i in self._irises.items()}
        look = gaze(model, self.fit, found if checked is None else pupils(checked))
        if look.any():
            self.fit = fit(model, at, neutral, identity, checked, look)
        self.units: Float = units.to_units(model, look if neutral else asked(model, self.fit))
        self.person = person(model, self.fit)
        self._source = stand(model, pose(model, self.person, self.fit.weights), self.fit.camera)
        with one_thread():
            self._select()
            self._paint()

    def original(self, size: int = 256) -> Render:
        """The photograph itself as a `Render`: flow 0, everything visible."""
        image = shrink(self._small.astype(np.float32), size)
        mouth = mouth_mask(self._small.shape[:2], self.fit.landmarks, self.fit.closed)
        flow, seen = np.zeros((size, size, 2), np.float32), np.ones((size, size), np.float32)
        points = _resized(self.fit.landmarks.astype(np.float32), SOURCE_SIZE, size)
        inside = shrink(mouth, size)
        return Render(np.round(image).astype(np.uint8), points, flow, seen, inside, self.fit.camera)

    def render(
        self,
        action_units: Float,
        size: int = 256,
        supersample: int = 2,
        stage: Stage = Stage(),  # noqa: B008 - frozen
    ) -> Render:
        """The face showing `action_units` (47,) in [0, 1], absolute: 0 everywhere is a face at
        rest. The photograph's own `units` give the photograph itself.

        `size`: side of the result, px; `supersample`: raster pixels per pixel and axis; `stage`:
        how the head is turned and lit.
        """
        if stage == Stage() and np.array_equal(action_units, self.units):
            return self.original(size)
        return self.render_weights(self.weights(action_units), size, supersample, stage=stage)

    def weights(self, action_units: Float) -> Float:
        """Blendshape weights (53,) that show `action_units` (47,) on this person."""
        weights = units.to_weights(self.model, action_units)
        return effective(self.model, self.fit, weights)

    def pose(self, weights: Float, camera: Camera, habit: Float | None = None) -> Pose:
        """The mesh under blendshape weights (53,), moved by `habit` (N, 3) cm, seen by `camera`."""
        vertices = pose(self.model, self.person, weights)
        return stand(self.model, vertices if habit is None else vertices + habit, camera)

    def render_weights(
        self,
        weights: Float,
        size: int = 256,
        supersample: int = 2,
        camera: Camera | None = None,
        relight: float = 1.0,
        folded: bool = True,
        stage: Stage = Stage(),  # noqa: B008 - frozen
        habit: Float | None = None,
    ) -> Render:
        """The face under raw blendshape weights (53,), from another `camera` if one is given.

        `relight` scales how much the moved face's light changes; `folded`: with folds and creases;
        `habit` (N, 3) cm: what an expression has beyond the shapes (`refine.match` finds it).
        """
        camera = stage.camera(camera or self.fit.camera)
        with one_thread():
            scene, relief = self._scene(weights, camera, relight, folded, stage, habit)
            frame = Frame.of(scene, Window.whole(size, supersample))
            layers = shade(self._skin, frame, relief)
            colour = layers.image(self._skin.map(self._skin.photo, frame.source))
        image = shrink(np.clip(stage.expose(colour), 0, 255), size)
        flow, seen = shrink_flow(frame.flow(), layers.keep, supersample)
        mouth = shrink(frame.mouth.astype(np.float32), size)
        landmarks = _resized(scene.landmarks, SOURCE_SIZE, size)
        pixels = np.round(image).astype(np.uint8)
        return Render(pixels, landmarks, flow, seen, mouth, camera)

    def draw(
        self,
        weights: Float,
        size: int,
        fine: int = 2,
        stage: Stage = Stage(),  # noqa: B008 - frozen
    ) -> Drawing:
        """The face under raw blendshape weights (53,) as fields of side `size` px over the crop.

        Lids, lashes, teeth and lips are drawn at `fine` times that and averaged, so that their
        edges have no stairs. The exposure of `stage` is not drawn.
        """
        with one_thread():
            scene, relief = self._scene(
                weights, stage.camera(self.fit.camera), 1.0, True, stage, None
            )
            whole = Window.whole(size)
            drawing = self._drawn(scene, relief, whole)
            for part, room in DETAILS if fine > 1 else ():
                points = _resized(scene.landmarks[part], SOURCE_SIZE, size)
                window = _around(points, room * scene.unit * whole.scale, size, fine)
                if window is not None:
                    finer = self._drawn(scene, relief, window)
                    for name in ("flow", "visibility", "gain", "paint"):
                        getattr(drawing, name)[window.part] = getattr(finer, name)
        return drawing

    def _drawn(self, scene: Scene, relief: Float | None, window: Window) -> Drawing:
        """The fields of one window."""
        frame = Frame.of(scene, window)
        layers = shade(self._skin, frame, relief)
        flow, seen = shrink_flow(frame.flow(), layers.keep, window.fine)
        far = np.linalg.norm(flow, axis=-1, keepdims=True) * np.float32(window.side)
        flow *= np.clip(far / UNSEEN - 1, 0, 1)
        lit = _mean(layers.keep * layers.gain, window.fine)
        gain = np.where(seen > 0, lit / np.maximum(seen, np.float32(1e-6)), np.float32(1))
        points = _resized(scene.landmarks, SOURCE_SIZE, window.side)
        return Drawing(flow, seen, gain, _mean(layers.paint, window.fine), points)

    @property
    def fault(self) -> str | None:
        """Why this photograph should not be drawn; None if it can be."""
        points = self.fit.landmarks
        gap = float((points[[67, 66, 65], 1] - points[[61, 62, 63], 1]).mean())
        if gap > WIDEST_GAP * float(np.linalg.norm(points[60] - points[64])):
            return "the mouth is open too wide for its lips to be known"
        return self.fit.fault

    @property
    def _seed(self) -> int:
        """Of what is this person's and of no picture in particular."""
        return zlib.crc32(np.round(self.fit.identity, 1).tobytes())

    @property
    def facing(self) -> Float:
        """How far each vertex (N,) faces the camera in the photograph, -1..1."""
        return self._source.normals[:, 2]

    def _select(self) -> None:
        """Decide, from the photograph's pose, which triangles are drawn and where face meets
        background."""
        source, model = self._source, self.model
        kept = drawn(model, source.normals)
        self._triangles = np.ascontiguousarray(model.triangles[kept])
        self._layers = model.layers[kept]
        self._rim, self._rim_own = rim(model, source.normals)
        self._outlying = outlying(model, source.normals)
        self._background = Background(
            SOURCE_SIZE, source.points, sink(source.depth), self._triangles, self._layers
        )

    def _paint(self) -> None:
        """Make the textures and everything else that only the photograph decides."""
        model, fit, source = self.model, self.fit, self._source
        fine = len(self.crop) / SOURCE_SIZE
        photo, small = self.crop.astype(np.float32), self._small.astype(np.float32)
        landmarks = _resized(fit.landmarks, SOURCE_SIZE, len(self.crop))
        irises = {side: iris.at(fine) for side, iris in self._irises.items()}
        eyes = eye_textures(photo, landmarks, irises, fine)
        self._eye_shift = np.zeros((len(model.neutral), 2), np.float32)
        for side in SIDES:
            front = iris_vertex(model, side)
            self._eye_shift[EYE[side]] = self._irises[side].centre - source.points[front]
        at = model.landmarks
        gaps = (
            max(0.0, float(self.person.rest[at[62], 1] - self.person.rest[at[66], 1])),
            float(source.vertices[at[62], 1] - source.vertices[at[66], 1]),
        )
        own = own_mouth(photo, landmarks, fit.closed, eyes.white, fine)
        self._mouth = MouthShade(model, gaps)
        self._light = Light(model, small, source.points, source.normals)
        self._lit = self._background.before_wall(small)
        self._folds = Folds(model, shipped())
        self._creases = Creases(
            model,
            source.points,
            SOURCE_SIZE,
            float(fit.camera.scale),
            self._light.bare,
            self._seed,
        )
        second = lips_without_slit(eyes.lids, landmarks, fit.closed, eyes.white, fine)
        bright = brightest(small, fit.landmarks)
        tones = Tones(eyes.white, own.skin, own.lip, bright, own.enamel)
        self.donor = self.donor or MouthLibrary.load().choose(tones.brown, turn=self._seed)
        self._skin = Skin(model, photo, eyes, second, own, Mouth(model, self.donor, tones))
        closed = fit.weights.copy()
        closed[[model.index[f"eyeBlink_{side}"] for side in SIDES]] = 1
        shut = fit.camera.project(pose(model, self.person, closed))[0]
        lid_only = (sum(model.lids[side] for side in SIDES) > 0) & (model.lips == 0)
        fixed = np.zeros((len(model.neutral), CHANNELS), np.float32)
        fixed[:, SOURCE] = source.points + self._eye_shift
        fixed[:, LIDS] = np.where(lid_only[:, None], shut, source.points)
        fixed[:, LIGHT] = 1
        self._fixed_attributes = fixed
        self._folded = self._folded_lids()
        self._lid_folds = LidFolds(model, source.points, fit.landmarks)

    def _folded_lids(self) -> dict[str, Float]:
        """Per side, how far (N,) a vertex of the skin lies where the photograph shows the eye: skin
        that is folded away there, and that a rising or a closing lid brings out."""
        found = {}
        for side, corners in EYE_LANDMARKS.items():
            eye = self.fit.landmarks[corners].astype(np.float32)
            low, high = eye.min(0) - FOLD_REACH, eye.max(0) + FOLD_REACH
            points = self._source.points[: EYE_SOCKETS.stop]
            at = np.flatnonzero(((points > low) & (points < high)).all(1))
            off = [cv2.pointPolygonTest(eye, (float(x), float(y)), True) for x, y in points[at]]
            found[side] = np.zeros(len(self.model.neutral), np.float32)
            found[side][at] = np.clip(np.array(off, np.float32) / FOLD_REACH + 1, 0, 1)
        return found

    def _scene(
        self,
        weights: Float,
        camera: Camera,
        relight: float,
        folded: bool,
        stage: Stage,
        habit: Float | None,
    ) -> tuple[Scene, Float | None]:
        """The posed face, and the log-brightness (320, 320) of its creases, if any."""
        target = self.pose(weights, camera, habit)
        points = target.points + self._eye_shift
        moved = points - self._source.points
        moved[EYEBALLS] -= self._eye_shift[EYEBALLS]
        if any(stage.turn):
            pull = outline_pull(self.model, self._source.points, target.points)
            points[FACE, 0] += self._outlying * pull
            moved[FACE, 0] += self._outlying * pull
        blink = {s: self._lowered(weights, s) for s in SIDES}
        self._lid_folds.smooth(moved, blink)
        points[FACE] = self._source.points[FACE] + moved[FACE]
        drift = self._drift(moved, stage)
        edge = self._source.points[self._rim]
        carried = edge + self._background.sample(drift, edge)
        points[self._rim] = points[self._rim] * self._rim_own + carried * (1 - self._rim_own)

        colours, opened, gap_change = self._mouth(target.vertices, target.normals)
        attributes = self._attributes(points, target, blink, colours, relight)
        relief, glow = None, None
        if folded:
            attributes[FACE, LIGHT] *= self._folds(weights, self.fit.weights)
            relief = self._creases(weights, self.fit.weights)
        if any(stage.key):
            glow = self._move_key(attributes, target.normals, stage.key)
        at = self.model.landmarks
        scene = Scene(
            points=points,
            depth=sink(target.depth),
            attributes=attributes,
            triangles=self._triangles,
            layers=self._layers,
            unit=float(self.fit.camera.scale),
            blink=blink,
            stirred={side: self._stirred(moved, side) for side in SIDES},
            wide=max(self._more(weights, f"eyeWide_{s}") for s in SIDES),
            opened=opened,
            gap_change=gap_change,
            landmarks=self.fit.landmarks.astype(np.float32) + moved[at],
            surround=self._background,
            drift=drift,
            folds=any(stage.turn) or self._background.folds(drift),
            glow=glow,
        )
        return scene, relief

    def _drift(self, moved: Float, stage: Stage) -> Float:
        """Displacement (G, 2) px of the background, given that of every vertex (N, 2) px."""
        if not stage.turn[2]:
            return self._background.spread(moved)
        own, grid, points = self.fit.camera, self._background.points, self._source.points
        rest = self._background.spread(moved - stage.tilt(own, points))
        return rest + stage.tilt(own, grid)

    def _move_key(self, attributes: Float, normals: Float, key: tuple[float, float]) -> Float:
        """Light skin and eyes by a moved key light; returns the log-brightness (G,) of hair and
        neck, where that fades out."""
        lit = np.zeros((len(self.model.neutral), 1), np.float32)
        lit[FACE, 0] = np.log(self._light.keyed(normals, key))
        for side, corners in EYE_LANDMARKS.items():
            lit[EYE[side]] = lit[self.model.landmarks[corners]].mean()
        attributes[:, LIGHT] *= np.exp(lit[:, 0])
        out: Float = self._lit * self._background.spread(lit, NEAR)[:, 0]
        return out

    def _attributes(
        self, points: Float, target: Pose, blink: dict[str, float], colours: Float, relight: float
    ) -> Float:
        out = self._fixed_attributes.copy()
        at, source = self.model.landmarks, self._source.points
        shut = {s: min(1.0, BLINK_GAIN * blink[s]) for s in SIDES}
        blend = sum(self.model.lids[s] * shut[s] for s in SIDES)
        gap, own = (
            max(0.0, float((p[at[[67, 66, 65]], 1] - p[at[[61, 62, 63]], 1]).max()))
            for p in (points, source)
        )
        change = abs(gap - own) / self.fit.camera.scale
        risen = (source[:, 1] - points[:, 1]) / (UNFOLDING * self.fit.camera.scale)
        for side, folded in self._folded.items():
            blend = np.maximum(blend, folded * np.clip(risen, shut[side], 1))
        out[:, BLEND] = np.maximum(blend, self.model.lips * min(1.0, change / LIP_CHANGE))
        out[FACE, LIGHT] = self._light.ratio(target.normals, relight)
        out[MOUTH_INSIDE, COLOUR] = colours
        return out

    def _lowered(self, weights: Float, side: str) -> float:
        """How far an upper lid comes down, 0..1: by closing, or by following the gaze."""
        gaze = LOOK_BLINK * self._more(weights, f"eyeLookDown_{side}")
        return max(self._more(weights, f"eyeBlink_{side}"), gaze)

    def _stirred(self, moved: Float, side: str) -> float:
        """How far an eye is moved, 0..1, given the motion of every vertex (N, 2) px: against the
        skin beside its corners, so that a turning head moves none."""
        corners = self.model.landmarks[EYE_LANDMARKS[side]]
        outer, inner = corners[[0, 3]]
        parts = np.concatenate(
            [self.model.lash_lines[side], corners, [iris_vertex(self.model, side)]]
        )
        off = np.abs(moved[parts] - moved[[outer, inner]].mean(0)).max()
        return float(np.clip(off / (STIRRED * self.fit.camera.scale), 0, 1))

    def _more(self, weights: Float, name: str) -> float:
        """By how much `weights` go beyond the photograph's own in one shape."""
        i = self.model.index[name]
        return max(0.0, float(weights[i] - self.fit.weights[i]))


def shrink_flow(flow: Float, visibility: Float, factor: int) -> tuple[Float, Float]:
    """Flow (H, W, 2) and visibility (H, W) at 1 / factor of the size; visible pixels decide the
    flow of a mixed one."""
    if factor == 1:
        return flow, visibility
    weight = visibility + np.float32(1e-3)
    total = _mean(weight, factor)
    mean = _mean(flow * weight[..., None], factor) / total[..., None]
    return mean, np.clip(total - np.float32(1e-3), 0, 1)


def _mean(field: Float, factor: int) -> Float:
    """A field (H, W) or (H, W, C) at 1 / factor of the size, each pixel the mean of its share."""
    if factor == 1:
        return field
    size = field.shape[1] // factor, field.shape[0] // factor
    return np.asarray(cv2.resize(field, size, interpolation=cv2.INTER_AREA), np.float32)


def _small(crop: UInt8) -> UInt8:
    """A crop (S, S, 3) at the size that the fit and its lengths are tuned for."""
    if len(crop) == SOURCE_SIZE:
        return crop
    mode = cv2.INTER_AREA if len(crop) > SOURCE_SIZE else cv2.INTER_CUBIC
    out = cv2.resize(crop, (SOURCE_SIZE, SOURCE_SIZE), interpolation=mode)
    return np.asarray(out, np.uint8)


def _around(points: Float, room: float, side: int, fine: int) -> Window | None:
    """The window with points (N, 2) px and `room` px around them; None if it holds nothing."""
    low = np.clip(np.floor(points.min(0) - room).astype(int), 0, side)
    high = np.clip(np.ceil(points.max(0) + room).astype(int) + 1, 0, side)
    width, height = (int(n) for n in high - low)
    if width < 2 or height < 2:
        return None
    return Window(side, int(low[0]), int(low[1]), width, height, fine)


def _resized(points: NDArray[Number], side: int, to: int) -> NDArray[Number]:
    """Points (N, 2) px of a square picture of side `side` as pixels of it at side `to`."""
    return ((points + 0.5) * (to / side) - 0.5).astype(points.dtype)
