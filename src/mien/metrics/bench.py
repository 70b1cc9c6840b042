"""A section of the scorecard on the bench: what is measured of each contestant's results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from mien import facs
from mien.faces.detect import detect
from mien.judges import NAMES, Judge, Reading, load
from mien.judges.identity import Descriptor, descriptor
from mien.judges.inception import Inception
from mien.judges.inception import load as load_inception
from mien.judges.landmarker import TASK, Landmarker, landmarker
from mien.judges.named import Classifier, Embedding
from mien.judges.networks import SIZE
from mien.judges.perceptual import Perceptual
from mien.judges.perceptual import load as load_perceptual
from mien.metrics.agreement import code_columns
from mien.metrics.parts import Outsider, part_columns
from mien.metrics.pixel import (
    face_mask,
    inside,
    ms_ssims,
    psnr,
    region_mask,
    sharpness,
    ssim_map,
)
from mien.metrics.sets import frechet, kernel_distance
from mien.metrics.trials import Editing, Section, Trial
from mien.nn.tensors import to_levels, to_uint8
from mien.types import Faces, Float
from mien.zoo import data_home

CONFUSED = {"fear": "surprise", "surprise": "fear", "anger": "disgust", "disgust": "anger"}
"""Emotions that share most of their units with another one: which is taken for which."""
LOST = 0.6
"""dlib's own threshold: from here on it holds two faces for two people."""


def face_in(pixels: Tensor) -> bool:
    """Whether mien's detector finds a face in a picture (3, S, S) in [-1, 1]."""
    return bool(detect(to_uint8(pixels[None])[0]))


@dataclass(frozen=True)
class JudgePanel:
    """Everybody who judges results, none of whom trained a method."""

    judges: Sequence[Judge]
    who: Descriptor
    finds: Callable[[Tensor], bool] = face_in
    inception: Inception | None = None
    """Whose features sets are compared by too, where its weights can be had."""
    perceptual: Perceptual | None = None
    """Whose features single pictures are compared by, where faces have their own size."""
    outsider: Landmarker | None = None
    """MediaPipe's landmarker, where its file is there; asked where faces have their own size."""

    classifier: Classifier | None = None
    """Whom a user trusts with emotions, taught on real faces."""
    embedding: Embedding | None = None
    """A second opinion on who somebody is."""

    @classmethod
    def standing(
        cls, inception: Path | None = None, perceptual: Path | None = None,
        classifier: Path | None = None, embedding: Path | None = None,
    ) -> JudgePanel:  # fmt: skip
        """Both judges and dlib; the landmarker, if it is among the data; Inception,
        EfficientNet-Lite0, an emotion classifier and a face embedding at a path. AssetMissing where
        one that is named, or dlib, is not there.
        """
        seen = None if inception is None else load_inception(inception)
        alike = None if perceptual is None else load_perceptual(perceptual)
        third = landmarker() if (data_home() / TASK).is_file() else None
        judges = [load(name) for name in NAMES]
        return cls(
            judges, descriptor(), inception=seen, perceptual=alike, outsider=third,
            classifier=None if classifier is None else Classifier(classifier),
            embedding=None if embedding is None else Embedding(embedding),
        )  # fmt: skip

    def read(self, pixels: Tensor) -> list[Reading]:
        """What each judge reads in pictures (B, 3, S, S)."""
        return [judge.read(_seen(pixels)) for judge in self.judges]

    def features(self, pixels: Tensor) -> dict[str, Tensor]:
        """What each net holds of pictures (B, 3, S, S), by its name, (B, D)."""
        seen = {f"judge_{judge.name}": judge.features(_seen(pixels)) for judge in self.judges}
        if self.inception is not None:
            seen[self.inception.name] = self.inception.features(pixels)
        return seen


def _seen(pixels: Tensor) -> Tensor:
    """Pictures of any side as the judges see them: areas of larger ones, curves through smaller."""
    if pixels.shape[-1] == SIZE:
        return pixels
    if pixels.shape[-1] > SIZE:
        return functional.interpolate(pixels, size=(SIZE, SIZE), mode="area")
    return functional.interpolate(pixels, size=(SIZE, SIZE), mode="bicubic", antialias=True).clamp(
        -1, 1
    )


