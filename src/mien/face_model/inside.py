"""The inside of an opened mouth: real teeth hung on both jaws, in front of tongue, palate and
throat, all in the light of the photograph.

Each jaw says where a pixel lies on its row of teeth: across it, and how high above its edge. So the
teeth keep their size and their place on the skull whatever the lips do. A donor whose smile showed
less of them is stretched a little, and where that is not enough, gum shows. Light comes in between
the lips: it falls off behind the teeth, under the lip and into the corners.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass, replace

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, Index, UInt8
from mien.face_model.cavity import SKIN_SHARE, Cavity, Place
from mien.face_model.cuts import Row
from mien.face_model.gums import WET, Gums, gum_colour
from mien.face_model.jaw import Jaw, JawPlace
from mien.face_model.known_inside import LIPS, KnownInside, Opening, toned
from mien.face_model.lip_rim import LipRim
from mien.face_model.lower import lower_row
from mien.face_model.mesh import TEETH, FaceModel
from mien.face_model.mouth import LOWER_LIP, UPPER_LIP, too_red
from mien.face_model.mouths import FLAT, Donor, MouthLibrary, own
from mien.face_model.rows import along, columns, hung, lifted, lip_over, sampled, widened
from mien.face_model.sampling import channels, merged, row_of, tripled
from mien.face_model.smoothstep import smoothstep
from mien.face_model.teeth import Teeth
from mien.face_model.tones import Tones

LOWER_LIFT, LOWER_LIGHT = (0.05, 0.45), (0.86, 0.9)
"""How much higher the lower teeth stand than the mesh's, cm, whose lip hides them, and their
brightness in units of the upper ones', in a narrow mouth and in a wide one."""
SLIVER = (0.12, 0.4)
"""Height, cm, that a lower lip lets be seen of the lower teeth, up to which they are sunk behind
it, and from which on they stand as they are: a thin pale strip would look like the lip's own
light."""
FAINT = 0.75
"""... and which part of the way they come out of the lip's shade."""
LOWER_FOOT, LOWER_FOOT_REACH = 0.38, 0.13
"""How dark the lower teeth are where the lower lip hides them, and how far up, cm."""
LOWER_PEOPLE = 0.1
"""How much higher or lower people's lower teeth stand behind their lip, cm."""
LOWER_ASIDE = 1.8
"""Distance from the middle, cm, over which the light on the lower teeth falls to 1/e: slowly first,
then fast, for cheeks and corners stand before them."""
TEETH_SHADOW, TEETH_SHADOW_REACH = 0.5, 0.3
"""How much darker it is right behind the upper teeth, and how far down, cm."""
LIP_SHADOW, LIP_SHADOW_REACH = (0.5, 0.5), (0.13, 0.2)
"""How much darker it is right under the upper lip, and how far down, cm: of a lip that is drawn up
against the teeth, and of one that hangs before them."""
HANGS = (0.65, 0.25)
"""Heights of the teeth, cm, that such lips let be seen."""
SMILES, DROPPED = 0.7, 1.4
"""Gap of the lips, cm, of the library's smiles; and how much wider than in the photograph that a
row is taken from a mouth is when its jaw is dropped."""
UPPER_ASIDE = 1.9
"""Distance from the middle, cm, over which the light on the upper teeth of a dropped jaw falls to
1/e; a smile's have in the library what light they get."""
CORNER_SHADE, CORNER_FROM = 0.62, 0.65
"""How much darker it is in the corners, and from which part of the half width on."""
SIDED, STEEPEST = 0.6, 1.2
"""Share of the cheeks' difference that two corners have, and the greatest, in log units: teeth
stand near each other."""
SHADED = 0.8
"""Part of the lips' shade that a person's own row brings along; less, the farther the jaw drops."""
COVERED = (0.35, 0.9)
"""... and by how much of it the upper lip lets be seen: none where that is less than the first part
of what the photograph shows. A lip that comes down over lit teeth takes the light from them."""
SCALES = (0.8, 1.3)
"""Bounds of how much larger the mesh's teeth are than those of the photograph."""
STILL = 0.3
"""Motion of the lips, cm, from which on nothing inside the own mouth is as it was."""
DARKEST = 0.9
"""The least light anywhere, in units of the throat's colour."""


