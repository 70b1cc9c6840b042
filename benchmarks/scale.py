r"""What invented people cost, and a plan for many of them.

    python benchmarks/scale.py --photographs LONDON --count 16 --workers 1 --workers 2 \
        -o benchmarks/results/scale.json

Makes so many people at 512 px under eight expressions with each number of workers, and takes wall
time and processor time of this process and its children, reading the sources apart. On a busy
machine wall time says nothing and processor time is too long by a little: how busy it was is told.
The bytes of all runs are compared.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import mien
from mien import facs
from mien.cluster import Ray
from mien.editor import Editor
from mien.face_model.mesh import FaceModel
from mien.jobs import Engine, Local
from mien.judges.identity import descriptor
from mien.people import invented
from mien.people.asks import of_labels
from mien.people.crowd import Crowd
from mien.people.sources import pool

SIZE, MANY, CORES = 512, 10_000_000, 1000


def used() -> float:
    """Processor seconds of this process and of those of its children that have ended."""
    own, others = (resource.getrusage(w) for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def plan(seconds: float, size: float) -> dict[str, float]:
    """What `MANY` pictures take of processor `seconds` and of `size` bytes each."""
    return {
        "pictures": MANY,
        "core hours": round(MANY * seconds / 3600),
        f"days on {CORES} cores": round(MANY * seconds / CORES / 86400, 2),
        "terabytes": round(MANY * size / 1e12, 2),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", required=True, help="the London Set")
    parser.add_argument("--count", type=int, default=16, help="people")
    parser.add_argument("--workers", type=int, action="append", help="processes; repeat it")
    parser.add_argument(
        "--engine", choices=["local", "ray"], default="local",
        help="ray: a cluster of this machine",
    )  # fmt: skip
    parser.add_argument("--out", "-o", type=Path, required=True)
    given = parser.parse_args()
    began = used()
    crowd = Crowd(FaceModel.load(), pool([given.photographs]), descriptor())
    found: dict[str, object] = {
        "engine": given.engine, "people": given.count, "size": SIZE, "cores": os.cpu_count(),
        "sources": len(crowd.people),
        "reading sources, processor s": round(used() - began, 1),
    }  # fmt: skip
    editor, asks = Editor(mien.load()), of_labels(facs.EMOTIONS)
    seen: set[tuple[tuple[str, bytes], ...]] = set()
    for workers in given.workers or [1]:
        load = os.getloadavg()[0]
        settings = invented.Settings(
            invented.sources_digest(crowd), "morphable", "", 1, SIZE, 4, 0.45,
            ("gender", "ethnicity"), {}, invented.asks_digest(asks),
        )  # fmt: skip
        engine: Engine = Local(workers) if given.engine == "local" else Ray(None, workers)
        with tempfile.TemporaryDirectory() as place:
            out = Path(place)
            clock, began = time.perf_counter(), used()
            report = invented.write(crowd, editor, settings, out, given.count, asks, engine=engine)
            wall, processor = time.perf_counter() - clock, used() - began
            files = {str(p.relative_to(out)): p.read_bytes() for p in sorted(out.rglob("*.png"))}
        seen.add(tuple(files.items()))
        count = len(report.records)
        size = sum(map(len, files.values())) / max(count, 1)
        row: dict[str, object] = {
            "pictures": count, "portraits drawn": report.attempts, "wall s": round(wall, 1),
            "bytes a picture": round(size), "load of the machine before": round(load, 1),
        }  # fmt: skip
        if given.engine == "local":  # a cluster's processes are not this one's children
            row["processor s a picture"] = round(processor / count, 3)
            row["plan"] = plan(processor / count, size)
        found[f"workers {workers}"] = row
    found["the same bytes by all numbers of workers"] = len(seen) == 1
    given.out.write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
