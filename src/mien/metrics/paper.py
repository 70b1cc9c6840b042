"""The table that papers on expression translation print, of a user's own labelled photographs:
a Fréchet distance, PSNR and the accuracy of an expression classifier, split by person.

Training people teach the classifier, are the references, and are whose photographs results should
resemble as a set; test people are edited, and each truth is that person's own photograph in the
expression. So have StarGAN v2, HiSD and their successors measured, MTSS (Lu et al., ICIP 2023)
among them; what their PSNR was taken against is not known, here it is the paired photograph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs, images
from mien.data.manifest import Record
from mien.errors import AssetMissing, ConfigError, DataError
from mien.files import write_text
from mien.guides import Label, Reference
from mien.judges.identity import Descriptor
from mien.metrics.bench import JudgePanel
from mien.metrics.codes import NEUTRAL, SIDE, views
from mien.metrics.folder import Folder
from mien.metrics.pixel import psnr
from mien.metrics.probes import fifth, fit
from mien.metrics.scorecard import Contestant
from mien.metrics.sets import frechet
from mien.metrics.trials import Editing, Section, Trial, answer, nothing
from mien.nn.tensors import at, to_tensor, to_uint8
from mien.types import Faces

READ = 64
"""Side of the crops that the classifier sees, px."""
LEAST = 2
"""People of either half, and expressions, at least."""
PASSES = 15
WAYS = ("reference", "label")
Features = Callable[[Tensor], Tensor]
"""Pictures (B, 3, S, S) in [-1, 1] -> features (B, D)."""


@dataclass(frozen=True)
class Photos:
    """Photographs (N) of a split: faces at `SIDE` px, whose, and which expression each shows."""

    faces: Faces[Tensor]
    people: tuple[str, ...]
    labels: tuple[str, ...]

    def showing(self, label: str) -> list[int]:
        """The places of one expression."""
        return [k for k, one in enumerate(self.labels) if one == label]


@dataclass(frozen=True)
class Halves:
    """Who teaches and who is edited; `expressions` are those that both halves show."""

    train: Photos
    test: Photos
    expressions: tuple[str, ...]


def halves(folder: Folder) -> Halves:
    """The labelled photographs of a folder by split; DataError where there are too few."""
    found = {name: _photos(folder, name) for name in ("train", "test")}
    shown = {name: set(p.labels) for name, p in found.items()}
    expressions = tuple(e for e in facs.EMOTIONS if e in shown["train"] & shown["test"])
    people = {name: len(set(p.people)) for name, p in found.items()}
    sharing = [
        len({w for w, e in zip(p.people, p.labels, strict=True) if e in expressions})
        for p in found.values()
    ]
    if len(expressions) < LEAST or min(sharing) < LEAST:
        raise DataError(
            f"{folder.place} has {people['train']} training and {people['test']} test people with "
            f"labels, of whom both show {len(expressions)} expressions: {LEAST} of each are the "
            "least"
        )
    return Halves(found["train"], found["test"], expressions)


def _photos(folder: Folder, split: str) -> Photos:
    records: list[Record] = [
        r for some in folder.people.values() for r in some if r.split == split and r.emotion
    ]
    seen = [(r, face) for r in records if (face := folder.face(r, SIDE)) is not None]
    faces: Faces[Tensor] = Faces(
        torch.cat([f.pixels for _, f in seen] or [torch.zeros(0, 3, SIDE, SIDE)]),
        torch.cat([f.landmarks for _, f in seen] or [torch.zeros(0, 68, 2)]),
    )
    return Photos(faces, tuple(r.person for r, _ in seen), tuple(str(r.emotion) for r, _ in seen))


def classifier(data: Halves, seed: int = 0) -> nn.Module:
    """A small network that names the expressions (N, K) of faces (N, 3, `READ`, `READ`), taught on
    changed views of the training people; every fifth of them decides when to stop."""
    seen = at(views(data.train.faces, seed=seed), READ)
    each = len(seen) // len(data.train.labels)
    known = [k for k, label in enumerate(data.train.labels) if label in data.expressions]
    goal = torch.tensor([data.expressions.index(data.train.labels[k]) for k in known])
    places = (torch.tensor(known)[:, None] * each + torch.arange(each)).flatten()
    held = fifth([data.train.people[k] for k in known]).repeat_interleave(each)
    return fit(
        seen.pixels[places], goal.repeat_interleave(each), nn.functional.cross_entropy,
        len(data.expressions), seed, PASSES, held,
    )  # fmt: skip


def trials(data: Halves) -> dict[str, list[Trial]]:
    """By reference and by label: every test person's picture at rest, or first, in each of their
    other expressions. References are the training people in turn."""
    found: dict[str, list[Trial]] = {way: [] for way in WAYS}
    test, train = data.test, data.train
    for number, who in enumerate(sorted(set(test.people))):
        own = {
            test.labels[k]: k for k in reversed(range(len(test.people))) if test.people[k] == who
        }
        own = {label: own[label] for label in data.expressions if label in own}
        if len(own) < LEAST:
            continue
        first = next((label for label in NEUTRAL if label in own), next(iter(own)))
        source = _one(test.faces, own[first])
        for label, place in own.items():
            if label == first:
                continue
            truth, there = _one(test.faces, place), train.showing(label)
            shown = _one(train.faces, there[number % len(there)])
            asks: dict[str, Any] = {"reference": Reference(shown), "label": Label(label)}
            for way, ask in asks.items():
                found[way].append(
                    Trial(
                        source, (who,), (label,), ask, truth=truth,
                        emotions=(facs.EMOTIONS.index(label),),
                    )
                )  # fmt: skip
    if not found["label"]:
        raise DataError("no test person shows two expressions: there is no truth to compare with")
    return found


def _one(faces: Faces[Tensor], place: int) -> Faces[Tensor]:
    return faces.mapped(lambda v: v[place : place + 1])


@dataclass(frozen=True)
class Table:
    """What measures: the classifier, dlib's descriptor, and a net whose features compare sets."""

    data: Halves
    reads: nn.Module
    who: Descriptor | None
    features: Features

    @torch.no_grad()
    def row(self, every: Sequence[Trial], edit: Editing) -> dict[str, Any]:
        """One editor on trials: means over them."""
        made = torch.cat([at(Faces(edit(t), t.source.landmarks), SIDE).pixels for t in every])
        return self.judged(every, made.clamp(-1, 1))

    @torch.no_grad()
    def judged(self, every: Sequence[Trial], made: Tensor) -> dict[str, Any]:
        """Pictures (N, 3, S, S) that answer trials (N)."""
        truths = [t.truth for t in every if t.truth is not None]
        wanted = [self.data.expressions.index(t.names[0]) for t in every]
        asked = {t.names[0] for t in every}
        real = [k for k, label in enumerate(self.data.train.labels) if label in asked]
        landmarks = torch.cat([t.source.landmarks for t in every])
        answers = self.reads(at(Faces(made, landmarks), READ).pixels).argmax(1)
        right = torch.cat([t.pixels for t in truths])
        found: dict[str, Any] = {
            "results": len(made),
            "frechet": round(
                frechet(self.features(made), self.features(self.data.train.faces.pixels[real])), 3
            ),
            "psnr": round(float(psnr(made, right).mean()), 3),
            "expression_right": round(
                float((answers == torch.tensor(wanted)).float().mean()), 4
            ),
        }  # fmt: skip
        if self.who is not None:
            sources = torch.cat([t.source.pixels for t in every])
            distance = self.who.distance(Faces(made, landmarks), Faces(sources, landmarks))
            found["identity_distance"] = round(float(distance.median()), 4)
        return found