@dataclass(frozen=True)
class View:
    """A window of a raster around an open mouth.

    mask (H, W): what is left open between the lips; points (N, 2) px, the posed mesh in the whole
    picture, and corner (x, y), the window's first pixel there; unit: px per cm.
    """

    mask: Bool
    points: Float
    corner: tuple[int, int]
    unit: float


@dataclass(frozen=True)
class Own:
    """The row of a person's own teeth, where it was `cut` out of a photograph, and the mesh (N, 2)
    px there."""

    row: Donor
    cut: Row
    points: Float


@dataclass(frozen=True)
class OwnRow:
    """Where a row of one's own lies on the upper jaw: of each column (C,) cm `across` it, growing,
    and how `high` (C,) the edge is, both as the photograph has them, left and right; and how high
    the jaw counts what is 1 cm high on the row."""

    across: Float
    high: Float
    scale: float

    @classmethod
    def of(cls, own: Own, place: JawPlace) -> OwnRow:
        x, y = own.cut.edge.astype(np.float32).T
        across, high = place(x, y)
        top = (own.cut.place + own.cut.rise).astype(np.float32)[:, None]
        foot = own.cut.place.astype(np.float32)[:, None]
        scale = float((place(*top)[1] - place(*foot)[1])[0, 0])
        growing = np.maximum.accumulate(across) + np.arange(len(across)) * np.float32(1e-6)
        return cls(growing, np.diag(high).copy(), float(np.clip(scale, *SCALES)))

    def __call__(self, across: Float, high: Float, more: Float) -> tuple[Float, Float]:
        """Columns (W,) of the row and heights (H, W) above its edge, cm, of pixels `across` (W,)
        and `high` (H, W) cm on the jaw; `more` (C,) cm: what the edge rises beside one's own."""
        places = np.arange(len(self.across), dtype=np.float32)
        column = np.interp(across, self.across, places).astype(np.float32)
        edge = along(column, self.high + more * np.float32(self.scale))
        return column, np.asarray((high - edge) / np.float32(self.scale), np.float32)


