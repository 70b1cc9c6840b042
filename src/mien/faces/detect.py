"""Where the faces are: BlazeFace finds them, mien's own 68 landmarks say where exactly.

A photograph is looked at as it is. Unless a face there is beyond doubt, its three quarter turns are
looked at too and the one with the most evidence is kept; landmarks are of the photograph as it is
in any case. Where nothing is found, a second look goes down to smaller faces. What the networks
said of the last pictures that they saw is kept; threads may share all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from mien.errors import FaceNotFound, GuideError
from mien.faces import blazeface
from mien.faces.align import resized, transform, warp
from mien.faces.landmarks import SIZE, Network, aligning, landmarks_in, starting
from mien.faces.search import TURNS, Box, Candidate, Level, candidates, overlap, pyramid
from mien.types import Face, Float, UInt8

SMALLEST = 60
"""Width of the smallest face, brows to chin, that the first look finds in a photograph of up to
5 megapixels, px; in larger ones a smallest face grows with the photograph's side.
"""
_FIRST_PIXELS, _SECOND_PIXELS = 0.5e6, 1.5e6  # of the finest level
_FINER = 1.2  # a second look that is not finer than that would see what the first saw
_KEPT_SIDE = 256  # px: a photograph is not shrunk below that for its finest level
_LEAST = 0.65  # score below which nothing is a face
_CERTAIN = 0.85  # score from which it is one; between the two it is looked at again
_FACE, _TURNED_FACE = 0.7, 0.77  # what all looks together must say then
_DOUBT = 37.0  # how much of a score's logit a crop unit of doubt takes away
_SURE = 1.7  # trust from which other turns need no look
_UNSURE = 1.0  # trust below which all that was seen may be a look too coarse
_AS_IT_IS = 0.5  # evidence that a photograph is the right way up before anything is seen
_READ = 120  # px: width of a face from which its landmarks are no better for being larger
_ROOM = 0.3  # of its size: so far outside its box a face is still at the place asked for
_AGAIN, _AROUND = (72, 112), 128  # px: crops that the detector sees again, the picture around them
_PERHAPS_ASTRAY, _ASTRAY, _BOTH_ASTRAY = -0.05, 0.15, (0.045, 0.2)
"""How far above the lips that the landmarks show the detector may see the mouth, in distances from
eyes to mouth: on heads tilted far back they take the chin for it. From the first on the detector
looks again, larger; what it says then decides. Where it sees the nose higher too, less is enough:
mouth and nose. `mien bench detection` counts whom this refuses.
"""


@dataclass(frozen=True)
class _Read:
    """A face, and how far score and landmarks together vouch for it (a logit)."""

    face: Face
    trust: float


def detect(pixels: UInt8, net: Network | None = None) -> list[Face]:
    """Faces of a photograph uint8 (H, W, 3) RGB, the largest first; an empty list when there is
    none. `net` finds the landmarks in place of the one that ships.
    """
    area, longest = float(pixels.shape[0] * pixels.shape[1]), max(pixels.shape[:2])
    coarse = max(blazeface.SMALLEST / SMALLEST, _KEPT_SIDE / longest)
    first = min(1.0, coarse, math.sqrt(_FIRST_PIXELS / area))
    levels = pyramid(pixels, first)
    found = {0: _faces(pixels, levels, 0, net)}
    if all(one.trust < _SURE for one in found[0]):
        found |= {turn: _faces(pixels, levels, turn, net) for turn in TURNS[1:]}
    kept = _best_turn(found)
    second = min(1.0, math.sqrt(_SECOND_PIXELS / area))
    if second > _FINER * first and all(one.trust < _UNSURE for one in kept):
        kept = _distinct([*kept, *_faces(pixels, pyramid(pixels, second), 0, net)])
    return sorted((one.face for one in kept), key=lambda face: face.area, reverse=True)


def _faces(pixels: UInt8, levels: Sequence[Level], turn: int, net: Network | None) -> list[_Read]:
    """What the detector and the landmarks take for faces in one turn."""
    seen = candidates(levels, _LEAST, turn)
    shown = [_large_enough(pixels, levels, one) for one in seen]
    starts = [level.from_photograph(one.keypoints) for level, one in zip(shown, seen, strict=True)]
    read = landmarks_in([level.pixels for level in shown], starts, net)
    out = []
    for one, level, start, (found, doubt) in zip(seen, shown, starts, read, strict=True):
        evidence = _logit(one.score)
        if one.score < _CERTAIN:
            evidence = float(np.mean([evidence, *_again(level.pixels, starting(start))]))
        if evidence >= _logit(_TURNED_FACE if turn else _FACE):
            faulty = astray(level.pixels, found, level.from_photograph(one.keypoints))
            face = Face(one.box, one.score, level.to_photograph(found), faulty)
            out.append(_Read(face, evidence - _DOUBT * doubt))
    return _distinct(out)


def astray(pixels: UInt8, landmarks: Float, keypoints: Float) -> str:
    """Why landmarks (68, 2) of a face in a picture uint8 (H, W, 3) are not believed beside the
    detector's six points (6, 2), all in its px: the two networks put the mouth in two places. ""
    where they agree.
    """
    if seen_above(landmarks, keypoints)[0] <= _PERHAPS_ASTRAY:
        return ""
    seen = [points for _, points in _looks(pixels, aligning(landmarks), _AGAIN[-1])]
    mouth, nose = seen_above(landmarks, np.mean(seen, axis=0))
    if mouth <= _ASTRAY and (mouth <= _BOTH_ASTRAY[0] or nose <= _BOTH_ASTRAY[1]):
        return ""
    return "its landmarks are not where its mouth is, as happens to heads tilted far back"


def seen_above(landmarks: Float, keypoints: Float) -> tuple[float, float]:
    """How far above the upper lip and the nose's lower half of the landmarks (68, 2) the detector's
    mouth and tip of the nose lie, of its six points (6, 2), in distances from eyes to mouth; below
    0 where they are further down.
    """
    right, left = landmarks[36:42].mean(0), landmarks[42:48].mean(0)
    mouth = landmarks[[48, 51, 54, 57]].mean(0)
    along = (left - right) / max(float(np.linalg.norm(left - right)), 1e-6)
    down = np.array([-along[1], along[0]])
    length = max(float(np.linalg.norm(mouth - (right + left) / 2)), 1e-6)
    lips = float((landmarks[50:53].mean(0) - keypoints[3]) @ down)
    nose = float((landmarks[[30, 33]].mean(0) - keypoints[2]) @ down)
    return lips / length, nose / length


def _again(pixels: UInt8, matrix: Float) -> list[float]:
    """What the detector says (logits) of the face under an aligning matrix: upright, mirrored and
    not, in two sizes. Textures that happen to look like a face do so in one view of them.
    """
    return [logit for small in _AGAIN for logit, _ in _looks(pixels, matrix, small)]


def _looks(pixels: UInt8, matrix: Float, small: int) -> list[tuple[float, Float]]:
    """What the detector says of the face under an aligning matrix, upright and `small` px wide, as
    it is and mirrored: a logit, and its six points (6, 2) px of the picture.
    """
    view = resized(matrix, SIZE, small)
    view[:, 2] += (_AROUND - small) / 2
    crop = warp(pixels, view, _AROUND)
    back = np.asarray(cv2.invertAffineTransform(view), np.float32)
    out = []
    for shown in (crop, crop[:, ::-1]):
        answers = blazeface.look(shown)
        middles = (answers.boxes[:, :2] + answers.boxes[:, 2:]) / 2
        near = np.flatnonzero(np.abs(middles - _AROUND / 2).max(axis=1) < small / 4)
        best = near[answers.logits[near].argmax()]
        # from edges to centres of pixels
        points = np.asarray(answers.keypoints[best] - 0.5, np.float32)
        if shown is not crop:
            points = points[[1, 0, 2, 3, 5, 4]]
            points[:, 0] = _AROUND - 1 - points[:, 0]
        out.append((float(answers.logits[best]), transform(back, points)))
    return out


def _logit(score: float) -> float:
    return math.log(score / (1 - min(score, 1 - 1e-6)))


def _large_enough(pixels: UInt8, levels: Sequence[Level], one: Candidate) -> Level:
    """The smallest level that shows a face as large as its landmarks need, or the photograph."""
    width = one.box[2] - one.box[0]
    large = [v for v in levels if not v.border and width * v.scale[0] >= _READ]
    return large[-1] if large else Level(pixels, (1.0, 1.0))


def _best_turn(found: Mapping[int, Sequence[_Read]]) -> list[_Read]:
    """The faces of the turn for which most speaks, and those of others that are beyond doubt."""
    evidence = {turn: sum(max(one.trust, 0.0) for one in reads) for turn, reads in found.items()}
    evidence[0] += _AS_IT_IS
    best = max(evidence, key=lambda turn: evidence[turn])
    others = [one for turn in found if turn != best for one in found[turn] if one.trust >= _SURE]
    return _distinct([*found[best], *others])


def _distinct(reads: Iterable[_Read]) -> list[_Read]:
    """Without those whose landmarks lie where those of a more trusted one do."""
    kept: list[tuple[_Read, Box]] = []
    for one in sorted(reads, key=lambda one: one.trust, reverse=True):
        box = Face.at(one.face.landmarks).box
        if not any(overlap(box, other) for _, other in kept):
            kept.append((one, box))
    return [one for one, _ in kept]


def is_face(pixels: UInt8, landmarks: Float) -> bool:
    """Whether the detector, too, sees a face at landmarks (68, 2) px of a photograph (H, W, 3).

    It is shown the face alone, upright and of one size, which takes some 20 ms.
    """
    return float(np.mean(_again(pixels, aligning(landmarks)))) >= _logit(_FACE)


def choose(faces: Sequence[Face], spec: str = "largest") -> list[Face]:
    """The faces that `spec` asks for: `largest`, `all`, `index N` (0 is the largest) or `near X,Y`
    (px), the face at that place.

    FaceNotFound when there is no such face, GuideError when `spec` is none of these.
    """
    word, _, rest = spec.strip().lower().partition(" ")
    if word in {"largest", "all"} and not rest:
        picked = list(faces if word == "all" else faces[:1])
    elif word == "index" and rest.strip().isdecimal():
        picked = list(faces[int(rest) : int(rest) + 1])
        if faces and not picked:
            raise FaceNotFound(
                f"no face {int(rest)}: the picture has {len(faces)}, counted from 0, largest first"
            )
    elif word == "near" and (place := _place(rest)) is not None:
        picked = _at(faces, place)
    else:
        raise GuideError(f"face {spec!r} is not understood: say largest, all, index N, or near X,Y")
    if not picked:
        raise FaceNotFound(
            f"no face found: use a photograph that shows one from the front, {SMALLEST} px wide or "
            "more"
        )
    return picked


def face_of(pixels: UInt8, landmarks: Float | None) -> Face:
    """Whom a photograph (H, W, 3) RGB is of: the face at these landmarks (68, 2) px, such as people
    checked, or where there are none the largest that is found.

    FaceNotFound when none is found.
    """
    if landmarks is not None:
        return Face.at(landmarks)
    (found,) = choose(detect(pixels), "largest")
    return found


def _place(text: str) -> tuple[float, float] | None:
    parts = text.replace(",", " ").split()
    try:
        x, y = (float(part) for part in parts)
    except ValueError:
        return None
    return (x, y) if math.isfinite(x) and math.isfinite(y) else None


def _at(faces: Sequence[Face], place: tuple[float, float]) -> list[Face]:
    """The face at a place; of several the one whose middle is nearest."""
    by_distance = sorted(faces, key=lambda face: math.dist(_middle(face), place))
    there = [face for face in by_distance if _covers(face, place)]
    if faces and not there:
        nearest = by_distance[0]
        x, y = _middle(nearest)
        size = nearest.box[2] - nearest.box[0]
        count = "the only face" if len(faces) == 1 else f"the nearest of {len(faces)} faces"
        raise FaceNotFound(
            f"no face at {place[0]:g},{place[1]:g}: {count} is at {x:.0f},{y:.0f}, "
            f"{size:.0f} px wide"
        )
    return there[:1]


def _middle(face: Face) -> tuple[float, float]:
    left, top, right, bottom = face.box
    return (left + right) / 2, (top + bottom) / 2


def _covers(face: Face, place: tuple[float, float]) -> bool:
    """Whether a place lies in the face's box or so near that hair or chin are meant."""
    left, top, right, bottom = face.box
    room = _ROOM * max(right - left, bottom - top)
    inside = left - room <= place[0] <= right + room
    return inside and top - room <= place[1] <= bottom + room
