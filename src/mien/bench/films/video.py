"""A film of ten seconds at 720p: time a frame, flicker, sound, memory.

    mien bench video -o benchmarks/results/video.json

The clip is made here: a bundled sample face (invented, nobody in particular) that sways, turns and
comes nearer before a textured wall, with sensor noise, H.264 and a tone. Flicker is the warped
frame difference (Lai et al., ECCV 2018, sec. 4.2): the source's optical flow (DIS) brings frame t
to frame t + 1, and what then still differs, in the face and where the flow agrees with the flow
back, is averaged. The same flow serves the result, so that any trembling of the edit counts.
`ratio` is the result's over the source's; the aim was 1.3. `plain` does not steady the landmarks.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any
from unittest.mock import patch

import av
import cv2
import numpy as np
import typer

import mien
from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import Keep, MaybeOut
from mien.editor import Editor
from mien.faces import align
from mien.faces.detect import detect
from mien.faces.paste import face_shape
from mien.types import Float, UInt8
from mien.video import film as films
from mien.video.driving import Constant
from mien.video.evidence import examine_film
from mien.video.following import Seen, followed
from mien.video.reading import Film, look
from mien.video.steadying import Steady, steadied
from mien.zoo.records import records
from mien.zoo.samples import samples

NOWHERE = np.empty(0, np.float32)
"""Where OpenCV takes an array or none: none."""
RATE, WIDTH, HEIGHT, SOUND = 25, 1280, 720, 44_100


def clip(path: Path, seconds: float) -> Path:
    """The clip: a face that moves, noise, a tone."""
    poses = [pose(index / RATE) for index in range(round(seconds * RATE))]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=RATE)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.options = {"crf": "20", "preset": "veryfast"}
        audio = out.add_stream("aac", rate=SOUND, layout="mono")
        for pixels in moving((WIDTH, HEIGHT), poses):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        out.mux(stream.encode(None))
        tone(out, audio, seconds)
    return path


def moving(size: tuple[int, int], poses: Iterable[Float]) -> Iterator[UInt8]:
    """The sample's head at each pose (2, 3) before a wall, with a camera's noise: pictures
    (H, W, 3) of a size (W, H)."""
    face = images.read(samples()["anna"]).pixels
    random = np.random.default_rng(1)
    wall = cv2.GaussianBlur(random.normal(0, 60, (size[1], size[0], 3)), (0, 0), 6)
    wall += np.array((150, 140, 130))
    alpha = cv2.GaussianBlur(outline(face), (0, 0), 6)[..., None]
    for matrix in poses:
        shown = cv2.warpAffine(face.astype(np.float32), matrix, size, flags=cv2.INTER_CUBIC)
        coverage = cv2.warpAffine(alpha, matrix, size)[..., None]
        noise = random.normal(0, 2, shown.shape)
        yield np.clip(coverage * shown + (1 - coverage) * wall + noise, 0, 255).astype(np.uint8)


def outline(face: UInt8) -> Float:
    """The sample's head without its ground, (H, W) in [0, 1]."""
    far = np.abs(face.astype(np.float32) - face[5, 5]).max(-1) > 25
    closed = cv2.morphologyEx(far.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((25, 25)))
    return closed.astype(np.float32)


def pose(time: float) -> Float:
    """Where the sample's face is at a time, s: (2, 3)."""
    turn = 4 * np.sin(1.1 * time)
    matrix = cv2.getRotationMatrix2D((300, 300), turn, 0.95 + 0.12 * np.sin(0.5 * time))
    matrix[:, 2] += (340 + 90 * np.sin(0.7 * time), 60 + 25 * np.sin(1.3 * time))
    return np.asarray(matrix, np.float32)


def tone(out: Any, stream: Any, seconds: float) -> None:
    """A tone of 440 Hz for so long."""
    wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * SOUND)) / SOUND)
    for start in range(0, len(wave), 1024):
        part = wave[None, start : start + 1024].astype(np.float32)
        frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SOUND, start, Fraction(1, SOUND)
        out.mux(stream.encode(frame))
    out.mux(stream.encode(None))


def packets(path: Path) -> list[bytes]:
    """The sound of a film, as it is coded."""
    with av.open(str(path)) as container:
        return [bytes(p) for p in container.demux(container.streams.audio) if p.size]


