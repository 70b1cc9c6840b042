"""How well a judge judges: against the units of renders, and against the labels of photographs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mien import facs
from mien.data.batch import collate
from mien.data.loading import RigFaces
from mien.judges import Judge, Reading
from mien.training.judge_data import (
    Item,
    Photograph,
    Plain,
    seen,
    strength_of,
)

ACTIVE = 0.1
"""A unit of at least this is active: its error is also distinguished from the many that rest."""
STRENGTHS = (1.0, 0.75, 0.5, 0.25)
_BATCH = 64


def reading(judge: Judge, pixels: Tensor) -> Reading:
    """What a judge reads in any number of faces, a batch at a time."""
    parts = [judge.read(batch) for batch in torch.split(pixels, _BATCH)]
    return Reading(*(torch.cat([getattr(p, f) for p in parts]) for f in Reading.__annotations__))


def render_scores(judge: Judge, faces: Item) -> dict[str, Any]:
    """Errors on renders, a batch of any size.

    units_mae: mean absolute error over all faces and all 47 units; active_mae: over the entries
    whose truth is at least `ACTIVE`; rest_answer_mae: what an answer of all zeros would score.
    emotion_accuracy by the prototype's strength; landmarks in percent of the outer eye corners'
    distance, inner 51.
    """
    read = reading(judge, faces.pixels)
    gap = (read.units - faces.units).abs()
    active = faces.units >= ACTIVE
    return {
        "faces": len(faces.units),
        "units_mae": _rounded(gap.mean()),
        "active_mae": _rounded(gap[active].mean()),
        "resting_mae": _rounded(gap[~active].mean()),
        "all_zeros_mae": _rounded(faces.units.mean()),
        "emotion_accuracy": emotion_accuracy(read.emotions, faces.units),
        "landmarks_percent": _rounded(landmark_error(read.landmarks, faces.landmarks)),
    }


def emotion_accuracy(emotions: Tensor, units: Tensor) -> dict[str, float]:
    """Share of right answers among faces that show a prototype, by strength ("neutral" apart)."""
    known = [strength_of(row) for row in units.numpy()]
    right = [int(e) == emotion for e, (emotion, _) in zip(emotions.argmax(1), known, strict=True)]
    out = {}
    neutral = [r for r, (emotion, _) in zip(right, known, strict=True) if emotion == 0]
    if neutral:
        out["neutral"] = _rounded(np.mean(neutral))
    for strength in STRENGTHS:
        at = [
            r
            for r, (emotion, s) in zip(right, known, strict=True)
            if emotion > 0 and abs(s - strength) < 0.1
        ]
        if at:
            out[f"{strength:g}"] = _rounded(np.mean(at))
    return out


def per_unit(read: Tensor, units: Tensor) -> dict[str, dict[str, float]]:
    """Of each unit: mean absolute error where active, and the correlation with the truth."""
    out = {}
    for i, name in enumerate(facs.UNITS):
        active = units[:, i] >= ACTIVE
        if active.any():
            both = torch.stack([read[:, i], units[:, i]])
            out[name] = {
                "active_mae": _rounded((read - units)[active, i].abs().mean()),
                "correlation": _rounded(torch.corrcoef(both)[0, 1]),
            }
    return out


def landmark_error(points: Tensor, truth: Tensor) -> Tensor:
    """Mean distance of the inner 51 points, percent of the distance of the outer eye corners."""
    eyes = (truth[:, 36] - truth[:, 45]).norm(dim=-1)
    error: Tensor = ((points - truth)[:, 17:].norm(dim=-1).mean(1) / eyes).mean() * 100
    return error


def photograph_scores(judge: Judge, shown: Sequence[Photograph]) -> dict[str, Any]:
    """Neutral against smile on labelled photographs, AU12's ROC AUC, and the landmarks' error.

    smile_or_neutral_accuracy looks at one photograph at a time, pairs_right at both of a person:
    the smiling one is the happier, by the odds of happy against neutral.
    """
    faces = collate([seen(one, None) for one in shown])
    read = reading(judge, faces.pixels)
    smiling = np.array([one.emotion == "happy" for one in shown])
    named = read.emotions.argmax(1)
    says = smiles(read.emotions).numpy()
    checked = torch.tensor([one.checked for one in shown])
    return {
        "photographs": len(shown),
        "people": len({one.person for one in shown}),
        "smile_or_neutral_accuracy": _rounded((says == smiling).mean()),
        "emotion_accuracy": _rounded((named == faces.emotions.argmax(1)).float().mean()),
        "pairs_right": pairs_right(shown, happier(read.emotions)),
        "au12_auc": _rounded(auc(au12(read.units).numpy(), smiling)),
        "au12_of_smiles": _rounded(au12(read.units)[smiling].mean()),
        "au12_of_neutrals": _rounded(au12(read.units)[~smiling].mean()),
        "landmarks_percent": _rounded(
            landmark_error(read.landmarks[checked], faces.landmarks[checked])
        ),
    }


def smiles(emotions: Tensor) -> Tensor:
    """Whether happy is likelier than neutral, bool (B,)."""
    return happier(emotions) > 0


def happier(emotions: Tensor) -> Tensor:
    """Logarithm of the odds of happy against neutral, (B,)."""
    happy, neutral = facs.EMOTIONS.index("happy"), facs.EMOTIONS.index("neutral")
    return emotions[:, happy].log() - emotions[:, neutral].log()


def pairs_right(shown: Sequence[Photograph], scores: Tensor) -> float | None:
    """Share of people whose smiling photograph scores above their neutral one; None without any."""
    found: dict[str, dict[str, float]] = {}
    for one, score in zip(shown, scores.tolist(), strict=True):
        found.setdefault(one.person, {})[one.emotion] = score
    right = [f["happy"] > f["neutral"] for f in found.values() if {"happy", "neutral"} <= f.keys()]
    return _rounded(np.mean(right)) if right else None


def au12(units: Tensor) -> Tensor:
    """AU12, the mean of both sides, (B,)."""
    return units[:, list(facs.columns("AU12"))].mean(1)


def auc(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how often a positive scores above a negative (Mann-Whitney).

    >>> auc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True]))
    0.75
    """
    above = scores[positive][:, None] - scores[~positive][None]
    return float((above > 0).mean() + 0.5 * (above == 0).mean())


def render_faces(renders: RigFaces, count: int) -> Item:
    """`count` faces spread evenly over a set that is not a stream."""
    plain = Plain(renders, count)
    return collate([plain[i] for i in range(len(plain))])


def _rounded(value: Any) -> float:
    return round(float(value), 4)
