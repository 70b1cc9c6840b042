"""What a method's codes hold of people that it never saw: shares of variance, nearest neighbours,
attacks.

Everything is measured on a crossed design: n people, each in the same m expressions. A code that is
about who a face is varies by person alone, one that is about what it shows by expression alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from mien.data.transforms import Geometry, Photometry
from mien.errors import DataError, FaceNotFound
from mien.faces.align import align
from mien.faces.detect import face_of
from mien.methods.learnt import Learnt
from mien.metrics import speech as talk
from mien.metrics.folder import Folder
from mien.metrics.probes import Attack, read_people
from mien.metrics.trials import batches, part
from mien.nn import tensors
from mien.nn.tensors import to_tensor, to_uint8
from mien.types import Faces

SIDE = 128
"""Of the crops, px; methods see them at their own size."""
VIEWS = 8
"""Of each photograph that an attack learns from or is judged by: turned, shifted, zoomed, relit."""
STRENGTH = 0.5
"""Of these changes, of what training pairs get."""
BATCH = 32
NEUTRAL = ("neutral", "mouth shut")
"""Expressions that come first: from them faces are moved."""
Encode: TypeAlias = Callable[[Faces[Tensor]], Tensor]
"""Faces (B) -> codes (B, D)."""


@dataclass(frozen=True)
class Crossed:
    """n people in the same m expressions: faces (n * m), all of the first person first."""

    people: tuple[str, ...]
    expressions: tuple[str, ...]
    faces: Faces[Tensor]

    @property
    def shape(self) -> tuple[int, int]:
        """n, m."""
        return len(self.people), len(self.expressions)

    def of(self, expression: int) -> Faces[Tensor]:
        """Everybody's face (n) in one expression."""
        return self.faces.mapped(lambda values: values[expression :: len(self.expressions)])


def crossed(shown: Mapping[tuple[str, str], Faces[Tensor]]) -> Crossed:
    """The largest crossed part of faces by (person, expression): the expressions for which
    (n - 1)(m - 1) is largest. DataError where no two people share two expressions."""
    every = sorted({what for _, what in shown}, key=lambda what: (what not in NEUTRAL, what))
    most = min(len(every), 10)
    best: tuple[int, list[str], tuple[str, ...]] = (0, [], ())
    for count in range(2, most + 1):
        for some in combinations(every, count):
            people = sorted({p for p, _ in shown if all((p, e) in shown for e in some)})
            size = (len(people) - 1) * (count - 1)
            if size > best[0]:
                best = size, people, some
    _, people, expressions = best
    if not people:
        raise DataError("no two people show the same two expressions: codes cannot be compared")
    rows = [shown[p, e] for p in people for e in expressions]
    faces = Faces(torch.cat([f.pixels for f in rows]), torch.cat([f.landmarks for f in rows]))
    return Crossed(tuple(people), expressions, faces)


def of_folder(folder: Folder) -> Crossed:
    """The photographs of a folder by person and emotion, the first of each; of a spoken corpus its
    frames with the mouth shut, open, and the eyes shut."""
    if talk.is_spoken(folder.place):
        return crossed(_spoken(folder))
    shown: dict[tuple[str, str], Faces[Tensor]] = {}
    for who, records in folder.people.items():
        for record in records:
            if record.emotion is None or (who, record.emotion) in shown:
                continue
            face = folder.face(record, SIDE)
            if face is not None:
                shown[who, record.emotion] = face
    return crossed(shown)


def _spoken(folder: Folder) -> dict[tuple[str, str], Faces[Tensor]]:
    shown: dict[tuple[str, str], Faces[Tensor]] = {}
    for clip in talk.clips(folder.place):
        frames: dict[str, int] = {}
        if talk.OPENING in clip.pairs:
            shut, wide = clip.pairs[talk.OPENING]
            frames |= {"mouth shut": shut, "mouth open": wide}
        if "open eyes to shut" in clip.pairs:
            frames["eyes shut"] = clip.pairs["open eyes to shut"][1]
        for what, number in frames.items():
            if (clip.speaker, what) in shown:
                continue
            pixels = clip.frame(number)
            try:
                crop = align(pixels, face_of(pixels, None), SIDE)
            except FaceNotFound:
                folder.without_face.append(f"{clip.name}, frame {number}")
                continue
            shown[clip.speaker, what] = tensors.faces(Faces.stack([crop]))
    return shown


# ---- codes --------------------------------------------------------------------------------------


@torch.no_grad()
def encoded(encode: Encode, faces: Faces[Tensor]) -> Tensor:
    """Codes (N, D) of faces (N), some at a time."""
    parts = [encode(part(faces, some)) for some in batches(len(faces), BATCH)]
    return torch.cat(parts).float()


def expression_code(method: Learnt) -> Encode:
    """Faces -> what the method transfers, (B, D)."""
    return lambda faces: method.encode(method.seen(faces)).code


def identity_code(method: Learnt, pooled: int | None = None) -> Encode:
    """Faces -> what the method keeps, (B, D): all features of the identity but the face's own
    expression code. Each map is divided by the root of its size, so that none counts by its
    number of cells; `pooled`: maps at that side at most."""

    def encode(faces: Faces[Tensor]) -> Tensor:
        seen = method.seen(faces)
        own = method.encode(seen).code
        kept = []
        for values in method.identity(seen).features:
            if values.shape == own.shape and torch.allclose(values, own, atol=1e-5):
                continue
            if pooled is not None and values.ndim == 4 and values.shape[-1] > pooled:
                values = F.adaptive_avg_pool2d(values, pooled)
            kept.append(values.flatten(1) / values[0].numel() ** 0.5)
        return torch.cat(kept, 1)

    return encode


