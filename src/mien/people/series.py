"""A series of stimuli: the pictures of a plan (`people.plan`), made alike, and their table."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mien import facs, images
from mien.editor import Editor
from mien.errors import AssetMissing, DataError, MienError
from mien.faces.align import align
from mien.faces.detect import choose, detect
from mien.files import write_text
from mien.images import Photo
from mien.jobs import Engine, Local, Lost
from mien.methods.registry import torch_is_here
from mien.people import oval, stimuli
from mien.people.background import behind
from mien.people.camera import noisy
from mien.people.folder import kept, make, settle
from mien.people.oval import Oval
from mien.people.plan import Cell
from mien.people.stimuli import Level
from mien.provenance import mark
from mien.types import Face, Faces, Float, UInt8

if TYPE_CHECKING:
    from mien.judges.identity import Descriptor
    from mien.people.crowd import Judge

TABLE = "series.csv"
SAME = 0.6
"""Identity distance under which dlib's descriptor takes two pictures for one person."""
OFF = 1.0
"""Distance, px, of the eyes from their place that still passes."""


@dataclass(frozen=True)
class Look:
    """How the pictures are made alike: side px, in which oval, and at which level (None: as is)."""

    size: int
    oval: Oval | None
    level: Level | None


@dataclass(frozen=True)
class Sitter:
    """A person of the series: the placed picture, the face in it, who they are to the judge."""

    name: str
    pixels: UInt8
    face: Face
    who: Float | None


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


def common_oval(
    editor: Editor, people: Sequence[Sitter], cells: Sequence[Cell],
    engine: Engine = Local(),  # noqa: B008
) -> Oval:  # fmt: skip
    """One oval for all pictures of a plan: it holds everybody's inner features at rest, in full
    surprise, and in as much more of it as the plan's highest intensity."""
    highest = max(1.0, *(cell.strength for cell in cells))
    return oval.common(editor, [(s.pixels, s.face) for s in people], highest, engine)


def common_level(people: Sequence[Sitter], shown: Oval | None) -> Level:
    """The mean level of the people as they are, over what is `shown` of them."""
    found = [stimuli.level(s.pixels, _where(s.face, len(s.pixels), shown)) for s in people]
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
            faults.append(f"{sitter.name}, {cell.stem}: {reason}")
    write_text(out / TABLE, _csv(rows))
    return rows, faults


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
    facts = _facts(editor, sitter, cell, edited, face, who) | _within(look, face)
    marked = shown
    if cell.ask.guide is not None and cell.strength:  # else nothing was made up
        marked = mark.embed(shown, 255 - shown, [face])
    if look.level is not None:
        marked = stimuli.equated(marked, where, look.level)
    if look.oval is not None:
        marked = stimuli.masked(marked, where)
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


def _within(look: Look, face: Face) -> dict[str, Any]:
    """The oval, px, and how far out the outermost of brows, eyes, nose and mouth lies in it."""
    if look.oval is None:
        return {"oval": "", "oval_reach": ""}
    reach = round(look.oval.reach(face.landmarks, look.size), 3)
    return {"oval": look.oval.label(look.size), "oval_reach": reach}


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
    if look.oval is not None and facts["oval_reach"] > 1:
        failed.append("oval")
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


def _where(face: Face, size: int, shown: Oval | None) -> Float:
    return stimuli.outline(face.landmarks, size) if shown is None else shown.mask(size)


def _file(sitter: Sitter, cell: Cell) -> str:
    return f"{sitter.name}/{cell.stem}.png"


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
