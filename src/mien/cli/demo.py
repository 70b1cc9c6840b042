"""`mien demo`: what mien does, on the sample faces it brings along."""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.session import Device, Method, Weights, check_method, check_output, open_editor
from mien.methods.registry import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mien.editor import Editor
    from mien.guides import Guide
    from mien.images import Photo
    from mien.types import UInt8

SIDE, WIDE = 176, 256
"""Side of a picture on the page, px, and of the portrait whose middle it shows: faces near enough
to see what they do."""
LOWER = 10
"""How far below the portrait's middle the picture's lies, px: chins that drop stay in it."""
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)
UNITS = (
    ("AU1=0.9", "AU2=0.9"),
    ("AU4=1",),
    ("AU9=1",),
    ("AU6=0.6", "AU12=0.8"),
    ("AU12L=0.9",),
    ("AU15=1",),
    ("AU26=0.8",),
    ("AU43L=1",),
)


def command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("demo.png"),
    photographs: Annotated[
        Path | None,
        typer.Option(
            "--samples", metavar="DIR", help="Copy the sample photographs there, and draw nothing."
        ),
    ] = None,
    method: Method = DEFAULT,
    weights: Weights = None,
    device: Device = "auto",
) -> None:
    """Draw the sample faces in eight expressions, a smile from none to twice as broad, action
    units, variants, blendshapes, gaze, and a swap; heads and light too, if the method turns them.

    The samples are people who do not exist, mixed by `mien people` (from the Face Research Lab
    London Set, CC BY 4.0, DeBruine & Jones 2017).
    """
    if photographs is not None:
        _copy(photographs)
        return
    from mien import facs, images
    from mien.guides import ActionUnits, Label, Staging
    from mien.sheet import sheet, stack
    from mien.zoo.samples import samples

    check_method(method, weights)
    check_output(out)
    pictures = {name: images.read(path) for name, path in samples().items()}
    began = time.perf_counter()
    editor = open_editor(method, weights, device)
    loaded = time.perf_counter()
    first, second, third = pictures.items()
    labels = [_row(editor, photo, [Label(e) for e in facs.EMOTIONS]) for photo in pictures.values()]
    rows = [
        sheet(labels, ["source", *facs.EMOTIONS], list(pictures)),
        _intensities(editor, *first),
        _named(editor, *second, {" ".join(u): ActionUnits.parse(*u) for u in UNITS}),
        _named(editor, *third, _others()),
    ]
    if Staging in editor.method.native:
        rows.append(_named(editor, *first, _staged()))
    page = stack([*rows, _swap(editor, pictures)])
    images.write(out, page, metadata={"method": method, "weights": editor.weights})
    spent = time.perf_counter() - loaded
    typer.echo(f"{out}: made in {spent:.1f} s, after {loaded - began:.1f} s of loading")


def _copy(folder: Path) -> None:
    """The sample photographs into a folder, which is made; another file of their name stays."""
    from mien.errors import DataError
    from mien.files import replacing
    from mien.zoo.samples import samples

    for path in samples().values():
        copy = folder / path.name
        try:
            if copy.exists() and copy.read_bytes() != path.read_bytes():
                raise DataError(f"{copy} is there and is no sample: name another folder")
            with replacing(copy) as part:
                shutil.copyfile(path, part)
        except OSError as error:
            raise DataError(f"cannot write {copy}: {error.strerror}") from None
        typer.echo(copy)


def _others() -> dict[str, Guide]:
    """Variants of labels, blendshapes, and gaze."""
    from mien.guides import Blendshapes, Gaze, Label

    return {
        "happy:closed": Label("happy:closed"),
        "sad:open": Label("sad:open"),
        "anger:open": Label("anger:open"),
        "mouthPucker=1": Blendshapes.of_values({"mouthPucker": 1.0}),
        "mouthLeft=1": Blendshapes.of_values({"mouthLeft": 1.0}),
        "gaze=0.8,0": Gaze(0.8, 0.0),
        "gaze=-0.8,0": Gaze(-0.8, 0.0),
        "gaze=0,1": Gaze(0.0, 1.0),
    }


def _staged() -> dict[str, Guide]:
    """Head and light, and several guides at once."""
    from mien.guides import Composed, Gaze, Label, Staging

    return {
        "turn=0,15,0": Staging((0, 15, 0)),
        "turn=0,-15,0": Staging((0, -15, 0)),
        "turn=10,0,0": Staging((10, 0, 0)),
        "turn=-10,0,0": Staging((-10, 0, 0)),
        "turn=0,0,12": Staging((0, 0, 12)),
        "light=0.7,0": Staging(light=(0.7, 0.0)),
        "light=-0.7,0": Staging(light=(-0.7, 0.0)),
        "all together": Composed(
            (Label("happy"), Gaze(-0.6, 0.0), Staging((4, 12, 8), (0.5, 0.0)))
        ),
    }


def _row(editor: Editor, photo: Photo, guides: Sequence[Guide]) -> list[UInt8]:
    """A face, and the same face by each guide."""
    shown, found = editor.portrait(photo, WIDE)
    return [_middle(p) for p in (shown, *(editor.on_portrait(shown, found, g) for g in guides))]


def _named(editor: Editor, name: str, photo: Photo, guides: dict[str, Guide]) -> UInt8:
    """A row with what was asked for above it."""
    from mien.sheet import sheet

    return sheet([_row(editor, photo, list(guides.values()))], ["source", *guides], [name])


def _intensities(editor: Editor, name: str, photo: Photo) -> UInt8:
    """A row: one face from no smile to twice a smile."""
    from mien.guides import Label
    from mien.sheet import sheet

    shown, found = editor.portrait(photo, WIDE)
    row = [_middle(editor.on_portrait(shown, found, Label("happy"), step)) for step in STEPS]
    return sheet([row], [f"happy x {step:g}" for step in STEPS], [name])


def _swap(editor: Editor, pictures: dict[str, Photo]) -> UInt8:
    """A row: two faces that show different expressions, then each with the other's."""
    from mien.guides import Label
    from mien.sheet import sheet

    (a, first), (b, second) = list(pictures.items())[-2:]
    shown = {
        f"{name}, {label}": editor.on_portrait(*editor.portrait(photo, WIDE), Label(label))
        for name, photo, label in ((a, first, "happy"), (b, second, "anger"))
    }
    before = list(shown.values())
    after = [result.pixels for result in editor.swap(before[0], before[1])]
    row = [_middle(picture) for picture in before + after]
    return sheet([row], [*shown, f"{a} like {b}", f"{b} like {a}"], ["swap"])


def _middle(portrait: UInt8) -> UInt8:
    """The part (SIDE, SIDE, 3) of a portrait (WIDE, WIDE, 3) that the face fills."""
    edge = (WIDE - SIDE) // 2
    return portrait[edge + LOWER : edge + LOWER + SIDE, edge : edge + SIDE]
