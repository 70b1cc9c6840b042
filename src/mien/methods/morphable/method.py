"""morphable: the face model itself behind the common contract.

Parents: a morphable model fitted to a photograph (Blanz and Vetter, SIGGRAPH 1999), its expression
weights lent to another person's fit (Face2Face, Thies et al., CVPR 2016), on the mesh of ICT
FaceKit. See docs/methods/morphable.md for what differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mien import facs
from mien.errors import FaceUndrawable
from mien.face_model import packed
from mien.face_model import units as model_units
from mien.face_model.arrays import Float
from mien.face_model.mesh import FaceModel
from mien.face_model.stage import Stage
from mien.guides import ActionUnits, Blendshapes, Gaze, Label, Reference, Staging
from mien.methods.base import Method
from mien.methods.drawing import ModelHead, shipped_head
from mien.methods.morphable.config import Architecture
from mien.types import Composition, Expression, Faces, Identity

TURN, LIGHT = slice(-5, -2), slice(-2, None)
"""Where in a code head and light stand, behind the blendshape weights."""


class Morphable(Method):
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

    def restore(self, tensors: Mapping[str, Tensor], facts: Mapping[str, str]) -> None:
        """Take the face model of a weights file."""
        try:
            model = FaceModel(*packed.unpack({k: v.numpy() for k, v in tensors.items()}, facts))
        except (KeyError, ValueError, IndexError) as error:
            raise RuntimeError(str(error)) from None
        self._given = ModelHead(model)

    @property
    def model_head(self) -> ModelHead:
        """By the face model that ships, unless another was given."""
        return self._given or shipped_head()

    @property
    def model(self) -> FaceModel:
        """The face model."""
        return self.model_head.model

    @property
    def device(self) -> torch.device:
        return torch.device("cpu")

    def seen(self, source: Faces) -> Faces:
        return source  # of any size: one fit serves reading and drawing

    def identity(self, source: Faces) -> Identity:
        return Identity(source, ())

    def encode(self, faces: Faces) -> Expression:
        rows = [self._code(self.model_head.own(rig)) for rig in self.model_head.rigs(faces)]
        return Expression(torch.from_numpy(np.stack(rows)))

    def from_labels(self, index: Tensor) -> Expression:
        prototypes = np.stack([facs.prototype(facs.EMOTIONS[int(i)]) for i in index])
        return self.from_units(torch.from_numpy(prototypes))

    def from_units(self, units: Tensor) -> Expression:
        weights = model_units.to_weights(self.model, units.numpy())
        return Expression(self._padded(torch.from_numpy(weights)))

    def from_blendshapes(self, weights: Tensor) -> Expression:
        rows = np.stack([model_units.of_arkit(self.model, row) for row in weights.numpy()])
        return Expression(self._padded(torch.from_numpy(rows)))

    def staged(
        self, own: Expression, turn: tuple[float, float, float], light: tuple[float, float]
    ) -> Expression:
        code = own.code.clone()
        code[:, TURN] += torch.tensor(turn)
        code[:, LIGHT] += torch.tensor(light)
        return Expression(code)

    def held(self, own: Expression, wanted: Expression, numbers: Iterable[int]) -> Expression:
        code = wanted.code.clone()
        at = [column for number in numbers for column in facs.columns(f"AU{number}")]
        moved = np.flatnonzero(model_units.matrix(self.model.names)[at].any(0))
        code[:, moved] = own.code[:, moved].expand(len(code), -1)
        return Expression(code)

    def units(self, expression: Expression) -> Tensor:
        rows = expression.code[:, : TURN.start].numpy()
        read = np.stack([model_units.to_units(self.model, row) for row in rows])
        return torch.from_numpy(read)

    def compose(self, identity: Identity, expression: Expression) -> Composition:
        source = identity.source
        codes = expression.code.expand(len(source), -1).numpy()
        for rig in self.model_head.rigs(source):
            if rig.fault is not None:
                raise FaceUndrawable(f"this face is left alone: {rig.fault}")
        stages = [_stage(code) for code in codes]
        return self.model_head.drawn(source, codes[:, : TURN.start], stages)

    def by_model(self, source: Faces, own: Expression, wanted: Expression) -> Composition:
        return self.compose(self.identity(source), wanted)

    def _own(self, faces: Faces) -> Expression:
        return self.encode(faces)  # the fits are remembered already

    def _padded(self, weights: Tensor) -> Tensor:
        return torch.nn.functional.pad(weights, (0, -TURN.start))

    def _code(self, weights: Float) -> Float:
        return np.pad(weights, (0, -TURN.start)).astype(np.float32)


def _stage(code: Float) -> Stage:
    pitch, yaw, roll = (float(v) for v in code[TURN])
    left, up = (float(v) for v in code[LIGHT])
    return Stage(turn=(pitch, yaw, roll), light=(left, up, 0.0))
