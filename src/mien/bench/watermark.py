"""The invisible mark: what it survives, what it costs, and how often it is seen where it is not.

    mien bench watermark -o benchmarks/results/mark.json

Edits: photographs of every set, held in memory alone, by four guides in turn, with the shipped
weights of mtss. Attacks: JPEG (4:2:0), half size (area), a crop of 80 % of each side off centre,
a screenshot (enlarged to 113 %, shifted by parts of a pixel, JPEG 80), the mirror image, and some
together. Small edits: the samples by single units and by `happy`, the shipped default method: the
most levels that a pixel is changed by, in smooth places (local standard deviation below 4 levels
within 3 px) and anywhere, and whether the mark is found after JPEG 60, half size, a crop of three
quarters and a screenshot. `found` asks for a chance of false alarm below 1e-6. False alarms: every
photograph of MIEN_DATA untouched, and every second once more: cropped, mirrored, halved or as
JPEG.
"""

from __future__ import annotations

import io
import random
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer
from PIL import Image

import mien
from mien import images
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut
from mien.errors import FaceNotFound
from mien.provenance.evidence import Evidence, sightings
from mien.provenance.mark import embed
from mien.types import UInt8
from mien.zoo import data_home
from mien.zoo.samples import samples

GUIDES = (
    mien.Label("happy"),
    mien.Label("neutral"),
    mien.ActionUnits.parse("AU4=+0.3"),
    mien.Label("surprise"),
)


