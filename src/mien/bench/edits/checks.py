"""Does an edit do what its label says, to people never trained on, and leave the person alone?

Judges: dlib's 68-point predictor (not for commercial use; it measures here, nothing is trained on
it) and dlib's identity descriptor (public domain). Neither is a training loss of any method.
Distances are in units of the outer eye corners' distance in the source.

    mien bench checks -o checks.json

People: the test split of London and Canada (neutral photographs) for happy, surprise, anger; the
test split of Congress, where the judge sees a smile, for neutral.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import cv2
import dlib
import numpy as np
import typer
from numpy.typing import NDArray

import mien
from mien import facs
from mien.bench.answers import conditions, write
from mien.bench.options import Keep, Limit, Method, Out, SplitName, Weights, some
from mien.data.split import split_of
from mien.errors import FaceNotFound
from mien.guides import Label
from mien.images import Photo, read
from mien.methods.registry import DEFAULT
from mien.zoo import data_home
from mien.zoo.records import records

Points = NDArray[np.float64]
SMILE_WIDTH = 0.62
"""A mouth wider than this (outer eye corners) is taken for a smile; a choice, not a measurement."""


class Judge:
    """dlib's landmarks and identity descriptor."""

    def __init__(self) -> None:
        spec = importlib.util.find_spec("face_recognition_models")
        assert spec is not None
        assert spec.submodule_search_locations
        folder = Path(spec.submodule_search_locations[0]) / "models"
        self.find = dlib.get_frontal_face_detector()
        self.place = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))
        self.describe = dlib.face_recognition_model_v1(
            str(folder / "dlib_face_recognition_resnet_model_v1.dat")
        )

    def box(self, pixels: NDArray[np.uint8]) -> Any:
        found = self.find(pixels, 1 if max(pixels.shape) < 600 else 0)
        if not found:
            raise FaceNotFound("the judge finds no face")
        return max(found, key=lambda b: b.area())

    def look(self, pixels: NDArray[np.uint8], box: Any) -> tuple[Points, Points]:
        """Landmarks (68, 2) px and descriptor (128,)."""
        shape = self.place(pixels, box)
        points = np.array([(p.x, p.y) for p in shape.parts()], float)
        return points, np.array(self.describe.compute_face_descriptor(pixels, shape))


def eyes(p: Points) -> Points:
    """The middle of both eyes."""
    middle: Points = p[36:48].mean(0)
    return middle


def unit(p: Points) -> float:
    """Distance of the outer eye corners, px."""
    return float(np.linalg.norm(p[36] - p[45]))


def width(p: Points) -> float:
    """Width of the mouth, px."""
    return float(np.linalg.norm(p[48] - p[54]))


def corners(p: Points) -> float:
    """Height of the mouth's corners below the eyes."""
    return float(p[[48, 54], 1].mean() - eyes(p)[1])


def lids(p: Points) -> float:
    """Opening of the lids, px, mean of both eyes."""
    return float(np.mean(p[[41, 40, 47, 46], 1] - p[[37, 38, 43, 44], 1]))


def lips(p: Points) -> float:
    """Opening of the inner lips, px."""
    return float(np.mean(p[[67, 66, 65], 1] - p[[61, 62, 63], 1]))


def brows(p: Points) -> float:
    """Height of the inner brows above the eyes."""
    return float(eyes(p)[1] - p[[21, 22], 1].mean())


Check = Callable[[Points, Points], dict[str, float]]
CHECKS: dict[str, tuple[Check, dict[str, float]]] = {
    "happy": (
        lambda a, b: {
            "mouth_widens": (width(b) - width(a)) / unit(a),
            "corners_lift": (corners(a) - corners(b)) / unit(a),
        },
        {"mouth_widens": 0.02, "corners_lift": 0.01},
    ),
    "surprise": (
        lambda a, b: {
            "lids_open": (lids(b) - lids(a)) / unit(a),
            "lips_open": (lips(b) - lips(a)) / unit(a),
        },
        {"lids_open": 0.005, "lips_open": 0.04},
    ),
    "anger": (lambda a, b: {"brows_lower": (brows(a) - brows(b)) / unit(a)}, {"brows_lower": 0.01}),
    "neutral": (
        lambda a, b: {"mouth_narrows": (width(a) - width(b)) / unit(a)},
        {"mouth_narrows": 0.01},
    ),
}  # fmt: skip


