r"""From what does a critic tell invented people's smiles: which part, which detail, whose doing?

    mien people --from LONDON --count 32 -e neutral,happy --size 512 --seed 1 --whole -o PAGE
    mien bench people-smiles --people PAGE --photographs LONDON \
        --perceptual lite0.safetensors -o benchmarks/results/people_smiles.json

The critic is that of `mien bench people`: fresh, asked about people whom it did not see, by faces
of 320 px coded as JPEG of quality 90, the mark on both sides, as many of each gender and ethnicity.
It is asked to tell photographs of smiles, of as many people as were invented, from other pictures;
`right` is the share that it tells right, of which half is chance:

- `invented, by label`: what `mien people` wrote for `happy`;
- `invented, by reference`: the same people's portraits, given the smile of the person whose hair
  and clothes they have (held out with them). They carry the portrait's mark too, moved along;
- `drawn, by label` and `drawn, by reference`: photographs at rest of the same people of the set,
  given `happy`, and given the person's own photographed smile: nobody is mixed, so what it sees is
  the drawing's doing; by reference how much is smiled is the photographs' too;
- `photographs at rest`: of the same people; where nothing moves in a smile, what it sees is that
  the set's smiles were photographed at another time.

`parts`: of three of these, the faces with one part hidden by grey, with nothing but that part, and
with detail taken away (blurred by a Gaussian, px of the crop). Parts lie at the same place in all
pictures; `cheeks` are what lies beside nose and mouth, `neutral` is brow, chin, hair and the wall.
`beside the photographs` are medians, of pictures over photographs: sharpness of each part (mean
absolute Laplacian over mean brightness), the mouth's width, the lips' gap over that width.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer

import mien
from mien import images
from mien.bench.answers import conditions, write
from mien.bench.edits.mouths import LUMA, opening
from mien.bench.options import Keep, Lite0, Out, Work
from mien.bench.people.people import SIDE, Group, Looking, Notes, Shown, group_of, judged, notes_of
from mien.data import SPLITS
from mien.data.adapters import DATASETS
from mien.editor import Editor
from mien.errors import DataError, FaceNotFound, FaceUndrawable
from mien.faces.align import align
from mien.faces.detect import choose, detect, face_of
from mien.files import replacing
from mien.guides import Label
from mien.images import Photo
from mien.judges import perceptual
from mien.metrics.scorecard import code_digest
from mien.people.mixing import portrait
from mien.people.sources import pool
from mien.provenance import mark
from mien.types import Float, UInt8

SMILES = "photographs"
PARTED = ("invented, by label", "drawn, by reference", "photographs at rest")
"""What all are compared with, and of which of them parts are hidden."""
SOFT, BLURS = 4.0, (1.5, 4.0)
"""Softness of a part's edge, and blurs, px of the crop (standard deviations)."""
GREY, WHOLE = 128.0, "face"


@dataclass(frozen=True)
class Smile:
    """A face of 320 px with its points (68, 2), of which group, of whom."""

    crop: UInt8
    points: Float
    group: Group
    person: str


def smile(pixels: UInt8, group: Group, person: str) -> Smile:
    """The largest face of a picture; FaceNotFound without one."""
    (face,) = choose(detect(pixels), "largest")
    crop = align(pixels, face, SIDE)
    return Smile(crop.pixels, crop.landmarks, group, person)


def marked(pixels: UInt8) -> UInt8:
    """With the mark on the whole face, as invented people carry it."""
    return mark.embed(pixels, 255 - pixels, list(choose(detect(pixels), "largest")))


@dataclass(frozen=True)
class Sitter:
    """Somebody of the set, at rest and smiling, at the invented pictures' size."""

    neutral: UInt8
    smile: UInt8
    group: Group


def sitters(folder: Path, size: int) -> dict[str, Sitter]:
    """Everybody who is photographed in both, by person."""
    groups = {p.person: group_of(p) for s in SPLITS for p in pool([str(folder)], s)}
    shots: dict[str, dict[str, UInt8]] = defaultdict(dict)
    for record in DATASETS["london"].records(folder):
        if record.person in groups and record.emotion in ("neutral", "happy"):
            pixels = images.read(folder / record.file_name).pixels
            try:
                shown = portrait(pixels, face_of(pixels, record.landmarks), size)
            except FaceNotFound as error:
                print(record.file_name, error)
                continue
            shots[record.person][str(record.emotion)] = shown
    return {
        who: Sitter(both["neutral"], both["happy"], groups[who])
        for who, both in shots.items()
        if len(both) == 2
    }


