"""The one policy of threads: what films and edits take by default and by one thread, alone and with
a busy neighbour.

    mien bench threads -o benchmarks/results/threads.json

A film is made of the bundled sample `anna`, then `mien video` and `mien edit` (`--profile`) run on
it as commands of their own: by default, which is what `mien` decides; with one thread
(`OMP_NUM_THREADS=1`); and with all cores (`OMP_NUM_THREADS` their number), which torch would take
by itself. Each once more beside one neighbour: a process that multiplies matrices by one thread.
The ways take turns, round after round, so that what else the machine does meets all of them; of
each the median of the rounds is given, its ratio to one thread is taken within a round.

Exit code 1 if beside the neighbour, or alone, the default takes more than a tenth longer than one
thread.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut
from mien.errors import ConfigError
from mien.zoo.samples import samples

SLACK = 1.1
"""Times one thread that the default may take."""
LIBRARIES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_WAIT_POLICY")
WAYS: dict[str, str | None] = {"default": None, "one": "1", "all": str(os.cpu_count())}
"""Way -> `OMP_NUM_THREADS`, if it is set."""
NEIGHBOUR = """
import numpy
a = numpy.random.rand(300, 300)
print("busy", flush=True)
while True:
    a @ a
"""


def film(folder: Path, frames: int, side: int) -> Path:
    """The sample `anna`, swaying: H.264, 25 frames a second."""
    import av
    import cv2

    face = images.read(samples()["anna"]).pixels
    face = np.asarray(cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    path = folder / "film.mp4"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        for i in range(frames):
            moved = np.roll(face, round(4 * np.sin(i / 3)), 1)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(moved, format="rgb24")))
        out.mux(stream.encode(None))
    return path


@contextmanager
def neighbour(there: bool) -> Iterator[None]:
    """One core that is busy with somebody else's work, or nothing."""
    if not there:
        yield
        return
    one = os.environ | dict.fromkeys(LIBRARIES[:3], "1")
    words = [sys.executable, "-c", NEIGHBOUR]
    with subprocess.Popen(words, env=one, stdout=subprocess.PIPE) as busy:
        try:
            assert busy.stdout is not None
            busy.stdout.readline()
            yield
        finally:
            busy.kill()


def said(words: list[str], way: str) -> str:
    """What `mien WORDS` prints, run in one of the ways; ConfigError if it fails."""
    clean = {k: v for k, v in os.environ.items() if k not in LIBRARIES}
    threads = WAYS[way]
    env = clean if threads is None else clean | {"OMP_NUM_THREADS": threads}
    command = [sys.executable, "-m", "mien.cli.main", *words]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(f"mien {words[0]} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def measured(path: Path, folder: Path, way: str) -> dict[str, float]:
    """ms of a film's frame, and of an edit without the command's start."""
    words = ["video", str(path), "--to", "happy", "-o", str(folder / "out.mp4")]
    frame = re.search(r"(\d+) ms a frame", said(words, way))
    words = ["edit", str(samples()["anna"]), "--to", "happy", "-o", str(folder / "out.png")]
    edit = re.search(r"in all +([\d.]+) ms", said([*words, "--profile"], way))
    assert frame is not None
    assert edit is not None
    return {"frame_ms": float(frame[1]), "edit_ms": float(edit[1])}


def table(rounds: list[dict[str, dict[str, float]]]) -> dict[str, Any]:
    """Medians by way and what is timed, and medians of the ratios to one thread in a round."""
    out: dict[str, Any] = {}
    for way in WAYS:
        row: dict[str, float] = {}
        for what in ("frame_ms", "edit_ms"):
            row[what] = round(statistics.median(r[way][what] for r in rounds), 1)
            ratios = [r[way][what] / r["one"][what] for r in rounds]
            row[what.replace("_ms", "_to_one_thread")] = round(statistics.median(ratios), 3)
        out[way] = row
    return out


def faults(found: dict[str, Any]) -> list[str]:
    """Where the default is slower than one thread by more than it may be, a line each."""
    return [
        f"{where}: the default takes {ratio:g} times as long as one thread ({what})"
        for where in ("alone", "beside_a_neighbour")
        for what in ("frame_to_one_thread", "edit_to_one_thread")
        if (ratio := found[where]["default"][what]) > SLACK
    ]


def command(
    out: MaybeOut = None,
    frames: Annotated[int, typer.Option(help="Frames of the film.")] = 24,
    side: Annotated[int, typer.Option(help="Of the film, px.")] = 512,
    rounds: Annotated[int, typer.Option(help="How often everything is timed.")] = 5,
) -> None:
    """Measure, and write the answer."""
    if min(frames, rounds) < 1 or side < 128 or side % 2:
        raise ConfigError("give a frame, a round, and an even side of 128 px or more")
    found: dict[str, Any] = {
        **conditions(),
        "load_average_before": round(os.getloadavg()[0], 1),
    }
    with tempfile.TemporaryDirectory(prefix="mien-threads-") as name:
        folder = Path(name)
        path = film(folder, frames, side)
        for where, there in (("alone", False), ("beside_a_neighbour", True)):
            with neighbour(there):
                found[where] = table(
                    [{way: measured(path, folder, way) for way in WAYS} for _ in range(rounds)]
                )
    write(out, found)
    if lines := faults(found):
        typer.echo("not fine: " + "; ".join(lines), err=True)
        raise typer.Exit(1)
