"""Eyeballs where a lid hides them: the white goes on in the shade that shows beside it, the iris in
its rings, and what shines on it stays round."""

from __future__ import annotations

import cv2
import numpy as np

from mien.face_model.arrays import Bool, Double, Float, UInt8
from mien.face_model.eyes import Iris, dilated, disc, from_middle, smooth
from mien.face_model.sampling import LUMA, merged, row_of, tripled
from mien.face_model.tones import NEUTRAL, SKIN, tint

CONTINUED, UNLIKE = 0.07, (0.85, 1.3)
"""How far, in widths of the eye, what a lid hid goes on in the shade that shows beside it, and the
bounds of that shade against a white eyeball's."""
ROUGHLY, FAINT = 3.0, 0.1
"""Sigma, px, in which that shade is drawn well enough, and the brightness, 0..255, of what is known
that counts for nothing."""
LEAST_WHITE, MEASURED_WHITE, PALEST, BELOW = 0.8, 0.92, 0.8, 0.55
"""A white's brightness relative to the skin's `BELOW` it (widths of the eye), at least, and its
least colour relative to its largest, but no more than the skin has, for light may be coloured:
in an eye that is nearly shut, lashes darken the little that shows (the least of 21 London training
people at rest: 0.92, taken where nothing is known, and 0.82)."""
EXPECTED, UNKNOWN = 0.95, 0.5
"""Least part of the usual white's colour, in the light that the skin below tells, that one has of
which nothing is known; by so much, in units of it, is what shows of that one too dark: lashes, and
the red of lids."""
GLINT, LEAST_GLINT, LARGEST_GLINT = 0.65, 25.0, 0.75
"""A reflection of the light on an iris: how much of the way from that to the white it is brighter,
and at least how much, 0..255, and how large at most, in radii of the iris."""
CUT_BY_LID, WET_EDGE = 0.05, 0.3
"""How far beyond the eye's outline, in widths of the eye, a reflection may reach, and how far below
the middle of the iris, in its radii, what shines is the wet edge of the lower lid."""


def white_of(image: Float, opening: UInt8, iris: Iris, corners: Double) -> Float:
    """Colour (3,) of the white of an eye (6, 2) px, whose `opening` is (H, W): what shows of it,
    but no darker and no browner than whites of eyes are beside the skin below them."""
    white = _shown(image, opening, iris)
    width = float(np.linalg.norm(corners[3] - corners[0]))
    x, y = np.round(corners.mean(0) + np.array([0, BELOW * width])).astype(int)
    room = max(1, round(0.12 * width))
    around = image[max(y - room, 0) : max(y + room, 0), max(x - room, 0) : max(x + room, 0)]
    if not around.size:
        return white
    skin = np.median(around.reshape(-1, 3), 0)
    palest = min(PALEST, float(skin.min()) / max(float(skin.max()), 1.0))
    white = np.maximum(white, palest * white.max())
    dark = max(1.0, LEAST_WHITE * float(skin @ LUMA) / max(float(white @ LUMA), 1.0))
    light = tint(np.asarray(skin, np.float32)) / SKIN * NEUTRAL
    most = int(white.argmax())
    expected = np.minimum(EXPECTED * light / max(float(light[most]), 0.05), 1) * white[most]
    unknown = min(1.0, (dark - 1) / UNKNOWN)
    white = np.maximum(white, white + unknown * (expected - white))
    least = LEAST_WHITE + unknown * (MEASURED_WHITE - LEAST_WHITE)
    dark = max(1.0, least * float(skin @ LUMA) / max(float(white @ LUMA), 1.0))
    return np.asarray(white * dark, np.float32)


def _shown(image: Float, opening: UInt8, iris: Iris) -> Float:
    """Colour (3,) of what shows of the white of an eye."""
    left, top, across, down = cv2.boundingRect(opening)
    box = np.s_[max(top - 1, 0) : top + down + 1, max(left - 1, 0) : left + across + 1]
    image, opening = image[box], opening[box]
    inner = cv2.erode(opening, np.ones((3, 3))) > 0
    there = Iris(iris.centre - (box[1].start, box[0].start), iris.radius)
    sclera = inner & (from_middle(image.shape, there) > iris.radius * 1.1)
    if sclera.sum() > 5:
        white = np.percentile(image[sclera], 80, axis=0)
    elif opening.any():
        white = np.percentile(image[opening > 0], 85, axis=0)
    else:
        white = np.full(3, 150.0)
    return white.astype(np.float32)


