"""How good the rig's pictures are: real smiles as truth, identity kept, motion, turn, light, speed.

    mien bench rig --crops CROPS -o benchmarks/results/rig.json
    mien bench rig --crops CROPS --part smile

CROPS is a folder for what is measured on: crops of the London Set's and of Congress's faces, which
are made by the first run and used by the next.

dlib's points and descriptor only measure here; no product label comes from them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from mien import facs
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut, Sheet, folder, some
from mien.bench.rig.crops import make
from mien.bench.rig.measures import (
    MEASURES,
    SIZE,
    Crops,
    Judge,
    by_part,
    change,
    compare,
    eye_corners,
    mean,
    mouth_width,
    seen,
    shape,
    similarity,
    small,
)
from mien.bench.rig.speed import speed
from mien.data.split import split_of
from mien.face_model.fit import fit
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.refine import Match, match
from mien.face_model.render import Rig
from mien.rig.expressions import expression_list
from mien.types import Float, UInt8
from mien.zoo import data_home

STABLE = [*range(27, 36), 36, 39, 42, 45, 0, 1, 15, 16]
SHOWN = ("neutral", "pose_only", "by_landmarks", "expression", "and_light", "and_folds")
"""`by_landmarks`: the whole render, but in the geometry that 68 points of the smile tell; from
`expression` on it is refined by optical flow to the smile."""
WIDENS = 1.12
"""Mouth width, in the neutral one's, from which on a smile is one."""
SAME = 0.45
"""Descriptor distance under which nobody doubts that it is the same person; dlib's limit is 0.6."""
STAGES = {
    **{f"yaw {yaw}": PoseAndLight(turn=(0, yaw, 0)) for yaw in (-20, -10, 10, 20)},
    **{f"pitch {pitch}": PoseAndLight(turn=(pitch, 0, 0)) for pitch in (-12, 12)},
    "roll 10": PoseAndLight(turn=(0, 0, 10)),
    "light from the left": PoseAndLight(light=(0.7, 0, 0)),
    "light from below": PoseAndLight(light=(0, -0.7, 0)),
    "half a stop more": PoseAndLight(light=(0, 0, 0.5)),
}
EMOTIONS = [name for name in facs.EMOTIONS if name != "neutral"]


