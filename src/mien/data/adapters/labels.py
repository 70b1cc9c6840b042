"""Labels in files beside the pictures: tables of emotions, and codes of action units.

A coder's letters A to E, or 1 to 5, become `facs.LETTERS`; a unit that is only said to be there
gets the middle one. Units that nobody looked for are NaN.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias
from xml.etree import ElementTree

import numpy as np

from mien import facs
from mien.errors import DataError


@dataclass(frozen=True)
class PictureLabel:
    """What is known of a picture; of a posed or arced sequence, of its peak."""

    emotion: str | None = None
    units: facs.Vector | None = None


Labels: TypeAlias = Callable[[Mapping[str, str], int], PictureLabel | None]
"""From what a file's name says, and a frame's number (a picture's own, a film's from 0), to what is
known; None leaves the picture out."""
Beside: TypeAlias = Callable[[Path], Labels]
"""From the folder that a layout begins in to its labels."""

PRESENT = facs.LETTERS["C"]
"""A unit that is there, nobody said how strongly."""
LEVELS = (0.0, *facs.LETTERS.values())
"""The strengths of 0 to 5."""
_SIDELESS = (30, 33, 61, 62, 63, 64)
"""Units that a code without a side, or of the face alone, does not tell."""


def units(strengths: Mapping[int, float], rest: float = np.nan) -> facs.Vector | None:
    """Action units (47,) by their numbers: what is not among them is `rest`, what mien does not
    know is left out; None where nothing is left.
    """
    out = np.full(len(facs.UNITS), rest, np.float32)
    for number in _SIDELESS:
        out[list(facs.columns(f"AU{number}"))] = np.nan
    for number, strength in strengths.items():
        number = facs.ALIASES.get(number, number)
        if number in facs.NAMES and number not in _SIDELESS:
            out[list(facs.columns(f"AU{number}"))] = strength
    return None if np.isnan(out).all() else out


def ck_plus(root: Path) -> Labels:
    """`Emotion/S005/001/*_emotion.txt`: one number, for 327 of 593 sequences; `FACS/...` lists the
    units at the peak, all of them, intensity 0 where it was not judged.
    """
    names = ("neutral", "anger", "contempt", "disgust", "fear", "happy", "sad", "surprise")

    @lru_cache(maxsize=1024)
    def peak(person: str, take: str) -> PictureLabel:
        emotion, coded = None, None
        for path, numbers in _numbers(root / "Emotion" / person / take, "*_emotion.txt"):
            emotion = names[_within(numbers[0][0], len(names), path)]
        for path, numbers in _numbers(root / "FACS" / person / take, "*_facs.txt"):
            strengths = {int(n): _within(v[0] if v else 0, 6, path) for n, *v in numbers}
            coded = units({n: LEVELS[s] if s else PRESENT for n, s in strengths.items()}, rest=0.0)
        return PictureLabel(emotion, coded)

    return lambda name, frame: peak(name["person"], name["take"])


def disfa(root: Path) -> Labels:
    """`ActionUnit_Labels/SN001/SN001_au1.txt`: frame, from 1, and intensity 0 to 5."""

    @lru_cache(maxsize=1)
    def frames(person: str) -> dict[int, dict[int, float]]:
        files = (root / "ActionUnit_Labels" / person).glob(f"{person}_au*.txt")
        return _by_frame((_number_of(path), path) for path in files)

    return lambda name, frame: _coded(frames(name["person"]).get(frame + 1))


def disfa_plus(root: Path) -> Labels:
    """`Labels/SN001/<trial>/AU1.txt`: a picture's name and its intensity 0 to 5, under a head."""

    @lru_cache(maxsize=1)
    def frames(person: str, take: str) -> dict[int, dict[int, float]]:
        files = (root / "Labels" / person / take).glob("AU*.txt")
        return _by_frame((_number_of(path), path) for path in files)

    return lambda name, frame: _coded(frames(name["person"], name["take"]).get(frame))


def bp4d(root: Path) -> Labels:
    """`AUCoding/AU_OCC/F001_T1.csv`: units in the first row, frames in the first column, 9 where
    nobody could tell; `AU_INT/AU06/F001_T1_AU06.csv`, where it is there, says how strongly.
    """

    @lru_cache(maxsize=1)
    def frames(person: str, take: str) -> dict[int, dict[int, float]]:
        coded = root / "AUCoding"
        path = coded / "AU_OCC" / f"{person}_{take}.csv"
        found = _occurrences(path) if path.is_file() else {}
        strong = coded.glob(f"AU_INT/AU*/{person}_{take}_AU*.csv")
        for frame, strengths in _by_frame((_number_of(p), p) for p in strong).items():
            found.setdefault(frame, {}).update(strengths)
        return found

    return lambda name, frame: _coded(frames(name["person"], name["take"]).get(frame))


