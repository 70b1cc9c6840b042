"""The straight line of one edit: read, detect, align, ask the method, paste back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from importlib import metadata as installed
from pathlib import Path
from typing import Any, TypeAlias

import cv2
import numpy as np

from mien import images
from mien.errors import FaceNotFound, FaceUndrawable
from mien.faces import align
from mien.faces.detect import choose, detect
from mien.faces.paste import paste
from mien.forked import working
from mien.guides import Guide, Label, Reference
from mien.images import Photo
from mien.methods.base import Method
from mien.methods.registry import MODEL, OWN
from mien.provenance import mark
from mien.provenance.credentials import Signer
from mien.sheet import sheet
from mien.types import AlignedFace, Composition, Face, Faces, Float, UInt8

Picture: TypeAlias = images.Given
"""A photograph in any form that `images.photograph` takes: read already, an array, a tensor, an
image of Pillow's, the path of a file.
"""

CLEARLY_LARGER = 2.0
"""`face="auto"` takes the largest face if it covers more than this many times the next one's area.
"""

SMALLEST, LARGEST = 128, 1024
"""Side of the crop, px, in which the face model draws a face: its own size, within these."""

_PORTRAIT = 1.12  # side of a sheet's picture, in sides of the crop that the method sees


@dataclass(frozen=True)
class Result:
    """An edited photograph, the faces edited, how many there were, and how it came about."""

    photo: Photo
    faces: tuple[Face, ...]
    found: int
    metadata: Mapping[str, str]
    source: Photo
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Time of each stage, in order."""
    heads: tuple[str, ...] = ()
    """What drew each face: `model`, the face model, or the method's `own` head."""
    held: tuple[str, ...] = ()
    """Parts of the faces that were left as they are, each with the reason."""
    taken: tuple[str, ...] = ()
    """Parts of the faces that another photograph of the person shows."""

    @property
    def pixels(self) -> UInt8:
        """The edited photograph, uint8 (H, W, 3) RGB."""
        return self.photo.pixels

    @cached_property
    def marked(self) -> Photo:
        """The edited photograph as it leaves: with the invisible mark where it was edited.

        `photo` itself where the edit changed no pixel.
        """
        if not cv2.norm(self.photo.pixels, self.source.pixels, cv2.NORM_INF):
            return self.photo
        return replace(self.photo, pixels=mark.embed(self.pixels, self.source.pixels, self.faces))

    def encode(self, suffix: str, signer: Signer | None = None) -> bytes:
        """The bytes of a JPEG, PNG or WebP file by `suffix`: marked, and saying how it was made.

        Signed by C2PA if there is a signer. Where the edit changed no pixel the file says nothing
        of it. ImageError or ProvenanceError.
        """
        altered = self.marked is not self.photo
        data = images.encode(self.marked, suffix, metadata=self.metadata, altered=altered)
        return signer.sign(data, suffix, self.metadata) if signer and altered else data

    def save(self, path: str | os.PathLike[str], signer: Signer | None = None) -> None:
        """Write `encode`'s bytes, all or nothing; ImageError if that fails."""
        images.store(path, self.encode(Path(path).suffix, signer))


@dataclass(frozen=True)
class Draft:
    """What a method does to one face of a photograph, before it is laid into it."""

    face: AlignedFace
    edit: Composition[Float]  # of this face alone, B = 1

    @property
    def head(self) -> str:
        """What drew it: `model` or `own`."""
        return OWN if self.edit.gain is None else MODEL

    def shrunk(self, scale: float) -> Draft:
        """The same edit for the photograph at `scale` times its size."""
        matrix = self.face.matrix.astype(np.float64)
        matrix[:, 2] += matrix[:, :2].sum(1) * (0.5 / scale - 0.5)  # pixel centres are whole
        matrix[:, :2] /= scale
        return replace(self, face=replace(self.face, matrix=matrix.astype(np.float32)))


