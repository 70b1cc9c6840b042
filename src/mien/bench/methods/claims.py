"""Each abstract's own claim, as far as it can be measured on renders, whose truth is known.

    mien rig render --split test -o RENDERS
    mien bench claims --renders RENDERS -o benchmarks/results/claims.json
    mien bench claims --renders RENDERS --attention WITH.safetensors WITHOUT.safetensors \
        -o claims.json
    mien bench claims --renders RENDERS --adain MTSS.safetensors PLAIN.safetensors -o claims.json

auswap: expressions arrive unit by unit without estimated units as a guide. Transfers by its
AU-related feature as the paper has it, by the same projected onto the units read from it (what
ships), and by nothing but those units; each unit read in the results by both judges, against the
rig's: F1 of occurrence, ICC(3,1). Of units with two sides, where they are apart: which side, and
the ICC of their difference. Only units that the judges see in the rig's own answer (`SEEN`) count.

decoupling: with its feedback network pictures are nearer to the photographs, by Fréchet distance
(judge a's features) and SSIM. From codes alone, by one pass (the mapping networks) and by more.

mtss: turned faces and crops that are not aligned (`mien.bench.methods.adain`), with weights of two
runs that differ by the skip.

aipgan: attention keeps the reference's identity out. dlib's distance of results to the reference's
person, and how often a fresh network names them, with weights of two runs that differ by it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from mien import facs
from mien.bench.answers import conditions, write
from mien.bench.methods import adain as plain_adain
from mien.bench.methods.decoupling import seen, units_read
from mien.bench.networks import network
from mien.bench.options import Out, RendersFolder, Seed, SplitName
from mien.judges.identity import descriptor
from mien.methods.learnt import Learnt
from mien.metrics.agreement import FEWEST, OCCURS, f1, icc
from mien.metrics.leakage import LeakageSplit, attack, leakage_split
from mien.metrics.pixel import ssim
from mien.metrics.sets import frechet
from mien.metrics.statistics import summarise
from mien.metrics.transfer import TransferTrial, by_reference, nothing, truth
from mien.metrics.triples import Triples, draw_triples
from mien.types import Faces, Float
from mien.zoo.records import digest, records

SEEN = 0.5
"""ICC of the judges' reading of the rig's answer with its units from which they see a unit."""
LEAST_DIFFERENCE = 0.2
"""Difference of a unit's two sides from which it is shown on one."""
PASSES = (1, 2, 3)
DRAWS = 400
"""Of the people, for intervals."""
FEATURE, ESTIMATED = "AU-related feature", "estimated units alone"
Way = Callable[[Triples], Tensor]


@torch.no_grad()
def edited(way: Way, triples: Triples) -> Tensor:
    """Results (B, 3, S, S), some triples at a time."""
    return torch.cat([way(part) for part in triples.split(16)])


def read(pixels: Tensor) -> Float:
    """Units by both judges' mean, (B, 47)."""
    return torch.cat([units_read(part) for part in torch.split(pixels, 32)]).numpy()


# ---- auswap --------------------------------------------------------------------------------------


def by_estimated_units(method: Learnt) -> Way:
    """Guided by the units that the method reads in the reference, and by nothing else of it."""

    def edit(triples: Triples) -> Tensor:
        units = method.units(method.encode(method.seen(triples.reference)))
        source = method.identity(method.seen(triples.source))
        return method.decode(source, method.from_units(units))

    return edit


def unit_by_unit(found: Float, right: Float, names: list[str]) -> dict[str, Any]:
    """F1 and ICC of each of some units, and their means."""
    column = [facs.INDEX[name] for name in names]
    each = {
        name: {"f1": f1(found[:, k], right[:, k]), "icc": icc(found[:, k], right[:, k])}
        for name, k in zip(names, column, strict=True)
    }
    return {"mean": {k: _mean([one[k] for one in each.values()]) for k in ("f1", "icc")}} | each


