"""Which faces are found, before and after: `mien bench detection -o results.json`.

*Before* is dlib's HOG detector in the three looks that mien took until it had BlazeFace; *after* is
`mien.faces.detect`. Both see the same pictures:

- portraits, upright: `flux_schnell` within 60 degrees of yaw and pitch (a face counts as found when
  its width is 0.6 to 1.6 times what the set's own table says), and Congress; *not believed* are
  faces whose landmarks put the mouth elsewhere than the detector, which are left alone;
- the same on the side and upside down: *right* is a face at the upright one's place that is turned
  with the picture; *wrong* one that is not, such as an upside-down face read upright;
- groups of 4000 x 3000 px made here from the sample faces: one big face and three small ones before
  textures, in eight arrangements, for three sizes of the small ones;
- pictures without a person: those of scikit-image, coloured noise, portraits cut into squares and
  shuffled. Whatever is found there is a false face;
- milliseconds of one core (processor time, so that neighbours count little), in turn.

`keypoints_in_crop` are the means from which the landmarks start (`landmarks._PLACES`).
"""

from __future__ import annotations

import csv
import math
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from skimage import data
from threadpoolctl import threadpool_limits

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut
from mien.data.adapters import DATASETS
from mien.faces.align import STABLE, similarity, template, transform
from mien.faces.detect import detect
from mien.faces.search import candidates, pyramid
from mien.training.landmark_scores import checked_photographs
from mien.types import Float, UInt8
from mien.zoo import data_home
from mien.zoo.samples import samples

WIDEST = 60.0  # degrees
WIDTHS = (0.6, 1.6)
NEAR, ASKEW = 0.35, 30.0  # of the width; degrees
SIZES = ((1350, 1350), (4000, 3000), (8660, 5773))
BIG, SMALL = 1100, (145, 110, 90)  # px, as BlazeFace draws boxes: from the brows to the chin
GROUPS = 8
TURNED = ("on the left side", "upside down", "on the right side")
EMPTY = (
    *("brick", "cell", "chelsea", "clock", "coffee", "coins", "colorwheel", "grass", "gravel"),
    *("horse", "hubble_deep_field", "immunohistochemistry", "logo", "moon", "page", "retina"),
    *("rocket", "text", "checkerboard", "binary_blobs"),
)
"""Pictures that come with scikit-image, without a person (`chelsea` is a cat)."""


@dataclass(frozen=True)
class Seen:
    """A face: its middle and width, px, how it is turned, degrees (0 upright), and whether its
    landmarks are believed.
    """

    x: float
    y: float
    width: float
    roll: float = 0.0
    believed: bool = True


Finder = Callable[[UInt8], list[Seen]]


def after(pixels: UInt8) -> list[Seen]:
    """What mien's own detector finds."""
    out = []
    for face in detect(pixels):
        left, top, right, bottom = face.box
        eyes = face.landmarks[42:48].mean(0) - face.landmarks[36:42].mean(0)
        roll = math.degrees(math.atan2(eyes[1], eyes[0]))
        out.append(Seen((left + right) / 2, (top + bottom) / 2, right - left, roll, not face.doubt))
    return out


