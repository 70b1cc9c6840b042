"""mien's data as the batches that each peer's loop expects: the pictures, people, light and turns
that mien's own methods are trained on, renders of the rig or aligned photographs.

Item i of every data set is a function of (seed, i) alone: a peer resumes on the same pictures.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mien import facs
from mien.data.batch import Named, Tensors, collate
from mien.data.loading import RigFaces, RigLabelled, to_tensor
from mien.data.photographs import NamedPhotographs, Photographs, is_manifest
from mien.errors import DataError


@dataclass(frozen=True)
class Move(Tensors):
    """Faces and what they are to be moved to."""

    pixels: Tensor
    """(B, 3, S, S)."""
    units: Tensor
    """(B, 47)."""
    desired: Tensor
    """(B, 47), another face's, each moved by up to 0.1 at random as in the public data set."""


def labelled(folder: Path, split: str, batch: int, *, size: int, seed: int) -> Dataset[Named]:
    """Faces with an emotion and another one to give them, all of `batch` in a row alike, of the
    rig's renders or of photographs. DataError where the emotions are not all shown: every peer is
    made for eight."""
    if not is_manifest(folder):
        return RigLabelled(folder, split, batch, size=size, seed=seed)
    photographs = Photographs(folder, split, size=size, seed=seed)
    lacking = [n for k, n in enumerate(facs.EMOTIONS) if k not in photographs.labelled]
    if lacking:
        raise DataError(f"no faces labelled {', '.join(lacking)} in {folder}, split {split}")
    return NamedPhotographs(photographs, batch)


class Driven(Dataset[Move]):
    """Faces with their action units, and others to be moved to: GANimation's training (sec. 5). Of
    photographs those whose units are all known; DataError where there are none."""

    def __init__(self, folder: Path, split: str, *, size: int, seed: int = 0) -> None:
        self.seed = seed
        self._at: Callable[[int], tuple[Tensor, Tensor]]
        if is_manifest(folder):
            photographs = Photographs(folder, split, size=size, seed=seed)
            units = [r.units for r in photographs.records]
            coded = [k for k, u in enumerate(units) if u is not None and np.isfinite(u).all()]
            if not coded:
                raise DataError(f"no action units in {folder}, split {split}")
            self.known = np.stack([np.asarray(units[k]) for k in coded])

            def photograph(i: int) -> tuple[Tensor, Tensor]:
                rng = np.random.default_rng((seed, i, 3))
                found = photographs.photograph(int(rng.choice(coded)), rng)
                return to_tensor(found.pixels), torch.from_numpy(found.units)

            self._at = photograph
        else:
            faces = RigFaces(folder, split, size=size, seed=seed)
            self.known = np.stack([faces.photos[s].units[state] for s, state in faces.faces])
            self._at = lambda i: faces[i][:2]

    def __len__(self) -> int:
        return 2**31  # a stream: the budget in images ends it

    def __getitem__(self, i: int) -> Move:
        pixels, units = self._at(i)
        rng = np.random.default_rng((self.seed, i, 4))
        other = self.known[int(rng.integers(len(self.known)))]
        desired = other + rng.uniform(-0.1, 0.1, len(other))
        return Move(pixels, units, torch.from_numpy(desired.astype(np.float32)))


def batches(
    data: Dataset[Any], size: int, first: int, last: int, workers: int = 0
) -> Iterator[Any]:
    """Batches `first` to `last` of a stream; torch's global random state is left alone."""
    places = [list(range(k * size, (k + 1) * size)) for k in range(first, last)]
    own = torch.Generator()
    loader = DataLoader(
        data, batch_sampler=places, num_workers=workers, generator=own, collate_fn=collate
    )
    return iter(loader)


class Stopped(Exception):
    """Time is up: raised where a peer asks for its next batch."""


class Clock:
    """Counts a peer's steps by the batches that it asks for.

    A peer's loop cannot be asked to save or to stop; but when it asks for batch k + 1, its step k
    is done.
    """

    def __init__(self, first: int, last: int, done: Callable[[int], None]) -> None:
        self.first, self.last, self.steps = first, last, first
        self.done = done
        self.taken: list[tuple[float, float]] = []
        """Seconds of each step in this run, by the wall and of the processor; its batch's making
        is in it."""
        self.stopped = False
        self.begin: Callable[[], None] = lambda: None
        """Called once, before the first batch is made."""
        self._began = (0.0, 0.0)

    def __iter__(self) -> Iterator[int]:
        for step in range(self.steps, self.last):
            if self.stopped:  # StarGAN's loop catches what the first call raises, and asks again
                raise Stopped
            if step == self.first:
                self.begin()
            self._began = time.perf_counter(), time.process_time()
            yield step
            self.tick()

    def finish(self) -> None:
        """A peer's loop is over: its last step was followed by no question."""
        if self.steps < self.last:
            self.tick()

    def tick(self) -> None:
        """A step is over; `done` hears how many are and may raise `Stopped`."""
        wall, processor = self._began
        self.taken.append((time.perf_counter() - wall, time.process_time() - processor))
        self.steps += 1
        try:
            self.done(self.steps)
        except Stopped:
            self.stopped = True
            raise


class Loader:
    """What a peer's loop takes for its data loader: each pass asks the clock for the next steps.

    warm: batches handed out before the clock starts, which a peer keeps to draw samples from.
    """

    def __init__(self, clock: Clock, make: Callable[[int], Iterator[Any]], warm: int = 0) -> None:
        self.clock, self.make, self.warm = clock, make, warm

    def __iter__(self) -> Iterator[Any]:
        if not self.clock.stopped:
            for _, batch in zip(range(self.warm), self.make(0), strict=False):
                yield batch
        made = self.make(self.clock.steps)
        for _ in self.clock:
            yield next(made)
