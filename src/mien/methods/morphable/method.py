"""morphable: the face model itself behind the common contract.

Parents: a morphable model fitted to a photograph (Blanz and Vetter, SIGGRAPH 1999), its expression
weights transferred to another person's fit (Face2Face, Thies et al., CVPR 2016), on the mesh of ICT
FaceKit. See docs/methods/morphable.md for what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mien import facs
from mien.errors import FaceUndrawable
from mien.face_model import packed
from mien.face_model import units as model_units
from mien.face_model.fit import Fit, fit
from mien.face_model.inside import Mouth
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.guides import ActionUnits, Blendshapes, Gaze, Label, Reference, Staging
from mien.images import to_uint8
from mien.memory import Memory
from mien.methods import reader
from mien.methods.base import REMEMBERED, Method
from mien.methods.drawing import ModelHead, one, shipped_head
from mien.methods.morphable import retargeting
from mien.methods.morphable.config import Architecture
from mien.methods.morphable.synthesis import Shown
from mien.types import Composition, Expression, Faces, Float, Identity

GAZE = (61, 62, 63, 64)
"""Action units of where the eyes look."""
TURN, LIGHT = slice(-5, -2), slice(-2, None)
"""Where in a code head and light stand, behind the blendshape weights."""


class Morphable(Method[Float]):
    """A fitted face model (Blanz and Vetter 1999): every guide natively.

    The expression code (B, 58) is the 53 blendshape weights, relative to the person at rest, then
    the head's turn (pitch, yaw, roll), degrees, and the key light's move (left, up), both as
    changes of the photograph's own, so 0 in every photograph. The identity is the fitted person and
    the photograph.
    """

    name: ClassVar[str] = "morphable"
    native: ClassVar[tuple[type, ...]] = (
        Label, ActionUnits, Reference, Blendshapes, Gaze, Staging,
    )  # fmt: skip

    def __init__(self, architecture: Architecture | None = None) -> None:
        super().__init__()
        self.architecture = architecture or Architecture()
        self.size = self.architecture.size
        self._given: ModelHead | None = None
        self._reads: Memory[Float] = Memory(REMEMBERED)
        self._references: Memory[retargeting.Face] = Memory(REMEMBERED)
        self._changes: Memory[tuple[Float, Mouth | None]] = Memory(REMEMBERED)
        self._pairs: Memory[bool] = Memory(REMEMBERED)

    def restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, str]) -> None:
        """Take the face model of a weights file."""
        try:
            model = FaceModel(*packed.unpack(arrays, facts))
        except (KeyError, ValueError, IndexError) as error:
            raise RuntimeError(str(error)) from None
        self._given = ModelHead(model)

    @property
    def model_head(self) -> ModelHead:
        """By the face model that ships, unless another was given."""
        return self._given or shipped_head()

    @property
    def read_by(self) -> str:
        return reader.digest()

    @property
    def model(self) -> FaceModel:
        """The face model."""
        return self.model_head.model

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        return values

    def numbers(self, values: Float) -> Float:
        return values

    def seen(self, source: Faces[Any]) -> Faces[Float]:
        """Of any size: one fit serves reading and drawing."""
        return source if isinstance(source.pixels, np.ndarray) else source.mapped(np.asarray)

    def identity(self, source: Faces[Float]) -> Identity[Float]:
        return Identity(source, ())

    def encode(self, faces: Faces[Float]) -> Expression[Float]:
        rows = [self._padded(self.model_head.own(rig)) for rig in self.model_head.rigs(faces)]
        return Expression(np.stack(rows))

    def transferred(
        self, faces: Faces[Float], source: Faces[Float] | None, own: Expression[Float] | None
    ) -> Expression[Float]:
        """By the reader and the mouth's landmarks, see `retargeting`, as a change from the source:
        whatever is taken for an expression in a face at rest, or in a poor picture, falls out. With
        the mouth that the reference shows, if it is the source's own."""
        if source is None or own is None:
            return Expression(self._padded(self._read(faces)))
        others = [one(faces, i if len(faces) > 1 else 0) for i in range(len(source))]
        changes = [
            self._changes.kept(face.digest + other.digest, partial(self._change, face, other))
            for face, other in zip(
                map(partial(one, source), range(len(source))), others, strict=True
            )
        ]
        steps, mouths = zip(*changes, strict=True)
        known = mouths if any(mouths) else own.mouths
        return Expression(own.code + self._padded(np.stack(steps)), known)

    def from_labels(self, index: NDArray[Any]) -> Expression[Float]:
        return self.from_units(np.stack([facs.prototype(facs.EMOTIONS[int(i)]) for i in index]))

    def from_units(self, units: Float) -> Expression[Float]:
        return Expression(self._padded(model_units.to_weights(self.model, units)))

    def from_blendshapes(self, weights: Float) -> Expression[Float]:
        rows = [model_units.of_arkit(self.model, row) for row in weights]
        return Expression(self._padded(np.stack(rows)))

    def blendshapes(self, expression: Expression[Float]) -> Float:
        rows = expression.code[:, : TURN.start]
        return np.stack([model_units.to_arkit(self.model, row) for row in rows])

    def staged(
        self, own: Expression[Float], turn: tuple[float, float, float], light: tuple[float, float]
    ) -> Expression[Float]:
        code = own.code.copy()
        code[:, TURN] += np.array(turn, np.float32)
        code[:, LIGHT] += np.array(light, np.float32)
        return replace(own, code=code)

    def held(
        self, own: Expression[Float], wanted: Expression[Float], numbers: Iterable[int]
    ) -> Expression[Float]:
        code = wanted.code.copy()
        at = [column for number in numbers for column in facs.columns(f"AU{number}")]
        moved = np.flatnonzero(model_units.matrix(self.model.names)[at].any(0))
        code[:, moved] = own.code[:, moved]
        opened = self.model.index["jawOpen"] in moved
        return Expression(code, own.mouths if opened else wanted.mouths)

    def gazing_as(self, own: Expression[Float], wanted: Expression[Float]) -> Expression[Float]:
        return self.held(own, wanted, GAZE)

    def units(self, expression: Expression[Float]) -> Float:
        rows = expression.code[:, : TURN.start]
        return np.stack([model_units.to_units(self.model, row) for row in rows])

    def compose(
        self, identity: Identity[Float], expression: Expression[Float]
    ) -> Composition[Float]:
        return self._drawn(identity.source, expression)

    def _drawn(
        self, source: Faces[Float], expression: Expression[Float], side: int | None = None
    ) -> Composition[Float]:
        """Each face (B) under an expression, at its own size or `side` px at most."""
        codes = np.broadcast_to(expression.code, (len(source), expression.code.shape[1]))
        for rig in self.model_head.rigs(source):
            if rig.fault is not None:
                raise FaceUndrawable(f"this face is left alone: {rig.fault}")
        poses_and_lights = [_pose_and_light(code) for code in codes]
        weights, mouths = codes[:, : TURN.start], expression.mouths
        return self.model_head.drawn(source, weights, poses_and_lights, mouths, side=side)

    def composed(self, pixels: Float, edit: Composition[Float]) -> Float:
        """Of the composition's own side, as the face model draws all of them."""
        moved = _moved(pixels, edit.flow)
        if edit.gain is not None:
            moved = (moved + 1) * edit.gain - 1
        return (edit.mask * moved + (1 - edit.mask) * edit.paint).clip(-1, 1)

    def by_model(
        self,
        source: Faces[Float],
        own: Expression[Float],
        wanted: Expression[Float],
        side: int | None = None,
    ) -> Composition[Float]:
        return self._drawn(source, wanted, side)

    def _own(self, source: Faces[Float], seen: Faces[Float]) -> Expression[Float]:
        return self.encode(seen)  # the fits are remembered already

    def _change(self, source: Faces[Float], reference: Faces[Float]) -> tuple[Float, Mouth | None]:
        """The change of weights (53,) from one face to another's expression, and the mouth that it
        shows of the same person."""
        (rig,) = self.model_head.rigs(source)
        here = self._face(source, rig.fit)
        there = self._references.get(reference, self.look)
        if source.people is None:
            same = there.is_of(here)
        else:  # decided by the first frame of a film: another one's doubt would be a jump
            pair = source.people.tobytes() + reference.digest
            same = self._pairs.kept(pair, partial(there.is_of, here))
        # frames of a film are not compared: each would settle a little differently, in a second
        compared = source.people is None
        change = retargeting.retargeted(self.model_head, rig, here, there, same, compared)
        shown = same and compared and change.any() and retargeting.opens(here, there) > 0.5
        if not shown or rig.fault is not None:
            return change, None
        goal = self.model_head.absolute(rig, self.model_head.own(rig) + change)
        crop, points = to_uint8(reference.pixels)[0], reference.landmarks[0]
        return change, rig.mouth_knowing(crop, points, goal)

    def look(self, face: Faces[Float]) -> retargeting.Face:
        """What a reference says to others, of the one face of a batch."""
        return self._face(face, fit(self.model, retargeting.small(face), neutral=False))

    def _face(self, face: Faces[Float], found: Fit) -> retargeting.Face:
        points, middle = retargeting.small(face), retargeting.eyes_and_nose(face)
        parted = retargeting.parted(face)
        shown = Shown.of(to_uint8(face.pixels)[0], face.landmarks[0])
        return retargeting.Face(points, found, self._read(face)[0], middle, parted, shown)

    def _read(self, faces: Faces[Float]) -> Float:
        """Blendshape weights (B, 53) of what the reader sees in faces."""
        each = [one(faces, i) for i in range(len(faces))]
        units = np.stack([self._reads.get(face, _units) for face in each])
        weights = model_units.to_weights(self.model, units)
        return retargeting.strengthened(self.model, weights)

    def _padded(self, weights: Float) -> Float:
        """Weights (..., 53) as a code (..., 58)."""
        code = np.zeros((*weights.shape[:-1], weights.shape[-1] - TURN.start), np.float32)
        code[..., : TURN.start] = weights
        return code


