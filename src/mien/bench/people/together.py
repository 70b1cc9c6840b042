r"""Which action units go together in photographs of training people, and whether draws show it.

    mien bench together --learn -o benchmarks/results/together.json

Reads the London smiles and the Congress portraits of training people by judges a and b (their
mean), learns `src/mien/people/together.safetensors` (with --learn), and compares as many draws:
how often each unit shows, and how any two go together.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import typer

from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.options import Out
from mien.data.adapters import records_in
from mien.errors import MienError
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.judges import judge
from mien.people.together import FILE, LEAST, Together
from mien.types import Faces, Float
from mien.zoo import data_home

POOLS = ("london_1350", "congress")


def read(pools: tuple[str, ...]) -> tuple[Float, int]:
    """Units (P, 47) of the training people's photographs that are not neutral."""
    rows, people = [], set()
    for pool in pools:
        folder = data_home() / pool
        for record in records_in(folder) or []:
            if record.split != "train" or record.emotion == "neutral":
                continue
            try:
                pixels = images.read(folder / record.file_name).pixels
                (face,) = choose(detect(pixels), "largest")
            except MienError as error:
                print(record.file_name, error)
                continue
            small = Faces.stack([align(pixels, face, 128)]).pixels
            seen = [judge.load(name).read(small).units[0].numpy() for name in judge.NAMES]
            rows.append(np.mean(seen, axis=0))
            people.add(record.person)
    return np.stack(rows).astype(np.float32), len(people)


def compare(real: Float, made: Float) -> dict[str, object]:
    """How often units show in photographs and draws, and correlations over pairs of those shown."""
    real, made = (np.where(u < LEAST, 0, u) for u in (real, made))
    often = [(u > 0).mean(0) for u in (real, made)]
    shown = np.flatnonzero((often[0] > 0.02) & (often[0] < 0.98))
    pairs = np.triu_indices(len(shown), 1)
    a, b = (np.asarray(np.corrcoef(u[:, shown].T))[pairs] for u in (real, made))
    ok = np.isfinite(a) & np.isfinite(b)
    return {
        "units that show in 2 to 98 % of photographs": [facs.UNITS[i] for i in shown],
        "share that shows, mean difference": round(float(np.abs(often[0] - often[1]).mean()), 4),
        "correlation of two, root mean square difference": round(
            float(np.sqrt(np.mean((a[ok] - b[ok]) ** 2))), 3
        ),
        "correlation of two, root mean square": round(float(np.sqrt(np.mean(a[ok] ** 2))), 3),
    }


def command(
    out: Out,
    learn: Annotated[bool, typer.Option(help="Write the table that ships.")] = False,
) -> None:
    """Measure, and write the answer."""
    units, people = read(POOLS)
    if learn:
        about = {
            "source": "units read by judges a and b; training people of the London Set (smiles; "
            "CC BY 4.0, doi 10.6084/m9.figshare.5047666) and Congress portraits (public domain)",
            "photographs": str(len(units)),
            "people": str(people),
        }
        Together.learn(units).save(FILE, about)
    random = np.random.default_rng(0)
    table = Together.shipped()
    made = np.stack([table.draw(random) for _ in units])
    found = {**conditions(), "photographs": len(units), "people": people, **compare(units, made)}
    write(out, found)
