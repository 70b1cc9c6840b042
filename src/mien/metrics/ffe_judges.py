"""Who says which of twelve expressions a result shows, and how much of it: judges at hand.

FFE-Bench's own judge is a vision-language model (Gemini 3 Pro), which scores every expression of a
picture from 0 to 1. It is not at hand here. In its place stand three that are, each by its own
means, a classifier that the user names, and anybody's scores from a file, its own judge's too.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from mien import facs
from mien.errors import DataError, FaceNotFound
from mien.face_model import units as model_units
from mien.face_model.mesh import FaceModel
from mien.guides.blendshapes import NAMES as ARKIT
from mien.judges.judge import Reading
from mien.judges.landmarker import Landmarker
from mien.judges.named import Classifier
from mien.metrics.bench import JudgePanel
from mien.metrics.ffe_tasks import EXPRESSIONS, expression, meaning
from mien.nn.tensors import to_uint8
from mien.types import Faces, Float

LEAST = 0.05
"""Length of a change, as a share of an expression's, below which nothing is shown."""


@dataclass(frozen=True)
class Said:
    """Of one result: the expression that dominates, None where it is none of the twelve, and how
    much of each expression that the judge knows is there, 0 to 1."""

    dominant: str | None
    scores: Mapping[str, float]


class Scorer(ABC):
    """A judge. `knows` are the expressions that it can tell; `key` is its name in columns."""

    key: ClassVar[str]
    title: ClassVar[str]
    knows: tuple[str, ...] = EXPRESSIONS

    @abstractmethod
    def say(self, source: Faces[Tensor], made: Tensor, picture: str) -> Said | None:
        """Of a result (1, 3, S, S) in [-1, 1] of a source; `picture` is its file's name. None
        where the judge sees no face, or has nothing to say."""


class Readings:
    """What mien's judges read of pictures (1, 3, S, S), the last few remembered: two scorers ask
    about each, and a source is looked at again and again."""

    def __init__(self, panel: JudgePanel, most: int = 4) -> None:
        self._panel, self._most = panel, most
        self._known: list[tuple[Tensor, list[Reading]]] = []

    def of(self, pixels: Tensor) -> list[Reading]:
        """Both judges' readings."""
        for seen, readings in self._known:
            if seen is pixels or torch.equal(seen, pixels):
                return readings
        readings = self._panel.read(pixels)
        self._known = [(pixels, readings), *self._known[: self._most - 1]]
        return readings


class ByEmotion(Scorer):
    """mien's judges a and b: the mean of their probabilities of eight emotions."""

    key, title = "emotions", "mien's judges, emotions"
    knows = tuple(name for name in EXPRESSIONS if name in facs.EMOTIONS)

    def __init__(self, readings: Readings) -> None:
        self._readings = readings

    def say(self, source: Faces[Tensor], made: Tensor, picture: str) -> Said:
        seen = torch.stack([reading.emotions[0] for reading in self._readings.of(made)]).mean(0)
        return _most(dict(zip(facs.EMOTIONS, seen.tolist(), strict=True)))


class ByPrototype(Scorer):
    """A reading that changes from source to result, held against the change that each expression
    means: the dominant one is nearest in direction (cosine), and as much of each is there as its
    cosine times the length of the change over the expression's, at most 1."""

    def __init__(self, meant: Float) -> None:
        self._meant = meant.astype(np.float64)  # (12, D)
        self._long = np.linalg.norm(self._meant, axis=1)
        self._source: tuple[int, Float | None] = (0, None)

    @abstractmethod
    def read(self, pixels: Tensor) -> Float | None:
        """The reading (D,) of a picture (1, 3, S, S); None where there is none."""

    def say(self, source: Faces[Tensor], made: Tensor, picture: str) -> Said | None:
        if self._source[0] != id(source):  # the tasks hold it, so the place stays theirs
            self._source = (id(source), self.read(source.pixels))
        before = self._source[1]
        after = before if torch.equal(made, source.pixels) else self.read(made)
        if before is None or after is None:
            return None
        change = np.asarray(after, np.float64) - before
        length = float(np.linalg.norm(change))
        cosine = (self._meant @ change / (self._long * max(length, 1e-9))).clip(0)
        scores = cosine * np.minimum(1, length / self._long)
        best = int(cosine.argmax())
        shown = length >= LEAST * self._long[best] and cosine[best] > 0
        said = {name: float(v) for name, v in zip(EXPRESSIONS, scores, strict=True)}
        return Said(EXPRESSIONS[best] if shown else None, said)


