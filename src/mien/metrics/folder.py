"""The protocols of anybody's folder: what its manifest knows decides which of them run.

- `pairs`: somebody photographed twice. One picture is given the expression of the other, by
  reference, and by label where the other's emotion is known; the truth is that photograph.
- `labels`: every person's picture in all eight expressions; nobody knows what it should look like.
- `control`: people whose picture at rest is known, each emotion at four intensities: what counts
  is how the judges' readings follow.
- `units`: pictures whose action units people coded. Another picture of the person is given the
  coded units; the truth is the coded photograph, and what judges read is held against the codes.
- `speech`: frames of a film. A shut mouth is given the opening of another frame, an open one is
  shut, open eyes are given the closed lids; the real frame is the truth. And a shut mouth is given
  another speaker's opening, without a truth.

Every face has its own size, between `LEAST` and `MOST` px. Whom weights that ship were trained on
is left out unless a split is named; strangers of the user's own are all taken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien import facs, images
from mien.data.adapters import DATASETS, records_in
from mien.data.manifest import Record
from mien.data.row import UNSAID
from mien.errors import ConfigError, DataError, FaceNotFound, ImageError
from mien.faces.align import align, side_of
from mien.faces.detect import face_of
from mien.guides import Label, Reference
from mien.metrics import speech as talk
from mien.metrics.protocols import CONTROLLED, Protocol, Setting, rising
from mien.metrics.trials import Section, Trial, Units
from mien.nn import tensors
from mien.types import Face, Faces

LEAST, MOST, STEP = 128, 512, 16
"""Sides of crops, px, and what a side is a multiple of."""
CLIPS_EACH = 3
"""Clips of one speaker, at most: forty of one would say little of others."""
ALL = "all"
"""The split that leaves nobody out."""
PHOTOGRAPH = "the photograph"


@dataclass
class Folder:
    """Photographs of people, and what is known of them."""

    place: Path
    records: Sequence[Record]
    setting: Setting
    without_face: list[str] = field(default_factory=list)
    _faces: dict[str, Face | None] = field(default_factory=dict)

    @classmethod
    def read(cls, setting: Setting) -> Folder:
        """The folder of a setting; DataError says what it lacks."""
        place = setting.folder
        if place is None or not place.is_dir():
            raise DataError(f"no folder {place}: name one with photographs by --data")
        if talk.is_spoken(place):
            return cls(place, (), setting)
        records = records_in(place) or _strangers(place)
        if not records:
            raise DataError(f"no photographs in {place}")
        kept = [r for r in records if _measured(r, setting.split)]
        if not kept:
            raise DataError(f"{place} has nobody of split {setting.split}")
        return cls(place, kept, setting)

    @cached_property
    def people(self) -> dict[str, list[Record]]:
        """Everybody's pictures, of as many people as the setting allows."""
        found: dict[str, list[Record]] = {}
        for record in self.records:
            found.setdefault(record.person, []).append(record)
        return {who: found[who] for who in self.setting.chosen(list(found), len(found))}

    @property
    def kinds(self) -> list[str]:
        """The protocols that can run."""
        if talk.is_spoken(self.place):
            return ["speech"]
        has = {
            "pairs": any(len(r) > 1 for r in self.people.values()),
            "labels": True,
            "control": any(r.emotion == "neutral" for r in self.records),
            "units": any(r.units is not None for r in self.records),
        }
        return [name for name, there in has.items() if there]

    def face(self, record: Record, side: int | None = None) -> Faces[Tensor] | None:
        """A picture's face at its own side, or at the one named; None, and reported in
        `without_face`, where there is none."""
        name = record.file_name
        face = pixels = None
        if self._faces.get(name, True):  # photographs are read again: memory is for their crops
            try:
                pixels = images.read(self.place / name).pixels
                face = self._faces.get(name) or face_of(pixels, record.landmarks)
            except (FaceNotFound, ImageError):
                pass
            self._faces[name] = face
        if face is None or pixels is None:
            if name not in self.without_face:
                self.without_face.append(name)
            return None
        return tensors.faces(Faces.stack([align(pixels, face, side or own_side(face))]))


def _strangers(place: Path) -> list[Record]:
    """The pictures of a folder of which nothing is known, each of somebody else."""
    names = sorted(p.name for p in place.iterdir() if images.of_name(p) is not None)
    return [
        Record(name, Path(name).stem, None, None, None, UNSAID, UNSAID, "test") for name in names
    ]


def own_side(face: Face) -> int:
    """The side, px, of a face's crop at the photograph's own scale, within bounds."""
    return int(np.clip(STEP * round(side_of(face) / STEP), LEAST, MOST))


