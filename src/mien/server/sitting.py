"""One photograph in the studio: its faces, what each of them shows, and the way back.

Every look is made from the photograph itself, never from an edit of an edit, so that nothing is
lost by trying; what a method answers is kept, so that a step back costs only the pasting.
"""

from __future__ import annotations

import math
import secrets
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mien import facs, images
from mien.editor import Draft, Editor, Result, in_words, paste_back, said_of
from mien.errors import MienError
from mien.faces import align
from mien.faces.detect import choose, detect
from mien.guides import ActionUnits, ExpressionSpec, Reference, blendshapes
from mien.images import Photo
from mien.server.cropping import AROUND, cut, portrait, reading_order, seen_at, shrunk
from mien.server.drafts import LIVE_FACE, Drafts
from mien.server.posing import moved
from mien.server.wish import Look, Step, Wish
from mien.types import Face, UInt8

PREVIEW = 1024
"""Longest side of what is shown while one edits, px; a download has the photograph's own size."""
LIVE = 512
"""The same while a slider is moved; more where faces are small in it (`drafts.LIVE_FACE`)."""
TILE = 144
"""Side of a picture in the live sheet, px."""

_LONGEST_PAST = 60


class Gone(MienError):
    """A photograph that was open in the studio is not any more."""


@dataclass(frozen=True)
class Guest:
    """A photograph that may be a reference: its faces in the order of reading, and the place
    of each among them by size (`faces.detect.choose`, `index N`)."""

    photo: Photo
    name: str
    faces: tuple[Face, ...]
    places: tuple[int, ...]

    def face(self, index: int) -> str:
        """The face in words that the editor takes; Gone when there is none."""
        if not 0 <= index < len(self.places):
            raise Gone("there is no such face")
        return f"index {self.places[index]}"


