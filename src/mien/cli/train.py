"""`mien train`: run a recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    recipe: Annotated[
        Path, typer.Argument(metavar="RECIPE", help="A recipe, such as recipes/mtss.yaml.")
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the run; runs/NAME if not given."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of `mien rig render`, or for recipes of papers of `mien data align`; "
            "mien's own renders if not given."
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Change a field, such as training.images=5000 or stages.rig.run.workers=2; "
            "repeat it.",
        ),
    ] = None,
    stage: Annotated[
        str | None,
        typer.Option(help="This stage alone, begun with the one before, or with --init."),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that learn, each on a device; on the CPU too."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(help="Stop each stage after so many minutes; the same command goes on."),
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Begin a new run with these weights, where they fit.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Refuse to go on with a run.")] = False,
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
    for one in () if fresh or rank() else stages:
        at = folder_of(one, folder)
        if seen := seen_in(at):
            changed = changed_in(at, one)
            exactly = f", not exactly: {', '.join(changed)} changed" if changed else ""
            typer.echo(f"{at} goes on after {seen:,} images{exactly}", err=True)
    weights = train(
        stages, data or rig_home(), folder, only=stage, minutes=minutes, resume=not fresh,
        init=init, command=_command(recipe, settings or []),
    )  # fmt: skip
    if rank() == 0:
        typer.echo(f"weights: {weights}")
        for one in stages:
            seen, asked_for = seen_in(folder_of(one, folder)), one.config.training.images
            if seen and asked_for - seen >= one.step:
                typer.echo(
                    f"{seen:,} of {asked_for:,} images seen: the same command goes on", err=True
                )


def _name(recipe: Path) -> str:
    """What a run is called: `mtss` of mtss.yaml, `mtss_paper_128` of mtss/paper_128.yaml."""
    folder = recipe.parent.name
    return recipe.stem if folder in ("", "recipes") else f"{folder}_{recipe.stem}"


def _command(recipe: Path, settings: list[str]) -> str:
    """The command that makes these weights, as the record says it."""
    parts = [Path(*recipe.parts[-2:]) if recipe.is_absolute() else recipe]
    return " ".join(["mien train", *map(str, parts), *(f"--set {s}" for s in settings)])
