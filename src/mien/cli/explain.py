"""`mien explain`: what a method makes of a photograph on the way to its result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.asking import naming
from mien.cli.session import (
    Device,
    Face,
    Method,
    Settings,
    Weights,
    check_explains,
    check_face,
    check_method,
    check_output,
    chosen,
    open_editor,
)


def command(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photograph.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Picture to write.")],
    to: Annotated[
        str, typer.Option("--to", metavar="LABEL", help="The expression of the result.")
    ] = "happy",
    size: Annotated[
        int, typer.Option("--size", min=32, max=1024, help="Side of one picture, px.")
    ] = 256,
    face: Face = "largest",
    method: Method = "aipgan",
    weights: Weights = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Draw what a method sees: where it looks, what it finds there, and the result.

    For methods that have something to show, such as `aipgan`: attention over the photograph,
    predicted landmarks, the intrinsic image.
    """
    from mien import images
    from mien.guides import Label
    from mien.sheet import sheet

    guide = Label(to)
    check_face(face)
    check_method(method, weights)
    choice = chosen(method, settings)
    check_explains(method)
    check_output(out)
    picture = images.read(photo)
    editor = open_editor(method, weights, device, choice)
    with naming(photo):
        shown = editor.explain(picture, guide, size, face)
    page = sheet([list(shown.values())], list(shown), [photo.stem])
    images.write(out, page, metadata=editor.metadata(to, "1", 1))
    typer.echo(f"{out}: {', '.join(shown)}")
