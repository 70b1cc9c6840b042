"""LivePortrait (Guo et al., 2024): implicit key points of a reference move a source's features.

Never trained here: its training is not public. Its speed is measured with random weights. For its
quality a user converts its own weights to safetensors, since no pickle is read here; where these
are absent the row is skipped and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import yaml
from torch import Tensor, nn
from torch.nn import functional as F

from mien.bench.peers.base import Facts, PeerMethod, whole
from mien.bench.peers.checkout import opened
from mien.errors import AssetMissing, WeightsError
from mien.guides import Reference
from mien.metrics.trials import Own
from mien.nn.compose import picture, resize
from mien.nn.tensors import named
from mien.types import Composition, Expression, Faces, Identity
from mien.zoo.records import read_weights

FACTS = Facts(
    name="liveportrait",
    folder="LivePortrait",
    repository="https://github.com/KwaiVGI/LivePortrait",
    commit="1986663be3b6902605d32200c01f4bfd36cda83d",
    licence="MIT (its face detector's weights: not for commercial use)",
    batch=1,
)
PARTS = {
    "appearance_feature_extractor": ("appearance_feature_extractor", "AppearanceFeatureExtractor"),
    "motion_extractor": ("motion_extractor", "MotionExtractor"),
    "warping_module": ("warping_network", "WarpingNetwork"),
    "spade_generator": ("spade_generator", "SPADEDecoder"),
    "stitching_retargeting_module": (
        "stitching_retargeting_network",
        "StitchingRetargetingNetwork",
    ),
}
"""Its networks as its configuration calls them: module and class."""
SIDE = 256
"""Side of what it sees, px; it answers at twice that."""


class LivePortraitRow(PeerMethod):
    """References alone. Code (B, 3 K): the expression's shift of its K key points.

    Inferred: the reference gives its expression and nothing else (the code's `exp` region,
    absolute, stitched); pose, scale and place stay the source's.
    """

    name = "liveportrait"
    native = (Reference,)
    serves = (Reference, Own)

    def __init__(self, parts: Mapping[str, nn.Module], camera: Any, size: int) -> None:
        super().__init__(size)
        self.parts, self.camera = nn.ModuleDict(dict(parts)), camera

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        return Expression(whole(self._motion(faces)["exp"]))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        raise AssetMissing(f"{self.name} takes no labels: show it a reference")

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        source = identity.source
        seen, motion = self._seen(source), self._motion(source)
        here = self._points(motion, motion["exp"])
        there = self._stitched(here, self._points(motion, expression.code))
        features = self.parts["appearance_feature_extractor"](seen)
        warped = self.parts["warping_module"](features, kp_source=here, kp_driving=there)
        made = whole(self.parts["spade_generator"](feature=warped["out"]))  # (B, 3, 512, 512)
        side = source.pixels.shape[-1]
        smaller = F.interpolate(made, size=(side, side), mode="area")
        return picture(smaller.mul(2).sub(1).clamp(-1, 1))

    def _seen(self, faces: Faces[Tensor]) -> Tensor:
        """Its range is [0, 1]."""
        return resize(faces.pixels, SIDE).add(1).div(2).clamp(0, 1)

    def _motion(self, faces: Faces[Tensor]) -> dict[str, Tensor]:
        found: dict[str, Tensor] = self.parts["motion_extractor"](self._seen(faces))
        angles = {
            axis: whole(self.camera.headpose_pred_to_degree(found[axis]))
            for axis in ("pitch", "yaw", "roll")
        }
        return found | angles

    def _points(self, motion: dict[str, Tensor], shift: Tensor) -> Tensor:
        """Key points (B, K, 3) of a pose under an expression: the paper's equation 2."""
        batch = len(shift)
        turn = self.camera.get_rotation_matrix(motion["pitch"], motion["yaw"], motion["roll"])
        points = motion["kp"].view(batch, -1, 3) @ turn + shift.view(batch, -1, 3)
        points = points * motion["scale"][..., None]
        flat = F.pad(motion["t"][:, None, :2], (0, 1))  # it never moves in depth
        return whole(points + flat)

    def _stitched(self, here: Tensor, there: Tensor) -> Tensor:
        """What keeps the shoulders in place: a small shift of every key point."""
        batch, count, _ = here.shape
        both = torch.cat([here.reshape(batch, -1), there.reshape(batch, -1)], 1)
        moves = whole(self.parts["stitching_retargeting_module"](both))
        shifts, place = moves[:, : 3 * count].view(batch, count, 3), moves[:, 3 * count :]
        return there + shifts + F.pad(place[:, None], (0, 1))


def random_row(root: Path, size: int, seed: int = 0) -> LivePortraitRow:
    """Its architecture with random weights: for its speed alone, it draws noise."""
    path = root / "src" / "config" / "models.yaml"
    if not path.is_file():
        raise AssetMissing(f"no LivePortrait at {root}: clone {FACTS.repository} there")
    given = yaml.safe_load(path.read_text(encoding="utf-8"))["model_params"]
    torch.manual_seed(seed)
    parts = {}
    with opened(root) as import_:
        for name, (module, kind) in PARTS.items():
            facts = given[f"{name}_params"]
            facts = facts.get("stitching", facts)  # the last holds three networks, of which one
            parts[name] = getattr(import_(f"src.modules.{module}"), kind)(**facts)
        camera = import_("src.utils.camera")
    return LivePortraitRow(parts, camera, size).eval().requires_grad_(False)


def read(root: Path, weights: Path, size: int) -> LivePortraitRow:
    """With its own weights: `<part>.safetensors` in `weights`, parts as its configuration has them.

    AssetMissing where one is not there, WeightsError where one does not fit.
    """
    row = random_row(root, size)
    for name, part in row.parts.items():
        path = weights / f"{name}.safetensors"
        if not path.is_file():
            raise AssetMissing(
                f"no {path}: LivePortrait's weights are pickles, which mien does not read; "
                "convert them to safetensors"
            )
        try:
            part.load_state_dict(named(read_weights(path)[0]))
        except RuntimeError:
            raise WeightsError(f"{path} does not fit LivePortrait's {name}") from None
    return row
