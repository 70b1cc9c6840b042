"""How well the face model is fitted: `mien bench fit --out results.json`.

Errors are measured at hand-checked points of people of the test split, in percent of the distance
of the outer eye corners, and never at a point whose place the fit could slide along (the outline is
apart, across itself only). *Before* is the model itself, *after* with what it left over spread over
the mesh, as every render has it. `--sheet` draws the refused Congress portraits, with the points
that they were given; that picture is for your eyes only.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import typer

from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.options import MaybeOut, Sheet, SplitName
from mien.data.adapters import DATASETS
from mien.data.adapters.base import template_beside
from mien.data.adapters.tem import to_68
from mien.errors import FaceNotFound
from mien.face_model.animate import person, pose
from mien.face_model.fit import Fit, fit, placed
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.gaze import gaze, irises_of
from mien.face_model.mesh import FaceModel
from mien.face_model.problem import outline_normals, ruler
from mien.face_model.render import Rig
from mien.face_model.template import FITTED, PUPILS
from mien.faces.align import MIRROR, STABLE, align, similarity, transform
from mien.faces.detect import choose, detect
from mien.types import AlignedFace, Face
from mien.zoo import data_home

IMPLIED = (18, 22, 23, 27, 55, 64, 69, 71, 72, 73, 74, 75, 78, 79, 80, 81, 82, *range(87, 109))
"""Template points on the curves that the 68 landmarks are taken from: the others are news to a fit
by landmarks."""
STILL = list(STABLE)


@dataclass(frozen=True)
class Photograph:
    """A checked photograph: whose, its crop by checked points and by mien's own landmarks, and the
    checked points (189, 2) in either crop."""

    name: str
    checked: AlignedFace
    own: AlignedFace | None
    template: np.ndarray
    own_template: np.ndarray | None


def photographs(home: Path, split: str) -> Iterator[Photograph]:
    """The checked photographs of the people of a split."""
    for name in ("london", "canada"):
        for record in DATASETS[name].records(home / name):
            path = home / name / record.file_name
            points = template_beside(path)
            if record.split != split or points is None:
                continue
            pixels = images.read(path).pixels
            checked = align(pixels, Face((0, 0, 0, 0), 1.0, to_68(points)), SOURCE_SIZE)
            own = largest(pixels)
            yield Photograph(
                record.person,
                checked,
                own,
                transform(checked.matrix, points),
                None if own is None else transform(own.matrix, points),
            )


def largest(pixels: np.ndarray) -> AlignedFace | None:
    """The largest face, aligned; None where there is none."""
    try:
        return align(pixels, choose(detect(pixels), "largest")[0], SOURCE_SIZE)
    except FaceNotFound:
        return None


def errors(model: FaceModel, found: Fit, template: np.ndarray) -> dict[str, np.ndarray]:
    """Distances, percent, of mesh and checked points: before, after; inner points, outline."""
    points = template.astype(np.float64)
    goal = np.concatenate([to_68(template).astype(np.float64), placed(points, found.closed)])
    plain = model.shape(found.identity) + np.tensordot(found.weights, model.expressions, 1)
    corrected = pose(model, person(model, found), found.weights)
    unit = ruler(goal) / 100
    out = {}
    for name, mesh in (("before", plain), ("after", corrected)):
        marks = found.camera.project(model.template_markers.of(mesh))[0]
        off = marks - goal
        out[name] = np.linalg.norm(off[68:], axis=1) / unit
        out[f"outline_{name}"] = np.abs((off[:17] * outline_normals(goal[:17])).sum(1)) / unit
    return out


def summary(rows: list[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Medians and means of each kind of error over photographs."""
    out: dict[str, Any] = {"photographs": len(rows)}
    for key in rows[0]:
        every = np.array([row[key] for row in rows])
        people = np.median(every, 1)
        out[key] = {
            "median": round(float(np.median(every)), 3),
            "mean": round(float(every.mean()), 3),
            "worst_person_median": round(float(people.max()), 3),
        }
    return out


