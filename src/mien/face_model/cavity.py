"""What lies behind the teeth of an opened mouth: the tongue's back, the arch of the palate before
the throat, and the cheeks' inner sides, drawn in centimetres of the lower jaw.

The mesh says where the jaws and the tongue's tip and back are; its surface is not drawn, for a
tongue at rest fills the mouth of the mesh up to the palate, and an opened mouth shows it lying low,
with the dark above it. Light comes in between the lips alone: a disc of their gap's radius lights
what lies `DEPTH` behind it by its form factor, r^2 / (r^2 + d^2) (J. R. Howell, *A Catalog of
Radiation Heat Transfer Configuration Factors*, C-21), and less the farther back.

Brightness and colours: beside the cheeks' light, wide mouths of `flux_schnell` (looked at, nothing
was taught by them) have .05 to .08 in the darkest fiftieth, .09 to .15 in a tenth, .2 in a quarter,
.34 in the middle, and tongues (.6, .3, .3).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Float
from mien.face_model.jaw import JawPlace
from mien.face_model.mesh import FaceModel
from mien.face_model.sampling import LUMA, merged, pyramid, row_of, tripled
from mien.face_model.smoothstep import smoothstep
from mien.face_model.tones import Tones, tint

TONGUE = np.array([0.77, 0.43, 0.42], np.float32)
THROAT = np.array([0.125, 0.066, 0.06], np.float32)
FLESH = np.array([0.39, 0.235, 0.22], np.float32)
"""Colours in units of the teeth's brightness: the tongue and, of palate and cheeks, their flesh in
full light; the throat as it is seen."""
SKIN_SHARE = 0.3
"""Power of the skin's brightness, in units of the teeth's, that the mouth's flesh shares."""
BOUNCED = np.array([0.91, 1.03, 1.045], np.float32)
"""What is darker inside a mouth is lit by light that came back from red skin: the power, by
channel, to which the light is taken."""
DEPTH, FULL = 0.58, 1.22
"""How far behind the lips the tongue's front lies, cm; light through the widest mouths in units of
that in which the colours hold."""
LIES, RISES = 0.55, 0.38
"""Height of the tongue's outline above the edge of the lower teeth, cm, of a mouth whose rows touch
there, and the part of their gap that comes to it."""
SEEN = 0.36
"""Part of the opening between the lips that it fills at least."""
WIDE = (0.9, 2.2)
"""Gaps between the lips, cm, up to which a mouth is narrow, and from which on wide."""
LIPS, SHARED, FARTHEST = np.array([0.075, -0.071, 0.09], np.float32), 0.6, 0.15
"""Tint of lips beside that of skin, in log units (medians of 61 training people); which part of a
person's difference from that tongue, palate and cheeks have, and the most of it."""
PEOPLE = {"lies": 0.2, "half": 0.3, "dip": 0.09, "blunt": 0.45, "tilt": 0.1, "beside": 0.1}
"""How much people's tongues differ, either way: heights and widths in cm, depth of the groove, how
blunt the outline is, how much higher one side lies than the other, cm / cm, and how far the groove
lies beside the middle, cm. By eye: no data show tongues alone."""
HALF, SQUARE, BLUNT = 1.9, 2.3, 1.9
"""Half the tongue's width, cm, and how square its outline is."""
DIP, GROOVE, FURROW = 0.04, 0.3, 0.16
"""Depth of the groove in the outline, cm, and its half width, in people who have one; and how dark
it is."""
FRONT, BENDS = 0.3, 0.52
"""Part of the tongue's height that faces the lips most; over what part beyond its light falls."""
HIDDEN = 0.6
"""Part of what the lower lip hides of it that does not count in that height."""
ASIDE = 0.5
"""How much darker its sides are, which bend away."""
ROOM, REACH = 1.25, 0.82
"""Half the width of the throat, cm, and which part of the gap above the tongue its arch takes."""
PALATE, CHEEK = 0.42, 0.65
"""Light on palate and cheeks in units of that on the tongue's front."""
LIP_EDGE, LIP_SHADE = 0.14, 0.42
"""Reach, cm, of the shade behind the lower lip, and how dark it is."""
WET = 0.3
"""Brightness of the wet highlights, in units of the teeth's."""
SOFT = 0.05
"""Half width of the tongue's outline, cm."""
DENSITY, LONG, LEVELS = 40, 2.2, 3
"""Pixels per cm of the grain of a tongue, its length, and sizes in which it is kept."""
GRAINS = 8
"""How many grains there are."""


