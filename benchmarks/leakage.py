"""Whose expression is it? A fresh network looks at results and says, on people never trained on.

    mien rig render --split test -o RENDERS
    python benchmarks/leakage.py --renders RENDERS --methods mtss auswap aipgan -o out.json

Every emotion of every reference is given to every source. The attacker learns on half of the
sources and is judged on the other half. Two rows check the attack itself: `the rig` takes nothing
but the expression and must stay at chance, `one part in ten of the reference` blends its picture in
and must be caught.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from learnt import network
from mistakes import or_one_line
from torch import Tensor

from mien.metrics.leakage import LeakageTrial, attack, leakage_split
from mien.metrics.report import entrants, origin
from mien.metrics.transfer import by_reference, truth


def blended(trial: LeakageTrial) -> Tensor:
    return 0.9 * trial.truth.pixels + 0.1 * trial.reference.pixels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renders", type=Path, required=True, help="renders of the test people")
    parser.add_argument("--split", default="test")
    parser.add_argument("--methods", nargs="+", required=True, help="name or name=weights")
    parser.add_argument("--references", type=int, default=16)
    parser.add_argument("--sources", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    people = leakage_split(
        options.renders, options.split, options.references, options.sources, options.seed
    )
    edits: dict[str, Callable[[LeakageTrial], Tensor]] = {}
    hashes, sizes = {}, set()
    for one in entrants(options.methods):
        method = network(one.method, one.weights)
        hashes[one.row] = one.sha256
        sizes.add(method.size)
        edits[one.row] = by_reference(method)
    if len(sizes) != 1:
        sys.exit(f"methods of one size only, got {sorted(sizes)}")
    edits |= {"the rig": truth, "one part in ten of the reference": blended}
    table: dict[str, Any] = {}
    for row, edit in edits.items():
        named = attack(edit, people, min(sizes), options.seed)
        table[row] = asdict(named) | {
            "best": named.best,
            "times_chance": round(named.best * len(people.references), 3),
        }
        print(row, json.dumps(table[row]), flush=True)
    report = {
        **origin(),
        "split": options.split,
        "references": len(people.references),
        "sources_to_learn_from": len(people.learn),
        "sources_judged": len(people.test),
        "chance": round(1 / len(people.references), 5),
        "weights": hashes,
        "table": table,
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    or_one_line(main)
