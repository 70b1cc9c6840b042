"""`mien train`: run a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    recipe: Annotated[Path, typer.Argument(help="recipe, such as recipes/mtss.yaml")],
    data: Annotated[
        Path | None,
        typer.Option(help="rig renders, or aligned photographs (default: the cache's renders)"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="run folder (default: runs/NAME)")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="change a field: training.images=5000, stages.rig.run.workers=2"
        ),
    ] = None,
    stage: Annotated[
        str | None, typer.Option(help="this stage alone, begun with the one before, or --init")
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="processes that learn, each on a device; on the CPU too"),
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="stop each stage after so many minutes, state saved")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="begin a new run with these weights, where they fit")
    ] = None,
    fresh: Annotated[bool, typer.Option(help="refuse to resume a run that exists")] = False,
) -> None:
    """Train a method from a recipe, stage by stage; the same command again resumes it exactly.

    Resumed with another recipe it goes on too, where its stages stay (longer, say), and says that
    it is not the run that one call would have made.
    """
    from mien.training import recipe as recipes
    from mien.training.run import rank, seen_in
    from mien.training.stages import changed_in, folder_of, train
    from mien.zoo import rig_home

    asked = tuple(settings or ()) + ((f"run.devices={devices}",) if devices else ())
    stages = recipes.read(recipe, asked)
    folder = out or Path("runs") / _name(recipe)
    for one in () if fresh else stages:
        at = folder_of(one, folder)
        if seen_in(at) and (changed := changed_in(at, one)):
            typer.echo(f"{at} goes on, not exactly: {', '.join(changed)} changed", err=True)
    weights = train(
        stages, data or rig_home(), folder, only=stage, minutes=minutes, resume=not fresh,
        init=init, command=_command(recipe, settings or []),
    )  # fmt: skip
    if rank() == 0:
        typer.echo(f"weights: {weights}")


def _name(recipe: Path) -> str:
    """What a run is called: `mtss` of mtss.yaml, `mtss_paper_128` of mtss/paper_128.yaml."""
    folder = recipe.parent.name
    return recipe.stem if folder in ("", "recipes") else f"{folder}_{recipe.stem}"


def _command(recipe: Path, settings: list[str]) -> str:
    """The command that makes these weights, as the record says it."""
    parts = [Path(*recipe.parts[-2:]) if recipe.is_absolute() else recipe]
    return " ".join(["mien train", *map(str, parts), *(f"--set {s}" for s in settings)])
