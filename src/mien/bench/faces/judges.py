"""How good the judges are, on people neither of them was trained on.

    mien rig render --split test -o RENDERS
    mien bench judge-accuracy --renders RENDERS [--out results.json] [--sheet failures.jpg]

Photographs: the test people of the sets that name an expression, found and aligned as a user's
would be. Renders: the test people's, whose units are known. Portraits that nobody has labelled show
only how often the judges agree. The sheet shows what each judge gets most wrong, and only people
who agreed to be shown altered.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut, RendersFolder, Sheet
from mien.data.adapters import DATASETS
from mien.data.batch import collate
from mien.data.loading import RigFaces
from mien.errors import FaceNotFound
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.judges import NAMES, Judge, Reading, load
from mien.judges.networks import SIZE
from mien.nn import tensors
from mien.training.judge_data import Item, photographs, seen, strength_of
from mien.training.judge_scores import (
    ACTIVE,
    au12,
    per_unit,
    photograph_scores,
    reading,
    render_faces,
    render_scores,
    smiles,
)
from mien.training.judges import judged
from mien.types import Faces
from mien.zoo import data_home


def disagreement(readings: Sequence[Reading], truth: Item | None = None) -> dict[str, float]:
    """How far two judges lie apart, and whether they err together where the truth is known."""
    one, other = readings
    difference = (one.units - other.units).abs()
    same = one.emotions.argmax(1) == other.emotions.argmax(1)
    same_smile = smiles(one.emotions) == smiles(other.emotions)
    out = {
        "units_mean_difference": difference.mean().item(),
        "au12_correlation": _correlation(au12(one.units), au12(other.units)),
        "emotions_agree": same.double().mean().item(),
        "smiles_agree": same_smile.double().mean().item(),
    }
    if truth is not None:
        active = truth.units >= ACTIVE
        errors = [(r.units - truth.units)[active] for r in (one, other)]
        both = 0.5 * (one.units + other.units)
        out |= {
            "active_mean_difference": difference[active].mean().item(),
            "active_error_correlation": _correlation(*errors),
            "units_mae_of_their_mean": (both - truth.units).abs().mean().item(),
            "active_mae_of_their_mean": (both - truth.units)[active].abs().mean().item(),
        }
    return {key: round(value, 4) for key, value in out.items()}


def _correlation(x: torch.Tensor, y: torch.Tensor) -> float:
    return float(torch.corrcoef(torch.stack([x.flatten(), y.flatten()]))[0, 1])


def portraits() -> torch.Tensor:
    """The test people's photographs that nobody has labelled, (N, 3, 128, 128)."""
    found = []
    for name, dataset in DATASETS.items():
        root = data_home() / name
        for record in dataset.records(root) if root.is_dir() else ():
            if record.split == "test" and record.emotion is None:
                pixels = images.read(root / record.file_name).pixels
                try:
                    (face,) = choose(detect(pixels), "largest")
                except FaceNotFound:
                    continue
                found.append(align(pixels, face, SIZE))
    return tensors.faces(Faces.stack(found)).pixels


def unlabelled(judges: list[Judge]) -> dict[str, Any]:
    """What the judges say of portraits, most of which smile."""
    pixels = portraits()
    readings = [reading(judge, pixels) for judge in judges]
    out: dict[str, Any] = {"portraits": len(pixels)}
    for judge, read in zip(judges, readings, strict=True):
        named = np.bincount(read.emotions.argmax(1).numpy(), minlength=len(facs.EMOTIONS))
        out[judge.name] = {
            "au12_mean": round(float(au12(read.units).mean()), 4),
            "told": {e: int(n) for e, n in zip(facs.EMOTIONS, named, strict=True) if n},
        }
    return out | {"disagreement": disagreement(readings)}


def worst(judge: Judge, renders: Path, count: int = 6) -> list[Item]:
    """Wrong photographs of the London test people, then their renders that are judged worst.

    A render's fault is its largest error among the units, and one more for a wrong emotion at half
    strength and above.
    """
    shown = [p for p in photographs("test", found=True) if p.person.startswith("london/")]
    faces = collate([seen(p, None) for p in shown])
    read = reading(judge, faces.pixels)
    wrong = smiles(read.emotions) != torch.tensor([p.emotion == "happy" for p in shown])
    chosen = [_one(faces, int(i)) for i in wrong.nonzero()[:count]]
    london = RigFaces(renders, "test", size=SIZE, augment=False, people=_in_london)
    faces = render_faces(london, 1200)
    read = reading(judge, faces.pixels)
    faults, said = (read.units - faces.units).abs().amax(1), read.emotions.argmax(1)
    for i, (units, named) in enumerate(zip(faces.units.numpy(), said, strict=True)):
        emotion, strength = strength_of(units)
        faults[i] += float(emotion >= 0 and strength >= 0.5 and emotion != int(named))
    order = faults.argsort(descending=True)
    return chosen + [_one(faces, int(i)) for i in order[: count - len(chosen)]]


def _in_london(person: str) -> bool:
    return person.startswith("london/")


def _one(faces: Item, i: int) -> Item:
    return Item(*(getattr(faces, part.name)[i] for part in fields(faces)))


def speed(judge: Judge) -> dict[str, float]:
    """Median milliseconds of a face on one thread, alone and in a batch of 32."""
    torch.set_num_threads(1)
    out = {}
    for batch in (1, 32):
        pixels = torch.zeros(batch, 3, SIZE, SIZE)
        judge.read(pixels)
        spans = []
        for _ in range(9):
            started = time.perf_counter()
            judge.read(pixels)
            spans.append(1000 * (time.perf_counter() - started) / batch)
        out[f"batch_{batch}"] = round(statistics.median(spans), 2)
    return out


def command(
    renders: RendersFolder,
    out: MaybeOut = None,
    sheet: Sheet = None,
    faces: Annotated[int, typer.Option(min=1, help="Renders to judge at most.")] = 4000,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    judges = [load(name) for name in NAMES]
    plain = RigFaces(renders, "test", size=SIZE, augment=False)
    drawn = render_faces(plain, faces)
    shown = photographs("test", found=True)
    pixels = collate([seen(p, None) for p in shown]).pixels
    rendered, real = ([reading(j, some) for j in judges] for some in (drawn.pixels, pixels))
    result: dict[str, Any] = {
        "photographs_unseen_people": {j.name: photograph_scores(j, shown) for j in judges}
        | {"disagreement": disagreement(real)},
        "renders_unseen_people": {j.name: render_scores(j, drawn) for j in judges}
        | {"people": len({p.person for p in plain.photos})}
        | {"disagreement": disagreement(rendered, drawn)},
        "unlabelled_portraits": unlabelled(judges),
        "units": {
            j.name: per_unit(read.units, drawn.units)
            for j, read in zip(judges, rendered, strict=True)
        },
        "milliseconds": {j.name: speed(j) for j in judges},
        **conditions(),
    }
    write(out, result)
    if sheet is not None:
        rows = [judged(j, collate(worst(j, renders))) for j in judges]
        images.write(sheet, np.concatenate(rows))
