"""Inputs that mean no good: what becomes of ten thousand of them, each made from a seed.

    mien bench hostile -o benchmarks/results/hostile.json

Case i of a seed is a function of both alone (`--only i` runs it by itself). A case is one input, or
a folder of eight for the command line, of these kinds:

    picture   ten formats, by bytes and by structure (chunks, segments, tags, lengths, splices)
    block     a good picture with a broken EXIF, ICC or XMP block: its pixels must not change
    guide     labels, action units, faces, intensities, `--set`, curves
    manifest  JSON lines of a data set
    weights   safetensors files: headers, architectures, numbers that are not finite
    recipe    YAML, and settings over it
    film      MP4 files by bytes: the header and the first frames
    blendshapes   JSON files of weights, recordings as CSV
    command   `mien edit`, `swap`, `sheet` and `verify` in process, on pictures of the first kind
    option    `mien edit` in process on a good photograph, its options from what means no good
    process   both of these as commands of their own, with the real face model
    upload    the HTTP API, a real server on a port here: pictures by form and by JSON
    body      ... JSON bodies of all fields, by structure and by bytes
    form      ... forms of all fields, with heads and edges that do not fit
    wire      ... requests by bytes: heads, methods, paths, lengths

Behind the command line and the API the edit itself is a stub, but for `process`: what it adds is
measured elsewhere.

It must be taken or refused by a `MienError` in one line (exit code 2 or 1 and no traceback).
`wrong` is what was taken and should not have been, or came out other than it went in, by the kind's
own check, and what took more than 30 s. Chunks run in processes of their own, so that a crash costs
one case and is counted with its number; `memory` is the largest resident set of any of them, which
has a bound, and by how much it grew in the second half of one. Exit code 1 if anything is bad.
"""

from __future__ import annotations

import io
import itertools
import json
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Annotated, Any

import numpy as np
import typer

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.hostile import commands, files, pictures, server
from mien.bench.hostile.pictures import Wrong, expect
from mien.bench.networks import network
from mien.bench.options import MaybeOut, Seed
from mien.errors import MienError

CHUNK = 500
SLOWEST = 30
"""Seconds that a case may take."""
LARGEST = 1500
"""MB that a process may hold."""
PIXELS = 4_000_000
Case = Callable[[Random, Path], str]
"""Runs one input in an empty folder; `taken` or `refused`, or Wrong or anything else is raised."""


@dataclass(frozen=True)
class Outcome:
    """What became of a case: `taken`, `refused`, `wrong` or `traceback`, and its last line."""

    kind: str
    what: str
    line: str = ""


# ---- the kinds -----------------------------------------------------------------------------------


def picture(random: Random, folder: Path) -> str:
    """Read as a file or a stream, written in every format, read again."""
    name, data = pictures.picture(random)
    source: Any = io.BytesIO(data)
    if random.random() < 0.5:
        source = folder / f"a.{name}"
        source.write_bytes(data)
    photo = images.read(source, PIXELS)
    height, width = photo.pixels.shape[:2]
    expect(photo.pixels.dtype == np.uint8 and photo.pixels.shape[2:] == (3,), "not RGB of 8 bits")
    expect(0 < height * width <= PIXELS, "more pixels than allowed, or none")
    expect(photo.alpha is None or photo.alpha.shape == (height, width), "opacity of another size")
    if height * width < 100_000:
        for suffix in (".png", ".jpg", ".webp"):
            again = images.read(io.BytesIO(images.encode(photo, suffix, metadata={"method": "x"})))
            expect(again.pixels.shape == photo.pixels.shape, f"{suffix} has another size")
            if suffix == ".png":
                expect(np.array_equal(again.pixels, photo.pixels), "PNG changed pixels")
    images.statement(source)
    return "taken"


def block(random: Random, _: Path) -> str:
    """The picture under a broken block is the picture, upright or as it lies."""
    data, pixels = pictures.block(random)
    seen = images.read(io.BytesIO(data)).pixels
    turns = [np.rot90(p, k) for p in (pixels, pixels[:, ::-1]) for k in range(4)]
    expect(any(np.array_equal(seen, turned) for turned in turns), "a block changed the pixels")
    images.encode(images.read(io.BytesIO(data)), ".jpg", metadata={"method": "x"})
    images.statement(io.BytesIO(data))
    return "taken"