def dlib_before() -> Finder | None:
    """dlib's detector, looking as mien did: at most 2 megapixels, then down to 60 px, then with a
    wider border; a frontal detector, so that what it finds it takes for upright.
    """
    try:
        import dlib
    except ImportError:
        return None
    detector = dlib.get_frontal_face_detector()

    def look(pixels: UInt8, scale: float, pad: int = 0) -> list[Seen]:
        mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        shown = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=mode)
        boxes, _, _ = detector.run(np.ascontiguousarray(shown), 0, 0.15)
        middles = ((b.left() + b.right() + 1, b.top() + b.bottom() + 1, b.width()) for b in boxes)
        return [Seen(x / 2 / scale - pad, y / 2 / scale - pad, w / scale) for x, y, w in middles]

    def find(pixels: UInt8) -> list[Seen]:
        area = pixels.shape[0] * pixels.shape[1]
        first = min(1.34, math.sqrt(2e6 / area))
        found = look(pixels, first)
        second = min(2.0 if area < 2e5 else 1.34, math.sqrt(18e6 / area))
        if not found and second > 1.1 * first:
            found = look(pixels, second)
        if not found:
            pad = round(0.25 * max(pixels.shape[:2]))
            wide = np.pad(pixels, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
            found = look(wide, min(first, math.sqrt(2e6 / (wide.shape[0] * wide.shape[1]))), pad)
        return found

    return find


def flux() -> Iterator[tuple[UInt8, float]]:
    """Pictures and the width of the face in them."""
    root = data_home() / "flux_schnell"
    table = root / "metadata.csv"
    for row in csv.DictReader(table.open()) if table.is_file() else ():
        if max(abs(float(row["yaw"])), abs(float(row["pitch"]))) <= WIDEST:
            yield images.read(root / "images" / row["file"]).pixels, float(row["face_px"])


def congress(step: int = 1) -> Iterator[tuple[UInt8, None]]:
    """Portraits of Congress, every `step`-th; the width of the face is not known."""
    root = data_home() / "congress"
    for record in list(DATASETS["congress"].records(root))[::step] if root.is_dir() else ():
        yield images.read(root / record.file_name).pixels, None


def upright(find: Finder, pictures: Iterator[tuple[UInt8, float | None]]) -> dict[str, float]:
    """How many pictures have a face of the right width found, and more than one, and how many one
    whose landmarks are not believed.
    """
    counts = {"pictures": 0, "found": 0, "more_than_one": 0, "not_believed": 0}
    for pixels, width in pictures:
        seen = find(pixels)
        fits = [s for s in seen if width is None or WIDTHS[0] < s.width / width < WIDTHS[1]]
        counts["pictures"] += 1
        counts["found"] += bool(fits)
        counts["more_than_one"] += len(seen) > 1
        counts["not_believed"] += not all(s.believed for s in seen)
    return counts | {"found_percent": _percent(counts["found"], counts["pictures"])}


def turned(
    find: Finder, pictures: Iterator[tuple[UInt8, float | None]]
) -> dict[str, dict[str, float]]:
    """Photographs whose face is found upright, in the other turns: what is said of them there."""
    out = {name: {"pictures": 0, "right": 0, "wrong": 0, "none": 0} for name in TURNED}
    for pixels, _ in pictures:
        known = find(pixels)
        if not known:
            continue
        for turn, counts in enumerate(out.values(), 1):
            truth = _turned(max(known, key=lambda s: s.width), pixels.shape, turn)
            seen = find(np.ascontiguousarray(np.rot90(pixels, turn)))
            right = any(_same(s, truth) for s in seen)
            counts["pictures"] += 1
            counts["right" if right else "wrong" if seen else "none"] += 1
    return {
        name: {**counts, "right_percent": _percent(counts["right"], counts["pictures"])}
        for name, counts in out.items()
    }


def _turned(seen: Seen, shape: tuple[int, ...], turn: int) -> Seen:
    x, y = seen.x, seen.y
    for _ in range(turn):
        x, y, shape = y, shape[1] - 1 - x, (shape[1], shape[0])
    return Seen(x, y, seen.width, seen.roll - 90 * turn)


def _same(one: Seen, truth: Seen) -> bool:
    off = math.hypot(one.x - truth.x, one.y - truth.y)
    askew = abs((one.roll - truth.roll + 180) % 360 - 180)
    ratio = one.width / truth.width
    return off < NEAR * truth.width and askew < ASKEW and WIDTHS[0] < ratio < WIDTHS[1]


def groups(small: int) -> Iterator[tuple[UInt8, list[Seen]]]:
    """Group pictures of 4000 x 3000 px, and where the four faces in each are."""
    faces = []
    for path in samples().values():
        pixels = images.read(path).pixels
        faces.append((pixels, detect(pixels)[0].box))
    grounds = [data.brick(), data.grass(), data.gravel(), data.coffee()]
    for index in range(GROUPS):
        random = np.random.default_rng(index)
        ground = _colour(np.asarray(grounds[index % len(grounds)]))
        scene = cv2.resize(ground, (4000, 3000), interpolation=cv2.INTER_CUBIC)
        truth = []
        for place in range(4):
            pixels, box = faces[(index + place) % len(faces)]
            scale = (small if place else BIG) / (box[2] - box[0])
            side = round(len(pixels) * scale)
            shown = cv2.resize(pixels, (side, side), interpolation=cv2.INTER_AREA)
            row = place - 1
            left = 100 if not place else int(random.integers(2200, 4000 - side))
            top = 500 if not place else 950 * row + int(random.integers(0, 950 - side))
            part = scene[top : top + side, left : left + side]
            part[:] = shown[: len(part), : part.shape[1]]
            scale = side / len(pixels)
            x, y = ((box[k] + box[k + 2]) / 2 * scale for k in (0, 1))
            truth.append(Seen(x + left, y + top, (box[2] - box[0]) * scale))
        yield np.asarray(scene, np.uint8), truth


def grouped(find: Finder, small: int) -> dict[str, list[int]]:
    """How many of the four faces of each group are found, and how many that are none."""
    out: dict[str, list[int]] = {"found_of_4": [], "false": []}
    for scene, truth in groups(small):
        seen = find(scene)
        out["found_of_4"].append(sum(any(_same(s, t) for s in seen) for t in truth))
        out["false"].append(sum(not any(_same(s, t) for t in truth) for s in seen))
    return out


def empty() -> Iterator[tuple[str, UInt8]]:
    """Pictures without a face, by kind."""
    for name in EMPTY:
        pixels = _colour(np.asarray(getattr(data, name)()))
        for times in (1, 3):
            larger = cv2.resize(pixels, None, fx=times, fy=times)
            yield "scikit-image", np.asarray(larger, np.uint8)
    for seed in range(40):
        yield "noise", _noise(seed)
    for seed, path in enumerate(list(samples().values()) * 10):
        yield "shuffled portraits", _shuffled(images.read(path).pixels, seed)


def _colour(pixels: np.ndarray) -> UInt8:
    pixels = pixels if pixels.dtype != bool else pixels * np.uint8(255)
    return np.ascontiguousarray(np.dstack([pixels] * 3) if pixels.ndim == 2 else pixels[..., :3])


def _noise(seed: int, side: int = 900) -> UInt8:
    """Colours whose power falls with frequency like a photograph's, by an exponent of 0 to 1.5."""
    random = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(side)[:, None, None], np.fft.rfftfreq(side)[None, :, None]
    falling = np.maximum(np.hypot(rows, columns), 1 / side) ** -(1.5 * (seed % 10) / 9)
    white = np.fft.rfft2(random.normal(size=(side, side, 3)), axes=(0, 1))
    made = np.fft.irfft2(white * falling, s=(side, side), axes=(0, 1))
    made = (made - made.mean()) / made.std() * 55 + 120
    return np.asarray(np.clip(made, 0, 255), np.uint8)


def _shuffled(pixels: UInt8, seed: int, tile: int = 60) -> UInt8:
    """Squares in another order, a quarter of the face wide, each also turned."""
    random = np.random.default_rng(seed)
    count = len(pixels) // tile
    cut = pixels[: count * tile, : count * tile].reshape(count, tile, count, tile, 3)
    tiles = cut.transpose(0, 2, 1, 3, 4).reshape(-1, tile, tile, 3)[random.permutation(count**2)]
    tiles = np.stack([np.rot90(t, int(random.integers(4))) for t in tiles])
    rows = tiles.reshape(count, count, tile, tile, 3).transpose(0, 2, 1, 3, 4)
    return np.ascontiguousarray(rows.reshape(count * tile, count * tile, 3))


def false_faces(find: Finder) -> dict[str, dict[str, int]]:
    """Of each kind of picture without a face, in how many one is found."""
    out: dict[str, dict[str, int]] = {}
    for kind, pixels in empty():
        counts = out.setdefault(kind, {"pictures": 0, "with_a_face": 0})
        counts["pictures"] += 1
        counts["with_a_face"] += bool(find(pixels))
    return out


def speed(finders: dict[str, Finder], rounds: int) -> dict[str, dict[str, float]]:
    """Median processor milliseconds on one core: a sample face in photographs of three sizes, and a
    picture of the first size without a face.
    """
    pixels = images.read(next(iter(samples().values()))).pixels
    shown = {f"{w}x{h}": cv2.resize(pixels, (w, h)) for w, h in SIZES}
    shown["no face, 1350x1350"] = cv2.resize(_noise(6), SIZES[0])
    out: dict[str, dict[str, float]] = {}
    for size, picture in shown.items():
        spans: dict[str, list[float]] = {name: [] for name in finders}
        for k in range(rounds):
            moved = np.roll(picture, k, 1)  # what was said of the last pictures is remembered
            for name, find in finders.items():
                started = time.process_time()
                find(np.asarray(moved, np.uint8))
                spans[name].append(1000 * (time.process_time() - started))
        out[size] = {name: round(statistics.median(s[1:]), 1) for name, s in spans.items()}
    return out


def keypoints_in_crop() -> list[list[float]]:
    """Mean places of the detector's six points on the hand-checked training people, in crop units,
    made symmetric.
    """
    rows = []
    for _, pixels, truth in checked_photographs("train"):
        seen = candidates(pyramid(pixels, 1 / 3), 0.75)[0].keypoints
        stable = list(STABLE)
        rows.append(transform(similarity(truth[stable], template(1)[stable]), seen) + 0.5)
    if not rows:
        return []
    mean: Float = np.mean(rows, axis=0)
    other = mean[[1, 0, 2, 3, 5, 4]] * (-1, 1) + (1, 0)
    places: list[list[float]] = np.round((mean + other) / 2, 4).tolist()
    return places


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 1) if whole else 0.0


def measured(find: Finder) -> dict[str, Any]:
    """Everything but time, of one detector."""
    out: dict[str, Any] = {
        "flux_schnell": upright(find, flux()),
        "congress": upright(find, congress()),
    }
    for name, pictures in (("flux_schnell", flux()), ("congress, every fifth", congress(5))):
        out |= {f"{name}, {turn}": row for turn, row in turned(find, pictures).items()}
    out |= {f"group, small faces of {px} px": grouped(find, px) for px in SMALL}
    return out | {"no_face": false_faces(find)}


def command(
    out: MaybeOut = None,
    rounds: Annotated[int, typer.Option(min=2, help="Of the clock.")] = 9,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    before = dlib_before()
    finders = ({} if before is None else {"before": before}) | {"after": after}
    with threadpool_limits(1):
        result: dict[str, Any] = {name: measured(find) for name, find in finders.items()}
        result["milliseconds"] = speed(finders, rounds)
        result["keypoints_in_crop"] = keypoints_in_crop()
    result["libraries"] = f"OpenCV {cv2.__version__}, numpy {np.__version__}"
    result |= conditions()
    write(out, result)
