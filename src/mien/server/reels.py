"""A film in the studio: what came in, what is to drive it, and the film that comes of it.

Films are too large for memory: each reel has a folder of its own, which goes when it does.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from mien import images
from mien.editor import Editor
from mien.errors import FaceNotFound, GuideError, MienError, VideoError
from mien.guides import ExpressionSpec, Guide, Reference
from mien.images import Photo
from mien.server import intake
from mien.server.answers import Refused
from mien.server.limits import Limits
from mien.server.making import Making, Projects
from mien.server.orders import FILM, LABEL, PHOTO, SHAPES, Later, Order, shown_alike
from mien.server.sitting import Gone, Sitting
from mien.server.sources import media_type, write_still
from mien.server.wish import MOST, Wish
from mien.server.workshop import Workshop
from mien.types import UInt8
from mien.video.driving import Constant, Curve, Drive, DrivingFilm
from mien.video.film import FULL, Cut, film_steps
from mien.video.keyframes import LONGEST, Keyframe, Keyframes
from mien.video.reading import Film, look
from mien.video.shapes import Shapes

_LONGEST_RECORDING = 20_000_000  # bytes
_MOST_KEYS = 50  # and points of the intensity
_LEAST_GAP = 0.05  # s between two of them
_LONGEST_CURVE = 1_000_000  # bytes
_NOTHING = Cut(0, 0, 0.0)


@dataclass
class Filming(Making):
    """A film that is being made, or was."""

    cut: Cut = _NOTHING


class Reel:
    """One film that is open, and what drives it. Its films lie in its folder."""

    def __init__(self, session: str = "") -> None:
        self.key, self.session = secrets.token_urlsafe(18), session
        self.source: Film | None = None
        self.first: UInt8 | None = None
        """The source's first picture, (H, W, 3)."""
        self.photo: Photo | None = None
        self.film: Film | None = None
        self.shapes: Shapes | None = None
        self.curve: Curve | None = None
        self.keyframes: tuple[Keyframe, ...] = ()
        """Expressions one after another; they take the place of an order's own."""
        self.names: dict[str, str] = {}
        """What the files of `source`, `photo`, `film` and `curve` are called where they come from.
        """
        self.result: Path | None = None
        self._frame: tuple[float, Sitting | None] | None = None
        """The moment that was looked at last, and the frame as a photograph with faces."""
        self._read: tuple[Editor, Reference] | None = None
        self.makings: list[Filming] = []
        self._folder = tempfile.TemporaryDirectory(prefix="mien-film-")

    @property
    def busy(self) -> bool:
        """Whether a film is being made of it."""
        return bool(self.makings) and not self.makings[-1].ended

    def open(self, upload: Path, name: str, limits: Limits) -> None:
        """Take a film that was sent, or a photograph that is to be animated, which becomes a film
        of itself; VideoError, ImageError or Refused, and then no film is open."""
        if self.busy:
            upload.unlink(missing_ok=True)
            raise Refused(429, "busy", "a film is being made: wait until it is done, or cancel it")
        self._drop(self.source.path if self.source else None)
        self._drop(self.result)
        self.source = self.result = self.first = self._frame = None
        self.source = self._film(self._moving(upload, name, limits), name, limits)
        with self._naming(self.source.path, name):
            self.first = next(self.source.frames()).pixels
        self.names["source"] = name

    def set_reference(self, by: str, upload: Path, name: str, limits: Limits) -> None:
        """Take a photograph or a film as the reference."""
        self._frame = self._read = None
        if by == FILM:
            self._drop(self.film.path if self.film else None)
            self.film = None
            self.film = self._film(upload, name, limits)
            self.names["film"] = name
            return
        if by == SHAPES:
            self._record(upload, name)
            return
        try:
            self.photo = intake.photo(upload.read_bytes(), limits, "the photograph")
            self.names["photo"] = name
        finally:
            upload.unlink(missing_ok=True)

    def _record(self, upload: Path, name: str) -> None:
        """Take a recording of blendshapes."""
        try:
            if upload.stat().st_size > _LONGEST_RECORDING:
                raise VideoError(f"{name} is too long: cut it")
            with self._naming(upload, name):
                self.shapes = Shapes.read(upload)
            self.names["shapes"] = name
        finally:
            upload.unlink(missing_ok=True)

    def _moving(self, upload: Path, name: str, limits: Limits) -> Path:
        """The film that was sent, or of a photograph one that stands still."""
        with upload.open("rb") as file:
            if images.of_head(file.read(64)) is None:
                return upload
        try:
            photo = intake.photo(upload.read_bytes(), limits, name)
        finally:
            upload.unlink(missing_ok=True)
        still = Path(self._folder.name) / f"{secrets.token_hex(8)}.mp4"
        write_still(still, photo, limits)
        return still

    def bend(self, upload: Path | None, name: str = "") -> None:
        """Take an intensity curve, or none."""
        self.curve = None
        if upload is None:
            return
        try:
            if upload.stat().st_size > _LONGEST_CURVE:
                raise VideoError(f"{name} is too long: give fewer points")
            with self._naming(upload, name):
                self.curve = Curve.read(upload)
            self.names["curve"] = name
        finally:
            upload.unlink(missing_ok=True)

    def set_point(self, time: float, value: float, before: float | None = None) -> None:
        """A point of the intensity, s and 0 to 1 or more; it takes the place of the one at
        `before`, and of one that is next to it."""
        if self.source is None:
            raise Gone("open a film first")
        if not (0 <= time <= LONGEST and 0 <= value <= MOST):
            raise GuideError(f"a point has a time and an intensity from 0 to {MOST:g}")
        keys = {} if self.curve is None else dict(self.curve.points)
        for other in list(keys):
            if shown_alike(other, before) or abs(other - time) < _LEAST_GAP:
                del keys[other]
        if len(keys) >= _MOST_KEYS:
            raise GuideError(f"up to {_MOST_KEYS} points: send a CSV file for more")
        keys[round(time, 2)] = round(value, 2)
        self._curved(keys)

    def drop_point(self, time: float) -> None:
        """A point less."""
        points = () if self.curve is None else self.curve.points
        self._curved({at: value for at, value in points if not shown_alike(at, time)})

    def _curved(self, keys: dict[float, float]) -> None:
        times = tuple(sorted(keys))
        self.curve = Curve(times, tuple(keys[time] for time in times)) if times else None
        self.names["curve"] = "Intensity over time"

    def set_expression(self, time: float, spec: ExpressionSpec) -> None:
        """A keyframe of the expression at a time, s; it takes the place of one that is next to it.
        GuideError for one that needs a photograph, or one too many."""
        if self.source is None:
            raise Gone("open a film first")
        kept = [key for key in self.keyframes if abs(key.time - time) >= _LEAST_GAP]
        self.take_expressions([*kept, Keyframe(round(time, 2), spec)])

    def drop_expression(self, time: float) -> None:
        """A keyframe of the expression less."""
        self.keyframes = tuple(key for key in self.keyframes if not shown_alike(key.time, time))

    def keyframe(self, time: float) -> Keyframe | None:
        """The one that the page shows at a time."""
        return next((key for key in self.keyframes if shown_alike(key.time, time)), None)

    def take_expressions(self, keys: Sequence[Keyframe]) -> None:
        """Keyframes of the expression in place of those before; GuideError as for one."""
        if len(keys) > _MOST_KEYS:
            raise GuideError(f"up to {_MOST_KEYS} keyframes here: mien video takes more")
        for key in keys:
            if key.spec.like is not None:
                raise GuideError(f"a keyframe needs {key.spec.like}: mien video takes such")
        self.keyframes = tuple(sorted(keys, key=lambda key: key.time))

    def strength(self, order: Order, time: float) -> float:
        """The intensity at a moment of the film, s."""
        return (self.curve or FULL).scaled(order.intensity).at(time)

    def preview(self, editor: Editor, order: Order, time: float) -> UInt8:
        """The frame of a moment, uint8 (h, w, 3) with sides up to `sitting.PREVIEW`, as the order
        would make it: marked, and without what steadies a film from frame to frame."""
        if self.source is None:
            raise Gone("open a film first")
        sitting = self._sitting(editor, time)
        if sitting is None:
            raise FaceNotFound("no face found at this moment: move on")
        reference: Guide | None = None
        base, spec = "", order.asked
        kept = None if order.by in (FILM, SHAPES) else order.kept
        if order.by == LABEL and self.keyframes and not order.single:
            reference, kept = Keyframes.of(self.keyframes, kept).at(time), None
            base = "" if reference is None else reference.describe()
            spec = ExpressionSpec(like="the keyframes")
        elif order.by == PHOTO:
            reference = self._reference(editor)
        elif order.by == FILM and self.film is not None:
            spec, shown = ExpressionSpec(like="the film"), self.film.frame_at(time)
            reference = editor.reference(Photo(shown.pixels))
        elif order.by == FILM:
            spec = ExpressionSpec()
        elif order.by == SHAPES:
            weights = dict(self.shapes.at(time).weights) if self.shapes else {}
            spec = ExpressionSpec(blendshapes=weights or None)
        there = not spec.empty and (spec.like is None or reference is not None)
        strength = self.strength(order, time)
        sitting.chosen = None if order.face == "all" else 0
        sitting.go(0)
        wish = Wish(base, strength, spec, reference, kept=kept)
        sitting.wear(wish if there and strength else None)
        return sitting.preview()

    def _reference(self, editor: Editor) -> Reference | None:
        """What the reference shows, read once for each method."""
        if self.photo is not None and (self._read is None or self._read[0] is not editor):
            self._read = editor, editor.reference(self.photo)
        return None if self.photo is None or self._read is None else self._read[1]

    def _sitting(self, editor: Editor, time: float) -> Sitting | None:
        assert self.source is not None
        if self._frame is None or self._frame[0] != time:
            pixels = self.source.frame_at(time).pixels
            try:
                self._frame = time, Sitting(Photo(pixels), editor)
            except FaceNotFound:
                self._frame = time, None
        sitting = self._frame[1]
        if sitting is not None:
            sitting.use(editor)
        return sitting

    def check(self, order: Order) -> None:
        """Gone or GuideError unless all is there that the order needs."""
        if self.source is None:
            raise Gone("open a film first")
        if not 0 <= order.start < min(order.end, self.source.seconds or math.inf):
            raise GuideError("nothing is left of the film: let it begin before it ends")
        if order.by == LABEL and order.spec.empty and not self.keyframes:
            raise GuideError("choose an expression")
        if order.by == PHOTO and self.photo is None:
            raise GuideError("give the reference photograph")
        if order.by == FILM and self.film is None:
            raise GuideError("give the reference film")
        if order.by == SHAPES and self.shapes is None:
            raise GuideError("give the recording of blendshapes (CSV)")

    def part(self, order: Order) -> Film:
        """The part of the film that is made; one that goes to the end has all of the sound."""
        if self.source is None:
            raise Gone("open a film first")
        end = math.inf if order.end >= self.source.seconds > 0 else order.end
        return replace(self.source, start=order.start, end=end)

    def steps(self, editor: Editor, order: Order, limits: Limits) -> Generator[Cut, None, None]:
        """Make the film, frame by frame; `result` at the end, nothing if it is closed before."""
        self.check(order)
        assert self.source is not None
        target = Path(self._folder.name) / f"{secrets.token_hex(8)}.mp4"
        curve = (self.curve or FULL).scaled(order.intensity)
        curve = replace(curve, times=tuple(time - order.start for time in curve.times))
        part = self.part(order)
        with self._naming(target, "the result"), self._naming(self.source.path, self._called()):
            drive = self._drive(editor, order)
            with contextlib.closing(
                film_steps(editor, part, target, drive, curve, order.face)
            ) as steps:
                for cut in steps:
                    self._bound(cut, target, limits)
                    yield cut
            self._bound(cut, target, limits)  # the encoder holds much back until the end
        self._drop(self.result)
        self.result = target

    def close(self) -> None:
        """Stop what is being made, and forget all."""
        for making in self.makings:
            making.wanted = False
        self.source = self.photo = self.film = self.shapes = self.curve = self.result = (
            self._frame
        ) = None
        self._folder.cleanup()

    def _called(self) -> str:
        return self.names.get("source", "the film")

    def _drive(self, editor: Editor, order: Order) -> Drive:
        if order.by == FILM and self.film is not None:
            return Later(DrivingFilm(self.film, editor.method), order.start)
        if order.by == SHAPES and self.shapes is not None:
            times = tuple(time - order.start for time in self.shapes.times)
            return replace(self.shapes, times=times)
        if order.by == LABEL and self.keyframes:
            return Keyframes.of(self.keyframes, order.kept).later(order.start)
        reference = self._reference(editor) if order.by == PHOTO else None
        return Constant(order.asked.guide(reference, order.kept))

    def _film(self, upload: Path, name: str, limits: Limits) -> Film:
        """A film in the folder, judged by its first bytes, then by its header."""
        path = Path(self._folder.name) / secrets.token_hex(8)
        try:
            shutil.move(upload, path)
        except OSError:
            upload.unlink(missing_ok=True)
            raise Gone("the film is not open any more: open it again") from None
        try:
            if media_type(path) is None:
                # other formats may name other files or addresses, and FFmpeg would open them
                raise VideoError(f"{name} is not a film: send an MP4, MOV, MKV or WebM")
            with self._naming(path, name):
                film = look(path, limits.film_pixels)
            if film.seconds > limits.film_seconds or film.count > limits.film_frames:
                raise VideoError(
                    f"{name} takes {film.seconds:.0f} s: cut it to {limits.film_seconds:g} s and "
                    f"{limits.film_frames} frames, or use mien video"
                )
        except MienError:
            path.unlink(missing_ok=True)
            raise
        return film

    def _bound(self, cut: Cut, target: Path, limits: Limits) -> None:
        if cut.frames > limits.film_frames:
            raise VideoError(f"{self._called()} has more than {limits.film_frames} frames: cut it")
        written = [*target.parent.glob(".*.part"), *target.parent.glob(target.name)]
        if sum(path.stat().st_size for path in written) > limits.film_written:
            self._drop(target)
            raise VideoError(
                f"the result has more than {limits.film_written / 1e6:g} MB: shrink it"
            )

    @contextlib.contextmanager
    def _naming(self, path: Path, name: str) -> Iterator[None]:
        """Mistakes are reported by the name that the file has where it comes from."""
        try:
            yield
        except MienError as error:
            raise type(error)(str(error).replace(str(path), name)) from None

    def _drop(self, path: Path | None) -> None:
        if path is not None:
            path.unlink(missing_ok=True)


class Reels(Projects[Reel]):
    """The films open in the studio, and those of the API. One is made at a time."""

    def __init__(self, workshop: Workshop, most: int = 8) -> None:
        super().__init__(Reel, "film", most)
        self._workshop = workshop

    def start(self, reel: Reel, method: str, order: Order) -> Filming:
        """Begin to make a film, in turns at the desk; Refused while another is being made."""
        reel.check(order)
        self.check_free(reel)
        assert reel.source is not None
        making = Filming(reel.part(order).count)
        reel.makings.append(making)
        self.begin(reel, making, self._make(reel, making, method, order))
        return making

    async def _make(self, reel: Reel, making: Filming, method: str, order: Order) -> None:
        turn = self._workshop.desk.turn
        editor = await turn(lambda: self._workshop.editor(method))
        steps = reel.steps(editor, order, self._workshop.limits)
        try:
            while making.wanted:
                cut = await turn(lambda: next(steps, None))
                if cut is None:
                    making.whole = True
                    break
                making.cut, making.done = cut, cut.frames
        finally:
            await turn(steps.close)