def _measured(record: Record, split: str) -> bool:
    if split == ALL:
        return True
    shipped = record.person.partition("/")[0] in DATASETS
    return record.split == split or (split == "test" and not shipped)


def pairs(folder: Folder) -> list[Section]:
    """From rest to every other expression of a person and back; of somebody without a picture at
    rest, or without labels, each picture to the next."""
    trials: dict[str, list[Trial]] = {}
    for who, records in folder.people.items():
        for one, other in _pairs(records):
            source = folder.face(one)
            truth = None if source is None else folder.face(other, source.pixels.shape[-1])
            if source is None or truth is None:
                continue
            way = f"{one.emotion or 'one'} to {other.emotion or 'another'}"
            named = None if other.emotion is None else (facs.EMOTIONS.index(other.emotion),)
            for by in ("reference", "label"):
                if by == "label" and other.emotion is None:
                    continue
                ask = Reference(truth) if by == "reference" else Label(other.emotion or "")
                trials.setdefault(f"{way}, by {by}", []).append(
                    Trial(
                        source, (who,), (other.emotion or "another",), ask, truth=truth,
                        emotions=named,
                    )
                )  # fmt: skip
    return _sections(trials)


def _pairs(records: Sequence[Record]) -> Iterator[tuple[Record, Record]]:
    neutral = next((r for r in records if r.emotion == "neutral" or r.moment == "onset"), None)
    if neutral is None or not any(r.emotion not in (None, "neutral") for r in records):
        ordered = sorted(records, key=lambda r: r.file_name)
        yield from pairwise(ordered)
        return
    shown: dict[str, Record] = {}
    for record in records:
        if record.emotion in (None, "neutral") or record.moment == "onset":
            continue
        if record.moment == "peak" or record.emotion not in shown:
            shown[str(record.emotion)] = record
    for other in shown.values():
        yield neutral, other
        yield other, neutral


def labels(folder: Folder) -> list[Section]:
    """Everybody's first picture, that at rest if there is one, in all eight expressions."""
    trials = []
    for who, records in folder.people.items():
        first = next((r for r in records if r.emotion == "neutral"), records[0])
        face = folder.face(first)
        if face is None:
            continue
        trials += [
            Trial(
                face, (who,), (name,), Label(name), emotions=(number,),
                units=torch.from_numpy(facs.prototype(name))[None],
            )
            for number, name in enumerate(facs.EMOTIONS)
        ]  # fmt: skip
    return _sections({"eight labels": trials})


def control(folder: Folder) -> list[Section]:
    """Everybody whose picture at rest is known in seven emotions at four intensities."""
    groups = [(face, (who,)) for who, face in _neutral_faces(folder, CONTROLLED)]
    ways = {name: facs.prototype(name) for name in facs.EMOTIONS[1:]}
    every = rising(groups, ways, by_label=True)
    return [Section("emotions at 4 intensities", every, intensity=True)] if every else []


def _neutral_faces(folder: Folder, most: int) -> Iterator[tuple[str, Faces[Tensor]]]:
    """At most so many people, each with the face at rest."""
    shown = {
        who: next((r for r in records if r.emotion == "neutral"), None)
        for who, records in folder.people.items()
    }
    known = [who for who, record in shown.items() if record is not None]
    for who in folder.setting.chosen(known, most):
        record = shown[who]
        face = None if record is None else folder.face(record)
        if face is not None:
            yield who, face


def shut_eyes(folder: Folder) -> list[Section]:
    """Everybody whose picture at rest is known, asked to shut both eyes by AU43; what judges are
    tried on, since few photographs show somebody with shut eyes."""
    asked = torch.from_numpy(facs.vector({"AU43": 1.0}))[None]
    trials = [
        Trial(face, (who,), ("AU43",), Units(asked), units=asked)
        for who, face in _neutral_faces(folder, len(folder.people))
    ]
    return [Section("open eyes to shut, by unit", trials, parts=True)] if trials else []


def units(folder: Folder) -> list[Section]:
    """Each coded picture from the person's weakest other one, asked for by the codes: units that
    nobody coded stay as they are."""
    trials: list[Trial] = []
    for who, records in folder.people.items():
        coded = [r for r in records if r.units is not None]
        others = sorted(records, key=_strength)
        for record in coded:
            other = next((r for r in others if r is not record), None)
            source = None if other is None else folder.face(other)
            truth = None if source is None else folder.face(record, source.pixels.shape[-1])
            if source is None or truth is None or record.units is None:
                continue
            codes = torch.from_numpy(record.units)[None]
            asked = Units(codes.nan_to_num(0.0))
            trials.append(Trial(source, (who,), ("coded",), asked, truth=truth, coded=codes))
    return _sections({"coded units": trials})


def _strength(record: Record) -> float:
    if record.units is None:
        return 0.0 if record.emotion == "neutral" else 0.5
    return float(np.nansum(record.units))