def checked_points(model: FaceModel, people: list[Photograph]) -> dict[str, Any]:
    """Against hand-checked points, by what the fit was given."""
    given, implied, own = [], [], []
    news = ~np.isin(FITTED, IMPLIED)
    for p in people:
        found = fit(model, p.checked.landmarks, neutral=True, template=p.template)
        given.append(errors(model, found, p.template))
        found = fit(model, p.checked.landmarks, neutral=True)
        off = errors(model, found, p.template)
        implied.append({key: off[key][news] for key in ("before", "after")})
        if p.own is not None and p.own_template is not None:
            found = fit(model, p.own.landmarks, neutral=True)
            own.append(errors(model, found, p.own_template))
    points = [
        np.linalg.norm((p.own.landmarks - to_68(p.own_template))[17:], axis=1)
        / ruler(to_68(p.own_template).astype(np.float64))
        for p in people
        if p.own is not None and p.own_template is not None
    ]
    return {
        "given_the_checked_points": summary(given),
        "given_68_of_them_measured_at_others": summary(implied),
        "given_own_landmarks": summary(own),
        "own_landmarks_themselves": round(float(np.median(points)) * 100, 3),
    }


def smile_to_neutral(model: FaceModel, home: Path, splits: tuple[str, ...]) -> dict[str, Any]:
    """The face at rest that the fit of a smiling photograph finds by mien's own landmarks, against
    the hand-checked points of that person's neutral photograph, percent."""
    shots: dict[str, dict[str, AlignedFace]] = {}
    for record in DATASETS["london"].records(home / "london"):
        if record.split in splits:
            pixels = images.read(home / "london" / record.file_name).pixels
            if record.landmarks is None:
                face = largest(pixels)
            else:
                face = align(pixels, Face((0, 0, 0, 0), 1.0, record.landmarks), SOURCE_SIZE)
            if face is not None:
                shots.setdefault(record.person, {})[str(record.emotion)] = face
    rows, widths = [], []
    for shown in shots.values():
        if not {"neutral", "happy"} <= shown.keys():
            continue
        smile, true = shown["happy"].landmarks, shown["neutral"].landmarks
        found = fit(model, smile, neutral=False)
        mesh = pose(model, person(model, found), found.neutral_weights)
        neutral = found.camera.project(mesh[model.landmarks].astype(np.float64))[0]
        off = []
        for points in (smile, neutral):
            matrix = similarity(true[STILL], points[STILL].astype(np.float32))
            goal = transform(matrix, true)
            off.append(np.linalg.norm(points - goal, axis=1) / ruler(goal) * 100)
            widths.append(np.linalg.norm(points[54] - points[48]) / ruler(goal))
            widths.append(np.linalg.norm(goal[54] - goal[48]) / ruler(goal))
        rows.append(off)
    far, (smiling, _, neutral, true) = np.array(rows), np.array(widths).reshape(-1, 4).T
    return {
        "people": len(rows),
        "splits": splits,
        **{
            name: {
                "smiling": round(float(np.median(far[:, 0, part])), 3),
                "brought_to_rest": round(float(np.median(far[:, 1, part])), 3),
            }
            for name, part in (("inner", slice(17, 68)), ("mouth", slice(48, 68)))
        },
        "mouth_width": {
            "smiling": round(float(smiling.mean()), 4),
            "brought_to_rest": round(float(neutral.mean()), 4),
            "neutral": round(float(true.mean()), 4),
            "rms_error": round(float(np.sqrt(((neutral - true) ** 2).mean())), 4),
        },
    }


def congress(model: FaceModel, home: Path, sheet: Path | None) -> dict[str, Any]:
    """How many portraits are accepted, and why the others are not."""
    counts, faults, refused = Counter[str](), Counter[str](), []
    confidence = []
    for record in DATASETS["congress"].records(home / "congress"):
        face = largest(images.read(home / "congress" / record.file_name).pixels)
        counts["photographs"] += 1
        if face is None:
            faults["no face was found"] += 1
            continue
        found = fit(model, face.landmarks, neutral=False)
        confidence.append(found.confidence)
        if found.accepted:
            counts["accepted"] += 1
        else:
            faults[str(found.fault)] += 1
            refused.append(marked(face))
    if sheet is not None and refused:
        draw(refused, sheet)
    low, middle = np.percentile(confidence, (5, 50)).round(3).tolist()
    return {
        **counts,
        "accepted_share": round(counts["accepted"] / counts["photographs"], 4),
        "refused": dict(faults),
        "confidence": {"p5": low, "median": middle},
    }


def marked(face: AlignedFace) -> np.ndarray:
    """A face with the landmarks that it was given."""
    out = cv2.resize(face.pixels, (200, 200), interpolation=cv2.INTER_AREA)
    for x, y in (face.landmarks + 0.5) * (200 / SOURCE_SIZE) - 0.5:
        cv2.circle(out, (round(float(x)), round(float(y))), 1, (0, 255, 0), -1)
    return out