class ByUnits(ByPrototype):
    """mien's judges a and b: the mean of the 47 action units that they read."""

    key, title = "units", "mien's judges, action units"

    def __init__(self, readings: Readings) -> None:
        super().__init__(np.stack([meaning(name) for name in EXPRESSIONS]))
        self._readings = readings

    def read(self, pixels: Tensor) -> Float:
        seen = torch.stack([reading.units[0] for reading in self._readings.of(pixels)])
        return np.asarray(seen.mean(0).numpy(), np.float32)


class ByBlendshapes(ByPrototype):
    """MediaPipe's landmarker: ARKit's blendshapes, which an expression's units are on the mesh."""

    key, title = "mediapipe", "MediaPipe, blendshapes"

    def __init__(self, judge: Landmarker) -> None:
        model = FaceModel.load()
        of_units = model_units.matrix(model.names)  # (47, 53)
        rows = [model_units.bounded(model, meaning(name) @ of_units) for name in EXPRESSIONS]
        super().__init__(np.stack([model_units.to_arkit(model, row) for row in rows]))
        self._judge = judge

    def read(self, pixels: Tensor) -> Float | None:
        try:
            named = self._judge.see(to_uint8(pixels)[0]).named
        except FaceNotFound:
            return None
        return np.array([named.get(name, 0.0) for name in ARKIT], np.float32)


class ByClassifier(Scorer):
    """A classifier of the user's, taught on real faces: the shares of its answers."""

    key, title = "classifier", "classifier"

    def __init__(self, net: Classifier) -> None:
        self._net = net
        self.knows = tuple(name for name in EXPRESSIONS if name in net.sight.classes)

    def say(self, source: Faces[Tensor], made: Tensor, picture: str) -> Said:
        raw = self._net.scores(to_uint8(made)[0], source.landmarks[0].numpy())
        named = {c: float(v) for c, v in zip(self._net.sight.classes, raw, strict=True) if c}
        said = _most(named)
        return said if self._net.sight.classes[int(raw.argmax())] else Said(None, said.scores)


class ByFile(Scorer):
    """Somebody's scores of the pictures that `--pictures` wrote: a file of JSON lines, each with
    `file_name` and, for every expression by name, a number from 0 to 1."""

    key, title = "scores", "scores from a file"

    def __init__(self, path: Path) -> None:
        self._path, self._of = path, read_scores(path)
        known = {name for scores in self._of.values() for name in scores}
        self.knows = tuple(name for name in EXPRESSIONS if name in known)

    def lacking(self, pictures: Sequence[str]) -> int:
        """Of how many of these pictures it says nothing; DataError where that is all."""
        without = [name for name in pictures if name not in self._of]
        if len(without) == len(pictures):
            raise DataError(
                f"{self._path} has scores of none of these {len(pictures)} pictures: they have "
                f"names such as {pictures[0]!r}, as --pictures writes them"
            )
        return len(without)

    def say(self, source: Faces[Tensor], made: Tensor, picture: str) -> Said | None:
        scores = self._of.get(picture)
        return None if scores is None else _most(scores)


def read_scores(path: Path) -> dict[str, dict[str, float]]:
    """Scores by file name; DataError names the first line that cannot be meant."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}") from None
    out: dict[str, dict[str, float]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
            name = said.pop("file_name")
            out[str(name)] = {
                known: float(value)
                for word, value in said.items()
                if (known := expression(word)) is not None
            }
            good = bool(out[str(name)]) and all(0 <= v <= 1 for v in out[str(name)].values())
        except (
            ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError,
        ):  # fmt: skip
            good = False
        if not good:
            raise DataError(
                f'{path}, line {number}: write {{"file_name": "...", "happy": 0.9, ...}}, each '
                "from 0 to 1"
            )
    if not out:
        raise DataError(f"no scores in {path}")
    return out


def scorers(panel: JudgePanel, scores: Path | None) -> list[Scorer]:
    """All that are at hand: mien's judges twice, MediaPipe's landmarker where its file is, and what
    the user named."""
    readings = Readings(panel)
    found: list[Scorer] = [ByEmotion(readings), ByUnits(readings)]
    if panel.outsider is not None:
        found.append(ByBlendshapes(panel.outsider))
    if panel.classifier is not None:
        found.append(ByClassifier(panel.classifier))
    if scores is not None:
        found.append(ByFile(scores))
    return found


def _most(scores: Mapping[str, float]) -> Said:
    """The dominant of some scores, None where that is none of the twelve (neutral)."""
    best = max(scores, key=lambda name: scores[name])
    known = {name: value for name, value in scores.items() if name in EXPRESSIONS}
    return Said(best if best in EXPRESSIONS else None, known)


def named(found: Sequence[Scorer]) -> dict[str, str]:
    """Their titles by their keys."""
    return {scorer.key: scorer.title for scorer in found}
