"""Train a public GAN by its own code on mien's renders, from a checkout that you made.

    git clone https://github.com/yunjey/stargan CHECKOUTS/stargan
    mien rig render --split train -o RENDERS
    python benchmarks/train_peer.py stargan --checkouts CHECKOUTS --renders RENDERS \
        --images 65536 -o runs/peers/stargan

The same command again goes on where it stopped. See benchmarks/peers/README.md.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from peers.base import Plan
from peers.run import PEERS, Training, peer_named, train

from mien.errors import MienError


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", help=", ".join(PEERS))
    parser.add_argument("--checkouts", type=Path, required=True, help="folder of clones")
    parser.add_argument("--renders", type=Path, required=True, help="rig renders")
    parser.add_argument("--split", default="train")
    parser.add_argument("--images", type=int, default=65536, help="images to be seen")
    parser.add_argument("--size", type=int, default=128, help="side of the pictures, px")
    parser.add_argument("--batch", type=int, help="images a batch (default: its authors')")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches")
    parser.add_argument("--minutes", type=float, help="stop after this long")
    parser.add_argument("-o", "--out", type=Path, required=True, help="folder of the training")
    options = parser.parse_args()
    try:
        facts = peer_named(options.peer).facts
        asked = Training(
            options.peer, options.checkouts / facts.folder, options.renders,
            Plan(options.size, options.images, options.batch or facts.batch),
            split=options.split, seed=options.seed, workers=options.workers,
            minutes=options.minutes,
        )  # fmt: skip
        record = train(asked, options.out, progress)
    except MienError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    print(json.dumps(record, indent=1))


def progress(steps: int, total: int) -> None:
    print(f"step {steps} of {total}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
