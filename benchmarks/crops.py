"""Eyes and mouths of edited faces, pixel for pixel.

    python benchmarks/crops.py -o docs/images/crops                          # the bundled samples
    python benchmarks/crops.py -o docs/images/crops --people 003,024,042,142 # London test people

Each photograph is edited as `mien edit` does it, by the eight labels and six action units, and what
lies around eyes and mouth is cut out of the result without scaling. One picture a face; above each
pair of crops stands what was asked for. People are read from `london` in the data folder, at its
own size, and only test people are drawn.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from mistakes import told

import mien
from mien import facs, images
from mien.data import split_of
from mien.editor import Editor
from mien.errors import DataError
from mien.faces.detect import choose, detect
from mien.guides import ActionUnits, Guide, Label
from mien.methods.registry import DEFAULT
from mien.sheet import GAP, sheet
from mien.types import Float, UInt8
from mien.zoo import data_home
from mien.zoo.records import records
from mien.zoo.samples import samples

UNITS = ("AU1=1", "AU4=1", "AU9=1", "AU12=1", "AU26=1", "AU43=1")
COLUMNS = 5
EYES, MOUTH = slice(17, 48), slice(48, 68)
ABOVE, BELOW = 0.25, 0.2
"""Room above the brows and below the eyes, in distances of the outer eye corners."""
LIPS = (0.52, 0.33, 0.52)
"""Room beside the middle of the mouth, above and below it, in the same: a jaw drops."""


def asked() -> dict[str, Guide]:
    """The guides by what is written above their crops."""
    units = {text: ActionUnits.parse(text) for text in UNITS}
    return {**{name: Label(name) for name in facs.EMOTIONS}, **units}


def cut(pixels: UInt8, points: Float) -> UInt8:
    """What lies around eyes and mouth (h, w, 3) of a photograph, the one above the other."""
    unit = float(np.linalg.norm(points[45] - points[36]))
    middle, side = points[MOUTH].mean(0), round(LIPS[0] * unit * 1.4)
    centre = round(float(points[EYES, 0].mean()))
    top = round(float(points[EYES, 1].min() - ABOVE * unit))
    bottom = round(float(points[36:48, 1].max() + BELOW * unit))
    low, high = (round(float(middle[1] + d * unit)) for d in (-LIPS[1], LIPS[2]))
    parts = [
        pixels[max(0, a) : b, max(0, x - side) : x + side]
        for a, b, x in ((top, bottom, centre), (low, high, round(float(middle[0]))))
    ]
    width = min(part.shape[1] for part in parts)
    eyes, mouth = (part[:, :width] for part in parts)
    return np.concatenate([eyes, np.full((GAP, width, 3), 255, np.uint8), mouth])


def page(editor: Editor, name: str, path: Path) -> UInt8:
    """All crops of one photograph."""
    photo = images.read(path)
    (face,) = choose(detect(photo.pixels), "largest")
    shown = {name: cut(photo.pixels, face.landmarks)}
    for words, guide in asked().items():
        shown[words] = cut(editor.edit(photo, guide).marked.pixels, face.landmarks)
    words, crops = list(shown), list(shown.values())
    rows = [
        sheet([crops[i : i + COLUMNS]], words[i : i + COLUMNS])
        for i in range(0, len(crops), COLUMNS)
    ]
    return np.concatenate(rows)


def london(people: str) -> dict[str, Path]:
    """Neutral photographs of London's test people by their numbers; DataError for others."""
    found = {}
    for number in people.split(","):
        path = data_home() / "london" / "neutral_front" / f"{number}_03.jpg"
        if split_of(f"london/{number}") != "test":
            raise DataError(f"london/{number} is not of the test split: name others")
        if not path.is_file():
            raise DataError(f"{path} is not there: see docs/data.md")
        found[number] = path
    return found


def main() -> None:
    """Write a picture for each face."""
    parser = argparse.ArgumentParser(description="Eyes and mouths of edited faces at full size.")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder to write to")
    parser.add_argument("--people", help="numbers of London test people, with commas between")
    arguments = parser.parse_args()
    photographs = london(arguments.people) if arguments.people else samples()
    editor = Editor(mien.load(), records()[DEFAULT].sha256)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, path in photographs.items():
        out = arguments.out / f"{name}.jpg"
        images.write(out, page(editor, name, path), metadata=editor.metadata("crops", "1", 1))
        print(out)


if __name__ == "__main__":
    told(main)
