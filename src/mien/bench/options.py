"""What several questions ask for: the options that they have in common."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from mien.cli.session import check_file, check_folder
from mien.errors import AssetMissing, ConfigError


def file(path: Path | None) -> Path | None:
    """Checked before anything is measured: an hour is not lost on a folder that is not there."""
    if path is not None:
        check_file(path)
    return path


def folder(path: Path | None) -> Path | None:
    """The same of a folder, which is made."""
    if path is not None:
        check_folder(path, make=True)
    return path


def there(path: Path | None) -> Path | None:
    """AssetMissing unless what is read is there."""
    if path is not None and not path.exists():
        raise AssetMissing(f"there is no {path}")
    return path


def some(given: Sequence[str] | None, known: Iterable[str]) -> list[str]:
    """Those of an option that is repeated, each once; all that there are, if none is given.
    ConfigError for another."""
    names = list(known)
    for name in given or ():
        if name not in names:
            raise ConfigError(f"no {name!r} here: choose from {', '.join(names)}")
    return list(dict.fromkeys(given)) if given else names


Out: TypeAlias = Annotated[
    Path, typer.Option("-o", "--out", callback=file, help="The answer, a JSON file.")
]
MaybeOut: TypeAlias = Annotated[
    Path | None,
    typer.Option("-o", "--out", callback=file, help="Write the answer, as JSON, too."),
]
OutFolder: TypeAlias = Annotated[
    Path, typer.Option("-o", "--out", callback=folder, help="Folder for the answer.")
]
RendersFolder: TypeAlias = Annotated[
    Path, typer.Option(callback=there, help="Renders of the split: `mien rig render`.")
]
SplitName: TypeAlias = Annotated[str, typer.Option(help="Whose people: train, validation or test.")]
Seed: TypeAlias = Annotated[int, typer.Option(help="Of whatever is drawn.")]
Limit: TypeAlias = Annotated[int | None, typer.Option(min=1, help="People at most.")]
Keep: TypeAlias = Annotated[
    Path | None,
    typer.Option(callback=folder, help="Folder for pictures, for yourself: not to be published."),
]
Sheet: TypeAlias = Annotated[Path | None, typer.Option(callback=file, help="Also write a picture.")]
Methods: TypeAlias = Annotated[
    list[str],
    typer.Option("--method", "-m", help="NAME or NAME=WEIGHTS.safetensors; repeat."),
]
Work: TypeAlias = Annotated[
    Path | None,
    typer.Option(callback=folder, help="Folder for what is half done: the same command goes on."),
]
Method: TypeAlias = Annotated[str, typer.Option("--method", "-m", help="A name of `mien methods`.")]
Weights: TypeAlias = Annotated[
    Path | None, typer.Option(callback=there, help="Other weights than what ships.")
]
Lite0: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--perceptual", callback=there,
        help="EfficientNet-Lite0 as safetensors: `mien bench features lite0`.",
    ),
]  # fmt: skip
