"""The protocols of the scorecard: which faces, what is asked of them, what is known of the answer.

Each is a function of a `Setting` and gives sections. Only people of the split that trained nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from mien import facs, images
from mien.data.adapters import DATASETS
from mien.data.loading import Renders, label_of, open_renders
from mien.data.manifest import Record
from mien.errors import ConfigError, DataError, FaceNotFound
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.guides import ActionUnits, Label, Reference
from mien.metrics.circumplex import ANGLES, affect
from mien.metrics.trials import BATCH, Own, Section, Trial, batches, part
from mien.metrics.triples import draw_triples, faces_of, transferred
from mien.nn import tensors
from mien.types import Face, Faces

AMOUNTS = (0.25, 0.5, 0.75, 1.0)
"""Intensities that protocol `control` asks for."""
TRIPLES, LABELLED, CONTROLLED, PORTRAITS = 300, 60, 12, 60
"""Triples of `truth`, people of `labels`, `control` and `wild`, unless there is a limit."""
TRIPLES_EACH = 4
"""Triples a person where people are limited."""
_ENDS = ("neutral", "happy")
Groups: TypeAlias = Sequence[tuple[Faces[Tensor], tuple[str, ...]]]
"""Batches of faces, each with whose they are."""


@dataclass(frozen=True)
class Setting:
    """Where the faces come from and how many are taken."""

    renders: Path
    """Folder of the rig's renders."""
    photographs: Path
    """Folder of the original data sets."""
    split: str = "test"
    limit: int | None = None
    """People a protocol at most."""
    seed: int = 0
    size: int = 128
    """Side of the crops that the methods see, px; faces of a `folder` have their own."""
    folder: Path | None = None
    """Photographs of the user's, for the protocols of `metrics.folder`."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 2:
            raise ConfigError(f"--limit {self.limit} is too few: two people are the least")

    def chosen(self, people: Sequence[str], most: int) -> list[str]:
        """At most `most` of the people, or `limit`, drawn by the seed; sorted."""
        count = min(most, self.limit or most)
        drawn = np.random.default_rng([self.seed, 17]).permutation(sorted(set(people)))
        return sorted(str(person) for person in drawn[:count])


@dataclass(frozen=True)
class Protocol:
    """Sections, and the photographs in which no face was found."""

    sections: list[Section]
    without_face: tuple[str, ...] = ()


def real(setting: Setting) -> Protocol:
    """A neutral photograph to the same person's real smile and back, by their other photograph and
    by label. The truth is that photograph: posed at another moment, so never matched to the pixel.
    """
    shown: dict[str, dict[str, tuple[Record, Path]]] = {}
    for record, root in _records("london", setting):
        if record.emotion is not None:
            shown.setdefault(record.person, {})[record.emotion] = (record, root)
    pairs: dict[str, list[Faces[Tensor]]] = {}
    missing = []
    for person in setting.chosen([p for p in shown if shown[p].keys() >= set(_ENDS)], len(shown)):
        found = [_aligned(*shown[person][emotion], setting.size) for emotion in _ENDS]
        faces = [face for face in found if face is not None]
        if len(faces) == len(_ENDS):
            pairs[person] = faces
        else:
            missing.append(person)
    people = list(pairs)
    if not people:
        raise DataError(
            f"the London Set in {setting.photographs} has nobody of split {setting.split} both "
            f"neutral and smiling: {DATASETS['london'].obtain}"
        )
    calm, smile = (_together(column) for column in zip(*pairs.values(), strict=True))
    sections = []
    for what, source, truth, emotion in (
        ("to a smile", calm, smile, "happy"), ("to rest", smile, calm, "neutral"),
    ):  # fmt: skip
        for by in ("reference", "label"):
            trials = [
                Trial(
                    part(source, some), tuple(people[some]), (emotion,) * len(people[some]),
                    Reference(part(truth, some)) if by == "reference" else Label(emotion),
                    truth=part(truth, some),
                    emotions=(facs.EMOTIONS.index(emotion),) * len(people[some]),
                )
                for some in batches(len(people))
            ]  # fmt: skip
            sections.append(Section(f"{what}, by {by}", trials, answer="the photograph"))
    return Protocol(sections, tuple(missing))


def truth(setting: Setting) -> Protocol:
    """The expression of B on A, which the rig has rendered too; by reference and by units."""
    photos = open_renders(setting.renders, setting.split)
    everyone = [p.person for p in photos]
    people = set(setting.chosen(everyone, len(everyone)))
    count = TRIPLES if setting.limit is None else min(TRIPLES, TRIPLES_EACH * setting.limit)
    triples = draw_triples(
        setting.renders, setting.split, count, size=setting.size, seed=setting.seed,
        people=people.__contains__,
    )  # fmt: skip
    parts = triples.split(BATCH)
    return Protocol([transferred(parts, by) for by in ("reference", "units")])


def labels(setting: Setting) -> Protocol:
    """The eight expressions by name; the rig's prototype renders are the truth."""
    photos = open_renders(setting.renders, setting.split)
    people = setting.chosen([p.person for p in photos], LABELLED)
    first = {p.person: p for p in reversed(photos)}
    chosen = [
        (first[person], state, label)
        for person in people
        for label in range(len(facs.EMOTIONS))
        for state in _wearing(first[person], label)[:1]
    ]
    if not chosen:
        raise DataError(f"no prototype renders in {setting.renders}: run `mien rig render`")
    trials = []
    for some in (chosen[place] for place in batches(len(chosen))):
        names = tuple(facs.EMOTIONS[label] for _, _, label in some)
        trials.append(
            Trial(
                faces_of([(photo, 0) for photo, _, _ in some], setting.size),
                tuple(photo.person for photo, _, _ in some),
                names,
                Label(names),
                truth=faces_of([(photo, state) for photo, state, _ in some], setting.size),
                emotions=tuple(label for _, _, label in some),
                units=torch.from_numpy(np.stack([facs.prototype(n) for n in names])),
            )
        )
    return Protocol([Section("eight labels", trials, answer="the rig")])


