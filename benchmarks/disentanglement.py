"""What the codes hold, by attack: fresh probes on people the method was never trained on.

    mien rig render --split test -o RENDERS
    python benchmarks/disentanglement.py --renders RENDERS --methods mtss auswap -o out.json

Units are read from the identity code (the first of `Identity.features`: it should tell nothing) and
from the expression code (it should tell all); half of the people teach the probes, the other half
is judged. People are told apart by the expression code: even expressions teach, odd ones are
judged; chance is one over the number of people. No probe sees a person that taught the method.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from learnt import network
from mistakes import or_one_line
from torch import Tensor

from mien.data.loading import Renders, open_renders
from mien.methods.learnt import Learnt
from mien.metrics.probes import read_people, read_units
from mien.metrics.report import entrants, origin
from mien.metrics.triples import faces_of


@torch.no_grad()
def codes(method: Learnt, chosen: list[tuple[Renders, int]]) -> tuple[Tensor, Tensor]:
    """Identity codes (N, ...) and expression codes (N, D), half precision."""
    who, how = [], []
    for start in range(0, len(chosen), 32):
        faces = faces_of(chosen[start : start + 32], method.size)
        who.append(method.identity(faces).features[0].half())
        how.append(method.encode(faces).code.half())
    return torch.cat(who), torch.cat(how)


def attack(method: Learnt, photos: list[Renders], states: int, seed: int) -> dict[str, Any]:
    """All probes of a method's two codes on the people of `photos`."""
    rng = np.random.default_rng([seed, 13])
    people = sorted({p.person for p in photos})
    teachers = set(rng.permutation(people)[: len(people) // 2].tolist())
    number = {person: k for k, person in enumerate(people)}
    chosen = [
        (p, int(s)) for p in photos for s in rng.permutation([s for s in p.still if s > 0])[:states]
    ]
    order = rng.permutation(len(chosen))
    chosen = [chosen[k] for k in order]
    identity, expression = codes(method, chosen)
    units = torch.from_numpy(np.stack([p.units[s] for p, s in chosen]))
    moving = units.std(0) > 0
    teaches = torch.tensor([p.person in teachers for p, _ in chosen])
    person = torch.tensor([number[p.person] for p, _ in chosen])
    # no person's expression is in both halves, and no half has one that the other knows by heart
    even = torch.tensor([p.expression[s] % 2 == 0 for p, s in chosen])
    out: dict[str, Any] = {"faces": len(chosen), "people": len(people)}
    for name, code in (("identity", identity), ("expression", expression)):
        reached = read_units(
            (code[teaches], units[teaches][:, moving]),
            [p.person for p, _ in chosen if p.person in teachers],
            (code[~teaches], units[~teaches][:, moving]),
            seed=seed,
        )
        out[f"units_from_{name}_code"] = asdict(reached) | {"best": reached.best}
    for name, code in (("expression", expression), ("identity", identity)):
        code = code if code.ndim == 2 else torch.nn.functional.adaptive_avg_pool2d(code.float(), 4)
        named = read_people((code[even], person[even]), (code[~even], person[~even]), seed=seed)
        out[f"person_from_{name}_code"] = asdict(named) | {"best": named.best}
    out["person_chance"] = round(1 / len(people), 5)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renders", type=Path, required=True, help="renders of the test people")
    parser.add_argument("--split", default="test")
    parser.add_argument("--methods", nargs="+", required=True, help="name or name=weights")
    parser.add_argument("--states", type=int, default=20, help="expressions a photograph at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    photos = open_renders(options.renders, options.split)
    table: dict[str, Any] = {}
    hashes = {}
    for one in entrants(options.methods):
        method = network(one.method, one.weights)
        hashes[one.row] = one.sha256
        table[one.row] = attack(method, photos, options.states, options.seed)
        print(one.row, json.dumps(table[one.row]), flush=True)
    report = {
        **origin(),
        "split": options.split,
        "weights": hashes,
        "table": table,
    }
    options.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    or_one_line(main)
