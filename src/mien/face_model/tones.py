"""The light in a photograph, as far as the inside of a mouth must share it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import cv2
import numpy as np

from mien.face_model.arrays import Float, Real
from mien.face_model.eyes import polygon
from mien.face_model.mouth import OwnMouth, cheek_colours
from mien.face_model.sampling import LUMA

WHITE_TO_ENAMEL, LIGHT_TO_ENAMEL = 1.2, 1.04
"""Brightness of front teeth in units of the eye's white and of the brightest skin: medians of the
London training people's smiles, where they are 0.95 to 1.4 and 0.84 to 1.24."""
DIMMEST = 0.95
"""Teeth are at least this bright, in units of the cheeks: an eye's white can lie in shadow."""
BRIGHTEST = 1.12
"""Teeth are at most this bright, in units of the brighter of the eye's white and skin."""
NEUTRAL = np.array([1.04, 0.985, 0.985], np.float32)
SKIN = np.array([1.22, 0.935, 0.81], np.float32)
"""Tints of the eye's white and of skin in white light: the London training people's."""
ENAMEL = np.array([1.05, 0.985, 0.925], np.float32)
"""The same of teeth (five of them who smile)."""
OWN = 0.04
"""Deviation from those tints, in log units, that is people's own and not the light's."""
DARK_SHARE, VEILED, MOST_VEIL = 0.02, (0.185, 0.245), 0.36
"""Part of a face, percent, that is its darkest (pupils, nostrils); its brightness, in units of the
brightest skin's, up to which dark is dark, and from which on this much of the lips' light lies over
it. By eye, beside the open mouths of `grid`, whose depths have a third of their cheeks' light."""
FEWEST = 10
"""Pixels that this part has at least: in a small face a few are noise."""
ALIKE = 4.0
"""Levels of 255 by which the colours of two lights differ at most that nobody tells apart."""
WARM = np.array([-0.16, 0.075, 0.16], np.float32)
"""By how much more than brightness each colour of very fair skin changes where a fold shades or
lights it, as exponents: light that passes through skin on its way is red."""
FAIR = (0.45, 0.85)
"""Brightness of the skin in units of the teeth's up to which it shades grey, and from which on so.
Both by 16 training people's smiles, folds over their renders: 0.5 gives .93 to .95, 1.04, 1.06;
0.85 and more .77 to .95, 1.02 to 1.09, 1.04 to 1.25."""
MONO = (0.02, 0.05)
"""Difference of tint between lips, skin and eye white up to which a photograph has one hue, and
from which on it is in colour."""


