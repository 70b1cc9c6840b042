"""One photograph in any expression, with the truth about every pixel.

photo crop -> fit -> rest shape -> (weights) -> posed mesh + background grid -> raster at
`supersample` times the size -> every pixel knows where in the photograph it comes from -> colours,
flow, visibility
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.inside import mouth_of
from mien.face_model.tones import seen
from mien.rig import kernels, units
from mien.rig.animate import Pose, asked, drawn, effective, person, pose, rim, sink, stand
from mien.rig.arrays import Float, Int, UInt8
from mien.rig.background import NEAR, Background
from mien.rig.camera import Camera
from mien.rig.creases import Creases
from mien.rig.eyes import eye_textures
from mien.rig.fit import Fit, fit
from mien.rig.folds import Folds, shipped
from mien.rig.gaze import gaze, iris_vertex, irises_of
from mien.rig.light import Light
from mien.rig.mesh import (
    BACKGROUND_LAYER,
    EYE,
    EYE_LAYER,
    EYEBALLS,
    FACE,
    MOUTH_INSIDE,
    SIDES,
    SKIN_LAYER,
    FaceModel,
)
from mien.rig.mouth import MouthShade, lips_without_slit, own_mouth
from mien.rig.sampling import shrink
from mien.rig.shade import Frame, Skin, mouth_mask, shade
from mien.rig.stage import Stage, outline_pull, outlying
from mien.rig.threads import one_thread

SOURCE_SIZE = 320
"""Side of the crop that a rig works on, px; its tuned lengths are in these pixels."""
BACKGROUND_DEPTH = -1e6
"""Behind every vertex, cm."""
LIP_CHANGE = 0.25
"""Change of the lip gap, cm, after which the lips' rim no longer shows the photograph's dark
line."""
BLINK_GAIN = 2.5
"""The lid's second texture is in place after 1 / this of a blink, before the stretched crease
shows."""
LOOK_BLINK = 0.4
"""A lid that follows the gaze down comes as far as in this much of a blink."""

SOURCE, LIDS, BLEND, LIGHT, COLOUR = slice(0, 2), slice(2, 4), 4, 5, slice(6, 9)
"""Channels of the raster: place in the photograph, place in the second texture, how much of that,
brightness, colour of the mouth's inside."""
CHANNELS = 9
EYE_LANDMARKS = {"R": slice(36, 42), "L": slice(42, 48)}


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


