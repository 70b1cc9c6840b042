"""One photograph in any expression, with the truth about every pixel.

photo crop -> fit -> rest shape -> (weights) -> posed mesh and moved surround -> raster -> every
pixel knows where in the photograph it comes from, in which light, and what is painted over it
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import cv2
import numpy as np

from mien.errors import FaceUndrawable
from mien.face_model import units
from mien.face_model.animate import Person, Pose, asked, effective, person, pose, stand
from mien.face_model.arrays import Double, Float, UInt8
from mien.face_model.camera import Camera
from mien.face_model.eyes import Iris
from mien.face_model.fit import Fit, fit, merge_lips
from mien.face_model.frame import SOURCE_SIZE, Frame, Scene, Window, resized
from mien.face_model.gaze import gaze, irises_of, pupils
from mien.face_model.glasses import rims
from mien.face_model.grain import keep_grain
from mien.face_model.hidden import Hidden
from mien.face_model.inside import Mouth
from mien.face_model.known_inside import Opening, sharp_beside
from mien.face_model.mesh import FaceModel
from mien.face_model.mouths import Donor
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.problem import ruler
from mien.face_model.sampling import averaged, channels, merged, shrink
from mien.face_model.shade import mend, mouth_mask, shade
from mien.face_model.sitter import Sitter
from mien.face_model.skin import Skin
from mien.face_model.threads import both, one_thread, together

WIDEST_GAP = 0.55
"""Gap of the lips, in widths of the opening, beyond which a photograph shows too little of them to
close them."""
LEAST_RULER = 0.02
"""Distance of the outer eye corners, in sides of the crop, under which there is no face."""
DETAILED = 512
"""Side, px, at which lids and lips are drawn at least."""
COARSEST = 128
"""Side, px, under which skin is not drawn."""
FADED = 2
"""How far into what is drawn finer the rest is drawn, px of the latter: its fields are enlarged
over its edge."""
UNSEEN = 0.1
"""Motion, px, that nobody sees and that is not made: from twice this on, it is made whole."""
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

    Fields of side S, as `Render` has them, each channel in one piece: flow (2, S, S), visibility
    (S, S) and gain (S, S), the change of light of what shows; paint (3, S, S), 0..255: colours
    times what they cover.
    """

    flow: Float
    visibility: Float
    gain: Float
    paint: Float
    landmarks: Float

    def enlarged(self, size: int) -> Drawing:
        """The same at side `size`, linearly."""
        side = len(self.gain)
        if side == size:
            return self

        def at_size(field: Float) -> Float:
            out = np.empty((*field.shape[:-2], size, size), np.float32)
            for part, into in zip(
                field.reshape(-1, side, side), out.reshape(-1, size, size), strict=True
            ):
                cv2.resize(part, (size, size), into, interpolation=cv2.INTER_LINEAR)
            return out

        return Drawing(
            at_size(self.flow),
            at_size(self.visibility),
            at_size(self.gain),
            at_size(self.paint),
            resized(self.landmarks, side, size),
        )


