"""Who is taken to wear glasses, dark or clear, and who does.

    python benchmarks/eyewear.py -o benchmarks/results/eyewear.json

Of the portraits of SFHQ-T2I, `OPAQUE` wear something that hides both eyes (labelled by eye; two
more are tinted and show them); nobody in the Congress portraits and the London Set does. `RIMS`
wear clear glasses whose rims are seen; so do some Congress members, of whom no list is kept: whom
the rims are found on there is said, to be looked at. Nobody in the London Set does.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from mien import images
from mien.face_model.eyewear import covered
from mien.face_model.glasses import rims
from mien.faces import align
from mien.faces.detect import detect
from mien.metrics.report import origin
from mien.zoo import data_home

OPAQUE = {
    "Facial_Features_1_1", "Facial_Features_1_5", "Glasses_Style_5_0", "Glasses_Style_5_1",
    "Glasses_Style_5_4", "Glasses_Style_5_5", "Glasses_Style_5_6", "Hair_Color_2_9", "Hats_1_2",
    "Hats_4_0", "Physical_Characteristics_2_0",
}  # fmt: skip
RIMS = {
    "Accessories_2_1", "Accessories_6_9", "Age_x_Ethnicity_x_Sex_1_5_5",
    "Age_x_Ethnicity_x_Sex_2_5_4", "Age_x_Ethnicity_x_Sex_2_5_8", "Ethnicity_x_Age_2_0_1",
    "Ethnicity_x_Age_2_1_0", "Ethnicity_x_Age_2_1_4", "Expression_x_Sex_1_4",
    "Expression_x_Sex_1_6", "Eye_Gaze_2_0", "Eye_Gaze_3_3", "Eye_Gaze_4_7", "Glasses_Style_0_6",
    "Glasses_Style_1_8", "Glasses_Style_3_2", "Hair_Style_2_7", "Physical_Characteristics_4_8",
}  # fmt: skip
SETS = ("flux_schnell/images", "congress", "london/neutral_front", "london/smiling_front")


def glasses(path: Path) -> str | None:
    """What the largest face is taken to wear: "dark", "clear" or ""; None without a face."""
    photo = images.read(path).pixels
    faces = detect(photo)
    if not faces:
        return None
    crop = align.align(photo, faces[0], 320)
    landmarks = crop.landmarks.astype(np.float64)
    if covered(crop.pixels.astype(np.float32), landmarks):
        return "dark"
    return "clear" if rims(crop.pixels, landmarks) else ""


def counted(found: dict[str, str], kind: str, wear: set[str]) -> dict[str, object]:
    """How many of those who `wear` a kind of glasses are taken to, who is not, and who else is."""
    taken = {stem for stem, worn in found.items() if worn == kind}
    return {
        "wear": len(wear),
        "found": len(taken & wear),
        "missed": sorted(wear - taken),
        "false": sorted(taken - wear),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    result: dict[str, object] = dict(origin())
    for name in SETS:
        paths = sorted((data_home() / name).glob("*.jpg"))
        seen = {p.stem: worn for p in paths if (worn := glasses(p)) is not None}
        labelled = name.startswith("flux")
        dark, clear = (kind & seen.keys() if labelled else set[str]() for kind in (OPAQUE, RIMS))
        rows = {"dark": counted(seen, "dark", dark), "clear": counted(seen, "clear", clear)}
        if name == "congress":  # some do wear them
            rows["clear"] = {"found": rows["clear"]["false"]}
        result[name] = {"faces": len(seen), **rows}
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
