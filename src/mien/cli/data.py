"""`mien data`: import, check and list data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mien.errors import DataError

if TYPE_CHECKING:
    from mien.data import Record

app = typer.Typer(
    help="Import, check and list data sets.", no_args_is_help=True, rich_markup_mode="markdown"
)
SHOWN = 20
"""Problems listed in full; the rest are counted."""


@app.command("import")
def import_(
    name: Annotated[str, typer.Argument(help="A name of `mien data list`.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The original download, unpacked.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder to write (ict-facekit: file); mien's own if not given."
        ),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the pictures, do not hard-link them.")
    ] = False,
) -> None:
    """Bring a data set from its makers' layout into one manifest (Hugging Face *imagefolder*).

    `ict-facekit` is the original of the face model that ships and becomes one array file.
    """
    from mien.data.adapters import DATASETS, ict_facekit
    from mien.data.importing import import_photographs

    if name == ict_facekit.NAME:
        with _progress("reading meshes") as progress:
            path = ict_facekit.import_model(folder, out, progress)
        typer.echo(f"face model written to {path}")
        return
    if name not in DATASETS:
        known = ", ".join((*DATASETS, ict_facekit.NAME))
        raise DataError(f"unknown data set {name!r}: choose from {known}")
    with _progress("photographs") as progress:
        target, records = import_photographs(name, folder, out, copy=copy, progress=progress)
    _print(_summary(records, f"{name} in {target}"))
    typer.echo(f"licence: {DATASETS[name].licence}; for {DATASETS[name].terms}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with a metadata.jsonl.")],
) -> None:
    """Read a manifest and every picture it names; exit code 2 if anything is wrong.

    Finds broken lines, missing and unreadable pictures, pictures that no line names, duplicates,
    persons in two splits, unknown emotions, and values out of range.
    """
    from mien.data.checking import check as check_folder

    with _progress("pictures") as progress:
        result = check_folder(folder, progress)
    _print(_summary(result.records, str(folder)))
    if not result.problems:
        typer.echo("no problems")
        return
    table = Table("kind", "where", "what is wrong", title="Problems", title_justify="left")
    for problem in result.problems[:SHOWN]:
        table.add_row(problem.kind, problem.where, problem.what)
    _print(table)
    hidden = len(result.problems) - SHOWN
    more = f" ({hidden} more than shown)" if hidden > 0 else ""
    raise DataError(f"{len(result.problems)} problems in {folder}{more}")


@app.command("list")
def list_() -> None:
    """Show the data sets that mien knows, their terms, how to obtain them, and where they are."""
    from mien.data.adapters import DATASETS, ict_facekit
    from mien.data.manifest import FILE_NAME
    from mien.zoo import data_home, dataset_home

    home = data_home()
    table = Table(title=f"Data sets (originals are looked for in {home})", show_lines=True)
    for column in ("name", "what, and on which terms", "where"):
        table.add_column(column, overflow="fold")
    for d in DATASETS.values():
        imported = dataset_home(d.name)
        places = [f"imported: {imported}"] if (imported / FILE_NAME).is_file() else []
        places += [f"original: {home / d.name}"] if (home / d.name).is_dir() else []
        where = "\n".join(places) or f"not here: {d.obtain}"
        what = f"{d.title}: {d.contents}\nlicence: {d.licence}\nfor: {d.terms}"
        table.add_row(d.name, what, f"{d.source}\n{where}")
    model = ict_facekit.model_file()
    found = f"imported: {model}" if model.is_file() else f"not here: {ict_facekit.OBTAIN}"
    table.add_row(
        ict_facekit.NAME,
        f"{ict_facekit.TITLE}: original of the one that ships\nlicence: {ict_facekit.LICENCE}",
        f"{ict_facekit.SOURCE}\n{found}",
    )
    _print(table)


@app.command()
def samples(
    london: Annotated[Path, typer.Argument(metavar="LONDON_DIR", help="The original London Set.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write the samples to.")],
) -> None:
    """Make the bundled sample faces again: morphs of several consenting people each."""
    from mien.data.samples import make

    for path in make(london, out):
        typer.echo(str(path))


def _summary(records: list[Record], title: str) -> Table:
    from mien.data import SPLITS

    table = Table(title=title, title_justify="left")
    for column in ("split", "people", "pictures", "emotion known", "landmarks", "units"):
        table.add_column(column, justify="left" if column == "split" else "right")
    for split in (*SPLITS, "all"):
        chosen = [r for r in records if split in ("all", r.split)]
        counts = (
            len({r.person for r in chosen}),
            len(chosen),
            sum(r.emotion is not None for r in chosen),
            sum(r.landmarks is not None for r in chosen),
            sum(r.units is not None for r in chosen),
        )
        table.add_row(split, *map(str, counts))
    return table


def _print(what: Any) -> None:
    Console().print(what)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error, so that the tables can be piped."""
    from rich.progress import MofNCompleteColumn, Progress

    columns = (*Progress.get_default_columns(), MofNCompleteColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