class Sitting:
    """A photograph, its faces and its looks. It is used at the desk only, by one thread.

    `chosen` is the face that is edited, None for all; faces are counted in the order of reading.
    """

    def __init__(self, photo: Photo, editor: Editor, name: str = "photo") -> None:
        self.key = secrets.token_urlsafe(18)
        self.photo, self.name, self.editor = photo, name, editor
        largest = choose(detect(photo.pixels), "all")
        self.faces = reading_order(largest)
        self.chosen: int | None = self.faces.index(largest[0])
        self.guests: dict[str, Guest] = {}
        """Who may be the reference (`like`), and who may swap (`swap`)."""
        self.made: tuple[str, Look, bytes] | None = None
        """A download that was made and not fetched yet: its name, of which look, its bytes."""
        self.taken = 0
        """How often a guest's expression was taken."""
        self.steps = [Step((None,) * len(self.faces))]
        self.at = 0
        self.other: Result | None = None
        """The second photograph of a swap, with the expression of the first."""
        self.tiles: dict[str, UInt8] = {}
        """The last `sheet` of each label."""
        self._encoded_tiles: dict[str, tuple[UInt8, bytes]] = {}
        self.sent: dict[tuple[str, ...], str] = {}
        """The sheet of these labels that the page was sent last."""
        self._scale = min(1.0, PREVIEW / max(photo.pixels.shape[:2]))
        self.small = replace(photo, pixels=shrunk(photo.pixels, self._scale), alpha=None)
        self._live: tuple[float, Photo] | None = None
        self._drafts = Drafts(photo, self.faces)

    def guest(self, kind: str) -> Guest:
        """Who may be the reference or swap; Gone when nobody was invited."""
        if kind not in self.guests:
            raise Gone("give the other photograph first")
        return self.guests[kind]

    @property
    def references(self) -> list[Photo]:
        """The photographs of the guests."""
        return [guest.photo for guest in self.guests.values()]

    @property
    def looks(self) -> list[Look]:
        """The history."""
        return [step.look for step in self.steps]

    @property
    def look(self) -> Look:
        """What the faces show now."""
        return self.steps[self.at].look

    @property
    def targets(self) -> tuple[int, ...]:
        """The faces that are edited."""
        return tuple(range(len(self.faces))) if self.chosen is None else (self.chosen,)

    @property
    def worn(self) -> Wish | None:
        """What the first chosen face shows."""
        return self.look[self.targets[0]]

    def wear(self, wish: Wish | None) -> None:
        """A new look: the chosen faces show `wish`. A step of the same name, such as a slider that
        moves on, takes the place of the last one.
        """
        look = tuple(wish if i in self.targets else w for i, w in enumerate(self.look))
        if look == self.look:
            return
        del self.steps[self.at + 1 :]
        if self._continues(look):
            self.steps[self.at] = Step(look)
        else:
            self.steps = [*self.steps[:1], *self.steps[1:][-_LONGEST_PAST:], Step(look)]
        self.at = len(self.steps) - 1

    def turn(self, intensity: float) -> None:
        """The chosen faces show what they do, by another intensity."""
        look = tuple(
            replace(w, intensity=intensity) if w and i in self.targets else w
            for i, w in enumerate(self.look)
        )
        if look != self.look:
            self.steps[self.at :] = [Step(look)]

    def go(self, step: int) -> None:
        """To a step of the history, counted from 0, the photograph as it was; steps stay there."""
        self.at = min(max(step, 0), len(self.steps) - 1)

    def use(self, editor: Editor) -> None:
        """Another method from now on."""
        self.editor, self.made = editor, None

    def preview(self, live: bool = False) -> UInt8:
        """The look, uint8 (h, w, 3), at `PREVIEW` px, or, while a slider is moved, `live`, drawn
        at `LIVE_FACE` for a picture of `LIVE` px: marked, for it may be kept as well."""
        step = self.steps[self.at]
        if live:
            return self._seen(step.look, *self._shown_live(), self._drafts.live)
        pixels = self._seen(step.look, self._scale, self.small, self._drafts.full)
        if not step.picture:
            step.picture = self._thumbnail(step.look, pixels)
        return pixels

    def picture(self, name: str) -> bytes:
        """The face of a step of the history, JPEG: made now for one that was seen live only; Gone
        when there is no such step."""
        step = next((step for step in self.steps if step.name == name), None)
        if step is None:
            raise Gone("there is no such step")
        if not step.picture:
            pixels = self._seen(step.look, self._scale, self.small, self._drafts.full)
            step.picture = self._thumbnail(step.look, pixels)
        return step.picture

    def _thumbnail(self, look: Look, pixels: UInt8) -> bytes:
        face = seen_at(self.faces[self.targets[0]], self._scale)
        return images.encode(portrait(pixels, face), ".jpg", altered=any(look))

    def _seen(
        self, look: Look, scale: float, small: Photo,
        made: Callable[[Editor, int, Wish], Draft],
    ) -> UInt8:  # fmt: skip
        """A look on the photograph at a scale, marked."""
        worn = [(i, w) for i, w in enumerate(look) if w is not None]
        drafts = [made(self.editor, i, w) for i, w in worn]
        seen = paste_back(small, [draft.shrunk(scale) for draft in drafts])
        faces = tuple(seen_at(self.faces[i], scale) for i, _ in worn)
        return Result(seen, faces, len(self.faces), {}, small).marked.pixels

    def result(self) -> Result:
        """The look at the photograph's own size."""
        worn = [(i, w) for i, w in enumerate(self.look) if w is not None]
        drafts = [self._drafts.full(self.editor, i, w) for i, w in worn]
        photo = paste_back(self.photo, drafts)
        heads = tuple(draft.head for draft in drafts)
        metadata = self.editor.metadata(
            "; ".join(w.guide.describe() for _, w in worn) or "none",
            "; ".join(f"{w.intensity:g}" for _, w in worn) or "0",
            len(worn),
        )
        metadata |= {"heads": ",".join(heads)}
        held, taken = said_of(drafts)
        metadata |= in_words(held, taken)
        faces = tuple(self.faces[i] for i, _ in worn)
        return Result(photo, faces, len(self.faces), metadata, self.photo, {}, heads, held, taken)

    def sheet(self, intensity: float, labels: Sequence[str] = facs.EMOTIONS) -> dict[str, UInt8]:
        """The first of the chosen faces in these expressions, uint8 (s, s, 3), s up to `TILE`."""
        face = self.targets[0]
        wishes = [Wish.label(name, intensity) for name in labels]
        drafts = self._drafts.labels(self.editor, face, wishes)
        left, top, right, bottom = self.faces[face].box
        side = AROUND * max(right - left, bottom - top)
        scale = min(1.0, TILE / side)
        tiny = Photo(shrunk(self.photo.pixels, scale))
        corner = ((left + right - side) / 2 * scale, (top + bottom - side) / 2 * scale)
        made = {
            w.name: cut(paste_back(tiny, [d.shrunk(scale)]).pixels, corner, side * scale)
            for w, d in zip(wishes, drafts, strict=True)
        }
        self.tiles |= made
        return made

    def encoded_tile(self, name: str, quality: int) -> bytes:
        """A picture of the sheet, JPEG, encoded once."""
        pixels = self.tiles[name]
        if (kept := self._encoded_tiles.get(name)) is None or kept[0] is not pixels:
            data = images.encode(Photo(pixels), ".jpg", altered=True, quality=quality)
            self._encoded_tiles[name] = kept = pixels, data
        return kept[1]

    def moved(self, unit: str, value: float, intensity: float) -> Wish:
        """What the first chosen face shows, with this unit set on top of it too."""
        covered = set(facs.columns(unit))
        kept = [s for s in self._asked() if not set(facs.columns(s.unit)) <= covered]
        units = (*kept, facs.Setting(unit, value))
        texts = tuple(ActionUnits((setting,)).describe() for setting in units)
        return self._on_top(intensity, au=texts)

    def posed(self, place: int, value: Any, intensity: float) -> Wish | None:
        """What the first chosen face shows, with this field of `posing` moved, counted from 0."""
        asked = self.worn.spec if self.worn else ExpressionSpec()
        wish = self._on_top(intensity, **moved(asked, place, value))
        return None if wish.spec.empty else wish

    def _on_top(self, intensity: float, **fields: Any) -> Wish:
        worn = self.worn or Wish("", intensity, ExpressionSpec())
        return replace(worn, intensity=intensity, spec=replace(worn.spec, **fields))

    def without_units(self) -> Wish | None:
        """What the first chosen face shows, without the units that were set on top of it."""
        wish = None if self.worn is None else self._on_top(self.worn.intensity, au=())
        return None if wish is None or wish.spec.empty else wish

    def units_now(self) -> dict[str, float]:
        """Where the units of the first chosen face are, 0..1: those that were set, and of the
        others what it shows, by the method's own reading.
        """
        method, wish = self.editor.method, self.worn
        faces = method.seen(self.as_reference().faces)
        code = own = method.shown(faces)
        if wish is not None:
            code = method.wanted(faces, own, wish.guide, wish.intensity)
        read = method.numbers(method.units(code))[0]
        return dict(zip(facs.UNITS, facs.apply(self._asked(), read).tolist(), strict=True))

    def shapes_now(self) -> dict[str, float]:
        """Where ARKit's blendshapes of the first chosen face are, 0..1, without intensity: those
        that were asked for, or what it shows."""
        spec = self.worn.spec if self.worn else ExpressionSpec()
        if spec.blendshapes is not None and not spec.au:
            return dict.fromkeys(blendshapes.NAMES, 0.0) | dict(spec.blendshapes)
        method, faces = self.editor.method, self.editor.method.seen(self.as_reference().faces)
        code = own = method.shown(faces)
        bare = replace(spec, gaze=None, turn=None, light=None, region="face")
        if self.worn is not None and not bare.empty:
            code = method.wanted(faces, own, bare.guide(self.worn.reference), 1.0)
        row = method.blendshapes(code)[0]
        return {n: round(float(v), 2) for n, v in zip(blendshapes.NAMES, row, strict=True)}

    def shaped(self, name: str, value: float, intensity: float) -> Wish:
        """What the first chosen face shows, with a blendshape moved."""
        worn = self.worn or Wish("", intensity, ExpressionSpec())
        wish = worn.shaped(self.shapes_now(), name, value)
        return replace(wish, intensity=intensity, reference=None)

    def unshaped(self) -> Wish | None:
        """What the first chosen face wore before blendshapes were moved."""
        wish = self.worn
        if wish is None or wish.before is None:
            return wish
        return None if wish.before.spec.empty else wish.before

    def _asked(self) -> tuple[facs.Setting, ...]:
        return tuple(facs.parse(unit) for unit in self.worn.spec.au) if self.worn else ()

    def as_reference(self) -> Reference:
        """The first chosen face, as it was, as a guide."""
        face = self.faces[self.targets[0]]
        left, top, right, bottom = face.box
        return self.editor.reference(
            self.photo, face=f"near {(left + right) / 2:g},{(top + bottom) / 2:g}"
        )

    def _shown_live(self) -> tuple[float, Photo]:
        """The photograph as it is shown while a slider is moved, and its scale."""
        height, width = self.photo.pixels.shape[:2]
        face = align.side_of(self.faces[self.targets[0]])
        scale = min(self._scale, max(LIVE / max(height, width), LIVE_FACE / face))
        if self._live is None or self._live[0] != scale:
            small = shrunk(self.photo.pixels, scale)
            self._live = scale, replace(self.photo, pixels=small, alpha=None)
        return self._live

    def _continues(self, look: Look) -> bool:
        """Whether the step to `look` goes on with the one before it: the same wish, moved."""
        if self.at == 0:
            return False
        pairs = zip(look, self.look, self.steps[self.at - 1].look, strict=True)
        moved = [(new, old, first) for new, old, first in pairs if new != old]
        return all(
            new and old and new.kind == old.kind and old != first for new, old, first in moved
        )


