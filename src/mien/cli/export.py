"""`mien export`: networks as ONNX files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A method, `detector`, `landmarks`, `judge_a` or `judge_b`.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write into.")],
) -> None:
    """Write the networks of a method, with the weights that ship, as ONNX files and a model card.

    Opset 18, any batch, float32. `morphable` is drawn by arithmetic and has one network, the reader
    of action units, which all methods share. Where ONNX Runtime is installed, each file is run
    beside torch, and the card says how far they are apart.
    """
    from mien.errors import DataError
    from mien.methods.registry import METHODS, check_installed

    if out.exists() and not out.is_dir():
        raise DataError(f"{out} is not a folder")
    if name in METHODS and name != "morphable":
        check_installed(name)
    from mien.export import export

    for one in export(name, out):
        said = "not checked" if one.difference is None else f"{one.difference:.1e} off torch"
        levels = "" if one.levels is None else f", result within {one.levels} levels"
        size = one.path.stat().st_size / 1e6
        typer.echo(f"{one.path}: {size:.1f} MB, {said}{levels}")
    typer.echo(f"{out / 'README.md'}: the model card")