def pixels_code(side: int) -> Encode:
    """The picture itself at `side` px, (B, 3 * side * side): what codes must be better than."""
    return lambda faces: tensors.at(faces, side).pixels.flatten(1)


# ---- measures -----------------------------------------------------------------------------------


def main_effects(values: Tensor) -> tuple[float, ...]:
    """Shares of the variance of values (a, b, ..., D) that the factors of a balanced design explain
    alone, one for each axis but the last; what is missing to 1 is interaction.

    >>> a, b = torch.tensor([0.0, 2.0]), torch.tensor([0.0, 0.0, 0.0])
    >>> main_effects((a[:, None] + b)[..., None])
    (1.0, 0.0)
    """
    values = values.double()
    axes = range(values.ndim - 1)
    away = values - values.mean(dim=tuple(axes))
    total = float(away.square().sum())
    count = values[..., 0].numel()
    found = []
    for axis in axes:
        others = tuple(k for k in axes if k != axis)
        each = away.mean(dim=others) if others else away
        share = float(each.square().sum()) * count / values.shape[axis]
        found.append(round(share / total, 4) if total > 0 else 0.0)
    return tuple(found)


def by_chance(shape: Sequence[int]) -> tuple[float, ...]:
    """The shares that `main_effects` finds in noise on average: degrees of freedom of each factor
    over all.

    >>> by_chance((2, 3))
    (0.2, 0.4)
    """
    count = int(np.prod(shape))
    return tuple(round((side - 1) / (count - 1), 4) for side in shape)


@dataclass(frozen=True)
class Nearest:
    """Share of faces whose nearest among OTHER people shows the same expression, and whose nearest
    among OTHER expressions is the same person; Euclidean."""

    expression: float
    person: float


def nearest(codes: Tensor, shape: tuple[int, int]) -> Nearest:
    """Of codes (n * m, D); chance is 1 / m for expressions and 1 / n for people."""
    n, m = shape
    who, what = torch.arange(n).repeat_interleave(m), torch.arange(m).repeat(n)
    distances = torch.cdist(codes.double(), codes.double())
    same_person, same_expression = (x[:, None] == x for x in (who, what))
    others = distances.masked_fill(same_person, torch.inf).argmin(1)
    elsewhere = distances.masked_fill(same_expression, torch.inf).argmin(1)
    return Nearest(
        round(float((what[others] == what).float().mean()), 4),
        round(float((who[elsewhere] == who).float().mean()), 4),
    )


def views(faces: Faces[Tensor], count: int = VIEWS, seed: int = 0) -> Faces[Tensor]:
    """Each of faces (N) in `count` views, (N * count), those of the first face first."""
    rng = np.random.default_rng([seed, 23])
    pixels, points = [], []
    for picture, landmarks in zip(to_uint8(faces.pixels), faces.landmarks.numpy(), strict=True):
        for _ in range(count):
            geometry = Geometry.draw(rng, len(picture), len(picture), STRENGTH)
            photometry = Photometry.draw(rng, STRENGTH)
            pixels.append(photometry.apply(geometry.image(picture)))
            points.append(geometry.points(landmarks))
    return Faces(to_tensor(np.stack(pixels)), torch.from_numpy(np.stack(points).astype(np.float32)))


def name_person(codes: Tensor, shape: tuple[int, int], seed: int = 0) -> Attack:
    """How often fresh probes name the person of codes of views (n * m * v, D): each expression is
    judged by probes that learnt the same people from the others. Chance is 1 / n."""
    n, m = shape
    each = len(codes) // (n * m)
    who = torch.arange(n).repeat_interleave(m * each)
    what = torch.arange(m).repeat_interleave(each).repeat(n)
    return _mean(
        [_probed(codes, who, what == left, seed) for left in range(m)],
    )


def name_expression(codes: Tensor, shape: tuple[int, int], seed: int = 0) -> Attack:
    """The same of the expression, on people that taught the probes nothing: each half of the
    people is judged by the other. Chance is 1 / m."""
    n, m = shape
    each = len(codes) // (n * m)
    who = torch.arange(n).repeat_interleave(m * each)
    what = torch.arange(m).repeat_interleave(each).repeat(n)
    drawn = torch.from_numpy(np.random.default_rng([seed, 29]).permutation(n))
    half = torch.isin(who, drawn[: n // 2])
    return _mean([_probed(codes, what, part, seed) for part in (half, ~half)])


def _probed(codes: Tensor, goal: Tensor, judged: Tensor, seed: int) -> Attack:
    order = torch.from_numpy(np.random.default_rng([seed, 31]).permutation(len(codes)))
    learn, test = order[~judged[order]], order[judged[order]]
    return read_people((codes[learn], goal[learn]), (codes[test], goal[test]), seed=seed)


def _mean(found: Sequence[Attack]) -> Attack:
    return Attack(
        round(float(np.mean([a.linear for a in found])), 4),
        round(float(np.mean([a.network for a in found])), 4),
    )


def holds(encode: Encode, data: Crossed, small: Encode | None = None) -> dict[str, Any]:
    """All that is measured of a code; `small`: the code that attacks read, if it is another."""
    n, m = data.shape
    codes = encoded(encode, data.faces)
    by_person, by_expression = main_effects(codes.view(n, m, -1))
    read = encoded(small or encode, views(data.faces))
    person, expression = name_person(read, data.shape), name_expression(read, data.shape)
    return {
        "variance_by_person": by_person,
        "variance_by_expression": by_expression,
        "nearest": asdict(nearest(codes, data.shape)),
        "person_named": asdict(person) | {"best": person.best},
        "expression_named": asdict(expression) | {"best": expression.best},
    }