def jpeg(pixels: UInt8, quality: int) -> UInt8:
    """As JPEG of a quality, colours at half size."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=2)
    return np.asarray(Image.open(stream).convert("RGB"))


def half(pixels: UInt8) -> UInt8:
    """At half its size."""
    return np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA))


def crop(pixels: UInt8, share: float = 0.8, right: float = 0.4, down: float = 0.6) -> UInt8:
    """A part of it."""
    height, width = (round(side * share) for side in pixels.shape[:2])
    top, left = round((pixels.shape[0] - height) * down), round((pixels.shape[1] - width) * right)
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])


def screenshot(pixels: UInt8) -> UInt8:
    """As a screen at another scale shows it, and JPEG of quality 80."""
    height, width = pixels.shape[:2]
    matrix = np.array([[1.13, 0, 0.37], [0, 1.13, 0.61]], np.float32)
    size = (round(width * 1.13), round(height * 1.13))
    shown = cv2.warpAffine(pixels, matrix, size, flags=cv2.INTER_LINEAR, borderMode=4)
    return jpeg(np.asarray(shown), 80)


def mirrored(pixels: UInt8) -> UInt8:
    """Left and right exchanged."""
    return np.ascontiguousarray(pixels[:, ::-1])


ATTACKS: dict[str, Callable[[UInt8], UInt8]] = {
    "none": lambda p: p,
    "JPEG 95": lambda p: jpeg(p, 95),
    "JPEG 75": lambda p: jpeg(p, 75),
    "JPEG 50": lambda p: jpeg(p, 50),
    "half size": half,
    "crop 80 %": crop,
    "screenshot": screenshot,
    "mirrored": mirrored,
    "half size, JPEG 75": lambda p: jpeg(half(p), 75),
    "crop 80 %, half size, JPEG 75": lambda p: jpeg(half(crop(p)), 75),
}
SMALL = (
    mien.Label("happy"),
    *map(mien.ActionUnits.parse, ("AU43L=1", "AU43R=1", "AU12=0.3", "AU1=0.5", "AU4=+0.3")),
    mien.ActionUnits.parse("AU26=0.5"),
)
VARIATIONS = (crop, mirrored, half, lambda p: jpeg(p, 75))


def seen(pixels: UInt8) -> Evidence:
    """What is seen of the mark."""
    found = sightings([np.ascontiguousarray(pixels)])
    return Evidence(len(found), found)


def psnr(difference: Any) -> float:
    """Of a difference of pixels, dB."""
    return float(10 * np.log10(255.0**2 / max(float(np.square(difference).mean()), 1e-12)))


def detection(photographs: list[Path]) -> dict[str, Any]:
    """The mark after each attack on edited photographs."""
    editor = mien.Editor(mien.load("mtss"))
    scores: dict[str, list[Evidence]] = {name: [] for name in ATTACKS}
    whole, inside, without = [], [], 0
    for i, path in enumerate(photographs):
        try:
            result = editor.edit(images.read(path), GUIDES[i % len(GUIDES)])
        except FaceNotFound:
            without += 1
            continue
        marked = result.marked.pixels
        difference = marked.astype(float) - result.pixels
        touched = (marked != result.pixels).any(-1)
        whole.append(psnr(difference))
        inside.append(psnr(difference[touched]))
        for name, attack in ATTACKS.items():
            scores[name].append(seen(attack(marked)))
    return {
        "edits": len(whole),
        "photographs_without_a_face": without,
        "psnr_whole_picture": spread(whole),
        "psnr_where_marked": spread(inside),
        "attacks": {
            name: {
                "found": sum(e.mark == "found" for e in rows),
                "of": len(rows),
                "score": spread([e.score for e in rows]),
            }
            for name, rows in scores.items()
        },
    }


def small() -> dict[str, Any]:
    """What is hardest to mark unseen: edits that reach few pixels."""
    editor = mien.Editor(mien.load())
    harm = {name: ATTACKS[name] for name in ("none", "half size", "screenshot")}
    harm |= {"JPEG 60": lambda p: jpeg(p, 60), "crop 75 %": lambda p: crop(p, 0.75)}
    rows = []
    for name, path in samples().items():
        for guide in SMALL:
            result = editor.edit(path, guide)
            marked = result.marked.pixels
            change = np.abs(marked.astype(int) - result.pixels).max(-1)
            light = cv2.cvtColor(result.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
            variance = (
                cv2.GaussianBlur(light**2, (0, 0), 3) - cv2.GaussianBlur(light, (0, 0), 3) ** 2
            )
            scores = [seen(attack(marked)) for attack in harm.values()]
            rows.append(
                {
                    "edit": f"{name}: {guide.describe()}",
                    "most_levels": int(change.max()),
                    "most_levels_smooth": int(change[variance < 16].max()),
                    "psnr_whole_picture": round(psnr(marked.astype(float) - result.pixels), 2),
                    "least_score": round(min(e.score for e in scores), 2),
                    "found": all(e.mark == "found" for e in scores),
                }
            )
    return {"after": list(harm), "edits": rows}


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(values), 2),
        "least": round(min(values), 2),
        "most": round(max(values), 2),
    }


def false_alarms(rows: list[Evidence]) -> dict[str, Any]:
    """Where the mark is seen in pictures that do not carry it."""
    return {
        "pictures": len(rows),
        "faces": sum(e.faces for e in rows),
        "found": sum(e.mark == "found" for e in rows),
        "doubtful": sum(e.mark == "doubtful" for e in rows),
        "highest_score": round(max(e.score for e in rows), 2),
        "lowest_chance": min(e.chance for e in rows),
    }


def untouched(index: int, path: Path) -> list[Evidence]:
    """A photograph as it is, and every second one varied."""
    pixels = images.read(path).pixels
    varied = [VARIATIONS[index // 2 % len(VARIATIONS)](pixels)] if index % 2 else []
    return [seen(picture) for picture in (pixels, *varied)]


def speed(photograph: Path) -> dict[str, float]:
    """Processor seconds for a portrait of 4000 x 3000."""
    source = images.read(photograph).pixels
    large = cv2.resize(crop(source, 0.75, 0.5, 0.5), (4000, 3000), interpolation=cv2.INTER_CUBIC)
    editor = mien.Editor(mien.load("mtss"))
    result = editor.edit(np.asarray(large), GUIDES[0])
    marked = embed(result.pixels, result.source.pixels, result.faces)
    seen(marked)
    times: dict[str, list[float]] = {"marking": [], "looking": []}
    for _ in range(5):
        clock = time.process_time()
        embed(result.pixels, result.source.pixels, result.faces)
        times["marking"].append(time.process_time() - clock)
        clock = time.process_time()
        seen(marked)
        times["looking"].append(time.process_time() - clock)
    return {f"{name}_12_megapixels_s": round(statistics.median(v), 3) for name, v in times.items()}


def command(
    out: MaybeOut = None,
    edits: Annotated[int, typer.Option(min=1, help="Photographs that are edited.")] = 40,
    most: Annotated[
        int, typer.Option("--untouched", min=1, help="Photographs without the mark at most.")
    ] = 10**6,
) -> None:
    """Measure, and write the answer."""
    photographs = sorted(p for s in ("*.jpg", "*.png") for p in data_home().rglob(s))
    shuffled = random.Random(7).sample(photographs, len(photographs))
    table = {
        **conditions(),
        "small_edits": small(),
        "detection": detection(shuffled[:edits]),
        "false_alarms": false_alarms(
            [e for i, p in enumerate(photographs[:most]) for e in untouched(i, p)]
        ),
        "speed": speed(next(p for p in photographs if "london" in p.parts)),
    }
    write(out, table)
