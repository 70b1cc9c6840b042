"""`mien data`: import, check and list data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from mien.errors import DataError, near

if TYPE_CHECKING:
    from mien.data import Record
    from mien.types import UInt8

app = typer.Typer(
    help="Import, check and list data sets.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)
SHOWN = 20
"""Problems listed in full; the rest are counted."""


@app.command("import")
def import_(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="A name of `mien data list`; `own`: your photographs."),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The original download, unpacked.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="Folder to write (of a face model: file); mien's own if not given."
        ),
    ] = None,
    copy: Annotated[
        bool, typer.Option("--copy", help="Copy the pictures, do not hard-link them.")
    ] = False,
    frames: Annotated[
        int | None,
        typer.Option(help="Frames of each film or series; the set's number if not given."),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(
            help="Of `own`: what paths look like, such as '{person}-{emotion}' or '{person}/*'; "
            "'{emotion}/{person}' if not given."
        ),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Of `own`, instead of --layout: file, person, label of each."
        ),
    ] = None,
    licence: Annotated[
        str, typer.Option(help="Of `own`: what the photographs may be used for.")
    ] = "",
) -> None:
    """Bring a data set from its makers' layout, or photographs of your own, into one manifest
    (Hugging Face *imagefolder*).

    Your own need **--out**. Pictures that cannot be read, or of which nothing is said, are left out
    and named.

    Films and series of pictures give frames: of an expression that is posed its onset and its peak
    among them, of speech some from the middle. `ict-facekit`, the original of the face model that
    ships, and `gnm-head` become one array file each.
    """
    from mien.data.adapters import FACE_MODELS, KNOWN
    from mien.data.importing import import_photographs
    from mien.data.own import NAME

    if name in FACE_MODELS:
        with _progress("reading meshes") as progress:
            path = FACE_MODELS[name].import_model(folder, out, progress)
        typer.echo(f"face model written to {path}")
        return
    if name == NAME:
        _import_own(folder, out, layout, table, licence, copy)
        return
    if layout or table or licence:
        raise DataError(
            f"--layout, --table and --licence go with {NAME!r}: {name} says these itself"
        )
    if name not in KNOWN:
        raise DataError(f"unknown data set {name!r}: {near(name, (*KNOWN, *FACE_MODELS))}")
    left_out: list[str] = []
    with _progress("photographs and films") as progress:
        target, records = import_photographs(
            name, folder, out, copy=copy, frames=frames, film=_film, progress=progress,
            left_out=left_out.append,
        )  # fmt: skip
    _tell(left_out)
    _print(_summary(records, f"{name} in {target}"))
    one = KNOWN[name]
    typer.echo(f"licence: {one.licence}; for {one.terms}; weights trained on it: {one.weights}")


def _import_own(
    folder: Path, out: Path | None, layout: str | None, table: Path | None, licence: str, copy: bool
) -> None:
    from mien.data.own import LAYOUT, import_own
    from mien.data.terms import training_sets, weights_for

    if out is None:
        raise DataError("say where your own photographs go: --out faces/mine")
    if layout and table:
        raise DataError("--layout and --table both say who is on a picture: give one of them")
    left_out: list[str] = []
    with _progress("photographs") as progress:
        records = import_own(
            folder, out, layout=layout or LAYOUT, table=table, licence=licence, copy=copy,
            progress=progress, left_out=left_out.append,
        )  # fmt: skip
    _tell(left_out)
    _print(_summary(records, str(out)))
    typer.echo(f"weights trained on it: {weights_for(training_sets(records))}")


@app.command()
def check(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder with a metadata.jsonl.")],
) -> None:
    """Read a manifest and every picture it names; exit code 2 if anything is wrong.

    Finds broken lines, unknown emotions, values out of range, missing and unreadable pictures,
    pictures that no line names, duplicates, persons in two splits; and says what weights trained on
    it may be used for.
    """
    from mien.data.checking import check as check_folder
    from mien.data.terms import training_sets, weights_for

    with _progress("pictures") as progress:
        result = check_folder(folder, progress)
    _print(_summary(result.records, str(folder)))
    typer.echo(f"weights trained on it: {weights_for(training_sets(result.records))}")
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


@app.command()
def align(
    folder: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Photographs with a metadata.jsonl, or a known set."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    size: Annotated[int, typer.Option(min=64, max=1024, help="Side of the crops, px.")] = 160,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Threads; one per core if not given.")
    ] = None,
) -> None:
    """Crop the largest face of every photograph, once, for training to read; same manifest."""
    import os

    from mien.data.aligning import align_photographs

    left_out: list[str] = []
    with _progress("faces") as progress:
        records = align_photographs(
            folder, out, size=size, workers=workers or os.cpu_count() or 1, progress=progress,
            left_out=left_out.append,
        )  # fmt: skip
    _tell(left_out)
    _print(_summary(records, f"{out}, {size} px"))


@app.command()
def mix(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    renders: Annotated[Path | None, typer.Option(help="Folder of `mien rig render`.")] = None,
    faces: Annotated[
        list[Path] | None, typer.Option(help="Folder of `mien data align`; repeat it.")
    ] = None,
) -> None:
    """Put renders, as if they were photographs, beside aligned photographs: for unpaired training.

    Of a render the picture is kept, who it shows, emotion, action units and landmarks: no flow, and
    nobody says which two show one person under one light. Test people's photographs are left out.
    """
    from mien.data.mixing import mixed

    _print(_summary(mixed(renders, faces or (), out), str(out)))


@app.command("list")
def list_(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="One of them: all that is known about it.")
    ] = None,
) -> None:
    """Show the data sets that mien knows: what they are, where they are, and what weights trained
    on them may be used for; of one, its terms too, how it lies on disk and how to obtain it.
    """
    from mien.data.adapters import DATASETS, FACE_MODELS, KNOWN
    from mien.zoo import data_home

    if name is not None:
        typer.echo("\n".join(f"{what + ':':<14}{text}" for what, text in _about(name)))
        return
    table = Table(title=f"Data sets (originals are looked for in {data_home()})")
    for column in ("name", "what", "weights trained on it", "here"):
        table.add_column(column, overflow="fold")
    for d in KNOWN.values():
        end = d.name == list(DATASETS)[-1]
        what = f"{d.title}: {d.contents} ({d.licence})"
        table.add_row(d.name, what, d.weights, _place(d.name) or "not here", end_section=end)
    table.add_section()
    for model in FACE_MODELS.values():
        here = str(model.model_file()) if model.model_file().is_file() else "not here"
        what = f"{model.TITLE}: face model, {model.CONTENTS} ({model.LICENCE})"
        table.add_row(model.NAME, what, "any use", here)
    _print(table)


def _about(name: str) -> list[tuple[str, str]]:
    """All that is known about a data set; DataError names those there are."""
    from mien.data.adapters import FACE_MODELS, KNOWN
    from mien.data.own import NAME

    if name in FACE_MODELS:
        model = FACE_MODELS[name]
        place = model.model_file()
        return [
            ("name", f"{name}, {model.TITLE}"), ("contents", model.CONTENTS),
            ("licence", model.LICENCE), ("source", model.SOURCE), ("obtain", model.OBTAIN),
            ("here", str(place) if place.is_file() else "no"),
        ]  # fmt: skip
    if name == NAME:
        raise DataError("photographs of your own lie where you put them: mien data check FOLDER")
    if name not in KNOWN:
        raise DataError(f"unknown data set {name!r}: {near(name, (*KNOWN, *FACE_MODELS))}")
    d = KNOWN[name]
    profile = "" if d.profile is None else f"; {d.frames} frames of each, {d.profile.value}"
    return [
        ("name", f"{d.name}, {d.title}"), ("contents", d.contents + profile),
        ("licence", d.licence), ("for", d.terms), ("weights", d.weights), ("source", d.source),
        ("obtain", d.obtain), ("layout", d.example), ("here", _place(name) or "no"),
    ]  # fmt: skip


def _place(name: str) -> str | None:
    """Where a set is: its import, else its original; None if neither is here."""
    from mien.data.manifest import FILE_NAME
    from mien.zoo import data_home, dataset_home

    if (dataset_home(name) / FILE_NAME).is_file():
        return f"imported: {dataset_home(name)}"
    return f"original: {data_home() / name}" if (data_home() / name).is_dir() else None


@app.command()
def samples(
    london: Annotated[Path, typer.Argument(metavar="LONDON_DIR", help="The original London Set.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="Folder to write the samples to.")],
) -> None:
    """Make the bundled sample faces again: people of `mien people`, mixed from consenting ones,
    cropped to the head; and say of whom, as their README does.
    """
    from mien.people.samples import make

    for made in make(london, out):
        typer.echo(made.row())


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


def _tell(left_out: list[str]) -> None:
    for reason in left_out[:SHOWN]:
        typer.echo(f"left out: {reason}", err=True)
    if len(left_out) > SHOWN:
        typer.echo(f"left out: {len(left_out) - SHOWN} more", err=True)


def _film(path: Path) -> Iterator[UInt8]:
    """The frames of a film; the library that reads films is asked for only where there is one."""
    from mien.video.reading import look

    for frame in look(path).frames():
        yield frame.pixels


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