def above(
    found: Float, other: Float, right: Float, names: list[str], people: list[str], seed: int
) -> dict[str, list[float]]:
    """95 % intervals of what the means of one way's F1 and ICC are above another's: a percentile
    bootstrap that draws people."""
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(np.asarray(people) == who) for who in sorted(set(people))]
    differences: dict[str, list[float]] = {"f1": [], "icc": []}
    for _ in range(DRAWS):
        some = np.concatenate([rows[k] for k in rng.integers(len(rows), size=len(rows))])
        one, two = (unit_by_unit(r[some], right[some], names)["mean"] for r in (found, other))
        for name, values in differences.items():
            values.append(one[name] - two[name])
    return {
        k: [round(float(v), 4) for v in np.percentile(d, (2.5, 97.5))]
        for k, d in differences.items()
    }


def side_by_side(found: Float, right: Float, pairs: list[tuple[int, int]]) -> dict[str, Any]:
    """Of units shown on one side more than on the other: how often the same side is read as the
    stronger, and the ICC of the difference, over all units' differences at once."""
    differences = np.concatenate([right[:, a] - right[:, b] for a, b in pairs])
    said = np.concatenate([found[:, a] - found[:, b] for a, b in pairs])
    one = np.abs(differences) >= LEAST_DIFFERENCE
    same = float((np.sign(said[one]) == np.sign(differences[one])).mean()) if one.any() else None
    return {"shown": int(one.sum()), "same_side": same, "icc": icc(said, differences)}


def auswap(triples: Triples, seed: int) -> dict[str, Any]:
    """The claim of auswap."""
    free, projected = (network("auswap", project=on) for on in (False, True))
    ways: dict[str, Way] = {
        "nothing": nothing,
        FEATURE: by_reference(free),
        "... projected onto its units (ships)": by_reference(projected),
        ESTIMATED: by_estimated_units(free),
        "the rig": truth,
    }
    right = triples.units.numpy()
    readings = {name: read(edited(way, triples)) for name, way in ways.items()}
    there = (right >= OCCURS).sum(0)
    names = [
        name
        for name in facs.UNITS
        if there[facs.INDEX[name]] >= FEWEST
        and (icc(readings["the rig"][:, facs.INDEX[name]], right[:, facs.INDEX[name]]) or 0) >= SEEN
    ]
    pairs = [
        (facs.INDEX[name], facs.INDEX[f"{name[:-1]}R"])
        for name in names
        if name.endswith("L") and f"{name[:-1]}R" in names
    ]
    return {
        "units": names,
        "ways": {
            name: unit_by_unit(found, right, names)
            | ({"one-sided": side_by_side(found, right, pairs)} if pairs else {})
            for name, found in readings.items()
        },
        f"{FEATURE} above {ESTIMATED}": above(
            readings[FEATURE], readings[ESTIMATED], right, names, list(triples.people), seed
        ),
    }


