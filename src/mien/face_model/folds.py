"""Folds that a smile presses into a face, carried over from real smiles (expression ratio images:
Liu, Shan and Zhang 2001).

How much brighter or darker a real smile is than its render from the neutral photograph is its
wrinkle map, laid flat in one chart of the face: the nasolabial fold and the cheek above it, bags
under the eyes, crow's feet, the light on a stretched lip. The mean over many people blurs their
folds, which lie a little differently in each; so a smile that comes is folded like one real person
of like skin, the broad shade alone being the mean's, and one that goes takes away the mean. The
file holds maps of training people of the Face Research Lab London Set (DeBruine & Jones 2017,
CC BY 4.0); `python -m mien.tables.folds` makes it.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

from mien.face_model.arrays import Bool, Float
from mien.face_model.chart import Chart
from mien.face_model.lines import SkinLines
from mien.face_model.mesh import FACE, SIDES, FaceModel
from mien.face_model.raster import rasterise
from mien.face_model.smoothstep import smoothstep
from mien.files import replacing

TABLE = Path(__file__).with_name("folds.safetensors")
SMILE, SQUINT = "mouthSmile", "cheekSquint"
"""Shapes that press the folds of the lower and of the upper face."""
HALF = 0.3
"""Weight at which a fold stands at 1 - 1/e of its depth: skin folds early, then hardly deepens."""
DEEPENED = 1.3
"""The mean over people blurs folds that lie a little differently in each: made up for by this."""
BORROWED = 0.5
"""A smile lifts the cheeks too: what part of it counts as squint."""
PARTING = (0.2, 1.8)
"""Height, cm, over which the smile's folds hand over to the squint's."""
SIDED = 0.25
"""Distance from the middle, cm, over which one side's folds hand over to the other's."""
LEAST = 1e-3
"""Change of a fold's depth that is none."""
FOLDED = 0.05
"""Log-brightness of the mean, from which on a smile folds skin there for sure: dark lines of the
photograph's own that lie in it are its smile's."""
NEAR = 0.4
"""How far beside those of the mean, cm, a person's folds lie."""
ASIDE = 5.6
"""Distance from the middle, cm, from which on what is dark is the outline's."""
LET_GO, DEEPEST = np.float32(0.75), np.float32(0.45)
"""How much of its own lines goes with a smile, for a face at rest has some too, and the deepest,
log-brightness, that is a fold and no edge of something."""

DENSITY = 12
"""Pixels of the chart per cm: a fold is about 0.2 cm wide."""
WIDE, TOP, BOTTOM = 7.5, 9.5, -9.0
"""Half width, top and bottom of the chart, cm of the mean face."""

DARKEST, BRIGHTEST = -0.45, 0.35
"""Bounds of one person's log-brightness in learning: beyond lie hair, shine and bad fits."""
RIDGE = 2.0
"""Pull of the mean to 0, in people."""
BROAD = 1.2
"""Shade that is broader (sigma, cm) is the mean's: one person's tells how that person turned to
the light between two photographs."""
FINE, GRAIN = 0.1, 0.05
"""Detail finer than this (sigma, cm) counts as far as it stands out by more than that: stubble and
pores are not folds."""
NOSTRILS = 1.3, 0.5
"""Radii, cm, of the ellipse around the nose's base in which dark holes moved tell nothing."""
OWN = np.float32(0.6)
"""How much of the finer shade is one person's: of other training people's own the whole of it lies
farther than no folds at all, this much nearer, and the mean, which is blurred, nearest."""
LIPS = 0.4
"""Distance from the lips, cm, from which on folds count: their border lies never quite the same."""
CHIN, BROWS = -8.0, 5.0
"""Heights, cm, between which a smile folds skin."""
ALIKE = 3
"""Donors of which one is taken."""
STEPS = 1 / 160
"""Log-brightness of one step of a stored map: int8 holds 0.8 either way."""


