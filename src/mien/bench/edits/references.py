"""Expressions by reference: one's own smile, somebody else's, and speech, by three readings."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from mien import facs, images
from mien.bench.edits import checks as first_light
from mien.bench.edits.shots import (
    OWN_HEAD,
    SEEN,
    SMALL,
    Bench,
    Column,
    Shot,
    editor,
    means,
    median,
    rounded,
    share,
    smiling,
    spread,
)
from mien.errors import DataError, FaceNotFound
from mien.faces.align import align, warp
from mien.guides import Label
from mien.images import Photo
from mien.judges import NAMES, load
from mien.judges.outside import Seen, change, outside
from mien.metrics.bench import likeness
from mien.metrics.pixel import hull_mask, region_mask, sharpness
from mien.nn.tensors import to_tensor
from mien.types import Faces, UInt8
from mien.zoo import data_home

OTHERS = 8
"""People whom each smile is given to."""
ARRIVES = 0.4
"""The share of somebody else's smile that should arrive."""
LEAST = {"width": 0.02, "lift": 0.01}
"""Changes of the reference, in eye corner distances, from which a share of them is measured."""
SHAKEN = np.array([[0.98, 0, 9.7], [0, 0.98, 8.8]])
"""How a crop is moved and made smaller to see by how much dlib then differs from itself, px."""
CLEAR = 2.0
"""Times the root mean square of that by which the reference changes where a share is no noise."""
SHUT, PARTED = 0.01, 0.03
"""Lips' gaps, in eye corner distances, up to which a mouth is shut, and from which it is open."""
READINGS = ("morphable", "aipgan", OWN_HEAD)


def smiles(bench: Bench) -> dict[str, Any]:
    """Own smiles of London's test people at the photographs' original size."""
    pairs = bench.some(smiling("london_1350"))
    ways = [(by, "reference") for by in READINGS] + [("morphable", "label"), (OWN_HEAD, "label")]
    columns = {f"{by}, by {how}": Column() for by, how in ways}
    nothing, truth = Column(), Column()
    for neutral, smile in pairs:
        _beside(bench, nothing, neutral, smile, neutral.photo.pixels)
        truth.rows.append(_judged(smile.small, smile.small))
        for by, how in ways:
            column = columns[f"{by}, by {how}"]
            guide = Label("happy") if how == "label" else editor(by).reference(smile.photo)
            result = bench.edit(by, neutral, guide, column, neutral.name)
            if result is None:
                continue
            _beside(bench, column, neutral, smile, result.pixels)
            shown = (neutral.crop(), neutral.crop(result.pixels), smile.crop())
            bench.show(f"smiles_{by}_{how}_{neutral.name}", *shown)
    out = {"nothing": means(nothing), "real smile": means(truth), "people": len(pairs)}
    for name, column in columns.items():
        still = dict(zip(nothing.names, nothing.rows, strict=True))
        for row, who in zip(column.rows, column.names, strict=True):
            row["face_gain"] = row["face_psnr"] - still[who]["face_psnr"]
            row["nearer"] = all(row[k] > still[who][k] for k in ("psnr", "ms_ssim"))
        out[name] = means(column) | {
            **{
                f"{key}_median": median(column.values(key))
                for key in ("mouth_sharpness", "mouth_sharpness_small", "identity")
            },
            "refused": column.refused,
            "least_gain": column.worst("face_gain"),
        }
        print(name, json.dumps(out[name]), flush=True)
    return out


def _beside(bench: Bench, column: Column, neutral: Shot, smile: Shot, pixels: UInt8) -> None:
    """A row: one result beside the person's real smile."""
    small = to_tensor(neutral.crop(pixels, SMALL))
    found = likeness(small, smile.small, neutral.small)
    row = {k: float(found[k]) for k in ("psnr", "ms_ssim", "face_psnr", "mouth_psnr")}
    row |= _judged(Faces(small, neutral.small.landmarks), smile.small)
    try:
        seen = outside().see(neutral.crop(pixels))
    except FaceNotFound as error:
        column.refused[neutral.name] = str(error)
        return
    row["identity"] = change(neutral.seen, seen).identity
    row["parted"] = seen.gap - smile.seen.gap  # of the lips, in eye corner distances
    row["parted_wrongly"] = smile.seen.gap < SHUT and seen.gap >= PARTED
    for key, side in (("mouth_sharpness", SEEN), ("mouth_sharpness_small", SMALL)):
        real = mouth(smile.crop(side=side), smile.seen)
        row[key] = mouth(neutral.crop(pixels, side), seen) / real
    beside = _skin(neutral.crop(pixels, SEEN), seen) / _skin(smile.crop(side=SEEN), smile.seen)
    row["skin_sharpness"] = beside
    column.rows.append(row)
    column.names.append(neutral.name)