def mmi(root: Path) -> Labels:
    """`Sessions/1/S001-001.xml`: a number for the emotion; `session.xml`: the view, of which only
    the frontal one is taken; `*aucs.xml`: the units that appear, all of them.
    """
    names = {"1": "anger", "2": "disgust", "3": "fear", "4": "happy", "5": "sad", "6": "surprise"}

    def label(name: Mapping[str, str], frame: int) -> PictureLabel | None:
        folder = root / "Sessions" / name["session"]
        view = next((t.get("view") for t in _elements(folder / "session.xml", "track")), "0")
        if view != "0":
            return None
        facts = _elements(folder / f"{name['person']}-{name['take']}.xml", "Metatag")
        said = next((t.get("Value", "") for t in facts if t.get("Name") == "Emotion"), "")
        coded = None
        for path in sorted(folder.glob("*aucs.xml")):
            found = [e.get("Number", "") for e in _elements(path, "ActionUnit")]
            coded = units({int(n): PRESENT for n in found if n.isdecimal()}, rest=0.0)
        return PictureLabel(names.get(said), coded)

    return label


def raf_db(root: Path) -> Labels:
    """`basic/EmoLabel/list_patition_label.txt`: `train_00001.jpg 5`."""
    names = ("surprise", "fear", "disgust", "happy", "sad", "anger", "neutral")
    path = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    table = dict(line.split() for line in _lines(path) if len(line.split()) == 2)

    def label(name: Mapping[str, str], frame: int) -> PictureLabel | None:
        said = table.get(f"{name['picture']}.jpg")
        return (
            None
            if said is None
            else PictureLabel(names[_within(float(said) - 1, len(names), path)])
        )

    return label


def affectnet(root: Path) -> Labels:
    """`train_set/annotations/0_exp.npy`, or, of the older release, `training.csv`; 8 and 9: nobody
    could say; 10: not a face.
    """
    names = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "anger", "contempt")
    tables = {
        part: {row["subDirectory_filePath"]: row["expression"] for row in _rows(root / file)}
        for part, file in (("train", "training.csv"), ("val", "validation.csv"))
        if (root / file).is_file()
    }
    listed = {path: said for table in tables.values() for path, said in table.items()}

    def label(name: Mapping[str, str], frame: int) -> PictureLabel | None:
        if name.get("listed") is not None:
            path, said = root / "training.csv", listed.get(name["listed"])
        else:
            path = root / f"{name['part']}_set" / "annotations" / f"{name['picture']}_exp.npy"
            said = _scalar(path)
        if said is None:
            return None
        number = _within(float(said), 11, path)
        return (
            None if number == 10 else PictureLabel(names[number] if number < len(names) else None)
        )

    return label


def fairface(root: Path) -> Labels:
    """`fairface_label_train.csv`: file, age, gender, race. People below 20 are left out."""
    rows = [r for part in ("train", "val") for r in _rows(root / f"fairface_label_{part}.csv")]
    grown = {row["file"] for row in rows if row["age"] not in ("0-2", "3-9", "10-19")}

    def label(name: Mapping[str, str], frame: int) -> PictureLabel | None:
        return PictureLabel() if f"{name['part']}/{name['picture']}.jpg" in grown else None

    return label


PROMPTED: dict[str, tuple[str, ...]] = {
    "neutral": ("neutral", "blank stare", "stoic", "indifferent", "apathetic"),
    "happy": (
        "happy", "joyful", "joyous", "smiling", "smile", "cheerful", "laughing", "laugh",
        "grinning", "beaming", "elated", "ecstatic", "delighted", "jubilant", "amused",
    ),
    "sad": (
        "sad", "sorrowful", "crying", "mournful", "gloomy", "grieving", "depressed", "heartbroken",
        "melancholy", "melancholic",
    ),
    "surprise": ("surprised", "surprise", "astonished", "stunned", "shocked", "flabbergasted"),
    "fear": ("fearful", "scared", "panic", "panicked", "horrified"),
    "anger": ("angry", "enraged", "furious", "irate", "mad"),
    "disgust": ("disgusted",),
    "contempt": ("contempt", "contemptuous"),
}  # fmt: skip
"""Words of a prompt's "with a ... expression" that mean one of our emotions; half smiles of shame,
irony or unease mean none."""
_NOT = ("awkward", "sly", "uneasy", "smirk", "hysterical")
_MEANT = {word: emotion for emotion, words in PROMPTED.items() for word in words}
_ASKED = re.compile(
    r"\bwith (?:[\w-]+ ){1,4}?"
    r"(?:expression|look|face|demeanor|gaze|stare|smile|laugh|sneer|surprise|cry|cheer|shout)\b",
    re.IGNORECASE,
)
_MINOR = re.compile(r"\b(?:month old|baby|toddler|child|teenage|(?:[1-9]|1\d) year old)\b")


