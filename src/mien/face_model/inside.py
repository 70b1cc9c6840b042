"""The inside of an opened mouth: a donor's upper teeth hung on the upper jaw, in front of what the
mesh draws of tongue, throat and lower teeth, all in the light of the photograph.

The jaw says where each pixel lies on the row of teeth: across it, and how high above its edge. So
the teeth keep their size and their place on the skull whatever the lips do; a donor whose smile
showed less of them is stretched a little, and where that is not enough the drawn gum shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from mien.face_model.mouths import FLAT, Donor
from mien.rig.arrays import Bool, Float, Index, Real
from mien.rig.eyes import polygon
from mien.rig.mesh import TEETH, FaceModel
from mien.rig.mouth import CROWN
from mien.rig.sampling import LUMA

REACH = 2.5
"""Half width of the front part of the upper jaw that tells where the row hangs, cm."""
STRETCH = (0.85, 1.3)
"""Bounds of a donor's teeth's height."""
CROWN_HEIGHT = (1.02, 0.16)
"""Height of the middle crowns, cm, and how much less it is 1 cm aside: a donor who shows less of
them may be stretched up to this."""
EVEN = 0.4
"""Over what width, cm, the stretch is the same."""
GUM = np.array([0.78, 0.47, 0.46], np.float32)
DEEP = np.array([0.16, 0.075, 0.07], np.float32)
"""Colours in units of the teeth's brightness: gum, and the dark behind the teeth."""
GUM_DARKER = 0.3
"""Power of the skin's brightness, in units of the teeth's, that gums share."""
GUM_EDGE = 0.06
"""Over what height, cm, the row fades into the drawn gum."""
MOLARS = 0.6
"""Brightness of the drawn teeth beyond the donor's."""
WIDER, SIDES_FROM, FILLED = 1.3, 0.8, 0.9
"""How much the sides of a row, from this far from the middle (cm) on, are widened at most to fill
this part of the mouth's width."""
TEETH_SHADOW, TEETH_SHADOW_REACH = 0.6, 0.3
"""How much darker it is right behind the upper teeth, and how far down, cm."""
LIP_SHADOW, LIP_SHADOW_REACH = 0.5, 0.13
"""How much darker it is right under the upper lip, and how far down, cm."""
CORNER_SHADE = 0.85
"""How much darker it is in the corners."""
RIM = 0.022
"""Half width of the soft edge between lip and inside, cm."""
WHITE_TO_ENAMEL, LIGHT_TO_ENAMEL = 1.2, 1.04
"""Brightness of front teeth in units of the eye's white and of the brightest skin: medians of the
London training people's smiles (0.95 to 1.4; 0.84 to 1.24)."""
BRIGHTEST = 1.15
"""Teeth are at most this bright, in units of the brighter of the two."""
CAST = 0.6
"""Power of the eye white's tint that teeth share: part of it is the eye's own."""
NEUTRAL = np.array([1.04, 0.985, 0.985], np.float32)
"""Tint of the eye's white in white light: the London people's."""
MONO = (0.02, 0.05)
"""Difference of tint between lips, skin and eye white up to which, and from which on no more, a
photograph has one hue."""


@dataclass(frozen=True)
class Tones:
    """What the photograph says of the light: colours (3,), 0..255, of the eye's white, the cheeks
    and the lower lip, and the brightness of its brightest skin; `enamel` (3,) of its own teeth if
    it shows them."""

    white: Float
    skin: Float
    lip: Float
    bright: float
    enamel: Float | None = None

    @property
    def mono(self) -> float:
        """1 for a photograph of one hue (grey, sepia), 0 for one in colour."""
        tints = np.stack([c / max(float(c @ LUMA), 1.0) for c in (self.white, self.skin, self.lip)])
        low, high = MONO
        return float(np.clip((high - float(np.ptp(tints, axis=0).max())) / (high - low), 0, 1))

    @property
    def skin_share(self) -> float:
        """Brightness of the skin in units of the teeth's."""
        return float(self.skin @ LUMA) / max(self.level, 1.0)

    @property
    def level(self) -> float:
        """Brightness of front teeth in full light."""
        if self.enamel is not None:
            return float(self.enamel @ LUMA)
        white = float(self.white @ LUMA)
        told = np.sqrt(WHITE_TO_ENAMEL * white * LIGHT_TO_ENAMEL * self.bright)
        return float(min(told, BRIGHTEST * max(white, self.bright)))

    def relit(self, colour: Float, enamel: Float) -> Float:
        """`colour` (..., 3), linear in its light, from where teeth are `enamel` (3,) to here."""
        cast = (self.white / max(float(self.white @ LUMA), 1.0) / NEUTRAL) ** CAST
        gain = self.level / max(float(enamel @ LUMA), 1.0) * cast
        if self.enamel is not None:
            gain = self.enamel / np.maximum(enamel, 1.0)
        lit = colour * gain.astype(np.float32)
        if self.mono > 0:
            tint = self.skin / max(float(self.skin @ LUMA), 1.0)
            grey = (lit @ LUMA)[..., None] * tint
            lit = lit + np.float32(self.mono) * (grey - lit)
        return np.asarray(lit, np.float32)


