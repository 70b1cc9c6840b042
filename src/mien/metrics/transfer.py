"""Expression transfer in depth: every column over triples, and what it gains over leaving faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from mien.judges import Judge
from mien.judges.identity import Descriptor
from mien.methods.base import Method
from mien.metrics.bench import JudgePanel, SectionBench
from mien.metrics.statistics import summarise
from mien.metrics.trials import BATCH
from mien.metrics.triples import Triples, transferred
from mien.types import Expression, Faces


class TransferTrial(Protocol):
    """The reference, the source, and what should come of it."""

    @property
    def source(self) -> Faces[Tensor]: ...
    @property
    def reference(self) -> Faces[Tensor]: ...
    @property
    def truth(self) -> Faces[Tensor]: ...


Editing = Callable[[Triples], Tensor]
"""What is measured: triples -> pictures (B, 3, S, S) in [-1, 1] that should look like the truth."""


@dataclass(frozen=True)
class Row:
    """One triple under one way of editing."""

    person: str
    psnr: float  # dB, whole crop
    face_psnr: float  # dB, inside the face
    ssim: float
    face_ssim: float
    ms_ssim: float
    unit_error: float  # mean over judges and units of |read in the result - read in the truth|
    units_wrong: float  # ... |read in the result - the truth's units|
    emotion_agrees: float  # share of judges that name the same emotion in result and truth
    identity: float  # distance of the result to its source
    to_reference: float  # ... to the photograph whose expression it was
    source_to_reference: float  # the same distance before the edit


def by_reference(method: Method[Any]) -> Callable[[TransferTrial], Tensor]:
    """The method's own transfer: the reference's code, decoded on the source's identity."""

    @torch.no_grad()
    def edit(trial: TransferTrial) -> Tensor:
        code = method.encode(method.seen(trial.reference))
        return _decoded(method, trial.source, code)

    return edit


def by_units(method: Method[Any]) -> Editing:
    """The same, given the units in numbers instead of being shown the reference."""

    @torch.no_grad()
    def edit(triples: Triples) -> Tensor:
        code = method.from_units(method.array(triples.units.numpy()))
        return _decoded(method, triples.source, code)

    return edit


def _decoded(method: Method[Any], source: Faces[Tensor], code: Expression[Any]) -> Tensor:
    return torch.as_tensor(method.decode(method.identity(method.seen(source)), code))


def nothing(triples: Triples) -> Tensor:
    """The unedited source."""
    return triples.source.pixels


def truth(trial: TransferTrial) -> Tensor:
    """The rig itself: what the judges make of the right answer."""
    return trial.truth.pixels


class TransferBench:
    """Triples, measured as every section of the scorecard is (`mien.metrics.bench`)."""

    def __init__(self, triples: Triples, judges: Sequence[Judge], who: Descriptor) -> None:
        self.parts = triples.split(BATCH)
        self.judges = [judge.name for judge in judges]
        section = transferred(self.parts, "reference")
        # whether a face is found in a result is no column here
        self.bench = SectionBench(section, JudgePanel(judges, who, lambda _: True), sets=False)
        self.part_of = dict(zip(map(id, section.trials), self.parts, strict=True))
        descriptors = [
            [who.of(f.pixels, f.landmarks) for f in (t.source, t.reference)] for t in self.parts
        ]
        self.distances = torch.cat([(a - b).norm(dim=1) for a, b in descriptors]).tolist()

    def measure(self, edit: Editing) -> list[Row]:
        """A row per triple."""
        found = self.bench.measure(lambda trial: edit(self.part_of[id(trial)]))
        columns = found.columns
        mean = {
            what: np.mean([columns[f"{what}_{judge}"] for judge in self.judges], 0).tolist()
            for what in ("units", "asked", "emotion")
        }
        after = [far - won for far, won in zip(self.distances, columns["leakage"], strict=True)]
        rows = zip(
            found.people, *(columns[n] for n in ("psnr", "face_psnr", "ssim", "face_ssim")),
            columns["ms_ssim"], mean["units"], mean["asked"], mean["emotion"],
            columns["identity"], after, self.distances, strict=True,
        )  # fmt: skip
        return [Row(person, *(round(float(v), 5) for v in values)) for person, *values in rows]


def summary(rows: Sequence[Row], unedited: Sequence[Row]) -> dict[str, Any]:
    """Every column over the people, and what it gains over leaving the source as it is.

    better_*: share of triples above the unedited source; unit_error_left: error over that of the
    unedited source, of the means.
    """
    people = [row.person for row in rows]
    table, before = ([asdict(r) for r in some] for some in (rows, unedited))
    names = [name for name in table[0] if name != "person"]
    out: dict[str, Any] = {
        name: asdict(summarise([r[name] for r in table], people)) for name in names
    }
    for name in ("psnr", "face_psnr", "ms_ssim"):
        gains = [a[name] - b[name] for a, b in zip(table, before, strict=True)]
        out[f"{name}_gain"] = asdict(summarise(gains, people))
        out[f"better_{name}"] = round(sum(g > 0 for g in gains) / len(gains), 4)
    both = [
        a["psnr"] > b["psnr"] and a["ms_ssim"] > b["ms_ssim"]
        for a, b in zip(table, before, strict=True)
    ]
    out["better_both"] = round(sum(both) / len(both), 4)
    out["unit_error_left"] = round(
        sum(r["unit_error"] for r in table) / sum(r["unit_error"] for r in before), 4
    )
    return out


@torch.no_grad()
def swap_twice(
    method: Method[Any], one: Faces[Tensor], other: Faces[Tensor]
) -> tuple[Tensor, Tensor]:
    """Exchange two batches' expressions, then exchange them back: what should be the photographs.

    The second exchange sees nothing but the first one's results, as a user would do it.
    """
    first, second = _swapped(method, one, other)
    return tuple(f.pixels for f in _swapped(method, first, second))  # type: ignore[return-value]


def _swapped(
    method: Method[Any], one: Faces[Tensor], other: Faces[Tensor]
) -> tuple[Faces[Tensor], Faces[Tensor]]:
    codes = [method.encode(method.seen(faces)) for faces in (one, other)]
    made = [
        _decoded(method, faces, code)
        for faces, code in zip((one, other), reversed(codes), strict=True)
    ]
    return Faces(made[0], one.landmarks), Faces(made[1], other.landmarks)
