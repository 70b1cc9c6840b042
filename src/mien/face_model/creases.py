"""Wrinkles that few photographs show: drawn along curves of the mesh, in the photograph's frame.

A crease is a furrow: dark along its bottom, brighter on the wall that faces the light, which comes
from above. It breaks and wavers as skin does, each person's in its own way, and it moves with the
skin because it is a texture of the photograph. On smooth skin it is a soft shade and no line, and
the more furrowed the skin is already, the deeper and the narrower it gets; lines that are there are
deepened, and where the photograph's own frown is let go they go with it. What depth looks right was
found by eye.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

import numpy as np

from mien.face_model.arrays import Double, Float, Index
from mien.face_model.lines import SkinLines
from mien.face_model.mesh import FACE, FaceModel
from mien.face_model.neighbours import Nearest
from mien.face_model.patches import NOTHING, Patch, patch_of
from mien.face_model.spline import Spline, through
from mien.face_model.strokes import Canvas, Placed, Stroke

STEP = 0.04
"""Distance of the points that a crease is drawn from, cm."""
WAVER = 0.04
"""How far a crease strays from its path, cm."""
WALL = 0.45
"""Brightness of the lit wall, relative to the furrow's depth."""
LIT, DARK = (0.13, 0.08), (0.24, 0.2)
"""Log-brightness up to which walls add up, and furrows, and the most by which they pass it."""
ONSET = 1.8
"""Power of the weight: skin bunches before it creases."""
FAINTEST = 0.03
"""Depths under this are not drawn."""
SMOOTH_DEPTH, SMOOTH_WIDTH = 0.22, 2.2
"""Depth and width of a furrow on smooth skin, in units of a furrowed skin's: young skin bunches
softly and has no lines."""
STRAY, UNEVEN, DEEPEST, LEFT_OUT = 0.14, 0.4, 1.5, 0.25
"""How people differ: how far a furrow lies from where it does on average, cm, how much deeper or
shallower it is, in log units (standard deviations), at most how many times as deep, and the odds
that somebody lacks it, where the shape has others."""
SLANT, SHORTER, ASYMMETRY = 0.14, 0.25, 0.07
"""... how it is slanted, rad (standard deviation), the most by which it is shorter, a part of its
length, and how far the two sides of one face differ, cm (standard deviation)."""
OWN_AREA = 0.4
"""How far around a crease the photograph's own lines belong to its shape (sigma), cm."""
DEEPENED, RELEASED = 1.1, 0.85
"""By how much of themselves own lines are deepened at full weight; how much of them goes where the
photograph's own weight is let go."""
LEAST_RELEASE = 0.25
"""Own weight from which on lines are its doing."""
ALONG = {
    "browDown": "upright", "browInnerUp": "level", "browOuterUp": "level",
    "noseSneer": "level", "cheekSquint": "level",
}  # fmt: skip
"""Shapes whose lines faces keep, and how those run."""


@dataclass(frozen=True)
class Crease:
    """A furrow that `shape` presses: its depth in log-brightness at full weight, its width (the
    sigma of its profile), cm, and its path on the person's left, cm in the model's neutral face."""

    shape: str
    depth: float
    width: float
    path: tuple[tuple[float, float], ...]

    @property
    def crosses(self) -> bool:
        """Whether it goes on over the middle of the face: then both sides are halves of it."""
        return self.path[0][0] < 0


