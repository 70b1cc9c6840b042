"""What commands of `mien bench` have in common: options, and a bar that hears how far they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

Out = Annotated[Path, typer.Option("-o", "--out", help="Folder for tables and finished lines.")]
Methods = Annotated[
    list[str],
    typer.Option(
        "--method", "-m", help="NAME, 'NAME head=own' or NAME=WEIGHTS.safetensors; repeat."
    ),
]
Data = Annotated[
    list[Path] | None,
    typer.Option(
        help="Folder of photographs with a metadata.jsonl, or of a data set that mien knows: what "
        "it knows decides which protocols run, each face at its own size; repeat."
    ),
]
Lite0 = Annotated[
    Path | None,
    typer.Option(
        help="EfficientNet-Lite0 as safetensors (`mien bench features lite0`), with --data: a "
        "distance by its features."
    ),
]
Classifier = Annotated[
    Path | None,
    typer.Option(
        metavar="ONNX",
        help="Your emotion classifier, with a .json beside it (docs/judges.md): "
        "emotion right, by it too.",
    ),
]
Embedding = Annotated[
    Path | None,
    typer.Option(
        metavar="ONNX",
        help="Your face embedding, with a .json beside it: a second opinion on who somebody is.",
    ),
]
Limit = Annotated[int | None, typer.Option(help="People at most, of each protocol.")]
Seed = Annotated[int, typer.Option(help="Draws people and triples.")]


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """A bar that hears what is measured, how many results are done, and of how many."""
    from rich.progress import Progress

    with Progress(transient=True) as bar:
        task: Any = bar.add_task("reading faces", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        yield progress
