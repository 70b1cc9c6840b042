"""Whose expression is it? A fresh network looks at results and says, on people never trained on.

    mien rig render --split test -o RENDERS
    mien bench leakage --renders RENDERS -m mtss -m auswap -m aipgan -o out.json

Every emotion of every reference is given to every source. The attacker learns on half of the
sources and is judged on the other half. Two rows check the attack itself: `the rig` takes nothing
but the expression and must stay at chance, `one part in ten of the reference` blends its picture in
and must be caught.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer
from torch import Tensor

from mien.bench.answers import conditions, write
from mien.bench.networks import entered
from mien.bench.options import Methods, Out, RendersFolder, Seed, SplitName
from mien.errors import ConfigError
from mien.metrics.leakage import LeakageTrial, attack, leakage_split
from mien.metrics.report import entrants
from mien.metrics.transfer import by_reference, truth


def blended(trial: LeakageTrial) -> Tensor:
    """The right answer with a tenth of the reference in it: what leaks, for sure."""
    return 0.9 * trial.truth.pixels + 0.1 * trial.reference.pixels


def command(
    renders: RendersFolder,
    methods: Methods,
    out: Out,
    split: SplitName = "test",
    references: Annotated[int, typer.Option(help="People who show expressions.")] = 16,
    sources: Annotated[int, typer.Option(help="People who are edited.")] = 40,
    seed: Seed = 0,
) -> None:
    """Measure, and write the answer."""
    people = leakage_split(renders, split, references, sources, seed)
    edits: dict[str, Callable[[LeakageTrial], Tensor]] = {}
    hashes, sizes = {}, set()
    for one in entrants(methods):
        method = entered(one)
        hashes[one.row] = one.sha256
        sizes.add(method.size)
        edits[one.row] = by_reference(method)
    if len(sizes) != 1:
        raise ConfigError(f"methods of one size only, got {sorted(sizes)}")
    edits |= {"the rig": truth, "one part in ten of the reference": blended}
    table: dict[str, Any] = {}
    for row, edit in edits.items():
        named = attack(edit, people, min(sizes), seed)
        table[row] = asdict(named) | {
            "best": named.best,
            "times_chance": round(named.best * len(people.references), 3),
        }
        print(row, json.dumps(table[row]), flush=True)
    report = {
        **conditions(),
        "split": split,
        "references": len(people.references),
        "sources_to_learn_from": len(people.learn),
        "sources_judged": len(people.test),
        "chance": round(1 / len(people.references), 5),
        "weights": hashes,
        "table": table,
    }
    write(out, report, say=False)