@dataclass(frozen=True)
class Place:
    """The pixels of a window in centimetres: `across` (W,) the lower jaw and `low` (H, W) above the
    edge of its teeth, `above` (H, W) the upper ones'; mask (H, W): what is left open between the
    lips; unit: px per cm."""

    across: Float
    low: Float
    above: Float
    mask: Bool
    unit: float

    @property
    def rows_gap(self) -> float:
        """How far, cm, the two rows' edges are apart in the middle."""
        at = int(np.abs(self.across).argmin())
        low, above = self.low[:, at], self.above[:, at]
        if len(low) < 2 or abs(float(above[-1] - above[0])) < 1e-6:
            return 0.0
        part = float(above[0]) / float(above[0] - above[-1])
        return float(low[0]) + part * float(low[-1] - low[0])

    @property
    def gap(self) -> float:
        """How far, cm, the lips are apart at most."""
        return float(self.mask.sum(0).max()) / self.unit

    @property
    def wide(self) -> float:
        """How wide open the mouth is, 0 for a smile, 1 for a dropped jaw."""
        narrow, far = WIDE
        return float(np.clip((self.gap - narrow) / (far - narrow), 0, 1))

    @property
    def between(self) -> tuple[float, float]:
        """How high, cm above the edge of the lower teeth, the lips' opening begins and ends in its
        middle."""
        at = np.flatnonzero(self.mask.any(0))
        if not len(at):
            return 0.0, 0.0
        column = int(at[len(at) // 2])
        rows = np.flatnonzero(self.mask[:, column])
        low = self.low[:, column]
        return (float(low[rows[-1]]), float(low[rows[0]])) if len(rows) else (0.0, 0.0)

    @property
    def lip(self) -> Float:
        """How high (W,), cm above the lower teeth's edge, the lower lip reaches."""
        some = self.mask.any(0)
        last = self.mask.shape[0] - 1 - self.mask[::-1].argmax(0)
        high = np.where(some, self.low[last, np.arange(len(last))], self.low[-1])
        return np.asarray(high, np.float32)


class Cavity:
    """The inside of one person's mouth, without teeth, in the light of a photograph."""

    def __init__(self, model: FaceModel, tones: Tones, seed: int = 0) -> None:
        """`seed`: of the person, whose tongue lies as no other's does."""
        tongue = model.jaw_parts[2]
        z = model.neutral[tongue, 2]
        along = (z.max() - z) / max(float(np.ptp(z)), 1e-6)
        self._tip, self._back = tongue[along < 0.1], tongue[(along > 0.5) & (along < 0.6)]
        dull = np.float32(min(1.0, tones.brown) ** SKIN_SHARE)
        self.throat = tones.part(THROAT)
        self._tongue, self._flesh = (tones.part(one * dull) for one in (TONGUE, FLESH))
        own = _tinted(tones)
        self._tongue, self._flesh = (
            np.asarray(one * own, np.float32) for one in (self._tongue, self._flesh)
        )
        self._own = _Tongue.of(seed)
        self._gloss = tones.part(np.full(3, WET, np.float32))
        self._power = 1 + (BOUNCED - 1) * np.float32(1 - tones.mono)

    def lit(self, light: Float) -> Float:
        """`light` (H, W) by channel (H, W, 3)."""
        return merged([light**power for power in self._power])

    def farther(self, place: JawPlace, points: Float) -> float:
        """How far aside of its tip, cm, the tongue's back is seen, the mesh at `points` (N, 2) px:
        a turned head shows it from one side."""
        x = [points[part].mean(0).astype(np.float32) for part in (self._tip, self._back)]
        tip, back = (float(place(one[:1], one[1:])[0][0]) for one in x)
        return back - tip

    def __call__(self, at: Place, aside: float) -> Float:
        """The picture (H, W, 3), 0..255, defined beyond the mask too; `aside` cm: how far beside
        its tip the tongue's back is seen."""
        gap = max(at.rows_gap, 0.0)
        radius = at.gap / 2
        enters = FULL * radius**2 / (radius**2 + DEPTH**2)
        floor, ceiling = at.between
        high = max(self._own.lies + RISES * gap, floor + SEEN * (ceiling - floor))
        off = at.across - np.float32(aside) * np.clip(at.low / np.float32(high), 0, 1.5)
        out = self._behind(off, at.low, high, max(gap, 0.2), enters)
        bent = np.abs(off) / np.float32(self._own.half)
        shape = np.clip(1 - bent**SQUARE, 0, 1) ** (1 / self._own.blunt)
        groove = np.exp(-(((off - self._own.beside) / GROOVE) ** 2))
        outline = (high + self._own.tilt * off) * shape - self._own.dip * groove
        cover = np.clip((outline - at.low) / (2 * SOFT) + 0.5, 0, 1).astype(np.float32)
        foot = HIDDEN * max(floor, 0.0)
        up = np.clip((at.low - foot) / np.maximum(outline - foot, 0.05), 0, 1)
        tongue = self._back_of(off, np.asarray(up, np.float32), enters, at.unit)
        out = out + tripled(cover) * (tongue - out)
        near = np.maximum(at.low - at.lip, 0)
        shade = 1 - LIP_SHADE * np.exp(-((near / LIP_EDGE) ** 1.3))
        return np.asarray(out * tripled(np.asarray(shade, np.float32)), np.float32)

    def _behind(self, off: Float, low: Float, high: float, gap: float, enters: float) -> Float:
        """Throat, palate and cheeks (H, W, 3), `off` (H, W) cm from the middle."""
        foot = 0.5 * high
        arch = np.maximum(REACH * gap, high + 0.15) - foot
        aside, above = off / ROOM, np.maximum(low - foot, 0) / arch
        far = np.sqrt(aside * aside + above * above)  # NumPy's own way is ten times as slow
        palate = PALATE * smoothstep((far - 0.8) / 0.5)
        cheek = (CHEEK - PALATE) * smoothstep((np.abs(off) - 1.2) / 1.2)
        light = np.asarray(enters * (palate + cheek), np.float32)
        return self._coloured(light, self._flesh)

    def _back_of(self, off: Float, up: Float, enters: float, unit: float) -> Float:
        """The tongue (H, W, 3), `off` (H, W) cm from its middle and `up` (H, W) of its height."""
        bent = np.abs(off) / np.float32(self._own.half)
        light = np.exp(-((np.maximum(up - FRONT, 0) / BENDS) ** 2))
        light *= 1 - ASIDE * np.clip(bent, 0, 1) ** 2.2
        light *= 0.82 + 0.18 * np.clip(up / FRONT, 0, 1)  # the tip bends down
        line = np.exp(-(((off - self._own.beside) / (0.45 * GROOVE)) ** 2))
        light *= 1 - self._own.furrow * line * np.clip(up * 2, 0, 1)
        grain, wet = self._surface(off, up, unit)
        light = np.asarray(enters * light, np.float32)
        gloss = row_of(self._gloss, off.shape[1]) * tripled(wet * light)
        return self._coloured(np.asarray(light * grain, np.float32), self._tongue) + gloss

    def _coloured(self, light: Float, colour: Float) -> Float:
        """The throat, and a `colour` (3,) in a `light` (H, W) before it: (H, W, 3)."""
        throat, colour = (row_of(one, light.shape[1]) for one in (self.throat, colour))
        return np.asarray(throat + self.lit(light) * colour, np.float32)

    def _surface(self, off: Float, up: Float, unit: float) -> tuple[Float, Float]:
        """Grain, 1 in the mean, and wet highlights, 0..1, (H, W): what is farther back is seen at
        a lower angle."""
        levels = _grained(self._own.grain)
        level = int(np.clip(np.log2(max(DENSITY / unit, 1.0)) + 0.35, 0, LEVELS - 1))
        picture = levels[level]
        scale = np.float32(picture.shape[1] / levels[0].shape[1])
        x = ((off + np.float32(HALF + 0.3)) * DENSITY * scale - np.float32(0.5)).astype(np.float32)
        y = (up**1.4 * np.float32(LONG * DENSITY) * scale - np.float32(0.5)).astype(np.float32)
        seen = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        grain, wet = (np.asarray(seen[..., i], np.float32) for i in (0, 1))
        return grain, wet


@dataclass(frozen=True)
class _Tongue:
    """How one person's tongue lies: `lies`, `half`, `dip` and `beside` cm, `blunt`, `tilt`, how
    dark its `furrow` is, and which `grain`."""

    lies: float
    half: float
    dip: float
    blunt: float
    tilt: float
    beside: float
    grain: int

    @property
    def furrow(self) -> float:
        """Not every tongue has a groove; some are round in the middle."""
        return FURROW * float(np.clip(self.dip / DIP, 0.1, 1.5))

    @classmethod
    def of(cls, seed: int) -> _Tongue:
        random = np.random.default_rng((seed, 11))
        off = dict(zip(PEOPLE, random.uniform(-1, 1, len(PEOPLE)), strict=True))
        means = {"lies": LIES, "half": HALF, "dip": DIP, "blunt": BLUNT}
        own = {
            name: means.get(name, 0.0) + spread * float(off[name])
            for name, spread in PEOPLE.items()
        }
        return cls(**own, grain=seed % GRAINS)


def _tinted(tones: Tones) -> Float:
    """The tint (3,) of a person's tongue in units of the mean one's, by that of the lips; 1 in a
    photograph of one hue."""
    off = np.log(np.maximum(tint(tones.lip), 0.05) / np.maximum(tint(tones.skin), 0.05)) - LIPS
    shared = np.clip(SHARED * off, -FARTHEST, FARTHEST) * (1 - tones.mono)
    out = np.exp(shared)
    return np.asarray(out / float((out * TONGUE) @ LUMA / (TONGUE @ LUMA)), np.float32)


@cache
def _grained(which: int) -> tuple[Float, ...]:
    """Grain and wet highlights of one of several tongues (R, C, 2), tip first, at full size, half
    and quarter: bumps in patches of more and of less; highlights small, beside the groove."""
    rng = np.random.default_rng(3 + which)
    size = round(LONG * DENSITY), round(2 * (HALF + 0.3) * DENSITY)
    noise = rng.standard_normal(size).astype(np.float32)
    grains = [cv2.GaussianBlur(noise, (0, 0), s, sigmaY=0.7 * s) for s in (1.0, 2.2, 8.0)]
    fine, bumps, patches = (np.asarray(g / g.std(), np.float32) for g in grains)
    grain = 1 + 0.07 * fine + 0.05 * bumps + 0.02 * patches
    aside = np.abs((np.arange(size[1]) + 0.5) / DENSITY - (HALF + 0.3))
    along = (np.arange(size[0])[:, None] + 0.5) / size[0]
    ridge = np.exp(-(((aside - 0.5) / 0.34) ** 2)) * np.exp(-(((along - 0.28) / 0.2) ** 2))
    spots = cv2.GaussianBlur(rng.standard_normal(size).astype(np.float32), (0, 0), 1.5, sigmaY=1.0)
    sparkle = np.clip((spots / spots.std() + 0.7 * fine - 1.1) / 1.6, 0, 1)
    wet = ridge * (0.3 + sparkle)
    return pyramid(np.asarray(np.dstack([grain, wet]), np.float32), LEVELS)