def speech(folder: Folder) -> list[Section]:
    """Frames of the clips of a spoken corpus, in its own layout (`mien.metrics.speech`)."""
    trials: dict[str, list[Trial]] = {}
    clips = talk.clips(folder.place)
    limit = folder.setting.limit
    speakers = list(dict.fromkeys(clip.speaker for clip in clips))[:limit]
    each = {who: [c for c in clips if c.speaker == who][:CLIPS_EACH] for who in speakers}
    for clip in (clip for some in each.values() for clip in some):
        for what, (before, after) in clip.pairs.items():
            source = _of_frame(clip, before, None)
            truth = None if source is None else _of_frame(clip, after, source.pixels.shape[-1])
            if source is None or truth is None:
                folder.without_face.append(f"{clip.name}, frames {before} and {after}")
                continue
            trials.setdefault(f"{what}, by reference", []).append(
                Trial(source, (clip.speaker,), (what,), Reference(truth), truth=truth)
            )
    if len(speakers) > 1:
        shown = trials.get(f"{talk.OPENING}, by reference", [])
        trials[f"another speaker's {talk.OPENING}, by reference"] = _exchanged(shown, speakers)
    return _sections(trials)


def _exchanged(shown: Sequence[Trial], speakers: Sequence[str]) -> list[Trial]:
    """Each speaker's first source, asked for what the next one's truth shows: nobody knows how it
    should look, but the landmarker reads the same of both."""
    first = {trial.people[0]: trial for trial in reversed(shown)}
    known = [who for who in speakers if who in first]
    out = []
    for who, other in zip(known, known[1:] + known[:1], strict=True):
        mine, theirs = first[who], first[other].truth
        if who != other and theirs is not None:
            ask = Reference(theirs)
            out.append(Trial(mine.source, (who,), ("another's",), ask, reference=theirs))
    return out


def _of_frame(clip: talk.Clip, number: int, side: int | None) -> Faces[Tensor] | None:
    pixels = clip.frame(number)
    try:
        face = face_of(pixels, None)
    except FaceNotFound:
        return None
    return tensors.faces(Faces.stack([align(pixels, face, side or own_side(face))]))


def _sections(trials: Mapping[str, list[Trial]]) -> list[Section]:
    return [
        Section(
            name, every, parts=True,
            answer=PHOTOGRAPH if every[0].truth is not None else None,
        )
        for name, every in trials.items()
        if every
    ]  # fmt: skip


KINDS: dict[str, Callable[[Folder], list[Section]]] = {
    "pairs": pairs, "labels": labels, "control": control, "units": units, "speech": speech,
}  # fmt: skip


def for_judges(folder: Folder) -> list[Section]:
    """What judges are tried on: what is asked in one way and answered by a photograph (pairs by
    reference, speech, units), and eyes to shut. DataError where no photograph answers."""
    kinds = [kind for kind in folder.kinds if kind not in ("labels", "control")]
    every = [section for kind in kinds for section in KINDS[kind](folder)]
    found = [s for s in every if s.answer and not s.name.endswith("by label")]
    if not found:
        raise DataError(
            f"{folder.place} shows nobody twice: a right answer is a photograph of the same person"
        )
    return found + shut_eyes(folder)


def protocols(
    folders: Sequence[Folder], names: Sequence[str]
) -> dict[str, Callable[[Setting], Protocol]]:
    """The named protocols of each folder, all that can run if none is named, as `scorecard.score`
    takes them; of several folders each with its folder's name before it. ConfigError for one that
    no folder's manifest allows, and for two folders of one name."""
    there = list(dict.fromkeys(kind for folder in folders for kind in folder.kinds))
    for name in names:
        if name not in there:
            places = ", ".join(str(folder.place) for folder in folders)
            raise ConfigError(
                f"{places} has nothing for protocol {name!r}: choose from {', '.join(there)}"
            )
    titles = names_of(folders)
    return {
        kind if len(folders) == 1 else f"{title}: {kind}": _protocol(folder, kind)
        for title, folder in zip(titles, folders, strict=True)
        for kind in folder.kinds
        if not names or kind in names
    }


def names_of(folders: Sequence[Folder]) -> list[str]:
    """What distinguishes folders in titles; ConfigError for two of one name."""
    names = [folder.place.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        raise ConfigError(
            f"two folders of one name ({', '.join(names)}): name each once, or rename one"
        )
    return names


def _protocol(folder: Folder, kind: str) -> Callable[[Setting], Protocol]:
    def found(_: Setting) -> Protocol:
        folder.without_face.clear()
        sections = KINDS[kind](folder)
        return Protocol(sections, tuple(folder.without_face))

    return found
