"""`mien demo`: what mien does, on the sample faces it brings along."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.session import Device, Method, Weights, check_method, check_output, open_editor
from mien.methods.registry import DEFAULT

if TYPE_CHECKING:
    from mien.editor import Editor
    from mien.images import Photo
    from mien.types import UInt8

SIZE = 208
STEPS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4)
UNITS = (
    ("AU1=0.9", "AU2=0.9"),
    ("AU4=1",),
    ("AU6=0.6", "AU12=0.8"),
    ("AU12L=0.9",),
    ("AU9=0.9",),
    ("AU15=0.9",),
    ("AU26=0.8",),
    ("AU43=1",),
)


def command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")] = Path("demo.png"),
    method: Method = DEFAULT,
    weights: Weights = None,
    device: Device = "auto",
) -> None:
    """Draw eight expressions of each sample, one smile from faint to broad, action units, and a
    swap.

    The samples are morphs, faces of nobody in particular (from the Face Research Lab London Set, CC
    BY 4.0, DeBruine & Jones 2017).
    """
    from mien import images
    from mien.facs import EMOTIONS
    from mien.sheet import stack
    from mien.zoo.samples import samples

    check_method(method, weights)
    check_output(out)
    pictures = {name: images.read(path) for name, path in samples().items()}
    began = time.perf_counter()
    editor = open_editor(method, weights, device)
    loaded = time.perf_counter()
    page = stack(
        [
            editor.sheet(pictures, EMOTIONS, size=SIZE),
            _intensities(editor, pictures),
            _units(editor, pictures),
            _swap(editor, pictures),
        ]
    )
    images.write(out, page, metadata={"method": method, "weights": editor.weights})
    spent = time.perf_counter() - loaded
    typer.echo(f"{out}: made in {spent:.1f} s, after {loaded - began:.1f} s of loading")


def _intensities(editor: Editor, pictures: dict[str, Photo]) -> UInt8:
    """A row: one face from no smile to more than a smile."""
    from mien.guides import Label
    from mien.sheet import sheet

    name, photo = next(iter(pictures.items()))
    shown, found = editor.portrait(photo, SIZE)
    row = [editor.on_portrait(shown, found, Label("happy"), step) for step in STEPS]
    return sheet([row], [f"happy x {step:g}" for step in STEPS], [name])


def _units(editor: Editor, pictures: dict[str, Photo]) -> UInt8:
    """A row: one face under single action units."""
    from mien.guides import ActionUnits
    from mien.sheet import sheet

    name, photo = list(pictures.items())[1]
    shown, found = editor.portrait(photo, SIZE)
    row = [editor.on_portrait(shown, found, ActionUnits.parse(*units)) for units in UNITS]
    return sheet([[shown, *row]], ["source", *(" ".join(units) for units in UNITS)], [name])


def _swap(editor: Editor, pictures: dict[str, Photo]) -> UInt8:
    """A row: two faces that wear different expressions, then each with the other's."""
    from mien.guides import Label
    from mien.sheet import sheet

    (a, first), (b, second) = list(pictures.items())[-2:]
    shown = {
        f"{name}, {label}": (editor.on_portrait(*editor.portrait(photo, SIZE), Label(label)))
        for name, photo, label in ((a, first, "happy"), (b, second, "surprise"))
    }
    before = list(shown.values())
    after = [result.pixels for result in editor.swap(before[0], before[1])]
    return sheet([before + after], [*shown, f"{a} like {b}", f"{b} like {a}"], ["swap"])