def pooled(net: nn.Module) -> Features:
    """The features of EfficientNet-Lite0's last map that is kept, averaged over places: (B, 80)."""

    def features(pixels: Tensor) -> Tensor:
        seen = F.interpolate(pixels, size=(224, 224), mode="bilinear", antialias=True)
        parts = [net(some)[-1].mean((2, 3)) for some in seen.split(16)]
        return torch.cat(parts)

    return features


def features_of(panel: JudgePanel) -> tuple[str, Features]:
    """The net whose features compare sets, by name: Inception where there is one, else
    EfficientNet-Lite0, else judge a."""
    if panel.inception is not None:
        return "Inception", panel.inception.features
    if panel.perceptual is not None:
        return "EfficientNet-Lite0", pooled(panel.perceptual.net)
    return "judge a", panel.judges[0].features


def named_folders(texts: Sequence[str]) -> dict[str, Path]:
    """Of texts such as `stargan=runs/stargan/results`; ConfigError for any other, AssetMissing for
    a folder that is not there."""
    found: dict[str, Path] = {}
    for text in texts:
        name, _, folder = text.partition("=")
        if not name or not folder or name in found:
            raise ConfigError(f"{text!r} is no NAME=FOLDER with a name of its own")
        if not Path(folder).is_dir():
            raise AssetMissing(f"no folder {folder}: name the one with {name}'s results")
        found[name] = Path(folder)
    return found


