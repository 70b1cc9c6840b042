"""A film as a stream of upright RGB frames with their times; only the frame in hand is held."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from mien.errors import VideoError
from mien.images import MAX_PIXELS
from mien.images.formats import HEAD, of_head
from mien.types import UInt8

_CLOSE = 1e-6  # s: times are compared as decimals
_TIME_BASE = Fraction(1, 90_000)  # for a stream that names none


@dataclass(frozen=True)
class Colour:
    """How a stream codes colour, in FFmpeg's numbers (2 or 0: not said), to write it so again."""

    space: int
    range: int
    primaries: int
    transfer: int

    @property
    def matrix(self) -> Colorspace:
        """The conversion to RGB; where the stream does not say, BT.601 both ways."""
        known = {1: Colorspace.ITU709, 7: Colorspace.SMPTE240M, 9: Colorspace.BT2020}
        return known.get(self.space, Colorspace.ITU601)

    @property
    def levels(self) -> ColorRange:
        return ColorRange.JPEG if self.range == ColorRange.JPEG else ColorRange.MPEG


@dataclass(frozen=True)
class Turn:
    """How a frame is turned to be upright: mirrored along its diagonal, then left and right, then
    top and bottom.
    """

    diagonal: bool
    sideways: bool
    over: bool

    @classmethod
    def of(cls, frame: VideoFrame) -> Turn:
        """What the display matrix of a frame asks for, to the nearest right angle.

        Its first two rows (a, b), (c, d) bring the pixel (p, q) to (a p + c q, b p + d q) (ISO/IEC
        14496-12, 8.3.2); a negative determinant mirrors, which `frame.rotation` does not tell.
        """
        sides = cast(SideDataContainer, frame.side_data)  # its stub has another's type
        try:
            said = bytes(sides[Type.DISPLAYMATRIX])
        except KeyError:
            return cls(False, False, False)
        a, b, _, c, d, *_ = np.frombuffer(said, "<i4").tolist()
        if abs(a) + abs(d) >= abs(b) + abs(c):
            return cls(False, a < 0, d < 0)
        return cls(True, c < 0, b < 0)

    def __call__(self, pixels: UInt8) -> UInt8:
        """The frame (H, W, 3) upright."""
        upright = pixels.transpose(1, 0, 2) if self.diagonal else pixels
        rows, columns = (
            slice(None, None, -1 if flip else 1) for flip in (self.over, self.sideways)
        )
        return np.ascontiguousarray(upright[rows, columns])


@dataclass(frozen=True)
class Frame:
    """A picture of a film, upright, and when it is shown."""

    pixels: UInt8  # (H, W, 3) RGB
    pts: int
    """Time in units of the film's `time_base`."""
    time: float
    """Seconds since the first frame."""


@dataclass(frozen=True)
class Film:
    """What a film is, by its header and first frame."""

    path: Path
    width: int
    height: int
    """Upright, after the turn that the file asks for."""
    rate: Fraction
    """Frames a second, on average."""
    time_base: Fraction
    seconds: float
    """Duration, 0 if the file does not say."""
    colour: Colour
    aspect: Fraction
    """Width of a pixel over its height, upright."""
    start: float = 0.0
    """From when on it is shown, s since its first frame; up to `end`, not included."""
    end: float = math.inf

    @property
    def count(self) -> int:
        """How many frames there will be, about."""
        shown = min(self.seconds, self.end) - self.start
        return max(0, round(shown * float(self.rate)))

    def frames(self) -> Iterator[Frame]:
        """The frames in order; VideoError where the film is damaged.

        Of a part, the first frame that is shown has the time 0, and 0 as its `pts`.
        """
        zero: int | None = None
        for pts, time, frame in self._decoded():
            if time >= self.end - _CLOSE:
                return
            if time < self.start - _CLOSE:
                continue
            zero = pts if zero is None else zero
            shown = float((pts - zero) * self.time_base)
            yield Frame(_upright(frame, self), pts - zero if self.start else pts, shown)

    def frame_at(self, time: float) -> Frame:
        """The frame that is shown at a time, s since the first frame; the last one beyond the end.
        VideoError where the film is damaged."""
        with opened(self.path) as container:
            stream = picture_stream(container, self.path)
            zero = stream.start_time or 0
            container.seek(zero + max(0, int(time / self.time_base)), stream=stream)
            found: VideoFrame | None = None
            for frame in container.decode(stream):
                pts = zero if frame.pts is None else frame.pts
                if found is not None and float((pts - zero) * self.time_base) > time + _CLOSE:
                    break
                found = frame
            if found is None:
                raise VideoError(f"{self.path} shows nothing at {time:g} s")
            pts = zero if found.pts is None else found.pts
            return Frame(_upright(found, self), pts, float((pts - zero) * self.time_base))

    def _decoded(self) -> Iterator[tuple[int, float, VideoFrame]]:
        """All frames with their `pts` and times, s since the first one."""
        with opened(self.path) as container:
            stream = picture_stream(container, self.path)
            stream.thread_type = "AUTO"
            first: int | None = None
            last: int | None = None
            for index, frame in enumerate(container.decode(stream)):
                pts = frame.pts
                if pts is None:  # a raw stream: frames in a row
                    pts = round(index / self.rate / self.time_base)
                if last is not None and pts <= last:
                    continue  # two at one time: the first was shown
                first, last = pts if first is None else first, pts
                yield pts, float((pts - first) * self.time_base), frame