CREASES = (
    Crease("browInnerUp", 0.22, 0.10, ((-0.3, 7.35), (0.8, 7.45), (1.9, 7.55), (3.0, 7.5))),
    Crease("browInnerUp", 0.20, 0.10, ((-0.3, 8.2), (0.9, 8.3), (2.2, 8.4), (3.1, 8.3))),
    Crease("browInnerUp", 0.13, 0.10, ((-0.3, 9.1), (1.0, 9.15), (2.3, 9.2))),
    Crease("browOuterUp", 0.19, 0.10, ((1.5, 7.45), (2.9, 7.65), (4.2, 7.55), (5.2, 7.0))),
    Crease("browOuterUp", 0.16, 0.10, ((1.7, 8.3), (3.0, 8.5), (4.4, 8.3), (5.2, 7.8))),
    Crease("browOuterUp", 0.10, 0.10, ((1.6, 9.15), (3.0, 9.25), (4.2, 9.1))),
    Crease("browDown", 0.13, 0.11, ((0.55, 4.5), (0.68, 5.2), (0.85, 5.9), (0.95, 6.7))),
    Crease("browDown", 0.08, 0.10, ((0.15, 4.9), (0.2, 5.5), (0.25, 6.1))),
    Crease("browDown", 0.08, 0.10, ((-0.1, 4.2), (0.35, 4.25), (0.8, 4.4))),
    Crease("noseSneer", 0.35, 0.10, ((-0.05, 3.75), (0.35, 3.8), (0.75, 4.0))),
    Crease("noseSneer", 0.29, 0.09, ((0.3, 3.2), (0.65, 3.05), (1.0, 2.75), (1.3, 2.35))),
    Crease("noseSneer", 0.29, 0.09, ((0.35, 2.65), (0.75, 2.45), (1.1, 2.1), (1.35, 1.7))),
    Crease("noseSneer", 0.19, 0.09, ((0.4, 2.1), (0.8, 1.85), (1.1, 1.5))),
    Crease("noseSneer", 0.32, 0.14, ((1.35, 0.1), (1.75, -0.35), (2.1, -0.95), (2.5, -1.7))),
    Crease("mouthUpperUp", 0.20, 0.15, ((1.55, -0.3), (2.0, -0.9), (2.5, -1.7), (2.9, -2.5))),
    Crease("mouthFrown", 0.13, 0.15, ((2.75, -3.7), (3.0, -4.2), (3.1, -4.8), (3.05, -5.4))),
    Crease("mouthDimple", 0.28, 0.13, ((3.0, -2.7), (3.2, -3.1), (3.25, -3.5), (3.1, -4.0))),
    Crease("mouthShrugLower", 0.11, 0.26, ((-0.1, -5.35), (0.6, -5.4), (1.2, -5.6), (1.6, -6.0))),
    Crease("cheekSquint", 0.14, 0.09, ((5.0, 3.75), (5.5, 4.05), (6.0, 4.5))),
    Crease("cheekSquint", 0.18, 0.09, ((5.0, 3.4), (5.6, 3.4), (6.2, 3.5))),
    Crease("cheekSquint", 0.15, 0.09, ((4.9, 3.05), (5.4, 2.75), (5.9, 2.35))),
    Crease("cheekSquint", 0.14, 0.10, ((2.2, 2.6), (3.1, 2.3), (4.0, 2.4), (4.7, 2.7))),
)
ALONE = frozenset(name for name, many in Counter(c.shape for c in CREASES).items() if many == 1)
"""Shapes with one furrow: nobody lacks it, or the unit would show in the outline only."""
FROWNS = (
    (1.15, 1.15, 0.0, 0.1), (1.5, 0.1, 0.0, 0.3), (0.5, 0.5, 1.5, 0.3),
    (0.15, 0.15, 0.1, 2.2), (1.0, 0.4, 0.0, 1.4), (0.2, 0.2, 0.4, 0.2),
)  # fmt: skip
"""Ways to frown: how deep the upright furrows are over the ends of the brows, on one side and on
the other, those near the middle and the bow over the root of the nose, in units of their depths.
Two lines, one, three or four, a bow, a bow with two, hardly any. Inferred: people differ by which
muscles draw most (A. R. Trindade de Almeida and others, "Glabellar contraction patterns: a tool to
optimize botulinum toxin treatment", Dermatol. Surg. 38(9), 2012, who tell five); depths by eye."""
CONVERGE = 0.16
"""How much more or less the upright furrows of a frown come together downwards, rad (standard
deviation)."""
MEDIAN = 0.15
"""Distance from the middle of the face that furrows keep which do not cross it, cm."""
PITTED, PITS, PIT_DEPTH = "mouthShrugLower", 16, 0.14
SMOOTH_PITS = 0.4
"""Depth of a pit on smooth skin, in units of a furrowed skin's."""
PIT_CENTRE, PIT_RADII = (0.0, -6.5), (1.15, 0.75)
"""Dimples of a raised chin: the shape, how many, how deep, and the ellipse they lie in, cm."""