def completed(
    image: Float, opening: UInt8, own: Float, iris: Iris, white: Float, fine: float
) -> tuple[Float, Float]:
    """Picture (H, W, 3) of a whole iris on `white` (3,), which goes on in the colours of what the
    photograph shows of it, `own` (H, W); and that with the reflections on the iris, whole."""
    distance = from_middle(image.shape, iris) / np.float32(fine)
    radius = iris.radius / fine
    inner = cv2.erode(opening, disc(fine)) > 0
    colours, radii = image[inner], distance[inner]
    x, y = np.clip(np.round(iris.centre).astype(int), 0, (image.shape[1] - 1, len(image) - 1))
    profile = [image[y, x]]
    for ring in range(int(radius) + 2):
        near = np.abs(radii - ring) < 1.2
        profile.append(np.median(colours[near], axis=0) if near.sum() > 2 else profile[-1])
    table = np.array(profile[1:], np.float32)
    at = np.clip(distance, 0, len(table) - 1.001)
    low = at.astype(np.intp)
    part = at - low
    a = np.clip((radius - distance) / 1.5 + 0.5, 0, 1)
    ball = np.clip(1.03 - 0.13 * (distance / radius / 2) ** 2, 0.55, 1) * (1 - a)
    plain = merged(
        [
            np.asarray(one * ball + a * (inward[low] * (1 - part) + inward[low + 1] * part))
            for one, inward in zip(white, np.ascontiguousarray(table.T), strict=True)
        ]
    )
    glints = _glints(image, opening, plain, white, iris)
    shining = np.zeros(opening.shape, np.uint8)
    for spot, _, _ in glints:
        shining |= spot.astype(np.uint8)
    width = float(cv2.boundingRect(opening)[2])
    known = own * (cv2.dilate(shining, disc(fine)) == 0)
    going_on = np.clip(_shade(image, plain, known, CONTINUED * width), *UNLIKE)
    filled = np.asarray(plain * going_on, np.float32)
    for _, whole, colour in glints:
        inside = (whole.radius - from_middle(opening.shape, whole)) / (1.5 * fine) + 0.5
        shine = tripled(np.asarray(np.clip(inside, 0, 1), np.float32))
        filled += shine * (row_of(colour, filled.shape[1]) - filled)
    soft = cv2.GaussianBlur(shining.astype(np.float32), (0, 0), 0.5 * fine)
    return filled, np.asarray(np.maximum(own, soft), np.float32)


def _shade(image: Float, plain: Float, known: Float, sigma: float) -> Float:
    """By how much (H, W, 3) an image is darker than a plain one where it is `known` (H, W), carried
    on from there; 1 far away."""
    seen = [cv2.multiply(picture, cv2.merge([known] * 3)) for picture in (image, plain)]
    first, second = (
        smooth(part, sigma, ROUGHLY) + np.float32(0.05) * smooth(part, 2.5 * sigma, ROUGHLY)
        for part in (np.asarray(picture, np.float32) for picture in seen)
    )
    return np.asarray((first + np.float32(FAINT)) / (second + np.float32(FAINT)), np.float32)


def _glints(
    image: Float, opening: UInt8, plain: Float, white: Float, iris: Iris
) -> list[tuple[Bool, Iris, Float]]:
    """What shines on an iris, bright and small: of each reflection its pixels (H, W), the disc that
    it is where no lid cuts it, and its colour (3,). The wet edge of the lower lid is none."""
    reach = dilated(opening, disc(CUT_BY_LID * cv2.boundingRect(opening)[2])) > 0
    reach &= from_middle(image.shape, iris) < 0.95 * iris.radius
    light, dark = image @ LUMA, plain @ LUMA
    shines = light > dark + np.maximum(GLINT * (float(white @ LUMA) - dark), LEAST_GLINT)
    beyond = cv2.dilate((shines & ~reach).astype(np.uint8), np.ones((3, 3))) > 0
    count, labels, boxes, middles = cv2.connectedComponentsWithStats(
        (shines & reach).astype(np.uint8)
    )
    skin = set(np.flatnonzero(np.bincount(labels[beyond])).tolist())  # what goes on beyond the iris
    found = []
    for k in set(range(1, count)) - skin:
        _, top, wide, high, _ = boxes[k].tolist()
        low = middles[k][1] > iris.centre[1] + WET_EDGE * iris.radius
        if low or max(wide, high) > LARGEST_GLINT * iris.radius:
            continue
        spot = np.asarray(labels == k)
        colour = image[spot & (light >= np.median(light[spot]))].mean(0)
        middle = middles[k].copy()
        if high < wide:  # cut by the lid
            middle[1] = top + high - wide / 2
        found.append((spot, Iris(middle, wide / 2), colour))
    return found