def control(setting: Setting) -> Protocol:
    """People at rest: every emotion, every unit alone and every direction of affect at four
    intensities; and their own expression, which should change nothing.
    """
    photos = open_renders(setting.renders, setting.split)
    first = {p.person: p for p in reversed(photos) if p.neutral}
    if not first:
        raise DataError(f"no photograph of somebody at rest in {setting.renders}: render more")
    people = setting.chosen(list(first), CONTROLLED)
    faces = faces_of([(first[person], 0) for person in people], setting.size)
    groups = [(part(faces, some), tuple(people[some])) for some in batches(len(people))]
    own = [Trial(f, who, ("own",) * len(who), Own(), truth=f) for f, who in groups]
    sections = [Section("own expression", own)]
    emotions = {name: facs.prototype(name) for name in facs.EMOTIONS[1:]}
    units = {f"AU{number}": facs.vector({f"AU{number}": 1.0}) for number in facs.NAMES}
    # everybody's prototypes are rendered, few people's single units
    for what, directions, most in (("emotions", emotions, LABELLED), ("units", units, len(photos))):
        shown = setting.chosen([p.person for p in photos], most)
        answers = _stored([p for p in photos if p.person in shown], directions, setting.size)
        sections.append(
            Section(
                f"{what} at 4 intensities", rising(groups, directions, what == "emotions"),
                intensity=True, answer="the rig" if answers else None, answers=answers,
            )
        )  # fmt: skip
    affects = {word: affect(angle) for word, angle in ANGLES.items()}
    every = rising(groups, affects, by_label=False)
    sections.append(Section("affects at 4 intensities", every, intensity=True))
    return Protocol(sections)


def rising(groups: Groups, directions: Mapping[str, facs.Vector], by_label: bool) -> list[Trial]:
    """Every direction of everybody at all `AMOUNTS`, by label or by the units in it."""
    return [
        Trial(
            faces, people, (name,) * len(people),
            Label(name) if by_label else _units_of(amount * way), amount if by_label else 1.0,
            direction=torch.from_numpy(way), amount=amount,
        )
        for name, way in directions.items()
        for amount in AMOUNTS
        for faces, people in groups
    ]  # fmt: skip


def _units_of(values: facs.Vector) -> ActionUnits:
    """The units of (47,) that are not at rest, as a user would name them."""
    named = zip(facs.UNITS, values.tolist(), strict=True)
    return ActionUnits(tuple(facs.Setting(unit, round(v, 6)) for unit, v in named if v > 0))


