"""Faces at their own size: mouth, each eye and each brow apart; what MediaPipe makes of them."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mien.errors import FaceNotFound
from mien.judges.landmarker import CLAIMS, Landmarker, Mesh, turned
from mien.judges.perceptual import Perceptual
from mien.metrics.pixel import (
    PARTS,
    face_mask,
    hull_mask,
    inside,
    psnr,
    region_mask,
    sharpness,
    ssim_map,
)
from mien.metrics.trials import Trial
from mien.nn.tensors import at, to_levels, to_uint8
from mien.types import Faces

SMALL = 128
"""Side, px, of the one column that can be set beside systems that answer at that size."""
AROUND = 0.06
"""How far beyond the face's hull, in sides of the crop, a pixel is called background."""
LEAST_SHARP = 1e-6
"""A region with less detail than that has no sharpness to be compared with."""
BLACK, FLAT = 0.12, 0.02
"""Grey, of [0, 1], below which a pixel is black; contrast of 5 x 5 px below which it is flat."""
UNSEEN = 1.0
"""Error of a blendshape where the landmarker finds no face any more: the largest there is."""


def part_columns(
    made: Tensor, trial: Trial, perceptual: Perceptual | None, alike: Tensor | None = None
) -> dict[str, Tensor]:
    """Of results (B, 3, S, S): likeness to the truth in each of `PARTS` (PSNR, SSIM, distance by
    features), sharpness of each over that of the truth's own (the source's, where there is no
    truth), PSNR of the face at `SMALL` px, and how much of the background is the source's to the
    bit. Each (B,). `alike` is the `ssim_map` to the truth, where it is known."""
    source, truth, size = trial.source, trial.truth, made.shape[-1]
    right = truth or source
    out: dict[str, Tensor] = {"background_kept": background(made, source)}
    distance = None
    if truth is not None:
        alike = ssim_map(made, truth.pixels) if alike is None else alike
        small = [at(Faces(p, truth.landmarks), SMALL) for p in (made, truth.pixels)]
        face = face_mask(small[1].landmarks, SMALL)
        out[f"face_psnr_{SMALL}"] = psnr(small[0].pixels, small[1].pixels, face)
        if perceptual is not None:
            distance = perceptual.map(made, truth.pixels)
            out["face_perceptual"] = inside(distance, face_mask(truth.landmarks, size))
    for name in PARTS:
        own = region_mask(right.landmarks, size, name)
        detail = sharpness(right.pixels, own).clamp_min(LEAST_SHARP)
        out[f"{name}_sharpness"] = sharpness(made, own) / detail
        if alike is None or truth is None:
            continue
        either = torch.maximum(own, region_mask(source.landmarks, size, name))
        out[f"{name}_psnr"] = psnr(made, truth.pixels, either)
        out[f"{name}_ssim"] = inside(alike, either)
        if distance is not None:
            out[f"{name}_perceptual"] = inside(distance, either)
    return out | leftovers(made, source, truth)


def leftovers(
    made: Tensor, source: Faces[Tensor], truth: Faces[Tensor] | None
) -> dict[str, Tensor]:
    """What a mouth or lid that was painted over still shows, or shows nothing of. Each (B,).

    `eyes_showing`: in the source's eye openings, the share of the source in the least squares fit
    of the result by source, truth (where there is one) and a constant: 1 is the eye as it was, 0
    none of it; a film over an eye that should be shut lets a share through. `mouth_void`, with a
    truth: the share of its mouth that is black and flat in the result, beyond what is so there.
    """
    grey, was = luma(made), luma(source.pixels)
    right = None if truth is None else luma(truth.pixels)
    showing = torch.zeros(len(made))
    for name in ("left_eye", "right_eye"):
        opening = hull_mask(source.landmarks, made.shape[-1], name).bool()
        for i, where in enumerate(opening):
            others = [was[i][where]] + ([] if right is None else [right[i][where]])
            showing[i] += _share(grey[i][where], *others) / 2
    if truth is None or right is None:
        return {"eyes_showing": showing}
    mouth = region_mask(truth.landmarks, made.shape[-1], "mouth")
    void = inside(_void(grey), mouth) - inside(_void(right), mouth)
    return {"eyes_showing": showing, "mouth_void": void.clamp_min(0)}


