"""`mien mouths`: real teeth for opened mouths."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    help="Make a library of real teeth, or say what is in one.",
    no_args_is_help=True,
    add_completion=False,
)


@app.command()
def build(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Photographs of smiles.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="File to write (.safetensors).")],
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", help="A photograph to leave out, without its ending; again for more."
        ),
    ] = None,
) -> None:
    """Cut the upper teeth out of every smile that shows them.

    `MIEN_MOUTHS=FILE` makes mien use the library. Of data sets that mien knows only training
    people are used. Photographs should be upright, from the front, evenly lit and 400 px wide or
    more across the face.
    """
    from rich.progress import Progress

    from mien.data.mouths import build as build_library
    from mien.data.mouths import donor_photographs

    chosen = donor_photographs(folder, without or ())
    with Progress(transient=True) as bar:
        task = bar.add_task("photographs", total=len(chosen))
        library = build_library(chosen, lambda done: bar.update(task, completed=done))
    library.save(out)
    size = out.stat().st_size / 1e6
    typer.echo(f"{out}: {len(library.donors)} mouths of {len(chosen)} photographs, {size:.1f} MB")


@app.command()
def show(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="A library; the one that is in use if not given."),
    ] = None,
) -> None:
    """List the mouths of a library and its terms."""
    from rich.console import Console
    from rich.table import Table

    from mien.face_model.mouths import MouthLibrary

    library = MouthLibrary.load(file)
    table = Table("mouth", "teeth seen, cm", "enamel", "skin", "age")
    for donor in library.donors:
        middle = donor.top[len(donor.top) // 3 : -len(donor.top) // 3]
        enamel, skin = (" ".join(f"{v:.0f}" for v in c) for c in (donor.enamel, donor.skin))
        age = f"{donor.age:.0f}" if donor.age == donor.age else ""
        table.add_row(donor.name, f"{middle.mean():.2f}", enamel, skin, age)
    Console().print(table)
    for key, value in sorted(library.about.items()):
        typer.echo(f"{key}: {value}")
