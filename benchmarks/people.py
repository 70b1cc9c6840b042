r"""How near mixed people are to photographs, as sets.

    mien people --from LONDON --count 72 -e neutral --size 512 --seed 7 -o PEOPLE
    python benchmarks/people.py --people PEOPLE --photographs LONDON \
        -o benchmarks/results/people.json

Fréchet distance in the features of judges a and b (128 px crops) between so many invented people
and as many photographs, beside the same between photographs of different people, over random draws
of equal size. The invented ones are mixed from the training people among the photographs and are
balanced where the photographs are not: their number is told with that.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mien import facs, images
from mien.data.adapters import DATASETS
from mien.data.manifest import read_manifest
from mien.faces.align import align
from mien.faces.detect import detect
from mien.judges import judge
from mien.metrics.sets import frechet
from mien.nn import tensors
from mien.types import Faces

DRAWS, SIZE = 20, 40


def features(photos: list[Path], name: str) -> Tensor:
    """What a judge holds of the largest face of each photograph, (N, D)."""
    crops = []
    for photo in photos:
        pixels = images.read(photo).pixels
        crops.append(align(pixels, detect(pixels)[0], 128))
    return judge.load(name).features(tensors.faces(Faces.stack(crops)).pixels)


def compare(made: Tensor, real: Tensor, random: np.random.Generator) -> dict[str, float]:
    """Medians over draws of `SIZE` (half of the photographs where there are fewer)."""
    size = min(SIZE, len(real) // 2, len(made))
    apart, between = [], []
    for _ in range(DRAWS):
        order = torch.from_numpy(random.permutation(len(real)))
        one, other = real[order[:size]], real[order[size : 2 * size]]
        some = made[torch.from_numpy(random.permutation(len(made))[:size])]
        between.append(frechet(one, other))
        apart.append(frechet(some, one))
    return {
        "pictures": size,
        "invented to photographs": round(float(np.median(apart)), 3),
        "photographs to photographs of others": round(float(np.median(between)), 3),
    }


def labels(folder: Path) -> dict[str, object]:
    """Share of the pictures with a label other than rest in which judge a, b, either reads it."""
    rows = [r for r in read_manifest(folder) if r.emotion not in (None, "neutral")]
    crops = []
    for row in rows:
        pixels = images.read(folder / row.file_name).pixels
        crops.append(align(pixels, detect(pixels)[0], 128))
    faces = tensors.faces(Faces.stack(crops))
    wanted = torch.tensor([facs.EMOTIONS.index(str(r.emotion)) for r in rows])
    right = [judge.load(n).read(faces.pixels).emotions.argmax(1) == wanted for n in judge.NAMES]
    both, either = right[0] & right[1], right[0] | right[1]
    shares = {"judge a": right[0], "judge b": right[1], "both": both, "either": either}
    rounded = {name: round(float(found.float().mean()), 3) for name, found in shares.items()}
    return {"pictures": len(rows), **rounded}


def page(folder: Path, out: Path, side: int = 84) -> None:
    """Everybody in a folder of whom no picture was refused, at rest and under the other labels; two
    people a row, or three where that fills the rows."""
    everybody = sorted(p.parent for p in folder.glob("*/person.json"))
    whole = [p for p in everybody if all((p / f"{e}.png").is_file() for e in facs.EMOTIONS)]
    print(f"{len(whole)} of {len(everybody)} people have all {len(facs.EMOTIONS)} pictures")
    across = next(n for n in (2, 3, 1) if len(whole) % n == 0)
    cells = []
    for photo in (person / f"{label}.png" for person in whole for label in facs.EMOTIONS):
        pixels = images.read(photo).pixels
        middle = pixels[round(0.12 * len(pixels)) :, round(0.18 * len(pixels)) :]
        middle = middle[: round(0.66 * len(pixels)), : round(0.66 * len(pixels))]
        cells.append(cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA))
    width = across * len(facs.EMOTIONS)
    rows = [np.concatenate(cells[i : i + width], 1) for i in range(0, len(cells), width)]
    Image.fromarray(np.concatenate(rows)).save(out, quality=88, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=Path, required=True, help="folder of `mien people`")
    parser.add_argument("--photographs", type=Path, required=True, help="the London Set")
    parser.add_argument("--out", "-o", type=Path, required=True)
    parser.add_argument("--page", action="store_true", help="draw everybody instead of measuring")
    parser.add_argument("--labels", action="store_true", help="measure only labels' agreement")
    given = parser.parse_args()
    if given.page:
        page(given.people, given.out)
        return
    if given.labels:
        found: dict[str, object] = {"labels": labels(given.people)}
        given.out.write_text(json.dumps(found, indent=1) + "\n")
        print(json.dumps(found))
        return
    made = sorted(given.people.glob("*/neutral.png"))
    notes = [json.loads(p.read_text()) for p in sorted(given.people.glob("*/person.json"))]
    real = [
        given.photographs / r.file_name
        for r in DATASETS["london"].records(given.photographs)
        if r.emotion == "neutral"
    ]
    distances = [p["distance"] for n in notes for p in n["pictures"]]
    found = {
        "people": len(made), "given up": sum(not n["pictures"] for n in notes),
        "portraits drawn": sum(n.get("attempts", len(n["refused"])) for n in notes),
        "nearest source": {"least": min(distances), "median": float(np.median(distances))},
    }  # fmt: skip
    for name in judge.NAMES:
        sets = features(made, name), features(real, name)
        found[f"frechet, judge {name}"] = compare(*sets, np.random.default_rng(0))
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
