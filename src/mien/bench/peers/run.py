"""A peer's training as a folder: `state.safetensors` to go on from, `weights.safetensors` for its
row, `run.json` for how it came about, `log.txt` for what the peer said.
"""

from __future__ import annotations

import io
import json
import platform
import statistics
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mien.bench.peers.base import Peer, PeerMethod, Plan
from mien.bench.peers.checkout import commit_of, digest_of
from mien.bench.peers.feed import Clock, Stopped
from mien.bench.peers.ganimation import GANimation
from mien.bench.peers.hisd import HiSD
from mien.bench.peers.stargan import StarGAN
from mien.bench.peers.starganv2 import StarGANv2
from mien.data.photographs import is_manifest
from mien.errors import ConfigError, TrainingError, WeightsError
from mien.files import replacing
from mien.nn.tensors import named
from mien.training.checkpoint import Counters, load, save, save_tensors
from mien.zoo.records import digest, read_weights

PEERS: dict[str, type[Peer]] = {
    peer.facts.name: peer for peer in (StarGAN, StarGANv2, GANimation, HiSD)
}
STATE, WEIGHTS, RECORD, LOG = "state.safetensors", "weights.safetensors", "run.json", "log.txt"

Progress = Callable[[int, int], None]
"""Hears how many steps are done, and of how many."""


@dataclass(frozen=True)
class Training:
    """What is asked of a peer."""

    peer: str
    root: Path
    """Its checkout."""
    data: Path
    """mien's rig renders, or a folder of aligned photographs with their manifest."""
    plan: Plan
    split: str = "train"
    seed: int = 0
    workers: int = 0
    save_minutes: float = 10.0
    """Time between two states on disk."""
    minutes: float | None = None
    """Stop after this long, with the state on disk; the same training goes on from there."""

    @property
    def facts(self) -> dict[str, Any]:
        """What must be the same for a training to go on."""
        return {
            "peer": self.peer, **asdict(self.plan), "split": self.split, "seed": self.seed,
            "checkout": digest_of(self.root),
            "data": "photographs" if is_manifest(self.data) else "renders",
        }  # fmt: skip


def peer_named(name: str) -> type[Peer]:
    """ConfigError names the peers there are."""
    if name not in PEERS:
        raise ConfigError(f"unknown peer {name!r}: choose from {', '.join(PEERS)}")
    return PEERS[name]


def train(
    asked: Training, out: Path, progress: Progress = lambda *_: None, every: int = 10
) -> dict[str, Any]:
    """Train a peer in folder `out`, from where it stopped; the facts written to `run.json`.

    ConfigError where `out` holds another training, TrainingError where its numbers are lost.
    """
    facts, plan = asked.facts, asked.plan
    _check_same(out, facts)
    out.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with (out / LOG).open("a", encoding="utf-8", buffering=1) as log, redirect_stdout(log):
        torch.manual_seed(asked.seed)
        peer = PEERS[asked.peer](asked.root, plan)
        torch.manual_seed(asked.seed)
        counters, saved = Counters(), [began]
        if (out / STATE).is_file():
            whole = Whole(peer)
            counters, scalars = load(out / STATE, whole, nn.Module(), peer.optimisers)
            torch.set_rng_state(whole.random)
            peer.restore(scalars, counters.batches)
        before, random = counters.seconds, torch.get_rng_state()

        def keep(steps: int) -> None:
            counters.batches, counters.seen = steps, steps * plan.batch
            counters.seconds = before + time.monotonic() - began
            _keep(out / STATE, peer, counters)
            saved.append(time.monotonic())

        def done(steps: int) -> None:
            if steps % every == 0 or steps == plan.steps:
                progress(steps, plan.steps)
            now = time.monotonic()
            late = asked.minutes is not None and now - began > 60 * asked.minutes
            if late or steps == plan.steps or now - saved[-1] > 60 * asked.save_minutes:
                keep(steps)
            if late and steps < plan.steps:
                raise Stopped

        clock = Clock(counters.batches, plan.steps, done)
        # what a peer draws while it prepares must not shift what it draws in training
        clock.begin = lambda: torch.set_rng_state(random)
        if counters.batches < plan.steps:
            try:
                peer.train(clock, asked.data, asked.split, asked.seed, asked.workers)
                clock.finish()
            except Stopped:
                pass
    _write_weights(out / WEIGHTS, peer, facts | {"images": counters.seen})
    record = facts | _measured(asked, counters, clock) | {"weights": digest(out / WEIGHTS)}
    with replacing(out / RECORD) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return record