@dataclass(frozen=True)
class _Furrow:
    """One side of a crease as one person has it: the `line` (P, 2) cm that it follows, of the left
    side, how deep it is, and the knots of its wavering and of what breaks it."""

    crease: Crease
    sign: int
    line: Double
    deep: float
    waver: Double
    broken: Double

    @cached_property
    def path(self) -> Double:
        """Its points (K, 2), model cm."""
        out = _resampled(self.line)
        out += _noise(len(out), self.waver)[:, None] * _normals(out) * WAVER
        out[:, 0] *= self.sign
        return out

    @cached_property
    def depth(self) -> Double:
        """How deep (K,) it is there, where skin is furrowed."""
        count = len(self.path)
        along = (np.arange(count) + 0.5) / count
        if self.crease.crosses:  # half as deep where it meets the other half
            ends = np.cos(np.pi * along / 2) ** 0.6
            ends *= np.clip(0.5 - 0.5 * self.path[:, 0] * self.sign / self.line[0, 0], 0, 1)
        else:
            ends = np.sin(np.pi * along) ** 0.6
        broken = np.clip(0.8 + 0.45 * _noise(count, self.broken), 0.1, 1.2)
        out: Double = self.crease.depth * self.deep * ends * broken
        return out

    @cached_property
    def down(self) -> Double:
        """Normals (K, 2) that point downwards: that wall faces the light."""
        normals = _normals(self.path)
        normals *= np.where(normals[:, 1:] < 0, 1, -1)
        return normals


@lru_cache(maxsize=64)
def _person(seed: int) -> tuple[tuple[_Furrow, ...], tuple[Double, Double]]:
    """The furrows and the pits that a person has: the same in every picture, and in every frame."""
    furrows = list[_Furrow]()
    random, bent = np.random.default_rng(seed), np.random.default_rng((seed, 1))
    frowns, converge = _frown(seed)
    for crease in CREASES:  # in one order, whatever is drawn of it
        common, kept = _personal(np.array(crease.path), bent), random.random() > LEFT_OUT
        kept |= crease.shape in ALONE
        if crease in frowns:  # which furrows these have is the way they frown
            common, kept = _turned(common, 0.0 if crease.crosses else converge), True
        for sign in (1, -1):
            line = common + bent.normal(0, ASYMMETRY, 2)
            count = _count(_lengths(line))
            deep = min(float(np.exp(random.normal(0, UNEVEN))), DEEPEST) * kept
            deep *= frowns.get(crease, (1.0, 1.0))[0 if sign > 0 else 1]
            waver, broken = _knots(count, random), _knots(count, random)
            if not crease.crosses:
                line[:, 0] = np.maximum(line[:, 0], MEDIAN)
            else:  # its halves are one furrow: they begin and are as deep as one
                line[:, 0] += crease.path[0][0] - line[0, 0]
                if sign < 0:
                    line[:, 1] += furrows[-1].line[0, 1] - line[0, 1]
                    deep, broken = furrows[-1].deep, furrows[-1].broken
            furrows.append(_Furrow(crease, sign, line, deep, waver, broken))
    pits = (random.uniform(0, 2 * np.pi, PITS), np.sqrt(random.uniform(0, 1, PITS)))
    return tuple(furrows), pits