def like(people: Mapping[str, Sitter], wanted: Counter[Group], seed: int = 0) -> list[str]:
    """So many people of each group, drawn at random, while there are any."""
    left, found = Counter(wanted), []
    names = sorted(people)
    for i in np.random.default_rng(seed).permutation(len(names)):
        name = names[int(i)]
        if left[people[name].group] > 0:
            left[people[name].group] -= 1
            found.append(name)
    return sorted(found)


@dataclass(frozen=True)
class Faces:
    """Faces as the critic sees them; kept in a folder, if there is one, by what they are made of
    and by the code that draws them."""

    editor: Editor
    work: Path | None
    code: str

    def of(
        self, pixels: UInt8, group: Group, person: str, ask: str = "", other: UInt8 | None = None
    ) -> Smile:
        """The largest face of a picture: as it is, `marked`, drawn with the label `happy`, or
        with what another picture shows. FaceNotFound, FaceUndrawable."""
        parts = (self.code, ask, pixels.tobytes(), b"" if other is None else other.tobytes())
        whole = b"\0".join(p.encode() if isinstance(p, str) else p for p in parts)
        path = self.work and self.work / f"face-{hashlib.sha256(whole).hexdigest()[:24]}.npz"
        if path and path.is_file():
            with np.load(path, allow_pickle=False) as kept:
                return Smile(kept["crop"], kept["points"], group, person)
        if ask == "label":
            pixels = self.editor.edit(Photo(pixels), Label("happy")).pixels
        elif other is not None:
            pixels = self.editor.edit(Photo(pixels), self.editor.reference(Photo(other))).pixels
        found = smile(marked(pixels) if ask else pixels, group, person)
        if path:
            with replacing(path) as part, part.open("wb") as file:
                np.savez(file, allow_pickle=False, crop=found.crop, points=found.points)
        return found


def compared(
    notes: Notes, people: Mapping[str, Sitter], faces: Faces
) -> Iterator[tuple[str, Smile]]:
    """Every picture with the name of its row; what cannot be drawn is said."""
    asked: list[tuple[str, Callable[[], Smile]]] = []
    made = [(_of(note, "happy"), _of(note, "neutral"), _group(note), _frame(note))
            for note in notes if note["pictures"]]  # fmt: skip
    for happy, neutral, group, who in made:
        asked.append((PARTED[0], partial(faces.of, happy, group, who)))
        if who in people:
            shown = people[who].smile
            asked.append(("invented, by reference",
                          partial(faces.of, neutral, group, who, "reference", shown)))  # fmt: skip
    for who in like(people, Counter(group for *_, group, _ in made)):
        one = people[who]
        asked += [
            (SMILES, partial(faces.of, one.smile, one.group, who, "marked")),
            ("drawn, by label", partial(faces.of, one.neutral, one.group, who, "label")),
            (PARTED[1], partial(faces.of, one.neutral, one.group, who, "reference", one.smile)),
            (PARTED[2], partial(faces.of, one.neutral, one.group, who, "marked")),
        ]
    for row, make in asked:
        try:
            yield row, make()
        except (FaceNotFound, FaceUndrawable) as error:
            print(row, error)


def _of(note: Mapping[str, Any], emotion: str) -> UInt8:
    for row in note["pictures"]:
        if row["asked"] == emotion and row["intensity"] == 1:
            return images.read(Path(note["folder"]) / row["file"]).pixels
    raise DataError(
        f"{note['folder']} has no picture of {emotion}: make people with -e neutral,happy"
    )


def _group(note: Mapping[str, Any]) -> Group:
    return tuple(note["group"].values())


def _frame(note: Mapping[str, Any]) -> str:
    return str(note["skin"][note["recipe"]["frame"]])


def parts(points: Float) -> dict[str, Float]:
    """Where parts lie in all crops whose points (N, 68, 2) are given: masks (SIDE, SIDE) in [0, 1],
    which add up to 1."""

    def box(*marks: slice, room: float = 6) -> tuple[int, int, int, int]:
        some = np.concatenate([points[:, m] for m in marks], 1).reshape(-1, 2)
        low, high = np.percentile(some, 2, 0) - room, np.percentile(some, 98, 0) + room
        return (*np.floor(low).astype(int).tolist(), *np.ceil(high).astype(int).tolist())

    def filled(left: int, top: int, right: int, bottom: int) -> Float:
        out = np.zeros((SIDE, SIDE), np.float32)
        out[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)] = 1
        return np.asarray(cv2.GaussianBlur(out, (0, 0), SOFT), np.float32)

    mouth, eyes, face = (
        box(slice(48, 68)), box(slice(17, 27), slice(36, 48)), box(slice(2, 15), room=0)
    )  # fmt: skip
    found = {"mouth": filled(*mouth)}
    found["eyes"] = filled(*eyes) * (1 - found["mouth"])
    middle = filled(face[0], eyes[3], face[2], mouth[3])
    found["cheeks"] = middle * (1 - found["mouth"]) * (1 - found["eyes"])
    found["rest"] = 1 - np.sum(list(found.values()), axis=0)
    return found


