"""Detection and landmarks, measured: `mien bench landmarks [--out results.json]`.

All but the counts of detection is measured on people of the test split, in percent of the distance
of the outer eye corners. Errors are against hand-checked points; dlib's 68-point predictor, which
is not free for commercial use and labels nothing in mien, stands beside as the yardstick. Its
points follow other annotators' habits, mien's follow the hand-checked ones: a part of dlib's error
is that difference, and `habit` tells how large it is at the mouth. Smiles have no checked points;
there mien and dlib are laid side by side. Strong expressions have none either; there the eyes'
middles are laid beside those of MediaPipe's landmarker, which taught nothing here. Alignment is
compared with dlib's 5-point predictor.
"""

from __future__ import annotations

import importlib.util
import math
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut
from mien.data.adapters import DATASETS
from mien.errors import FaceNotFound
from mien.faces.align import STABLE, align, inverse, similarity, template, transform
from mien.faces.detect import detect
from mien.faces.landmarks import SIZE, predict
from mien.judges.landmarker import landmarker
from mien.training.landmark_scores import PARTS, checked_photographs, errors
from mien.types import Float, UInt8
from mien.zoo import data_home

Box = tuple[float, float, float, float]
Predictor = Callable[[UInt8, Box], Float]
CROP = 320
FIVE = [45, 42, 36, 39, 33]
"""The landmarks that dlib's 5-point predictor finds, in its order."""
MOUTH = {
    "upper_outer": [50, 51, 52],
    "upper_inner": [61, 62, 63],
    "lower_inner": [65, 66, 67],
    "lower_outer": [56, 57, 58],
}
OPEN = 10.0
"""Teeth show where dlib sees the inner lips this far apart, px of a crop of 320."""
OFF = 0.15
"""How far off, in widths of an eye, the middle of one may lie before an edit shows it."""
_RIGHT_EYE = (33, 133, 159, 145, 158, 153, 160, 144)
_LEFT_EYE = (263, 362, 386, 374, 385, 380, 387, 373)
"""Corners and lids of MediaPipe's mesh of 478, as the 68 points have them."""
FAR = 6.0
"""Mean error of the inner landmarks from which a face counts as missed, percent."""


def yardstick(name: str) -> Predictor | None:
    """dlib's own predictor of 68 or of 5 points, if its model is installed."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        return None
    import dlib

    folder = Path(spec.submodule_search_locations[0]) / "models"
    predictor = dlib.shape_predictor(str(folder / f"shape_predictor_{name}_face_landmarks.dat"))
    detector = dlib.get_frontal_face_detector()

    def points(pixels: UInt8, box: Box) -> Float:
        # It was taught on the boxes of dlib's own detector; mien's does where that finds none.
        own = sorted(detector(pixels, 0), key=lambda found: found.width())
        where = own[-1] if own else dlib.rectangle(*(round(edge) for edge in box))
        shape = predictor(pixels, where)
        return np.array([(p.x, p.y) for p in shape.parts()], np.float32)

    return points


def accuracy(judge: Predictor | None) -> dict[str, dict[str, float]]:
    """Mean, median and worst photograph's error of each part."""
    found: dict[str, list[dict[str, float]]] = {"mien": [], "dlib": []}
    for _, pixels, truth in checked_photographs("test"):
        face = detect(pixels)[0]
        found["mien"].append(errors(face.landmarks, truth))
        if judge is not None:
            found["dlib"].append(errors(judge(pixels, face.box), truth))
    out: dict[str, dict[str, float]] = {}
    for who, rows in found.items():
        if rows:
            out[who] = {p: round(statistics.fmean(r[p] for r in rows), 2) for p in PARTS}
            out[who] |= {
                f"median_{p}": round(statistics.median(r[p] for r in rows), 2) for p in PARTS
            }
            out[who] |= {"worst_inner": round(max(r["inner"] for r in rows), 2)}
            out[who] |= {"photographs": len(rows)}
    return out


def alignment(judge: Predictor | None) -> dict[str, dict[str, float]]:
    """How far the aligned crop lies from the one that the hand-checked points give.

    dlib's five points are brought to the same template, and also to their own mean place in crops
    of the training people, so that its annotators' habits count for nothing.
    """
    found: dict[str, list[tuple[float, ...]]] = {
        "mien": [],
        "dlib_5_points": [],
        "dlib_5_points_own_template": [],
    }
    five = None if judge is None else _mean_five(judge)
    for _, pixels, truth in checked_photographs("test"):
        face = detect(pixels)[0]
        checked = _aligning(truth)
        found["mien"].append(_astray(_aligning(face.landmarks), checked))
        if judge is not None and five is not None:
            points = judge(pixels, face.box)
            for who, goal in (
                ("dlib_5_points", template(CROP)[FIVE]),
                ("dlib_5_points_own_template", five),
            ):
                found[who].append(_astray(similarity(points, goal), checked))
    names = ("size_percent", "roll_degrees", "offset_percent", "inner_landmarks_percent")
    out: dict[str, dict[str, float]] = {}
    for who, rows in found.items():
        if rows:
            out[who] = {}
            for name, values in zip(names, zip(*rows, strict=True), strict=True):
                out[who][f"median_{name}"] = round(statistics.median(values), 2)
                out[who][f"worst_{name}"] = round(max(values), 2)
            out[who]["photographs"] = len(rows)
    return out