class Mouth:
    """Somebody's mouth: one donor over all expressions and frames.

    Attributes:
        donor: whose teeth they are; the person itself where the photograph shows enough of them.
        tones: the light they are seen in.
        rim: how the person's lips end at it.
    """

    def __init__(
        self, model: FaceModel, donor: Donor, tones: Tones, seed: int, before: Own | None = None
    ) -> None:
        """`seed`: of the person's own lower teeth; `before`: where the donor's row lies in the
        photograph, if it is the person's own."""
        self.donor, self.tones = donor, tones
        self._teeth, self.rim = Teeth.of(seed), LipRim.of(seed)
        self._row = self._teeth.worn(donor) if before is None else donor
        self._shown = (donor if before is None else before.row).shown
        self._jaws = Jaw(model, upper=True), Jaw(model, upper=False)
        self._own, self._before, self._gap = None, before, SMILES
        self._known: KnownInside | None = None
        self._lips_at = model.landmarks[LIPS]
        self._lips, self._skull = model.landmarks[60:68], upper_teeth(model)
        if before is not None:
            self._own = OwnRow.of(before, self._jaws[0].place(before.points))
            upper, lower = before.points[model.landmarks[[UPPER_LIP, LOWER_LIP]]]
            self._gap = float(np.linalg.norm(upper - lower) / np.linalg.norm(before.cut.rise))
        dull = np.float32(min(1.0, tones.brown) ** SKIN_SHARE)
        self._veil = np.float32(tones.veil)
        self._enamel = tones.relit(donor.enamel, donor.enamel)
        self._levels = tuple(
            np.concatenate([tones.relit(one[..., :3], donor.enamel), one[..., 3:]], -1)
            for one in self._row.levels
        )
        gum = gum_colour(tones, dull)
        self._gums = Gums(self._row, gum, tones.part(np.full(3, WET, np.float32)), seed)
        self._cavity = Cavity(model, tones, seed)
        self._stands = np.float32(LOWER_PEOPLE * np.random.default_rng((seed, 5)).uniform(-1, 1))
        self._lower_levels = lower_row(self._enamel, gum, tones.mono < 1, seed)

    def still(self, points: Float, scale: float, unit: float) -> np.float32:
        """1 while the inner lips of the mesh, `points` (N, 2) px of a raster of `scale` px per px
        of the photograph and `unit` px per cm, are where the photograph of the own teeth has them;
        0 from `STILL` cm on."""
        assert self._before is not None
        before = self._before.points * scale + (scale - 1) / 2
        moved = points[: len(before)] - before
        lips = moved[self._lips] - moved[self._skull].mean(0)
        most = float(np.linalg.norm(lips, axis=1).max()) / unit
        return np.float32(1 - min(1.0, most / STILL))

    @property
    def is_own(self) -> bool:
        """Whether the teeth are those of the photograph."""
        return self._own is not None

    def suits(self, tones: Tones) -> bool:
        """Whether it is as good in the light of other `tones`: of a donor's teeth, and a light that
        nobody tells from this one."""
        return not self.is_own and self._known is None and self.tones.near(tones)

    def knowing(self, opening: Opening, points: Float) -> Mouth:
        """The same mouth, of which another photograph of the person shows an `opening` that looks
        as this one does where the mesh is at `points` (N, 2) px."""
        x, y = points[self._lips_at].T
        across, above = self._jaws[0].place(points)(x, y)
        _, low = self._jaws[1].place(points)(x, y)
        out = copy(self)
        out._known = KnownInside.carried(
            toned(opening, self.tones), across, np.diag(above), np.diag(low)
        )
        return out

    def __call__(self, view: View) -> Float:
        """The inside (H, W, 3), 0..255, also beyond the mask as far as the soft `rim` goes."""
        height, width = view.mask.shape
        x = np.arange(width, dtype=np.float32) + np.float32(view.corner[0])
        y = np.arange(height, dtype=np.float32) + np.float32(view.corner[1])
        across, high = self._jaws[0].place(view.points)(x, y)
        if self._own is not None and self._before is not None:
            column, above = self._own(across, high, self.donor.arc - self._before.row.arc)
        else:
            column = columns(widened(self._row, across, view.mask))
            above = self._teeth.above(column, high, along(column, self._row.arc))
            above = above - lifted(view.mask, above)
        lip = lip_over(view.mask, above, view.unit)
        row, over, up = hung(self._levels, self._row, column, above, lip, view.unit)
        lower = self._jaws[1].place(view.points)
        sideways, low = lower(x, y)
        place = Place(sideways, low, high, view.mask, view.unit)
        colour = self._cavity(place, self._cavity.farther(lower, view.points))
        behind = 1 - TEETH_SHADOW * np.exp(-np.maximum(-above, 0) / TEETH_SHADOW_REACH)
        colour = colour * tripled(np.asarray(behind, np.float32))
        colour = self._over(colour, *self._lower(place))
        if over.any():
            gum = self._gums(column, up)
            colour = colour + tripled(over) * (gum - colour)
        dropped = float(np.clip((place.gap - self._gap) / DROPPED, 0, 1))
        aside = np.exp(-dropped * (across / np.float32(UPPER_ASIDE)) ** 2)
        colour = self._over(colour, row, np.asarray(aside, np.float32))
        floor = row_of(self._cavity.throat * np.float32(DARKEST), len(x))
        light = _light(view.mask, view.unit, self.tones.aside, lip)
        if self.is_own:  # what the photograph shows is shaded already
            height = np.maximum(along(column, self.donor.top), 0.2)
            bared = smoothstep((lip / height - COVERED[0]) / (COVERED[1] - COVERED[0]))
            kept = np.float32(SHADED * (1 - dropped)) * bared * along(column, self._shown)
            light = np.asarray(light ** (1 - kept * row[..., 3]), np.float32)
        shaded = floor + (colour - floor) * self._cavity.lit(light)
        veil = tripled(np.asarray(self._veil * (1 - self.is_own * row[..., 3]), np.float32))
        lit = np.asarray(shaded + veil * (row_of(self.tones.lip, len(x)) - shaded), np.float32)
        if self._known is not None:
            lit = self._known.over(lit, across, high, low, view.unit)
        return lit

    def _over(self, behind: Float, row: Float, light: Float) -> Float:
        """A row of teeth (H, W, 4), premultiplied, in `light` (W,) in front of what is `behind` (H,
        W, 3)."""
        *colours, cover = channels(row)
        return merged(colours) * self._cavity.lit(light[None]) + behind * tripled(1 - cover)

    def _lower(self, at: Place) -> tuple[Float, Float]:
        """The lower row (H, W, 4), premultiplied, and its light (W,)."""
        column = columns(at.across)
        lift, light = (a + (b - a) * at.wide for a, b in (LOWER_LIFT, LOWER_LIGHT))
        high = np.float32(lift) + self._stands - at.low
        most = np.float32(FLAT.above - 1 / FLAT.density)
        cover = sampled(self._lower_levels, column, np.minimum(high, most), at.unit)[..., 3]
        sunk, stands = SLIVER
        seen = float((cover * at.mask).sum(0).max()) / at.unit
        stood = np.clip((seen - sunk) / (stands - sunk), 0, 1)
        row = sampled(
            self._lower_levels, column, np.minimum(high - seen * (1 - stood), most), at.unit
        )
        foot = np.maximum(at.low - at.lip, 0) / np.float32(LOWER_FOOT_REACH)
        lit = np.asarray(1 - LOWER_FOOT * np.exp(-(foot**1.3)), np.float32)
        row *= merged((lit, lit, lit, np.ones_like(lit)))
        row = row * smoothstep(stood / FAINT)
        aside = np.exp(-((at.across / np.float32(LOWER_ASIDE)) ** 2)).astype(np.float32)
        return row, light * aside