class FoldChart(Chart):
    """The front of the mean face, laid flat."""

    shape = round((TOP - BOTTOM) * DENSITY), round(2 * WIDE * DENSITY)

    def __init__(self, model: FaceModel) -> None:
        super().__init__(model, model.neutral, (-WIDE, TOP), self.shape, DENSITY)

    def parts(self) -> Float:
        """How much (4, h, w) of what lies in it a shape presses: for each side, as in `SIDES`, the
        smile's, then the squint's. They add up to 1."""
        rows, columns = (np.arange(n, dtype=np.float32) + 0.5 for n in self.shape)
        x, y = columns / DENSITY - WIDE, (TOP - rows / DENSITY)[:, None]
        upper = smoothstep((y - PARTING[0]) / (PARTING[1] - PARTING[0]))
        left = 1 / (1 + np.exp(np.clip(-x / SIDED, -30, 30)))
        sides = {"L": left, "R": 1 - left}
        return np.stack([sides[s] * part for s in SIDES for part in (1 - upper, upper)]).astype(
            np.float32
        )


@dataclass(frozen=True)
class FoldDonor:
    """One person's folds: log-brightness (h, w) in the chart, of a full smile; `brown`, brightness
    of the skin in units of the teeth's (`Tones.brown`), and how furrowed the skin is, 0..1."""

    name: str
    folds: Float
    brown: float
    rough: float


@dataclass(frozen=True)
class FoldLibrary:
    """The mean of many people's folds (h, w), and those of some of them."""

    mean: Float
    donors: tuple[FoldDonor, ...]

    def choose(self, brown: float, rough: float, turn: int = 0) -> FoldDonor:
        """The donor for skin of such brightness and furrows: among the `ALIKE` most alike `turn`
        decides."""

        def far(one: FoldDonor) -> float:
            dark = abs(math.log(max(brown, 0.05)) - math.log(max(one.brown, 0.05)))
            return dark + abs(rough - one.rough)

        near = sorted(self.donors, key=far)[:ALIKE]
        return near[turn % len(near)]

    def save(self, path: Path) -> None:
        """Write the library as safetensors."""
        about = {
            "license": "CC-BY-4.0",
            "source": "Face Research Lab London Set, doi 10.6084/m9.figshare.5047666, train people",
            "names": ",".join(d.name for d in self.donors),
        }
        tensors: dict[str, NDArray[Any]] = {
            "mean": _packed(self.mean),
            "folds": np.stack([_packed(d.folds) for d in self.donors]),
            "skin": np.array([[d.brown, d.rough] for d in self.donors], np.float32),
        }
        with replacing(path) as part:
            save_file(tensors, part, about)


def _packed(folds: Float) -> NDArray[np.int8]:
    out: NDArray[np.int8] = np.clip(np.rint(folds / STEPS), -127, 127).astype(np.int8)
    return out


@cache
def shipped() -> FoldLibrary:
    """The library that comes with mien."""
    with safe_open(TABLE, framework="np") as file:
        names = (file.metadata() or {})["names"].split(",")
        mean, folds, skin = (file.get_tensor(n) for n in ("mean", "folds", "skin"))
    unpacked = folds.astype(np.float32) * np.float32(STEPS)
    donors = (
        FoldDonor(name, one, float(brown), float(rough))
        for name, one, (brown, rough) in zip(names, unpacked, skin, strict=True)
    )
    return FoldLibrary(mean.astype(np.float32) * np.float32(STEPS), tuple(donors))