class Rig:
    """A photograph that can be animated.

    Attributes:
        fit: the model's fit to it, in px of the 320 px crop.
        person: the mesh of whom it shows.
        donor: whose teeth are seen in a mouth that opens; None if they are the person's own.
        small: the crop at 320 px; irises: where they are in it.
        source: the mesh as the photograph shows it.
        rims: where those of clear glasses run, lines (K, 2) px, which stay where they are.
        hidden: what of the face it does not show, which stays as it is.
    """

    @one_thread()
    def __init__(
        self,
        model: FaceModel,
        crop: UInt8,
        landmarks: Float,
        neutral: bool,
        template: Float | None = None,
        identity: Float | None = None,
        donor: Donor | None = None,
        glasses: bool | None = None,
        before: Rig | None = None,
    ) -> None:
        """`crop` uint8 (S, S, 3) RGB, upright, of any side: textures are as fine as it is;
        `landmarks` (68, 2) in its pixels; whether the face is at rest; `template` (189, 2),
        hand-checked points in its pixels, where there are some; `identity` (50,), who it shows, if
        that is known from other pictures, `donor`, whose teeth stand for theirs, and whether they
        have `glasses`; `before`, where the identity is known, the same face a moment ago: what of a
        face and its light stays from frame to frame is taken from it."""
        side = len(crop)
        if crop.shape != (side, side, 3) or crop.dtype != np.uint8:
            raise ValueError(f"crop is {crop.dtype} {crop.shape}, not uint8 (S, S, 3)")
        if landmarks.shape != (68, 2) or not np.isfinite(landmarks).all():
            raise ValueError(f"landmarks are {landmarks.shape}, not 68 finite points")
        if ruler(landmarks) < LEAST_RULER * side:
            raise FaceUndrawable("the landmarks do not form a face")
        self.model, self.neutral, self.crop, self.donor = model, neutral, crop, donor
        at = resized(landmarks, side, SOURCE_SIZE)
        checked = None if template is None else resized(template, side, SOURCE_SIZE)
        near = None if before is None else before.fit
        points, _ = merge_lips(at.astype(np.float64), neutral)
        fitted = partial(fit, model, at, neutral, identity, checked, before=near)
        self.fit: Fit
        # what covers a face is read of the photograph, whatever the fit
        self.fit, (self.small, self.hidden, self.rims) = both(
            fitted, partial(_looked_at, crop, points, glasses, before)
        )
        same = None if before is None else (before.irises, before.fit)
        self.irises: dict[str, Iris] = irises_of(self.small, self.fit, same)
        found = {s: i.centre for s, i in self.irises.items()}
        look = gaze(model, self.fit, found if checked is None else pupils(checked))
        if look.any():
            near = None if before is None else self.fit
            self.fit = fit(model, at, neutral, identity, checked, look, near)
        self._look = look
        self.person: Person = person(model, self.fit)
        self.source: Pose = stand(
            model, pose(model, self.person, self.fit.weights), self.fit.camera
        )
        self._sitter: Sitter = Sitter(self, None if before is None else before._sitter)
        self._skin, self._scene = self._sitter.skin, self._sitter.scene

    @cached_property
    def units(self) -> Float:
        """The action units (47,) that it shows, in [0, 1]; only gaze if it was said to be
        neutral."""
        return units.to_units(
            self.model, self._look if self.neutral else asked(self.model, self.fit)
        )

    def original(self, size: int = 256) -> Render:
        """The photograph itself as a `Render`: flow 0, everything visible."""
        image = shrink(self.small.astype(np.float32), size)
        mouth = mouth_mask(self.small.shape[:2], self.fit.landmarks, self.fit.closed)
        flow, seen = np.zeros((size, size, 2), np.float32), np.ones((size, size), np.float32)
        points = resized(self.fit.landmarks.astype(np.float32), SOURCE_SIZE, size)
        inside = shrink(mouth, size)
        return Render(np.round(image).astype(np.uint8), points, flow, seen, inside, self.fit.camera)

    def render(
        self,
        action_units: Float,
        size: int = 256,
        supersample: int = 2,
        pose_light: PoseAndLight = PoseAndLight(),  # noqa: B008 - frozen
    ) -> Render:
        """The face showing `action_units` (47,) in [0, 1], absolute: 0 everywhere is a face at
        rest. The photograph's own `units` give the photograph itself.

        `size`: side of the result, px; `supersample`: raster pixels per pixel and axis;
        `pose_light`: how the head is turned and lit.
        """
        if pose_light == PoseAndLight() and np.array_equal(action_units, self.units):
            return self.original(size)
        return self.render_weights(
            self.weights(action_units), size, supersample, pose_light=pose_light
        )

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
        pose_light: PoseAndLight = PoseAndLight(),  # noqa: B008 - frozen
        habit: Float | None = None,
    ) -> Render:
        """The face under raw blendshape weights (53,), from another `camera` if one is given.

        `relight` scales how much the moved face's light changes; `folded`: with folds and creases;
        `habit` (N, 3) cm: what an expression has beyond the shapes (`refine.match` finds it).
        """
        camera = pose_light.camera(camera or self.fit.camera)
        with one_thread():
            scene, wrinkle_map = self._scene(weights, camera, relight, folded, pose_light, habit)
            frame = Frame.of(scene, Window.whole(size, supersample))
            layers = shade(self._skin, frame, wrinkle_map)
            colour = layers.image(self._skin.map(self._skin.photo, frame.source))
        image = shrink(np.clip(pose_light.expose(colour), 0, 255), size)
        flow, seen = shrink_flow(frame.flow(), layers.keep, supersample)
        mouth = shrink(frame.mouth.astype(np.float32), size)
        landmarks = resized(scene.landmarks, SOURCE_SIZE, size)
        pixels = np.round(image).astype(np.uint8)
        return Render(pixels, landmarks, merged(list(flow)), seen, mouth, camera)

    def draw(
        self,
        weights: Float,
        size: int,
        fine: int | None = None,
        pose_light: PoseAndLight = PoseAndLight(),  # noqa: B008 - frozen
        mouth: Mouth | None = None,
    ) -> Drawing:
        """The face under raw blendshape weights (53,) as fields of side `size` px over the crop.

        Lids, lashes, teeth and lips are drawn at `fine` times that and averaged, so that their
        edges have no stairs: at twice, or on a small face more. The exposure of `pose_light` is not
        drawn. `mouth`: what is drawn between the lips, if not what the photograph alone gives.
        """
        skin = self._skin if mouth is None else replace(self._skin, inside=mouth)
        fine = fine or max(2, math.ceil(DETAILED / size))
        with one_thread():
            scene, wrinkle_map = self._scene(
                weights, pose_light.camera(self.fit.camera), 1.0, True, pose_light, None
            )
            whole = Window.whole(size)
            unit = scene.unit * whole.scale
            # skin is smooth: what is drawn at half the size and enlarged is the same
            smooth = fine > 1 and size >= 2 * COARSEST and not any(pose_light.turn)
            drawn = Window.whole(-(-size // 2)) if smooth else whole
            around = [
                Window.around(points, room * unit, size, fine)
                for part, room in (DETAILS if fine > 1 else ())
                for points in [resized(scene.landmarks[part], SOURCE_SIZE, size)]
            ]
            windows = [window for window in around if window is not None]
            hidden = [w.inner(FADED * SOURCE_SIZE / drawn.side) for w in windows]
            all_of_it = partial(
                self._skin_drawn, skin, scene, wrinkle_map, drawn, size, fine > 1, hidden
            )
            finely = [partial(self._drawn, skin, scene, wrinkle_map, one) for one in windows]
            # the mouth, which is last, takes longest
            *details, drawing = together([*reversed(finely), all_of_it])
            for window, finer in zip(windows, reversed(details), strict=True):
                for name in ("flow", "visibility", "gain", "paint"):
                    getattr(drawing, name)[..., *window.part] = getattr(finer, name)
            if size == len(self.crop):
                own = resized(self.fit.landmarks, SOURCE_SIZE, size)
                keep_grain(drawing.gain, drawing.flow, self.crop, own, drawing.landmarks, unit)
        return drawing

    def _skin_drawn(
        self, skin: Skin, scene: Scene, wrinkle_map: Float | None, window: Window, size: int,
        only: bool, hidden: Sequence[tuple[Float, Float]],
    ) -> Drawing:  # fmt: skip
        """The fields of the whole picture at side `size`; `only` skin, where the rest is drawn
        finer, and not what lies `hidden` under that."""
        return self._drawn(skin, scene, wrinkle_map, window, only, hidden).enlarged(size)

    def _drawn(
        self,
        skin: Skin,
        scene: Scene,
        wrinkle_map: Float | None,
        window: Window,
        skin_only: bool = False,
        hidden: Sequence[tuple[Float, Float]] = (),
    ) -> Drawing:
        """The fields of one window."""
        frame = Frame.of(scene, window, skin_only, hidden)
        layers = shade(skin, frame, wrinkle_map)
        if window.fine > 1:
            mend(skin, frame, layers)
        flow, seen = shrink_flow(frame.flow(), layers.keep, window.fine)
        far = np.sqrt(np.square(flow).sum(0))
        flow *= np.clip(far * np.float32(window.side / UNSEEN) - 1, 0, 1)
        lit = averaged(layers.keep * layers.gain, window.fine)
        gain = np.where(seen > 0, lit / np.maximum(seen, np.float32(1e-6)), np.float32(1))
        points = resized(scene.landmarks, SOURCE_SIZE, window.side)
        paint = np.stack(channels(averaged(layers.paint, window.fine)))
        return Drawing(flow, seen, gain, paint, points)

    @one_thread()
    def mouth_knowing(self, photo: UInt8, landmarks: Float, weights: Float) -> Mouth | None:
        """The person's mouth, the inside of which another photograph (H, W, 3) of the person with
        landmarks (68, 2) px shows as it is under raw blendshape weights (53,); None if that is too
        blurred, or has no colour where this one has."""
        own = resized(self.fit.landmarks, SOURCE_SIZE, len(self.crop))
        if not sharp_beside(photo, landmarks, self.crop, own):
            return None
        opening, inside = Opening.of(photo, landmarks), self._skin.inside
        if opening.mono > inside.tones.mono + 0.5:
            return None
        scene, _ = self._scene(weights, self.fit.camera, 1.0, False, PoseAndLight(), None)
        return inside.knowing(opening, scene.points)

    @property
    def fault(self) -> str | None:
        """Why this photograph should not be drawn; None if it can be."""
        points = self.fit.landmarks
        gap = float((points[[67, 66, 65], 1] - points[[61, 62, 63], 1]).mean())
        if gap > WIDEST_GAP * float(np.linalg.norm(points[60] - points[64])):
            return "the mouth is open too wide for its lips to be known"
        return self.fit.undrawable

    @property
    def held(self) -> tuple[str, ...]:
        """What of the face is left as it is, and why."""
        return self.hidden.said

    @property
    def seed(self) -> int:
        """A number of what is this person's and of no picture in particular."""
        return zlib.crc32(np.round(self.fit.identity, 1).tobytes())

    @property
    def facing(self) -> Float:
        """How far each vertex (N,) faces the camera in the photograph, -1..1."""
        return self.source.normals[:, 2]


def shrink_flow(flow: Float, visibility: Float, factor: int) -> tuple[Float, Float]:
    """Flow (2, H, W) and visibility (H, W) at 1 / factor of the size; visible pixels decide the
    flow of a mixed one."""
    if factor == 1:
        return flow, visibility
    weight = visibility + np.float32(1e-3)
    total = averaged(weight, factor)
    mean = np.stack([averaged(one * weight, factor) / total for one in flow])
    return mean, np.clip(total - np.float32(1e-3), 0, 1)


def _looked_at(
    crop: UInt8, landmarks: Double, glasses: bool | None, before: Rig | None
) -> tuple[UInt8, Hidden, list[Double]]:
    """A crop (S, S, 3) at 320 px, and what is before the face with landmarks (68, 2) px there."""
    small, earlier = _small(crop), None if before is None else before.hidden
    hidden = Hidden.of(small.astype(np.float32), landmarks, earlier)
    return small, hidden, [] if hidden.eyes else rims(small, landmarks, glasses)


def _small(crop: UInt8) -> UInt8:
    """A crop (S, S, 3) at the size that the fit and its lengths are tuned for."""
    if len(crop) == SOURCE_SIZE:
        return crop
    mode = cv2.INTER_AREA if len(crop) > SOURCE_SIZE else cv2.INTER_CUBIC
    out = cv2.resize(crop, (SOURCE_SIZE, SOURCE_SIZE), interpolation=mode)
    return np.asarray(out, np.uint8)