def draw(tiles: list[np.ndarray], path: Path, across: int = 6) -> None:
    """Tiles as one picture, `across` of them a row."""
    tiles = tiles + [np.zeros_like(tiles[0])] * (-len(tiles) % across)
    rows = [np.hstack(tiles[i : i + across]) for i in range(0, len(tiles), across)]
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.vstack(rows)[..., ::-1])


def spoilt(points: np.ndarray, random: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """The same landmarks with a fault each."""
    yield "noise of 6 px", points + random.normal(0, 6, points.shape)
    for name, part in (("mouth", slice(48, 68)), ("an eye", slice(36, 42)), ("jaw", slice(0, 17))):
        moved = points.copy()
        angle = random.uniform(0, 2 * np.pi)
        moved[part] += 14 * np.array([np.cos(angle), np.sin(angle)])
        yield f"{name} 14 px off", moved
    yield "left and right exchanged", points[MIRROR]
    yield "upside down", points * [1, -1] + [0, SOURCE_SIZE - 1]


def faults(model: FaceModel, people: list[Photograph]) -> dict[str, float]:
    """Share of spoilt landmarks (crops of 320 px) that is refused."""
    random, out = np.random.default_rng(0), dict[str, list[bool]]()
    for p in people:
        points = p.checked.landmarks.astype(np.float64)
        for name, bad in spoilt(points, random):
            found = fit(model, bad.astype(np.float32), neutral=True)
            out.setdefault(name, []).append(not found.accepted)
    return {name: round(float(np.mean(refused)), 3) for name, refused in out.items()}


def looks(model: FaceModel, people: list[Photograph]) -> dict[str, Any]:
    """Irises against checked pupils, px of a crop of 320, and gaze found again in renders."""
    off, found = [], dict[str, list[float]]()
    for p in people:
        plain = fit(model, p.checked.landmarks, neutral=True)
        irises = irises_of(p.checked.pixels, plain)
        off += [irises[side].centre - p.template[k] for side, k in zip("RL", PUPILS, strict=True)]
        rig = Rig(model, p.checked.pixels, p.checked.landmarks, neutral=True)
        for unit in ("AU61", "AU62", "AU63", "AU64"):
            shown = rig.render(facs.vector({unit: 0.5}), SOURCE_SIZE)
            again = fit(model, shown.landmarks, neutral=False, identity=rig.fit.identity)
            irises = irises_of(shown.image, again)
            look = gaze(model, again, {side: iris.centre for side, iris in irises.items()})
            shape = {"AU61": "Out_L", "AU62": "Out_R", "AU63": "Up_L", "AU64": "Down_L"}[unit]
            found.setdefault(unit, []).append(float(look[model.index[f"eyeLook{shape}"]]))
    return {
        "iris_error_px": dict(zip("xy", np.median(np.abs(off), 0).round(2).tolist(), strict=True)),
        "found_where_0.5_was_rendered": {
            unit: round(float(np.median(values)), 2) for unit, values in found.items()
        },
    }


def milliseconds(run: Callable[[], object], times: int = 10) -> float:
    """Median processor time of a call."""
    run()
    spent = []
    for _ in range(times):
        start = time.process_time()
        run()
        spent.append(time.process_time() - start)
    return round(float(np.median(spent)) * 1e3, 1)


def speed(model: FaceModel, one: Photograph) -> dict[str, float]:
    """CPU ms of a fit."""
    points = one.checked.landmarks
    return {
        "neutral": milliseconds(lambda: fit(model, points, neutral=True)),
        "neutral_with_template": milliseconds(
            lambda: fit(model, points, neutral=True, template=one.template)
        ),
        "expressive": milliseconds(lambda: fit(model, points, neutral=False)),
    }


def command(
    data: Annotated[Path | None, typer.Option(help="Folder of data sets.")] = None,
    out: MaybeOut = None,
    sheet: Sheet = None,
    split: SplitName = "test",
) -> None:
    """Measure, and write the answer."""
    cv2.setNumThreads(1)
    model = FaceModel.load()
    home = data or data_home()
    people = list(photographs(home, split))
    result = {
        **conditions(),
        "split": split,
        "unit": "percent of the distance of the outer eye corners",
        **checked_points(model, people),
        "smile_to_rest": smile_to_neutral(model, home, ("test", "validation")),
        "congress": congress(model, home, sheet),
        "spoilt_landmarks_refused": faults(model, people),
        "gaze": looks(model, people),
        "milliseconds": speed(model, people[0]),
    }
    write(out, result)