def said_of(data: Halves, net: str) -> dict[str, Any]:
    """What a reader of the table must know."""
    return {
        "expressions": list(data.expressions),
        "training_people": len(set(data.train.people)),
        "test_people": len(set(data.test.people)),
        "frechet_by": net,
        "split": "test",
        "size": SIDE,
    }


def in_markdown(table: Mapping[str, Mapping[str, Any]], net: str) -> str:
    """The table by way of asking."""
    text = ""
    for way, rows in table.items():
        text += f"## By {way}\n\n| | Fréchet distance ({net}) | PSNR, dB | expression right | "
        text += "identity distance |\n| --- | --- | --- | --- | --- |\n"
        for name, row in rows.items():
            if "reason" in row:
                text += f"| {name} | {row['reason']} | | | |\n"
                continue
            distance = row.get("identity_distance")
            text += (
                f"| {name} | {row['frechet']:.2f} | {row['psnr']:.2f} | "
                f"{100 * row['expression_right']:.0f} % | "
                f"{'' if distance is None else f'{distance:.2f}'} |\n"
            )
        text += "\n"
    return text


def measured(
    table: Table, contestants: Sequence[Contestant], others: Mapping[str, Path]
) -> dict[str, dict[str, Any]]:
    """Way of asking -> row: doing nothing, the photograph itself, every contestant; by label also
    `others`, folders of other systems' results."""
    ways = trials(table.data)
    rows_there = ("nothing", "the photograph", *(one.name for one in contestants))
    if taken := sorted(set(others) & set(rows_there)):
        raise ConfigError(f"--results {taken[0]}=...: a row is called so: choose another name")
    # read first: a file that is not there is said before anything is measured
    answers = {name: _results(folder, ways["label"]) for name, folder in others.items()}
    found: dict[str, dict[str, Any]] = {}
    for way, every in ways.items():
        rows = {"nothing": table.row(every, nothing), "the photograph": table.row(every, answer)}
        for one in contestants:
            reason = one.cannot(Section(way, every))
            rows[one.name] = {"reason": reason} if reason else table.row(every, one.edit)
        if way == "label":
            for name, pictures in answers.items():
                rows[name] = table.judged(every, pictures)
        found[way] = rows
    return found


def _results(folder: Path, every: Sequence[Trial]) -> Tensor:
    made = []
    for name in names_of(every):
        pixels = images.read(folder / name).pixels
        if pixels.shape[0] != pixels.shape[1]:
            raise DataError(f"{folder / name} is no square crop, as the inputs are")
        picture = to_tensor(pixels)
        made.append(at(Faces(picture, torch.zeros(1, 68, 2)), SIDE).pixels)
    return torch.cat(made)


def write_inputs(out: Path, data: Halves) -> None:
    """What other systems are given: `inputs/NAME.png`, the crop to be edited, `references/NAME.png`
    and `inputs.csv`, which says the expression of each."""
    every = trials(data)
    lines = ["file_name,expression\n"]
    for folder in ("inputs", "references"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for name, trial in zip(names_of(every["label"]), every["reference"], strict=True):
        assert isinstance(trial.ask, Reference)
        images.write(out / "inputs" / name, to_uint8(trial.source.pixels)[0])
        shown = torch.as_tensor(trial.ask.faces.pixels)
        images.write(out / "references" / name, to_uint8(shown)[0])
        lines.append(f"{name},{trial.names[0]}\n")
    write_text(out / "inputs.csv", "".join(lines))


def names_of(every: Sequence[Trial]) -> list[str]:
    """A file name for each trial, by person and expression: what other systems' results are called
    (`--results`)."""
    plain = [
        "".join(c if c.isalnum() or c in "-_" else "_" for c in f"{t.people[0]}__{t.names[0]}")
        for t in every
    ]
    if len(set(plain)) < len(plain):
        raise DataError("two people's names differ by signs alone: rename one of them")
    return [f"{name}.png" for name in plain]