def looks(places: Mapping[str, Float]) -> dict[str, Callable[[UInt8], UInt8]]:
    """What is done to a crop before the critic sees it."""

    def only(mask: Float) -> Callable[[UInt8], UInt8]:
        shown = mask[..., None]
        return lambda crop: np.rint(crop * shown + GREY * (1 - shown)).astype(np.uint8)

    def blurred(sigma: float) -> Callable[[UInt8], UInt8]:
        return lambda crop: np.asarray(cv2.GaussianBlur(crop, (0, 0), sigma), np.uint8)

    out: dict[str, Callable[[UInt8], UInt8]] = {WHOLE: lambda crop: crop}
    for name, mask in places.items():
        out[f"without {name}"], out[f"{name} alone"] = only(1 - mask), only(mask)
    return out | {f"blurred by {s:g}": blurred(s) for s in BLURS}


def features(net: Looking, some: Sequence[Smile], shown: Callable[[UInt8], UInt8]) -> Shown:
    """What the critic sees of faces."""
    found = np.stack([net.of(shown(s.crop)) for s in some])
    return Shown({"face": found}, [s.group for s in some], [s.person for s in some])


def beside(some: Sequence[Smile], real: Sequence[Smile], places: Mapping[str, Float]) -> Any:
    """Medians of pictures over those of photographs."""

    def measured(one: Smile) -> dict[str, float]:
        light = one.crop @ LUMA
        edges = np.abs(cv2.Laplacian(light, cv2.CV_64F))
        sharp = {f"sharpness, {k}": float((edges * m).sum() / (light * m).sum())
                 for k, m in places.items()}  # fmt: skip
        corners = one.points[54] - one.points[48]
        return sharp | {"mouth's width": float(np.linalg.norm(corners)),
                        "lips' gap over the width": opening(one.points)}  # fmt: skip

    rows, others = ([measured(s) for s in shown] for shown in (some, real))
    found = {}
    for key in rows[0]:
        here, there = (float(np.median([row[key] for row in side])) for side in (rows, others))
        found[key] = [round(here, 3), round(there, 3)] if "gap" in key else round(here / there, 3)
    return found


def command(
    people: Annotated[
        list[Path], typer.Option(help="Folder of `mien people -e neutral,happy`; may be repeated.")
    ],
    london: Annotated[Path, typer.Option("--photographs", help="The London Set.")],
    out: Out,
    lite0: Lite0 = None,
    work: Work = None,
    keep: Keep = None,
) -> None:
    """Measure, and write the answer."""
    if lite0 is None:
        raise DataError("measuring needs --perceptual")
    torch.set_num_threads(1)
    notes, net = notes_of(people), Looking(perceptual.load(lite0), work)
    size = len(_of(next(n for n in notes if n["pictures"]), "neutral"))
    faces = Faces(Editor(mien.load()), work, code_digest() if work else "")
    rows: dict[str, list[Smile]] = defaultdict(list)
    for row, one in compared(notes, sitters(london, size), faces):
        rows[row].append(one)
    if keep:
        for row, some in rows.items():
            images.write(keep / f"{row.replace(',', '').replace(' ', '_')}.png",
                         np.hstack([s.crop for s in some[:8]]), metadata={})  # fmt: skip
    real = rows.pop(SMILES)
    every = [s.points for some in (real, *rows.values()) for s in some]
    places = parts(np.stack(every))
    looked, seen = looks(places), dict[str, Shown]()

    def right(row: str, look: str) -> dict[str, Any]:
        if look not in seen:
            seen[look] = features(net, real, looked[look])
        return judged(features(net, rows[row], looked[look]), seen[look], "face")

    found: dict[str, Any] = {
        **conditions(), "size": size, "smiles photographed": len(real),
        "right": {row: right(row, WHOLE) for row in rows},
        "parts": {row: {look: right(row, look) for look in looked if look != WHOLE}
                  for row in PARTED},
        "beside the photographs": {row: beside(some, real, places) for row, some in rows.items()},
    }  # fmt: skip
    write(out, found)
