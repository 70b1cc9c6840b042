"""The head that all methods share: an expression, drawn by the face model on the source itself."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from functools import cache, partial
from weakref import WeakValueDictionary

import numpy as np

from mien.errors import FaceUndrawable
from mien.face_model.animate import asked, effective
from mien.face_model.arrays import Float
from mien.face_model.inside import Mouth
from mien.face_model.mesh import FaceModel
from mien.face_model.mouths import Donor
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Drawing, Rig
from mien.face_model.units import bounded
from mien.images import to_uint8
from mien.memory import Memory
from mien.types import Composition, Faces

KNOWN = 64
"""People, known by their identity, of whom teeth and glasses are remembered between pictures."""
FITTED = 4
"""Fitted faces that are kept for the next ask, at most;"""
PIXELS = 2_200_000
"""and pixels of their crops, at most, unless a single one has more: two of the largest, of some 20
bytes a pixel."""

COVERING = 1e-4
"""What covers less of the photograph has no colour."""
INSIDE_TAKEN = "what lies between the lips is the reference's, which shows the same person"
"""What a result says whose mouth is known from another photograph."""


class ModelHead:
    """Draws faces by one face model."""

    def __init__(self, model: FaceModel) -> None:
        self.model = model
        self._rigs = Memory[list[Rig]](FITTED, _pixels, PIXELS)
        self._alive: WeakValueDictionary[bytes, Rig] = WeakValueDictionary()
        self._known: OrderedDict[bytes, tuple[Donor | None, bool | None]] = OrderedDict()
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[ModelHead], tuple[FaceModel]]:
        return type(self), (self.model,)  # what was fitted stays behind

    def rigs(self, faces: Faces[Float], before: Sequence[Rig] = ()) -> list[Rig]:
        """The face model fitted to each face (B), of any side. Whoever holds a fit finds it again,
        however many others were asked for since. `before` (B), of faces whose people are known: the
        fits of the same faces a moment ago."""
        known: Sequence[Rig | None] = before or [None] * len(faces)
        return [self._rig(one(faces, i), known[i]) for i in range(len(faces))]

    def _rig(self, face: Faces[Float], before: Rig | None) -> Rig:
        found = self._alive.get(face.digest)
        if found is None:
            find, size = partial(self._fit, before=before), face.pixels.shape[-1] ** 2
            (found,) = self._rigs.get(face, find, size)
            self._alive[face.digest] = found
        else:
            self._rigs.touch(face.digest)
        return found

    def people(self, faces: Faces[Float]) -> Float:
        """Who each face (B) shows, as identity coefficients (B, 50)."""
        return np.stack([rig.fit.identity for rig in self.rigs(faces)])

    def own(self, rig: Rig) -> Float:
        """Blendshape weights (53,) that the fitted photograph shows, relative to the person at
        rest."""
        return asked(self.model, rig.fit)

    def moved(
        self, source: Faces[Float], steps: Float, side: int | None = None
    ) -> Composition[Float] | None:
        """Each face (B) moved by steps (B, 53) of blendshape weights from what it shows, drawn at
        `side` px at most; None if the fit of one cannot be used."""
        try:
            rigs = self.rigs(source)
        except FaceUndrawable:
            return None
        if any(rig.fault is not None for rig in rigs):
            return None
        goals = [self.own(rig) + step for rig, step in zip(rigs, steps, strict=True)]
        return self.drawn(source, np.stack(goals), [PoseAndLight()] * len(goals), side=side)

    def drawn(
        self,
        source: Faces[Float],
        goals: Float,
        poses_and_lights: Sequence[PoseAndLight],
        mouths: Sequence[Mouth | None] = (),
        side: int | None = None,
    ) -> Composition[Float]:
        """Each face (B) showing blendshape weights (B, 53), relative to the person at rest, with
        the head turned and lit, and with the mouths (B) that are known from other photographs;
        drawn at its own size or at `side` px, whichever is less."""
        rigs = self.rigs(source)
        size: int = source.pixels.shape[-1]
        size = size if side is None else min(size, side)
        known = mouths or (None,) * len(rigs)
        drawings = [
            rig.draw(
                self.absolute(rig, goal),
                size,
                pose_light=pose_light.within(rig.fit.camera),
                mouth=mouth,
            )
            for rig, goal, pose_light, mouth in zip(
                rigs, goals, poses_and_lights, known, strict=True
            )
        ]
        fields = zip(*map(_fields, drawings), strict=True)
        flow, mask, paint, gain = map(_batch, fields)
        held = tuple(dict.fromkeys(part for rig in rigs for part in rig.held))
        taken = (INSIDE_TAKEN,) if any(known) else ()
        return Composition(flow, mask, paint, gain, held, taken)

    def absolute(self, rig: Rig, goal: Float) -> Float:
        """The mesh's own weights (53,) for those relative to rest: what is not asked to change
        keeps the very values that the fit has, in bounds or not."""
        now, then = (
            effective(self.model, rig.fit, bounded(self.model, weights))
            for weights in (self.own(rig), goal)
        )
        out: Float = rig.fit.weights + (then - now)
        return out

    def _fit(self, face: Faces[Float], before: Rig | None) -> list[Rig]:
        crop = face.crops[0] if face.crops else to_uint8(face.pixels)[0]
        points = face.landmarks[0]
        if face.people is None:
            return [Rig(self.model, crop, points, neutral=False)]
        who = face.people[0].astype(np.float32)
        key = who.tobytes()
        with self._lock:
            donor, glasses = self._known.get(key, (None, None))
        rig = Rig(
            self.model, crop, points, neutral=False, identity=who, donor=donor, glasses=glasses,
            before=before,
        )  # fmt: skip
        if glasses is None and not rig.hidden.eyes:  # covered eyes say nothing of clear glasses
            glasses = bool(rig.rims)
        with self._lock:
            self._known[key] = rig.donor, glasses
            while len(self._known) > KNOWN:
                self._known.popitem(last=False)
        return [rig]


def _pixels(rigs: list[Rig]) -> int:
    return sum(rig.crop.shape[0] * rig.crop.shape[1] for rig in rigs)


def one(faces: Faces[Float], index: int) -> Faces[Float]:
    """One face of a batch."""
    if len(faces) == 1:
        return faces
    return faces.mapped(lambda part: part[index : index + 1])


def _fields(drawing: Drawing) -> tuple[Float, Float, Float, Float]:
    """Flow, mask, paint and gain of a drawing, as a composition of one face has them; what is
    painted is the drawing's, made into its colour in place."""
    share, paint = np.float32(127.5) * (1 - drawing.visibility), drawing.paint
    share[share <= np.float32(127.5 * COVERING)] = np.inf  # there paint has no colour
    for one in paint:
        one /= share
        one -= 1
    return drawing.flow[None], drawing.visibility[None, None], paint[None], drawing.gain[None, None]


def _batch(parts: Sequence[Float]) -> Float:
    """Parts (1, ...) as one array; a single one stays as it lies in memory."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


@cache
def shipped_head() -> ModelHead:
    """What draws by the face model that ships."""
    return ModelHead(FaceModel.load())