def warped(pixels: UInt8, matrix: Float) -> UInt8:
    """A crop of 320 px brought where another face's stable points are."""
    moved = cv2.warpAffine(
        pixels, matrix, (320, 320), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def smiles(model: FaceModel, crops: Crops, judge: Judge) -> dict[str, Any]:
    """Every person's neutral photograph given the geometry of the own real smile, against that."""
    neutral, smiling = crops.points("london_neutral"), crops.points("london_smiling")
    people, scores, distances, motion = [], [], [], []
    for person in sorted(n[:3] for n in neutral if n[:3] + "_08" in smiling):
        a, la = crops.load("london_neutral", person + "_03")
        b, lb = crops.load("london_smiling", person + "_08")
        m = similarity(lb[STABLE], la[STABLE])
        b = warped(b, m)
        lb = (lb @ m[:, :2].T + m[:, 2]).astype(np.float32)
        rig = Rig(model, a, la, True)
        found = match(rig, b, lb)

        def show(found: Match = found, rig: Rig = rig, **how: Any) -> np.ndarray:
            kept: dict[str, Any] = {"camera": found.camera, "habit": found.habit}
            return rig.render_weights(found.weights, SIZE, **kept, **how).image

        posed = rig.render_weights(rig.fit.weights, SIZE, camera=found.camera).image
        asked = fit(model, lb, neutral=False, identity=rig.fit.identity)
        plain = rig.render_weights(asked.weights, SIZE, camera=asked.camera).image
        unlit = show(relight=0, folded=False)
        smooth, animated = show(folded=False), show()
        truth, at = seen(b), small(lb)
        shown = (seen(a), posed, plain, unlit, smooth, animated)
        people.append((split_of(f"london/{person}"), mouth_width(lb) / mouth_width(la)))
        scores.append([compare(x, truth, at) for x in shown])
        who = [judge.descriptor(x, at) for x in (seen(a), animated, truth)]
        distances.append([np.linalg.norm(who[i] - who[k]) for i, k in ((0, 1), (0, 2), (1, 2))])
        landmarks = judge.landmarks(animated, at)
        motion.append(
            [np.linalg.norm(landmarks - at, axis=1), np.linalg.norm(small(la) - at, axis=1)]
        )
    s, d, mo = np.array(scores), np.array(distances), np.array(motion)
    unseen = np.array([split == "test" for split, _ in people])
    wide = np.array([width >= WIDENS for _, width in people])
    return {
        "all": gains(s),
        "unseen": gains(s[unseen]),
        "whose_mouth_widens": gains(s[wide]),
        "descriptor": {
            "source_to_animated": d[:, 0].mean(),
            "worst": d[:, 0].max(),
            "source_to_real_smile": d[:, 1].mean(),
            "animated_to_real_smile": d[:, 2].mean(),
        },
        "landmark_px_animated": by_part(mo[:, 0]),
        "landmark_px_neutral": by_part(mo[:, 1]),
    }


def gains(scores: np.ndarray) -> dict[str, Any]:
    """Summary of scores (people, `SHOWN`, `MEASURES`)."""
    first, last = scores[:, 0], scores[:, -1]
    better, plain = last > first, scores[:, SHOWN.index("by_landmarks")]
    return {
        "people": len(scores),
        **{
            row: dict(zip(MEASURES, scores[:, i].mean(0).round(4).tolist(), strict=True))
            for i, row in enumerate(SHOWN)
        },
        "face_gain_db": float((last - first)[:, 1].mean()),
        "face_gain_db_by_landmarks": float((plain - first)[:, 1].mean()),
        "better_in_both_by_landmarks": float((plain > first)[:, :2].all(1).mean()),
        "better_in_both": float((better[:, 0] & better[:, 1]).mean()),
        "better": dict(zip(MEASURES, better.mean(0).round(3).tolist(), strict=True)),
    }


def emotions(model: FaceModel, crops: Crops, judge: Judge) -> dict[str, Any]:
    """Every emotion on half the neutral photographs, the unseen people's among them: identity kept,
    and what the landmarks do."""
    asked: dict[str, list[dict[str, float]]] = {}
    detected: dict[str, list[dict[str, float]]] = {}
    drift: dict[str, list[float]] = {}
    off, wanted, missed, floor, ruler = [], [], [], [], []
    mixes = expression_list(0)[-80:]
    every = crops.names("london_neutral")
    names = [n for i, n in enumerate(every) if i % 2 == 0 or split_of(f"london/{n[:3]}") == "test"]
    for n, name in enumerate(names):
        image, points = crops.load("london_neutral", name)
        rig = Rig(model, image, points, True)
        unmoved = rig.render_weights(rig.fit.weights, SIZE)
        own, found0 = (
            judge.descriptor(unmoved.image, unmoved.landmarks),
            judge.landmarks(unmoved.image, unmoved.landmarks),
        )
        floor.append(np.linalg.norm(found0 - unmoved.landmarks, axis=1))
        jobs = [(e, facs.prototype(e)) for e in EMOTIONS]
        jobs += [("random", mixes[(2 * n + i) % len(mixes)]) for i in range(2)]
        for label, units in jobs:
            r = rig.render(units, SIZE)
            found = judge.landmarks(r.image, r.landmarks)
            drift.setdefault(label, []).append(
                float(np.linalg.norm(judge.descriptor(r.image, r.landmarks) - own))
            )
            asked.setdefault(label, []).append(change(r.landmarks, unmoved.landmarks))
            detected.setdefault(label, []).append(change(found, found0))
            off.append(np.linalg.norm(found - r.landmarks, axis=1))
            motion = r.landmarks - unmoved.landmarks
            wanted.append(np.linalg.norm(motion, axis=1))
            missed.append(np.linalg.norm(found - found0 - motion, axis=1))
            ruler.append(eye_corners(unmoved.landmarks))
    prototypes = np.array([drift[e] for e in EMOTIONS])
    unseen = np.array([split_of(f"london/{name[:3]}") == "test" for name in names])
    inner = (np.array(off)[:, 17:] / np.array(ruler)[:, None]).mean(1)
    resting = np.array(floor)[:, 17:].mean(1) / np.array(ruler).reshape(len(floor), -1)[:, 0]
    return {
        "people": len(floor),
        "descriptor": {
            k: {
                "mean": round(float(np.mean(v)), 3),
                "worst": round(float(max(v)), 3),
                "under_0.45": round(float((np.array(v) < SAME).mean()), 4),
            }
            for k, v in drift.items()
        },
        "prototypes_under_0.45": round(float((prototypes < SAME).mean()), 4),
        "unseen_people": int(unseen.sum()),
        "unseen_prototypes_under_0.45": round(float((prototypes[:, unseen] < SAME).mean()), 4),
        "unseen_prototypes_worst": round(float(prototypes[:, unseen].max()), 4),
        "asked": {k: mean(v) for k, v in asked.items()},
        "detected": {k: mean(v) for k, v in detected.items()},
        "inner_off_median_of_eye_distance": round(float(np.median(inner)), 4),
        "inner_off_floor_median_of_eye_distance": round(float(np.median(resting)), 4),
        "asked_to_detected_px": by_part(np.array(off)),
        "motion_px": by_part(np.array(wanted)),
        "motion_error_px": by_part(np.array(missed)),
        "detection_floor_px": by_part(np.array(floor)),
    }


def poses_and_lights(model: FaceModel, crops: Crops, judge: Judge) -> dict[str, Any]:
    """Turned and relit heads: identity kept, and the landmarks where the rig says."""
    out: dict[str, dict[str, list[float]]] = {}
    for name in crops.names("london_neutral")[::8]:
        image, points = crops.load("london_neutral", name)
        rig = Rig(model, image, points, True)
        unmoved = rig.render(facs.prototype("neutral"), SIZE)
        own, ruler = (
            judge.descriptor(unmoved.image, unmoved.landmarks),
            eye_corners(unmoved.landmarks),
        )
        for label, pose_light in STAGES.items():
            r = rig.render(facs.prototype("neutral"), SIZE, pose_light=pose_light)
            # dlib's predictor starts from a box, which a turned head's outline would spoil.
            shift = r.landmarks[17:].mean(0) - unmoved.landmarks[17:].mean(0)
            found = judge.landmarks(r.image, unmoved.landmarks + shift)
            off = np.linalg.norm(found - r.landmarks, axis=1)
            row = out.setdefault(label, {"descriptor": [], "inner_off": []})
            row["descriptor"].append(
                float(np.linalg.norm(judge.descriptor(r.image, unmoved.landmarks + shift) - own))
            )
            row["inner_off"].append(float(off[17:].mean() / ruler))
    return {
        label: {k: round(float(np.mean(v)), 4) for k, v in row.items()}
        for label, row in out.items()
    }


def closing(model: FaceModel, crops: Crops, judge: Judge) -> dict[str, Any]:
    """Smiling photographs brought to rest: what the mouth does, against the truth where known."""
    rows, real, found, drift = [], [], [], []
    jobs = [("london_smiling", n) for n in crops.names("london_smiling")[::2]]
    jobs += [("congress", n) for n in crops.names("congress")[::25]]
    for group, name in jobs:
        image, points = crops.load(group, name)
        unmoved = crops.points("london_neutral").get(name[:3] + "_03")
        true = change(np.array(unmoved), points) if group == "london_smiling" and unmoved else None
        if true and true["mouth_width"] > -0.06:
            continue  # a smile that hardly is one says nothing
        rig = Rig(model, image, points, False)
        first, last = rig.original(SIZE), rig.render(facs.prototype("neutral"), SIZE)
        rows.append((group, change(last.landmarks, first.landmarks)))
        if true:
            real.append((rows[-1][1], true))
        before, after = (judge.landmarks(r.image, r.landmarks) for r in (first, last))
        found.append((group, change(after, before)))
        a, b = (judge.descriptor(r.image, r.landmarks) for r in (first, last))
        drift.append(float(np.linalg.norm(a - b)))
    error = {k: [(ours[k] - true[k]) ** 2 for ours, true in real] for k in real[0][0]}
    groups = ("london_smiling", "congress")
    return {
        "photos": len(rows),
        "asked": {g: mean([r for h, r in rows if h == g]) for g in groups},
        "detected": {g: mean([r for h, r in found if h == g]) for g in groups},
        "london_truth": mean([true for _, true in real]),
        "london_rms_error": {k: round(float(np.sqrt(np.mean(e))), 4) for k, e in error.items()},
        "descriptor": {"mean": float(np.mean(drift)), "worst": max(drift)},
    }


def round_trip(model: FaceModel, crops: Crops, judge: Judge) -> dict[str, Any]:
    """Drawn at rest: how far from the photograph; and how far dlib sees closed lids closed."""
    difference, lids = [], []
    for name in crops.names("london_neutral")[::5][:20]:
        image, points = crops.load("london_neutral", name)
        rig = Rig(model, image, points, True)
        # not `render`, which gives the photograph itself when nothing is asked of it
        unmoved = rig.render_weights(rig.weights(facs.prototype("neutral")), SIZE)
        shut = rig.render(facs.vector({"AU43": 1}), SIZE)
        difference.append(np.abs(unmoved.image.astype(int) - seen(image)).mean())
        lids.append(
            [shape(judge.landmarks(r.image, r.landmarks))["lid_opening"] for r in (unmoved, shut)]
        )
    opened, closed = np.mean(lids, 0)
    return {
        "mean_difference": float(np.mean(difference)),
        "lid_opening": [float(opened), float(closed)],
    }


def write_sheet(model: FaceModel, crops: Crops, path: Path, seed: int = 1) -> None:
    """Unseen London people x prototypes. The set is CC BY 4.0: name it beside the picture."""
    unseen = [n for n in crops.names("london_neutral") if split_of(f"london/{n[:3]}") == "test"]
    rows = []
    for name in sorted(np.random.default_rng(seed).permutation(unseen)[:6]):
        rig = Rig(model, *crops.load("london_neutral", name), True)
        shown = [seen(rig.crop)] + [rig.render(facs.prototype(e), SIZE).image for e in EMOTIONS]
        rows.append(np.hstack(shown))
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def command(
    crops: Annotated[
        Path, typer.Option(callback=folder, help="Folder of crops, made where they are not there.")
    ],
    part: Annotated[list[str] | None, typer.Option(help="Only this part; repeat.")] = None,
    out: MaybeOut = None,
    sheet: Sheet = None,
) -> None:
    """Measure, and write the answer."""
    make(crops, data_home())
    model, faces, judge = FaceModel.load(), Crops(crops), Judge()
    parts: dict[str, Callable[[], Any]] = {
        "smile": lambda: smiles(model, faces, judge),
        "emotions": lambda: emotions(model, faces, judge),
        "stage": lambda: poses_and_lights(model, faces, judge),
        "closing": lambda: closing(model, faces, judge),
        "round_trip": lambda: round_trip(model, faces, judge),
        "speed": lambda: speed(model, faces),
    }
    found = {name: parts[name]() for name in some(part, parts)}
    if sheet:
        write_sheet(model, faces, sheet)
    write(out, conditions() | found)
