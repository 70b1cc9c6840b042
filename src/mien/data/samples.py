"""The bundled sample faces: morphs, each of several consenting people, so faces of nobody in
particular.

Every sample is the mean of five or six neutral photographs of the Face Research Lab London Set (CC
BY 4.0, DeBruine & Jones 2017, doi 10.6084/m9.figshare.5047666), all of the training split: their
189 hand-checked points are brought to the mean shape, the pictures follow by piecewise affine
warping, and the colours are averaged. Averages lose skin texture, which is given back at the
members' mean strength (after Tiddeman, Burt & Perrett, "Prototyping and transforming facial
textures", 2001). Hair, ears and clothes of several people laid over each other would be ghosts;
they come from one member, the `frame`, and the face never does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image
from scipy.spatial import Delaunay

from mien import images
from mien.data.adapters.tem import read_tem
from mien.errors import DataError
from mien.types import Float, UInt8

SIDE = 768
"""Side of the London photographs that the morphs are made at, px."""
CROP = 600
"""Side of a sample, px."""

_OUTLINE_RIGHT = (109, 185, 110, 186, 111, 125, 126)  # ear to jaw, left in the picture
_NECK = (145, 183, 184, 157)
_OUTLINE_LEFT = (132, 133, 114, 188, 113, 187, 112)
_HAIRLINE = (144, 143, 142, 141, 140, 139, 138, 137, 136, 135, 134)
_BROWS = (*range(71, 76), *range(78, 83))
_PUPILS = (0, 1)


@dataclass(frozen=True)
class Morph:
    """One sample: its name, the people it averages, who frames it with hair, how much forehead is
    averaged.

    `forehead` 1 averages up to the hairline; less stops lower, for members whose fringe would leave
    a shadow.
    """

    name: str
    people: tuple[str, ...]
    frame: str
    forehead: float = 1.0


MORPHS = (
    Morph("anna", ("007", "019", "086", "094", "139", "144"), frame="144"),
    Morph("ben", ("005", "036", "045", "067", "119"), frame="119", forehead=0.3),
    Morph("cora", ("006", "025", "062", "099", "126"), frame="126"),
)


def make(london: Path, out: Path) -> list[Path]:
    """Write every sample as JPEG into `out` from the London Set's folder; the files, in the order
    of `MORPHS`.
    """
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for morph in MORPHS:
        path = out / f"{morph.name}.jpg"
        Image.fromarray(picture(morph, london)).save(path, quality=92, optimize=True)
        paths.append(path)
    return paths


def picture(morph: Morph, london: Path) -> UInt8:
    """The sample, uint8 (CROP, CROP, 3) RGB."""
    photographs, points = zip(*(_load(london, person) for person in morph.people), strict=True)
    shape, aligned = _mean_shape(points)
    warped = [
        _warp(photo, own, to, shape)
        for photo, own, to in zip(photographs, points, aligned, strict=True)
    ]
    face = _restore_texture(np.mean(warped, axis=0), warped)
    framed = _frame(face, warped[morph.people.index(morph.frame)], _region(shape, morph.forehead))
    left, top = _corner(shape)
    return np.clip(np.rint(framed), 0, 255).astype(np.uint8)[top : top + CROP, left : left + CROP]


def _load(london: Path, person: str) -> tuple[Float, Float]:
    """Photograph float32 (SIDE, SIDE, 3) and its points (189, 2)."""
    path = london / "neutral_front" / f"{person}_03.jpg"
    if not path.is_file():
        raise DataError(
            f"{path} is missing: the samples are made from the London Set, see `mien data`"
        )
    pixels = images.read(path).pixels.astype(np.float32)
    scale = SIDE / pixels.shape[0]
    points = (read_tem(path.with_suffix(".tem")) + 0.5) * np.float32(scale) - np.float32(0.5)
    shrunk = cv2.resize(pixels, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, dtype=np.float32), points


def _similarity(points: Float, base: Float, to: Float) -> Float:
    """`points` (M, 2) moved by the similarity that best brings `base` to `to`, both (N, 2)
    (Procrustes).
    """
    x, b, t = (p @ np.array([1, 1j]) for p in (points, base, to))
    centred = b - b.mean()
    moved = (x - b.mean()) * np.vdot(centred, t - t.mean()) / np.vdot(centred, centred) + t.mean()
    return np.stack([moved.real, moved.imag], 1).astype(np.float32)


def _mean_shape(points: Sequence[Float]) -> tuple[Float, list[Float]]:
    """Procrustes mean (189, 2) at the first member's place and size, and every member aligned to
    it.
    """
    mean = points[0]
    for _ in range(3):
        aligned = [_similarity(own, own, mean) for own in points]
        mean = np.mean(aligned, axis=0, dtype=np.float32)
    return mean, [_similarity(own, own, mean) for own in points]


def _warp(photo: Float, own: Float, aligned: Float, shape: Float) -> Float:
    """`photo` with its points `own` moved to `shape`, piecewise affine; the border follows the
    similarity.
    """
    edge = np.linspace(0, SIDE - 1, 7)
    border = np.array([(x, y) for x in edge for y in edge if {x, y} & {edge[0], edge[-1]}])
    corners, unique = np.unique(np.vstack([shape, border]).round(1), axis=0, return_index=True)
    # the border stays where the similarity put it, seen from the member's own photograph
    source = np.vstack([own, _similarity(border, aligned, own)])[unique]
    mesh = Delaunay(corners)
    ys, xs = np.mgrid[:SIDE, :SIDE]
    pixels = np.stack([xs, ys], -1).reshape(-1, 2).astype(float)
    triangle = np.maximum(mesh.find_simplex(pixels), 0)
    affine = mesh.transform[triangle]  # (N, 3, 2)
    weights = np.einsum("nij,nj->ni", affine[:, :2], pixels - affine[:, 2])
    weights = np.c_[weights, 1 - weights.sum(1)]
    where = np.einsum("ni,nij->nj", weights, source[mesh.simplices[triangle]])
    x, y = np.ascontiguousarray(where.T, dtype=np.float32).reshape(2, SIDE, SIDE)
    moved = cv2.remap(photo, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)


def _restore_texture(mean: Float, members: Sequence[Float], strongest: float = 1.8) -> Float:
    """`mean` with its two finest bands raised to the members' mean local energy, at most
    `strongest` times.
    """
    out = mean.copy()
    for fine, coarse in ((0.0, 1.0), (1.0, 2.0)):
        band = _blur(mean, fine) - _blur(mean, coarse)
        wanted = np.mean([_energy(_blur(m, fine) - _blur(m, coarse)) for m in members], axis=0)
        gain = np.clip(np.sqrt(wanted / (_energy(band) + 0.05)), 1, strongest)
        out += (gain[..., None] - 1) * band
    return out


def _energy(band: Float) -> Float:
    return _blur(np.square(band.mean(-1)), 12.0)


def _blur(image: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.float32) if sigma else image


def _region(shape: Float, forehead: float) -> Float:
    """1 where the sample shows the average (face and throat), 0 where its frame; float32 (SIDE,
    SIDE).
    """
    top = shape[list(_HAIRLINE)].copy()
    brows = shape[list(_BROWS), 1].min() - 12
    top[:, 1] = np.maximum(top[:, 1], forehead * top[:, 1] + (1 - forehead) * brows)
    outline = [shape[list(part)] for part in (_OUTLINE_RIGHT, _NECK, _OUTLINE_LEFT)]
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.rint(np.vstack([*outline, top])).astype(np.int32)], 1)
    return cv2.erode(mask, np.ones((3, 3), np.uint8), iterations=9).astype(np.float32)


def _frame(face: Float, frame: Float, region: Float) -> Float:
    """The averaged face inside `region`, the frame outside; the frame's skin takes the average's
    tone.
    """
    inside = region[..., None]
    skin = frame[region > 0]
    spread = 1.8 * np.maximum(skin.std(0), 12)
    distance = np.square((frame - np.median(skin, axis=0)) / spread).sum(-1)
    likeness = _blur(np.exp(-0.5 * distance).astype(np.float32), 3.0)[..., None]
    # the difference of tone, known inside, carried outwards smoothly
    difference = (face - frame) * inside
    mean = difference.sum((0, 1)) / inside.sum()
    tone = (_blur(difference, 45.0) + 0.02 * mean) / (_blur(region, 45.0)[..., None] + 0.02)
    weight = _blur(region, 8.0)[..., None]
    out: Float = weight * face + (1 - weight) * (frame + tone * likeness)
    return out


def _corner(shape: Float) -> tuple[int, int]:
    """Left and top of the crop: eyes centred, a little above the middle, inside the photograph."""
    x, y = shape[list(_PUPILS)].mean(0)
    limit = SIDE - CROP
    return int(np.clip(x - CROP / 2, 0, limit)), int(np.clip(y - 0.45 * CROP, 0, limit))