class Creases:
    """The creases of one photograph of side S. What a blendshape creases is drawn when it is first
    asked for: most edits move few of them."""

    def __init__(
        self, model: FaceModel, points: Float, lines: SkinLines, scale: float, skin: Float,
        seed: int, before: Creases | None = None,
    ) -> None:  # fmt: skip
        """`points` (N, 2) px of the vertices in the photograph, at `scale` px/cm; `lines` that its
        skin has; `skin` (F,), how deep each face vertex may crease, 0 where it is not bare skin;
        `seed` of the person's irregularity; `before`: of the same skin in another photograph."""
        self._lines, self._side = lines, lines.side
        self._placed: dict[int, Placed] = {} if before is None else before._placed
        self._drawn: dict[int, Patch] = {} if before is None else before._drawn
        front, nearest = model.once(_front)
        self._canvas = Canvas(nearest, points[front], skin[front], scale, self._side)
        self._pitted = model.index[PITTED]
        self._furrows: dict[int, list[_Furrow]] = {}
        self._patches: dict[int, Patch] = {}
        furrows, self._pits = _person(seed)
        for furrow in furrows:
            shape = furrow.crease.shape
            name = shape if shape in model.index else f"{shape}_{'L' if furrow.sign > 0 else 'R'}"
            self._furrows.setdefault(model.index[name], []).append(furrow)

    @property
    def rough(self) -> float:
        """How furrowed the skin is."""
        return self._lines.rough

    def __call__(self, weights: Float, own: Float) -> Float | None:
        """Log-brightness (S, S) of what blendshape `weights` (53,) crease beyond the photograph's
        `own` (53,), without the lines that go with what they let go; None if that is nothing."""
        out: Float | None = None
        for index in self._furrows:
            now, before = (max(0.0, float(w[index])) for w in (weights, own))
            more = now**ONSET - before**ONSET
            less = (before - now) / max(before, LEAST_RELEASE)
            if more < FAINTEST and less < FAINTEST:
                continue
            patch = self._patch(index)
            if not patch.wrinkle_map.size:
                continue
            if out is None:
                out = np.zeros((self._side, self._side), np.float32)
            change = patch.own * np.float32(-RELEASED * less)
            if more >= FAINTEST:
                change = (patch.wrinkle_map + patch.own * np.float32(DEEPENED)) * np.float32(more)
            out[patch.part] += change
        return out if out is None else _bounded(out)

    def _patch(self, index: int) -> Patch:
        """What a blendshape creases, from memory if it was asked for before."""
        if index not in self._patches:  # two threads may draw it: the same
            furrows = self._furrows[index]
            if index not in self._placed:
                strokes = [stroke for furrow in furrows for stroke in self._strokes(furrow)]
                strokes += self._pit_strokes() if index == self._pitted else []
                areas = [_area(f.crease, f.sign) for f in furrows if f.crease.shape in ALONG]
                self._placed[index] = self._canvas.placed(strokes, areas)
            patch = self._placed_patch(index)
            for name in {ALONG[f.crease.shape] for f in furrows if f.crease.shape in ALONG}:
                # one: the furrows of a blendshape run one way
                lines = self._lines.within(name, patch.part)
                patch = replace(patch, own=patch.own * lines)
            self._patches[index] = patch if patch.wrinkle_map.any() or patch.own.any() else NOTHING
        return self._patches[index]

    def _placed_patch(self, index: int) -> Patch:
        """A patch, and where its own lines are looked for: carried here from an earlier frame in
        which it was drawn, or drawn."""
        placed = self._placed[index]
        at = self._canvas.at(placed)
        patch = self._drawn[index].carried(at, self._side) if index in self._drawn else None
        if patch is None:
            patch = self._drawn[index] = patch_of(at, *self._canvas.lines(placed, at))
        return patch

    def _strokes(self, furrow: _Furrow) -> tuple[Stroke, Stroke]:
        """A furrow's bottom and its lit wall."""
        crease, rough = furrow.crease, self._lines.rough
        depth = furrow.depth * (SMOOTH_DEPTH + (1 - SMOOTH_DEPTH) * rough)
        width = crease.width * (SMOOTH_WIDTH + (1 - SMOOTH_WIDTH) * rough)
        wall = furrow.path + furrow.down * width * 2
        return Stroke(furrow.path, -depth, width), Stroke(wall, depth * WALL, width * 1.3)

    def _pit_strokes(self) -> list[Stroke]:
        """The pits of a raised chin."""
        centre, radii = np.array(PIT_CENTRE), np.array(PIT_RADII)
        angle, radius = self._pits
        rough = self._lines.rough
        depth = PIT_DEPTH * (SMOOTH_PITS + (1 - SMOOTH_PITS) * rough)
        width = 1 + SMOOTH_WIDTH * (1 - rough) / 4
        at = centre + np.stack([np.cos(angle), np.sin(angle)], 1) * radius[:, None] * radii
        strokes = []
        for pit in at:
            path = pit + np.array([[-0.04, 0.0], [0.04, 0.0]])
            strokes.append(Stroke(path, np.full(2, -depth), 0.10 * width))
            strokes.append(Stroke(path - [0, 0.16], np.full(2, depth * WALL), 0.12 * width))
        return strokes


