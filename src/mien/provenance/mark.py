"""The invisible mark: a faint pattern that rides on the face, so that the face finds it again.

A mark must be found after its picture was cropped, shrunk or shot from a screen, when nobody knows
where it lies. Here the aligned crop is the ruler: the pattern is fixed in crop units, it is laid
into the edited part of the face through the inverse of its alignment, and a reader aligns the face
that it sees, which brings the pattern back to its place but for the landmarks' error. A search over
small turns, scales and shifts and the mirror image takes up the rest.

    laying    pixel += b(x) tanh(a(x) p(M x) / b(x)), in the edited region alone; p has equal
              amplitudes and keyed phases in a ring of frequencies; a grows with the texture, which
              hides it; b, 3 levels in smooth places and 8 in any, is what no pixel goes beyond
    looking   c(t) = sum over f of W(f) conj(P(f)) exp(2 pi i f t), W the face's whitened spectrum

This is spread-spectrum marking (Cox, Kilian, Leighton and Shamoon, IEEE Trans. Image Processing
1997) with correlation over all shifts at once (Kuglin and Hines 1975). The phases of P are
independent and uniform, so for any picture made without the key c(t) is a sum of thousands of
independent terms: normal, mean 0, with the variance that Parseval gives. `score` is c in units of
that standard deviation; from it and the number of places looked at follows the chance of a false
alarm.

Inferred: ring, bounds and steps were chosen on few photographs; `mien bench watermark` measures
them.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray

from mien.face_model.threads import together
from mien.faces import align
from mien.faces.paste import face_shape
from mien.types import Face, Float, UInt8

SIDE = 256
"""Side of the crop in which the pattern is drawn and looked for, px."""
KEY = b"mien mark 1"
"""From which the pattern is drawn. It is public: docs/provenance.md says what follows."""

_RING = (9.0, 34.0)  # cycles per crop: what JPEG and a half-size copy leave of a face of 200 px
_LEAST, _MOST = 0.7, 5.0  # levels, RMS of the pattern on smooth skin and in dense texture
_PER_TEXTURE = 0.3  # levels of pattern for one of local standard deviation
_TEXTURE = 3.0  # px of the crop: the neighbourhood in which texture is measured
_AIM = 12.0  # score that a mark is laid for; from about 6.5 on it is found
_FACTORS = (0.4, 4.0)  # of the plain strength, within which that is sought,
_STEPS, _NEAR = 4, 0.4  # in so many steps, to so much of the score
_POWER, _LEAST_POWER = 0.6, 0.3  # of the strength, with which the score grows: at first, at least
_COVERED = 0.5  # share of a face under which an edit is too small to carry the mark alone
_BOUNDS = (3.0, 8.0)  # levels that no pixel is changed beyond: in smooth places, in any
_SMOOTH, _BUSY = 4.0, 12.0  # local standard deviations at which they hold
_SHADE = 0.1  # levels more than in smooth places for a level of light: black hair hides little
_CLOSE = 2.0  # px of the crop: the neighbourhood that this goes by, finer than `_TEXTURE`
_PSNR = 42.5  # dB over the picture, which no mark goes below
_GAP = 0.03  # crop units: unchanged pixels between changed ones, up to this, count as edited
_BAND = 192  # rows that are compared, or changed, at once
_CELLS = 8  # in so many cells they are looked for
_SCALES = (0.97, 0.985, 1.0, 1.015, 1.03)
_TURNS = (-0.03, -0.015, 0.0, 0.015, 0.03)  # rad
_SHIFT = 12  # px of the crop, each way
_CLIP = 2.5  # local standard deviations: stronger structure is an edge, not noise
_WHITE = 0.75  # 0.5 whitens; 1 also weighs a frequency by how clear of the face it is
_FLOOR = 1.0  # levels: below this local standard deviation nothing is amplified further
_BESIDE = 9  # frequencies across: what stands around one
_HELD = np.ix_(*2 * (np.arange(-38, 39),))
"""Of a spectrum (SIDE, SIDE) the frequencies of the ring and those beside them, 0 in the middle."""


@dataclass(frozen=True)
class Sighting:
    """What was seen of the mark in a face: the best score, and among how many places."""

    score: float
    places: int

    @property
    def chance(self) -> float:
        """Chance that a face without the mark scores as high: the normal tail, times the places."""
        return min(1.0, self.places * 0.5 * math.erfc(self.score / math.sqrt(2)))


class Known:
    """What a film's frames tell of the mark on its faces: how strong it is, from which the next
    frame's is sought, and while a face is `still`, what it is in its crop."""

    def __init__(self) -> None:
        self.factors: dict[int, float] = {}
        self.fields: dict[int, Float] = {}
        self.still = False

    def field(self, index: int) -> Float | None:
        """The mark over the crop of a face, of its number; None where it is to be made anew."""
        return self.fields.get(index) if self.still else None


