"""Learn the folds of smiles: `python -m mien.tables.folds [--out FILE]`.

From pairs of photographs of the training people of the London Set: the neutral one is rendered with
the geometry of the person's own smile, and what the real smile is brighter or darker than that is
the wrinkle map. `mien.face_model.folds` reads the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.rigging import rest_and_smile
from mien.errors import DataError
from mien.face_model import folds
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.refine import match
from mien.face_model.render import Rig
from mien.face_model.sampling import LUMA, sample
from mien.types import AlignedFace
from mien.zoo import data_home

Image = NDArray[np.float32]
CALM = 6.0
"""The render is laid over the photograph by optical flow, blurred by this, px: folds themselves
must not be moved away."""
FINEST = 1.0
"""Blur of both pictures before they are compared, px."""
BLACK = 8.0
"""Added to brightness before the logarithm: the noise of dark pixels says nothing."""


def example(model: FaceModel, rest: AlignedFace, smile: AlignedFace) -> folds.SmileExample:
    """What one person's smile teaches."""
    rig = Rig(model, rest.pixels, rest.landmarks, neutral=True)
    found = match(rig, smile.pixels, smile.landmarks)
    shown = rig.render_weights(
        found.weights, SOURCE_SIZE, camera=found.camera, folded=False, habit=found.habit
    )
    brightness = _log(_laid_over(smile.pixels, shown.image)) - _log(shown.image)
    at = rig.pose(found.weights, found.camera, found.habit)
    points = at.points[FACE]
    inside = ((points > 3) & (points < SOURCE_SIZE - 4)).all(1)
    seen = (sample(shown.visibility, points) > 0.9) & (sample(shown.mouth, points) < 0.05)
    facing = np.clip((np.minimum(at.normals[FACE, 2], rig.facing[FACE]) - 0.2) / 0.4, 0, 1)
    trust = facing * inside * seen * folds.place(model)
    values = sample(brightness, points)
    values -= np.median(values[trust > 0.5])
    return folds.SmileExample(values, trust.astype(np.float32), found.weights)


def _log(pixels: NDArray[np.uint8]) -> Image:
    light = cv2.GaussianBlur(pixels.astype(np.float32) @ LUMA + BLACK, (0, 0), FINEST)
    return np.log(np.asarray(light, np.float32))


def _laid_over(photo: NDArray[np.uint8], shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`photo` moved onto `shown`, both (S, S, 3), as far as a calm optical flow can."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (shown, photo)]
    start = np.zeros((*grey[0].shape, 2), np.float32)
    flow = cv2.GaussianBlur(search.calc(grey[0], grey[1], start), (0, 0), CALM)
    ys, xs = np.mgrid[: len(photo), : len(photo)].astype(np.float32)
    moved = cv2.remap(photo, xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_CUBIC)
    return np.asarray(moved, np.uint8)


def main() -> None:
    """Learn the wrinkle map and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--london", type=Path, default=data_home() / "london")
    parser.add_argument("--out", type=Path, default=folds.TABLE)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = FaceModel.load()
    people = [example(model, rest, smile) for rest, smile in rest_and_smile(options.london)]
    if len(people) < 20:
        raise DataError(f"{len(people)} pairs in {options.london}: 20 or more are needed")
    folds.save(folds.learn(model, people), options.out)
    print(f"{options.out}: learnt from {len(people)} people")


if __name__ == "__main__":
    main()
