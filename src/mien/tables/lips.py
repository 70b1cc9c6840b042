"""Flatten the lips of training people: `python -m mien.tables.lips [--out FILE]`.

From the neutral photographs of the London Set at their full size, with hand-checked points. Which
people give theirs was chosen by eye: closed lips without a beard around them, of every complexion.
`mien.face_model.lip_donors` reads the file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from mien import images
from mien.data.adapters import DATASETS
from mien.data.manifest import Record
from mien.errors import DataError
from mien.face_model import lip_donors
from mien.face_model.frame import SOURCE_SIZE, resized
from mien.face_model.lip_chart import LipChart
from mien.face_model.lip_donors import LipDonor, unfolded
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.mouth import cheek_colour, lip_colour
from mien.face_model.render import Rig
from mien.faces.align import align
from mien.types import Face
from mien.zoo import data_home

DONORS = (
    "007", "019", "025", "026", "038", "039", "067", "083", "087", "091", "100", "114", "118",
    "119", "135",
)  # fmt: skip
"""By their numbers in the set."""
SIDE = 1024


def donor(model: FaceModel, chart: LipChart, record: Record, folder: Path) -> LipDonor:
    """The lips of one photograph."""
    assert record.landmarks is not None
    pixels = images.read(folder / record.file_name).pixels
    crop = align(pixels, Face((0, 0, 0, 0), 1.0, record.landmarks), SIDE)
    rig = Rig(model, crop.pixels, crop.landmarks, neutral=True)
    at = chart.rasterised(resized(rig.source.points[FACE], SOURCE_SIZE, SIDE))
    photo = crop.pixels.astype(np.float32)
    x, y = (np.ascontiguousarray(at[..., i]) for i in (0, 1))
    flat = cv2.remap(photo, x, y, interpolation=cv2.INTER_CUBIC)
    whole = np.round(np.clip(unfolded(np.asarray(flat, np.float32), chart), 0, 255))
    points = crop.landmarks.astype(np.float64)
    lip, skin = lip_colour(photo, points), cheek_colour(photo, points)
    brown = rig._sitter.skin.inside.tones.brown
    return LipDonor(Path(record.file_name).stem, whole.astype(np.uint8), lip, skin, brown)


def main() -> None:
    """Flatten the lips and write them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--london", type=Path, default=data_home() / "london_1350")
    parser.add_argument("--out", type=Path, default=lip_donors.TABLE)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = FaceModel.load()
    chart = model.lip_chart
    records = [
        record
        for record in DATASETS["london"].records(options.london)
        if Path(record.file_name).stem in {f"{number}_03" for number in DONORS}
    ]
    if len(records) != len(DONORS) or any(
        r.split != "train" or r.landmarks is None for r in records
    ):
        raise DataError(f"{options.london} lacks a donor, or one who is no training person")
    donors = [donor(model, chart, record, options.london) for record in records]
    lip_donors.save(donors, options.out)
    print(f"{options.out}: {len(donors)} people, {options.out.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
