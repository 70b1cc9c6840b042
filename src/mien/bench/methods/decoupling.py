"""What decoupling reaches: faces from their codes pass by pass, expressions swapped, what either
code holds, and the people it invents.

    mien rig render --split train --split test -o RENDERS
    mien bench decoupling --renders RENDERS --weights FILE -o out.json --sheet people.jpg

Every face that is rebuilt or changed belongs to a test person. Invented people are compared with
every training person by dlib's descriptor, and with as many photographs of test people by the
Frechet distance of what judge a, who taught nothing here, sees in them; the same distance between
photographs of training and of test people is the least that can be hoped for. More weights, such as
the ablations', may be named to stand beside them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor
from torch.nn import functional as F

import mien
from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.methods.probes import attack as attack_units
from mien.bench.options import Out, RendersFolder, Seed, file
from mien.data.loading import Renders, label_of, open_renders
from mien.faces.align import template
from mien.judges import NAMES, load
from mien.judges.identity import descriptor
from mien.judges.networks import SIZE
from mien.methods.decoupling.method import Decoupling
from mien.metrics.pixel import ms_ssim, psnr
from mien.metrics.probes import read_people
from mien.metrics.sets import frechet
from mien.metrics.statistics import summarise
from mien.metrics.transfer import by_reference
from mien.metrics.triples import Triples, draw_triples, faces_of
from mien.nn.compose import compose
from mien.nn.tensors import to_tensor, to_uint8
from mien.people.decoupled import Settings, pictures
from mien.sheet import sheet
from mien.types import Faces
from mien.zoo.records import digest, records

PASSES = (1, 2, 3, 5)


def batches(items: Sequence[Any], size: int = 32) -> list[Sequence[Any]]:
    """Items in parts of at most `size`."""
    return [items[i : i + size] for i in range(0, len(items), size)]


# ---- rebuilding --------------------------------------------------------------------------------


@torch.no_grad()
def rebuilt(method: Decoupling, photos: Sequence[Renders]) -> dict[str, Any]:
    """MS-SSIM and PSNR of test photographs after every number of passes, by codes alone and by the
    composing head.
    """
    table: dict[str, Any] = {}
    for passes in PASSES:
        values: dict[str, list[float]] = {}
        for part in batches(photos):
            faces = faces_of([(photo, 0) for photo in part], method.size)
            made = dict(zip(("codes", "composed"), reconstruct(method, faces, passes), strict=True))
            for head, picture in made.items():
                for name, measure in (("ms_ssim", ms_ssim), ("psnr", psnr)):
                    values.setdefault(f"{head}_{name}", []).extend(
                        measure(picture, faces.pixels).tolist()
                    )
        people = [photo.person for photo in photos]
        table[str(passes)] = {k: asdict(summarise(v, people)) for k, v in values.items()}
    return table


def reconstruct(method: Decoupling, faces: Faces[Tensor], passes: int) -> tuple[Tensor, Tensor]:
    """Faces (B) from codes alone and through the composing head after so many passes."""
    own = method.first_codes(faces.pixels)
    for _ in range(passes - 1):
        own = method.again(faces.pixels, own)
    composed = compose(faces.pixels, method.edited(faces.pixels, own, own.expression))
    return method.drawn(own).clamp(-1, 1), composed.clamp(-1, 1)


# ---- swapping ----------------------------------------------------------------------------------


def units_read(pixels: Tensor) -> Tensor:
    """Units by both judges' mean, (B, 47)."""
    if pixels.shape[-1] != SIZE:
        pixels = F.interpolate(pixels, size=SIZE, mode="bicubic", antialias=True).clamp(-1, 1)
    return torch.stack([load(name).read(pixels).units for name in NAMES]).mean(0)


def swapped(method: Decoupling, triples: Triples) -> dict[str, Any]:
    """How far a reference's expression code moves a face: the judges' change of units along the
    change that was asked for, as a share of it, and the identity's distance.

    Asked for by the reference: what judges read in it less what they read in the source. By the
    truth: what they read in the rig's answer, which has the source's own face.
    """
    who, edit = descriptor(), by_reference(method)
    rows: dict[str, list[float]] = {"of_reference": [], "of_truth": [], "identity": []}
    for part in triples.split(16):
        made = edit(part)
        source = units_read(part.source.pixels)
        moved = units_read(made) - source
        for name, right in (("of_reference", part.reference), ("of_truth", part.truth)):
            asked = units_read(right.pixels) - source
            share = (moved * asked).sum(1) / asked.square().sum(1).clamp_min(1e-6)
            rows[name] += share.tolist()
        rows["identity"] += who.distance(part.source, Faces(made, part.source.landmarks)).tolist()
    return {name: asdict(summarise(values, triples.people)) for name, values in rows.items()}


# ---- what a code holds -------------------------------------------------------------------------


