"""Eyes and mouths of edited faces, pixel for pixel.

    mien bench crops -o docs/images/crops                    # the bundled samples
    mien bench crops -o docs/images/crops --people 003,024   # London test people
    mien bench crops -o docs/images/crops --smiling 129      # their smiling photographs
    mien bench crops -o docs/images/crops --invented Ethnicity_2_4

Each photograph is edited as `mien edit` does it, by five labels, a wink and two action units, and
what lies around eyes and mouth is cut out of the result without scaling. One picture a face; above
each pair of crops stands what was asked for. People are read from `london` in the data folder, at
its own size, and only test people are drawn; the invented ones from `flux_schnell`. Pictures of
the same names in `--before FOLDER`, made by earlier sources (first in PYTHONPATH) as PNG, are put
above.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer

import mien
from mien import images
from mien.bench.options import folder, there
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

LABELS = ("happy", "surprise", "fear", "disgust", "anger")
UNITS = ("AU43=1", "AU26=1", "AU43L=1")
COLUMNS = 9
EYES, MOUTH = slice(17, 48), slice(48, 68)
ABOVE, BELOW = 0.25, 0.2
"""Room above the brows and below the eyes, in distances of the outer eye corners."""
LIPS = (0.52, 0.33, 0.52)
"""Room beside the middle of the mouth, above and below it, in the same: a jaw drops."""


def asked() -> dict[str, Guide]:
    """The guides by what is written above their crops."""
    units = {text: ActionUnits.parse(text) for text in UNITS}
    return {**{name: Label(name) for name in LABELS}, **units}


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
    for asking, guide in asked().items():
        shown[asking] = cut(editor.edit(photo, guide).marked.pixels, face.landmarks)
    words, crops = list(shown), list(shown.values())
    rows = [
        sheet([crops[i : i + COLUMNS]], words[i : i + COLUMNS])
        for i in range(0, len(crops), COLUMNS)
    ]
    return np.concatenate(rows)


def stacked(above: UInt8, below: UInt8) -> UInt8:
    """One picture over another, white beside the narrower one."""
    width = max(above.shape[1], below.shape[1])
    sides = [((0, 0), (0, width - one.shape[1]), (0, 0)) for one in (above, below)]
    parts = [np.pad(p, s, constant_values=255) for p, s in zip((above, below), sides, strict=True)]
    return np.concatenate(parts)


def invented(names: str) -> dict[str, Path]:
    """Portraits of people who do not exist, by their names in `flux_schnell`."""
    found = {n: data_home() / "flux_schnell" / "images" / f"{n}.jpg" for n in names.split(",")}
    for path in found.values():
        if not path.is_file():
            raise DataError(f"{path} is not there: see docs/data.md")
    return found


def london(people: str, smiling: bool = False) -> dict[str, Path]:
    """Photographs of London's test people by their numbers, at rest or smiling; DataError for
    others."""
    found = {}
    folder, kind = ("smiling_front", "08") if smiling else ("neutral_front", "03")
    for number in people.split(","):
        path = data_home() / "london" / folder / f"{number}_{kind}.jpg"
        if split_of(f"london/{number}") != "test":
            raise DataError(f"london/{number} is not of the test split: name others")
        if not path.is_file():
            raise DataError(f"{path} is not there: see docs/data.md")
        found[f"{number}_smiling" if smiling else number] = path
    return found


def command(
    out: Annotated[
        Path, typer.Option("--out", "-o", callback=folder, help="Folder for the pictures.")
    ],
    people: Annotated[
        str | None, typer.Option(help="Numbers of London test people, with commas between.")
    ] = None,
    smiling: Annotated[
        str | None, typer.Option(help="The same of their smiling photographs.")
    ] = None,
    portraits: Annotated[
        str | None, typer.Option("--invented", help="Names of portraits in flux_schnell.")
    ] = None,
    before: Annotated[
        Path | None, typer.Option(callback=there, help="Folder of earlier pictures (PNG).")
    ] = None,
    kind: Annotated[Literal["jpg", "png"], typer.Option(help="Format written.")] = "jpg",
) -> None:
    """Write a picture for each face."""
    photographs = dict[str, Path]()
    if people:
        photographs |= london(people)
    if smiling:
        photographs |= london(smiling, smiling=True)
    if portraits:
        photographs |= invented(portraits)
    photographs = photographs or dict(samples())
    editor = Editor(mien.load(), records()[DEFAULT].sha256)
    for name, path in photographs.items():
        place, made = out / f"{name}.{kind}", page(editor, name, path)
        if before:
            made = stacked(images.read(before / f"{name}.png").pixels, made)
        images.write(place, made, metadata=editor.metadata("crops", "1", 1))
        print(place)
