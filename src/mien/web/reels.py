"""A film in the studio: what came in, what is to drive it, and the film that comes of it.

Films are too large for memory: each reel has a folder of its own, which goes when it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from mien.editor import Editor
from mien.errors import GuideError, MienError, VideoError
from mien.guides import Held, Label
from mien.images import Photo
from mien.types import UInt8
from mien.video.driving import Constant, Curve, Drive, Lent
from mien.video.film import FULL, Cut, film_steps
from mien.video.reading import Film, look
from mien.web import intake
from mien.web.answers import Refused
from mien.web.limits import Limits
from mien.web.sitting import Gone
from mien.web.workshop import Workshop

LABEL, PHOTO, FILM = "An expression", "A photograph", "Another film"
"""What can drive a film."""

_EBML = b"\x1aE\xdf\xa3"
_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_LONGEST_CURVE = 1_000_000  # bytes
_NOTHING = Cut(0, 0, 0.0)


@dataclass(frozen=True)
class Order:
    """What is to become of a film: `by` is `LABEL`, `PHOTO` or `FILM`."""

    by: str = LABEL
    label: str = "happy"
    intensity: float = 1.0
    face: str = "largest"


@dataclass
class Making:
    """A film that is being made, or was."""

    total: int
    """Frames that there will be, about; 0 if the source does not say."""
    began: float = field(default_factory=time.perf_counter)
    cut: Cut = _NOTHING
    wanted: bool = True
    """False: it ends at the next frame, and nothing is kept."""
    whole: bool = False
    """Whether the film is there."""
    ended: bool = False
    error: MienError | Refused | None = None

    @property
    def left(self) -> float | None:
        """Seconds left, if that can be told yet."""
        done = self.cut.frames
        if not done or not self.total:
            return None
        spent = time.perf_counter() - self.began
        return spent * max(0, self.total - done) / done


class Reel:
    """One film that is open, and what drives it. Its films lie in its folder."""

    def __init__(self, session: str = "") -> None:
        self.key, self.session = secrets.token_urlsafe(18), session
        self.source: Film | None = None
        self.first: UInt8 | None = None
        """The source's first picture, (H, W, 3)."""
        self.photo: Photo | None = None
        self.film: Film | None = None
        self.curve: Curve | None = None
        self.names: dict[str, str] = {}
        """What the files of `source`, `photo`, `film` and `curve` are called where they come from.
        """
        self.result: Path | None = None
        self.makings: list[Making] = []
        self._folder = tempfile.TemporaryDirectory(prefix="mien-film-")

    @property
    def busy(self) -> bool:
        """Whether a film is being made of it."""
        return bool(self.makings) and not self.makings[-1].ended

    def open(self, upload: Path, name: str, limits: Limits) -> None:
        """Take a film that was sent; VideoError or Refused, and then no film is open."""
        if self.busy:
            upload.unlink(missing_ok=True)
            raise Refused(429, "busy", "a film is being made: wait until it is done, or cancel it")
        self._drop(self.source.path if self.source else None)
        self._drop(self.result)
        self.source = self.result = self.first = None
        self.source = self._film(upload, name, limits)
        with self._naming(self.source.path, name):
            self.first = next(self.source.frames()).pixels
        self.names["source"] = name

    def lend(self, by: str, upload: Path, name: str, limits: Limits) -> None:
        """Take a photograph or a film that lends its expression."""
        if by == FILM:
            self._drop(self.film.path if self.film else None)
            self.film = None
            self.film = self._film(upload, name, limits)
            self.names["film"] = name
            return
        try:
            self.photo = intake.photo(upload.read_bytes(), limits, "the photograph")
            self.names["photo"] = name
        finally:
            upload.unlink(missing_ok=True)

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

    def check(self, order: Order) -> None:
        """Gone or GuideError unless all is there that the order needs."""
        if self.source is None:
            raise Gone("open a film first")
        if order.by == PHOTO and self.photo is None:
            raise GuideError("give the photograph that lends its expression")
        if order.by == FILM and self.film is None:
            raise GuideError("give the film that lends its expression")

    def steps(self, editor: Editor, order: Order, limits: Limits) -> Generator[Cut, None, None]:
        """Make the film, frame by frame; `result` at the end, nothing if it is closed before."""
        self.check(order)
        assert self.source is not None
        target = Path(self._folder.name) / f"{secrets.token_hex(8)}.mp4"
        curve = (self.curve or FULL).scaled(order.intensity)
        with self._naming(target, "the result"), self._naming(self.source.path, self._called()):
            drive = self._drive(editor, order)
            with contextlib.closing(
                film_steps(editor, self.source, target, drive, curve, order.face)
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
        self.source = self.photo = self.film = self.curve = self.result = None
        self._folder.cleanup()

    def _called(self) -> str:
        return self.names.get("source", "the film")

    def _drive(self, editor: Editor, order: Order) -> Drive:
        if order.by == PHOTO and self.photo is not None:
            return Constant(editor.reference(self.photo))
        if order.by == FILM and self.film is not None:
            return Lent(self.film, editor.method)
        return Constant(Held(Label(order.label), "speech"))  # a talking mouth goes on talking

    def _film(self, upload: Path, name: str, limits: Limits) -> Film:
        """A film in the folder, judged by its first bytes, then by its header."""
        path = Path(self._folder.name) / secrets.token_hex(8)
        shutil.move(upload, path)
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
        """Mistakes are told by the name that the file has where it comes from."""
        try:
            yield
        except MienError as error:
            raise type(error)(str(error).replace(str(path), name)) from None

    def _drop(self, path: Path | None) -> None:
        if path is not None:
            path.unlink(missing_ok=True)


def media_type(path: Path) -> str | None:
    """What a file is by its first bytes: a film made of boxes (MP4, QuickTime), one in EBML
    (Matroska, WebM), or None.
    """
    with path.open("rb") as file:
        head = file.read(8)
    if head[4:8] in _BOXES:
        return "video/mp4"
    return "video/webm" if head.startswith(_EBML) else None


class Reels:
    """The films open in the studio, by key; those unused for longest give way to new ones. One is
    made at a time.
    """

    def __init__(self, workshop: Workshop, most: int = 4) -> None:
        self._workshop, self._most = workshop, most
        self._open: OrderedDict[str, Reel] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def get(self, key: str) -> Reel:
        """The reel; Gone when there is none."""
        if key not in self._open:
            raise Gone("open a film first" if not key else "open the film again")
        self._open.move_to_end(key)
        return self._open[key]

    def reel(self, key: str, session: str) -> Reel:
        """The reel, a new one when there is none."""
        if key in self._open:
            return self.get(key)
        while len(self._open) >= self._most:
            oldest = next((k for k, reel in self._open.items() if not reel.busy), None)
            if oldest is None:
                raise Refused(429, "busy", "too many films are open: try again in a moment")
            self._open.pop(oldest).close()
        reel = Reel(session)
        self._open[reel.key] = reel
        return reel

    def leave(self, session: str) -> None:
        """A page was closed: what it had open goes."""
        for key in [key for key, reel in self._open.items() if reel.session == session]:
            self._open.pop(key).close()

    def start(self, reel: Reel, method: str, order: Order) -> Making:
        """Begin to make a film, in turns at the desk; Refused while another is being made."""
        reel.check(order)
        if any(other.busy for other in self._open.values()):
            raise Refused(429, "busy", "a film is being made: wait until it is done, or cancel it")
        assert reel.source is not None
        making = Making(reel.source.count)
        reel.makings.append(making)
        task = asyncio.create_task(self._make(reel, making, method, order))
        self._tasks.add(task)  # else it may be collected before it is done
        task.add_done_callback(self._tasks.discard)
        return making

    async def _make(self, reel: Reel, making: Making, method: str, order: Order) -> None:
        turn = self._workshop.desk.turn
        try:
            editor = await turn(lambda: self._workshop.editor(method))
            steps = reel.steps(editor, order, self._workshop.limits)
            try:
                while making.wanted:
                    cut = await turn(lambda: next(steps, None))
                    if cut is None:
                        making.whole = True
                        break
                    making.cut = cut
            finally:
                await turn(steps.close)
        except (MienError, Refused) as error:
            making.error = error
        except Exception:
            making.error = Refused(500, "internal", "the server failed: its log says why")
            raise
        finally:
            making.ended = True
            if reel.key not in self._open:
                reel.close()  # again: the step that was under way may have written
