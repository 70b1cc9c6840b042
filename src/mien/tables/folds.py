"""Cut the folds of real smiles out: `python -m mien.tables.folds [--out FILE]`.

From pairs of photographs of the training people of the London Set: the neutral one is rendered with
the geometry of the person's own smile, and what the real smile is brighter or darker than that is
the person's wrinkle map (an expression ratio image: Liu, Shan and Zhang 2001).
`mien.face_model.folds` reads the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.data.rigging import neutral_and_smile
from mien.errors import DataError
from mien.face_model import folds
from mien.face_model.folds import FoldChart
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.mesh import FACE, SIDES, FaceModel
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


DONORS = (
    "013", "020", "038", "041", "064", "083", "086", "091", "094", "099", "102", "118", "120",
    "127", "130", "136",
)  # fmt: skip
"""By their numbers in the set: smiles that show their folds and lie well over their renders."""


def example(
    model: FaceModel, chart: FoldChart, name: str, neutral: AlignedFace, smile: AlignedFace
) -> folds.SmileExample:
    """What one person's smile teaches."""
    rig = Rig(model, neutral.pixels, neutral.landmarks, neutral=True)
    found = match(rig, smile.pixels, smile.landmarks)
    shown = rig.render_weights(
        found.weights, SOURCE_SIZE, camera=found.camera, folded=False, habit=found.habit
    )
    brightness = _log(_aligned_to(smile.pixels, shown.image)) - _log(shown.image)
    at = rig.pose(found.weights, found.camera, found.habit)
    points = at.points[FACE]
    inside = ((points > 3) & (points < SOURCE_SIZE - 4)).all(1)
    seen = (sample(shown.visibility, points) > 0.9) & (sample(shown.mouth, points) < 0.05)
    facing = np.clip((np.minimum(at.normals[FACE, 2], rig.facing[FACE]) - 0.2) / 0.4, 0, 1)
    trust = facing * inside * seen
    flat = chart.rasterised(np.concatenate([points, trust[:, None]], 1))
    x, y = (np.ascontiguousarray(flat[..., i]) for i in (0, 1))
    values = np.asarray(cv2.remap(brightness, x, y, cv2.INTER_LINEAR), np.float32)
    values -= np.median(values[flat[..., 2] > 0.5])
    sides = [model.index[f"{folds.SMILE}_{s}"] for s in SIDES]
    strength = float(found.weights[sides].mean())
    brown, rough = rig._sitter.complexion
    return folds.SmileExample(name, values, flat[..., 2], strength, brown, rough)


def _log(pixels: NDArray[np.uint8]) -> Image:
    light = cv2.GaussianBlur(pixels.astype(np.float32) @ LUMA + BLACK, (0, 0), FINEST)
    return np.log(np.asarray(light, np.float32))


def _aligned_to(photo: NDArray[np.uint8], shown: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`photo` moved onto `shown`, both (S, S, 3), as far as a calm optical flow can."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    grey = [cv2.cvtColor(p, cv2.COLOR_RGB2GRAY) for p in (shown, photo)]
    start = np.zeros((*grey[0].shape, 2), np.float32)
    flow = cv2.GaussianBlur(search.calc(grey[0], grey[1], start), (0, 0), CALM)
    ys, xs = np.mgrid[: len(photo), : len(photo)].astype(np.float32)
    moved = cv2.remap(photo, xs + flow[..., 0], ys + flow[..., 1], cv2.INTER_CUBIC)
    return np.asarray(moved, np.uint8)


def main() -> None:
    """Cut the folds out and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--london", type=Path, default=data_home() / "london")
    parser.add_argument("--out", type=Path, default=folds.TABLE)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = FaceModel.load()
    chart = FoldChart(model)
    people = [example(model, chart, *one) for one in neutral_and_smile(options.london)]
    if len(people) < 20:
        raise DataError(f"{len(people)} pairs in {options.london}: 20 or more are needed")
    library = folds.learn(model, people, {f"london/{number}" for number in DONORS})
    if len(library.donors) < len(DONORS):
        raise DataError(f"{options.london} lacks a donor, or one who is no training person")
    library.save(options.out)
    size = options.out.stat().st_size / 1e6
    print(f"{options.out}: {len(people)} people, {len(DONORS)} of them donors, {size:.1f} MB")


if __name__ == "__main__":
    main()