class Jaw:
    """Where on the row of upper teeth a pixel lies, told by where the mesh's upper teeth lie."""

    def __init__(self, model: FaceModel) -> None:
        upper = model.jaw_parts[0]
        teeth = upper[upper >= TEETH.start]
        x, y, z = model.neutral[teeth].T
        bins = np.round(x / 0.1).astype(int)
        front = np.zeros(len(teeth), bool)
        for b in np.unique(bins):
            at = bins == b
            front[at] = z[at] > z[at].max() - 0.25
        front &= np.abs(x) < REACH
        self._vertices: Index = teeth[front]
        edge = y[front & (np.abs(x) < 0.7)].min()
        height = (y[front] - edge) * CROWN["upper"]
        self._flat = np.stack([x[front], height], 1).astype(np.float64)

    def place(self, points: Float) -> JawPlace:
        """The map for one posed mesh, `points` (N, 2) px."""
        seen = points[self._vertices].astype(np.float64)
        middle, spread = seen.mean(0), float(np.ptp(seen[:, 0])) / 2
        basis = _basis((seen - middle) / spread)
        weights, *_ = np.linalg.lstsq(basis, self._flat, rcond=None)
        return JawPlace(middle, spread, weights)


@dataclass(frozen=True)
class JawPlace:
    """Polynomial map from pixels to the flat row."""

    middle: Float
    spread: float
    weights: Float

    def __call__(self, x: Float, y: Float) -> tuple[Float, Float]:
        """Of pixels at x (W,) and y (H,): cm across the row, to the person's left, and cm above the
        teeth's edge, both (H, W)."""
        a = ((x - self.middle[0]) / self.spread)[None, :]
        b = ((y - self.middle[1]) / self.spread)[:, None]
        w = self.weights
        flat = [
            (w[0, j] + w[1, j] * a + w[2, j] * a**2 + w[3, j] * a**3)
            + b * (w[4, j] + w[5, j] * a + w[6, j] * a**2)
            for j in (0, 1)
        ]
        return flat[0].astype(np.float32), flat[1].astype(np.float32)


class Mouth:
    """Somebody's real mouth: one donor over all expressions."""

    def __init__(self, model: FaceModel, donor: Donor, tones: Tones) -> None:
        self.donor, self.tones = donor, tones
        self._jaw = Jaw(model)
        self._upper = np.zeros(len(model.neutral), bool)
        self._upper[model.jaw_parts[0]] = True
        self._upper[: TEETH.start] = False

    def __call__(
        self, points: Float, mask: Bool, drawn: Float, first: Index, corner: tuple[int, int],
        unit: float,
    ) -> tuple[Float, Float]:  # fmt: skip
        """`inside` for a mesh at `points` (N, 2) px in a window whose first pixel is `corner` (x,
        y); `first` (H, W): a vertex of the triangle that each pixel shows."""
        place = self._jaw.place(points)
        upper = self._upper[first] & mask
        return inside(self.donor, place, self.tones, mask, drawn, upper, corner, unit)


def brightest(photo: Float, landmarks: Real) -> float:
    """Brightness of the brightest skin of a face in a photograph (H, W, 3): it tells how much light
    there is."""
    face = polygon(photo.shape[:2], np.concatenate([landmarks[1:16], landmarks[26:16:-1]]))
    return float(np.percentile(photo[face > 0] @ LUMA, 98))


def _basis(p: Float) -> Float:
    a, b = p[:, 0], p[:, 1]
    one = np.ones_like(a)
    return np.stack([one, a, a**2, a**3, b, a * b, a**2 * b], 1)


def inside(
    donor: Donor, jaw: JawPlace, tones: Tones, mask: Bool, drawn: Float, upper: Bool,
    origin: tuple[float, float], unit: float,
) -> tuple[Float, Float]:  # fmt: skip
    """The inside of a mouth (H, W, 3), 0..255, and how much of it (H, W) shows over the lips.

    mask (H, W): what the raster leaves open between the lips; drawn (H, W, 3): the mesh's drawing
    there; upper (H, W): where that is upper teeth; origin: px (x, y) of the window's first pixel in
    the jaw's picture; unit: px per cm. The colour is defined beyond the mask as far as the rim
    reaches.
    """
    height, width = mask.shape
    x = np.arange(width, dtype=np.float32) + np.float32(origin[0])
    y = np.arange(height, dtype=np.float32) + np.float32(origin[1])
    across, above = jaw(x, y)
    across = _widened(donor, across[height // 2], mask)
    column = np.clip((across + FLAT.half) * FLAT.density - 0.5, 0, len(donor.top) - 1)
    above = above - np.interp(column, np.arange(len(donor.arc)), donor.arc).astype(np.float32)
    row, over = _hang(donor, column, above, _top(mask, above, unit), unit)
    one = np.ones(3, np.float32)
    gum = tones.relit(GUM * tones.skin_share**GUM_DARKER, one)
    dark = tones.relit(DEEP, one)
    ends = cv2.GaussianBlur(row[..., 3].max(0)[None], (0, 0), max(0.1 * unit, 0.5))[0][:, None]
    hidden = dark + np.float32(MOLARS) * np.clip(1 - ends, 0, 1) * np.maximum(drawn - dark, 0)
    behind = np.where(upper[..., None], hidden, np.maximum(drawn, dark * 0.5))
    k = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), 0.05 * unit + 0.3)[..., None]
    behind = cv2.GaussianBlur(behind * mask[..., None], (0, 0), 0.05 * unit + 0.3) / np.maximum(
        k, 1e-3
    )
    below = np.maximum(-above, 0)[..., None]
    behind = behind * (1 - TEETH_SHADOW * np.exp(-below / TEETH_SHADOW_REACH))
    behind = behind + over[..., None] * (gum - behind)
    colour = tones.relit(row[..., :3], donor.enamel) + behind * (1 - row[..., 3:])
    floor = dark * np.float32(0.4)
    colour = floor + (colour - floor) * _shade(mask, unit)[..., None]
    soft = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), max(RIM * unit, 0.8))
    return colour.astype(np.float32), soft