def sfhq_t2i(root: Path) -> Labels:
    """`SFHQ_T2I_dataset.csv`: image_filename, model_used, text_prompt. The emotion is what the
    prompt asked for, not what came; pictures that were asked to show children are left out.
    """
    rows = _rows(root / "SFHQ_T2I_dataset.csv")
    prompts = {row["image_filename"]: row["text_prompt"] for row in rows}

    def label(name: Mapping[str, str], frame: int) -> PictureLabel | None:
        prompt = prompts.get(f"{name['picture']}.jpg")
        return None if prompt is None or _MINOR.search(prompt) else PictureLabel(prompted(prompt))

    return label


def prompted(prompt: str) -> str | None:
    """The emotion that a prompt asks for, or None.

    >>> prompted("portrait of a 40 year old Thai woman, with a furious expression, in a park")
    'anger'
    """
    for match in _ASKED.finditer(prompt):
        words = [w.lower() for w in re.findall(r"[\w-]+", match[0])[1:]]
        pairs = [*words, *(f"{a} {b}" for a, b in pairwise(words))]
        found = [_MEANT[w] for w in pairs if w in _MEANT]
        if found and not any(w in _NOT for w in words):
            return found[0]
    return None


def _coded(strengths: Mapping[int, float] | None) -> PictureLabel | None:
    coded = None if strengths is None else units(strengths)
    return None if coded is None else PictureLabel(units=coded)


def _by_frame(files: Iterable[tuple[int, Path]]) -> dict[int, dict[int, float]]:
    """From files of one unit each, lines of frame and intensity, to units by frame."""
    found: dict[int, dict[int, float]] = {}
    for number, path in sorted(files):
        for line in _lines(path):
            match = re.fullmatch(r"\s*(\d+)(?:\.\w+)?[\s,;]+(\d)(?:\.0*)?\s*", line)
            if match and int(match[2]) < len(LEVELS):  # else a head, or 9: nobody could tell
                found.setdefault(int(match[1]), {})[number] = LEVELS[int(match[2])]
    return found


def _occurrences(path: Path) -> dict[int, dict[int, float]]:
    head, *lines = [re.split(r"[,;\s]+", line.strip()) for line in _lines(path)]
    strength = {"0": 0.0, "1": PRESENT}
    try:
        return {
            int(line[0]): {
                int(n): strength[v]
                for n, v in zip(head[1:], line[1:], strict=True)
                if v in strength
            }
            for line in lines
        }
    except ValueError as e:
        raise DataError(f"{path} is no table of action units: {e}") from None


def _numbers(folder: Path, pattern: str) -> Iterator[tuple[Path, list[list[float]]]]:
    """Files of numbers, each as lines; those that hold none are passed over."""
    for path in sorted(folder.glob(pattern)):
        try:
            rows = [[float(v) for v in line.split()] for line in _lines(path) if line.strip()]
        except ValueError as e:
            raise DataError(f"{path} does not hold numbers: {e}") from None
        if rows:
            yield path, rows


def _within(number: float, count: int, path: Path) -> int:
    if number != int(number) or not 0 <= number < count:
        raise DataError(f"{path} has the label {number:g}, not one of {count}")
    return int(number)


def _number_of(path: Path) -> int:
    """The unit that a file's name ends in."""
    match = re.search(r"au(\d+)$", path.stem, re.IGNORECASE)
    if match is None:
        raise DataError(f"{path} does not say which action unit it codes")
    return int(match[1])


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise DataError(f"cannot read the labels in {path}: {e}") from None


def _rows(path: Path) -> list[dict[str, str]]:
    rows = list(csv.DictReader(_lines(path)))
    if not rows:
        raise DataError(f"{path} has no rows")
    return rows


def _scalar(path: Path) -> str | None:
    """The one value of an array file; None where there is none."""
    try:
        return str(np.load(path, allow_pickle=False)) if path.is_file() else None
    except (OSError, ValueError) as e:
        raise DataError(f"cannot read the label in {path}: {e}") from None


def _elements(path: Path, tag: str) -> list[ElementTree.Element]:
    if not path.is_file():
        return []
    try:
        return list(ElementTree.parse(path).getroot().iter(tag))
    except (OSError, ElementTree.ParseError) as e:
        raise DataError(f"cannot read the labels in {path}: {e}") from None
