"""`mien people`: faces of nobody, as a data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.session import (
    Address,
    Device,
    EngineName,
    Settings,
    Weights,
    Workers,
    check_engine,
    check_folder,
    check_invents,
    check_method,
    chosen,
    open_editor,
)
from mien.cli.session import engine as engine_of
from mien.errors import ConfigError

if TYPE_CHECKING:
    from mien.jobs import Engine
    from mien.people.asks import Ask

SHOWN = 5


def command(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for pictures and manifest.")],
    count: Annotated[int, typer.Option("--count", min=1, help="How many people.")] = 100,
    expressions: Annotated[
        str, typer.Option("--expressions", "-e", help="`all`, or labels with commas between.")
    ] = "all",
    asks: Annotated[
        Path | None,
        typer.Option("--asks", help="CSV: name, label, valence, arousal, au, blendshapes, "
                     "intensity, side, gaze, turn, light, noise, background, or columns named "
                     "AU12, jawOpen; instead of --expressions."),
    ] = None,
    draw: Annotated[
        str | None,
        typer.Option("--draw", metavar="WHAT:N", help="N more for each person at random: "
                     "`emotions` or `units`, each as often; `affect`, valence and arousal; "
                     "`faces`, units as they go together in photographs."),
    ] = None,
    vary: Annotated[
        str | None,
        typer.Option("--vary", help="Also vary at random: turn,light,noise,background; the "
                     "portrait stays."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Decides who they are; same seed, same people.")
    ] = 0,
    sources: Annotated[
        list[str] | None,
        typer.Option("--from", help="Who is mixed: `london`, `canada`, `samples`, or a folder with "
                     "a manifest; repeat it for more."),
    ] = None,
    size: Annotated[int, typer.Option("--size", min=512, max=1024, help="Side, px.")] = 768,
    mix: Annotated[int, typer.Option("--mix", min=3, max=8, help="Sources of one person.")] = 4,
    balance: Annotated[
        str, typer.Option("--balance", help="Equal shares of these: gender,ethnicity; or `none`.")
    ] = "gender,ethnicity",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="WHAT=A,B", help="Such as gender=female or "
                     "ethnicity=black,east_asian."),
    ] = None,
    least: Annotated[
        float, typer.Option("--distance", min=0, max=1, help="Least identity distance to everybody "
                            "who may be mixed; nearer pictures are refused."),
    ] = 0.45,
    whole: Annotated[
        bool, typer.Option("--whole", help="Draw a person anew of whom any picture is refused.")
    ] = False,
    agree: Annotated[
        int, typer.Option("--agree", min=0, max=2, help="Of two judges, how many must read a whole "
                          "label in a picture; others are refused.")
    ] = 1,
    pack: Annotated[
        Path | None,
        typer.Option("--pack", help="Folder for the same as a data set to hand on: Parquet, "
                     "WebDataset, manifest and card."),
    ] = None,
    workers: Workers = 1,
    engine: EngineName = "local",
    address: Address = None,
    by: Annotated[
        str, typer.Option("--by", help="`mixing`, or `decoupling`: a network's people, 128 px.")
    ] = "mixing",
    spread: Annotated[
        float, typer.Option("--spread", min=0, max=3, help="Of a network's people: 0 is the "
                            "average person, 1 as people are, more stranger."),
    ] = 1.0,
    weights: Weights = None,
    settings: Settings = None,
    device: Device = "auto",
) -> None:  # fmt: skip
    """Invent people, each mixed from at least three consenting ones, and show them under every
    expression, with a manifest that trains a classifier.

    `datasets.load_dataset("imagefolder", data_dir=OUT)` opens the folder as it is. The same command
    again goes on where it was stopped; a larger count adds people.
    """
    check_engine(engine, address)
    if by == "mixing":

        def where() -> Engine:
            return engine_of(engine, address, min(workers, count), out)

        _mixed(out, count, _asked(expressions, asks), _draw(draw), _varied(vary), seed,
               sources or ["london"], size, mix, _split(balance), _only(only), least, device,
               whole, agree, pack, where)  # fmt: skip
        return
    if asks or draw or vary or sources or only or pack or whole or workers > 1 or engine != "local":
        raise ConfigError(
            "--asks, --draw, --vary, --from, --only, --whole, --pack, --workers and --engine are "
            "of --by mixing"
        )
    _networks(out, count, expressions, seed, spread, by, weights, settings, device)


def _mixed(
    out: Path, count: int, asks: list[Ask], draw: tuple[str, int] | None,
    vary: tuple[str, ...], seed: int,
    sources: list[str], size: int, mix: int, balance: tuple[str, ...],
    only: dict[str, tuple[str, ...]], least: float, device: str, whole: bool,
    agree: int, pack: Path | None, engine: Callable[[], Engine],
) -> None:  # fmt: skip
    from rich.progress import Progress

    from mien.face_model.mesh import FaceModel
    from mien.judges.identity import descriptor
    from mien.methods.registry import DEFAULT
    from mien.people import crowd as crowds
    from mien.people import invented, packing
    from mien.people.sources import pool

    if pack is not None:
        packing.check()
        check_folder(pack, make=True)
    judge = descriptor()
    photographs = pool(sources)
    if sources == ["samples"]:
        balance = ()  # nothing is known of them
    editor = open_editor(DEFAULT, None, device, {})
    with Progress(transient=True) as bar:
        task = bar.add_task("reading sources", total=len(photographs))
        crowd = crowds.Crowd(
            FaceModel.load(), photographs, judge, lambda done: bar.update(task, completed=done)
        )
        crowd.groups(balance, only)
        check_folder(out, make=True)
        where = engine()
        made = invented.Settings(
            invented.sources_digest(crowd), editor.method.name, editor.weights, seed, size, mix,
            least, balance, only, invented.asks_digest(asks), draw, vary,
            whole, agree,
        )  # fmt: skip
        task = bar.add_task("people", total=count)
        report = invented.write(
            crowd,
            editor,
            made,
            out,
            count,
            asks,
            lambda done: bar.update(task, completed=done),
            where,
        )
    for name, why in crowd.refused.items():
        typer.echo(f"not mixed from {name}: {why}", err=True)
    for line in report.refused[:SHOWN]:
        typer.echo(f"refused: {line}", err=True)
    if len(report.refused) > SHOWN:
        typer.echo(f"refused: {len(report.refused) - SHOWN} more, see person.json", err=True)
    typer.echo(
        f"{out}: {report.people} people from {report.attempts} drawn, {len(report.records)} "
        f"pictures, {len(report.refused)} refused; identity distance to the nearest source "
        f"{report.nearest:.2f} or more"
    )
    if any(report.groups):
        typer.echo(", ".join(f"{n} {group}" for group, n in sorted(report.groups.items())))
    if not report.people:
        raise typer.Exit(1)
    if pack is not None:
        typer.echo(f"{pack}: {packing.pack(out, pack)} pictures in Parquet and WebDataset")


def _networks(
    out: Path, count: int, expressions: str, seed: int, spread: float, method: str,
    weights: Path | None, settings: list[str] | None, device: str,
) -> None:  # fmt: skip
    from rich.progress import Progress

    from mien import facs
    from mien.people import decoupled
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
    text = json.dumps(choice, sort_keys=True)
    made = decoupled.Settings(method, editor.weights, seed, spread, text)
    with Progress(transient=True) as bar:
        task = bar.add_task("people", total=count)
        rows = decoupled.write(
            editor.method, made, out, count, names, licence=licence,
            progress=lambda done: bar.update(task, completed=done),
        )  # fmt: skip
    typer.echo(f"{out}: {count} people, {len(rows)} pictures")


def _asked(expressions: str, path: Path | None) -> list[Ask]:
    """What every person is to show; unreadable rows of the table are reported."""
    from mien import facs
    from mien.people.asks import of_labels, read

    if path is None:
        return of_labels(facs.EMOTIONS if expressions == "all" else _names(expressions))
    found, faults = read(path)
    for line in faults:
        typer.echo(f"skipped: {line}", err=True)
    return found


def _draw(text: str | None) -> tuple[str, int] | None:
    from mien.people.draws import DRAWS, drawn

    if text is None:
        return None
    kind, _, number = text.partition(":")
    if not number.isdecimal() or int(number) < 1:
        raise ConfigError(f"cannot read --draw {text!r}: write KIND:N of {', '.join(DRAWS)}")
    drawn(kind, 1, (0,))
    return kind, int(number)


def _varied(text: str | None) -> tuple[str, ...]:
    from mien.people.draws import VARIED

    kinds = tuple(part.strip() for part in text.split(",")) if text else ()
    for kind in kinds:
        if kind not in VARIED:
            raise ConfigError(f"cannot vary {kind!r}: choose from {', '.join(VARIED)}")
    return kinds


def _split(text: str) -> tuple[str, ...]:
    from mien.people.crowd import ATTRIBUTES

    parts = () if text == "none" else tuple(p.strip() for p in text.split(","))
    for part in parts:
        if part not in ATTRIBUTES:
            raise ConfigError(f"cannot balance {part!r}: choose from {', '.join(ATTRIBUTES)}, none")
    return parts


def _only(texts: list[str] | None) -> dict[str, tuple[str, ...]]:
    from mien.people.crowd import ATTRIBUTES

    found = {}
    for text in texts or ():
        key, sign, values = text.partition("=")
        if key not in ATTRIBUTES or not sign or not values:
            raise ConfigError(f"cannot read --only {text!r}: write gender=female")
        found[key] = tuple(v.strip() for v in values.split(","))
    return found


def _names(text: str) -> tuple[str, ...]:
    """Labels with commas between; GuideError for one that there is not."""
    from mien import facs

    return tuple(dict.fromkeys(facs.plain(part.strip()) for part in text.split(",")))