def look(path: Path, max_pixels: int = MAX_PIXELS) -> Film:
    """What the film at `path` is; VideoError in one line if it is none or a photograph, or if its
    pictures have more than `max_pixels`, judged by the header before any is decoded.
    """
    if not path.exists():
        raise VideoError(f"no such file: {path}")
    if is_photograph(path):
        raise VideoError(f"{path} is a photograph, no film: give a film")
    with opened(path) as container:
        stream = picture_stream(container, path)
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        _check(path, stream, max_pixels)
        frame = next(iter(container.decode(stream)), None)
        if frame is None:
            raise VideoError(f"{path} has no picture in it: give another film")
        _check(path, frame, max_pixels)
        turned = Turn.of(frame).diagonal
        width, height = (frame.height, frame.width) if turned else (frame.width, frame.height)
        aspect = stream.sample_aspect_ratio or Fraction(1)
        seconds = 0.0
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / 1e6
        return Film(
            path,
            width,
            height,
            Fraction(rate),
            stream.time_base or _TIME_BASE,
            seconds,
            Colour(frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc),
            1 / aspect if turned else aspect,
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[InputContainer]:
    """The film open for reading; VideoError for what goes wrong then or later."""
    try:
        # damage may hit the letters of a title, which is no reason to refuse the film
        with av.open(str(path), "r", metadata_errors="replace") as container:
            yield container
    except av.error.FFmpegError as error:
        if isinstance(error, PermissionError):
            raise VideoError(f"{path} may not be read: check its permissions") from None
        raise VideoError(
            f"{path} is no film that can be read, or it is damaged: {error.strerror}"
        ) from None


def picture_stream(container: InputContainer, path: Path) -> VideoStream:
    """The stream of moving pictures, not a cover picture; VideoError if there is none."""
    for stream in container.streams.video:
        if not has_decoder(stream):
            continue
        if "attached_pic" not in str(stream.disposition):
            # a header may say less than a frame then asks for
            stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
            return stream
    raise VideoError(f"{path} has no moving pictures in it: give a film")


def has_decoder(stream: VideoStream) -> bool:
    """Whether a stream's code is known, which PyAV's types take for granted."""
    context: object = stream.codec_context
    return context is not None


def is_photograph(path: Path) -> bool:
    """Whether a file is a picture that does not move, which FFmpeg reads as a film of one frame;
    False where there is none."""
    try:
        with path.open("rb") as file:
            kind = of_head(file.read(HEAD))
    except OSError:
        return False
    if kind is None:
        return False
    try:
        with opened(path) as container:
            return container.format.name not in ("gif", "apng")
    except VideoError:
        return True  # a picture that FFmpeg does not know


def _check(path: Path, seen: VideoStream | VideoFrame, most: int) -> None:
    if seen.width * seen.height > most:
        raise VideoError(
            f"{path} is {seen.width} x {seen.height}: shrink it to {most / 1e6:g} megapixels"
        )


def _upright(frame: VideoFrame, film: Film) -> UInt8:
    """A decoded frame as RGB at the film's size, which streams may leave midway, turned the way
    the file says that it is shown.
    """
    turn = Turn.of(frame)
    width, height = (film.height, film.width) if turn.diagonal else (film.width, film.height)
    shown = frame.reformat(
        width=width,
        height=height,
        format="rgb24",
        src_colorspace=film.colour.matrix,
        src_color_range=film.colour.levels,
        dst_color_range=ColorRange.JPEG,
    )
    return turn(np.asarray(shown.to_ndarray(), dtype=np.uint8))