@dataclass(frozen=True)
class Measured:
    """What one contestant reached in one section.

    columns: a value for each result, in the order of `people` and `names`; sets: distances between
    all results and all that they should resemble.
    """

    people: list[str]
    names: list[str]
    columns: dict[str, list[float]]
    sets: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Known:
    """What is known of a trial before anybody edits."""

    source: Tensor  # descriptors (B, 128)
    reference: Tensor | None
    right: list[Reading]  # of the truth, a judge each
    features: dict[str, Tensor]  # of what results should resemble
    outsider: Outsider | None  # what the landmarker sees in source and truth
    embedded: list[Float]  # what the second embedding makes of the source, a face each


class SectionBench:
    """One section; what is known of its faces is found out once for all contestants. `sets`:
    whether results are compared as sets too."""

    def __init__(self, section: Section, panel: JudgePanel, *, sets: bool = True) -> None:
        self.section, self.panel, self.sets = section, panel, sets
        self._known: dict[int, _Known] = {}
        self._source_reads: dict[int, list[Reading]] = {}

    def measure(self, edit: Editing, progress: Callable[[int], None] = lambda _: None) -> Measured:
        """Every result of `edit`; `progress` hears how many there were."""
        trials = self.section.trials
        columns: dict[str, list[float]] = {}
        features: list[dict[str, Tensor]] = []
        for index, trial in enumerate(trials):
            made = edit(trial)
            finite = made.isfinite().flatten(1).all(1)
            made = torch.where(finite[:, None, None, None], made, 0.0).clamp(-1, 1)
            if self.section.intensity:
                new = self._following(trial, made)
            else:
                new = self._result(self._known_of(index), trial, made, finite)
                features += [self.panel.features(made)] if self.sets else []
            for name, values in new.items():
                columns.setdefault(name, []).extend(round(float(v), 5) for v in values)
            progress(len(trial))
        return Measured(
            [person for trial in trials for person in trial.people],
            [name for trial in trials for name in trial.names],
            columns,
            self._distances(features) if features else {},
        )

    def _known_of(self, index: int) -> _Known:
        if index not in self._known:
            trial, who = self.section.trials[index], self.panel.who
            reference, right = trial.reference, trial.truth
            self._known[index] = _Known(
                who.of(trial.source.pixels, trial.source.landmarks),
                None if reference is None else who.of(reference.pixels, reference.landmarks),
                [] if right is None else self.panel.read(right.pixels),
                self.panel.features((right or trial.source).pixels) if self.sets else {},
                self._outsider(trial),
                self._embedded(trial.source.pixels, trial),
            )
        return self._known[index]

    def _outsider(self, trial: Trial) -> Outsider | None:
        third = self.panel.outsider
        return Outsider(third, trial) if third is not None and self.section.parts else None

    def _embedded(self, pixels: Tensor, trial: Trial) -> list[Float]:
        net = self.panel.embedding
        if net is None:
            return []
        faces = zip(to_uint8(pixels), trial.source.landmarks.numpy(), strict=True)
        return [net.answer(face, points) for face, points in faces]

    def _by_named(self, known: _Known, trial: Trial, made: Tensor) -> dict[str, Tensor]:
        """What the networks say that the user named."""
        out, panel = {}, self.panel
        if panel.classifier is not None and trial.emotions is not None:
            points = trial.source.landmarks.numpy()
            asked = [facs.EMOTIONS[emotion] for emotion in trial.emotions]
            rows = zip(to_uint8(made), points, asked, strict=True)
            right = [panel.classifier.emotion(face, at) == name for face, at, name in rows]
            out["emotion_classifier"] = torch.tensor(right)
        if panel.embedding is not None:
            both = zip(known.embedded, self._embedded(made, trial), strict=True)
            out["similarity"] = torch.tensor([panel.embedding.similarity(a, b) for a, b in both])
        return out

    def _result(
        self, known: _Known, trial: Trial, made: Tensor, finite: Tensor
    ) -> dict[str, Tensor]:
        right_pixels = None if trial.truth is None else trial.truth.pixels
        alike = None if right_pixels is None else ssim_map(made, right_pixels)
        out = {} if trial.truth is None else likeness(made, trial.truth, trial.source, alike)
        for k, (judge, read) in enumerate(
            zip(self.panel.judges, self.panel.read(made), strict=True)
        ):
            right = known.right[k] if known.right else None
            out |= {f"{n}_{judge.name}": v for n, v in _agreement(read, right, trial).items()}
            if trial.coded is not None:
                out |= code_columns(judge.name, read.units, trial.coded)
        result = self.panel.who.of(made, trial.source.landmarks)
        out["identity"] = (result - known.source).norm(dim=1)
        if known.reference is not None:
            before = (known.source - known.reference).norm(dim=1)
            out["leakage"] = before - (result - known.reference).norm(dim=1)
        out |= self._by_named(known, trial, made)
        face = face_mask(trial.source.landmarks, made.shape[-1])
        before = sharpness(trial.source.pixels, face).clamp_min(1e-9)
        out["sharpness"] = sharpness(made, face) / before
        if self.section.parts:
            out |= part_columns(made, trial, self.panel.perceptual, alike)
        if known.outsider is not None:
            out |= known.outsider.columns(made)
        out["lost"] = out["identity"] >= LOST
        out["untouched"] = (to_levels(made) == to_levels(trial.source.pixels)).flatten(1).all(1)
        out["failed"] = ~(finite & torch.tensor([self.panel.finds(p) for p in made]))
        return out

    def _following(self, trial: Trial, made: Tensor) -> dict[str, Tensor]:
        """How far each judge's reading moved in the direction asked for, and beside it."""
        assert trial.direction is not None
        place = id(trial.source.pixels)  # the trials are held by the section, so it stays theirs
        if place not in self._source_reads:
            self._source_reads[place] = self.panel.read(trial.source.pixels)
        way, beside = trial.direction, trial.direction == 0
        source_reads = self._source_reads[place]
        same = torch.equal(made, trial.source.pixels)  # one picture has one reading
        reads = source_reads if same else self.panel.read(made)
        out = {"asked": torch.full((len(trial),), trial.amount)}
        for judge, read, before in zip(self.panel.judges, reads, source_reads, strict=True):
            moved = read.units - before.units
            out[f"read_{judge.name}"] = moved @ way / way.square().sum()
            out[f"crosstalk_{judge.name}"] = moved[:, beside].abs().mean(1)
        return out

    def _distances(self, made: list[dict[str, Tensor]]) -> dict[str, float]:
        out = {}
        for net in made[0]:
            results = torch.cat([row[net] for row in made])
            goal = torch.cat([self._known_of(i).features[net] for i in range(len(made))])
            if len(results) > 1:
                out[f"frechet_{net}"] = round(frechet(results, goal), 5)
                out[f"kernel_{net}"] = round(kernel_distance(results, goal), 5)
        return out