def mouth(crop: UInt8, seen: Seen) -> float:
    """Variance of the Laplacian in the mouth and around it, where dlib saw it at `SEEN` px, in the
    same crop of any side."""
    points = torch.from_numpy((seen.points + 0.5) * (len(crop) / SEEN) - 0.5)[None]
    where = region_mask(points, len(crop), "mouth")
    return float(sharpness(to_tensor(crop), where))


def _skin(crop: UInt8, seen: Seen) -> float:
    """The same of the skin around the lips alone: two photographs of one person differ in that."""
    points = torch.from_numpy((seen.points + 0.5) * (len(crop) / SEEN) - 0.5)[None]
    lips = cv2.dilate(hull_mask(points, len(crop), "mouth")[0, 0].numpy(), np.ones((9, 9)))
    where = region_mask(points, len(crop), "mouth") * (1 - torch.from_numpy(lips).float())
    return float(sharpness(to_tensor(crop), where))


def _judged(made: Faces[Tensor], truth: Faces[Tensor]) -> dict[str, float]:
    """What mien's two judges make of it: units apart, and whether both, each, call it happy."""
    row: dict[str, float] = {}
    happy, errors = facs.EMOTIONS.index("happy"), []
    for name in NAMES:
        read, right = _judge(name).read(made.pixels), _judge(name).read(truth.pixels)
        row[f"happy_{name}"] = float(read.emotions.argmax(1)[0] == happy)
        errors.append(float((read.units - right.units).abs().mean()))
    row["unit_error"] = float(np.mean(errors))
    row["happy_both"] = min(row[f"happy_{name}"] for name in NAMES)
    return row


_judge = cache(load)


def transferred(bench: Bench) -> dict[str, Any]:
    """Everybody's smile on the next `OTHERS` people, in the circle of them."""
    everyone = smiling()
    references = bench.some(range(len(everyone)))
    noise = shaken([neutral for neutral, _ in everyone])
    out: dict[str, Any] = {"references": len(references), "others": OTHERS, "noise": noise}
    for by in ("morphable", "aipgan"):
        column = Column()
        smiles_of = {i: editor(by).reference(everyone[i][1].photo) for i in references}
        for j, (who, _) in enumerate(everyone):  # a face asked again and again is fitted once
            for i in references:
                if not 0 < (j - i) % len(everyone) <= OTHERS:
                    continue
                name = f"{everyone[i][1].name} to {who.name}"
                result = bench.edit(by, who, smiles_of[i], column, name)
                seen = result and bench.look(who, result, column, name)
                if not result or not seen:
                    continue
                neutral, smile = everyone[i]
                row = shares(who.seen, seen, neutral.seen, smile.seen)
                there = moved(neutral.seen, smile.seen)
                clear = [row[k] >= ARRIVES for k in LEAST if there[k] >= CLEAR * noise[k]]
                far = float(np.linalg.norm(who.seen.who - smile.seen.who))
                row["toward_reference"] = far - float(np.linalg.norm(seen.who - smile.seen.who))
                row["identity"] = change(who.seen, seen).identity
                arrived = [row[k] >= ARRIVES for k in LEAST if k in row]
                row |= {"done": all(arrived)} if arrived else {}
                row |= {"done_where_clear": all(clear)} if clear else {}
                column.rows.append(row)
                column.names.append(name)
                shown = (who.crop(), who.crop(result.pixels), smile.crop())
                bench.show(f"transferred_{by}_{name}", *shown)
        out[by] = means(column) | {
            "pairs": len(column.values("done")),
            "pairs_where_clear": len(column.values("done_where_clear")),
            **{f"{k}_range": spread(column.values(k)) for k in (*LEAST, "identity")},
            **{f"{k}_pairs": len(column.values(k)) for k in LEAST},
            **{f"{k}_enough": share(column.values(k) >= ARRIVES) for k in LEAST},
            "toward_reference_range": spread(column.values("toward_reference")),
            "nearer_to_reference": share(column.values("toward_reference") > 0),
            "refused": column.refused,
            "not_done": [
                n
                for n, row in zip(column.names, column.rows, strict=True)
                if not row.get("done", True)
            ],
            **{f"{k}_least": column.worst(k) for k in LEAST},
        }
        print(by, json.dumps(out[by]), flush=True)
    return out


def shares(source: Seen, made: Seen, neutral: Seen, smile: Seen) -> dict[str, float]:
    """How much of the reference's change of the mouth's width and of its corners' height arrives,
    each in its own eye corner distances; a change under `LEAST` is left out."""
    there, here = moved(neutral, smile), moved(source, made)
    return {k: here[k] / there[k] for k in LEAST if there[k] >= LEAST[k]}