class Rig:
    """A photograph that can be animated.

    Attributes:
        fit: the model's fit to it.
        units: (47,) the action units that it shows, in [0, 1]; only gaze if it was said to be
            neutral.
        person: the mesh of whom it shows.
    """

    def __init__(
        self,
        model: FaceModel,
        crop: UInt8,
        landmarks: Float,
        neutral: bool,
        template: Float | None = None,
    ) -> None:
        """`crop` uint8 (320, 320, 3) RGB, upright; `landmarks` (68, 2) in its pixels; whether the
        face is at rest; `template` (189, 2), hand-checked points in its pixels, where there are
        some."""
        if crop.shape != (SOURCE_SIZE, SOURCE_SIZE, 3) or crop.dtype != np.uint8:
            side = SOURCE_SIZE
            raise ValueError(f"crop is {crop.dtype} {crop.shape}, not uint8 ({side}, {side}, 3)")
        if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
            raise ValueError(f"landmarks are {landmarks.shape}, not 68 finite points")
        self.model, self.neutral, self.crop = model, neutral, crop
        self._buffers: dict[int, tuple[Int, Float, Float, Float]] = {}
        self.fit: Fit = fit(model, landmarks, neutral, template=template)
        look = gaze(model, self.fit, irises_of(crop, self.fit, template))
        if look.any():
            self.fit = fit(model, landmarks, neutral, template=template, gaze=look)
        self.units: Float = units.to_units(model, look if neutral else asked(model, self.fit))
        self.person = person(model, self.fit)
        self._source = stand(model, pose(model, self.person, self.fit.weights), self.fit.camera)
        with one_thread():
            self._select()
            self._paint()

    def original(self, size: int = 256) -> Render:
        """The photograph itself as a `Render`: flow 0, everything visible."""
        image = shrink(self.crop.astype(np.float32), size)
        mouth = mouth_mask(self.crop.shape[:2], self.fit.landmarks, self.fit.closed)
        flow, seen = np.zeros((size, size, 2), np.float32), np.ones((size, size), np.float32)
        points = _at_size(self.fit.landmarks.astype(np.float32), size)
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
            target = self.pose(weights, camera, habit)
            frame, points = self._raster(
                target, weights, size * supersample, relight, folded, stage
            )
            colour, visible = shade(self._skin, frame)
            if folded:
                self._crease(colour, frame, weights)
            if any(stage.key):
                eyes = frame.layer == EYE_LAYER
                colour[eyes] *= frame.attributes[eyes, LIGHT, None]
        image = shrink(np.clip(stage.expose(colour), 0, 255), size)
        flow, seen = shrink_flow(frame.flow(), visible, supersample)
        mouth = shrink(frame.mouth.astype(np.float32), size)
        at = self.model.landmarks
        landmarks = self.fit.landmarks.astype(np.float32) + points[at] - self._source.points[at]
        pixels = np.round(image).astype(np.uint8)
        return Render(pixels, _at_size(landmarks, size), flow, seen, mouth, camera)

    @property
    def facing(self) -> Float:
        """How far each vertex (N,) faces the camera in the photograph, -1..1."""
        return self._source.normals[:, 2]

    def _select(self) -> None:
        """Decide, from the photograph's pose, which triangles are drawn and where face meets
        background."""
        source, model = self._source, self.model
        kept = drawn(model, source.normals)
        triangles, layers = np.ascontiguousarray(model.triangles[kept]), model.layers[kept]
        self._rim, self._rim_own = rim(model, source.normals)
        self._outlying = outlying(model, source.normals)
        self._background = Background(
            SOURCE_SIZE, source.points, sink(source.depth), triangles, layers
        )
        grid = self._background.triangles + np.int32(len(model.neutral))
        self._triangles = np.ascontiguousarray(np.concatenate([triangles, grid]), dtype=np.int32)
        self._layers = np.concatenate([layers, np.full(len(grid), BACKGROUND_LAYER, np.int8)])

    def _paint(self) -> None:
        """Make the textures and everything else that only the photograph decides."""
        model, fit, source = self.model, self.fit, self._source
        eyes = eye_textures(self.crop, fit.landmarks, fit.camera.scale)
        photo = self.crop.astype(np.float32)
        self._eye_shift = np.zeros((len(model.neutral), 2), np.float32)
        for side in SIDES:
            ball = EYE[side]
            front = iris_vertex(model, side)
            self._eye_shift[ball] = eyes.irises[side].centre - source.points[front]
        at = model.landmarks
        gaps = (
            max(0.0, float(self.person.rest[at[62], 1] - self.person.rest[at[66], 1])),
            float(source.vertices[at[62], 1] - source.vertices[at[66], 1]),
        )
        own = own_mouth(photo, fit.landmarks, fit.closed, eyes.white)
        self._mouth = MouthShade(model, gaps)
        self._light = Light(model, photo, source.points, source.normals)
        self._lit = self._background.before_wall(photo)
        self._folds = Folds(model, shipped())
        self._creases = Creases(
            model,
            source.points,
            SOURCE_SIZE,
            float(fit.camera.scale),
            self._light.bare,
            zlib.crc32(self.crop.tobytes()),
        )
        second = lips_without_slit(eyes.lids, fit.landmarks, fit.closed, eyes.white)
        tones = seen(eyes.white, own, photo, fit.landmarks)
        real = mouth_of(model, self.crop, fit.landmarks, fit.closed, tones, source.points)
        self._skin = Skin(model, self.crop, eyes, second, own, real)
        closed = fit.weights.copy()
        closed[[model.index[f"eyeBlink_{side}"] for side in SIDES]] = 1
        shut = fit.camera.project(pose(model, self.person, closed))[0]
        lid_only = (sum(model.lids[side] for side in SIDES) > 0) & (model.lips == 0)
        fixed = np.zeros((len(model.neutral) + len(self._background.points), CHANNELS), np.float32)
        n = len(model.neutral)
        fixed[:n, SOURCE] = source.points + self._eye_shift
        fixed[:n, LIDS] = np.where(lid_only[:, None], shut, source.points)
        fixed[n:, SOURCE] = fixed[n:, LIDS] = self._background.points
        fixed[:, LIGHT] = 1
        self._fixed_attributes = fixed

    def _raster(
        self,
        target: Pose,
        weights: Float,
        side: int,
        relight: float,
        folded: bool,
        stage: Stage,
    ) -> tuple[Frame, Float]:
        """Rasterise at `side` px. Also returns where each vertex (N, 2) lands, in crop px."""
        points = target.points + self._eye_shift
        moved = points - self._source.points
        moved[EYEBALLS] -= self._eye_shift[EYEBALLS]
        if any(stage.turn):
            pull = outline_pull(self.model, self._source.points, target.points)
            points[FACE, 0] += self._outlying * pull
            moved[FACE, 0] += self._outlying * pull
        drift = self._drift(moved, stage)
        edge = self._source.points[self._rim]
        carried = edge + self._background.sample(drift, edge)
        points[self._rim] = points[self._rim] * self._rim_own + carried * (1 - self._rim_own)

        scale = side / SOURCE_SIZE
        everything = np.concatenate([points, self._background.points + drift])
        everything = np.ascontiguousarray(everything * scale + (scale - 1) / 2, dtype=np.float32)
        behind = np.full(len(drift), BACKGROUND_DEPTH, np.float32)
        depth = np.concatenate([sink(target.depth), behind])
        colours, opened, gap_change = self._mouth(target.vertices, target.normals)
        blink = {s: self._lowered(weights, s) for s in SIDES}
        attributes = self._attributes(points, target, blink, colours, relight)
        if folded:
            attributes[FACE, LIGHT] *= self._folds(weights, self.fit.weights)
        if any(stage.key):
            self._move_key(attributes, target.normals, stage.key)

        index, inside, buffer, place = self._scratch(side)
        kernels.rasterise(everything, depth, self._triangles, index, inside, buffer)
        out = np.zeros((side, side, CHANNELS), np.float32)
        out[..., SOURCE] = out[..., LIDS] = place
        out[..., LIGHT] = 1
        kernels.interpolate(index, inside, self._triangles, attributes, out)
        layer = np.where(index >= 0, self._layers[np.maximum(index, 0)], np.int8(BACKGROUND_LAYER))
        wide = max(self._more(weights, f"eyeWide_{s}") for s in SIDES)
        frame = Frame(
            out, layer, index, self._triangles, place, everything, blink, wide, opened, gap_change,
            scale, scale * float(self.fit.camera.scale),
        )  # fmt: skip
        return frame, points

    def _crease(self, colour: Float, frame: Frame, weights: Float) -> None:
        """Draw wrinkles on the skin of `colour` (H, H, 3)."""
        relief = self._creases(weights, self.fit.weights)
        if relief is None:
            return
        x, y = frame.source[..., 0], frame.source[..., 1]
        seen = cv2.remap(relief, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        skin = (seen != 0) & (frame.layer == SKIN_LAYER)
        colour[skin] *= np.exp(seen[skin])[:, None]

    def _drift(self, moved: Float, stage: Stage) -> Float:
        """Displacement (G, 2) px of the background, given that of every vertex (N, 2) px."""
        if not stage.turn[2]:
            return self._background.spread(moved)
        own, grid, points = self.fit.camera, self._background.points, self._source.points
        rest = self._background.spread(moved - stage.tilt(own, points))
        return rest + stage.tilt(own, grid)

    def _move_key(self, attributes: Float, normals: Float, key: tuple[float, float]) -> None:
        """Light skin, eyes and, fading out, hair and neck by a moved key light."""
        lit = np.zeros((len(self.model.neutral), 1), np.float32)
        lit[FACE, 0] = np.log(self._light.keyed(normals, key))
        for side, corners in EYE_LANDMARKS.items():
            lit[EYE[side]] = lit[self.model.landmarks[corners]].mean()
        n = len(lit)
        attributes[:n, LIGHT] *= np.exp(lit[:, 0])
        attributes[n:, LIGHT] *= np.exp(self._lit * self._background.spread(lit, NEAR)[:, 0])

    def _attributes(
        self, points: Float, target: Pose, blink: dict[str, float], colours: Float, relight: float
    ) -> Float:
        out = self._fixed_attributes.copy()
        n, at, source = len(self.model.neutral), self.model.landmarks, self._source.points
        blend = sum(self.model.lids[s] * min(1.0, BLINK_GAIN * blink[s]) for s in SIDES)
        gap, own = (
            max(0.0, float((p[at[[67, 66, 65]], 1] - p[at[[61, 62, 63]], 1]).max()))
            for p in (points, source)
        )
        change = abs(gap - own) / self.fit.camera.scale
        out[:n, BLEND] = np.maximum(blend, self.model.lips * min(1.0, change / LIP_CHANGE))
        out[FACE, LIGHT] = self._light.ratio(target.normals, relight)
        out[MOUTH_INSIDE, COLOUR] = colours
        return out

    def _lowered(self, weights: Float, side: str) -> float:
        """How far an upper lid comes down, 0..1: by closing, or by following the gaze."""
        gaze = LOOK_BLINK * self._more(weights, f"eyeLookDown_{side}")
        return max(self._more(weights, f"eyeBlink_{side}"), gaze)

    def _more(self, weights: Float, name: str) -> float:
        """By how much `weights` go beyond the photograph's own in one shape."""
        i = self.model.index[name]
        return max(0.0, float(weights[i] - self.fit.weights[i]))

    def _scratch(self, side: int) -> tuple[Int, Float, Float, Float]:
        """Raster buffers of `side`, and the place (side, side, 2) px in the crop of every raster
        pixel."""
        if side not in self._buffers:
            scale = side / SOURCE_SIZE
            axis = ((np.arange(side) - (scale - 1) / 2) / scale).astype(np.float32)
            place = np.stack(np.meshgrid(axis, axis), -1)
            square = (side, side)
            self._buffers[side] = (
                np.empty(square, np.int32),
                np.empty((*square, 2), np.float32),
                np.empty(square, np.float32),
                place,
            )
        return self._buffers[side]


def shrink_flow(flow: Float, visibility: Float, factor: int) -> tuple[Float, Float]:
    """Flow (S, S, 2) and visibility (S, S) at S / factor; visible pixels decide the flow of a mixed
    one."""
    if factor == 1:
        return flow, visibility
    size = len(flow) // factor
    weight = visibility + np.float32(1e-3)
    total = shrink(weight, size)
    mean = shrink(flow * weight[..., None], size) / total[..., None]
    return mean, np.clip(total - np.float32(1e-3), 0, 1)


def _at_size(points: Float, size: int) -> Float:
    """Crop points (N, 2) as pixels of the crop seen at `size`."""
    out: Float = ((points + 0.5) * (size / SOURCE_SIZE) - 0.5).astype(np.float32)
    return out
