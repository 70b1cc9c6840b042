"""The scorecard of every row in one table: doing nothing, the rig, mien's methods, public peers.

    mien rig render --split test -o RENDERS
    mien bench quality --renders RENDERS --runs runs/peers --checkouts CHECKOUTS -o OUT

Methods: those that ship, or what `-m` names. Peers: every training in `--runs`. What cannot
be measured is listed with the reason. The same command again goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.bench.options import Limit, OutFolder, RendersFolder, Seed, SplitName, there
from mien.bench.peers import liveportrait
from mien.bench.peers.base import PeerMethod
from mien.bench.peers.checkout import digest_of
from mien.bench.peers.run import PEERS, RECORD, read
from mien.errors import AssetMissing, MienError
from mien.methods.registry import METHODS
from mien.metrics import report
from mien.metrics.bench import JudgePanel
from mien.metrics.protocols import PROTOCOLS, Setting, check
from mien.metrics.scorecard import Contestant, score
from mien.zoo import data_home
from mien.zoo.records import records

ADAPTERS = Path(__file__).parent


@dataclass
class Rows:
    """Peers that take part, what their results depend on, and why others do not."""

    contestants: list[Contestant] = field(default_factory=list)
    trained: dict[str, Any] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, peer: PeerMethod, weights: str, facts: Any) -> None:
        # a line is kept for the same weights, run by the same code: theirs and its adapter's
        self.contestants.append(Contestant(name, peer.editing(), weights, peer.cannot))
        self.trained[name] = facts


def peer_rows(runs: Path | None, checkouts: Path | None, size: int) -> Rows:
    """Every training in `runs` that was made at `size`, and LivePortrait where its weights are."""
    rows = Rows()
    for place in sorted(runs.glob(f"*/{RECORD}")) if runs else ():
        facts = json.loads(place.read_text(encoding="utf-8"))
        kind = facts["peer"]
        name = kind if place.parent.name == kind else f"{kind} ({place.parent.name})"
        if facts["seen"] < facts["images"]:
            name += f" after {facts['seen']} of {facts['images']} images"
        try:
            if facts["size"] != size:
                raise AssetMissing(f"trained at {facts['size']} px; this table is of {size} px")
            if checkouts is None:
                raise AssetMissing("its code is needed too: say --checkouts FOLDER")
            peer, weights = read(place.parent, checkouts)
            home = checkouts / PEERS[kind].facts.folder
            rows.add(name, peer, depends_on(weights, home), facts)
        except MienError as error:
            rows.skipped[name] = str(error)
    for name in PEERS:
        if not any(row.partition(" ")[0] == name for row in (*rows.trained, *rows.skipped)):
            rows.skipped[name] = f"not trained in {runs}" if runs else "no --runs given"
    add_liveportrait(rows, checkouts, size)
    return rows


def add_liveportrait(rows: Rows, checkouts: Path | None, size: int) -> None:
    """Its row, or why there is none."""
    name, home = liveportrait.FACTS.name, liveportrait.FACTS.folder
    try:
        if checkouts is None:
            raise AssetMissing("its code is needed: say --checkouts FOLDER")
        weights = checkouts / home / "safetensors"
        peer = liveportrait.read(checkouts / home, weights, size)
    except MienError as error:
        rows.skipped[name] = str(error)
        return
    known = hashlib.sha256(b"".join(p.read_bytes() for p in sorted(weights.glob("*.safetensors"))))
    rows.add(name, peer, depends_on(known.hexdigest(), checkouts / home), "its own weights")


def depends_on(weights: str, checkout: Path) -> str:
    """SHA-256 of all that a peer's results depend on beside mien."""
    parts = (weights, digest_of(checkout), digest_of(ADAPTERS))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()


@dataclass(frozen=True)
class Asked:
    """What is measured, on whom, and where it goes: the command's options."""

    renders: Path
    out: Path
    methods: Sequence[str] | None = None
    runs: Path | None = None
    checkouts: Path | None = None
    protocol: Sequence[str] | None = None
    inception: Path | None = None
    limit: int | None = None
    split: str = "test"
    seed: int = 0


def measure(asked: Asked) -> tuple[dict[str, Any], Mapping[str, Any]]:
    """What is known of the table, and the table."""
    named = report.entrants(asked.methods or [name for name in METHODS if name in records()])
    contestants, size = report.contestants(named)
    rows = peer_rows(asked.runs, asked.checkouts, size)
    chosen = report.protocols(asked.protocol)
    split = report.split(asked.split)
    setting = Setting(asked.renders, data_home(), split, asked.limit, asked.seed, size)
    check(chosen, setting)
    panel = JudgePanel.standing(asked.inception)
    everyone = [*contestants, *rows.contestants]
    sections = score(everyone, chosen, setting, panel, asked.out / "lines", progress)
    about = report.facts(named, setting, panel)
    about["weights"] |= {row.name: row.weights for row in rows.contestants}
    return about | {"peers": rows.trained, "skipped": rows.skipped}, sections


def progress(what: str, done: int, total: int) -> None:
    """Says on standard error how far a section is."""
    print(f"\r{what}: {done} of {total}", end="\n" if done == total else "", file=sys.stderr)


def written(out: Path, about: Mapping[str, Any], sections: Mapping[str, Any]) -> None:
    """quality.json, quality.md, short.json and short.md in `out`."""
    reasons = [f"- {name}: {reason}\n" for name, reason in about["skipped"].items()]
    notes = "\nNot measured:\n\n" + "".join(reasons) if reasons else ""
    report.write_quality(out, about, sections, "quality", notes)


def command(
    renders: RendersFolder,
    out: OutFolder,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="NAME or NAME=WEIGHTS; repeat (default: what ships)."),
    ] = None,
    runs: Annotated[
        Path | None, typer.Option(callback=there, help="Folder of peers' trainings.")
    ] = None,
    checkouts: Annotated[
        Path | None, typer.Option(callback=there, help="Folder of clones of their code.")
    ] = None,
    protocol: Annotated[
        list[str] | None, typer.Option(help=f"{', '.join(PROTOCOLS)}; repeat (default: all).")
    ] = None,
    inception: Annotated[
        Path | None, typer.Option(help="Its weights: `mien bench features inception`.")
    ] = None,
    limit: Limit = None,
    split: SplitName = "test",
    seed: Seed = 0,
) -> None:
    """Measure, and write the answer."""
    asked = Asked(renders, out, methods, runs, checkouts, protocol, inception, limit, split, seed)
    about, sections = measure(asked)
    written(out, about, sections)
    print(out / "quality.md")
