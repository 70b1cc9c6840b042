"""Who is taken to have glasses on, dark or clear, or a mask over the mouth, and who does.

    mien bench eyewear -o benchmarks/results/eyewear.json

Of the portraits of SFHQ-T2I, `OPAQUE` have something on that hides both eyes (labelled by eye; two
more are tinted and show them); nobody in the Congress portraits and the London Set does. `RIMS`
have clear glasses on whose rims are seen; so do some Congress members, of whom no list is kept: on
whom rims are found there is said, to be looked at. Nobody in the London Set does. `MASKED` hide
the mouth; masks of plain cloth are drawn over the London Set's neutral photographs too, found and
aligned anew. Limits of masks were set on the portraits, the London photographs, every second of the
Congress portraits and masks on six of the London people.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import Out
from mien.face_model.eyewear import covered
from mien.face_model.glasses import rims
from mien.face_model.masks import mouth_covered
from mien.faces import align
from mien.faces.detect import detect
from mien.types import UInt8
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
MASKED = {"Accessories_5_4"}
CLOTH = {"white": (235, 235, 232), "blue": (150, 190, 215), "green": (90, 120, 90),
         "black": (25, 25, 28), "pink": (215, 170, 170)}  # fmt: skip
SETS = ("flux_schnell/images", "congress", "london/neutral_front", "london/smiling_front")


def worn(photo: UInt8) -> set[str] | None:
    """What the largest face is taken to have on: "dark" or "clear", "mask"; None without a face."""
    faces = detect(photo)
    if not faces:
        return None
    crop = align.align(photo, faces[0], 320)
    landmarks, pixels = crop.landmarks.astype(np.float64), crop.pixels.astype(np.float32)
    out = {"mask"} if mouth_covered(pixels, landmarks) else set()
    if covered(pixels, landmarks):
        return out | {"dark"}
    return out | {"clear"} if rims(crop.pixels, landmarks) else out


def masked(photo: UInt8, cloth: tuple[int, int, int]) -> UInt8:
    """A photograph (H, W, 3) whose largest face has a mask on, darker to its sides, woven."""
    points = detect(photo)[0].landmarks
    mask = np.zeros(photo.shape[:2], np.uint8)
    outline = np.vstack([points[2:15], points[29:30]])
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], (1,))
    y, x = np.mgrid[: photo.shape[0], : photo.shape[1]]
    unit = float(np.linalg.norm(points[45] - points[36]))
    light = 1 - 0.25 * ((x - points[30, 0]) / unit) ** 2 + 0.04 * np.sin(25 * y / unit)
    over = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 1.5)[..., None]
    drawn = np.clip(np.array(cloth) * light[..., None], 0, 255)
    return np.asarray(photo * (1 - over) + drawn * over, np.uint8)


def drawn_masks(paths: Sequence[Path]) -> dict[str, dict[str, int]]:
    """Of each colour of cloth, how many faces are found, and how many masks."""
    out = {}
    for name, cloth in CLOTH.items():
        seen = [worn(masked(images.read(path).pixels, cloth)) for path in paths]
        faces = [kinds for kinds in seen if kinds is not None]
        out[name] = {"faces": len(faces), "found": sum("mask" in kinds for kinds in faces)}
    return out


def counted(found: dict[str, set[str]], kind: str, wear: set[str]) -> dict[str, object]:
    """How many of those who `wear` a kind of thing are taken to, who is not, and who else is."""
    taken = {stem for stem, kinds in found.items() if kind in kinds}
    return {
        "wear": len(wear),
        "found": len(taken & wear),
        "missed": sorted(wear - taken),
        "false": sorted(taken - wear),
    }


def command(
    out: Out,
) -> None:
    """Measure, and write the answer."""
    result: dict[str, object] = dict(conditions())
    for name in SETS:
        paths = sorted((data_home() / name).glob("*.jpg"))
        seen = {p.stem: k for p in paths if (k := worn(images.read(p).pixels)) is not None}
        labelled = name.startswith("flux")
        kinds = {"dark": OPAQUE, "clear": RIMS, "mask": MASKED}
        rows = {
            kind: counted(seen, kind, who & seen.keys() if labelled else set())
            for kind, who in kinds.items()
        }
        if name == "congress":  # some do
            rows["clear"] = {"found": rows["clear"]["false"]}
        result[name] = {"faces": len(seen), **rows}
    neutral = sorted((data_home() / "london/neutral_front").glob("*.jpg"))
    result["masks drawn over london/neutral_front"] = drawn_masks(neutral)
    write(out, result)