def _front(model: FaceModel) -> tuple[Index, Nearest]:
    """The vertices (P,) of the front of the face, and the nearest of them on it, cm."""
    front = np.flatnonzero(model.neutral[FACE, 2] > 3)
    return front, Nearest(model.neutral[front, :2])


def _bounded(drawn: Float) -> Float:
    """Log-brightness (S, S) in which no wall shines, and no furrow is a stroke of ink."""
    for sign, (start, most) in ((1, LIT), (-1, DARK)):
        over = sign * drawn > start
        beyond = sign * drawn[over] - np.float32(start)
        drawn[over] = sign * (start + beyond / (1 + beyond / np.float32(most)))
    return drawn


@cache
def _area(crease: Crease, sign: int) -> Stroke:
    """Where lines belong to a crease."""
    path = _middle(crease, sign)
    return Stroke(path, np.ones(len(path)), OWN_AREA)


def _personal(path: Double, random: np.random.Generator) -> Double:
    """A crease's path (P, 2) cm as one person has it: moved, slanted, shorter."""
    lengths = _lengths(path)
    start, end = random.uniform(0, SHORTER / 2, 2)
    at = np.linspace(start, 1 - end, len(path)) * lengths[-1]
    out = through(lengths, path, at)
    turned = _turned(out, float(random.normal(0, SLANT)))
    return np.asarray(turned + random.normal(0, STRAY, 2), np.float64)


def _turned(path: Double, turn: float) -> Double:
    """A path (P, 2) turned about its middle, rad."""
    middle = path.mean(0)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    out: Double = (path - middle) @ rotation.T + middle
    return out


def _frown(seed: int) -> tuple[dict[Crease, tuple[float, float]], float]:
    """How deep a person's furrows of a frown are on the left and on the right, in units of their
    depths; and how much they converge, rad."""
    random = np.random.default_rng((seed, 3))
    one, other, inner, bow = FROWNS[int(random.integers(len(FROWNS)))]
    if random.random() < 0.5:
        one, other = other, one
    outer, middle, across = (c for c in CREASES if c.shape == "browDown")
    deep = {outer: (one, other), middle: (inner, inner), across: (bow, bow)}
    return deep, float(random.normal(0, CONVERGE))


def _lengths(path: Double) -> Double:
    """How far along `path` (P, 2) each of its points lies, cm."""
    x, y = np.diff(path, axis=0).T
    return np.concatenate([[0], np.cumsum(np.sqrt(x * x + y * y))])


def _count(lengths: Double) -> int:
    """Points, `STEP` apart, of the curve through a path."""
    return max(8, round(float(lengths[-1]) / STEP))


def _resampled(path: Double) -> Double:
    """Points (K, 2), `STEP` apart, of a smooth curve through `path` (P, 2)."""
    lengths = _lengths(path)
    at = np.linspace(0, lengths[-1], _count(lengths))
    return through(lengths, path, at)


@cache
def _middle(crease: Crease, sign: int) -> Double:
    """Points (K, 2) of a crease that does not stray."""
    path = _resampled(np.array(crease.path))
    path[:, 0] *= sign
    return path


def _normals(path: Double) -> Double:
    """Unit normals (K, 2) of a curve (K, 2)."""
    along = np.empty_like(path)
    along[1:-1] = (path[2:] - path[:-2]) / 2
    along[0], along[-1] = path[1] - path[0], path[-1] - path[-2]
    x, y = along.T
    out: Double = np.stack([-y, x], 1) / np.maximum(np.sqrt(x * x + y * y), 1e-9)[:, None]
    return out


def _knots(count: int, random: np.random.Generator) -> Double:
    """What smooth noise of `count` values goes through: a knot every 0.8 cm."""
    return random.standard_normal(max(4, round(count * STEP / 0.8) + 2))


def _noise(count: int, knots: Double) -> Double:
    """Smooth noise (K,), standard deviation about 0.8."""
    return _evenly(len(knots), count)(knots)


@lru_cache(maxsize=256)
def _evenly(knots: int, count: int) -> Spline:
    """Splines through so many values, at so many places between them."""
    return Spline(np.arange(knots, dtype=np.float64), np.linspace(0, knots - 1, count))