def sharpness(a: NDArray[np.uint8], b: NDArray[np.uint8], points: Points) -> float:
    """Laplacian variance of result over source inside the hull of the source's landmarks."""
    mask = np.zeros(a.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(points.astype(np.int32)), 1)
    variance = [
        cv2.Laplacian(cv2.cvtColor(x, cv2.COLOR_RGB2GRAY), cv2.CV_64F)[mask > 0].var()
        for x in (a, b)
    ]
    return float(variance[1] / variance[0])


def photographs(home: Path, label: str, split: str) -> list[Path]:
    """Whose photographs a label is asked of."""
    if label == "neutral":
        found = sorted((home / "congress").glob("*.jpg"))
        return [p for p in found if split_of(f"congress/{p.stem}") == split]
    london = sorted((home / "london" / "neutral_front").glob("*.jpg"))
    canada = sorted((home / "canada").glob("*.jpg"))
    return [p for p in london if split_of(f"london/{p.stem[:3]}") == split] + [
        p for p in canada if split_of(f"canada/{p.stem}") == split
    ]


def at_size(photo: Photo, side: int) -> Photo:
    """The photograph, enlarged so that its longer side is `side`; 0 leaves it."""
    if not side:
        return photo
    from dataclasses import replace

    scale = side / max(photo.pixels.shape[:2])
    pixels = cv2.resize(photo.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    return replace(photo, pixels=np.asarray(pixels, np.uint8))


def measure(
    editor: Any, judge: Judge, label: str, path: Path, keep: Path | None
) -> dict[str, Any] | None:
    """One person under one label; None when the judge sees no smile to close."""
    photo = read(path)
    box = judge.box(photo.pixels)
    before, who = judge.look(photo.pixels, box)
    if label == "neutral" and width(before) / unit(before) < SMILE_WIDTH:
        return None
    began = time.perf_counter()
    result = editor.edit(photo, Label(label)).pixels
    seconds = time.perf_counter() - began
    after, still = judge.look(result, box)
    if keep:
        pair = np.concatenate([photo.pixels, result], 1)[..., ::-1]
        cv2.imwrite(str(keep / f"{label}_{path.stem}.jpg"), pair)
    check, bars = CHECKS[label]
    moved = check(before, after)
    return {
        "photo": path.stem,
        **{k: round(v, 4) for k, v in moved.items()},
        "passes": all(moved[k] >= bar for k, bar in bars.items()),
        "identity": round(float(np.linalg.norm(who - still)), 4),
        "sharpness": round(sharpness(photo.pixels, result, before), 4),
        "seconds": round(seconds, 3),
    }


def summary(rows: list[dict[str, Any]], label: str) -> dict[str, Any]:
    """Share that passes, medians, and the worst identity distance."""

    def column(name: str) -> list[Any]:
        return [r[name] for r in rows]

    return {
        "people": len(rows),
        "pass_share": round(float(np.mean(column("passes"))), 4),
        **{f"median_{k}": round(float(np.median(column(k))), 4) for k in CHECKS[label][1]},
        "identity_median": round(float(np.median(column("identity"))), 4),
        "identity_worst": max(column("identity")),
        "sharpness_median": round(float(np.median(column("sharpness"))), 4),
        "seconds_median": round(float(np.median(column("seconds"))), 3),
    }


def command(
    out: Out,
    method: Method = DEFAULT,
    weights: Weights = None,
    split: SplitName = "test",
    labels: Annotated[
        list[str] | None, typer.Option("--label", help="Only this one; repeat (default: all).")
    ] = None,
    limit: Limit = None,
    keep: Keep = None,
) -> None:
    """Measure, and write the answer."""
    asked = some(labels, CHECKS)
    editor = mien.Editor(mien.load(method, weights))
    judge = Judge()
    rows: dict[str, list[dict[str, Any]]] = {}
    for label in asked:
        rows[label] = []
        for path in photographs(data_home(), label, split)[:limit]:
            try:
                row = measure(editor, judge, label, path, keep)
            except FaceNotFound as error:
                row = None
                print(f"{label} {path.stem}: {error}", file=sys.stderr)
            if row:
                rows[label].append(row)
        print(label, json.dumps(summary(rows[label], label)), flush=True)
    shipped = records().get(method)
    report = {
        **conditions(),
        "weights": str(weights or (shipped and shipped.sha256)),
        "judges": "dlib 68 points; dlib descriptor; Laplacian variance",
        "split": split,
        "prototypes": {k: facs.PROTOTYPES[k] for k in asked},
        "summary": {label: summary(r, label) for label, r in rows.items()},
        "rows": rows,
    }
    write(out, report, say=False)
