"""Inputs that mean no good: what becomes of ten thousand of them, each made from a seed.

    python benchmarks/hostile.py -o benchmarks/results/hostile.json

Case i of a seed is a function of both alone (`--only i` runs it by itself). A case is one input, or
a folder of eight for the command line, of these kinds:

    picture   ten formats, by bytes and by structure (chunks, segments, tags, lengths, splices)
    block     a good picture with a broken EXIF, ICC or XMP block: its pixels must not change
    guide     labels, action units, faces, intensities, `--set`, curves
    manifest  JSON lines of a data set
    weights   safetensors files: headers, architectures, numbers that are not finite
    recipe    YAML, and settings over it
    film      MP4 files by bytes: the header and the first frames
    command   `mien edit`, `swap`, `sheet` and `verify` in process, on pictures of the first kind;
              the edit itself is a stub, for what it adds is measured elsewhere

It must be taken or refused by a `MienError` in one line (exit code 2 or 1 and no traceback).
`wrong` is what was taken and should not have been, or came out other than it went in, by the kind's
own check, and what took more than 30 s. Chunks run in processes of their own, so that a crash costs
one case and is counted with its number; `memory` is the largest resident set of any of them, and by
how much it grew from the tenth case to the last.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import hostile_files as files
import hostile_pictures as pictures
import numpy as np

from mien import images
from mien.errors import MienError

CHUNK = 500
SLOWEST = 30
"""Seconds that a case may take."""
PIXELS = 4_000_000
Case = Callable[[Random, Path], str]
"""Runs one input in an empty folder; `taken` or `refused`, or Wrong or anything else is raised."""


class Wrong(Exception):
    """An input was taken for something that it is not."""


@dataclass(frozen=True)
class Outcome:
    """What became of a case: `taken`, `refused`, `wrong` or `traceback`, and its last line."""

    kind: str
    what: str
    line: str = ""


def expect(right: bool, what: str) -> None:
    if not right:
        raise Wrong(what)


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
    import torch

    from mien.methods import registry

    path = folder / "w.safetensors"
    path.write_bytes(files.weights(random))
    method = registry.load("mtss", path)
    finite = all(bool(torch.isfinite(v).all()) for v in method.state_dict().values())
    expect(finite, "weights that are not finite")
    return "taken"


def recipe(random: Random, folder: Path) -> str:
    from mien.training import recipe as recipes

    (folder / "r.yaml").write_bytes(files.recipe(random))
    settings = tuple(files.setting(random) for _ in range(random.choice((0, 0, 1, 2))))
    read = recipes.read(folder / "r.yaml", settings)
    (folder / "again.yaml").write_text(recipes.dump(read))
    expect(repr(recipes.read(folder / "again.yaml")) == repr(read), "its dump is another recipe")
    return "taken"


def film(random: Random, folder: Path) -> str:
    from itertools import islice

    from mien.video.reading import look

    (folder / "f.mp4").write_bytes(files.film(random))
    source = look(folder / "f.mp4", PIXELS)
    for frame in islice(source.frames(), 4):
        expect(frame.pixels.shape == (source.height, source.width, 3), "a frame of another size")
    return "taken"


def command(random: Random, folder: Path) -> str:
    """A folder of pictures through the command line."""
    inside, out = folder / "in", folder / "out"
    inside.mkdir()
    for i in range(8):
        name, data = pictures.picture(random)
        (inside / files.name(random, i, name)).write_bytes(data)
    words = files.arguments(random, inside, out)
    code, said, told = called(words)
    expect("Traceback" not in told, "a traceback on standard error")
    if words[0] == "edit" and words[1] == str(inside) and code in (0, 1):
        inputs = [p.name for p in inside.iterdir() if not p.name.startswith(".")]
        parts = re.findall(r"(\d+) (?:written|there already|failed)", said)
        beside = re.findall(r"^passed over, not a photograph: (.*)$", told, re.MULTILINE)
        passed = sum(line.count(str(inside)) for line in beside)
        expect(sum(map(int, parts)) + passed == len(inputs), "a file is neither made nor reported")
    if code == 2:
        expect(told.startswith("mien: ") and told.count("\n") == 1, f"not one line: {told[:200]!r}")
    return "taken" if code == 0 else "refused"


def called(words: list[str]) -> tuple[int, str, str]:
    """`mien WORDS` in process: exit code, standard output and error."""
    from typer.testing import CliRunner

    from mien.cli.main import app

    with stubbed():
        result = CliRunner().invoke(app, words, prog_name="mien", env={"COLUMNS": "1000"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.stdout, result.stderr


@contextlib.contextmanager
def stubbed() -> Iterator[None]:
    """`Editor` without a method: an edit is a level up, a face the whole picture."""
    from types import SimpleNamespace
    from unittest.mock import patch

    import mien
    from mien.editor import Editor, Result
    from mien.types import Face

    def edit(self: Editor, photo: Any, guide: Any, intensity: float = 1, face: str = "") -> Result:
        source = images.photograph(photo)
        moved = images.Photo((source.pixels + np.uint8(1)), source.alpha, source.icc,
                             source.format, source.mode, source.exif)  # fmt: skip
        return Result(moved, (), 1, self.metadata("stub", f"{intensity:g}", 1), source)

    def portrait(self: Editor, photo: Any, size: int = 256, face: str = "") -> Any:
        return np.zeros((size, size, 3), np.uint8), Face.at(np.zeros((68, 2), np.float32))

    def swap(self: Editor, a: Any, b: Any, face: str = "") -> Any:
        return edit(self, a, None), edit(self, b, None)

    stubs = {"edit": edit, "swap": swap, "portrait": portrait, "reference": lambda *_: None,
             "on_portrait": lambda self, shown, *_: shown}  # fmt: skip
    with contextlib.ExitStack() as stack:
        for name, stub in stubs.items():
            stack.enter_context(patch.object(Editor, name, stub))
        method = SimpleNamespace(name="x")
        stack.enter_context(patch.object(mien, "load", lambda *_, **__: method, create=True))
        stack.enter_context(patch("mien.provenance.evidence.detect", lambda _: []))
        yield


KINDS: dict[str, tuple[Case, int]] = {
    "picture": (picture, 44), "block": (block, 25), "guide": (guide, 8), "manifest": (manifest, 6),
    "weights": (weights, 4), "recipe": (recipe, 5), "film": (film, 3), "command": (command, 5),
}  # fmt: skip
"""Kind -> its case, and how many of a hundred are of it."""


# ---- running them --------------------------------------------------------------------------------


def outcome(seed: int, index: int) -> Outcome:
    """Case `index` of a seed."""
    random = Random(f"{seed} {index}")
    kind = random.choices(list(KINDS), [share for _, share in KINDS.values()])[0]
    with tempfile.TemporaryDirectory(prefix="mien-hostile-") as folder:
        try:
            return Outcome(kind, KINDS[kind][0](random, Path(folder)))
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
        words = [sys.executable, __file__, "--seed", str(seed), "--chunk", str(at), str(stop)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        rows = [line for line in lines if "what" in line]
        for row in rows:
            table[row["kind"]][row["what"]] += 1
            bad += [row] if row["what"] in ("wrong", "traceback") else []
        if rows:
            largest = max(largest, rows[-1]["memory"])
            grown = max(grown, rows[-1]["memory"] - rows[min(9, len(rows) - 1)]["memory"])
        at = rows[-1]["index"] + 1 if rows else at
        if at < stop:  # the process died in case `at`
            bad.append({"index": at, "what": "crash", "line": f"code {done.returncode}"})
            at += 1
        print(f"\r{at - first} of {count}, {len(bad)} bad", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    whole = sum(table.values(), Counter())
    return {
        "command": "python benchmarks/hostile.py",
        "seed": seed,
        "cases": count,
        "inputs": count + 7 * sum(table["command"].values()),
        "crashes": sum(row["what"] == "crash" for row in bad),
        "tracebacks": whole["traceback"],
        "wrong": whole["wrong"],
        "kinds": {kind: dict(sorted(counts.items())) for kind, counts in table.items()},
        "memory_mb": {"largest": largest, "grown_in_a_process": grown},
        "seconds": round(time.perf_counter() - began),
        "bad": bad[:50],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", type=int, help="one case, here")
    parser.add_argument("--chunk", type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.chunk:
        chunk(options.seed, *options.chunk)
    elif options.only is not None:
        print(outcome(options.seed, options.only))
    else:
        table = run(options.seed, options.count, options.first)
        text = json.dumps(table, indent=2)
        print(text)
        if options.out:
            options.out.write_text(text + "\n", encoding="utf-8")
        sys.exit(bool(table["bad"]))


if __name__ == "__main__":
    main()
