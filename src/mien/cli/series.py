"""`mien series`: stimuli by a factorial design."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli.session import (
    Address,
    Device,
    EngineName,
    Workers,
    check_engine,
    check_folder,
    open_editor,
)
from mien.cli.session import engine as engine_of
from mien.methods.registry import DEFAULT

SOME_FAILED = 1


def command(
    faces: Annotated[
        Path, typer.Argument(metavar="FACES", help="A photograph, or a folder: one face each.")
    ],
    plan: Annotated[
        Path,
        typer.Argument(
            metavar="PLAN",
            help="CSV: name, label, au, blendshapes, intensity, side, gaze, turn, light, person, "
            "frames, repetitions.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for pictures and table.")],
    size: Annotated[int, typer.Option("--size", min=256, max=1024, help="Side, px.")] = 512,
    oval: Annotated[
        bool,
        typer.Option(
            "--oval",
            help="Show an oval of the face on grey: one for all pictures, cuts no brows.",
        ),
    ] = False,
    equal: Annotated[
        bool, typer.Option("--equal", help="Equal mean luminance and contrast of the face.")
    ] = False,
    film: Annotated[
        int | None,
        typer.Option(
            "--film",
            metavar="RATE",
            min=1,
            max=120,
            help="Also write each rise (frames) as a film of so many stills a second, FILE.mp4.",
        ),
    ] = None,
    workers: Workers = 1,
    engine: EngineName = "local",
    address: Address = None,
    device: Device = "auto",
) -> None:
    """Show every face in every expression, intensity and side of a plan, made alike: eyes at the
    same place, equal size, and a table of what was asked and what judges read.

    A row's **intensity** and **side** may list several, with spaces between; **frames** splits a
    rise into stills. Rows that cannot be read are named and skipped; the same command again goes on
    where it was stopped.
    """
    from rich.console import Console
    from rich.progress import Progress

    from mien.errors import AssetMissing, DataError
    from mien.people import series
    from mien.people.plan import read_plan

    check_engine(engine, address)
    if plan.is_dir():
        raise DataError(
            f"{plan} is a folder: give the photographs first, then the plan, a CSV file"
        )
    if not faces.exists():
        raise DataError(f"there is no {faces}: give a photograph, or a folder of them")
    if film is not None and importlib.util.find_spec("av") is None:
        raise AssetMissing("films need PyAV: pip install 'mien[video]'")
    cells, faults = read_plan(plan)
    photos = [faces] if faces.is_file() else _photos(faces)
    if not photos:
        raise DataError(f"no photographs in {faces}")
    who, lacking = series.judge()
    if lacking is not None:
        typer.echo(lacking, err=True)
    people, unusable = series.sitters(photos, size, who)
    editor = open_editor(DEFAULT, None, device, {})
    check_folder(out, make=True)
    where = engine_of(engine, address, workers, out)
    shown = series.common_oval(editor, people, cells, where) if oval else None
    level = series.common_level(people, shown) if equal else None
    look = series.Look(size, shown, level)
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("series", total=len(people) * len(cells))
        rows, failed = series.write(
            editor, people, cells, look, out, who,
            lambda done: bar.update(task, completed=done), where,
        )  # fmt: skip
    films = 0 if film is None else _films(out, rows, film)
    for line in (*faults, *unusable, *failed):
        typer.echo(f"skipped: {line}", err=True)
    passed = sum(row["checks"] == "passed" for row in rows)
    typer.echo(
        f"{out}: {len(people)} people, {len(rows)} rows of {series.TABLE}, {passed} pass all checks"
        + _failed(rows) + f", {films} films" * (film is not None)
    )  # fmt: skip
    if faults or unusable or failed:
        raise typer.Exit(SOME_FAILED)


def _failed(rows: list[dict[str, Any]]) -> str:
    """How many rows fail which check, in brackets; nothing where all pass."""
    from collections import Counter

    found = Counter(c for row in rows for c in row["checks"].split() if c != "passed")
    return f" (failed: {', '.join(f'{name} {n}' for name, n in found.items())})" if found else ""


def _photos(folder: Path) -> list[Path]:
    """Pictures of a folder; of a folder that `mien people` wrote, everybody's at rest."""
    from mien import images

    neutral = sorted(folder.glob("*/neutral.png"))
    return neutral or sorted(p for p in folder.glob("*") if images.of_name(p))


def _films(out: Path, rows: list[dict[str, Any]], rate: int) -> int:
    """Every rise of a series as a film beside its stills; how many."""
    from mien import images
    from mien.video.writing import write_stills

    rises: dict[str, list[Path]] = {}
    for row in rows:
        if row["frames"] > 1 and row["repetition"] == 1:
            name = str(row["file"]).removesuffix(f"-{row['frame']:03d}.png")
            rises.setdefault(name, []).append(out / row["file"])
    for name, stills in rises.items():
        pictures = (images.read(path).pixels for path in stills)
        about = {"method": "series", "stills": str(len(stills))}
        write_stills(out / f"{name}.mp4", pictures, rate, about)
    return len(rises)
