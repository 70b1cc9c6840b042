"""What the photograph's panel shows: plain pictures, buttons and one range input, so that a
keyboard and a screen reader can do all that a mouse can.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mien import facs
from mien.guides import ExpressionSpec
from mien.methods.registry import with_head
from mien.server import posing
from mien.server.cropping import fitting
from mien.server.sitting import Sitting
from mien.studio import copying
from mien.studio.rendering import QUALITY, address, part, picture

VARIANTS = tuple(facs.VARIANTS)


def stage(sitting: Sitting, *, opened: bool = True) -> str:
    """The photograph and the look one over the other, a box on every face, what to compare and to
    zoom them with. Where it was `opened` before, the page has the photograph, and shows it again by
    itself (`static/stage.js`).
    """
    height, width = sitting.small.pixels.shape[:2]
    before = picture(sitting.small.pixels, altered=False) if opened else ""
    boxes = [_box(sitting, i) for i in range(len(sitting.faces))]
    after = picture(sitting.preview())
    return part("stage", sitting.key, width, height, before, after, describe(sitting), boxes)


def live(sitting: Sitting) -> dict[str, str]:
    """The picture alone, small and soon, while a slider is moved."""
    return {
        "key": sitting.key,
        "src": picture(sitting.preview(live=True)),
        "alt": f"After: {describe(sitting)}",
    }


def marks(sitting: Sitting) -> list[str]:
    """Ids of the fields that were moved on top of what the chosen face shows."""
    return [] if sitting.worn is None else marked(sitting.worn.spec, shapes=sitting.worn.moved)


def marked(spec: ExpressionSpec, whose: str = "", shapes: Sequence[str] = ()) -> list[str]:
    """Ids of the fields that say something in an expression; `whose` begins them."""
    moved = [f"unit-{unit.partition('=')[0]}" for unit in spec.au]
    moved += [f"shape-{name}" for name in shapes]
    for field, sliders in posing.SLIDERS.items():
        values = getattr(spec, field) or (0.0,) * len(sliders)
        moved += [f"{field}-{place}" for place, value in enumerate(values) if value]
    return [f"{whose}{name}" for name in moved]


def sheet(labels: Sequence[str], sitting: Sitting | None = None) -> str:
    """Expressions as buttons; those drawn already show the face that they would make."""
    called = "Expressions" if tuple(labels) == tuple(facs.EMOTIONS) else "Variants"
    return part("sheet", called, tiles(labels, sitting), sitting is None)


def tiles(labels: Sequence[str], sitting: Sitting | None = None) -> list[dict[str, Any]]:
    """What `sheet` shows of each: its name, whether the face shows it, its picture."""
    worn = sitting.worn.spec.to if sitting and sitting.worn else ""
    drawn = sitting.tiles if sitting else {}
    return [
        {
            "name": name,
            "on": name == worn,
            "src": address(sitting.encoded_tile(name, QUALITY))
            if sitting and name in drawn
            else "",
        }
        for name in labels
    ]


def history(sitting: Sitting) -> str:
    """The steps so far as buttons with their faces, the present one marked."""
    faces = len(sitting.faces)
    steps = [
        {"name": step.name, "words": in_words(step.look, faces), "now": i == sitting.at}
        for i, step in enumerate(sitting.steps)
    ]
    return part("history", sitting.key, steps)


def downloads(sitting: Sitting) -> str:
    """Links to the result at full size."""
    height, width = sitting.photo.pixels.shape[:2]
    return part("downloads", sitting.key, sitting.name, width, height)


def kept(sitting: Sitting) -> str:
    """What the first chosen face shows, as the file of an expression."""
    wish = sitting.worn
    return copying.as_file(wish.whole) if wish else "{}\n"


def copies(sitting: Sitting) -> str:
    """What the first chosen face shows: as a file, as a command, as Python."""
    wish = sitting.worn
    if wish is None:
        return part("hint", "Choose an expression first.")
    asked = (wish.spec, wish.intensity, f"{sitting.name}.jpg", with_head(sitting.editor.method))
    texts = {"command": copying.as_command(*asked), "Python": copying.as_python(*asked)}
    return part("copies", sitting.key, texts)


def other(sitting: Sitting) -> str:
    """The second photograph of a swap."""
    if sitting.other is None:
        return ""
    return part("other", sitting.key, picture(fitting(sitting.other.marked.pixels)))


def describe(sitting: Sitting) -> str:
    """The look in words."""
    return in_words(sitting.look, len(sitting.faces))


def in_words(look: Sequence[object], faces: int) -> str:
    """A look in words, of a photograph with so many faces."""
    if not any(look):
        return "as it was"
    if faces == 1:
        return str(look[0])
    if len(set(map(str, look))) == 1:
        return f"all: {look[0]}"
    return "; ".join(f"face {i + 1}: {w}" for i, w in enumerate(look) if w)


def _box(sitting: Sitting, index: int) -> dict[str, Any]:
    """Where a face is, in percent of the picture, and whether it is edited."""
    height, width = sitting.photo.pixels.shape[:2]
    left, top, right, bottom = sitting.faces[index].box
    left, right = (100 * min(max(v / width, 0), 1) for v in (left, right))
    top, bottom = (100 * min(max(v / height, 0), 1) for v in (top, bottom))
    sides = {"left": left, "top": top, "width": right - left, "height": bottom - top}
    return {"on": index in sitting.targets} | {k: round(v, 2) for k, v in sides.items()}
