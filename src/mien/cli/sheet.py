"""`mien sheet`: a grid of people and expressions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.asking import naming
from mien.cli.batch import Plan, sources
from mien.cli.edit import say_passed
from mien.cli.session import (
    Device,
    Face,
    Intensity,
    Method,
    Settings,
    Weights,
    check_face,
    check_intensity,
    check_method,
    check_output,
    chosen,
    open_editor,
)
from mien.methods.registry import DEFAULT


def command(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Photographs, or folders of them.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")],
    expressions: Annotated[
        str | None,
        typer.Option("--expressions", "-e", help="Labels with commas between; all if not given."),
    ] = None,
    size: Annotated[
        int, typer.Option("--size", min=32, max=1024, help="Side of one picture, px.")
    ] = 256,
    intensity: Intensity = 1.0,
    face: Face = "largest",
    method: Method = DEFAULT,
    weights: Weights = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Draw a grid: a row for each person, their photograph and a column for each expression."""
    from mien import images
    from mien.facs import EMOTIONS
    from mien.guides import Label
    from mien.sheet import sheet

    names = [n.strip() for n in expressions.split(",")] if expressions else list(EMOTIONS)
    guides = [Label(name) for name in names]
    check_intensity(intensity)
    check_face(face)
    check_method(method, weights)
    choice = chosen(method, settings)
    check_output(out)
    beside = Plan()
    paths = sources(photos, beside)
    pictures = [images.read(path) for path in paths]
    editor = open_editor(method, weights, device, choice)
    rows = []
    for path, photo in zip(paths, pictures, strict=True):
        with naming(path):
            shown, found = editor.portrait(photo, size, face)
        rows.append([shown, *(editor.on_portrait(shown, found, g, intensity) for g in guides)])
    page = sheet(rows, ["source", *names], [path.stem for path in paths])
    images.write(out, page, metadata=editor.metadata(",".join(names), f"{intensity:g}", len(rows)))
    typer.echo(f"{out}: {len(rows)} x {len(names)}")
    say_passed(beside.passed)
