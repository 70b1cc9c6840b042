"""The straight line of a film: read, follow, steady, edit each frame, mark it, write.

Two threads share it: while one draws a frame, marks it and hands it to the encoder, the other finds
and fits the faces of the next. Fits come in the order of the frames, so the bytes are those of one
thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from mien.editor import Editor
from mien.errors import FaceNotFound, FaceUndrawable
from mien.face_model.render import Rig
from mien.faces.paste import paste
from mien.guides import Guide
from mien.heap import give_back
from mien.methods.base import Method
from mien.provenance.credentials import Signer
from mien.provenance.mark import embed
from mien.types import AlignedFace, Expression, Face, Faces, Float, UInt8
from mien.video.driving import Constant, Curve, Drive
from mien.video.following import followed
from mien.video.keyframes import Keyframes
from mien.video.reading import Film
from mien.video.shapes import Shapes
from mien.video.steadying import Steady, steadied
from mien.video.writing import writing

T = TypeVar("T")
FULL = Curve()
"""All of the guide's expression, all the time."""
TIDY = 25
"""Frames after which memory that is free goes back to the system."""


@dataclass(frozen=True)
class Cut:
    """What became of a film."""

    frames: int
    edited: int
    """Frames in which a face was edited, were it a little."""
    seconds: float
    """Time that it took."""


def edit_film(
    editor: Editor,
    source: Film,
    target: Path,
    drive: Drive,
    curve: Curve = FULL,
    face: str = "largest",
    signer: Signer | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Cut:
    """Write `source` to `target` with the driven expression on its faces; sound and times stay.

    Every edited frame carries the mark, the file says what was done. `progress` is given the frames
    done. FaceNotFound if no frame shows a face, VideoError if a file cannot be read or written:
    nothing is written then.
    """
    began, cut = time.perf_counter(), Cut(0, 0, 0.0)
    for cut in film_steps(editor, source, target, drive, curve, face, signer):
        progress(cut.frames)
    return replace(cut, seconds=time.perf_counter() - began)


def film_steps(
    editor: Editor,
    source: Film,
    target: Path,
    drive: Drive,
    curve: Curve = FULL,
    face: str = "largest",
    signer: Signer | None = None,
) -> Generator[Cut, None, None]:
    """`edit_film` frame by frame, for callers who have other things to do in between: what became
    of the film so far, after each frame. It is there when the steps have come to their end; closed
    before, they leave nothing.
    """
    began, count, edited, shown = time.perf_counter(), 0, 0, False
    with writing(target, source, _metadata(editor, drive, curve), signer) as film:
        steadies = steadied(followed(source.frames(), face))
        for ready in ahead(fitted(editor, steadies, drive, curve)):
            pixels = ready.drawn(editor)
            film.add(ready.steady.frame, pixels)
            count += 1
            edited += pixels is not ready.steady.frame.pixels
            shown |= any(points is not None for points in ready.steady.points)
            if count % TIDY == 0:
                give_back()
            yield Cut(count, edited, time.perf_counter() - began)
        if not shown:
            raise FaceNotFound(
                f"no face found in {source.path}: use a film that shows one from the front, 60 px "
                "wide or more"
            )


class Cast:
    """Who is who in a film: the face model keeps each face's person as long as it is followed, so
    that only expression and pose change from frame to frame."""

    def __init__(self) -> None:
        self._people: dict[int, Float] = {}
        self._fits: dict[int, list[Rig]] = {}

    def fit(self, index: int, faces: Faces[Float], method: Method[Any]) -> list[Rig]:
        """The fit of a face of a frame (B = 1), from that in the frame before on."""
        found = method.fits(faces, self._fits.get(index, ()))
        self._fits[index] = found
        return found

    def known(self, index: int, faces: Faces[Float], method: Method[Any]) -> Faces[Float]:
        """The face of a frame (B = 1) with its person, found in the first frame that shows it."""
        if index not in self._people:
            self._fits[index] = method.fits(faces)  # who it is, and from where the pose is sought
            found = method.people(faces)
            if found is None:
                return faces
            self._people[index] = found
        return replace(faces, people=self._people[index])

    def lost(self, index: int) -> None:
        """Forget a face: another person may come in its place."""
        self._people.pop(index, None)
        self._fits.pop(index, None)


@dataclass(frozen=True)
class Asked:
    """A face of a frame, fitted, and what it is to show: the guide, and how much of it."""

    face: Face
    crop: AlignedFace
    batch: Faces[Float]
    guide: Guide | Expression[Any]
    intensity: float
    fit: object
    """Held, so that the drawing finds it."""


@dataclass(frozen=True)
class Ready:
    """A frame that can be drawn."""

    steady: Steady
    faces: tuple[Asked, ...]

    def drawn(self, editor: Editor) -> UInt8:
        """The frame with its edit and the mark, (H, W, 3); its very pixels if nothing is asked."""
        source = pixels = self.steady.frame.pixels
        done = []
        for asked in self.faces:
            try:
                edit = editor.method.edit(asked.batch, asked.guide, asked.intensity)
            except FaceUndrawable:  # turned away for a moment: this frame stays as it is
                continue
            pixels = paste(pixels, asked.crop, edit)
            done.append(asked.face)
        return embed(pixels, source, done) if done else source


def fitted(
    editor: Editor, frames: Iterator[Steady], drive: Drive, curve: Curve = FULL
) -> Iterator[Ready]:
    """Frames with what their faces, which are fitted, are asked to show."""
    cast = Cast()
    for steady in frames:
        yield Ready(steady, tuple(_asked(editor, steady, drive, curve, cast)))


def _asked(
    editor: Editor, steady: Steady, drive: Drive, curve: Curve, cast: Cast
) -> Iterator[Asked]:
    source = steady.frame.pixels
    guide, wanted = drive.at(steady.frame.time), curve.at(steady.frame.time)
    for index, (points, share) in enumerate(zip(steady.points, steady.shares, strict=True)):
        if points is None:
            cast.lost(index)
        if points is None or guide is None or share * wanted == 0:
            continue
        found = Face.at(points)
        crop = editor.crop(source, found)
        batch = cast.known(index, Faces.stack([crop]), editor.method)
        fit = cast.fit(index, batch, editor.method)
        yield Asked(found, crop, batch, guide, share * wanted, fit)


def ahead(steps: Iterator[T]) -> Iterator[T]:
    """The same, each step taken in a thread of its own while the one before it is being used."""
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(next, steps, None)
        while (step := coming.result()) is not None:
            coming = worker.submit(next, steps, None)
            yield step


def _metadata(editor: Editor, drive: Drive, curve: Curve) -> Mapping[str, str]:
    guide = "reference film"
    if isinstance(drive, Constant):
        guide = drive.guide.describe()
    elif isinstance(drive, Shapes):
        guide = "blendshapes over time"
    elif isinstance(drive, Keyframes):
        guide = drive.describe()
    values = sorted({min(curve.values), max(curve.values)})
    about = editor.metadata(guide, " to ".join(f"{value:g}" for value in values), 0)
    return {key: value for key, value in about.items() if key != "faces"}
