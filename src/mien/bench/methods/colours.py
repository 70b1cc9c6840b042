"""Whose colours has a face under another person's expression? The first thing that leaks.

    mien bench colours --data faces -m auswap=runs/a/auswap.safetensors \
        -m auswap=runs/b/auswap.safetensors -o out.json

Photographs of two people at a time, as unpaired training sees them, of the split asked for; pairs
whose faces differ in colour. The mean colour inside the face, of the result, is nearer to the
source's or to the reference's; of a method that takes faces apart it is the source's.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from mien.bench.answers import conditions, write
from mien.bench.networks import entered
from mien.bench.options import Methods, Out, SplitName
from mien.data.batch import Strangers, collate
from mien.data.photographs import Photographs, StrangePhotographs
from mien.methods.learnt import Learnt
from mien.metrics.report import entrants
from mien.types import Faces

LEAST_DISTANCE = 0.2
"""Distance of mean colours, of channels in [-1, 1], from which on two faces differ."""


def colour(pixels: torch.Tensor) -> torch.Tensor:
    """Mean colour (B, 3) of the middle of crops (B, 3, S, S)."""
    s = pixels.shape[-1]
    return pixels[..., s // 4 : s * 7 // 8, s // 4 : s * 3 // 4].mean((2, 3))


@torch.no_grad()
def measured(method: Learnt, batch: Strangers) -> dict[str, Any]:
    """Of a method's results on a batch."""
    x, d = batch.source.pixels, batch.donor.pixels
    source, donor = Faces(x, batch.source.landmarks), Faces(d, batch.donor.landmarks)
    identity = method.identity(source)
    own = method.decode(identity, method.encode(source))
    like = colour(method.decode(identity, method.encode(donor)))
    distance = (colour(x) - colour(d)).norm(dim=1)
    differ = distance > LEAST_DISTANCE
    to_source, to_donor = ((like - colour(p)).norm(dim=1)[differ] for p in (x, d))
    return {
        "pairs": int(differ.sum()),
        "nearer to the reference": round(float((to_donor < to_source).float().mean()), 3),
        "to the source": round(float(to_source.mean()), 3),
        "to the reference": round(float(to_donor.mean()), 3),
        "source to reference": round(float(distance[differ].mean()), 3),
        "rebuilt, L1": round(float((own - x).abs().mean()), 3),
    }


def command(
    data: Annotated[Path, typer.Option(help="Aligned photographs.")],
    methods: Methods,
    out: Out,
    split: SplitName = "validation",
    count: Annotated[int, typer.Option(help="Pairs looked at.")] = 96,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    rows = []
    for one in entrants(methods):
        method = entered(one)
        photographs = Photographs(data, split, size=method.size, augment=False)
        drawn = StrangePhotographs(photographs)
        batch = collate([drawn[i] for i in range(count)])
        rows.append({"weights": one.row, "sha256": one.sha256} | measured(method, batch))
        print(json.dumps(rows[-1]), flush=True)
    report = {**conditions(), "split": split, "table": rows}
    write(out, report, say=False)
