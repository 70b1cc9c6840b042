"""Train public GANs by their own code on mien's data, from checkouts that you made.

    git clone https://github.com/yunjey/stargan CHECKOUTS/stargan
    mien rig render --split train -o RENDERS
    mien bench train-peer stargan --checkouts CHECKOUTS --data RENDERS \
        --images 65536 -o runs/peers

Each is trained in the folder of its name; `all` are trained one after another, and `--minutes` is
shared out among those that are not through. The same command again goes on where it stopped. See
benchmarks/peers/README.md.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.bench.options import Seed, SplitName, folder, there
from mien.bench.peers.base import Plan
from mien.bench.peers.run import PEERS, RECORD, Progress, Training, finished, peer_named, train

ALL = "all"


def trained(every: Sequence[Training], out: Path, minutes: float | None = None) -> dict[str, Any]:
    """What was asked of each peer, done; its record by its name. `minutes` are shared out among
    those that are not through."""
    waiting = [one for one in every if not finished(one, out / one.peer)]
    share = None if minutes is None else minutes / max(1, len(waiting))
    return {one.peer: _record(one, out / one.peer, share) for one in every}


def _record(one: Training, out: Path, minutes: float | None) -> dict[str, Any]:
    """A peer's record: of its training now, or of the one that is over."""
    if finished(one, out):
        found: dict[str, Any] = json.loads((out / RECORD).read_text(encoding="utf-8"))
        return found
    return train(replace(one, minutes=minutes), out, heard(one.peer))


def heard(name: str) -> Progress:
    """Says on standard error how far a peer is."""

    def progress(steps: int, total: int) -> None:
        print(f"{name}: step {steps} of {total}", file=sys.stderr, flush=True)

    return progress


def command(
    peers: Annotated[
        list[str], typer.Argument(metavar="PEER", help=f"{', '.join(PEERS)}, or {ALL}.")
    ],
    checkouts: Annotated[Path, typer.Option(callback=there, help="Folder of clones.")],
    data: Annotated[
        Path, typer.Option(callback=there, help="Rig renders, or aligned photographs.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", callback=folder, help="Folder of trainings.")],
    split: SplitName = "train",
    images: Annotated[int, typer.Option(min=1, help="Images that each sees.")] = 65536,
    size: Annotated[int, typer.Option(min=16, help="Side of the pictures, px.")] = 128,
    batch: Annotated[
        int | None, typer.Option(min=1, help="Images a batch (default: its authors').")
    ] = None,
    seed: Seed = 0,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make batches.")] = 0,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after this long, all together.")
    ] = None,
) -> None:
    """Train them, and say how it went."""
    every = []
    for name in PEERS if ALL in peers else dict.fromkeys(peers):
        facts = peer_named(name).facts
        plan = Plan(size, images, batch or facts.batch)
        every.append(
            Training(
                name, checkouts / facts.folder, data, plan,
                split=split, seed=seed, workers=workers,
            )
        )  # fmt: skip
    print(json.dumps(trained(every, out, minutes), indent=1))
