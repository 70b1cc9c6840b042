"""What faces drawn by a method's own head show, judged from outside: dlib's descriptor says who,
the blendshapes of MediaPipe's landmarker say what.

Sources, the people whom references show, and expressions are crossed, so each judge's variance has
a share for each; then codes are exchanged between people (swap) and replaced by the average of
everybody's (lesion). A picture head draws from codes alone; a composing one moves the photograph.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mien import facs
from mien.errors import ConfigError, FaceNotFound
from mien.judges.identity import SIZE, Descriptor
from mien.judges.landmarker import Landmarker
from mien.methods.learnt import Learnt
from mien.metrics.codes import BATCH, Crossed, main_effects
from mien.metrics.trials import batches, part
from mien.nn.tensors import at, to_uint8
from mien.sheet import sheet
from mien.types import Expression, Faces, Identity, UInt8

REFERENCES = 2
"""People whose expressions are given to all others."""
LABELLED = 6
"""People who are given all labels, at most."""
AROUND = 0.25
"""What is put around a crop for the landmarker, which looks for whole heads: of its side."""


@dataclass(frozen=True)
class Outsiders:
    """The two judges."""

    who: Descriptor
    what: Landmarker

    def people(self, faces: Faces[Tensor]) -> Tensor:
        """dlib's descriptors (N, 128)."""
        return self.who.of(faces.pixels, faces.landmarks)

    def shapes(self, faces: Faces[Tensor]) -> Tensor:
        """Blendshapes (N, 51), NaN where the landmarker finds no face."""
        rows = []
        for picture in to_uint8(at(faces, SIZE).pixels):
            edge = round(AROUND * SIZE)
            framed = np.pad(picture, ((edge, edge), (edge, edge), (0, 0)), mode="edge")
            try:
                rows.append(np.array(list(self.what.see(framed).named.values()), np.float32))
            except FaceNotFound:
                rows.append(np.full(51, np.nan, np.float32))
        return torch.from_numpy(np.stack(rows))

    def both(self, faces: Faces[Tensor]) -> Seen:
        """What each sees in faces (N)."""
        return Seen(self.people(faces), self.shapes(faces))


@dataclass(frozen=True)
class Seen:
    """Descriptors (N, 128) and blendshapes (N, 51)."""

    who: Tensor
    what: Tensor

    def at(self, places: Sequence[int]) -> Seen:
        """Of some of the faces."""
        return Seen(self.who[list(places)], self.what[list(places)])


def alone(method: Learnt) -> bool:
    """Whether the method's own head draws from codes alone, with none of the source's pixels."""
    return str(getattr(method.architecture, "head", "")) == "picture"


@torch.no_grad()
def draw(
    method: Learnt, sources: Faces[Tensor], code: Tensor, identity: Identity[Tensor] | None = None
) -> Faces[Tensor]:
    """The faces `sources` (N) under expression codes (N, D); `identity`: somebody else's (N)."""
    seen = method.seen(sources)
    made = []
    for some in batches(len(seen), BATCH):
        who = method.identity(part(seen, some)) if identity is None else _part(identity, some)
        made.append(method.decode(who, Expression(code[some])).clamp(-1, 1))
    return Faces(torch.cat(made), seen.landmarks)


def _part(identity: Identity[Tensor], some: slice) -> Identity[Tensor]:
    return Identity(part(identity.source, some), tuple(f[some] for f in identity.features))


def average(method: Learnt, faces: Faces[Tensor]) -> Identity[Tensor]:
    """The identity of nobody, as often as there are faces: all features, and the pixels that a
    composing head moves, are the mean of everybody's."""
    seen = method.seen(faces)

    def mean(values: Tensor) -> Tensor:
        return values.mean(0, keepdim=True).expand_as(values)

    features = method.identity(seen).features
    return Identity(seen.mapped(mean), tuple(mean(f) for f in features))


def _rows(shapes: Tensor) -> Tensor:
    """Of (a, ...) blendshapes the rows in which every face was seen."""
    return shapes[~shapes.flatten(1).isnan().any(1)]


def _effects(values: Tensor, names: Sequence[str]) -> dict[str, float] | None:
    kept = _rows(values)
    if len(kept) < 2:
        return None
    return dict(zip(names, main_effects(kept), strict=True))


def references_and_sources(data: Crossed, known: Seen) -> tuple[list[int], list[int]]:
    """Who are references, and who are sources: references are the people whose expressions the
    landmarker sees change most from their first, for a face that hardly moves shows nothing."""
    n, m = data.shape
    shapes = known.what.view(n, m, -1)
    moved = (shapes - shapes[:, :1]).norm(dim=-1).sum(1).nan_to_num(-1.0)
    count = min(REFERENCES, n - 2)
    if count < 1:
        raise ConfigError("three people are the least: two sources and somebody to refer to")
    order = moved.argsort(descending=True).tolist()
    return sorted(order[:count]), sorted(order[count:])