def _widened(donor: Donor, across: Float, mask: Bool) -> Float:
    """Places across the row (W,), cm, with its sides drawn out towards the corners of a wide
    mouth."""
    at = np.flatnonzero(mask.any(0))
    half = float(np.abs(across[at[[0, -1]]]).mean()) * FILLED
    shown = np.flatnonzero(donor.pixels[donor.pixels.shape[0] // 2 :, :, 3].max(0) > 127)
    reach = (shown[-1] - shown[0]) / 2 / FLAT.density
    wider = np.clip((half - SIDES_FROM) / (reach - SIDES_FROM), 1.0, WIDER)
    beyond = np.maximum(np.abs(across) - SIDES_FROM, 0)
    out: Float = across - np.sign(across) * beyond * np.float32(1 - 1 / wider)
    return out


def _top(mask: Bool, above: Float, unit: float) -> Float:
    """How high (W,), cm above the teeth's edge, the upper lip leaves them to be seen, per column;
    even over neighbours."""
    some = mask.any(0)
    first = mask.argmax(0)
    cut = np.where(some, above[first, np.arange(mask.shape[1])], 0.0).astype(np.float32)
    weight = some.astype(np.float32)
    out: Float = _evened(cut * weight, unit) / np.maximum(_evened(weight, unit), 1e-3)
    return out


def _hang(
    donor: Donor, column: Float, above: Float, top: Float, unit: float
) -> tuple[Float, Float]:
    """The donor's row (H, W, 4), premultiplied, at columns (W,) and heights (H, W) cm under a lip
    that is cut at `top` (W,) cm; and how much (H, W) each pixel lies above it."""
    deepest = len(donor.levels) - 1
    level = int(np.clip(np.floor(np.log2(max(FLAT.density / unit, 1.0)) + 0.35), 0, deepest))
    picture = donor.levels[level]
    scale = picture.shape[1] / donor.pixels.shape[1]
    own = np.interp(column, np.arange(len(donor.top)), donor.top)
    shown = np.maximum(_evened(own.astype(np.float32), unit), 0.2)
    crown = CROWN_HEIGHT[0] - CROWN_HEIGHT[1] * np.abs(column / FLAT.density - FLAT.half)
    most = np.maximum(STRETCH[1], crown / shown)
    even = np.clip(top / shown, STRETCH[0], most).astype(np.float32)
    high = np.where(above > 0, above / even, above)
    line = (FLAT.above - high) * FLAT.density - 0.5
    u = np.broadcast_to((column + 0.5) * scale - 0.5, line.shape).astype(np.float32)
    v = np.asarray((line + 0.5) * scale - 0.5, np.float32)
    row = cv2.remap(picture, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    over = np.clip((high - own) / GUM_EDGE + 1, 0, 1).astype(np.float32)
    return np.asarray(row * (1 - over)[..., None], np.float32), over


def _evened(line: Float, unit: float) -> Float:
    """`line` (W,) smoothed over `EVEN`."""
    blurred = cv2.GaussianBlur(line[None], (0, 0), max(EVEN * unit, 1.0))
    return np.asarray(blurred[0], np.float32)


def _shade(mask: Bool, unit: float) -> Float:
    """How much light (H, W) the lips leave: less right under the upper one and in the corners."""
    height, width = mask.shape
    some = mask.any(0)
    first = np.where(some, mask.argmax(0), height).astype(np.float32)
    at = np.flatnonzero(some)
    first = np.interp(np.arange(width), at, first[at]).astype(np.float32)
    first = cv2.GaussianBlur(first[None], (0, 0), max(0.05 * unit, 0.5))[0]
    under = (np.arange(height, dtype=np.float32)[:, None] - first) / np.float32(unit)
    lip = 1 - LIP_SHADOW * np.exp(-np.maximum(under, 0) / LIP_SHADOW_REACH)
    half = max((at[-1] - at[0]) / 2, 1.0)
    aside = np.abs(np.arange(width) - (at[0] + at[-1]) / 2) / half
    corner = 1 - CORNER_SHADE * np.clip((aside - 0.65) / 0.35, 0, 1) ** 2
    return np.asarray(lip * corner, np.float32)
