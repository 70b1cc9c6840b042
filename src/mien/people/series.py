"""A series of stimuli: people x expressions x intensities x sides x repetitions, and its table.

A row of the plan is a factor level: it may list several intensities and sides, and how many frames
of a rising expression. A repetition of a face model's picture is the same picture; repetitions are
rows of the table, for the order of presentation, not files.
"""

from __future__ import annotations

import csv
import hashlib
import io
import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien import facs, images
from mien.editor import Editor
from mien.errors import AssetMissing, DataError, GuideError, MienError
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.files import write_text
from mien.images import Photo
from mien.jobs import Engine, Local, Lost
from mien.methods.registry import torch_is_here
from mien.people import stimuli
from mien.people.asks import COLUMNS, Ask, of_row, table
from mien.people.background import behind
from mien.people.camera import noisy
from mien.people.folder import kept, make, settle
from mien.people.stimuli import Level
from mien.provenance import mark
from mien.types import Face, Faces, Float, UInt8

if TYPE_CHECKING:
    from mien.judges.identity import Descriptor
    from mien.people.crowd import Judge

PLAN = (*COLUMNS, "person", "frames", "repetitions")
"""Columns of a plan: those of asks, where `intensity` and `side` may list several with spaces
between; which people (file names without ending; empty: all); frames of a rise; repetitions."""
TABLE = "series.csv"
SAME = 0.6
"""Identity distance under which dlib's descriptor takes two pictures for one person."""
OFF = 1.0
"""Distance, px, of the eyes from their place that still passes."""
LIMIT = 500
"""Most frames and most repetitions of a row."""


@dataclass(frozen=True)
class Cell:
    """One picture to be made: a row's ask for its people, and frame `frame` of `frames`."""

    ask: Ask
    people: tuple[str, ...]
    side: str
    frame: int = 1
    frames: int = 1
    repetitions: int = 1

    @property
    def strength(self) -> float:
        """The intensity of the frame: a straight rise to the row's."""
        return self.ask.intensity * self.frame / self.frames


@dataclass(frozen=True)
class Look:
    """How the pictures are made alike: side px, with an oval, and at which level (None: as is)."""

    size: int
    oval: bool
    level: Level | None


@dataclass(frozen=True)
class Sitter:
    """A person of the series: the placed picture, the face in it, who they are to the judge."""

    name: str
    pixels: UInt8
    face: Face
    who: Float | None


def read_plan(path: Path) -> tuple[list[Cell], list[str]]:
    """The cells of a plan, and a line for each row that cannot be read.

    Raises:
        DataError: it cannot be read, has unknown columns, or no row that can.
    """
    cells: list[Cell] = []
    faults: list[str] = []
    for number, row in table(path, PLAN):
        try:
            found = list(_cells(row))
            double = _double(found, cells)
            if double:
                raise GuideError(f"{double} is asked for by a row above: give it a name")
        except MienError as error:
            faults.append(f"{path}, line {number}: {error}")
            continue
        cells += found
    if not cells:
        raise DataError(faults[0] if faults else f"{path} has no rows")
    return cells, faults


def sitters(photos: Sequence[Path], size: int, who: Judge | None) -> tuple[list[Sitter], list[str]]:
    """The people of the photographs, eyes in place, by file name (a folder's name before it, where
    names repeat), and a line for each that cannot be used."""
    stems = [p.stem for p in photos]
    found, faults = [], []
    for photo in photos:
        name = photo.stem if stems.count(photo.stem) == 1 else f"{photo.parent.name}-{photo.stem}"
        try:
            pixels = images.read(photo).pixels
            (face,) = choose(detect(pixels), "largest")
            shown, here = stimuli.placed(pixels, face, size)
        except MienError as error:
            faults.append(f"{photo}: {error}")
            continue
        found.append(Sitter(name, shown, here, _who(who, shown, here)))
    if not found:
        raise DataError(faults[0] if faults else "there are no photographs")
    return found, faults


def judge() -> tuple[Descriptor | None, str | None]:
    """Who tells people apart, and a line that says what stays empty where that is not installed."""
    if not torch_is_here():
        return None, "the judges' columns stay empty: pip install 'mien[score]'"
    from mien.judges.identity import descriptor

    try:
        return descriptor(), None
    except AssetMissing as error:
        return None, f"the column identity stays empty: {error}"


def common_level(people: Sequence[Sitter], oval: bool) -> Level:
    """The mean level of the people as they are."""
    found = [stimuli.level(s.pixels, _where(s.face, len(s.pixels), oval)) for s in people]
    return Level(
        float(np.mean([f.luminance for f in found])), float(np.mean([f.contrast for f in found]))
    )