def _mean(values: list[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return round(sum(known) / len(known), 4) if known else None


# ---- decoupling ----------------------------------------------------------------------------------


def decoupling(triples: Triples) -> dict[str, Any]:
    """The claim of decoupling: faces rebuilt and expressions transferred from codes alone."""
    rows: dict[str, Any] = {}
    right = {"rebuilt": triples.source.pixels, "transferred": triples.truth.pixels}
    for passes in PASSES:
        method = network("decoupling", head="picture", passes=passes)
        ways: dict[str, Way] = {"rebuilt": _itself(method), "transferred": by_reference(method)}
        rows[str(passes)] = {}
        for name, way in ways.items():
            made, asked = edited(way, triples), right[name]
            rows[str(passes)][name] = {
                "frechet_judge_a": round(frechet(seen(made), seen(asked)), 3),
                "ssim": asdict(summarise(ssim(made, asked).tolist(), triples.people)),
            }
    return rows


def _itself(method: Learnt) -> Way:
    def edit(triples: Triples) -> Tensor:
        faces = method.seen(triples.source)
        return method.decode(method.identity(faces), method.encode(faces))

    return edit


# ---- aipgan --------------------------------------------------------------------------------------


def aipgan(
    triples: Triples, weights: tuple[Path, Path], people: LeakageSplit, seed: int
) -> dict[str, Any]:
    """The claim of aipgan, of weights that were trained with attention and without."""
    who = descriptor()
    rows: dict[str, Any] = {}
    for name, path in zip(("with attention", "without"), weights, strict=True):
        method = network("aipgan", path)
        edit: Callable[[TransferTrial], Tensor] = by_reference(method)
        made = edited(edit, triples)
        far = {
            part: summarise(
                who.distance(Faces(made, triples.source.landmarks), faces).tolist(), triples.people
            )
            for part, faces in (("reference", triples.reference), ("source", triples.source))
        }
        named = attack(edit, people, method.size, seed)
        rows[name] = {
            "sha256": digest(path),
            "distance": {part: asdict(found) for part, found in far.items()},
            "reference_named": named.best,
            "times_chance": round(named.best * len(people.references), 3),
        }
    return rows


# ---- tables --------------------------------------------------------------------------------------


def tables(claims: dict[str, Any]) -> dict[str, str]:
    """Method -> its claim as a table of Markdown."""
    written = {
        "auswap": _auswap, "decoupling": _decoupling, "aipgan": _aipgan, "mtss": plain_adain.table,
    }  # fmt: skip
    return {name: written[name](found) for name, found in claims.items()}


def _auswap(found: dict[str, Any]) -> str:
    text = "| expression by | F1 | ICC | one-sided: same side | ICC of the sides' difference |\n"
    text += "| --- " * 5 + "|\n"
    for name, one in found["ways"].items():
        sides = one["one-sided"]
        text += (
            f"| {name} | {one['mean']['f1']:.2f} | {one['mean']['icc']:.2f} "
            f"| {100 * sides['same_side']:.0f} % | {sides['icc']:.2f} |\n"
        )
    return text


def _decoupling(found: dict[str, Any]) -> str:
    heads = [f"{what}: {by}" for what in ("rebuilt", "transferred") for by in ("Fréchet", "SSIM")]
    text = f"| passes | {' | '.join(heads)} |\n" + "| --- " * 5 + "|\n"
    for passes, row in found.items():
        cells = [
            cell
            for one in (row["rebuilt"], row["transferred"])
            for cell in (
                f"{one['frechet_judge_a']:.1f}",
                f"{one['ssim']['mean']:.3f} ({one['ssim']['low']:.3f}..{one['ssim']['high']:.3f})",
            )
        ]
        text += f"| {passes} | {' | '.join(cells)} |\n"
    return text


def _aipgan(found: dict[str, Any]) -> str:
    text = "| weights | distance to the reference | to the source | reference named |\n"
    text += "| --- " * 4 + "|\n"
    for name, one in found.items():
        far = [one["distance"][part] for part in ("reference", "source")]
        cells = [f"{d['mean']:.3f} ({d['low']:.3f}..{d['high']:.3f})" for d in far]
        text += f"| {name} | {' | '.join(cells)} | {one['times_chance']:.2f} times chance |\n"
    return text


def command(
    renders: RendersFolder,
    out: Out,
    split: SplitName = "test",
    count: Annotated[int, typer.Option(help="Triples.")] = 178,
    attention: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="WITH WITHOUT", help="aipgan's weights with attention, and without."),
    ] = None,
    adain: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="MTSS PLAIN", help="mtss's weights with the skip, and without."),
    ] = None,
    seed: Seed = 0,
) -> None:
    """Measure, and write the answer: what ships, or the weights that are named; what an earlier
    run found of other methods stays."""

    def drawn(size: int) -> Triples:
        return draw_triples(renders, split, count, size=size, seed=seed)

    found: dict[str, Any] = {}
    if attention:
        leaked = leakage_split(renders, split, 8, 10, seed)
        size = network("aipgan", attention[0]).size
        found["aipgan"] = aipgan(drawn(size), attention, leaked, seed)
    if adain:
        found["mtss"] = plain_adain.mtss(renders, split, plain_adain.Pair(*adain), count, seed)
    weights = {}
    if not found:
        triples = drawn(network("auswap").size)
        found = {"auswap": auswap(triples, seed), "decoupling": decoupling(triples)}
        weights = {name: records()[name].sha256 for name in found}
    kept = json.loads(out.read_text("utf-8")) if out.is_file() else {}
    by = conditions() | {"split": split, "triples": count, "weights": weights}
    report = {
        "measured": kept.get("measured", {}) | dict.fromkeys(found, by),
        "claims": kept.get("claims", {}) | found,
    }
    write(out, report, say=False)