def guide(random: Random, folder: Path) -> str:
    """Something that is asked for, as options and API read it."""
    from mien.cli.session import check_face, check_intensity, chosen
    from mien.guides import ActionUnits, Label
    from mien.video.driving import Curve

    which, text = random.randrange(6), files.words(random)
    if which == 0:
        asked = ActionUnits.parse(*text.split("|"))
        expect(all(-1 <= s.value <= 1 for s in asked.settings), "a unit out of range")
    elif which == 1:
        Label(text)
    elif which == 2:
        check_face(text)
    elif which == 3:
        check_intensity(float(random.choice(files.NUMBERS)))
    elif which == 4:
        chosen(random.choice(("mtss", "aipgan", "decoupling")), [text])
    else:
        (folder / "c.csv").write_bytes(files.curve(random))
        curve = Curve.read(folder / "c.csv")
        rising = all(a < b for a, b in zip(curve.times, curve.times[1:], strict=False))
        expect(rising and bool(np.isfinite([*curve.times, *curve.values]).all()), "no curve")
    return "taken"


def manifest(random: Random, folder: Path) -> str:
    """A manifest of photographs."""
    from mien.data.manifest import FILE_NAME, scan_manifest

    (folder / FILE_NAME).write_bytes(files.manifest(random))
    records, errors = scan_manifest(folder)
    for record in records:
        inside = (folder / record.file_name).resolve().is_relative_to(folder.resolve())
        expect(inside, "a file outside of the folder")
        for values, shape in ((record.units, (47,)), (record.landmarks, (68, 2))):
            fits = values is None or (values.shape == shape and np.isfinite(values).all())
            expect(bool(fits), "numbers of another shape")
    expect(all("\n" not in error for error in errors), "more than a line")
    return "refused" if errors else "taken"


def weights(random: Random, folder: Path) -> str:
    """A file of weights."""
    import torch

    path = folder / "w.safetensors"
    path.write_bytes(files.weights(random))
    method = network("mtss", path)
    finite = all(bool(torch.isfinite(v).all()) for v in method.state_dict().values())
    expect(finite, "weights that are not finite")
    return "taken"


def recipe(random: Random, folder: Path) -> str:
    """A recipe of training, and settings over it."""
    from mien.training import recipe as recipes

    (folder / "r.yaml").write_bytes(files.recipe(random))
    settings = tuple(files.setting(random) for _ in range(random.choice((0, 0, 1, 2))))
    for stage in recipes.read(folder / "r.yaml", settings):
        (folder / "again.yaml").write_text(recipes.dump(stage))
        (again,) = recipes.read(folder / "again.yaml")
        same = repr((again.config, again.run)) == repr((stage.config, stage.run))
        expect(same, "its dump is another recipe")
    return "taken"


def film(random: Random, folder: Path) -> str:
    """A film."""
    from itertools import islice

    from mien.video.reading import look

    (folder / "f.mp4").write_bytes(files.film(random))
    source = look(folder / "f.mp4", PIXELS)
    for frame in islice(source.frames(), 4):
        expect(frame.pixels.shape == (source.height, source.width, 3), "a frame of another size")
    return "taken"


def blendshapes(random: Random, folder: Path) -> str:
    """JSON files of ARKit's weights, and recordings of them."""
    from mien.guides import Blendshapes
    from mien.video.shapes import Shapes

    if random.random() < 0.3:
        (folder / "s.csv").write_bytes(files.recording(random))
        read = Shapes.read(folder / "s.csv")
        expect(all(a <= b for a, b in itertools.pairwise(read.times)), "times that fall")
        rows = read.rows
    else:
        (folder / "b.json").write_bytes(files.blendshapes(random))
        rows = (Blendshapes.read(folder / "b.json"),)
    expect(all(0 <= v <= 1 for row in rows for _, v in row.weights), "a weight out of range")
    return "taken"


def online(case: Callable[[Random], str]) -> Case:
    """A case that needs no folder: it speaks to the server, behind which the edit is a stub."""

    def run(random: Random, _: Path) -> str:
        with commands.stubbed():
            return case(random)

    return run


KINDS: dict[str, tuple[str, Case, float]] = {
    "picture": ("library", picture, 24), "block": ("library", block, 14),
    "guide": ("library", guide, 6), "blendshapes": ("library", blendshapes, 4),
    "manifest": ("library", manifest, 4), "weights": ("library", weights, 3),
    "recipe": ("library", recipe, 4), "film": ("library", film, 2),
    "command": ("command line", commands.command, 5),
    "option": ("command line", commands.option, 8),
    "process": ("command line", commands.process, 0.4),
    "upload": ("API", online(server.upload), 10), "body": ("API", online(server.body), 8),
    "form": ("API", online(server.formed), 6), "wire": ("API", online(server.wire), 4),
}  # fmt: skip
"""Kind -> its surface, its case, and its share of all."""


