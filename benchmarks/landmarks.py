"""Detection and landmarks, measured: `python benchmarks/landmarks.py [--out results.json]`.

Errors are on people of the test split, against hand-checked points, in percent of the distance of
the outer eye corners; dlib's 68-point predictor, which is not free for commercial use and labels
nothing in mien, stands beside as the yardstick. Its points follow other annotators' habits, mien's
follow the hand-checked ones: a part of dlib's error is that difference. Detection is counted over
all photographs of each set.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from mien import images
from mien.data.adapters import DATASETS
from mien.faces.detect import boxes_in, detect
from mien.faces.landmarks import SIZE, load, predict
from mien.training.landmark_scores import PARTS, checked_photographs, errors
from mien.types import Float, UInt8
from mien.zoo import data_home

Predictor = Callable[[UInt8, tuple[float, float, float, float]], Float]


def yardstick() -> Predictor | None:
    """dlib's own 68 points, if its model is installed."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        return None
    import dlib

    folder = Path(spec.submodule_search_locations[0]) / "models"
    predictor = dlib.shape_predictor(str(folder / "shape_predictor_68_face_landmarks.dat"))

    def points(pixels: UInt8, box: tuple[float, float, float, float]) -> Float:
        shape = predictor(pixels, dlib.rectangle(*(round(edge) for edge in box)))
        return np.array([(p.x, p.y) for p in shape.parts()], np.float32)

    return points


def accuracy() -> dict[str, dict[str, float]]:
    """Mean, and worst photograph's, error of each part."""
    judge = yardstick()
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
            out[who] |= {"worst_inner": round(max(r["inner"] for r in rows), 2)}
            out[who] |= {"photographs": len(rows)}
    return out


def detection() -> dict[str, dict[str, float | int]]:
    """How many photographs of each set have a face found, and in how many more than one is."""
    out: dict[str, dict[str, float | int]] = {}
    for name, dataset in DATASETS.items():
        root = data_home() / name
        if not root.is_dir():
            continue
        counts = [
            len(boxes_in(images.read(root / r.file_name).pixels)) for r in dataset.records(root)
        ]
        out[name] = {
            "photographs": len(counts),
            "found": sum(c > 0 for c in counts),
            "more_than_one": sum(c > 1 for c in counts),
        }
    return out


def speed() -> dict[str, float]:
    """Median milliseconds: detect on a photograph of 1350 px, and the net on one crop."""
    _, pixels, _ = next(checked_photographs("test"))
    scale = 1350 / max(pixels.shape[:2])
    large = np.asarray(cv2.resize(pixels, None, fx=scale, fy=scale), np.uint8)
    crop = np.zeros((1, SIZE, SIZE, 3), np.uint8)
    out = {}
    for threads in (1, 2):
        torch.set_num_threads(threads)
        cv2.setNumThreads(threads)
        out[f"photograph_{large.shape[1]}x{large.shape[0]}_{threads}_threads"] = _median(
            lambda: detect(large), 7
        )
        out[f"net_{threads}_threads"] = _median(lambda: predict(crop), 50)
    return out


def _median(call: Callable[[], object], times: int) -> float:
    call()
    spans = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        spans.append(1000 * (time.perf_counter() - started))
    return round(statistics.median(spans), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    out = parser.parse_args().out
    load()
    result = {
        "error_percent_of_eye_corners": accuracy(),
        "detection": detection(),
        "milliseconds": speed(),
        "machine": f"{platform.machine()}, torch {torch.__version__}, {platform.python_version()}",
    }
    text = json.dumps(result, indent=2)
    print(text)
    if out is not None:
        out.write_text(text + "\n")


if __name__ == "__main__":
    main()
