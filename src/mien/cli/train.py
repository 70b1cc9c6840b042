"""`mien train`: run a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    recipe: Annotated[Path, typer.Argument(help="recipe, such as recipes/mtss/rig_128.yaml")],
    data: Annotated[
        Path | None, typer.Option(help="folder of rig renders (default: the cache's)")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="run folder (default: runs/METHOD_NAME)")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="change a field: training.images=5000")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="stop after so many minutes, state saved")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="begin a new run with these weights, where they fit")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="refuse to resume a run that exists")] = False,
) -> None:
    """Train a method from a recipe; running the same command again resumes it exactly.

    Resumed with another recipe it goes on too, where its stages stay (longer, say), and says that
    it is not the run that one call would have made.
    """
    from mien.training import recipe as recipes
    from mien.training.run import changed_in, seen_in, train
    from mien.zoo import rig_home

    chosen = recipes.read(recipe, tuple(settings or ()))
    folder = out or Path("runs") / f"{chosen.method}_{recipe.stem}"
    if not fresh and seen_in(folder) and (changed := changed_in(folder, chosen)):
        typer.echo(f"{folder} goes on, not exactly: {', '.join(changed)} changed", err=True)
    weights = train(
        chosen, data or rig_home(), folder, minutes=minutes, resume=not fresh, init=init
    )
    typer.echo(f"weights: {weights}")
