"""Who is taken to wear dark glasses, and who does.

    python benchmarks/eyewear.py -o benchmarks/results/eyewear.json

Of the portraits of SFHQ-T2I, `OPAQUE` wear something that hides both eyes (labelled by eye; two
more are tinted and show them); nobody in the Congress portraits and the London Set does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from mien import images
from mien.face_model.eyewear import covered
from mien.faces import align
from mien.faces.detect import detect
from mien.metrics.report import origin
from mien.zoo import data_home

OPAQUE = {
    "Facial_Features_1_1", "Facial_Features_1_5", "Glasses_Style_5_0", "Glasses_Style_5_1",
    "Glasses_Style_5_4", "Glasses_Style_5_5", "Glasses_Style_5_6", "Hair_Color_2_9", "Hats_1_2",
    "Hats_4_0", "Physical_Characteristics_2_0",
}  # fmt: skip
SETS = ("flux_schnell/images", "congress", "london/neutral_front", "london/smiling_front")


def eyes_covered(path: Path) -> bool | None:
    """Whether the largest face's eyes are taken to be covered; None without a face."""
    photo = images.read(path).pixels
    faces = detect(photo)
    if not faces:
        return None
    crop = align.align(photo, faces[0], 320)
    return covered(crop.pixels.astype(np.float32), crop.landmarks.astype(np.float64))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    result: dict[str, object] = dict(origin())
    for name in SETS:
        found = {p.stem: eyes_covered(p) for p in sorted((data_home() / name).glob("*.jpg"))}
        seen = {stem for stem, covers in found.items() if covers is not None}
        yes = {stem for stem in seen if found[stem]}
        wear = OPAQUE & seen if name.startswith("flux") else set[str]()
        result[name] = {
            "faces": len(seen),
            "wear": len(wear),
            "told": len(yes & wear),
            "missed": sorted(wear - yes),
            "false": sorted(yes - wear),
        }
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