def embed(result: UInt8, source: UInt8, faces: Sequence[Face], known: Known | None = None) -> UInt8:
    """`result`, an edit (H, W, 3) of `source` (H, W, 3), with the mark on its faces: a new array.

    What the edit reached is touched: pixels that differ from `source`, and small gaps between them;
    the whole face where that is too little to carry a mark, as a wink is. An edit that changed
    nothing gets no mark. `known`, in a film: what was found out about the same faces in the frame
    before.
    """
    marked = result.copy()
    if known is not None and len(known.fields) != len(faces):
        known.fields.clear()  # another face may have a number
    for index, face in enumerate(faces):
        view = align.view(result, matrix_of(face), SIDE)
        region = None if view is None else _edited(view.of(source), view.of(result), view.matrix)
        if view is None or region is None:
            continue
        matrix, out = view.matrix, view.of(marked)
        shape = face_shape(align.transform(matrix_of(face), face.landmarks), SIDE)
        region, reached = _enough(region, matrix, shape)
        field = None if known is None else known.field(index)
        if field is None:
            begin = 1.0 if known is None else known.factors.get(index, 1.0)
            field, factor = _field(out, matrix, shape, reached, begin)
            if known is not None:
                known.fields[index], known.factors[index] = field, factor
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        drawn = cv2.warpAffine(field, matrix, region.shape[::-1], flags=flags)
        faint = np.asarray(drawn, np.float32)
        faint *= region
        _add(out, faint, min(1.0, _bound(faint, result.size / 3)))
    return marked


def _field(
    pixels: UInt8, matrix: Float, shape: Float, reached: UInt8, factor: float
) -> tuple[Float, float]:
    """The mark over the crop of a face (SIDE, SIDE), levels, given pixels (h, w, 3) around it, the
    matrix from there, its `shape` in the crop, and what the edit `reached` of that (SIDE, SIDE);
    and its strength, sought from a `factor` of the plain one on.

    It is as strong as a score of `_AIM` asks for. Below its bounds the score grows in proportion to
    the mark, on top of what the bare face scores; towards them less, by a power of it that each
    step tells better, so that a few steps are taken.
    """
    light = _luminance(pixels, matrix)
    plain, most = _pattern(KEY) * _strength(light) * shape, _most(light)
    bare, power = None, _POWER
    last: tuple[float, float] | None = None
    for _ in range(_STEPS):
        field = most * np.tanh(factor * plain / most)
        seen = _at_home(light + field * reached, shape)
        if abs(seen - _AIM) < _NEAR or factor == _FACTORS[1]:
            break
        bare = _at_home(light, shape) if bare is None else bare
        gained = max(seen - bare, 1e-3)
        if last is not None and factor != last[0]:  # how the score grew with the last step
            power = math.log(gained / last[1]) / math.log(factor / last[0])
        last = factor, gained
        step = (max(_AIM - bare, 1e-3) / gained) ** (1 / min(max(power, _LEAST_POWER), 1.0))
        factor = float(np.clip(factor * step, *_FACTORS))
    return field, factor


def _bound(faint: Float, pixels: float) -> float:
    """The factor at which the whole picture's PSNR would fall to `_PSNR`."""
    allowed = 255.0**2 / 10 ** (_PSNR / 10) * pixels
    return math.sqrt(allowed / max(cv2.norm(faint, cv2.NORM_L2SQR), 1e-9))


def _add(pixels: UInt8, faint: Float, factor: float) -> None:
    """Change all three channels of `pixels` (h, w, 3), in place, by as much, `factor` times `faint`
    (h, w), so that grey stays grey."""

    def band(rows: slice) -> None:
        none = np.zeros_like(faint[rows])
        for change, part in ((cv2.add, cv2.max), (cv2.subtract, cv2.min)):  # stop at 0 and 255
            levels = cv2.convertScaleAbs(part(faint[rows], none), alpha=factor)
            change(pixels[rows], cv2.merge((levels, levels, levels)), pixels[rows])

    together([partial(band, rows) for rows in _bands(len(faint))])


def _bands(height: int) -> list[slice]:
    """Rows of a picture that the processor's cache holds at once."""
    return [slice(top, min(top + _BAND, height)) for top in range(0, height, _BAND)]


