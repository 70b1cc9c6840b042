"""`mien people`: faces of nobody, as a data set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from mien.cli.session import (
    Device,
    Settings,
    Weights,
    check_folder,
    check_invents,
    check_method,
    chosen,
    open_editor,
)


def command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for pictures and manifest.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many people.")] = 100,
    expressions: Annotated[
        str, typer.Option("--expressions", "-e", help="`all`, or labels with commas between.")
    ] = "all",
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Decides who they are; same seed, same people.")
    ] = 0,
    spread: Annotated[
        float,
        typer.Option(
            "--spread",
            min=0,
            max=3,
            help="0 is the average person, 1 as people are, more stranger.",
        ),
    ] = 1.0,
    method: Annotated[
        str, typer.Option("--method", "-m", help="A method that invents people.")
    ] = "decoupling",
    weights: Weights = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:
    """Invent people and write each under every expression, with a manifest that trains a
    classifier.

    `datasets.load_dataset("imagefolder", data_dir=OUT)` opens the folder as it is. The same command
    again goes on where it was stopped; a larger count adds people.
    """
    from rich.progress import Progress

    from mien import facs, people
    from mien.zoo.records import records

    names = facs.EMOTIONS if expressions == "all" else _names(expressions)
    check_method(method, weights)
    check_invents(method)
    choice = chosen(method, settings)
    editor = open_editor(method, weights, device, choice)
    check_folder(out, make=True)
    licence = "that of the weights"
    if weights is None:
        licence = records()[method].licence
    made = people.Settings(method, editor.weights, seed, spread, json.dumps(choice, sort_keys=True))
    with Progress(transient=True) as bar:
        task = bar.add_task("people", total=count)
        rows = people.write(
            editor.method, made, out, count, names, licence=licence,
            progress=lambda done: bar.update(task, completed=done),
        )  # fmt: skip
    typer.echo(f"{out}: {count} people, {len(rows)} pictures")


def _names(text: str) -> tuple[str, ...]:
    """Labels with commas between; GuideError for one that there is not."""
    from mien import facs

    return tuple(dict.fromkeys(facs.plain(part.strip()) for part in text.split(",")))