def _aligning(points: Float) -> Float:
    stable = list(STABLE)
    return similarity(points[stable], template(CROP)[stable])


def _mean_five(judge: Predictor) -> Float:
    places = [
        transform(_aligning(truth), judge(pixels, detect(pixels)[0].box))
        for _, pixels, truth in checked_photographs("train")
    ]
    return np.asarray(np.mean(places, axis=0), np.float32)


def _astray(matrix: Float, checked: Float) -> tuple[float, float, float, float]:
    """Size (percent), roll (degrees), offset of the face's middle and mean shift of the inner
    landmarks (percent of the outer eye corners' distance) of one alignment against another.
    """
    points = template(CROP)
    eyes = float(np.linalg.norm(points[36] - points[45]))
    seen = transform(matrix, transform(inverse(checked), points))
    turn = similarity(points, seen).astype(np.float64)
    size, roll = math.hypot(turn[0, 0], turn[1, 0]), math.atan2(turn[1, 0], turn[0, 0])
    middle = np.linalg.norm(seen[17:].mean(axis=0) - points[17:].mean(axis=0))
    shift = np.linalg.norm(seen[17:] - points[17:], axis=1).mean()
    return (
        100 * abs(size - 1),
        abs(math.degrees(roll)),
        100 * float(middle) / eyes,
        100 * float(shift) / eyes,
    )


def smiles(judge: Predictor | None) -> dict[str, float]:
    """How much wider the London people's mouths are when they smile: mien beside dlib."""
    rows = []
    for neutral, smile in _pairs():
        row = []
        for pixels in (neutral, smile):
            face = detect(pixels)[0]
            other = face.landmarks if judge is None else judge(pixels, face.box)
            row += [_width(face.landmarks), _width(other)]
        rows.append((row[2] / row[0], row[3] / row[1]))
    if not rows:
        return {}
    mien, dlib = np.array(rows).T
    out = {"mien_median": float(np.median(mien)), "people": len(rows)}
    if judge is not None:
        out |= {
            "dlib_median": float(np.median(dlib)),
            "mean_difference": float(np.abs(mien - dlib).mean()),
            "correlation": float(np.corrcoef(mien, dlib)[0, 1]),
        }
    return {name: round(value, 3) for name, value in out.items()}


def _pairs() -> Iterator[tuple[UInt8, UInt8]]:
    """Photographs of each test person of the London set: at rest, smiling."""
    root = data_home() / "london"
    by_person: dict[str, dict[str | None, Path]] = {}
    for record in DATASETS["london"].records(root) if root.is_dir() else ():
        if record.split == "test":
            by_person.setdefault(record.person, {})[record.emotion] = root / record.file_name
    for found in by_person.values():
        yield images.read(found["neutral"]).pixels, images.read(found["happy"]).pixels


def _width(points: Float) -> float:
    return float(np.linalg.norm(points[54] - points[48]) / np.linalg.norm(points[45] - points[36]))


def congress(judge: Predictor | None) -> dict[str, dict[str, float]]:
    """How much lower (y down) mien's lips lie than dlib's in portraits of Congress.

    `habit` is how much lower the hand-checked lips lie than dlib's on test people at rest.
    """
    root = data_home() / "congress"
    if judge is None or not root.is_dir():
        return {}
    rows: dict[str, list[tuple[Float, float]]] = {"teeth_show": [], "closed": [], "habit": []}
    for record in DATASETS["congress"].records(root):
        if record.split == "test":
            pixels = images.read(root / record.file_name).pixels
            face = detect(pixels)[0]
            other = _enlarged(judge, pixels, face.box)
            lips = transform(_aligning(other), other)
            kind = "teeth_show" if lips[66, 1] - lips[62, 1] > OPEN else "closed"
            rows[kind].append(_lower(face.landmarks, other))
    for _, pixels, truth in checked_photographs("test"):
        rows["habit"].append(_lower(truth, judge(pixels, detect(pixels)[0].box)))
    return {kind: _summary(found) for kind, found in rows.items() if found}


