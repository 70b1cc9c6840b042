"""`mien score`: what `mien bench scorecard` was called; gone with the next version."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.bench import scorecard
from mien.cli.bench_options import Limit, Methods, Out, Seed


def command(
    out: Out,
    method: Methods,
    renders: Annotated[Path | None, typer.Option(help="Folder of rig renders.")] = None,
    protocol: Annotated[list[str] | None, typer.Option(help="Repeat (default: all).")] = None,
    limit: Limit = None,
    split: Annotated[str, typer.Option(help="test, validation or train.")] = "test",
    seed: Seed = 0,
    inception: Annotated[Path | None, typer.Option(help="Inception as safetensors.")] = None,
    speed: Annotated[bool, typer.Option(help="Also measure cost.")] = True,
) -> None:
    """The older name of `mien bench scorecard`, with its older options."""
    typer.echo("note: `mien score` is now `mien bench scorecard`", err=True)
    scorecard(out, method, None, renders, protocol, limit, split, seed, inception, speed=speed)