@dataclass(frozen=True)
class Showing:
    """Pictures of a series as jobs: each a person and a cell, made into a row of the table, or the
    reason why it cannot be."""

    editor: Editor
    look: Look
    out: Path
    who: Judge | None

    def open(self) -> Callable[[tuple[Sitter, Cell]], dict[str, Any] | str]:
        """The function that makes one picture, or finds it made."""
        return self._picture

    def _picture(self, job: tuple[Sitter, Cell]) -> dict[str, Any] | str:
        sitter, cell = job
        try:
            return _kept(self.out, sitter, cell) or _made(
                self.editor, sitter, cell, self.look, self.out, self.who
            )
        except MienError as error:
            return str(error)


def write(
    editor: Editor, people: Sequence[Sitter], cells: Sequence[Cell], look: Look, out: Path,
    who: Judge | None, progress: Callable[[int], None] = lambda _: None,
    engine: Engine = Local(),  # noqa: B008
) -> tuple[list[dict[str, Any]], list[str]]:  # fmt: skip
    """Make every picture of the design into `out`, and the table; pictures that are there are kept.
    Returns the table's rows, and a line for each cell that could not be made. The bytes are the
    same on any engine.

    Raises:
        DataError: the folder holds another series, or cannot be written, or a person of the plan is
            not among `people`.
    """
    names = {s.name for s in people}
    for cell in cells:
        for name in cell.people:
            if name not in names:
                raise DataError(f"nobody is called {name!r}: there are {', '.join(sorted(names))}")
    shown = {s.name: hashlib.sha256(s.pixels.tobytes()).hexdigest() for s in people}
    by = {"weights": editor.weights, "method": editor.method.name}
    settle(out, {**by, "people": shown, **asdict(look)}, "a series of other people or settings")
    jobs = [(s, c) for s in people for c in cells if not c.people or s.name in c.people]
    rows, faults = [], []
    found = engine.map(Showing(editor, look, out, who), jobs)
    for done, ((sitter, cell), facts) in enumerate(zip(jobs, found, strict=True), 1):
        progress(done)
        if isinstance(facts, dict):
            rows += [{**facts, "repetition": n} for n in range(1, cell.repetitions + 1)]
        else:
            reason = facts.reason if isinstance(facts, Lost) else facts
            faults.append(f"{sitter.name}, {_stem(cell)}: {reason}")
    write_text(out / TABLE, _csv(rows))
    return rows, faults


def _cells(row: Mapping[str, str]) -> Iterator[Cell]:
    people = tuple((row.get("person") or "").replace(",", " ").split())
    frames, repetitions = (_count(row.get(key), key) for key in ("frames", "repetitions"))
    strengths = (row.get("intensity") or "1").replace(",", " ").split()
    sides = (row.get("side") or "both").replace(",", " ").split()
    for strength, side in itertools.product(strengths, sides):
        name = row.get("name") or ""
        if name and len(sides) > 1:
            name += f"-{side}"
        if name and len(strengths) > 1:
            name += f"-{strength}"
        ask = of_row({**row, "name": name, "intensity": strength, "side": side})
        for frame in range(1, frames + 1):
            yield Cell(ask, people, side, frame, frames, repetitions)


def _count(text: str | None, what: str) -> int:
    if not (text or "").strip():
        return 1
    if not text or not text.strip().isdecimal() or not 1 <= int(text) <= LIMIT:
        raise GuideError(f"{what} is {text!r}: give a whole number from 1 to {LIMIT}")
    return int(text)


def _stem(cell: Cell) -> str:
    return cell.ask.name + (f"-{cell.frame:03d}" if cell.frames > 1 else "")


def _double(cells: Sequence[Cell], others: Sequence[Cell]) -> str | None:
    """The name of a picture that both would make of one person; None if there is none."""
    taken: dict[str, list[tuple[str, ...]]] = {}
    for cell in others:
        taken.setdefault(_stem(cell), []).append(cell.people)
    for cell in cells:
        for people in taken.get(_stem(cell), ()):
            if not people or not cell.people or {*people} & {*cell.people}:
                return _stem(cell)
    return None


def _made(
    editor: Editor, sitter: Sitter, cell: Cell, look: Look, out: Path, who: Judge | None
) -> dict[str, Any]:
    """One picture, written; its row of the table."""
    edited = sitter.pixels
    if cell.ask.guide is not None and cell.strength:
        edited = editor.edit(Photo(sitter.pixels), cell.ask.guide, cell.strength).pixels
    if cell.ask.background is not None:
        edited = behind(edited, cell.ask.background)
    if cell.ask.noise:
        seed = hashlib.sha256(_file(sitter, cell).encode()).digest()
        edited = noisy(edited, cell.ask.noise, np.random.default_rng(list(seed)))
    (face,) = choose(detect(edited), "largest")
    where = _where(sitter.face, look.size, look.oval)
    shown = edited if look.level is None else stimuli.equated(edited, where, look.level)
    file = _file(sitter, cell)
    facts = _facts(editor, sitter, cell, edited, face, who)
    marked = shown
    if cell.ask.guide is not None and cell.strength:  # else nothing was made up
        marked = mark.embed(shown, 255 - shown, [face])
    if look.level is not None:
        marked = stimuli.equated(marked, where, look.level)
    if look.oval:
        marked = stimuli.masked(marked, stimuli.shape(None, look.size))
    now = stimuli.level(marked, where)
    facts |= {"luminance": round(now.luminance, 2), "contrast": round(now.contrast, 2)}
    facts["checks"] = _checks(facts, look) or "passed"
    about = editor.metadata(facts["asked"], f"{cell.strength:g}", 1)
    make((out / file).parent)
    images.write(out / file, marked, metadata=about)
    write_text((out / file).with_suffix(".json"), json.dumps(facts, indent=1) + "\n")
    return facts


