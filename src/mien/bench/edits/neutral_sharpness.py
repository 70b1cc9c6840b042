"""How sharp is a smile that is taken away, beside the same people's real faces at rest?

    mien bench neutral-sharpness -o benchmarks/results/neutral_sharpness.json

`neutral` is asked of London people's smiling photographs; the same people's neutral ones say what
is lost by closing a mouth (teeth have sharp edges) and what is gained by opening eyes. The measure
is that of `mien bench checks`, squared Laplacian, summed over parts of the face at rest and in the
smile, by dlib's points, in units of the distance of the outer eye corners: sums, for parts change
their size. Ratios are to the smile, medians over people; "toothy": smiles whose lips are apart.
`--side`: the photographs' height, px (768 is theirs; Congress faces are as large as at 300).
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

import mien
from mien.bench.answers import conditions, write
from mien.bench.edits import checks as first_light
from mien.bench.options import Limit, Out, SplitName
from mien.data.split import split_of
from mien.errors import DataError
from mien.guides import Label
from mien.images import Photo, read
from mien.metrics.report import split as checked_split
from mien.zoo import data_home

PARTS = {
    "brows": slice(17, 27),
    "right eye": slice(36, 42),
    "left eye": slice(42, 48),
    "nose": slice(27, 36),
    "mouth": slice(48, 60),
}
ROOM = 0.05
"""What belongs to a part around its points, in distances of the outer eye corners."""
PARTED = 0.03
"""Gap of the lips, in the same, from which a smile is toothy."""


def energies(pixels: NDArray[np.uint8], points: first_light.Points) -> dict[str, float]:
    """Squared Laplacian of a photograph (H, W, 3), summed over the face, its parts, and the skin
    between them, per squared distance of the outer eye corners."""
    edges = cv2.Laplacian(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.CV_64F) ** 2
    unit = first_light.unit(points)

    def hull(some: first_light.Points) -> NDArray[np.bool_]:
        mask = np.zeros(edges.shape, np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(some.astype(np.int32)), (1,))
        return mask > 0

    face = hull(points)
    rest, out = face.copy(), {"face": float(edges[face].sum())}
    room = np.ones((2 * round(ROOM * unit) + 1,) * 2, np.uint8)
    for name, part in PARTS.items():
        near = (cv2.dilate(hull(points[part]).astype(np.uint8), room) > 0) & rest
        out[name], rest = float(edges[near].sum()), rest & ~near
    out["skin"] = float(edges[rest].sum())
    return {name: value / unit**2 for name, value in out.items()}


def at_side(photo: Photo, side: int) -> Photo:
    """The photograph reduced to a height of `side` px; one that is smaller is left as it is."""
    times = side / len(photo.pixels)
    if times >= 1:
        return photo
    pixels = cv2.resize(photo.pixels, None, fx=times, fy=times, interpolation=cv2.INTER_AREA)
    return replace(photo, pixels=np.asarray(pixels, np.uint8))


def measured(split: str, side: int, limit: int | None) -> list[dict[str, Any]]:
    """Per person, the lips' gap in the smile and `energies` of it, of the real rest, and of the
    smile taken away."""
    home, judge, editor = data_home() / "london", first_light.Judge(), mien.Editor(mien.load())
    rows = []
    found = sorted((home / "neutral_front").glob("*_03.jpg"))
    people = [p.stem[:3] for p in found if split_of(f"london/{p.stem[:3]}") == split]
    for person in people[:limit]:
        smile = at_side(read(home / "smiling_front" / f"{person}_08.jpg"), side)
        neutral = at_side(read(home / "neutral_front" / f"{person}_03.jpg"), side)
        box = judge.box(smile.pixels)
        made = editor.edit(smile, Label("neutral")).pixels
        smiling = judge.look(smile.pixels, box)[0]
        resting = judge.look(neutral.pixels, judge.box(neutral.pixels))[0]
        rows.append({
            "person": person,
            "gap": first_light.lips(smiling) / first_light.unit(smiling),
            "smile": energies(smile.pixels, smiling),
            "real": energies(neutral.pixels, resting),
            "drawn": energies(made, judge.look(made, box)[0]),
        })  # fmt: skip
    if not rows:
        raise DataError(f"nobody of the {split} split is in {home}")
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Medians over people: what share of the smile's edges a part has, and how much of them the
    real rest and the drawn one have."""
    out: dict[str, Any] = {"people": len(rows)}
    for part in rows[0]["smile"]:
        smile, real, drawn = (
            np.array([row[kind][part] for row in rows]) for kind in ("smile", "real", "drawn")
        )
        whole = np.array([row["smile"]["face"] for row in rows])
        out[part] = {
            "share": round(float(np.median(smile / whole)), 3),
            "real": round(float(np.median(real / smile)), 3),
            "drawn": round(float(np.median(drawn / smile)), 3),
        }
    return out


SIDES = (768, 300)
"""Of the photographs, px, by default."""


def command(
    out: Out,
    split: SplitName = "test",
    side: Annotated[
        list[int] | None, typer.Option(min=64, help="Of the photographs, px; repeat.")
    ] = None,
    limit: Limit = None,
) -> None:
    """Measure, and write the answer."""
    report: dict[str, Any] = {**conditions(), "split": split}
    for px in side or SIDES:
        rows = measured(checked_split(split), px, limit)
        toothy = [row for row in rows if row["gap"] > PARTED]
        report[str(px)] = {"all": summary(rows)} | ({"toothy": summary(toothy)} if toothy else {})
        print(px, json.dumps(report[str(px)]), flush=True)
    write(out, report, say=False)