# ---- running them --------------------------------------------------------------------------------


def outcome(seed: int, index: int) -> Outcome:
    """Case `index` of a seed."""
    random = Random(f"{seed} {index}")
    kind = random.choices(list(KINDS), [share for *_, share in KINDS.values()])[0]
    with tempfile.TemporaryDirectory(prefix="mien-hostile-") as folder:
        try:
            return Outcome(kind, KINDS[kind][1](random, Path(folder)))
        except Wrong as error:
            return Outcome(kind, "wrong", str(error))
        except MienError as error:
            line = str(error)
            return Outcome(kind, "refused" if "\n" not in line else "wrong", line)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            line = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
            return Outcome(kind, "traceback", " ".join(line.split())[:300])


def chunk(seed: int, start: int, stop: int) -> None:
    """Cases to standard output, a line of JSON before and after each."""

    def slow(*_: object) -> None:
        raise Wrong(f"more than {SLOWEST} s")

    signal.signal(signal.SIGALRM, slow)
    for index in range(start, stop):
        print(json.dumps({"begin": index}), flush=True)
        signal.alarm(SLOWEST)
        found = outcome(seed, index)
        signal.alarm(0)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({"index": index, "memory": round(memory), **vars(found)}), flush=True)


def run(seed: int, count: int, first: int = 0) -> dict[str, Any]:
    """All cases, chunk by chunk; a chunk that dies is gone on with after the case it died of."""
    began, at = time.perf_counter(), first
    table: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}
    bad: list[dict[str, Any]] = []
    largest = grown = 0
    while at < first + count:
        stop = min(at + CHUNK, first + count)
        words = ["bench", "hostile", "--seed", str(seed), "--chunk", str(at), str(stop)]
        done = subprocess.run(
            [sys.executable, "-m", "mien.cli.main", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        rows = [line for line in lines if "what" in line]
        for row in rows:
            table[row["kind"]][row["what"]] += 1
            bad += [row] if row["what"] in ("wrong", "traceback") else []
        if rows:
            largest = max(largest, rows[-1]["memory"])
            grown = max(grown, rows[-1]["memory"] - rows[len(rows) // 2]["memory"])
        at = rows[-1]["index"] + 1 if rows else at
        if at < stop:  # the process died in case `at`
            bad.append({"index": at, "what": "crash", "line": f"code {done.returncode}"})
            at += 1
        print(f"\r{at - first} of {count}, {len(bad)} bad", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    whole = sum(table.values(), Counter())
    surfaces: dict[str, Counter[str]] = {}
    for kind, counts in table.items():
        surfaces.setdefault(KINDS[kind][0], Counter()).update(counts)
    if largest > LARGEST:
        bad.append({"what": "memory", "line": f"{largest} MB"})
    return {
        **conditions(),
        "seed": seed,
        "cases": count,
        "inputs": count + 7 * sum(table["command"].values()),
        "crashes": sum(row["what"] == "crash" for row in bad),
        "tracebacks": whole["traceback"],
        "wrong": whole["wrong"],
        "surfaces": {
            name: {"cases": sum(c.values()), **dict(sorted(c.items()))}
            for name, c in surfaces.items()
        },
        "kinds": {kind: dict(sorted(counts.items())) for kind, counts in table.items()},
        "memory_mb": {"largest": largest, "grown_in_a_half": grown},
        "seconds": round(time.perf_counter() - began),
        "bad": bad[:50],
    }


def command(
    out: MaybeOut = None,
    seed: Seed = 18,
    count: Annotated[int, typer.Option(min=1, help="Cases.")] = 10_000,
    first: Annotated[int, typer.Option(min=0, help="Number of the first.")] = 0,
    only: Annotated[int | None, typer.Option(min=0, help="This case alone, here.")] = None,
    one_chunk: Annotated[
        tuple[int, int] | None, typer.Option("--chunk", hidden=True, help="For processes of ours.")
    ] = None,
) -> None:
    """Measure, and write the answer."""
    if one_chunk:
        chunk(seed, *one_chunk)
    elif only is not None:
        print(outcome(seed, only))
    else:
        table = run(seed, count, first)
        write(out, table)
        raise typer.Exit(bool(table["bad"]))