def emotion_read(method: Decoupling, photos: Sequence[Renders], seed: int) -> dict[str, Any]:
    """Share of emotions, of eight, that fresh probes name from either code of faces at full
    strength; half of the test people teach them, the others are judged.
    """
    people = sorted({p.person for p in photos})
    teachers = set(np.random.default_rng([seed, 19]).permutation(people)[: len(people) // 2])
    chosen = [(p, s) for p in photos for s in p.still if s > 0 and label_of(p.units[s]) >= 0]
    order = np.random.default_rng([seed, 23]).permutation(len(chosen))
    chosen = [chosen[k] for k in order]
    codes: dict[str, list[Tensor]] = {"identity": [], "expression": []}
    for part in batches(chosen):
        faces = faces_of(part, method.size)
        codes["identity"].append(method.identity(faces).features[0])
        codes["expression"].append(method.encode(faces).code)
    label = torch.tensor([label_of(p.units[s]) for p, s in chosen])
    teaches = torch.tensor([p.person in teachers for p, _ in chosen])
    out: dict[str, Any] = {"chance": 1 / len(facs.EMOTIONS), "faces": len(chosen)}
    for name, parts in codes.items():
        code = torch.cat(parts)
        # a probe of people is a probe of classes: here the classes are emotions
        probes = read_people(
            (code[teaches], label[teaches]), (code[~teaches], label[~teaches]), seed=seed
        )
        out[name] = asdict(probes) | {"times_chance": round(probes.best * len(facs.EMOTIONS), 3)}
    return out


# ---- invented people ---------------------------------------------------------------------------


def seen(pixels: Tensor) -> Tensor:
    """What judge a sees in crops of any size, (B, 160)."""
    large = F.interpolate(pixels, size=(SIZE, SIZE), mode="bicubic", antialias=True).clamp(-1, 1)
    return torch.cat([load("a").features(part) for part in torch.split(large, 64)])


def described(pixels: Tensor) -> Tensor:
    """Identity descriptors (B, 128) of faces that lie where the template does."""
    size = pixels.shape[-1]
    points = torch.from_numpy(np.asarray(template(size), np.float32)).expand(len(pixels), -1, -1)
    return torch.cat([
        descriptor().of(part, place)
        for part, place in zip(torch.split(pixels, 32), torch.split(points, 32), strict=True)
    ])  # fmt: skip


def one_each(photos: Sequence[Renders]) -> list[tuple[Renders, int]]:
    """A photograph of every person."""
    return list({p.person: (p, 0) for p in photos}.values())


def drawn(method: Decoupling, weights: str, count: int, seed: int) -> Tensor:
    """Portraits (count, 3, S, S) of invented people."""
    settings = Settings(method.name, weights, seed, 1.0)
    made = [pictures(method, settings, k, ["neutral"])["neutral"] for k in range(count)]
    return torch.cat([to_tensor(picture) for picture in made])


def invented(
    made: Tensor, train: Sequence[Renders], test: Sequence[Renders], size: int
) -> dict[str, Any]:
    """Distance of every invented person to the nearest training person, beside the same of test
    people; Frechet distance of the portraits to test people's photographs.
    """
    known = faces_of(one_each(train), size).pixels
    others = faces_of(one_each(test), size).pixels
    reference = described(known)
    nearest = {
        name: torch.cdist(described(pixels), reference).amin(1)
        for name, pixels in (("invented", made), ("test people", others))
    }
    most = min(len(made), len(others), len(known))
    photographs = seen(others[:most])
    return {
        "pictures_a_set": most,
        "frechet_judge_a": {
            "invented": round(frechet(seen(made[:most]), photographs), 4),
            "photographs of training people": round(frechet(seen(known[:most]), photographs), 4),
        },
        "nearest_training_person": {
            name: {
                "least": round(float(values.min()), 4),
                "median": round(float(values.median()), 4),
                "share_above_0.45": round(float((values > 0.45).float().mean()), 4),
            }
            for name, values in nearest.items()
        },
    }


def command(
    renders: RendersFolder,
    out: Out,
    train_renders: Annotated[
        Path | None, typer.Option(help="Of the training people, if elsewhere.")
    ] = None,
    weights: Annotated[
        list[Path] | None, typer.Option(help="Shipped if not given; repeat.")
    ] = None,
    count: Annotated[int, typer.Option(help="Triples, and people invented.")] = 200,
    seed: Seed = 0,
    ablation: Annotated[
        bool, typer.Option(help="Invented people and what codes tell of emotion, alone.")
    ] = False,
    grid: Annotated[
        Path | None,
        typer.Option("--sheet", callback=file, help="A picture of 32 invented people."),
    ] = None,
) -> None:
    """Measure, and write the answer."""
    test = open_renders(renders, "test")
    train = open_renders(train_renders or renders, "train")
    table: dict[str, Any] = {}
    hashes: dict[str, str] = {}
    every: Sequence[Path | None] = weights or [None]
    for path in every:
        row = path.parent.name if path else "decoupling"
        hashes[row] = digest(path) if path else records()["decoupling"].sha256
        method = mien.load("decoupling", path)
        assert isinstance(method, Decoupling)
        made = drawn(method, hashes[row], count, seed)
        table[row] = {"invented": invented(made, train, test, method.size)}
        table[row]["emotion_told_from"] = emotion_read(method, test, seed)
        if not ablation:
            triples = draw_triples(renders, "test", count, size=method.size, seed=seed)
            table[row] |= whole(method, path, triples, test, seed)
        print(row, json.dumps(table[row]), flush=True)
        if grid and len(hashes) == 1:
            cells = [to_uint8(F.interpolate(m[None], size=128))[0] for m in made[:32]]
            images.write(grid, sheet([cells[i : i + 8] for i in range(0, 32, 8)]))
    report = {
        **conditions(),
        "weights": hashes,
        "judges": {name: records()[f"judge_{name}"].sha256 for name in NAMES},
        "table": table,
    }
    write(out, report, say=False)


def whole(
    method: Decoupling, path: Path | None, triples: Triples, test: list[Renders], seed: int
) -> dict[str, Any]:
    """Everything that is measured on test people."""
    out: dict[str, Any] = {"rebuilt": rebuilt(method, test)}
    for head in ("compose", "picture"):
        headed = mien.load("decoupling", path, head=head)
        assert isinstance(headed, Decoupling)
        out[f"swapped_{head}"] = swapped(headed, triples)
    out["probes"] = attack_units(method, test, 8, seed)
    return out
