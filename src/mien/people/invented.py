"""People who do not exist, mixed from consenting ones: a data set, with what was checked.

Person i of a seed is a function of the sources, the settings, the seed and i alone. Every picture
is judged: one nearer than the threshold to any person of the pool is refused, and a person whose
portrait is refused is drawn again.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mien import images
from mien.data.manifest import Record, write_manifest
from mien.data.split import split_of
from mien.editor import Editor
from mien.errors import DataError, FaceNotFound, FaceUndrawable
from mien.faces.detect import detect
from mien.files import write_text
from mien.images import Photo
from mien.jobs import Engine, Local, Lost
from mien.people.asks import Ask, of_row
from mien.people.background import behind
from mien.people.camera import noisy
from mien.people.crowd import Crowd, Mix
from mien.people.draws import drawn, varied
from mien.people.folder import kept, make, settle
from mien.people.reading import read
from mien.provenance import mark
from mien.types import Face, Float, UInt8

NOTE = "person.json"
ATTEMPTS = 12
"""Draws of one person before it is given up."""
MARGIN = 0.02
"""How much further than asked a portrait must be: expressions bring a face nearer to somebody."""
SEARCHED = 512
"""Side, px, at which a shape that is far enough from everybody is looked for."""
FORMAT = 4
NEUTRAL = of_row({"label": "neutral"})


@dataclass(frozen=True)
class Settings:
    """What decides the pictures in a folder, kept beside them."""

    sources: str
    """SHA-256 of who may be mixed and of their photographs."""
    method: str
    weights: str
    seed: int
    size: int
    count: int
    """Sources of one person."""
    least: float
    """Least identity distance of a picture to everybody in the pool (dlib's descriptor: same person
    under 0.6)."""
    balance: tuple[str, ...]
    only: Mapping[str, Sequence[str]]
    expressions: str
    """SHA-256 of what is asked for."""
    drawn: tuple[str, int] | None = None
    """What is drawn at random for each person besides, and how often."""
    varied: tuple[str, ...] = ()
    """What varies at random beside the expressions."""
    whole: bool = False
    """Whether a person of whom a picture is refused is drawn again."""
    agree: int = 1
    """Of the two judges, how many must read a label that is asked for whole."""
    format: int = FORMAT


@dataclass
class Report:
    """What came of a run: manifest lines, pictures refused with the reason, persons given up."""

    records: list[Record] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    attempts: int = 0
    people: int = 0
    groups: Counter[str] = field(default_factory=Counter)
    """How many people of each group were made: what became of the balance."""
    nearest: float = np.inf
    """Least identity distance of an accepted picture."""


@dataclass(frozen=True)
class _Draw:
    """Which attempt at whom."""

    name: str
    folder: Path
    attempt: int


@dataclass(frozen=True)
class Person:
    """A mixed person at rest, further from everybody than expressions bring a face nearer: `pixels`
    uint8 (size, size, 3) RGB without mark, the `face` there, and how often the shape was pushed
    away from who was too near."""

    draw: _Draw
    mixed: Mix
    pushes: int
    pixels: UInt8
    face: Face


@dataclass(frozen=True)
class Inventing:
    """People as jobs: each a number, made into a note."""

    crowd: Crowd
    editor: Editor
    settings: Settings
    out: Path
    asks: Sequence[Ask]

    def open(self) -> Callable[[int], dict[str, Any]]:
        """The function that makes person N, or finds them made."""
        groups = self.crowd.groups(self.settings.balance, self.settings.only)

        def person(number: int) -> dict[str, Any]:
            folder = self.out / f"{number:05d}"
            return _note(folder) or _make(
                self.crowd, self.editor, self.settings, groups, number, folder, self.asks
            )

        return person


def write(
    crowd: Crowd, editor: Editor, settings: Settings, out: Path, count: int, asks: Sequence[Ask],
    progress: Callable[[int], None] = lambda _: None, engine: Engine = Local(),  # noqa: B008
) -> Report:  # fmt: skip
    """Invent `count` people, write each at rest and under all `asks` into `out`, with the manifest
    and, beside each person's pictures, a note of what was asked and checked. People whose note is
    there are kept. The bytes are the same on any engine.

    Raises:
        DataError: the folder holds people of other settings, or cannot be written.
    """
    settle(out, asdict(settings), "people of other settings")
    report = Report()
    task = Inventing(crowd, editor, settings, out, asks)
    for number, note in enumerate(engine.map(task, range(count))):
        if isinstance(note, Lost):
            report.refused.append(f"person {number}: {note.reason}")
        else:
            _tell(report, note)
        progress(number + 1)
    write_manifest(out, report.records)
    return report


def portrait(crowd: Crowd, settings: Settings, number: int) -> Person:
    """Person `number` at rest, as `write` has them before their first picture is marked and judged.

    Raises:
        DataError: none of the attempts is far enough from everybody.
    """
    groups = crowd.groups(settings.balance, settings.only)
    refused: list[str] = []
    for person in _portraits(crowd, settings, groups, number, Path(), refused):
        return person
    raise DataError(f"person {number} of seed {settings.seed} is nobody: {refused[-1]}")


def sources_digest(crowd: Crowd) -> str:
    """SHA-256 of everybody in the pool and of their photographs' bytes."""
    total = hashlib.sha256()
    for person, photograph in crowd.people.items():
        total.update(person.encode() + hashlib.sha256(photograph.photo.read_bytes()).digest())
    return total.hexdigest()