def _facts(
    editor: Editor, sitter: Sitter, cell: Cell, edited: UInt8, face: Face, who: Judge | None
) -> dict[str, Any]:
    off = np.abs(stimuli.eyes_of(sitter.face) - stimuli.places(len(edited))).max()
    seen = _who(who, edited, face)
    distance = None
    if seen is not None and sitter.who is not None:
        distance = round(float(np.linalg.norm(seen - sitter.who)), 3)
    return {
        "file": _file(sitter, cell), "person": sitter.name, "name": cell.ask.name,
        **_asked(cell), "side": cell.side, "frame": cell.frame, "frames": cell.frames,
        "label": cell.ask.emotion or "", **_read(editor, edited, face),
        "identity": distance, "eyes_off": round(float(off), 3),
    }  # fmt: skip


def _asked(cell: Cell) -> dict[str, Any]:
    """What makes the picture of a person: another one is made where any of it differs."""
    guide = cell.ask.guide
    return {
        "asked": "neutral" if guide is None else guide.describe(),
        "intensity": round(cell.strength, 4), "noise": cell.ask.noise,
        "background": dict(cell.ask.row).get("background", ""),
    }  # fmt: skip


def _read(editor: Editor, pixels: UInt8, face: Face) -> dict[str, Any]:
    """What three readers see: both judges that ship, where torch is installed, and the face model's
    own fit, by the label whose units are nearest."""
    found = _judged(pixels, face)
    method = editor.method
    faces = Faces.stack([editor.crop(pixels, face)])
    units = method.numbers(method.read(faces))[0]
    prototypes = np.stack([facs.prototype(e) for e in facs.EMOTIONS])
    nearest = int(np.linalg.norm(prototypes - units, axis=1).argmin())
    found["face_model"] = facs.EMOTIONS[nearest]
    return found


def _judged(pixels: UInt8, face: Face) -> dict[str, Any]:
    if not torch_is_here():
        return {f"judge_{name}{sure}": "" for name in "ab" for sure in ("", "_sure")}
    from mien.people.reading import read

    found: dict[str, Any] = {}
    for name, seen in read(pixels, face).items():
        found[f"judge_{name}"], found[f"judge_{name}_sure"] = seen["emotion"], seen["sure"]
    return found


def _checks(facts: Mapping[str, Any], look: Look) -> str:
    """What a picture fails, in words; empty if nothing."""
    failed = []
    if facts["eyes_off"] > OFF:
        failed.append("eyes")
    if facts["identity"] is not None and facts["identity"] >= SAME:
        failed.append("identity")
    goal = look.level
    if goal is not None:
        off = abs(facts["luminance"] - goal.luminance), abs(facts["contrast"] - goal.contrast)
        if max(off) > 2 * stimuli.LEVELS:
            failed.append("luminance")
    whole = facts["label"] and facts["side"] == "both" and facts["intensity"] >= 1
    # the face model's fit alone, where no judge is installed, tells labels apart too seldom
    read = (facts["judge_a"], facts["judge_b"], facts["face_model"])
    if whole and facts["judge_a"] and facts["label"] not in read:
        failed.append("label")
    return " ".join(failed)


def _who(judge: Judge | None, pixels: UInt8, face: Face) -> Float | None:
    if judge is None:
        return None
    crop = align(pixels, face, 256)
    return judge.one(crop.pixels, crop.landmarks)


def _where(face: Face, size: int, oval: bool) -> Float:
    return stimuli.shape(None if oval else face.landmarks, size)


def _file(sitter: Sitter, cell: Cell) -> str:
    return f"{sitter.name}/{_stem(cell)}.png"


def _kept(out: Path, sitter: Sitter, cell: Cell) -> dict[str, Any] | None:
    """The row of a picture that is there already, if it was made by this very ask."""
    path = out / _file(sitter, cell)
    facts = kept(path.with_suffix(".json"))
    if facts is None:
        return None
    same = all(facts.get(key) == value for key, value in _asked(cell).items())
    return facts if same and path.is_file() else None


def _csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    if rows:
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return text.getvalue()
