"""The straight line of a film: read, follow, steady, edit each frame, mark it, write.

Four threads share it: one finds and fits the faces of frames to come, one draws them, one pastes
what is drawn into the frames, and one marks these and hands them to the encoder. Each takes the
frames in their order, so the bytes are those of one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from mien.editor import Editor
from mien.errors import FaceNotFound, FaceUndrawable
from mien.face_model.render import Rig
from mien.faces.paste import paste
from mien.heap import give_back
from mien.methods.base import Method
from mien.methods.registry import MODEL
from mien.provenance.credentials import Signer
from mien.provenance.mark import Known, embed
from mien.types import AlignedFace, Composition, Face, Faces, Float, UInt8
from mien.video.driving import Constant, Curve, Drive
from mien.video.following import followed
from mien.video.inbetween import MOST, Planned, Wanted, between, planned, strides
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
        groups = ahead(fitted(editor, steadies, drive, curve))
        known, frames = Known(), chain.from_iterable(ahead(drawn(editor, groups)))
        for made in ahead(ready.pasted(editor) for ready in frames):
            frame, pixels = made.steady.frame, made.marked(known)
            film.add(frame, pixels)
            count += 1
            edited += pixels is not frame.pixels
            shown |= any(points is not None for points in made.steady.points)
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


class Asked:
    """A face of a frame, fitted, and what it is to show."""

    def __init__(self, wanted: Wanted, crop: AlignedFace, batch: Faces[Float], fit: object) -> None:
        """`fit` is held until it is drawn, so that the drawing finds it."""
        self.wanted, self.crop, self.batch, self.fit = wanted, crop, batch, fit
        self._edit: Composition[Float] | None = None

    def edit(self, editor: Editor) -> Composition[Float]:
        """What is done to it; drawn once. FaceUndrawable where it cannot be."""
        if self._edit is None:
            guide, intensity = self.wanted.guide, self.wanted.intensity
            self._edit = editor.method.edit(self.batch, guide, intensity)
            self.fit = None
        return self._edit


@dataclass(frozen=True)
class Between:
    """A face of a frame `share` of the way between two that are drawn."""

    wanted: Wanted
    first: Asked
    last: Asked
    share: float

    @property
    def crop(self) -> AlignedFace:
        """It as it was compared."""
        return self.wanted.crop

    def edit(self, editor: Editor) -> Composition[Float]:
        """What is done to it. FaceUndrawable where one of the two cannot be drawn."""
        return between(self.first.edit(editor), self.last.edit(editor), self.share)


@dataclass(frozen=True)
class Ready:
    """A frame that can be drawn."""

    steady: Steady
    faces: tuple[Asked | Between, ...]

    def drawn(self, editor: Editor) -> Ready:
        """The same, its own faces drawn."""
        for asked in self.faces:
            if isinstance(asked, Asked):
                with suppress(FaceUndrawable):  # `pasted` leaves that face alone
                    asked.edit(editor)
        return self

    def pasted(self, editor: Editor) -> Drawn:
        """The frame with its edit."""
        pixels, done = self.steady.frame.pixels, list[Face]()
        for asked in self.faces:
            try:
                edit = asked.edit(editor)
            except FaceUndrawable:  # turned away for a moment: this frame stays as it is
                continue
            pixels = paste(pixels, asked.crop, edit)
            done.append(asked.wanted.face)
        still = all(isinstance(asked, Between) for asked in self.faces)
        return Drawn(self.steady, pixels, tuple(done), still)


@dataclass(frozen=True)
class Drawn:
    """A frame as it was edited, `pixels` (H, W, 3); the faces that were, and whether they are
    `still`."""

    steady: Steady
    pixels: UInt8
    faces: tuple[Face, ...]
    still: bool

    def marked(self, known: Known | None = None) -> UInt8:
        """The same with the mark; the frame's very pixels if nothing was asked. `known`: of the
        mark, from the frames before."""
        if known is not None:
            known.still = self.still
        source = self.steady.frame.pixels
        return embed(self.pixels, source, self.faces, known) if self.faces else source


def fitted(
    editor: Editor, frames: Iterator[Steady], drive: Drive, curve: Curve = FULL
) -> Iterator[tuple[Ready, ...]]:
    """Frames with what their faces are to show, in groups: of each, the last one's faces are fitted
    to be drawn, those before it lie between these and the last group's."""
    cast, drawn = Cast(), dict[int, Asked]()
    before: Planned | None = None
    most = MOST if editor.method.drawn_by == MODEL else 1
    for group in strides(planned(frames, drive, curve), most):
        for step in group:
            for index, points in enumerate(step.steady.points):
                if points is None:
                    cast.lost(index)
        *others, last = group
        asked = {
            index: _asked(editor, last.steady.frame.pixels, index, wanted, cast)
            for index, wanted in enumerate(last.faces)
            if wanted is not None
        }
        ready = []
        for step in others:
            assert before is not None
            share = step.share(before, last)
            faces = (
                Between(wanted, drawn[index], asked[index], share)
                for index, wanted in enumerate(step.faces)
                if wanted is not None
            )
            ready.append(Ready(step.steady, tuple(faces)))
        yield (*ready, Ready(last.steady, tuple(asked.values())))
        before, drawn = last, asked


def drawn(editor: Editor, groups: Iterable[tuple[Ready, ...]]) -> Iterator[tuple[Ready, ...]]:
    """Groups of frames with their faces drawn."""
    for group in groups:
        yield tuple(ready.drawn(editor) for ready in group)


def _asked(editor: Editor, pixels: UInt8, index: int, wanted: Wanted, cast: Cast) -> Asked:
    """A face of a frame (H, W, 3), fitted."""
    crop = editor.crop(pixels, wanted.face, side=wanted.side)
    batch = cast.known(index, Faces.stack([crop]), editor.method)
    return Asked(wanted, crop, batch, cast.fit(index, batch, editor.method))


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