def upper_teeth(model: FaceModel) -> Index:
    """Vertices of the upper teeth."""
    upper = model.jaw_parts[0]
    return upper[upper >= TEETH.start]


def mouth_of(
    model: FaceModel,
    crop: UInt8,
    landmarks: Double,
    closed: bool,
    tones: Tones,
    points: Float,
    donor: Donor | None,
    turn: int,
) -> Mouth:
    """The mouth of whom `crop` (H, W, 3) shows with landmarks (68, 2) px and the mesh at `points`
    (N, 2) px: its own teeth if it shows enough of them, else those of `donor`, or of one who is
    chosen, among those alike by `turn`."""
    mine = None if closed else own(crop, landmarks, tones.skin)
    if mine is not None and too_red(mine[0].enamel, tones.skin, tones.white):
        mine = None  # lips that shine, where landmarks part closed ones
    filler = donor or MouthLibrary.load().choose(tones.brown, turn=turn)
    if mine is None:
        return Mouth(model, filler, tones, turn)
    row, cut = mine
    lit = replace(tones, enamel=row.enamel)
    sides = lit.relit(filler.pixels[..., :3].astype(np.float32), filler.enamel)
    shown = row.beside(filler, sides).with_ends(cut)
    return Mouth(model, shown, lit, turn, Own(row, cut, points))


def _light(mask: Bool, unit: float, slope: float, shown: Float) -> Float:
    """How much light (H, W) the lips leave: less right under the upper one, which lets so much (W,)
    cm of the teeth be `shown`, and in the corners; and more on the side that is lit, by the cheeks'
    `slope`."""
    height, width = mask.shape
    at = np.flatnonzero(mask.any(0))
    edge = np.interp(np.arange(width), at, mask.argmax(0)[at]).astype(np.float32)
    first = cv2.GaussianBlur(edge[None], (0, 0), max(0.05 * unit, 0.5))[0]
    under = (np.arange(height, dtype=np.float32)[:, None] - first) / np.float32(unit)
    drawn_up, hanging = HANGS
    hangs = smoothstep((drawn_up - shown) / (drawn_up - hanging))
    deep, reach = (a + (b - a) * hangs for a, b in (LIP_SHADOW, LIP_SHADOW_REACH))
    lip = 1 - deep * np.exp(-np.maximum(under, 0) / reach)
    half = max((at[-1] - at[0]) / 2, 1.0)
    place = (np.arange(width) - (at[0] + at[-1]) / 2) / half
    aside, tilt = np.abs(place), np.exp(np.clip(slope, -STEEPEST, STEEPEST) * SIDED * place / 2)
    corner = 1 - CORNER_SHADE * np.clip((aside - CORNER_FROM) / (1 - CORNER_FROM), 0, 1) ** 2
    return np.asarray(lip * corner * tilt, np.float32)