def likeness(
    made: Tensor, truth: Faces[Tensor], source: Faces[Tensor], alike: Tensor | None = None
) -> dict[str, Tensor]:
    """How like the truth's pixels (B, 3, S, S) are: whole, in the face, at eyes and mouth, wherever
    these lie in source or truth. Each (B,). `alike` is their `ssim_map`, where it is known.
    """
    size, right = made.shape[-1], truth.pixels
    alike = ssim_map(made, right) if alike is None else alike

    def where(mask: Callable[[Tensor], Tensor]) -> Tensor:
        return torch.maximum(mask(source.landmarks), mask(truth.landmarks))

    face = where(lambda points: face_mask(points, size))
    whole, in_face = ms_ssims(made, right, torch.ones_like(face), face)
    out = {
        "psnr": psnr(made, right),
        "ssim": inside(alike),
        "ms_ssim": whole,
        "face_psnr": psnr(made, right, face),
        "face_ssim": inside(alike, face),
        "face_ms_ssim": in_face,
    }
    for name in ("eyes", "mouth"):
        region = where(lambda points, name=name: region_mask(points, size, name))  # type: ignore[misc]
        out[f"{name}_psnr"] = psnr(made, right, region)
        out[f"{name}_ssim"] = inside(alike, region)
    return out


_CONFUSED = {facs.EMOTIONS.index(a): facs.EMOTIONS.index(b) for a, b in CONFUSED.items()}


def _agreement(read: Reading, right: Reading | None, trial: Trial) -> dict[str, Tensor]:
    """One judge: units against those it reads in the truth and those asked for, and whether it
    names the emotion asked for, or else the one it names in the truth. Each (B,).
    """
    out, named = {}, read.emotions.argmax(1)
    if right is not None:
        out["units"] = (read.units - right.units).abs().mean(1)
    if trial.units is not None:
        out["asked"] = (read.units - trial.units).abs().mean(1)
    if trial.emotions is not None:
        out["emotion"] = named == torch.tensor(trial.emotions)
        out["confused"] = named == torch.tensor([_CONFUSED.get(e, -1) for e in trial.emotions])
    elif right is not None:
        out["emotion"] = named == right.emotions.argmax(1)
    return out