def _stored(
    photos: Sequence[Renders], directions: Mapping[str, facs.Vector], size: int
) -> list[Trial]:
    """The renders that show one of the directions at any strength, from the same person's neutral
    render; what the rig answers, as far as it was rendered.
    """
    found: dict[tuple[str, float], list[tuple[Renders, int, int]]] = {}
    for photo in photos:
        calm = [s for s in photo.still if photo.expression[s] == 0]
        for state in photo.still if calm else ():
            for name, way in directions.items():
                amount = float(photo.units[state] @ way / (way @ way))
                exact = np.abs(photo.units[state] - amount * way).max() < 1e-4
                if photo.expression[state] > 0 and amount > 0.01 and exact:
                    found.setdefault((name, round(amount, 4)), []).append((photo, calm[0], state))
    return [
        Trial(
            faces_of([(photo, calm) for photo, calm, _ in some], size),
            tuple(photo.person for photo, _, _ in some),
            (name,) * len(some),
            Own(),
            truth=faces_of([(photo, state) for photo, _, state in some], size),
            direction=torch.from_numpy(directions[name]),
            amount=amount,
        )
        for (name, amount), all_of in sorted(found.items())
        for some in (all_of[place] for place in batches(len(all_of)))
    ]


def wild(setting: Setting) -> Protocol:
    """Portraits of strangers, found and aligned as a user's would be, in all eight expressions;
    nobody knows what they would look like.
    """
    records = {r.person: (r, root) for r, root in _records("congress", setting)}
    faces: dict[str, Faces[Tensor]] = {}
    missing = []
    for person in setting.chosen(list(records), PORTRAITS):
        record, root = records[person]
        face = _aligned(record, root, setting.size)
        if face is None:
            missing.append(person)
        else:
            faces[person] = face
    chosen = [(p, label) for p in faces for label in range(len(facs.EMOTIONS))]
    trials = []
    for some in (chosen[place] for place in batches(len(chosen))):
        names = tuple(facs.EMOTIONS[label] for _, label in some)
        trials.append(
            Trial(
                _together([faces[person] for person, _ in some]),
                tuple(person for person, _ in some),
                names,
                Label(names),
                emotions=tuple(label for _, label in some),
                units=torch.from_numpy(np.stack([facs.prototype(n) for n in names])),
            )
        )
    return Protocol([Section("portraits, eight labels", trials)], tuple(missing))


PROTOCOLS: dict[str, Callable[[Setting], Protocol]] = {
    "real": real, "truth": truth, "labels": labels, "control": control, "wild": wild,
}  # fmt: skip
PHOTOGRAPHS: Mapping[str, str] = {"real": "london", "wild": "congress"}
"""The protocols that are of a data set's photographs; the others are of the rig's renders."""


def check(protocols: Sequence[str], setting: Setting) -> None:
    """DataError if the faces of a protocol cannot be had: reported before others are measured."""
    for name in protocols:
        if name in PHOTOGRAPHS:
            _records(PHOTOGRAPHS[name], setting)
    if not set(protocols) <= set(PHOTOGRAPHS):
        open_renders(setting.renders, setting.split)


def _wearing(photo: Renders, label: int) -> list[int]:
    """The renders of a photograph, lit and turned as it is, that show an emotion's prototype."""
    return [s for s in photo.still if s > 0 and label_of(photo.units[s]) == label]


def _records(name: str, setting: Setting) -> list[tuple[Record, Path]]:
    """The people of the split in a data set, each record with the folder it counts from."""
    root = setting.photographs / name
    if not root.is_dir():
        raise DataError(
            f"no {DATASETS[name].title} in {root}: {DATASETS[name].obtain}, or leave this "
            "protocol out with --protocol"
        )
    found = [(r, root) for r in DATASETS[name].records(root) if r.split == setting.split]
    if not found:
        raise DataError(f"{root} has nobody of split {setting.split}")
    return found


def _aligned(record: Record, root: Path, size: int) -> Faces[Tensor] | None:
    """A photograph's face by hand-checked points, else as mien finds it; None where there is
    none.
    """
    pixels = images.read(root / record.file_name).pixels
    if record.landmarks is not None:
        face = Face((0.0, 0.0, 0.0, 0.0), 1.0, record.landmarks)
    else:
        try:
            (face,) = choose(detect(pixels), "largest")
        except FaceNotFound:
            return None
    return tensors.faces(Faces.stack([align(pixels, face, size)]))


def _together(faces: Sequence[Faces[Tensor]]) -> Faces[Tensor]:
    return Faces(torch.cat([f.pixels for f in faces]), torch.cat([f.landmarks for f in faces]))
