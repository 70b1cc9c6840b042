"""What data of invented people are worth to an expression classifier.

    mien rig render --split train --split test -o RENDERS
    mien people --by decoupling --count 600 --expressions all --seed 1 -o PEOPLE
    python benchmarks/augmentation.py --people PEOPLE --renders RENDERS -o out.json

One small network, the same for every row and never a judge's, is taught on invented people alone,
on the real photographs that name an expression alone (neutral and smiling: no set with a free
licence has more), on both, and, as the most that rendering can give, on renders of the training
people. Steps are equal. It is tested on photographs of test people, neutral against smile by which
of the two it finds likelier, and on renders of test people in eight emotions at full strength.
Several seeds show how much of a difference is chance.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mistakes import or_one_line
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs, images
from mien.data.adapters import DATASETS
from mien.data.loading import Renders, label_of, open_renders
from mien.data.manifest import Record, read_manifest
from mien.data.transforms import Geometry, Photometry
from mien.errors import FaceNotFound
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.metrics.report import origin
from mien.metrics.triples import faces_of
from mien.nn.tensors import to_tensor, to_uint8
from mien.types import UInt8
from mien.zoo import data_home

SIDE = 64
"""Side that the classifier sees, px."""
NEUTRAL, HAPPY = 0, 1
Labelled = tuple[list[UInt8], list[int]]
"""Pictures uint8 (S, S, 3) and their emotions."""


def photographs(split: str) -> Labelled:
    """Aligned photographs of a split whose set names the expression."""
    rows: list[tuple[Record, Path]] = []
    for name in ("london", "canada"):
        root = data_home() / name
        found = DATASETS[name].records(root)
        rows += [(r, root) for r in found if r.split == split and r.emotion in facs.EMOTIONS]
    pixels, labels = [], []
    for record, root in rows:
        photo = images.read(root / record.file_name).pixels
        try:
            (face,) = choose(detect(photo), "largest")
        except FaceNotFound:
            continue
        assert record.emotion is not None
        pixels.append(align(photo, face, 128).pixels)
        labels.append(facs.EMOTIONS.index(record.emotion))
    return pixels, labels


def invented(folder: Path) -> Labelled:
    """The pictures of a manifest that `mien people` wrote."""
    rows = [r for r in read_manifest(folder) if r.emotion is not None]
    labels = [facs.EMOTIONS.index(r.emotion) for r in rows if r.emotion is not None]
    return [images.read(folder / r.file_name).pixels for r in rows], labels


def rendered(photos: Sequence[Renders]) -> Labelled:
    """Renders at full strength of an emotion, and photographs at rest."""
    chosen = [
        (p, s)
        for p in photos
        for s in p.still
        if label_of(p.units[s]) >= 0 and (s > 0 or p.neutral)
    ]
    pixels = [
        picture
        for k in range(0, len(chosen), 64)
        for picture in to_uint8(faces_of(chosen[k : k + 64], 128).pixels)
    ]
    return pixels, [label_of(p.units[s]) for p, s in chosen]


class Classifier(nn.Sequential):
    """Pictures (B, 3, 64, 64) -> logits of eight emotions."""

    def __init__(self, width: int = 32) -> None:
        layers: list[nn.Module] = []
        i = 3
        for o in (width, 2 * width, 4 * width, 4 * width):
            layers += [nn.Conv2d(i, o, 3, 2, 1), nn.GroupNorm(8, o), nn.SiLU()]
            i = o
        super().__init__(
            *layers, nn.Flatten(), nn.Dropout(0.3), nn.Linear(16 * i, len(facs.EMOTIONS))
        )


def drawn(data: Labelled, rng: Generator, count: int) -> tuple[Tensor, Tensor]:
    """A batch, every emotion that there is equally often, turned, lit and mirrored at random."""
    pixels, labels = data
    of = {label: np.flatnonzero(np.equal(labels, label)) for label in sorted(set(labels))}
    rows, names = [], []
    for label in rng.choice(list(of), count):
        picture = pixels[int(rng.choice(of[int(label)]))]
        geometry = Geometry.draw(rng, picture.shape[0], SIDE, 0.7, bool(rng.random() < 0.5))
        rows.append(Photometry.draw(rng, 0.7).apply(geometry.image(picture)))
        names.append(int(label))
    return to_tensor(np.stack(rows)), torch.tensor(names)


def taught(sets: Sequence[Labelled], steps: int, batch: int, seed: int) -> Classifier:
    """A fresh classifier after so many steps; several sets each give their part of a batch."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 29])
    net = Classifier()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps)
    for _ in range(steps):
        parts = [drawn(data, rng, batch // len(sets)) for data in sets]
        x, y = (torch.cat(column) for column in zip(*parts, strict=True))
        optimiser.zero_grad()
        cost = F.cross_entropy(net(x), y, label_smoothing=0.1)
        cost.backward()
        optimiser.step()
        rate.step()
    return net.eval()


@torch.no_grad()
def tested(net: Classifier, real: Labelled, renders: Labelled) -> dict[str, float]:
    """Share right: neutral against smile on photographs; eight emotions on renders."""

    def logits(data: Labelled) -> tuple[Tensor, Tensor]:
        small = [F.interpolate(to_tensor(p), size=(SIDE, SIDE), mode="area") for p in data[0]]
        return torch.cat([net(x) for x in torch.split(torch.cat(small), 256)]), torch.tensor(
            data[1]
        )

    predicted, truth = logits(real)
    smiles = predicted[:, HAPPY] > predicted[:, NEUTRAL]
    both = [float((smiles[truth == k] == bool(k)).float().mean()) for k in (NEUTRAL, HAPPY)]
    of_eight, emotion = logits(renders)
    return {
        "photographs_neutral_or_smile": statistics.mean(both),
        "renders_of_eight": float((of_eight.argmax(1) == emotion).float().mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=Path, required=True, help="folder of `mien people`")
    parser.add_argument("--renders", type=Path, required=True, help="renders of the test people")
    parser.add_argument("--train-renders", type=Path, help="of the training people, if elsewhere")
    parser.add_argument("--steps", type=int, default=600)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    nobody, real = invented(options.people), photographs("train")
    train = rendered(open_renders(options.train_renders or options.renders, "train"))
    tests = photographs("test"), rendered(open_renders(options.renders, "test"))
    rows: dict[str, list[Labelled]] = {
        "invented people": [nobody],
        "real photographs": [real],
        "both": [nobody, real],
        "renders of real people": [train],
    }
    table: dict[str, Any] = {}
    for name, sets in rows.items():
        runs = [
            tested(taught(sets, options.steps, options.batch, seed), *tests)
            for seed in range(options.seeds)
        ]
        table[name] = {"pictures": sum(len(labels) for _, labels in sets)} | {
            key: {
                "mean": round(statistics.mean(run[key] for run in runs), 4),
                "runs": [round(run[key], 4) for run in runs],
            }
            for key in runs[0]
        }
        print(name, json.dumps(table[name]), flush=True)
    report = {
        **origin(),
        "people": json.loads((options.people / "settings.json").read_text()),
        "tested_on": {"photographs": len(tests[0][1]), "renders": len(tests[1][1])},
        "steps": options.steps,
        "batch": options.batch,
        "table": table,
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    or_one_line(main)