def luma(pixels: Tensor) -> Tensor:
    """The grey of pictures in [-1, 1], (B, 1, S, S) in [0, 1]."""
    weights = pixels.new_tensor([0.299, 0.587, 0.114])[None, :, None, None]
    return ((pixels.clamp(-1, 1) + 1) / 2 * weights).sum(1, keepdim=True)


def _share(made: Tensor, source: Tensor, *others: Tensor) -> float:
    """Of the source in `made`, all (N,), fitted by source, others and a constant: 0 to 1."""
    basis = torch.stack([source, *others, torch.ones_like(source)], 1).double()
    if len(basis) < basis.shape[1]:
        return 0.0
    fitted = torch.linalg.lstsq(basis, made.double()[:, None], driver="gelsd").solution
    return float(fitted[0, 0].clamp(0, 1))


def _void(grey: Tensor) -> Tensor:
    """Where pictures (B, 1, S, S) are black and nothing is to be seen, 1."""
    high = functional.max_pool2d(grey, 5, 1, 2)
    low = -functional.max_pool2d(-grey, 5, 1, 2)
    return ((grey < BLACK) & (high - low < FLAT)).float()


def background(made: Tensor, source: Faces[Tensor]) -> Tensor:
    """The share of pixels well outside the face (`AROUND`) that are the source's to the bit."""
    size = made.shape[-1]
    face = face_mask(source.landmarks, size).numpy().astype(np.uint8)
    reach = 2 * round(AROUND * size) + 1
    brush = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    wide = np.stack([cv2.dilate(mask[0], brush) for mask in face])
    outside = torch.from_numpy(1 - wide).float()[:, None]
    same = (to_levels(made) == to_levels(source.pixels)).all(1, keepdim=True).float()
    return inside(same, outside)


class Outsider:
    """The landmarker's view of a batch, source and truth looked at once; without a truth the face
    that gives the expression stands for it, whose blendshapes should be read again."""

    def __init__(self, judge: Landmarker, trial: Trial) -> None:
        self._judge = judge
        self._source = self.seen(trial.source.pixels)
        right = trial.truth or trial.reference
        self._truth = None if right is None else self.seen(right.pixels)

    def seen(self, pixels: Tensor) -> list[Mesh | None]:
        """The face of each picture (B, 3, S, S); None where it sees none."""
        found: list[Mesh | None] = []
        for picture in to_uint8(pixels):
            try:
                found.append(self._judge.see(picture))
            except FaceNotFound:
                found.append(None)
        return found

    def columns(self, made: Tensor) -> dict[str, Tensor]:
        """By how much each claim, and the lips' gap, is off the truth (mean over blendshapes);
        how much changed of the source at all (length of the change of all blendshapes); the turn
        of the head, degrees; how far the eyes are open (1 - `eyeBlink`). `UNSEEN` where a face
        cannot be seen."""
        rows: dict[str, list[float]] = {}
        truths = self._truth or [None] * len(made)
        for now, was, right in zip(self.seen(made), self._source, truths, strict=True):
            row = {"mp_change": UNSEEN, "mp_turn": 0.0, "mp_open": UNSEEN}
            if now is not None:
                row["mp_open"] = 1 - float(np.mean([now.shape(name) for name in CLAIMS["lids"]]))
            if now is not None and was is not None:
                change = float(np.linalg.norm(now.shapes[1:] - was.shapes[1:]))
                row |= {"mp_change": change, "mp_turn": turned(was, now)}
            if self._truth is not None:
                row |= _errors(now, right)
            for name, value in row.items():
                rows.setdefault(name, []).append(value)
        return {name: torch.tensor(values) for name, values in rows.items()}


def _errors(now: Mesh | None, right: Mesh | None) -> dict[str, float]:
    keys = [f"mp_{claim}" for claim in CLAIMS] + ["mp_gap"]
    if right is None or now is None:
        return dict.fromkeys(keys, 0.0 if right is None else UNSEEN)
    out = {
        f"mp_{claim}": float(np.mean([abs(now.shape(n) - right.shape(n)) for n in names]))
        for claim, names in CLAIMS.items()
    }
    return out | {"mp_gap": abs(now.gap - right.gap)}