@dataclass(frozen=True)
class Editor:
    """Photographs in, photographs out, for any method. Safe to share among threads; processes are
    made by spawn.

    >>> from mien.editor import Editor
    >>> Editor.edit.__annotations__["intensity"]
    'float'
    """

    method: Method[Any]
    weights: str = ""
    """SHA-256 of the method's weights, written in the metadata of every result."""

    def edit(
        self, photo: Picture, guide: Guide, intensity: float = 1.0, face: str = "largest"
    ) -> Result:
        """The photograph with the guide's expression on one face or, with `face="all"`, on all.

        `intensity` 0 is the photograph itself, to the byte; 1 is the guide; beyond is allowed.
        `face` is `largest`, `all`, `index N`, `near X,Y`, or `auto`: the only face or one that is
        clearly the largest. Of several faces those that cannot be drawn are left alone. ImageError,
        FaceNotFound, FaceUndrawable or GuideError say in one line what is wrong.
        """
        clock = _Clock()
        with clock("read"):
            source = _photo(photo)
        with clock("detect"):
            found = detect(source.pixels)
            faces = pick(found, face)
        with clock("align"):
            believed = [i for i, f in enumerate(faces) if not f.doubt] or range(len(faces))
            crops = {i: self.crop(source.pixels, faces[i]) for i in believed}
        with clock("edit"):
            drafts = self._possible(crops, guide, intensity)
        with clock("paste"):
            edited = paste_back(source, [draft for _, draft in drafts])
        changed = tuple(faces[i] for i, _ in drafts)
        heads = tuple(draft.head for _, draft in drafts)
        metadata = self.metadata(guide.describe(), f"{intensity:g}", len(changed))
        metadata |= {"heads": ",".join(heads)}
        held, taken = said_of([draft for _, draft in drafts])
        metadata |= in_words(held, taken)
        seconds = clock.seconds
        return Result(edited, changed, len(found), metadata, source, seconds, heads, held, taken)

    def draft(
        self, photo: Photo, faces: Sequence[Face], guide: Guide, intensity: float = 1.0
    ) -> list[Draft]:
        """What the guide would do to each of these faces, which `faces.detect` found: for callers
        that look at an edit before it is made. One face may be given several times, with a label
        for each.
        """
        crops = [self.crop(photo.pixels, f) for f in faces]
        return self._drafts(crops, guide, intensity)

    def draft_of(
        self,
        crop: AlignedFace,
        batch: Faces[Float],
        guide: Guide,
        intensity: float = 1.0,
        side: int | None = None,
    ) -> Draft:
        """What the guide would do to one face, of which the crop (`crop`) and the batch of it alone
        (`Faces.stack`) are at hand: for callers that ask for one face again and again.

        With `side`, px, what the face model draws has that side at most; who it draws, the fit and
        its textures, is the crop's all the same.
        """
        return Draft(crop, self.method.edit(batch, guide, intensity, side))

    def crop(
        self, pixels: UInt8, face: Face, most: int = LARGEST, side: float | None = None
    ) -> AlignedFace:
        """A face as the method gets it: at its own size in the photograph (H, W, 3), or of another
        `side`, up to `most` px, if the face model draws it; else at the size of the networks.

        FaceUndrawable where the landmarks are not believed."""
        working()
        if face.doubt:
            raise FaceUndrawable(f"this face is left alone: {face.doubt}")
        if self.method.drawn_by != MODEL:
            return align.align(pixels, face, self.method.size)
        side = align.side_of(face) if side is None else side
        return align.align(pixels, face, int(np.clip(side, SMALLEST, most)))

    def metadata(self, guide: str, intensity: str, faces: int) -> dict[str, str]:
        """What a result's file says of how it came about."""
        return {
            "Software": f"mien {_version()}",
            "method": self.method.name,
            "guide": guide,
            "intensity": intensity,
            "faces": str(faces),
        } | {
            said: digest
            for said, digest in (("weights", self.weights), ("reader", self.method.read_by))
            if digest
        }

    def swap(self, a: Picture, b: Picture, face: str = "largest") -> tuple[Result, Result]:
        """Both photographs, each with the other's expression."""
        first, second = _photo(a), _photo(b)
        own, other = self.reference(first, face), self.reference(second, face)
        return self.edit(first, other, face=face), self.edit(second, own, face=face)

    def reference(self, photo: Picture, face: str = "largest") -> Reference:
        """A photograph as a guide: the expression of its face is transferred."""
        pixels = _photo(photo).pixels
        (found,) = pick(detect(pixels), face)[:1]
        return Reference(_batch(self.crop(pixels, found)))

    def portrait(
        self, photo: Picture, size: int = 256, face: str = "largest"
    ) -> tuple[UInt8, Face]:
        """One face upright with its surroundings, uint8 (size, size, 3), and where in it the face
        is.
        """
        pixels = _photo(photo).pixels
        found = pick(detect(pixels), face)[0]
        matrix = align.resized(align.matrix_of(found, size), size, round(size / _PORTRAIT))
        matrix[:, 2] += (size - round(size / _PORTRAIT)) / 2
        points = align.transform(matrix, found.landmarks)
        return align.warp(pixels, matrix, size), replace(found, landmarks=points)

    def sheet(
        self,
        photos: Mapping[str, Picture] | Sequence[Picture],
        labels: Sequence[str],
        intensity: float = 1.0,
        size: int = 256,
        face: str = "largest",
    ) -> UInt8:
        """A picture grid: a row per person, the photograph first, then a column per label.

        `photos` may name its people. Every picture is `size` px wide, and the edit is applied at
        that size.
        """
        named = photos if isinstance(photos, Mapping) else {str(i): p for i, p in enumerate(photos)}
        rows = [
            [shown, *(self.on_portrait(shown, found, Label(name), intensity) for name in labels)]
            for shown, found in (self.portrait(photo, size, face) for photo in named.values())
        ]
        return sheet(rows, ["source", *labels], list(named) if isinstance(photos, Mapping) else ())

    def on_portrait(self, shown: UInt8, found: Face, guide: Guide, intensity: float = 1.0) -> UInt8:
        """A portrait (as `portrait` gives it) with the guide's expression, marked, at its own
        size.
        """
        (draft,) = self._drafts([self.crop(shown, found)], guide, intensity)
        return mark.embed(paste(shown, draft.face, draft.edit), shown, [found])

    def explain(
        self, photo: Picture, guide: Guide, size: int = 256, face: str = "largest"
    ) -> dict[str, UInt8]:
        """What the method makes of one face on the way to the guide's expression: pictures uint8
        (size, size, 3) by name, the face first and the result last, which is marked; ConfigError if
        it shows nothing.
        """
        pixels = _photo(photo).pixels
        found = pick(detect(pixels), face)[0]
        crop = align.align(pixels, found, self.method.size)
        source = self.method.seen(_batch(crop))
        steps = self.method.explain(source, self.method.expression(guide, source))
        from mien.nn.compose import resize  # whoever has something to show has torch
        from mien.nn.tensors import to_uint8

        named = {"source": source.pixels, **dict(steps)}
        shown = {name: to_uint8(resize(seen, size))[0] for name, seen in named.items()}
        matrix = align.resized(crop.matrix, self.method.size, size)
        here = Face.at(align.transform(matrix, found.landmarks))
        result = list(shown)[-1]
        shown[result] = mark.embed(shown[result], shown["source"], [here])
        return shown

    def _possible(
        self, crops: Mapping[int, AlignedFace], guide: Guide, intensity: float
    ) -> list[tuple[int, Draft]]:
        """A draft of each face that can be drawn, and which it is; FaceUndrawable if none can."""
        drafts, refusal = [], None
        for i, crop in crops.items():
            try:
                edit = self.method.edit(_batch(crop), guide.of(i), intensity)
            except FaceUndrawable as error:
                refusal = error
            else:
                drafts.append((i, Draft(crop, edit)))
        if refusal is not None and not drafts:
            raise refusal
        return drafts

    def _drafts(self, crops: Sequence[AlignedFace], guide: Guide, intensity: float) -> list[Draft]:
        return [
            Draft(crop, self.method.edit(_batch(crop), guide.of(i), intensity))
            for i, crop in enumerate(crops)
        ]


