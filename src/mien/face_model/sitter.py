"""What one photograph decides of its pictures, and the scene of any expression in them."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mien.face_model.animate import Pose, pose, sink, stand
from mien.face_model.arrays import Double, Float
from mien.face_model.background import NEAR, before_wall
from mien.face_model.bone import JawEdge
from mien.face_model.brows import BrowEnds
from mien.face_model.camera import Camera
from mien.face_model.contact import CornerWidth
from mien.face_model.creases import Creases
from mien.face_model.eye_textures import EyeTextures, eye_textures
from mien.face_model.eyes import Iris
from mien.face_model.folds import Folds, shipped
from mien.face_model.frame import (
    BLEND,
    CHANNELS,
    FLAT,
    LIDS,
    LIGHT,
    SOURCE,
    SOURCE_SIZE,
    Scene,
    resized,
)
from mien.face_model.gaze import iris_vertex
from mien.face_model.glasses import still
from mien.face_model.inside import Mouth, mouth_of
from mien.face_model.lashes import Lashes
from mien.face_model.lids import LidFolds, closing, folded_lid
from mien.face_model.light import Light
from mien.face_model.lines import SkinLines, skin_lines
from mien.face_model.lip_donors import choose
from mien.face_model.lip_donors import shipped as lips_library
from mien.face_model.lip_line import LipLine
from mien.face_model.lip_state import LipState
from mien.face_model.lips import Lips, alike, closed_lips, parted_lips
from mien.face_model.mesh import EYE, EYEBALLS, FACE, SIDES
from mien.face_model.mouth import Opening, OwnMouth, own_mouth
from mien.face_model.pose_light import PoseAndLight, outline_pull
from mien.face_model.sampling import sample
from mien.face_model.selection import Selection
from mien.face_model.skin import Skin
from mien.face_model.threads import both, together
from mien.face_model.tones import Tones, seen

if TYPE_CHECKING:
    from mien.face_model.render import Rig

BLINK_GAIN = 2.5
"""The lid's second texture is in place after 1 / this of a blink, before the stretched crease
shows."""
UNFOLDING = 0.08
"""Rise of a lid, cm, after which what was folded away shows."""
STIRRED = 0.06
"""Motion of lids or iris, cm, from which on what lies along the lids is no longer the
photograph's."""
LOOK_BLINK = 0.4
"""A lid that follows the gaze down comes as far as in this much of a blink."""
EYE_LANDMARKS = {"R": slice(36, 42), "L": slice(42, 48)}