def _at_home(light: Float, shape: Float) -> float:
    """The score where the mark was laid: no search."""
    spectrum = np.asarray(cv2.dft(_evened(light, shape), flags=cv2.DFT_COMPLEX_OUTPUT))
    near = np.ascontiguousarray(spectrum[_HELD]).view(np.complex64)[..., 0]
    product = _whitened(near) * _home(KEY)
    return float(product.real.sum()) / max(float(np.linalg.norm(product)), 1e-12)


def look(pixels: UInt8, face: Face, key: bytes = KEY) -> Sighting:
    """What a face in a picture uint8 (H, W, 3) shows of the mark."""
    matrix = matrix_of(face)
    light = _luminance(pixels, matrix)
    shape = face_shape(align.transform(matrix, face.landmarks), SIDE)
    spectrum = _spectrum(light, shape)
    window = np.r_[-_SHIFT : _SHIFT + 1]
    best, places = -math.inf, 0
    for wanted in _patterns(key):
        product = spectrum * wanted
        spread = math.sqrt(float((np.abs(product) ** 2).sum()))
        answers = np.fft.ifft2(product).real * product.size / max(spread, 1e-12)
        near = answers[np.ix_(window, window)]
        best, places = max(best, float(near.max())), places + near.size
    return Sighting(best, places)


def matrix_of(face: Face) -> Float:
    """The similarity (2, 3) from photograph px to the crop of side `SIDE`."""
    stable = list(align.STABLE)
    return align.similarity(face.landmarks[stable], align.template(SIDE)[stable])