def by_reference(method: Learnt, data: Crossed, judges: Outsiders, known: Seen) -> dict[str, Any]:
    """Everybody's first expression under each expression of `REFERENCES` others, who are no
    sources; `known`: what the judges see in the photographs. `expression_left`: distance of the
    blendshapes to the reference's, over that of the source's own,
    median where the two show different expressions: 1 is nothing done."""
    _, m = data.shape
    givers, takers = references_and_sources(data, known)
    count = len(givers)
    first = data.of(0).mapped(lambda v: v[takers])
    wanted = torch.tensor([g * m + e for g in givers for e in range(m)])
    references = data.faces.mapped(lambda v: v[wanted])
    with torch.no_grad():
        codes = method.encode(method.seen(references)).code
    each = len(wanted)
    sources = first.mapped(lambda v: v.repeat_interleave(each, 0))
    made = draw(method, sources, codes.repeat(len(takers), 1))
    who, what = judges.people(made), judges.shapes(made)
    own, reference = known.at([t * m for t in takers]), known.at(wanted.tolist())
    grid = (len(takers), count, m)
    distance = (who.view(len(takers), each, -1) - own.who[:, None]).norm(dim=-1)
    other = (who.view(len(takers), each, -1) - reference.who).norm(dim=-1)
    shown = what.view(len(takers), each, -1)
    to_reference = (shown - reference.what).norm(dim=-1)
    to_source = (shown - own.what[:, None]).norm(dim=-1)
    between = (own.what[:, None] - reference.what).norm(dim=-1)
    changed = (torch.arange(each) % m != 0).expand_as(to_reference)
    seen = ~(to_reference.isnan() | between.isnan())
    asked = changed & seen
    names = ("source", "reference", "expression")
    return {
        "sources": len(takers),
        "references": count,
        "expressions": m,
        "seen_by_landmarker": int((~what.isnan().any(1)).sum()),
        "of": len(what),
        "who": _effects(who.view(*grid, -1), names),
        "what": _effects(what.view(*grid, -1), names),
        "identity_distance": round(float(distance.median()), 4),
        "distance_to_reference": round(float(other.median()), 4),
        "swap_who_is_the_sources": round(float((distance < other).float().mean()), 4),
        "swap_what_is_the_references": _mean((to_reference < to_source)[asked]),
        "expression_left": _median((to_reference / between)[asked]),
    }


def by_label(method: Learnt, data: Crossed, judges: Outsiders, known: Seen) -> dict[str, Any]:
    """The first expression of `LABELLED` people under all eight labels."""
    n, m = min(LABELLED, data.shape[0]), data.shape[1]
    first = data.of(0).mapped(lambda v: v[:n])
    with torch.no_grad():
        codes = method.from_labels(torch.arange(len(facs.EMOTIONS))).code
    sources = first.mapped(lambda v: v.repeat_interleave(len(codes), 0))
    made = draw(method, sources, codes.repeat(n, 1))
    who, what = judges.people(made), judges.shapes(made)
    own = known.at([k * m for k in range(n)])
    distance = (who.view(n, len(codes), -1) - own.who[:, None]).norm(dim=-1)
    return {
        "people": n,
        "labels": len(codes),
        "seen_by_landmarker": int((~what.isnan().any(1)).sum()),
        "of": len(what),
        "who": _effects(who.view(n, len(codes), -1), ("source", "label")),
        "what": _effects(what.view(n, len(codes), -1), ("source", "label")),
        "identity_distance": round(float(distance.median()), 4),
    }


def lesions(method: Learnt, data: Crossed, judges: Outsiders, known: Seen) -> dict[str, Any]:
    """Every face from its own codes, with everybody's average identity, with everybody's average
    expression; the first row are the photographs themselves. Distances are to the photographs."""
    n, m = data.shape
    with torch.no_grad():
        own = method.encode(method.seen(data.faces)).code
    mean = own.mean(0, keepdim=True).expand_as(own)
    rows: Mapping[str, Faces[Tensor]] = {
        "own codes": draw(method, data.faces, own),
        "average identity": draw(method, data.faces, own, average(method, data.faces)),
        "average expression": draw(method, data.faces, mean),
    }
    found: dict[str, Any] = {}
    for name, seen in (
        ("photographs", known),
        *((name, judges.both(faces)) for name, faces in rows.items()),
    ):
        who, what = seen.who, seen.what
        found[name] = {
            "who": _effects(who.view(n, m, -1), ("person", "expression")),
            "what": _effects(what.view(n, m, -1), ("person", "expression")),
            "identity_distance": _median((who - known.who).norm(dim=1)),
            "expression_distance": _median((what - known.what).norm(dim=1)),
            "seen_by_landmarker": int((~what.isnan().any(1)).sum()),
        }
    return found


def grid(method: Learnt, data: Crossed, known: Seen, people: int = 6) -> UInt8:
    """A sheet: people at the left under the expressions of others, who stand above."""
    _, m = data.shape
    givers, takers = references_and_sources(data, known)
    takers = takers[:people]
    wanted = torch.tensor([g * m + e for e in range(m) for g in givers])
    references = data.faces.mapped(lambda v: v[wanted])
    with torch.no_grad():
        codes = method.encode(method.seen(references)).code
        first = data.of(0).mapped(lambda v: v[takers])
        own = method.encode(method.seen(first)).code
        named = method.from_labels(torch.arange(1, len(facs.EMOTIONS))).code
    white = np.full((SIZE // 2, SIZE // 2, 3), 255, np.uint8)

    def small(faces: Faces[Tensor]) -> list[UInt8]:
        return list(to_uint8(at(faces, SIZE // 2).pixels))

    top = [white, white, *small(references)]
    photographs, rebuilt = small(first), small(draw(method, first, own))
    columns = [
        small(draw(method, first, code[None].expand(len(takers), -1))) for code in (*codes, *named)
    ]
    rows = [
        [photographs[k], rebuilt[k], *(column[k] for column in columns)] for k in range(len(takers))
    ]
    titles = ["source", "own codes"] + [data.expressions[e] for e in range(m) for _ in givers]
    return sheet([top, *rows], [*titles, *facs.EMOTIONS[1:]])


def _mean(values: Tensor) -> float | None:
    return round(float(values.float().mean()), 4) if len(values) else None


def _median(values: Tensor) -> float | None:
    values = values[~values.isnan()]
    return round(float(values.median()), 4) if len(values) else None
