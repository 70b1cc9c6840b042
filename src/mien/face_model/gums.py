"""The gum above a row of teeth, where a lip bares it: a soft pale roll along the margin, rounded
over the roots and hollow between them, redder towards the lip, wet, with grain.

Form and colour after pictures of healthy gums (N. P. Lang and J. Lindhe, *Clinical Periodontology
and Implant Dentistry*, 6th ed. (2015), chapter 1: free gum, papillae, stippled attached gum, red
mucosa beyond); sizes by eye.
"""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Float
from mien.face_model.mouths import FLAT, Donor
from mien.face_model.smoothstep import smoothstep
from mien.face_model.tones import Tones, tint

GUM = np.array([0.88, 0.56, 0.55], np.float32)
"""Its colour in units of the teeth's brightness."""
DARK_SKIN, PIGMENT = (0.45, 0.75), 0.65
"""Brightness of the skin in units of the teeth's under which gum is as brown as it gets, and from
which on it is not; and which part of the way its tint then goes to the lips'."""
HIGH, DENSITY = 0.9, 40
"""Height, cm, and pixels per cm of the drawn gum; it goes on as at its upper edge."""
ROLL = 0.1, 0.06
"""Where above its margin the free gum is roundest, and how far around, cm."""
MARGIN, MARGIN_WIDE = 0.3, 0.035
"""How dark it is where it meets the teeth, and how far up, cm."""
ROOTS, HOLLOWS = 0.1, 0.16
"""How much lighter it is over a tooth's root, and darker where two touch; both end at `HIGH`."""
MUCOSA = np.array([0.97, 0.87, 0.87], np.float32)
"""Tint far above the teeth, beside that at the margin."""
BEYOND = (0.3, 0.7)
"""Heights between which it turns so, cm."""
WET = 0.3
"""Brightness of the wet highlights, in units of the teeth's."""


def gum_colour(tones: Tones, dull: np.float32) -> Float:
    """The colour (3,), 0..255, of gum in a photograph's light, `dull` as the flesh of its mouth."""
    plain = tones.part(GUM * dull)
    bright, fair = DARK_SKIN
    brown = float(np.clip((fair - tones.brown) / (fair - bright), 0, 1)) * (1 - tones.mono)
    light, own = plain / np.maximum(tint(plain), 1e-3), tint(tones.lip)
    return np.asarray(plain + np.float32(PIGMENT * brown) * (light * own - plain), np.float32)


class Gums:
    """The gum above one row of teeth.

    picture (R, C, 3), 0..255: columns as the row's, from the margin upwards.
    """

    def __init__(self, donor: Donor, colour: Float, wet: Float, seed: int) -> None:
        """`colour` (3,) of the gum and of its `wet` highlights (3,), 0..255; `seed` of whose it
        is."""
        self.picture = _picture(donor.arches, colour, wet, seed)

    def __call__(self, column: Float, up: Float) -> Float:
        """The gum (H, W, 3) at columns (W,) of the row, `up` (H, W) cm above its margin."""
        x = np.broadcast_to(column, up.shape).astype(np.float32)
        y = np.clip(up, 0, HIGH) * np.float32(DENSITY) - np.float32(0.5)
        # four channels are read in a quarter of the time of three
        out = cv2.remap(
            cv2.cvtColor(self.picture, cv2.COLOR_RGB2RGBA),
            np.ascontiguousarray(x),
            np.ascontiguousarray(y, np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        return np.asarray(cv2.cvtColor(out, cv2.COLOR_RGBA2RGB), np.float32)


def _picture(arches: Float, colour: Float, wet: Float, seed: int) -> Float:
    random = np.random.default_rng((seed, 17))
    up = (np.arange(round(HIGH * DENSITY), dtype=np.float32)[:, None] + 0.5) / DENSITY
    shape = len(up), len(arches)
    soft = cv2.GaussianBlur(arches[None].astype(np.float32), (0, 0), 0.05 * FLAT.density)[0]
    at, around = ROLL
    roll = np.exp(-(((up - at) / around) ** 2))
    fades = 1 - smoothstep(up / HIGH)
    light = 1 + (ROOTS * (1 - soft) - HOLLOWS * soft) * fades * (1 - np.exp(-up / at))
    light = light * (1 + 0.08 * roll - MARGIN * np.exp(-up / MARGIN_WIDE))
    fine, patches = (_noise(random, shape, s) for s in (1.1, 7.0))
    light = light * (1 + 0.025 * fine + 0.03 * patches)
    low, high = BEYOND
    redder = smoothstep((up - low) / (high - low) + 0.2 * patches)[..., None]
    tinted = 1 + redder * (MUCOSA - 1)
    bulge = np.exp(-(((up - at - 0.06) / 0.07) ** 2)) * np.clip(1 - 1.6 * soft, 0, 1)
    gloss = bulge * np.clip(_noise(random, shape, 2.2) + 0.4 * fine - 0.4, 0, 1.2)
    out = light[..., None] * tinted * colour + gloss[..., None] * wet
    return np.asarray(np.clip(out, 0, 255), np.float32)


def _noise(random: np.random.Generator, shape: tuple[int, int], sigma: float) -> Float:
    """Smooth noise (R, C), 1 in standard deviation."""
    noise = random.standard_normal(shape).astype(np.float32)
    out = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigma), np.float32)
    return np.asarray(out / out.std(), np.float32)