def _edited(before: UInt8, after: UInt8, matrix: Float) -> UInt8 | None:
    """Where the edit reached, 0 or 1 (h, w): changed pixels, and the gaps up to `_GAP` between
    them, which are looked for in cells of an eighth of that; None where nothing changed."""
    height, width = before.shape[:2]
    changed: UInt8 = np.empty((height, width), np.uint8)

    def compare(rows: slice) -> None:
        first, second, third = cv2.split(cv2.absdiff(before[rows], after[rows]))
        most = np.asarray(cv2.max(cv2.max(first, second), third), np.uint8)
        np.minimum(most, np.uint8(1), out=changed[rows])

    together([partial(compare, rows) for rows in _bands(height)])
    if not changed.any():
        return None
    gap = max(1, round(_GAP * SIDE / math.hypot(matrix[0, 0], matrix[1, 0])))
    cell = max(1, gap // _CELLS)
    tall, wide = -(-height // cell), -(-width // cell)
    whole = cv2.copyMakeBorder(
        255 * changed, 0, tall * cell - height, 0, wide * cell - width, cv2.BORDER_CONSTANT
    )
    small = np.minimum(cv2.resize(whole, (wide, tall), interpolation=cv2.INTER_AREA), 1)
    kernel = np.ones(2 * (2 * (gap // cell) + 1,), np.uint8)
    closed = cv2.morphologyEx(small, cv2.MORPH_CLOSE, kernel)
    if cell > 1:  # cells at the rim, of which the edit has a part, go beyond it
        closed = cv2.erode(closed, np.ones((3, 3), np.uint8))
    gaps = cv2.resize(closed, (wide * cell, tall * cell), interpolation=cv2.INTER_NEAREST)
    changed |= np.asarray(gaps, np.uint8)[:height, :width]
    return changed


def _enough(region: UInt8, matrix: Float, shape: Float) -> tuple[UInt8, UInt8]:
    """The region (h, w), or with it the whole face if it covers less than `_COVERED` of that, given
    the matrix to its crop and its shape there; and what it is in the crop (SIDE, SIDE)."""
    reached = align.warp(region, matrix, SIDE)
    if float((reached * shape).sum()) >= _COVERED * float(shape.sum()):
        return region, reached
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    whole = cv2.warpAffine(shape, matrix, region.shape[::-1], flags=flags)
    region = region | np.asarray(whole > 0.05).view(np.uint8)
    return region, align.warp(region, matrix, SIDE)


def _strength(light: Float) -> Float:
    """RMS levels of the mark over a crop (SIDE, SIDE): more in texture, within bounds."""
    texture = np.sqrt(_local_variance(light, _TEXTURE)).astype(np.float32)
    # the least of the neighbourhood: beside an edge skin is smooth, and would show it
    calm = np.asarray(cv2.erode(texture, np.ones((5, 5), np.uint8)), dtype=np.float32)
    strength = np.clip(_PER_TEXTURE * _soft(calm, _TEXTURE), _LEAST, _MOST)
    return np.asarray(strength, dtype=np.float32)


def _most(light: Float) -> Float:
    """Levels that the mark stays below over a crop (SIDE, SIDE), by how much hides it there."""
    texture = np.sqrt(_local_variance(light, _CLOSE)).astype(np.float32)
    # a smooth place beside an edge is smooth: there beads and stripes would show first
    calm = np.asarray(cv2.erode(texture, np.ones((3, 3), np.uint8)), dtype=np.float32)
    most = np.interp(calm, (_SMOOTH, _BUSY), _BOUNDS)
    most = np.minimum(most, _BOUNDS[0] + _SHADE * _soft(light, _CLOSE)) - 0.49  # rounding's part
    return np.asarray(most, dtype=np.float32)


def _evened(light: Float, shape: Float) -> Float:
    """A crop under a soft mask, both (SIDE, SIDE), with its structure evened out: each
    neighbourhood is brought to one standard deviation and clipped, so that no edge drowns the
    rest."""
    fine = light - _soft(light, SIDE / (2 * math.pi * _RING[0]))
    even = fine / np.sqrt(_local_variance(light, _TEXTURE) + _FLOOR**2)
    return np.asarray(np.clip(even, -_CLIP, _CLIP) * shape, np.float32)


def _spectrum(light: Float, shape: Float) -> NDArray[np.complexfloating]:
    """The whitened spectrum (SIDE, SIDE) of a crop under a soft mask, frequency 0 first."""
    return np.fft.ifftshift(_whitened(np.fft.fftshift(np.fft.fft2(_evened(light, shape)))))


def _whitened(spectrum: NDArray[np.complexfloating]) -> NDArray[np.complexfloating]:
    """A spectrum (N, N), frequency 0 in its middle, each frequency divided by what stands around
    it."""
    power = np.abs(spectrum) ** 2
    around = cv2.blur(power, (_BESIDE, _BESIDE), borderType=cv2.BORDER_REFLECT)
    return np.asarray(spectrum / (around + 1e-9) ** _WHITE)


@lru_cache(maxsize=4)
def _pattern(key: bytes) -> Float:
    """The pattern over the crop, float32 (SIDE, SIDE), RMS 1: a ring of frequencies, keyed phases.

    The phases are bytes of SHAKE-256, the same on every machine and version.
    """
    fy, fx = np.meshgrid(*2 * (np.fft.fftfreq(SIDE, 1 / SIDE),), indexing="ij")
    ring = (np.hypot(fx, fy) >= _RING[0]) & (np.hypot(fx, fy) <= _RING[1])
    words = np.frombuffer(hashlib.shake_256(key).digest(2 * SIDE * SIDE), dtype="<u2")
    phases = words.reshape(SIDE, SIDE) / 65536 * 2 * np.pi
    drawn = np.fft.ifft2(ring * np.exp(1j * phases)).real
    return np.asarray(drawn / drawn.std(), dtype=np.float32)


@lru_cache(maxsize=4)
def _patterns(key: bytes) -> list[NDArray[np.complex64]]:
    """Conjugate spectra of the pattern at every scale and turn of the search, and mirrored."""
    return [_conjugate(p) for p in _variants(_pattern(key))]


@lru_cache(maxsize=4)
def _home(key: bytes) -> NDArray[np.complex64]:
    """That of the pattern as it is laid, where it has any (`_HELD`)."""
    return np.ascontiguousarray(_conjugate(_pattern(key))[_HELD])


def _conjugate(pattern: Float) -> NDArray[np.complex64]:
    return np.conj(np.fft.fft2(pattern)).astype(np.complex64)


def _variants(pattern: Float) -> Iterator[Float]:
    middle = (SIDE - 1) / 2
    for drawn in (pattern, np.ascontiguousarray(pattern[:, ::-1])):
        for scale in _SCALES:
            for turn in _TURNS:
                matrix = cv2.getRotationMatrix2D((middle, middle), math.degrees(turn), scale)
                out = cv2.warpAffine(drawn, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC)
                yield np.asarray(out, dtype=np.float32)


def _luminance(pixels: UInt8, matrix: Float) -> Float:
    """The brightness of a picture (H, W, 3) in its crop (SIDE, SIDE), 0..255, which takes half of
    the time of its colours."""
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    return align.warp(grey, matrix, SIDE).astype(np.float32)


def _soft(image: Float, width: float) -> Float:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), width), dtype=np.float32)


def _local_variance(image: Float, width: float) -> Float:
    variance = _soft(image * image, width) - _soft(image, width) ** 2
    return np.asarray(np.maximum(variance, 0), dtype=np.float32)
