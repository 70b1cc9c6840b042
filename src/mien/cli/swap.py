"""`mien swap`: exchange the expressions of two photographs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.asking import naming
from mien.cli.batch import written_as
from mien.cli.session import (
    Certificate,
    Device,
    Face,
    Key,
    Method,
    Settings,
    Weights,
    check_face,
    check_folder,
    check_method,
    check_signer,
    chosen,
    open_editor,
)
from mien.files import cut, longest
from mien.methods.registry import DEFAULT


def command(
    a: Annotated[Path, typer.Argument(metavar="A", help="A photograph.")],
    b: Annotated[Path, typer.Argument(metavar="B", help="Another.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the two results.")],
    face: Face = "auto",
    method: Method = DEFAULT,
    weights: Weights = None,
    settings: Settings = None,
    device: Device = "auto",
    sign_with: Certificate = None,
    key: Key = None,
) -> None:
    """Exchange the expressions of two photographs: A with the expression of B, and B with that of
    A.
    """
    from mien import images

    check_face(face)
    check_method(method, weights)
    choice = chosen(method, settings)
    signer = check_signer(sign_with, key)
    first, second = images.read(a), images.read(b)
    check_folder(out, make=True)
    editor = open_editor(method, weights, device, choice)
    with naming(f"{a} or {b}"):
        results = editor.swap(first, second, face)
    targets = (_named(a, b, out), _named(b, a, out))
    if targets[0] == targets[1]:
        stem = Path(targets[0]).stem
        targets = (written_as(a, out, f"a-{stem}"), written_as(b, out, f"b-{stem}"))
    for result, name in zip(results, targets, strict=True):
        result.save(out / name, signer)
        typer.echo(str(out / name))


def _named(photo: Path, other: Path, out: Path) -> str:
    """`anna-as-ben.jpg`; of names too long together, the beginning of each."""
    whole = f"{photo.stem}-as-{other.stem}"
    name = written_as(photo, out, whole)
    if name.startswith(whole):
        return name
    room = (longest(out) - len("-as-") - len(photo.suffix or ".png")) // 2
    return written_as(photo, out, f"{cut(photo.stem, room)}-as-{cut(other.stem, room)}")
