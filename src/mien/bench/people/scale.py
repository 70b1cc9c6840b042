r"""What invented people cost, how much more workers gain, and a plan for many of them.

    mien bench scale --photographs LONDON --count 16 --engine local --engine ray \
        --workers 1 --workers 2 --workers 4 -o benchmarks/results/scale.json

Makes so many people at 512 px under eight expressions by each engine (`ray`: a cluster of this
machine, `pip install '.[ray]'`) with each number of workers, reading the sources apart. Wall time
is given whole and, since every worker starts once however many people there are, after the first
answers: `people an hour` and `efficiency` (over one worker's rate and the number of workers) are of
that. Of processor time only a local engine's is known: that of this
process and its children. On a busy machine wall time says nothing; how busy it was is said. The
bytes of all runs are compared. A run that is there already in `--work` is not made again.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

import typer

import mien
from mien import facs
from mien.bench.answers import conditions, write
from mien.bench.options import Out, Work, some
from mien.cluster import Ray
from mien.editor import Editor
from mien.face_model.mesh import FaceModel
from mien.jobs import Engine, Local
from mien.judges.identity import descriptor
from mien.people import invented
from mien.people.asks import of_labels
from mien.people.crowd import Crowd
from mien.people.folder import kept
from mien.people.sources import pool

SIZE, MANY, CORES = 512, 10_000_000, 1000
CORE_HOUR, TERABYTE_MONTH = 0.04, 23.0
"""Prices of the plan, US dollars: orders of magnitude of rented machines and object storage, to be
replaced by the reader's own."""


def used() -> float:
    """Processor seconds of this process and of those of its children that have ended."""
    own, others = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def plan(seconds: float, size: float) -> dict[str, float]:
    """What `MANY` pictures take of processor `seconds` and of `size` bytes each; three copies."""
    hours, terabytes = MANY * seconds / 3600, 3 * MANY * size / 1e12
    return {
        "pictures": MANY, "core hours": round(hours),
        f"hours on {CORES} cores": round(hours / CORES, 2),
        f"US dollars, {CORE_HOUR:g} a core hour": round(hours * CORE_HOUR),
        "terabytes, as files, Parquet and WebDataset": round(terabytes, 2),
        f"US dollars a month, {TERABYTE_MONTH:g} a terabyte": round(terabytes * TERABYTE_MONTH),
    }  # fmt: skip


def measured(
    crowd: Crowd, editor: Editor, engine: Engine, workers: int, count: int
) -> dict[str, Any]:
    """One run: times, counts, and a digest of all pictures."""
    asks, load = of_labels(facs.EMOTIONS), os.getloadavg()[0]
    settings = invented.Settings(
        invented.sources_digest(crowd), "morphable", "", 1, SIZE, 4, 0.45,
        ("gender", "ethnicity"), {}, invented.asks_digest(asks),
    )  # fmt: skip
    answers: list[float] = []
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        clock, began = time.perf_counter(), used()
        report = invented.write(
            crowd, editor, settings, out, count, asks,
            lambda _: answers.append(time.perf_counter()), engine,
        )  # fmt: skip
        wall, processor = time.perf_counter() - clock, used() - began
        files = {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.png"))}
    pictures, warm = len(report.records), workers  # what each has under way first
    row: dict[str, Any] = {
        "pictures": pictures, "portraits drawn": report.attempts, "wall s": round(wall, 1),
        "until the first answer, s": round(answers[0] - clock, 1),
        "bytes a picture": round(sum(map(len, files.values())) / max(pictures, 1)),
        "load of the machine before": round(load, 1),
        "digest": hashlib.sha256(repr(sorted(
            (name, hashlib.sha256(data).hexdigest()) for name, data in files.items()
        )).encode()).hexdigest(),
    }  # fmt: skip
    if count > warm:
        rate = (count - warm) / (answers[-1] - answers[warm - 1])
        row["people an hour"] = round(3600 * rate, 1)
        row["hours for 1,000 people"] = round(1000 / rate / 3600, 2)
    if isinstance(engine, Local):  # a cluster's processes are not this one's children
        row["processor s a picture"] = round(processor / pictures, 3)
        row["plan"] = plan(processor / pictures, row["bytes a picture"])
    return row


def command(
    photographs: Annotated[str, typer.Option(help="A folder of the London Set.")],
    out: Out,
    count: Annotated[int, typer.Option(help="People.")] = 16,
    workers: Annotated[list[int] | None, typer.Option(help="Processes; repeat it.")] = None,
    engine: Annotated[list[str] | None, typer.Option(help="`local` or `ray`; repeat it.")] = None,
    work: Work = None,
) -> None:
    """Measure, and write the answer."""
    began = used()
    crowd = Crowd(FaceModel.load(), pool([photographs]), descriptor())
    found: dict[str, Any] = {
        **conditions(), "people": count, "size": SIZE, "cores": os.cpu_count(),
        "sources": len(crowd.people),
        "reading sources, processor s": round(used() - began, 1),
    }  # fmt: skip
    editor = Editor(mien.load())
    digests: set[str] = set()
    for name in some(engine or ["local"], ("local", "ray")):
        rows: dict[str, Any] = {}
        for many in dict.fromkeys(workers or [1]):
            done = work and work / f"{name}-{many}-{count}.json"
            row = kept(done) if done else None
            if row is None:
                where: Engine = Local(many) if name == "local" else Ray(None, many)
                row = measured(crowd, editor, where, many, count)
                if done:
                    done.parent.mkdir(parents=True, exist_ok=True)
                    done.write_text(json.dumps(row), encoding="utf-8")
            digests.add(row.pop("digest"))
            rows[str(many)] = row
            one = rows.get("1", {}).get("people an hour")
            if one and "people an hour" in row:
                row["efficiency"] = round(row["people an hour"] / one / many, 3)
            print(name, many, json.dumps(row), flush=True)
        found[name] = rows
    found["the same bytes by all engines and numbers of workers"] = len(digests) == 1
    write(out, found)
