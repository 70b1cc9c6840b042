"""Expression transfer against pixel truth, and against judges that no method was trained by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from mien.judges import Judge, Reading
from mien.judges.identity import Descriptor
from mien.judges.networks import SIZE
from mien.methods.base import Method
from mien.metrics.pixel import face_mask, ms_ssim, psnr, ssim
from mien.metrics.statistics import summarise
from mien.metrics.triples import Triples
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
    """Triples with all that is known of them before anybody edits."""

    def __init__(self, triples: Triples, judges: Sequence[Judge], who: Descriptor) -> None:
        self.judges, self.who = judges, who
        self.parts = triples.split(16)
        self.right = [[_read(judge, t.truth.pixels) for judge in judges] for t in self.parts]
        self.people = [
            tuple(who.of(f.pixels, f.landmarks) for f in (t.source, t.reference))
            for t in self.parts
        ]

    def measure(self, edit: Editing) -> list[Row]:
        """A row per triple."""
        return [row for k in range(len(self.parts)) for row in self._rows(edit, k)]

    def _rows(self, edit: Editing, k: int) -> list[Row]:
        t, (source, reference) = self.parts[k], self.people[k]
        made, right = edit(t), t.truth.pixels
        size = right.shape[-1]
        face = torch.maximum(*(face_mask(f.landmarks, size) for f in (t.source, t.truth)))
        looks = list(zip((_read(j, made) for j in self.judges), self.right[k], strict=True))
        off = torch.stack([(a.units - b.units).abs().mean(1) for a, b in looks]).mean(0)
        wrong = torch.stack([(a.units - t.units).abs().mean(1) for a, _ in looks]).mean(0)
        same = torch.stack([a.emotions.argmax(1) == b.emotions.argmax(1) for a, b in looks])
        result = self.who.of(made, t.source.landmarks)
        columns = (
            psnr(made, right), psnr(made, right, face), ssim(made, right), ssim(made, right, face),
            ms_ssim(made, right), off, wrong, same.float().mean(0), (result - source).norm(dim=1),
            (result - reference).norm(dim=1), (source - reference).norm(dim=1),
        )  # fmt: skip
        return [
            Row(person, *(round(float(v), 5) for v in values))
            for person, *values in zip(t.people, *columns, strict=True)
        ]


def _read(judge: Judge, pixels: Tensor) -> Reading:
    """What a judge reads in crops of any size."""
    if pixels.shape[-1] != SIZE:
        pixels = F.interpolate(pixels, size=SIZE, mode="bicubic", antialias=True).clamp(-1, 1)
    return judge.read(pixels)


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