class Sitter:
    """A fitted photograph, ready to be posed.

    Attributes:
        skin: the textures that it gives.
        complexion: brightness of the skin in units of the teeth's, and how furrowed it is, 0..1.
    """

    def __init__(self, rig: Rig, before: Sitter | None = None) -> None:
        """Of a rig that is fitted: its `fit`, `person`, `irises` and `source` are there; `before`:
        the same face's in the last frame of a film, from which what stays is taken."""
        self._rig: Rig = weakref.proxy(rig)  # or both would wait for the garbage collector
        self._held: tuple[JawEdge | CornerWidth | BrowEnds, ...] = (
            rig.model.once(JawEdge), rig.model.once(CornerWidth), rig.model.once(BrowEnds)
        )  # fmt: skip
        self._pinned = self._still(rig)
        self._paint(before)

    def _select(self, before: Sitter | None) -> Selection:
        """What is drawn of the mesh, by the photograph's pose."""
        rig = self._rig
        if before is not None and before._shown.suits(rig.model, rig.source):
            return before._shown
        chin = float(rig.fit.landmarks[8, 1])
        return Selection.of(rig.model, rig.source, SOURCE_SIZE, chin, rig.hidden.mouth)

    def _paint(self, before: Sitter | None) -> None:
        """Make the textures and everything else that only the photograph decides."""
        model, fit, source = self._rig.model, self._rig.fit, self._rig.source
        fine = len(self._rig.crop) / SOURCE_SIZE
        photo, small = self._rig.crop.astype(np.float32), self._rig.small.astype(np.float32)
        landmarks = resized(fit.landmarks, SOURCE_SIZE, len(self._rig.crop))
        irises = {side: iris.at(fine) for side, iris in self._rig.irises.items()}
        mesh = resized(source.points, SOURCE_SIZE, len(photo))
        unit = float(fit.camera.scale) * fine
        self._eye_shift = np.zeros((len(model.neutral), 2), np.float32)
        for side in SIDES:
            front = iris_vertex(model, side)
            self._eye_shift[EYE[side]] = self._rig.irises[side].centre - source.points[front]
        at = model.landmarks
        gaps = (
            max(
                0.0,
                float(self._rig.person.neutral[at[62], 1] - self._rig.person.neutral[at[66], 1]),
            ),
            float(source.vertices[at[62], 1] - source.vertices[at[66], 1]),
        )
        self._opening = Opening(model, gaps)
        self._lip_state: LipState = LipState(model, fit, source.points, gaps[1])
        seed = self._rig.seed
        (eyes, own, tones, mouth), (lines, shut) = both(
            partial(self._features, photo, landmarks, irises, mesh, before),
            partial(self._surface, photo, landmarks, small, mesh, unit, before),
        )
        self._rig.donor = None if mouth.is_own else mouth.donor
        self.complexion = tones.brown, self._creases.rough
        self._folds: Folds = self._folded_like(before, lines)
        lips, line = shut or (
            self._parted(photo, landmarks, mesh, unit, tones, own.lip), LipLine.plain()
        )  # fmt: skip
        lashes = before.skin.lashes if before else Lashes.of(seed, eyes.rich)
        self.skin: Skin = Skin(model, self._rig.crop, eyes, own, mouth, lips, line, lashes)
        lid_only = np.flatnonzero((model.lids["L"] + model.lids["R"] > 0) & (model.lips == 0))
        fixed = np.zeros((len(model.neutral), CHANNELS), np.float32, order="F")
        fixed[:, SOURCE] = source.points + self._eye_shift
        fixed[:, LIDS] = source.points
        closed = source.vertices[lid_only] + closing(model, fit.weights, lid_only)
        fixed[lid_only, LIDS] = fit.camera.project(closed)[0]
        fixed[:, LIGHT] = 1
        fixed[FACE, FLAT] = model.lip_chart.places
        self._fixed_attributes = fixed
        self._folded = {
            side: folded_lid(self._rig.fit.landmarks[corners], source.points)
            for side, corners in EYE_LANDMARKS.items()
        }

    def _features(
        self, photo: Float, landmarks: Double, irises: Mapping[str, Iris], mesh: Float,
        before: Sitter | None,
    ) -> tuple[EyeTextures, OwnMouth, Tones, Mouth]:  # fmt: skip
        """Eyes and mouth of the photograph (H, W, 3), as `_lips` has its arguments, and the colours
        by which what it does not show is painted."""
        rig = self._rig
        closed, fine = rig.fit.closed, len(rig.crop) / SOURCE_SIZE
        eyes = eye_textures(photo, landmarks, dict(irises), fine)
        own = own_mouth(photo, landmarks, closed, eyes.white, fine)
        tones = seen(eyes.white, own, photo, landmarks)
        if before is not None and closed and before.skin.inside.suits(tones):
            return eyes, own, tones, before.skin.inside
        mouth = mouth_of(rig.model, rig.crop, landmarks, closed, tones, mesh, rig.donor, rig.seed)
        return eyes, own, tones, mouth

    def _surface(
        self, photo: Float, landmarks: Double, small: Float, mesh: Float, unit: float,
        before: Sitter | None,
    ) -> tuple[SkinLines, tuple[Lips, LipLine] | None]:  # fmt: skip
        """The lines of the skin, and lips and the line between them where the photograph shows
        them closed; no colour of eye or tooth is asked, so that it is made beside these."""
        model, fit, source = self._rig.model, self._rig.fit, self._rig.source
        lines = self._look(small, before)
        x, y = np.abs(model.neutral[FACE, 0]), model.neutral[FACE, 1]
        front = np.clip(self._rig.facing[FACE] / 0.3 - 1, 0, 1)
        self._front = front * np.clip((y + 8.5) / 1.5, 0, 1) * np.clip((6.6 - x) / 0.8, 0, 1)
        scale, bare = float(fit.camera.scale), self._light.bare
        kept = None if before is None else before._creases
        seed = self._rig.seed
        self._creases: Creases = Creases(model, source.points, lines, scale, bare, seed, kept)
        self._lid_folds: LidFolds = (
            LidFolds(model, source.points, fit.landmarks) if before is None else before._lid_folds
        )
        if not fit.closed:
            return lines, None
        return lines, (self._closed(photo, mesh, before), LipLine.of(photo, landmarks, unit))

    def _look(self, small: Float, before: Sitter | None) -> SkinLines:
        """The lines of the skin of a photograph (320, 320, 3), when light and what is drawn of the
        mesh are found."""
        model, fit, source = self._rig.model, self._rig.fit, self._rig.source
        self._shown: Selection = self._select(before)
        self._light: Light = (
            Light.of(model, small, source.points, source.normals)
            if before is None
            else before._light.turned(source.normals)
        )
        rough = None if before is None else before._creases.rough
        return skin_lines(model, small, source.points, float(fit.camera.scale), rough)

    @cached_property
    def _lit(self) -> Float:
        """How far (320, 320) a pixel of the photograph takes part in a light that moves."""
        return before_wall(self._rig.small.astype(np.float32))

    def _closed(self, photo: Float, mesh: Float, before: Sitter | None) -> Lips:
        """Closed lips of the photograph (H, W, 3), its mesh (N, 2) in its px; those that look as
        they did `before` are those."""
        model = self._rig.model
        self._lips_seen: Float | None = sample(photo, mesh[np.flatnonzero(model.lips[FACE])])
        if before is not None and alike(before._lips_seen, self._lips_seen):
            self._lips_seen = before._lips_seen  # nothing creeps in over many frames
            return before.skin.lips
        return closed_lips(model.lip_chart, photo, mesh[FACE], self._lip_state.smiles)

    def _parted(
        self, photo: Float, landmarks: Double, mesh: Float, unit: float, tones: Tones, colour: Float
    ) -> Lips:
        """Parted lips of the photograph (H, W, 3), its landmarks (68, 2) and its mesh (N, 2) in its
        px, `unit` px per cm, the lower one of `colour` (3,)."""
        self._lips_seen = None
        donor = choose(lips_library(), colour, tones.skin, tones.brown, self._rig.seed)
        chart = self._rig.model.lip_chart
        return parted_lips(chart, photo, landmarks, mesh[FACE], unit, donor, colour, tones)

    def _folded_like(self, before: Sitter | None, lines: SkinLines) -> Folds:
        """Folds of the donor whom `complexion` chooses, or of the same face's last frame's."""
        library, source = shipped(), self._rig.source
        donor = before._folds.donor if before else library.choose(*self.complexion, self._rig.seed)
        free = None if self._pinned is None else 1 - self._pinned[FACE, 0]
        return Folds(self._rig.model, library.mean, donor, source.points, source.depth, free, lines)

    def scene(
        self, weights: Float, camera: Camera, relight: float, folded: bool,
        pose_light: PoseAndLight, habit: Float | None,
    ) -> tuple[Scene, Float | None]:  # fmt: skip
        """The posed face, and the log-brightness (320, 320) of its creases, if any."""
        own = self._rig.fit.weights
        weights = self._rig.hidden.left(self._rig.model, weights, own)

        posed = partial(self._mesh_scene, weights, camera, relight, pose_light, habit)
        if not folded:
            return posed(), None
        calls: list[Callable[[], Any]] = [
            partial(self._creases, weights, own), posed, partial(self._folds, weights, own),
        ]  # fmt: skip
        creased, scene, smile = together(calls)
        return scene, _added(smile, creased)

    def _mesh_scene(
        self, weights: Float, camera: Camera, relight: float, pose_light: PoseAndLight,
        habit: Float | None,
    ) -> Scene:  # fmt: skip
        """The posed face without its creases."""
        target = self._posed(weights, camera, habit)
        points = target.points + self._eye_shift
        moved = points - self._rig.source.points
        moved[EYEBALLS] -= self._eye_shift[EYEBALLS]
        if any(pose_light.turn):
            pull = outline_pull(self._rig.model, self._rig.source.points, target.points)
            points[FACE, 0] += self._shown.outlying * pull
            moved[FACE, 0] += self._shown.outlying * pull
        blink = {s: self._lowered(weights, s) for s in SIDES}
        self._lid_folds.smooth(moved, blink)
        points[FACE] = self._rig.source.points[FACE] + moved[FACE]
        drift = self._drift(moved, pose_light)
        edge = self._rig.source.points[self._shown.rim]
        carried = edge + self._shown.surround.sample(drift, edge)
        own = self._shown.rim_own
        points[self._shown.rim] = points[self._shown.rim] * own + carried * (1 - own)

        opened, gap_change = self._opening(target.vertices)
        pressed = self._lip_state.pressed(weights)
        attributes = self._attributes(points, target, blink, relight)
        glow = None
        if any(pose_light.key):
            glow = self._move_key(attributes, target.normals, pose_light.key)
        at = self._rig.model.landmarks
        unit = float(self._rig.fit.camera.scale)
        seen = self._shown.visible(points, unit, turned=any(pose_light.turn))
        return Scene(
            points=points,
            depth=sink(target.depth),
            attributes=attributes,
            triangles=self._shown.triangles[seen],
            layers=self._shown.layers[seen],
            unit=unit,
            blink=blink,
            stirred={side: self._stirred(moved, side) for side in SIDES},
            wide=max(self._more(weights, f"eyeWide_{s}") for s in SIDES),
            opened=opened,
            gap_change=gap_change,
            pressed=pressed,
            dropped=self._lip_state.dropped(gap_change),
            relaxed=self._lip_state.relaxed(weights),
            lips=max(self._lip_state.moved(points, moved), pressed),
            landmarks=self._rig.fit.landmarks.astype(np.float32) + moved[at],
            surround=self._shown.surround,
            drift=drift,
            folds=any(pose_light.turn) or self._shown.surround.folds(drift),
            glow=glow,
            lit=None if glow is None else self._lit,
        )

    @staticmethod
    def _still(rig: Rig) -> Float | None:
        """How far (N, 1) each vertex stays with the glasses or the mask before it; None without."""
        out = rig.hidden.pinned(rig.model)
        if rig.rims:
            out = np.zeros((len(rig.model.neutral), 1), np.float32) if out is None else out
            with_rims = still(rig.source.points[FACE], rig.rims, rig.fit.camera.scale)
            out[FACE] = np.maximum(out[FACE], with_rims)
        return out

    def _posed(self, weights: Float, camera: Camera, habit: Float | None) -> Pose:
        """The mesh under `weights`, its jaw's edge and pressed mouth's width held, a lowered brow's
        end lowered; what lies behind glasses keeps its shape."""
        model, own = self._rig.model, self._rig.source.vertices
        vertices = pose(model, self._rig.person, weights)
        for held in self._held:
            held.hold(vertices, weights, self._rig.fit.weights)
        if self._pinned is not None:
            vertices += self._pinned * (own - vertices)
        return stand(model, vertices if habit is None else vertices + habit, camera)

    def _drift(self, moved: Float, pose_light: PoseAndLight) -> Float:
        """Displacement (G, 2) px of the background, given that of every vertex (N, 2) px."""
        if not pose_light.turn[2]:
            return self._shown.surround.spread(moved)
        own, grid, points = (
            self._rig.fit.camera,
            self._shown.surround.points,
            self._rig.source.points,
        )
        beyond_tilt = self._shown.surround.spread(moved - pose_light.tilt(own, points))
        return beyond_tilt + pose_light.tilt(own, grid)

    def _move_key(self, attributes: Float, normals: Float, key: tuple[float, float]) -> Float:
        """Light skin and eyes by a moved key light; returns the log-brightness (G,) of hair and
        neck, where that fades out."""
        lit = np.zeros((len(self._rig.model.neutral), 1), np.float32)
        lit[FACE, 0] = np.log(self._light.keyed(normals, key))
        for side, corners in EYE_LANDMARKS.items():
            lit[EYE[side]] = lit[self._rig.model.landmarks[corners]].mean()
        # the mesh's neck and ears are not this person's: some of them lie over the wall
        on = np.maximum(sample(self._lit, self._rig.source.points[FACE]), self._front)
        attributes[FACE, LIGHT] *= np.exp(lit[FACE, 0] * on)
        attributes[EYEBALLS, LIGHT] *= np.exp(lit[EYEBALLS, 0])
        return self._shown.surround.spread(lit, NEAR)[:, 0]

    def _attributes(
        self,
        points: Float,
        target: Pose,
        blink: dict[str, float],
        relight: float,
    ) -> Float:
        out = self._fixed_attributes.copy(order="F")
        source = self._rig.source.points
        shut = {s: min(1.0, BLINK_GAIN * blink[s]) for s in SIDES}
        blend = sum(self._rig.model.lids[s] * shut[s] for s in SIDES)
        risen = (source[:, 1] - points[:, 1]) / (UNFOLDING * self._rig.fit.camera.scale)
        for side, folded in self._folded.items():
            blend = np.maximum(blend, folded * np.clip(risen, shut[side], 1))
        out[:, BLEND] = blend
        lit = self._light.ratio(target.normals, relight)
        out[FACE, LIGHT] = lit if self._pinned is None else self._unpinned(lit)
        return out

    def _unpinned(self, lit: Float) -> Float:
        """A change of light (F,), none of it on what covers eyes or mouth."""
        assert self._pinned is not None
        out: Float = 1 + (lit - 1) * (1 - self._pinned[FACE, 0])
        return out

    def _lowered(self, weights: Float, side: str) -> float:
        """How far an upper lid comes down, 0..1: by closing, or by following the gaze."""
        gaze = LOOK_BLINK * self._more(weights, f"eyeLookDown_{side}")
        own = float(self._rig.fit.weights[self._rig.model.index[f"eyeBlink_{side}"]])
        left = 1 - float(np.clip(own, 0, 0.8))
        return max(self._more(weights, f"eyeBlink_{side}") / left, gaze)

    def _stirred(self, moved: Float, side: str) -> float:
        """How far an eye is moved, 0..1, given the motion of every vertex (N, 2) px: against the
        skin beside its corners, so that a turning head moves none."""
        corners = self._rig.model.landmarks[EYE_LANDMARKS[side]]
        outer, inner = corners[[0, 3]]
        parts = np.concatenate(
            [self._rig.model.lash_lines[side], corners, [iris_vertex(self._rig.model, side)]]
        )
        off = np.abs(moved[parts] - moved[[outer, inner]].mean(0)).max()
        return float(np.clip(off / (STIRRED * self._rig.fit.camera.scale) - 0.1, 0, 1))

    def _more(self, weights: Float, name: str) -> float:
        """By how much `weights` go beyond the photograph's own in one shape."""
        i = self._rig.model.index[name]
        return max(0.0, float(weights[i] - self._rig.fit.weights[i]))


def _added(one: Float | None, other: Float | None) -> Float | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other
