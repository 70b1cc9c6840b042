"""How long a rig takes, and which part of it."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np

from mien import facs
from mien.bench.rig.measures import SIZE, Crops
from mien.face_model import frame, render
from mien.face_model.creases import Creases
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.face_model.sitter import Sitter
from mien.rig.expressions import expression_list

STEPS: dict[str, tuple[Any, str]] = {
    "pose": (Sitter, "_posed"),
    "drift": (Sitter, "_drift"),
    "creases": (Creases, "__call__"),
    "attributes": (Sitter, "_attributes"),
    "rasterise": (frame, "rasterise_behind"),
    "shade": (render, "shade"),
    "shrink": (render, "shrink"),
    "shrink_flow": (render, "shrink_flow"),
}
"""Parts of a render whose time is taken, and the place of each."""


def speed(model: FaceModel, crops: Crops) -> dict[str, Any]:
    """CPU milliseconds, one thread: building a rig, rendering one state, and what of that each
    part takes."""
    cv2.setNumThreads(1)
    out: dict[str, Any] = {}
    for size, supersample in ((256, 2), (256, 1), (160, 2), (128, 2)):
        build, taken = [], []
        for name in crops.names("london_neutral")[10:16]:
            image, points = crops.load("london_neutral", name)
            start = time.process_time()
            rig = Rig(model, image, points, True)
            build.append(time.process_time() - start)
            rig.render(facs.prototype("happy"), size, supersample)
            for units in expression_list(0)[1:30]:
                start = time.process_time()
                rig.render(units, size, supersample)
                taken.append(time.process_time() - start)
        out[f"{size}px_supersample{supersample}"] = {
            "render_ms": float(np.mean(taken) * 1e3),
            "render_ms_spread": float(np.std(taken) * 1e3),
            "a_second": float(1 / np.mean(taken)),
            "build_ms": float(np.median(build) * 1e3),
        }
    out["shares_256px_supersample2"] = shares(rig)
    return out


def shares(rig: Rig) -> dict[str, float]:
    """What part of a 256 px render each step takes; `rest` is everything between them."""
    spent = dict.fromkeys(STEPS, 0.0)
    kept = {name: getattr(*place) for name, place in STEPS.items()}

    def timed(name: str) -> Any:
        def run(*given: Any, **named: Any) -> Any:
            start = time.process_time()
            try:
                return kept[name](*given, **named)
            finally:
                spent[name] += time.process_time() - start

        return run

    for name, place in STEPS.items():
        setattr(*place, timed(name))
    start = time.process_time()
    try:
        for units in expression_list(0)[1:60]:
            rig.render(units, SIZE)
    finally:
        for name, place in STEPS.items():
            setattr(*place, kept[name])
    whole = time.process_time() - start
    out = {name: round(t / whole, 3) for name, t in spent.items()}
    return {**out, "rest": round(1 - sum(spent.values()) / whole, 3)}
