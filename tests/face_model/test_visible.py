"""What is left out of a drawing would not have been seen in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from mien import facs
from mien.face_model.arrays import Float
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Drawing, Rig
from mien.face_model.visible import Visible

SHOWN = {
    "happy": facs.prototype("happy"),
    "surprise": facs.prototype("surprise"),
    "anger": facs.prototype("anger"),
    "blink": facs.apply([facs.parse("AU43=1"), facs.parse("AU25=1")], np.zeros(47, np.float32)),
}
TURNED = PoseAndLight(turn=(8.0, 15.0, 5.0))
Fields = tuple[NDArray[np.float32], ...]


def fields(drawing: Drawing) -> Fields:
    return drawing.flow, drawing.visibility, drawing.gain, drawing.paint


@pytest.mark.parametrize(
    ("name", "pose"),
    [*((name, PoseAndLight()) for name in SHOWN), ("surprise", TURNED)],
    ids=[*SHOWN, "turned"],
)
def test_what_is_hidden_changes_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, name: str, pose: PoseAndLight
) -> None:
    weights = rig.weights(SHOWN[name])
    few: list[tuple[int, int]] = []
    visible: Callable[..., NDArray[np.bool_]] = Visible.__call__

    def counted(self: Visible, points: Float, unit: float, turned: bool) -> NDArray[np.bool_]:
        seen = visible(self, points, unit, turned)
        few.append((int(seen.sum()), len(seen)))
        return seen

    def everything(self: Visible, points: Float, unit: float, turned: bool) -> NDArray[np.bool_]:
        return np.ones(len(visible(self, points, unit, turned)), bool)

    monkeypatch.setattr(Visible, "__call__", counted)
    drawn = rig.draw(weights, 256, pose_light=pose)
    monkeypatch.setattr(Visible, "__call__", everything)
    whole = rig.draw(weights, 256, pose_light=pose)
    for part, same in zip(fields(drawn), fields(whole), strict=True):
        assert np.array_equal(part, same)
    ((kept, of),) = few
    assert kept < 0.7 * of