class Sittings:
    """Photographs open in the studio, by key; those unused for longest give way to new ones."""

    def __init__(self, most: int = 16, pixels: int = 120_000_000) -> None:
        self._most, self._pixels = most, pixels
        self._open: OrderedDict[str, Sitting] = OrderedDict()

    def add(self, sitting: Sitting, instead: str = "") -> None:
        """Keep one, in the place of the one that the same browser had open before."""
        self._open.pop(instead, None)
        self._open[sitting.key] = sitting
        while len(self._open) > 1 and (len(self._open) > self._most or self._size() > self._pixels):
            self._open.popitem(last=False)

    def __contains__(self, key: str) -> bool:
        return key in self._open

    def get(self, key: str) -> Sitting:
        """The sitting; Gone when there is none."""
        if key not in self._open:
            raise Gone("open a photograph first" if not key else "open the photograph again")
        self._open.move_to_end(key)
        return self._open[key]

    def _size(self) -> int:
        """Pixels of all photographs, and of downloads that wait, three bytes each."""
        photos = [p for s in self._open.values() for p in (s.photo, *s.references)]
        waiting = [len(s.made[2]) // 3 for s in self._open.values() if s.made]
        return sum(math.prod(photo.pixels.shape[:2]) for photo in photos) + sum(waiting)