@dataclass(frozen=True)
class Tones:
    """What a photograph says of its light: colours (3,), 0..255, of the eye's white, the cheeks and
    the lower lip, and the brightness of its brightest skin; `aside`, log of how much brighter the
    cheek on the right of the picture is than the other; `enamel` (3,) of its own teeth if it shows
    them; `veil`, how much of the light around lies over whatever is dark: flare, blur, haze of
    compression."""

    white: Float
    skin: Float
    lip: Float
    bright: float
    aside: float = 0.0
    enamel: Float | None = None
    veil: float = 0.0

    @cached_property
    def mono(self) -> float:
        """1 for a photograph of one hue (grey, sepia), 0 for one in colour."""
        return one_hue((self.white, self.skin, self.lip))

    @cached_property
    def level(self) -> float:
        """Brightness, 0..255, of front teeth in full light."""
        if self.enamel is not None:
            return float(self.enamel @ LUMA)
        white = float(self.white @ LUMA)
        estimate = np.sqrt(WHITE_TO_ENAMEL * white * LIGHT_TO_ENAMEL * self.bright)
        least = max(float(estimate), DIMMEST * float(self.skin @ LUMA))
        return min(least, BRIGHTEST * max(white, self.bright), 255.0)

    def near(self, other: Tones) -> bool:
        """Whether nobody tells the light of another photograph from this one's."""
        colours = ((self.white, other.white), (self.skin, other.skin), (self.lip, other.lip))
        off = max(float(np.abs(a - b).max()) for a, b in colours)
        off = max(off, abs(self.level - other.level), 100 * abs(self.aside - other.aside))
        return off < ALIKE and abs(self.veil - other.veil) < ALIKE / 100

    @property
    def brown(self) -> float:
        """Brightness of the skin in units of the teeth's."""
        return float(self.skin @ LUMA) / max(self.level, 1.0)

    @cached_property
    def cast(self) -> Float:
        """Tint (3,) of the light, 1 in white light: as far as two of eyes, skin and, where they are
        shown, teeth agree in it."""
        tints = [tint(self.white) / NEUTRAL, tint(self.skin) / SKIN]
        if self.enamel is not None:
            tints.append(tint(self.enamel) / ENAMEL)
        seen = np.log(np.maximum(tints, 0.05))
        way = max((_agreed(a, b) for a, b in combinations(seen, 2)), key=np.linalg.norm)
        out = np.exp(way)
        return np.asarray(out / max(float(out @ LUMA), 1e-3), np.float32)

    @cached_property
    def shading(self) -> Float:
        """Exponents (3,) of the change of brightness by which each colour of the skin changes where
        it is folded, less 1; 0 in a photograph of one hue."""
        fair = float(np.clip((self.brown - FAIR[0]) / (FAIR[1] - FAIR[0]), 0, 1))
        return np.asarray(WARM * np.float32(fair * (1 - self.mono)), np.float32)

    def relit(self, colour: Float, enamel: Float) -> Float:
        """`colour` (..., 3), from where teeth are `enamel` (3,), in the light of here."""
        gain = self.cast * np.float32(self.level / max(float(enamel @ LUMA), 1e-3))
        if self.enamel is not None:
            gain = np.asarray(self.enamel / np.maximum(enamel, 1.0), np.float32)
        lit = colour * gain
        if self.mono > 0:
            lit = lit + np.float32(self.mono) * (self.greyed(lit) - lit)
        return np.asarray(lit, np.float32)

    def greyed(self, colour: Float) -> Float:
        """`colour` (..., 3) in the one hue of a photograph that has one."""
        out: Float = (colour @ LUMA)[..., None] * tint(self.skin)
        return out

    def part(self, share: Float) -> Float:
        """The colour (3,) of a part that is `share` (3,) in units of white teeth's brightness."""
        gain = self.cast * np.float32(self.level)
        if self.mono > 0:
            grey = float(share @ LUMA) * self.level * tint(self.skin)
            return np.asarray(share * gain * (1 - self.mono) + grey * self.mono, np.float32)
        return np.asarray(share * gain, np.float32)


def _agreed(one: Real, other: Real) -> Real:
    """What two tints (3,), logarithms, have in common, beyond what is people's own."""
    first, second = float(np.linalg.norm(one)), float(np.linalg.norm(other))
    alike = float(one @ other) / max(first * second, 1e-6)
    size = max(0.0, min(first, second) * alike - OWN)
    way = one / max(first, 1e-6) + other / max(second, 1e-6)
    return way / max(float(np.linalg.norm(way)), 1e-6) * size


def one_hue(colours: Sequence[Float]) -> float:
    """1 where colours (3,) of parts that have hues of their own have the same, 0 where not."""
    tints = np.stack([tint(colour) for colour in colours])
    low, high = MONO
    return float(np.clip((high - float(np.ptp(tints, axis=0).max())) / (high - low), 0, 1))


def tint(colour: Real) -> Float:
    """A colour (3,) at brightness 1; a black one has none."""
    light = float(colour @ LUMA)
    return np.asarray(colour / light if light >= 1 else np.ones(3), np.float32)


def seen(white: Float, own: OwnMouth, photo: Float, landmarks: Real) -> Tones:
    """The tones of a photograph (H, W, 3) with landmarks (68, 2) px, the colour `white` (3,) of its
    eyes and its `own` mouth."""
    face = polygon(photo.shape[:2], np.concatenate([landmarks[1:16], landmarks[26:16:-1]]))
    lit = np.asarray(cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY), np.float32)[face > 0]  # by `LUMA`
    bright = float(np.percentile(lit, 98))
    left, right = (max(float(c @ LUMA), 1.0) for c in cheek_colours(photo, landmarks))
    aside = float(np.log(right / left))
    return Tones(white, own.skin, own.lip, bright, aside, own.enamel, _veil(lit, bright))


def _veil(lit: Float, bright: float) -> float:
    """How far the darkest of a face, its pixels' brightness (P,), is from black."""
    share = max(DARK_SHARE, 100 * FEWEST / max(len(lit), FEWEST))
    dark = float(np.percentile(lit, share)) / max(bright, 1.0)
    none, all_of_it = VEILED
    return MOST_VEIL * float(np.clip((dark - none) / (all_of_it - none), 0, 1))
