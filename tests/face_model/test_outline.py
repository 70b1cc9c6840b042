"""What lies along the face's outline goes with the cheek, and evenly: nothing cuts into it."""

from __future__ import annotations

import numpy as np

from mien import facs
from mien.face_model.render import Rig
from mien.face_model.sampling import sample

SIDE = 320


def steepest(rig: Rig, unit: float) -> float:
    """The most by which the motion across changes per px down the outline from beside an ear to the
    jaw, on either side, 0.15 cm outside of it."""
    flow = rig.draw(rig.weights(facs.prototype("happy")), SIDE).flow * SIDE
    most = 0.0
    for ids, outward in (([1, 2, 3, 4], -1), ([15, 14, 13, 12], 1)):
        x, y = rig.fit.landmarks[ids].T
        rows = np.arange(y[0], y[-1])
        at = np.stack([np.interp(rows, y, x) + outward * 0.15 * unit, rows], 1)
        across = sample(flow[0], at.astype(np.float32))
        most = max(most, float(np.abs(np.diff(across)).max()))
    return most


def test_a_smiling_cheeks_outline_has_no_notch_below_an_ear(rig: Rig) -> None:
    assert steepest(rig, rig.fit.camera.scale) < 0.25
