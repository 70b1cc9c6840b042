"""Train public GANs by their own code on mien's data, from checkouts that you made.

    git clone https://github.com/yunjey/stargan CHECKOUTS/stargan
    mien rig render --split train -o RENDERS
    python benchmarks/train_peer.py stargan --checkouts CHECKOUTS --data RENDERS \
        --images 65536 -o runs/peers

Each is trained in the folder of its name; `all` are trained one after another, and `--minutes` is
shared out among those that are not through. The same command again goes on where it stopped. See
benchmarks/peers/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from peers.base import Plan
from peers.run import PEERS, RECORD, Progress, Training, finished, peer_named, train

from mien.errors import MienError

ALL = "all"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peers", nargs="+", help=f"{', '.join(PEERS)}, or {ALL}")
    parser.add_argument("--checkouts", type=Path, required=True, help="folder of clones")
    parser.add_argument(
        "--data", type=Path, required=True, help="rig renders, or aligned photographs"
    )
    parser.add_argument("--split", default="train")
    parser.add_argument("--images", type=int, default=65536, help="images that each sees")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures, px")
    parser.add_argument("--batch", type=int, help="images a batch (default: its authors')")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches")
    parser.add_argument("--minutes", type=float, help="stop after this long, all together")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of trainings")
    options = parser.parse_args()
    try:
        records = trained(options)
    except MienError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(json.dumps(records, indent=1))


def trained(options: argparse.Namespace) -> dict[str, Any]:
    """What was asked of each peer, done; its record by its name."""
    names = tuple(PEERS) if ALL in options.peers else tuple(dict.fromkeys(options.peers))
    every = [training(name, options) for name in names]
    waiting = [one for one in every if not finished(one, options.out / one.peer)]
    share = None if options.minutes is None else options.minutes / max(1, len(waiting))
    return {one.peer: _record(one, options.out / one.peer, share) for one in every}


def _record(one: Training, out: Path, minutes: float | None) -> dict[str, Any]:
    """A peer's record: of its training now, or of the one that is over."""
    if finished(one, out):
        found: dict[str, Any] = json.loads((out / RECORD).read_text(encoding="utf-8"))
        return found
    return train(replace(one, minutes=minutes), out, heard(one.peer))


def training(name: str, options: argparse.Namespace) -> Training:
    """The training of one peer; ConfigError names those there are."""
    facts = peer_named(name).facts
    plan = Plan(options.size, options.images, options.batch or facts.batch)
    return Training(
        name, options.checkouts / facts.folder, options.data, plan,
        split=options.split, seed=options.seed, workers=options.workers,
    )  # fmt: skip


def heard(name: str) -> Progress:
    """Says on standard error how far a peer is."""

    def progress(steps: int, total: int) -> None:
        print(f"{name}: step {steps} of {total}", file=sys.stderr, flush=True)

    return progress


if __name__ == "__main__":
    main()