def _enlarged(judge: Predictor, pixels: UInt8, box: Box, times: int = 4) -> Float:
    """dlib rounds its answers to pixels: a small photograph is shown to it enlarged."""
    large = cv2.resize(pixels, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    left, top, right, bottom = (times * edge for edge in box)
    found = judge(np.asarray(large, np.uint8), (left, top, right, bottom))
    return ((found + 0.5) / times - 0.5).astype(np.float32)


def _lower(points: Float, other: Float) -> tuple[Float, float]:
    """How much lower each landmark lies than the other's, percent, and the mean inner distance."""
    matrix = _aligning(other)
    own, its = transform(matrix, points), transform(matrix, other)
    eyes = float(np.linalg.norm(its[36] - its[45]))
    return 100 * (own - its)[:, 1] / eyes, errors(points, other)["inner"]


def _summary(rows: list[tuple[Float, float]]) -> dict[str, float]:
    lower = np.mean([row for row, _ in rows], axis=0)
    distances = [distance for _, distance in rows]
    out = {name: float(lower[where].mean()) for name, where in MOUTH.items()}
    out |= {"median_inner_distance": statistics.median(distances)}
    out |= {"far_off": sum(distance > FAR for distance in distances), "photographs": len(rows)}
    return {name: round(value, 2) for name, value in out.items()}


def eyes() -> dict[str, dict[str, float]]:
    """How far above or below MediaPipe's the middles of the eyes lie, in widths of an eye, of the
    worse eye of each face: portraits with strong expressions, turned heads and staged light, and
    Congress's test people. An eye that is off by more than `OFF` is drawn beside itself.
    """
    strong = sorted((data_home() / "flux_schnell" / "images").glob("*.jpg"))
    root = data_home() / "congress"
    records = DATASETS["congress"].records(root) if root.is_dir() else ()
    calm = [root / r.file_name for r in records if r.split == "test"]
    out = {}
    for name, paths in (("flux_schnell", strong), ("congress", calm)):
        rows = [off for path in paths if (off := _eyes_off(images.read(path).pixels)) is not None]
        if rows:
            out[name] = {
                "faces": len(rows),
                "median": round(statistics.median(rows), 3),
                "p90": round(float(np.percentile(rows, 90)), 3),
                "off_percent": round(100 * statistics.fmean(row > OFF for row in rows), 1),
            }
    return out


def _eyes_off(pixels: UInt8) -> float | None:
    found = detect(pixels)
    if not found:
        return None
    points = found[0].landmarks
    across = points[45] - points[36]
    wide = float(np.linalg.norm(across))
    down = np.array([-across[1], across[0]]) / wide
    x, y = np.clip(points[27] - wide * np.array([1.3, 1.2]), 0, None).astype(int)
    right, low = (points[27] + wide * np.array([1.3, 1.9])).astype(int)
    try:
        seen = landmarker().see(np.ascontiguousarray(pixels[y:low, x:right])).points[:, :2] + (x, y)
    except FaceNotFound:
        return None
    off = []
    for own, theirs in ((range(36, 42), _RIGHT_EYE), (range(42, 48), _LEFT_EYE)):
        eye = seen[list(theirs)]
        # an eye seen from aside is narrow, and no ruler
        width = max(float(np.linalg.norm(eye[0] - eye[1])), wide / 5)
        off.append(abs(float((points[list(own)].mean(0) - eye.mean(0)) @ down)) / width)
    return max(off)


def detection() -> dict[str, dict[str, float | int]]:
    """How many photographs of each set have a face found, and in how many more than one is."""
    out: dict[str, dict[str, float | int]] = {}
    for name, dataset in DATASETS.items():
        root = data_home() / name
        if not root.is_dir():
            continue
        counts = [
            len(detect(images.read(root / r.file_name).pixels)) for r in dataset.records(root)
        ]
        out[name] = {
            "photographs": len(counts),
            "found": sum(c > 0 for c in counts),
            "more_than_one": sum(c > 1 for c in counts),
        }
    return out


def speed() -> dict[str, float]:
    """Median milliseconds of processor time, one thread: all of `detect` on a photograph of 1350
    px, and the net on one crop.
    """
    _, pixels, _ = next(checked_photographs("test"))
    scale = 1350 / max(pixels.shape[:2])
    large = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale), np.uint8)
    crop = align(pixels, detect(pixels)[0], SIZE).pixels[None]
    cv2.setNumThreads(1)
    shape = f"{large.shape[1]}x{large.shape[0]}"
    with threadpool_limits(1):
        # each picture a little moved: what was said of the last ones is remembered
        whole = _median(lambda k: detect(np.roll(large, k, 1)), 7)
        net = _median(lambda k: predict(np.roll(crop, k, 2)), 50)
    return {f"photograph_{shape}": whole, "net": net}


def _median(call: Callable[[int], object], times: int) -> float:
    call(0)
    spans = []
    for k in range(1, times + 1):
        started = time.process_time()
        call(k)
        spans.append(1000 * (time.process_time() - started))
    return round(statistics.median(spans), 1)


def command(
    out: MaybeOut = None,
) -> None:
    """Measure, and write the answer."""
    judge = yardstick("68")
    result = {
        "error_percent_of_eye_corners": accuracy(judge),
        "alignment_against_checked": alignment(yardstick("5")),
        "smile_width_over_rest": smiles(judge),
        "congress_lips_lower_than_dlib_percent": congress(judge),
        "eyes_beside_mediapipe": eyes(),
        "detection": detection(),
        "milliseconds": speed(),
        **conditions(),
    }
    write(out, result)
