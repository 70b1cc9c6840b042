"""Giving A the expression of B, on people never trained on, with the rig's truth and two judges.

    mien rig render --split test -o RENDERS
    mien bench transfer --renders RENDERS -m mtss -m 'mtss head=own' -o out.json

`mtss` is drawn by the face model, from what the reader of all methods sees in the reference; `mtss
head=own` by its own head, from its own code. Beside each stand doing nothing and the rig itself
(what the judges make of the right answer). Then own heads swap expressions twice, which should
return both photographs. The sheet shows London people only: they agreed to be shown altered.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import torch
import typer
from torch import Tensor
from torch.nn import functional as F

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.networks import entered
from mien.bench.options import Methods, Out, RendersFolder, Seed, Sheet, SplitName
from mien.errors import ConfigError
from mien.guides import Reference
from mien.judges import NAMES, load
from mien.judges.identity import descriptor
from mien.methods import reader
from mien.methods.base import Method
from mien.methods.registry import OWN
from mien.metrics import transfer
from mien.metrics.pixel import face_mask, psnr
from mien.metrics.report import entrants
from mien.metrics.statistics import summarise
from mien.metrics.trials import Trial, Units, pasted_by
from mien.metrics.triples import Triples, draw_triples
from mien.nn.tensors import to_uint8
from mien.sheet import sheet
from mien.types import UInt8
from mien.zoo.records import records


def twice(method: Method[Tensor], triples: Triples) -> dict[str, Any]:
    """PSNR inside the face between photographs and what two swaps make of them."""
    values: list[float] = []
    for part in triples.split(16):
        back = transfer.swap_twice(method, part.source, part.reference)
        for faces, made in zip((part.source, part.reference), back, strict=True):
            mask = face_mask(faces.landmarks, made.shape[-1])
            values += psnr(made, faces.pixels, mask).tolist()
    people = [who for part in triples.split(16) for who in (*part.people, *part.references)]
    return asdict(summarise(values, people))


def misread(method: Method[Tensor], triples: Triples) -> float:
    """Mean error of the units that the references are read to show, by whatever edits go by."""
    off = [(method.read(t.reference) - t.units).abs().mean(1) for t in triples.split(16)]
    return round(float(torch.cat(off).mean()), 4)


def by_reference(triples: Triples) -> Reference:
    """The guide of triples: another face that shows it."""
    return Reference(triples.reference)


def by_units(triples: Triples) -> Units:
    """The guide of triples: the units themselves."""
    return Units(triples.units)


def drawn(
    method: Method[Tensor], ask: Callable[[Triples], Reference | Units]
) -> Callable[[Triples], Tensor]:
    """A method's results as users get them, drawn by the face model."""
    edit = pasted_by(method)

    def edited(triples: Triples) -> Tensor:
        names = ("transfer",) * len(triples)
        return edit(Trial(triples.source, triples.people, names, ask(triples)))

    return edited


def pictures(rows: dict[str, transfer.Editing], triples: Triples) -> UInt8:
    """A row a triple: source, reference, every way of editing, truth."""
    columns = [triples.source.pixels, triples.reference.pixels]
    columns += [edit(triples) for edit in rows.values()] + [triples.truth.pixels]
    titles = ["source", "reference", *rows, "truth (rig)"]
    cells = [to_uint8(F.interpolate(c, size=192, mode="bicubic")) for c in columns]
    return sheet([list(row) for row in zip(*cells, strict=True)], columns=titles)


def in_london(person: str) -> bool:
    """People who agreed to be shown altered."""
    return person.startswith("london/")


def command(
    renders: RendersFolder,
    methods: Methods,
    out: Out,
    split: SplitName = "test",
    count: Annotated[int, typer.Option(help="Triples.")] = 400,
    seed: Seed = 0,
    sheet: Sheet = None,
) -> None:
    """Measure, and write the answer."""
    judges, who = [load(name) for name in NAMES], descriptor()
    named = entrants(methods)
    nets = {one.row: entered(one) for one in named}
    sizes = {m.size for m in nets.values()}
    if len(sizes) != 1:
        raise ConfigError(f"methods of one size only, got {sorted(sizes)}")
    size = sizes.pop()
    triples = draw_triples(renders, split, count, size=size, seed=seed)
    bench = transfer.TransferBench(triples, judges, who)
    unedited = bench.measure(transfer.nothing)
    edits: dict[str, transfer.Editing] = {}
    for row, method in nets.items():
        own = method.drawn_by == OWN
        edits[row] = transfer.by_reference(method) if own else drawn(method, by_reference)
        edits[f"{row}, by units"] = transfer.by_units(method) if own else drawn(method, by_units)
    table = {"nothing": transfer.summary(unedited, unedited)}
    for row, edit in (edits | {"the rig": transfer.truth}).items():
        table[row] = transfer.summary(bench.measure(edit), unedited)
        print(row, json.dumps({k: table[row][k] for k in SHORT if k in table[row]}), flush=True)
    report = {
        **conditions(),
        "split": split,
        "triples": len(triples),
        "people": len(set(triples.people)),
        "size": size,
        "weights": {one.row: one.sha256 for one in named},
        "judges": {name: records()[f"judge_{name}"].sha256 for name in NAMES},
        "table": table,
        "reader": records()[reader.NAME].sha256,
        "reading_error": {row: misread(m, triples) for row, m in nets.items()},
        "swapped_twice_face_psnr": {
            row: twice(m, triples) for row, m in nets.items() if m.drawn_by == OWN
        },
    }
    write(out, report, say=False)
    if sheet:
        shown = {k: v for k, v in edits.items() if not k.endswith("by units")}
        some = draw_triples(renders, split, 10, size=size, people=in_london)
        images.write(sheet, pictures(shown, some))


SHORT = ("better_both", "unit_error_left", "better_psnr", "better_ms_ssim")