@cache
def _version() -> str:
    """mien's own; to read it takes as long as to mark a face."""
    return installed.version("mien")


def _batch(crop: AlignedFace) -> Faces[Float]:
    return Faces.stack([crop])


def said_of(drafts: Sequence[Draft]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What drafts leave as it is, and what they take from another photograph, each said once."""
    held = tuple(dict.fromkeys(reason for draft in drafts for reason in draft.edit.held))
    return held, tuple(dict.fromkeys(part for draft in drafts for part in draft.edit.taken))


def in_words(held: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """The same for the metadata of a file, without what there is nothing of."""
    said = {"held": "; ".join(held), "taken": "; ".join(taken)}
    return {key: text for key, text in said.items() if text}


class _Clock:
    """Seconds per stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        self.seconds[stage] = time.perf_counter() - began


def paste_back(source: Photo, drafts: Sequence[Draft]) -> Photo:
    """The photograph with drafts laid into it, one after the other; a grey one stays grey."""
    pixels = source.pixels
    for draft in drafts:
        pixels = paste(pixels, draft.face, draft.edit)
    return replace(source, pixels=_as_grey_as(source, pixels))


def pick(faces: Sequence[Face], spec: str) -> list[Face]:
    """`faces.choose`, and `auto`: the only face or one that is clearly the largest, else
    FaceNotFound.
    """
    if spec != "auto":
        return choose(faces, spec)
    # the landmarks' extent: it is finer than the detector's boxes
    first, *others = [float(np.prod(np.ptp(f.landmarks, axis=0))) for f in faces] or [0.0]
    if others and first <= CLEARLY_LARGER * max(others):
        raise FaceNotFound(
            f"{len(faces)} faces of like size: say which with --face largest, all, 'index N' "
            "or 'near X,Y'"
        )
    return choose(faces, "largest")


def check_face(spec: str) -> None:
    """GuideError unless `spec` is a way to choose a face."""
    with suppress(FaceNotFound):  # of no faces: only how it is asked for
        pick((), spec)


def _photo(photo: Picture) -> Photo:
    working()
    return images.photograph(photo)


def _as_grey_as(source: Photo, pixels: UInt8) -> UInt8:
    """Paint has colour; a grey photograph stays grey."""
    if not _grey(source.pixels) or _grey(pixels):
        return pixels
    grey = np.rint(pixels @ np.array([0.299, 0.587, 0.114], np.float32)).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def _grey(pixels: UInt8) -> bool:
    """Whether no pixel has a colour; a few lines tell most photographs that have."""
    few = pixels[:: max(1, len(pixels) // 16)]
    return bool((few == few[..., :1]).all()) and bool((pixels == pixels[..., :1]).all())