class Folds:
    """The folds of one photograph's face, from `donor`."""

    def __init__(
        self, model: FaceModel, mean: Float, donor: FoldDonor, points: Float, depth: Float,
        free: Float | None, seen: SkinLines,
    ) -> None:  # fmt: skip
        """`mean` folds (h, w) in the chart, and a donor's; the mesh lies at `points` (N, 2) px of
        the photograph, whose skin is `seen`, at `depth` (N,); `free` (F,): how far, 0..1, each face
        vertex may be shaded, everywhere if None."""
        chart, self._parts, where = model.once(_chart)
        self.donor, self._mean = donor, mean * np.float32(DEEPENED)
        self._index = [(model.index[f"{SMILE}_{s}"], model.index[f"{SQUINT}_{s}"]) for s in SIDES]
        self._chart, self._seen, self._side = chart, seen, seen.side
        self._folded = _near(mean) * where
        self._mesh = points[FACE], depth[FACE], free
        self._places: tuple[tuple[slice, slice], Float, Float] | None = None

    def __call__(self, weights: Float, own: Float) -> Float | None:
        """Log-brightness (S, S) that blendshape `weights` (53,) press beyond the photograph's `own`
        (53,), or take away of that; None if that is nothing."""
        change = self._depths(weights) - self._depths(own)
        if np.abs(change).max() < LEAST:
            return None
        flat = np.zeros(self._chart.shape, np.float32)
        for part, more in zip(self._parts, change, strict=True):
            flat += part * np.float32(more) * (self.donor.folds if more > 0 else self._mean)
        (part, places, free), out = self._placed(), np.zeros((self._side,) * 2, np.float32)
        x, y = places
        out[part] = cv2.remap(flat, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        if change.min() < -LEAST:
            less = np.maximum(-change[::2], 0).astype(np.float32)  # lashes are dark lines too
            gone = np.tensordot(less, self._parts[::2], 1) * self._folded
            going = cv2.remap(gone, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
            np.maximum(out[part], LET_GO * going * self._lines, out=out[part])
        out[part] *= free
        return out

    @cached_property
    def _lines(self) -> Float:
        """The dark lines (h, w) of the part of the photograph that shows the face."""
        return np.minimum(self._seen.folds(self._placed()[0]), DEEPEST)

    def _depths(self, weights: Float) -> Float:
        pairs = [(weights[smile], weights[squint]) for smile, squint in self._index]
        return np.array(
            [depth(w) for smile, squint in pairs for w in (smile, squint + BORROWED * smile)],
            np.float32,
        )

    def _placed(self) -> tuple[tuple[slice, slice], Float, Float]:
        """The part of the photograph that shows the face, the places in the chart (2, h, w) of its
        pixels, and how far (h, w) they may be shaded; from memory if they were asked for before."""
        if self._places is None:  # two threads may find them: the same
            points, depth_at, free = self._mesh
            low = np.clip(np.floor(points.min(0)).astype(int), 0, self._side)
            high = np.clip(np.ceil(points.max(0)).astype(int) + 1, 0, self._side)
            part = slice(int(low[1]), int(high[1])), slice(int(low[0]), int(high[0]))
            shape = (int(high[1] - low[1]), int(high[0] - low[0]))
            at = np.ascontiguousarray(points - low.astype(np.float32))
            raster = rasterise(at, depth_at, self._chart.triangles, shape)
            shown: Bool = raster.index >= 0
            share = np.ones(len(points), np.float32) if free is None else free
            values = np.concatenate([self._chart.places, share[:, None]], 1)
            found = np.zeros((3, *shape), np.float32)
            found[:, shown] = raster.spread(values, shown).T
            self._places = part, found[:2], found[2]
        return self._places


def _chart(model: FaceModel) -> tuple[FoldChart, Float, Float]:
    """The chart, its parts, and where (h, w), 0..1, a photograph's lines may be a smile's: where
    folds are learnt, but for the outline."""
    chart = FoldChart(model)
    front = np.clip((ASIDE - np.abs(model.neutral[FACE, 0])) / 0.8, 0, 1)
    where = chart.rasterised((place(model) * front)[:, None].astype(np.float32))[..., 0]
    return chart, chart.parts(), where


def _near(mean: Float) -> Float:
    """Where (h, w), 0..1, people's folds lie whose `mean` (h, w) is this: beside it too."""
    around = np.ones((2 * round(NEAR * DENSITY) + 1,) * 2, np.uint8)
    deepest = np.asarray(cv2.dilate(-mean, around), np.float32)
    return _blurred(np.clip(deepest / np.float32(FOLDED), 0, 1), 0.5 * NEAR)


def depth(weight: float) -> float:
    """How deep, 0..1, a fold stands at a shape's `weight`."""
    return float(1 - np.exp(-max(float(weight), 0.0) / HALF))


@dataclass(frozen=True)
class SmileExample:
    """What one smiling person teaches: log-brightness (h, w) of the real smile over its render, in
    the chart, how far each place (h, w) is to be believed, 0..1, and the `smile`'s weight."""

    name: str
    brightness: Float
    trust: Float
    smile: float
    brown: float
    rough: float


def learn(model: FaceModel, people: Sequence[SmileExample], donors: Collection[str]) -> FoldLibrary:
    """The mean folds of a full smile that explain `people` best, the same left and right, and the
    folds of those who are named as donors."""
    where = FoldChart(model).rasterised(place(model)[:, None])[..., 0]
    total, norm = (np.zeros(FoldChart.shape, np.float32) for _ in range(2))
    for person in people:
        strength = depth(person.smile)
        seen = np.clip(person.brightness, DARKEST, BRIGHTEST)
        total += strength * _evened(seen * person.trust)
        norm += strength**2 * _evened(person.trust)
    mean = np.asarray(total / (norm + RIDGE) * where, np.float32)
    return FoldLibrary(mean, tuple(_donors((p for p in people if p.name in donors), mean, where)))


def _evened(flat: Float) -> Float:
    """The mean of a map (h, w) and its mirror image."""
    return np.asarray((flat + flat[:, ::-1]) / 2, np.float32)


def _donors(people: Iterable[SmileExample], mean: Float, where: Float) -> Iterable[FoldDonor]:
    shade = _blurred(mean, BROAD) * np.float32(DEEPENED)
    for person in people:
        trust = person.trust * where
        seen = np.clip(person.brightness, DARKEST, BRIGHTEST)
        broad = _blurred(seen * trust, BROAD) / np.maximum(_blurred(trust, BROAD), 0.05)
        own = np.asarray((seen - broad) * trust / depth(person.smile), np.float32)
        calm = _blurred(own, FINE)
        fine = own - calm
        detail = calm + np.sign(fine) * np.maximum(np.abs(fine) - GRAIN, 0)
        folds = shade * where + OWN * detail + (1 - OWN) * (mean * DEEPENED - shade * where)
        yield FoldDonor(person.name, folds.astype(np.float32), person.brown, person.rough)


def _blurred(flat: Float, sigma: float) -> Float:
    return np.asarray(cv2.GaussianBlur(flat, (0, 0), sigma * DENSITY), np.float32)


def place(model: FaceModel) -> Float:
    """Where on the face (F,) folds are learnt, 0..1: not on lips, at nostrils or lids' edges, nor
    above the brows or below the jaw, where no smile folds skin."""
    x, y = model.neutral[FACE, 0], model.neutral[FACE, 1]
    lids = (model.lids["L"] + model.lids["R"])[FACE]
    fade = np.clip((y - CHIN) / 1.5, 0, 1) * np.clip((7.0 - np.abs(x)) / 1.0, 0, 1)
    fade *= np.clip((BROWS - y) / 1.2, 0, 1) * np.clip((1 - lids) / 0.6, 0, 1)
    base = float(model.neutral[model.landmarks[33], 1])
    fade *= np.clip((np.hypot(x / NOSTRILS[0], (y - base) / NOSTRILS[1]) - 1) / 0.5, 0, 1)
    outer = model.neutral[model.landmarks[48:60], :2].astype(np.float32)
    inside = [
        cv2.pointPolygonTest(outer, (float(a), float(b)), True) for a, b in zip(x, y, strict=True)
    ]
    out: Float = (fade * np.clip(-np.array(inside) / LIPS, 0, 1)).astype(np.float32)
    return out