def flicker(source: Path, results: dict[str, Path]) -> dict[str, float]:
    """Mean warped frame difference, levels, of the source and of each result."""
    paths = {"source": source, **results}
    rows = zip(*(look(path).frames() for path in paths.values()), strict=True)
    sums = dict.fromkeys(paths, 0.0)
    weight = 0.0
    for before, after in pairwise(rows):
        old = [grey(f.pixels) for f in before]
        new = [grey(f.pixels) for f in after]
        mask, where = moved(old[0], new[0], after[0].time)
        weight += float(mask.sum())
        for name, a, b in zip(paths, old, new, strict=True):
            warped = cv2.remap(a, where, NOWHERE, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
            sums[name] += float((np.abs(b - warped) * mask).sum())
    return {name: total / weight for name, total in sums.items()}


_MEMORY: dict[str, Any] = {}


def moved(old: Float, new: Float, time: float) -> tuple[Float, Float]:
    """The face (H, W) in `new` as far as flow is consistent, and where in `old` it came from."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    a, b = old.astype(np.uint8), new.astype(np.uint8)
    back, forth = flow.calc(b, a, NOWHERE), flow.calc(a, b, NOWHERE)
    ys, xs = np.mgrid[: new.shape[0], : new.shape[1]].astype(np.float32)
    where = np.stack([xs + back[..., 0], ys + back[..., 1]], -1)
    again = cv2.remap(forth, where, NOWHERE, cv2.INTER_LINEAR)
    consistent = np.linalg.norm(back + again, axis=-1) < 0.5
    if "face" not in _MEMORY:
        _MEMORY["face"] = detect(images.read(samples()["anna"]).pixels)[0].landmarks
    shape = cv2.warpAffine(face_shape(_MEMORY["face"], 600), pose(time), (WIDTH, HEIGHT))
    return (shape > 0.5) * consistent.astype(np.float32), where


def grey(pixels: UInt8) -> Float:
    """(H, W), 0 to 255."""
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)


def plain(frames: Iterable[Seen]) -> Iterator[Steady]:
    """Landmarks as they are found, in place of `steadied`: what steadying is worth."""
    for seen in frames:
        yield Steady(seen.frame, seen.points, (1.0,) * len(seen.points))


def command(
    out: MaybeOut = None,
    seconds: Annotated[float, typer.Option(min=1, help="Of the clip.")] = 10.0,
    keep: Keep = None,
) -> None:
    """Measure, and write the answer."""
    with tempfile.TemporaryDirectory() as scratch:
        table = measured(keep or Path(scratch), seconds)
    write(out, table)


def measured(folder: Path, seconds: float) -> dict[str, Any]:
    """Everything, of one clip."""
    editor = Editor(mien.load("mtss"), weights=records()["mtss"].sha256)
    source = look(clip(folder / "source.mp4", seconds))
    target, shaky = folder / "happy.mp4", folder / "plain.mp4"
    drive = Constant(mien.Label("happy"))
    # loading and the first detection are not a frame's cost
    films.edit_film(editor, look(clip(folder / "short.mp4", 0.2)), folder / "warm.mp4", drive)
    memory: list[int] = []
    clock = time.process_time(), time.perf_counter()
    done = films.edit_film(
        editor, source, target, drive, progress=lambda _: memory.append(resident())
    )
    spent = time.process_time() - clock[0], time.perf_counter() - clock[1]
    with patch.object(films, "steadied", plain):
        films.edit_film(editor, source, shaky, drive)
    errors = flicker(source.path, {"happy": target, "plain": shaky})
    evidence = examine_film(target)
    return {
        **conditions(),
        "clip": f"{source.width} x {source.height}, {source.count} frames",
        "frames": done.frames,
        "edited": done.edited,
        "ms_a_frame": {
            "processor": round(1000 * spent[0] / done.frames, 1),
            "clock": round(1000 * spent[1] / done.frames, 1),
        },
        "sound_identical": packets(source.path) == packets(target),
        "memory_mib": {
            "after_a_third": memory[len(memory) // 3] // 2**20,
            "at_the_end": memory[-1] // 2**20,
        },
        "warped_difference_levels": {k: round(v, 3) for k, v in errors.items()},
        "ratio": {k: round(v / errors["source"], 3) for k, v in errors.items() if k != "source"},
        "jitter_percent_of_eye_distance": jitter(source),
        "mark": {"found": evidence.mark, "score": round(evidence.score, 1)},
    }


def jitter(source: Film) -> dict[str, float]:
    """Frame-to-frame changes of the aligning landmarks' error, RMS, of eye corners' distance."""
    rows: dict[str, list[Float]] = {"plain": [], "steadied": []}

    def found(points: tuple[Float | None, ...]) -> Float:
        assert points[0] is not None  # the clip shows its one face in every frame
        return points[0]

    def kept(frames: Iterator[Seen]) -> Iterator[Seen]:
        for seen in frames:
            rows["plain"].append(found(seen.points))
            yield seen

    truth = []
    sample = detect(images.read(samples()["anna"]).pixels)[0].landmarks
    for steady in steadied(kept(followed(source.frames(), "largest"))):
        rows["steadied"].append(found(steady.points))
        truth.append(align.transform(pose(steady.frame.time), sample))
    corners = [np.linalg.norm(p[36] - p[45]) for p in truth]
    stable = list(align.STABLE)
    out = {}
    for name, places in rows.items():
        error = np.diff(np.stack(places) - np.stack(truth), axis=0)[:, stable]
        out[name] = round(100 * float(np.sqrt((error**2).sum(-1).mean()) / np.mean(corners)), 3)
    return out


def resident() -> int:
    """Bytes of memory in use now (Linux), or at most so far."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
