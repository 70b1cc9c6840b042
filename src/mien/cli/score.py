"""`mien score`: the scorecard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    out: Annotated[Path, typer.Option("-o", "--out", help="folder for tables and finished lines")],
    method: Annotated[
        list[str], typer.Option("--method", "-m", help="NAME or NAME=WEIGHTS.safetensors; repeat")
    ],
    renders: Annotated[
        Path | None, typer.Option(help="folder of rig renders of the split (default: the cache's)")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(help="real, truth, labels, control, wild; repeat (default: all)"),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="people a protocol at most")] = None,
    split: Annotated[str, typer.Option(help="whose people: test, validation or train")] = "test",
    seed: Annotated[int, typer.Option(help="draws people and triples")] = 0,
    inception: Annotated[
        Path | None,
        typer.Option(
            help="torch-fidelity's Inception as safetensors (benchmarks/inception.py): sets are "
            "compared by its features too"
        ),
    ] = None,
    speed: Annotated[
        bool, typer.Option(help="also measure parameters, arithmetic, time and memory")
    ] = True,
) -> None:
    """Measure methods on people nobody was trained on, beside doing nothing and the rig itself.

    Writes scorecard.json and scorecard.md into the folder, and cost.json and cost.md, which differ
    from run to run. The same command again goes on where it stopped.
    """
    from rich.progress import Progress

    from mien.cli.session import check_folder
    from mien.metrics import report
    from mien.metrics.bench import Panel
    from mien.metrics.protocols import Setting, check
    from mien.metrics.scorecard import score
    from mien.zoo import data_home, rig_home

    entrants = report.entrants(method)
    chosen = report.protocols(protocol)
    contestants, size = report.contestants(entrants)
    setting = Setting(renders or rig_home(), data_home(), report.split(split), limit, seed, size)
    check(chosen, setting)
    panel = Panel.standing(inception)
    check_folder(out, make=True)
    with Progress(transient=True) as bar:
        task: Any = bar.add_task("reading faces", total=None)

        def progress(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total)

        table = score(contestants, chosen, setting, panel, out / "lines", progress)
    facts = report.facts(entrants, setting, panel)
    report.write_quality(out, facts, table)
    typer.echo(f"{out / 'scorecard.md'}: {len(table)} sections")
    if speed:
        report.write_cost(out, facts, entrants)
        typer.echo(f"{out / 'cost.md'}: {len(entrants)} methods")