def moved(before: Seen, after: Seen) -> dict[str, float]:
    """How the mouth widens and its corners lift, by dlib, in outer eye corner distances."""
    a, b = before.points, after.points
    unit = first_light.unit(a)
    return {
        "width": (first_light.width(b) - first_light.width(a)) / unit,
        "lift": (first_light.corners(a) - first_light.corners(b)) / unit,
    }


def shaken(people: Sequence[Shot]) -> dict[str, float]:
    """Root mean square of what dlib sees a mouth that did not change do, in width and lift, when it
    looks at another crop (`SHAKEN`) of the photograph."""
    found = []
    for shot in people:
        matrix = np.vstack([align(shot.photo.pixels, shot.face, SEEN).matrix, [0, 0, 1]])
        again = outside().see(warp(shot.photo.pixels, (SHAKEN @ matrix).astype(np.float32), SEEN))
        found.append(moved(shot.seen, again))
    return {k: rounded(np.sqrt(np.mean([row[k] ** 2 for row in found]))) for k in LEAST}


TUNED = "s1"
"""The speaker of `grid` on whose clips the matching of one person's photographs was tuned: there
are no others to set aside. The rest decided nothing."""


def speech(bench: Bench) -> dict[str, Any]:
    """Each clip of `grid`: the shut frame given the widest."""
    clips = talking(json.loads((data_home() / "grid" / "frames.json").read_text("utf-8")))
    columns = {"nothing": Column()} | {by: Column() for by in READINGS}
    speakers: dict[str, str] = {}
    unseen: dict[str, str] = {}
    for name, (shut_at, wide_at) in bench.some(list(clips.items())):
        shut, wide = (Shot(name, frame(name, at)) for at in (shut_at, wide_at))
        speakers[name] = TUNED if name.startswith(f"{TUNED}_") else name
        try:
            _ = shut.small, wide.small, wide.seen  # kept by them
        except FaceNotFound as error:
            unseen[name] = str(error)
            continue
        for by, column in columns.items():
            pixels: UInt8 | None = shut.photo.pixels
            if by != "nothing":
                guide = editor(by).reference(wide.photo)
                result = bench.edit(by, shut, guide, column, name)
                pixels = result.pixels if result else None
            if pixels is None:
                continue
            found = likeness(to_tensor(shut.crop(pixels, SMALL)), wide.small, shut.small)
            row = {k: float(found[k]) for k in ("mouth_psnr", "mouth_ssim")}
            try:
                row["gap"] = outside().see(shut.crop(pixels)).gap / wide.seen.gap
            except FaceNotFound as error:
                column.refused[name] = str(error)
            column.rows.append(row)
            column.names.append(name)
            bench.show(f"speech_{by}_{name}", shut.crop(), shut.crop(pixels), wide.crop())
    still = dict(zip(columns["nothing"].names, columns["nothing"].rows, strict=True))
    out: dict[str, Any] = {"not_found": unseen}
    for by, column in columns.items():
        for row, who in zip(column.rows, column.names, strict=True):
            row["mouth_gain"] = row["mouth_psnr"] - still[who]["mouth_psnr"]
        each = dict(zip(map(speakers.get, column.names), column.rows, strict=True))
        out[by] = means(column) | {
            "clips": len(column.rows),
            "gap_median": median(column.values("gap")),
            "gap_range": spread(column.values("gap")),
            "one_clip_a_speaker": means(Column(list(each.values()))) | {"speakers": len(each)},
            "never_tuned_on": means(Column([r for who, r in each.items() if who != TUNED])),
            "refused": column.refused,
            "least_gain": column.worst("mouth_gain"),
        }
        print(by, json.dumps(out[by]), flush=True)
    return out


def talking(frames: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    """Of each clip the frame with the least gap between the lips and the one with the widest, eyes
    open in both where there are such frames."""
    clips: dict[str, list[Mapping[str, Any]]] = {}
    for one in frames:
        clips.setdefault(one["clip"], []).append(one)
    out = {}
    for name, every in sorted(clips.items()):
        awake = [f for f in every if f["blink"] < 0.4] or every
        ordered = sorted(awake, key=lambda f: f["gap"])
        out[name] = int(ordered[0]["i"]), int(ordered[-1]["i"])
    return out


def frame(clip: str, at: int) -> Photo:
    """A frame of a clip of `grid`; DataError if there is none."""
    film = cv2.VideoCapture(str(data_home() / "grid" / "clips" / clip))
    for _ in range(at + 1):  # a position cannot be sought exactly in MPEG-1
        read, pixels = film.read()
    if not read:
        raise DataError(f"{clip} has no frame {at}")
    return images.photograph(np.ascontiguousarray(pixels[..., ::-1]))
