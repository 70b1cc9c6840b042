"""A film onto disk: frames encoded as they come, sound copied packet by packet, all or nothing."""

from __future__ import annotations

import contextlib
import math
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from fractions import Fraction
from itertools import chain
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace
from av.video.stream import VideoStream

from mien.errors import VideoError
from mien.files import replacing
from mien.images import SOURCE_TYPE, xmp
from mien.provenance.credentials import Signer
from mien.types import UInt8
from mien.video.reading import Colour, Film, Frame, opened

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""Suffixes that are written, and FFmpeg's names of the formats."""
XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""The identifier of a box with XMP in an MP4 or QuickTime file (XMP specification, part 3)."""

BT709 = 1
"""FFmpeg's number of the primaries and the transfer that sRGB pictures come nearest to."""

_QUALITY = {"crf": "16", "preset": "veryfast"}
"""Nearly the source's look: an edit should cost no more. Half the time of crf 17 of `fast`, as many
bytes, and half a decibel less."""


class Writer:
    """An open film. It is made by `writing`, which sees to its end."""

    def __init__(
        self, container: OutputContainer, film: Film, sound: InputContainer | None
    ) -> None:
        self._out, self._film = container, film
        self._stream = self._pictures()
        self._copied = {
            stream.index: container.add_stream_from_template(stream)
            for stream in (sound.streams.audio if sound else ())
        }
        self._sound = self._packets(sound) if sound else iter(())
        self._waiting: Packet[AudioStream] | None = None

    def add(self, frame: Frame, pixels: UInt8) -> None:
        """The next frame: `pixels` (H, W, 3) shown at the time of `frame`."""
        self._copy_sound(frame.time)
        coded = VideoFrame.from_ndarray(_even(pixels), format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=self._film.colour.matrix,
            src_color_range=ColorRange.JPEG,
            dst_color_range=self._film.colour.levels,
        )
        coded.pts, coded.time_base = frame.pts, self._film.time_base
        self._out.mux(self._stream.encode(coded))

    def finish(self) -> None:
        """The frames that the encoder still holds, and the rest of the sound."""
        self._out.mux(self._stream.encode(None))
        self._copy_sound(float("inf"))

    def _pictures(self) -> VideoStream:
        film = self._film
        stream = self._out.add_stream("libx264", rate=film.rate)
        stream.width, stream.height = film.width + film.width % 2, film.height + film.height % 2
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.options = dict(_QUALITY)
        context.time_base = stream.time_base = film.time_base
        context.sample_aspect_ratio = film.aspect
        context.color_range = film.colour.levels
        context.colorspace = film.colour.space
        context.color_primaries = film.colour.primaries
        context.color_trc = film.colour.transfer
        return stream

    def _packets(self, sound: InputContainer) -> Iterator[Packet[AudioStream]]:
        if self._copied:
            for packet in sound.demux(sound.streams.audio):
                # the last one of each stream is empty
                if packet.dts is not None and self._shown(packet):
                    yield packet

    def _shown(self, packet: Packet[AudioStream]) -> bool:
        """Whether a packet falls into the part of the film that is shown; then its times count from
        there."""
        film = self._film
        if not film.start and film.end == math.inf:
            return True
        time = float((packet.dts or 0) * packet.time_base)
        if not film.start <= time < min(film.end, film.seconds or film.end):
            return False
        back = round(film.start / packet.time_base)
        packet.dts = (packet.dts or 0) - back
        packet.pts = packet.dts if packet.pts is None else packet.pts - back
        return True

    def _copy_sound(self, until: float) -> None:
        """Sound up to a time of the film, s, so that the file's two halves keep step."""
        while True:
            packet = self._waiting or next(self._sound, None)
            self._waiting = packet
            if packet is None or float((packet.dts or 0) * packet.time_base) > until + 1:
                return
            packet.stream = self._copied[packet.stream.index]
            self._out.mux(packet)
            self._waiting = None