def asks_digest(asks: Sequence[Ask]) -> str:
    """SHA-256 of a list of asks."""
    rows: list[tuple[object, ...]] = [
        (a.name, a.guide and a.guide.describe(), a.intensity, a.noise)
        + ((a.background.describe(),) if a.background else ())
        for a in asks
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def _make(
    crowd: Crowd, editor: Editor, settings: Settings, groups: Sequence[Mapping[str, str]],
    number: int, folder: Path, asks: Sequence[Ask],
) -> dict[str, Any]:  # fmt: skip
    """Draw one person and write all pictures; the note, which is written last."""
    shown = _asks(settings, number, asks)
    refused: list[str] = []
    for person in _portraits(crowd, settings, groups, number, folder, refused):
        note = _about(crowd, person, refused)
        for ask in shown:
            _picture(crowd, editor, settings, person, ask, note)
        lacking = note["refused"][len(refused) :]
        if not lacking or not settings.whole:
            return _noted(folder, note)
        refused += [f"attempt {person.draw.attempt}: {line}" for line in lacking]
        for row in note["pictures"]:
            (folder / row["file"]).unlink()
    group = crowd.draw(groups, settings.count, (settings.seed, number, 0)).group
    name = _name(settings, number)
    return _noted(folder, {"person": name, "group": group, "refused": refused, "pictures": []})


def _portraits(
    crowd: Crowd, settings: Settings, groups: Sequence[Mapping[str, str]], number: int,
    folder: Path, refused: list[str],
) -> Iterator[Person]:  # fmt: skip
    """Person `number` at rest, attempt after attempt, without those too near to somebody: of them
    `refused` says why."""
    for attempt in range(ATTEMPTS):
        mixed = crowd.draw(groups, settings.count, (settings.seed, number, attempt))
        draw = _Draw(_name(settings, number), folder, attempt)
        person = _portrayed(crowd, settings, mixed, draw, refused)
        if person is not None:
            yield person


def _name(settings: Settings, number: int) -> str:
    return f"nobody/{settings.sources[:6]}-{settings.seed}-{number:05d}"


def _portrayed(
    crowd: Crowd, settings: Settings, mixed: Mix, draw: _Draw, refused: list[str]
) -> Person | None:
    """A mixed person at rest, far enough from everybody; None where that cannot be, `refused` says
    why."""
    least = settings.least + MARGIN
    try:
        shape, pushes, near = _unlike_all(crowd, mixed, least)
        if near[1] >= least:
            pixels = crowd.drawn(mixed, shape, settings.size)
            face, near = _judged(crowd, pixels)
            if near[1] >= least:
                return Person(draw, mixed, pushes, pixels, face)
    except (FaceNotFound, FaceUndrawable) as error:
        refused.append(f"attempt {draw.attempt}: {error}")
        return None
    refused.append(f"attempt {draw.attempt}: {near[1]:.3f} from {near[0]}")
    return None


def _about(crowd: Crowd, person: Person, refused: Sequence[str]) -> dict[str, Any]:
    """The note of a person without pictures yet."""
    mixed = person.mixed
    return {
        "person": person.draw.name, "group": mixed.group, "refused": list(refused), "pictures": [],
        "attempts": person.draw.attempt + 1, "pushes": person.pushes, "sources": mixed.sources,
        "age": mixed.age, "skin": list(mixed.people),
        "recipe": asdict(mixed.recipe), "shape": dict(mixed.shape),
        "licence": _joined(crowd.people[p].licence for p in mixed.sources),
        "origin": _joined(crowd.people[p].origin for p in mixed.sources),
    }  # fmt: skip


def _asks(settings: Settings, number: int, asks: Sequence[Ask]) -> list[Ask]:
    """What person `number` shows: at rest as photographed, and all else, varied if that is
    wished."""
    more = [] if settings.drawn is None else drawn(*settings.drawn, (settings.seed, number))
    others = [a for a in (*asks, *more) if a.name != NEUTRAL.name]
    if settings.varied:
        seeds = ((settings.seed, number, 3, i) for i in range(len(others)))
        others = [varied(a, settings.varied, seed) for a, seed in zip(others, seeds, strict=True)]
    return list({a.name: a for a in (NEUTRAL, *others)}.values())


def _unlike_all(crowd: Crowd, mixed: Mix, least: float) -> tuple[Float, int, tuple[str, float]]:
    """The shape (N, 3) cm of a mixed person, pushed away from who is nearest until nobody is nearer
    than `least` or shapes end; the pushes; who is nearest then, how near."""
    mean = crowd.mean(mixed.group)
    shape: Float | None = crowd.shape(mixed)
    found: list[tuple[Float, tuple[str, float]]] = []
    while shape is not None:
        try:
            pixels = crowd.drawn(mixed, shape, SEARCHED)
        except FaceUndrawable:
            if not found:
                raise
            break  # as far as hair and ears follow
        found.append((shape, _judged(crowd, pixels)[1]))
        who, distance = found[-1][1]
        shape = crowd.shapes.pushed(shape, mean, who) if distance < least else None
    return found[-1][0], len(found) - 1, found[-1][1]


def _picture(
    crowd: Crowd, editor: Editor, settings: Settings, person: Person, ask: Ask,
    note: dict[str, Any],
) -> None:  # fmt: skip
    """One picture, if it can be drawn, is far enough from everybody and read as what it shows;
    `note` tells of it."""
    pixels = person.pixels
    try:
        if ask.guide is not None and ask.intensity:
            pixels = editor.edit(Photo(pixels), ask.guide, ask.intensity).pixels
        if ask.background is not None:
            pixels = behind(pixels, ask.background)
        if ask.noise:
            seed = hashlib.sha256(f"{person.draw.name} {ask.name}".encode()).digest()
            pixels = noisy(pixels, ask.noise, np.random.default_rng(list(seed)))
        plain = _found(pixels)
        marked = mark.embed(pixels, 255 - pixels, [plain])  # no pixel is anybody's photograph
        face, near = _judged(crowd, marked)  # as it will lie on disk: the mark moves distances too
    except (FaceNotFound, FaceUndrawable) as error:
        note["refused"].append(f"{ask.name}: {error}")
        return
    if near[1] < settings.least:
        note["refused"].append(f"{ask.name}: {near[1]:.3f} from {near[0]}")
        return
    seen = read(marked, face)
    emotions = [found["emotion"] for found in seen.values()]
    if ask.whole and emotions.count(ask.emotion) < settings.agree:
        note["refused"].append(f"{ask.name}: judges read {' and '.join(emotions)}")
        return
    asked = "neutral" if ask.guide is None else ask.guide.describe()
    facts = {
        "method": settings.method, "weights": settings.weights, "person": person.draw.name,
        "guide": asked, "intensity": f"{ask.intensity:g}", "noise": f"{ask.noise:g}",
        "nearest source": f"{near[1]:.3f}",
        **({"background": ask.background.describe()} if ask.background else {}),
    }  # fmt: skip
    make(person.draw.folder)
    file = f"{ask.name}.png"
    images.write(person.draw.folder / file, marked, metadata=facts)
    units = None if ask.units is None else [round(float(u), 4) for u in ask.units]
    note["pictures"].append(
        {"file": file, "asked": asked, "intensity": ask.intensity, "emotion": ask.emotion,
         "affect": ask.affect, "noise": ask.noise,
         "background": ask.background and ask.background.describe(), "units": units,
         "nearest": near[0], "distance": round(near[1], 4), "read": seen}
    )  # fmt: skip


def _judged(crowd: Crowd, pixels: UInt8) -> tuple[Face, tuple[str, float]]:
    """The face, and who of the pool it is nearest to, how near."""
    face = _found(pixels)
    return face, min(crowd.distances(pixels, face).items(), key=lambda pair: pair[1])


def _found(pixels: UInt8) -> Face:
    """The face; FaceNotFound without one."""
    found = detect(pixels)
    if not found:
        raise FaceNotFound("no face is found in the picture")
    return found[0]


def _tell(report: Report, note: Mapping[str, Any]) -> None:
    report.attempts += int(note.get("attempts", ATTEMPTS))
    report.refused += [f"{note['person']}, {line}" for line in note["refused"]]
    if note["pictures"]:
        report.people += 1
        report.groups[" ".join(note["group"].values())] += 1
    for row in note["pictures"]:
        report.nearest = min(report.nearest, row["distance"])
        units = None if row["units"] is None else np.array(row["units"], np.float32)
        report.records.append(
            Record(
                f"{note['person'].rpartition('-')[2]}/{row['file']}", note["person"],
                row["emotion"], units, None, note["licence"],
                f"mixed by mien from {len(note['sources'])} people of {note['origin']}",
                split_of(note["person"]),
            )
        )  # fmt: skip


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(texts))


def _note(folder: Path) -> dict[str, Any] | None:
    """The note of a person who is finished."""
    found = kept(folder / NOTE)
    if found is None:
        return None
    return found if all((folder / p["file"]).is_file() for p in found["pictures"]) else None


def _noted(folder: Path, note: dict[str, Any]) -> dict[str, Any]:
    write_text(folder / NOTE, json.dumps(note, indent=1) + "\n")
    return note