def _units(face: Faces[Float]) -> Float:
    """What the reader sees in one face, units (47,)."""
    return np.asarray(reader.of(face)[0], np.float32)


def _pose_and_light(code: Float) -> PoseAndLight:
    pitch, yaw, roll = (float(v) for v in code[TURN])
    left, up = (float(v) for v in code[LIGHT])
    return PoseAndLight(turn=(pitch, yaw, roll), light=(left, up, 0.0))


def _moved(pixels: Float, flow: Float) -> Float:
    """Pixels (B, 3, S, S) from where a flow (B, 2, S, S), crop units, says: bilinear, the border
    repeated."""
    side = pixels.shape[-1]
    place = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="xy")) + flow * side
    place = place.clip(0, side - 1).astype(np.float32)
    first = np.minimum(place.astype(np.intp), side - 2)
    u, v = (place - first).astype(np.float32).transpose(1, 0, 2, 3)[:, :, None]
    x, y = first.transpose(1, 0, 2, 3)
    batch = np.arange(len(pixels))[:, None, None]

    def at(row: int, column: int) -> Float:
        return pixels[batch, :, y + row, x + column].transpose(0, 3, 1, 2)

    upper = (1 - u) * at(0, 0) + u * at(0, 1)
    lower = (1 - u) * at(1, 0) + u * at(1, 1)
    moved: Float = (1 - v) * upper + v * lower
    return moved