@contextlib.contextmanager
def writing(
    path: Path, film: Film, metadata: Mapping[str, str], signer: Signer | None = None,
    *, silent: bool = False,
) -> Iterator[Writer]:  # fmt: skip
    """A writer of the film that becomes `path`, with the sound of `film`, when the block ends well;
    a `silent` one has none, and needs no film that is there.

    The file says that a trained model altered it, with `metadata`, and is signed by C2PA if there
    is a signer. VideoError if it cannot be written; nothing is left behind then.
    """
    check_suffix(path)
    try:
        with replacing(path) as part:
            with nullcontext() if silent else opened(film.path) as sound:
                form = FORMATS[path.suffix.lower()]
                options = {"movflags": "faststart"} if form != "matroska" else {}
                with av.open(str(part), "w", format=form, options=options) as out:
                    out.metadata.update(_tags(sound.metadata if sound else {}, metadata))
                    writer = Writer(out, film, sound)
                    yield writer
                    writer.finish()
            if form != "matroska":
                _append_xmp(part, metadata)
            if signer is not None:
                _sign(part, path.suffix, metadata, signer)
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path} cannot be written ({error.strerror}): if the sound does not fit, use .mkv"
        ) from None
    except OSError as error:
        raise VideoError(f"{path} cannot be written: {error.strerror or error}") from None


def write_stills(
    path: Path, pictures: Iterable[UInt8], rate: int, metadata: Mapping[str, str]
) -> None:
    """A film of pictures (H, W, 3) of one size, `rate` a second, without sound. VideoError if it
    cannot be written, or there are none; nothing is left behind then."""
    waiting = iter(pictures)
    first = next(waiting, None)
    if first is None:
        raise VideoError(f"{path} would be empty: there are no pictures")
    height, width = first.shape[:2]
    base = Fraction(1, rate)
    colour = Colour(Colorspace.ITU709, ColorRange.MPEG, BT709, BT709)
    film = Film(path, width, height, Fraction(rate), base, 0.0, colour, Fraction(1))
    with writing(path, film, metadata, silent=True) as out:
        for number, pixels in enumerate(chain([first], waiting)):
            out.add(Frame(pixels, number, float(number * base)), pixels)


def check_suffix(path: Path) -> None:
    """VideoError unless mien writes films of this name."""
    if path.suffix.lower() not in FORMATS:
        raise VideoError(
            f"mien does not write {path.suffix or 'films without a suffix'}: use "
            + ", ".join(FORMATS)
        )


def _even(pixels: UInt8) -> UInt8:
    """Sides that 4:2:0 can hold: an odd one gets its last row or column twice."""
    height, width = pixels.shape[:2]
    return np.pad(pixels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def _tags(source: Mapping[str, str], metadata: Mapping[str, str]) -> dict[str, str]:
    """Plain tags of the container: the source's title and the like, and what was done."""
    technical = {"major_brand", "minor_version", "compatible_brands", "encoder"}
    kept = {k: v for k, v in source.items() if k.lower() not in technical}
    statement = ", ".join(f"{key} {value}" for key, value in metadata.items())
    kept |= {"comment": f"altered by AI: {statement}"}
    return kept | {"DigitalSourceType": SOURCE_TYPE} | dict(metadata)


def _append_xmp(path: Path, metadata: Mapping[str, str]) -> None:
    """A box at the end of the file: no offset in front of it moves."""
    packet = xmp(metadata)
    with path.open("ab") as file:
        file.write(struct.pack(">I4s", 24 + len(packet), b"uuid") + XMP_BOX + packet)


def _sign(part: Path, suffix: str, metadata: Mapping[str, str], signer: Signer) -> None:
    signed = part.with_name(part.name + ".signed")
    try:
        with part.open("rb") as source, signed.open("w+b") as target:
            signer.sign_stream(source, target, suffix, metadata)
        signed.replace(part)
    finally:
        signed.unlink(missing_ok=True)
