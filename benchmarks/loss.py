"""Where the loss of a reference lies: what is drawn beside the real frame, and what oracles add.

    python benchmarks/loss.py

London's validation people and every fifth training person, at rest, given their own smile (the
whole face is compared); and clips of one speaker of `grid`, shut, given the widest frame (the mouth
is). No test person of London is among them; the speaker is one of those that `drawing.py` measures
on, which gives the mean of the other speakers too for that reason. PSNR in crops of `SMALL` px, dB
over doing nothing: by reader and landmarks; with the pictures compared (`synthesis`), which is what
is drawn; then that with, taken from the real frame, how the crop is cut (an affine map), exposure
(gain and offset of each colour), the mean tone between the lips, everything between the lips.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from unittest.mock import patch

import cv2
import numpy as np
import torch
from mistakes import or_one_line
from references import frame, talking
from shots import SMALL, Shot, rounded

from mien import images
from mien.data.adapters import DATASETS
from mien.face_model.arrays import Bool
from mien.faces.align import align
from mien.methods.morphable import retargeting
from mien.methods.morphable.method import Morphable
from mien.metrics.bench import likeness
from mien.metrics.pixel import face_mask, region_mask
from mien.types import Faces, Float, UInt8
from mien.zoo import data_home

SIDE = 320
CLIPS, EVERY = 14, 5
KEYS = {"smiles": "face_psnr", "speech": "mouth_psnr"}


def smiles() -> Iterator[tuple[Shot, Shot]]:
    root = data_home() / "london"
    people: dict[str, dict[str, Shot]] = {}
    train: list[str] = []
    for record in DATASETS["london"].records(root):
        if record.split == "test":
            continue
        if record.split == "train" and record.person not in train:
            train.append(record.person)
        if record.split == "train" and train.index(record.person) % EVERY:
            continue
        shot = Shot(record.person, images.read(root / record.file_name))
        people.setdefault(record.person, {})[str(record.emotion)] = shot
    yield from ((p["neutral"], p["happy"]) for p in people.values() if len(p) == 2)


def speech() -> Iterator[tuple[Shot, Shot]]:
    every = talking(json.loads((data_home() / "grid" / "frames.json").read_text("utf-8")))
    clips = [(name, at) for name, at in every.items() if name.startswith("s1_")]
    for name, (shut, wide) in clips[:CLIPS]:
        yield Shot(name, frame(name, shut)), Shot(name, frame(name, wide))


def measured(rest: Shot, shown: Shot, key: str) -> dict[str, float]:
    """A row: dB over doing nothing."""
    source, reference = (Faces.stack([align(s.photo.pixels, s.face, SIDE)]) for s in (rest, shown))
    with patch.object(retargeting, "matched", lambda head, rig, goal, *_: goal):
        read = drawn(source, reference)
    made = drawn(source, reference)
    truth = small(align(shown.photo.pixels, shown.face, SIDE).pixels)
    where, inside = masks(rest, shown, key)
    pictures = {
        "read": read,
        "drawn": made,
        "cut": recut(made, truth, where),
        "exposure": exposed(made, truth, where),
        "mean tone inside": np.where(inside[..., None], made + mean(truth - made, inside), made),
        "inside": np.where(inside[..., None], truth, made),
    }

    def gained(picture: Float) -> float:
        found = likeness(_tensor(picture), shown.small, rest.small)
        return float(found[key])

    start = gained(small(align(rest.photo.pixels, rest.face, SIDE).pixels))
    return {name: gained(picture) - start for name, picture in pictures.items()}


def drawn(source: Faces[Float], reference: Faces[Float]) -> Float:
    method = Morphable()
    own = method.encode(source)
    edit = method.edit(source, method.transferred(reference, source, own))
    return small(images.to_uint8(method.composed(source.pixels, edit))[0])


def small(pixels: UInt8) -> Float:
    out = cv2.resize(pixels, (SMALL, SMALL), interpolation=cv2.INTER_AREA)
    return np.asarray(out, np.float32)


def masks(rest: Shot, shown: Shot, key: str) -> tuple[Bool, Bool]:
    """Where is compared, and between the lips of the real frame, (SMALL, SMALL) each."""
    both = [shot.small.landmarks for shot in (rest, shown)]
    of = face_mask if key == "face_psnr" else (lambda p, side: region_mask(p, side, "mouth"))
    where = torch.maximum(*(of(points, SMALL) for points in both))[0, 0].numpy() > 0
    lips = np.zeros((SMALL, SMALL), np.uint8)
    cv2.fillConvexPoly(lips, both[1][0, 60:68].numpy().round().astype(np.int32), (1,))
    return where, lips > 0


def mean(values: Float, where: Bool) -> Float:
    return np.asarray(values[where].mean(0) if where.any() else np.zeros(3), np.float32)


def _tensor(picture: Float) -> torch.Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(picture.clip(0, 255).transpose(2, 0, 1)))
    return planes[None].float() / 127.5 - 1


def recut(made: Float, truth: Float, where: Bool) -> Float:
    """What was made, moved by the affine map that brings it nearest to the truth."""
    right, own = (cv2.cvtColor(p.astype(np.uint8), cv2.COLOR_RGB2GRAY) for p in (truth, made))
    still, inside = np.eye(2, 3, dtype=np.float32), where.astype(np.uint8)
    until = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    try:
        _, matrix = cv2.findTransformECC(right, own, still, cv2.MOTION_AFFINE, until, inside, 3)
    except cv2.error:  # it does not converge: left as it is
        return made
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    moved = cv2.warpAffine(made, matrix, (SMALL, SMALL), flags=how, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(moved, np.float32)


def exposed(made: Float, truth: Float, where: Bool) -> Float:
    """What was made, each colour with the gain and offset that bring it nearest to the truth."""
    out = made.copy()
    for c in range(3):
        gain, offset = np.polyfit(made[where, c], truth[where, c], 1)
        out[..., c] = gain * made[..., c] + offset
    return out


def main() -> None:
    torch.set_num_threads(1)
    out = {}
    for name, pairs in (("smiles", smiles()), ("speech", speech())):
        rows = [measured(rest, shown, KEYS[name]) for rest, shown in pairs]
        out[name] = {"pairs": len(rows)} | {
            key: rounded(np.mean([row[key] for row in rows])) for key in rows[0]
        }
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    or_one_line(main)