def finished(asked: Training, out: Path) -> bool:
    """Whether the folder `out` holds a training that has seen all its images."""
    if not (out / RECORD).is_file():
        return False
    known = json.loads((out / RECORD).read_text(encoding="utf-8"))
    return bool(known["steps"] >= asked.plan.steps)


def _check_same(out: Path, facts: dict[str, Any]) -> None:
    if not (out / RECORD).is_file():
        return
    known = json.loads((out / RECORD).read_text(encoding="utf-8"))
    for name, value in facts.items():
        if known.get(name, value) != value:  # older records lack some
            raise ConfigError(
                f"{out} holds a training with {name} {known[name]}, not {value}: "
                "choose another folder"
            )


class Whole(nn.ModuleDict):
    """All nets of a peer, and the state of torch's random numbers: a peer's own loop draws them in
    a row."""

    random: Tensor

    def __init__(self, peer: Peer) -> None:
        super().__init__(peer.nets)
        self.register_buffer("random", torch.get_rng_state())


def _keep(path: Path, peer: Peer, counters: Counters) -> None:
    scalars: Any = peer.scalars()  # a state's extra facts are numbers of any kind
    save(path, Whole(peer), nn.Module(), peer.optimisers, counters, extra=scalars)


def _write_weights(path: Path, peer: Peer, facts: dict[str, Any]) -> None:
    """Half precision: they may have to travel, and a picture has eight bits."""
    shown = nn.ModuleDict({name: peer.nets[name] for name in peer.shown}).state_dict()
    tensors = {k: (v.half() if v.is_floating_point() else v).cpu() for k, v in shown.items()}
    if not all(bool(v.isfinite().all()) for v in tensors.values() if v.is_floating_point()):
        raise TrainingError(f"{peer.facts.name} has lost its numbers: its last state is kept")
    save_tensors(path, tensors, {"training": json.dumps(facts)})


def _measured(asked: Training, counters: Counters, clock: Clock) -> dict[str, Any]:
    facts = PEERS[asked.peer].facts
    return {
        "repository": facts.repository,
        "licence": facts.licence,
        "commit": commit_of(asked.root),
        "tried_with": facts.commit,
        "steps": counters.batches,
        "seen": counters.seen,
        "seconds": round(counters.seconds, 1),
        "milliseconds_an_image": _an_image(clock, asked.plan.batch),
        "machine": f"{platform.machine()}, torch {torch.__version__}, "
        f"{torch.get_num_threads()} threads, {'GPU' if torch.cuda.is_available() else 'CPU'}",
    }


def _an_image(clock: Clock, batch: int) -> dict[str, float]:
    """Mean and median over this run's steps but the first, whose memory is not yet laid out. The
    mean counts: some steps do more than others."""
    out: dict[str, float] = {"steps": max(0, len(clock.taken) - 1)}
    for name, each in zip(("wall", "processor"), zip(*clock.taken[1:], strict=True), strict=False):
        out[f"{name}_mean"] = round(1000 * statistics.fmean(each) / batch, 2)
        out[f"{name}_median"] = round(1000 * statistics.median(each) / batch, 2)
    return out


def quietly(kind: type[Peer], root: Path, plan: Plan) -> Peer:
    """A peer, without the pages that it prints about itself."""
    with redirect_stdout(io.StringIO()):
        return kind(root, plan)


def read(folder: Path, checkouts: Path) -> tuple[PeerMethod, str]:
    """The row of a training, and the SHA-256 of its weights.

    WeightsError where they do not fit the checkout in `checkouts`, AssetMissing without either.
    """
    arrays, metadata = read_weights(folder / WEIGHTS)
    if "training" not in metadata:
        raise WeightsError(f"{folder / WEIGHTS} is no peer's: it does not say how it was trained")
    facts = json.loads(metadata["training"])
    kind = peer_named(facts["peer"])
    plan = Plan(facts["size"], facts["images"], facts["batch"])
    peer = quietly(kind, checkouts / kind.facts.folder, plan)
    try:
        nn.ModuleDict({name: peer.nets[name] for name in kind.shown}).load_state_dict(named(arrays))
    except RuntimeError:
        raise WeightsError(
            f"{folder / WEIGHTS} does not fit the checkout of {kind.facts.name}"
        ) from None
    return peer.row().to("cpu").eval().requires_grad_(False), digest(folder / WEIGHTS)
