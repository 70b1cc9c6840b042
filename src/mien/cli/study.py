"""`mien study`: a page that asks people, and what their answers come to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import ConfigError, near

if TYPE_CHECKING:
    from mien.study.answers import Reading
    from mien.study.design import Trial


def command(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Pictures with a table: of `mien series`, `mien people`, or own."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Page to write (.html); with --read a CSV of the rates."),
    ] = None,
    ask: Annotated[
        str,
        typer.Option(
            "--ask",
            help="`photograph`: which is the photograph? `more`: which shows more of the "
            "expression? `same`: is it the same person?",
        ),
    ] = "more",
    label: Annotated[
        list[str] | None,
        typer.Option("--label", help="Only this expression; repeat it for several."),
    ] = None,
    trials: Annotated[
        int | None, typer.Option("--trials", min=1, help="How many; every pair if not given.")
    ] = None,
    checks: Annotated[
        int, typer.Option("--checks", min=0, max=50, help="Attention checks besides.")
    ] = 4,
    seed: Annotated[int, typer.Option("--seed", min=0, help="The same seed, the same page.")] = 0,
    size: Annotated[
        int, typer.Option("--size", min=64, max=1024, help="Largest side of a picture, px.")
    ] = 512,
    table: Annotated[
        Path | None,
        typer.Option(
            "--table", help="CSV file: file, person, label, intensity, photograph (yes or no)."
        ),
    ] = None,
    photographs: Annotated[
        str | None,
        typer.Option(
            "--photographs", help="Label of the pictures that nobody altered, such as neutral."
        ),
    ] = None,
    title: Annotated[str, typer.Option("--title", help="Heading of the page.")] = "Faces",
    intro: Annotated[
        Path | None,
        typer.Option(
            "--intro", help="Text file that participants read first: consent, for example."
        ),
    ] = None,
    read: Annotated[
        list[Path] | None,
        typer.Option("--read", help="Answers (.csv), or a folder of them; repeat it for several."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="The study's key; looked for beside the answers if not given."),
    ] = None,
    each: Annotated[
        Path | None,
        typer.Option(
            "--each",
            metavar="CSV",
            help="With --read: also write every answer that counts, a row each.",
        ),
    ] = None,
    attention: Annotated[
        float,
        typer.Option(
            "--attention", min=0, max=1, help="Share of the attention checks that must be right."
        ),
    ] = 0.75,
    fastest: Annotated[
        float, typer.Option("--fastest", min=0, help="Quicker answers, in seconds, do not count.")
    ] = 0.2,
) -> None:
    """Make a page that asks people about pairs of pictures, or read their answers.

    The page is one file that works offline and sends nothing: participants download their answers
    and send them to you. The right answers are in a key beside it, STUDY.key.csv, which stays with
    you. `mien study stimuli/ --ask more -o study.html` makes a page, `mien study --read answers/`
    reads what came back.
    """
    if read:
        if folder is not None:
            raise ConfigError("give a folder to make a page, or --read to read answers: not both")
        _read(read, key, attention, fastest, out, each)
        return
    if each is not None:
        raise ConfigError("--each goes with --read: it writes answers that came back")
    if folder is None or out is None:
        raise ConfigError("name a folder and a page: mien study stimuli/ --ask more -o study.html")
    _make(
        folder, out, ask, label or [], trials, checks, seed, size, table, photographs, title, intro
    )


def _make(
    folder: Path, out: Path, ask: str, labels: list[str], trials: int | None, checks: int,
    seed: int, size: int, table: Path | None, photographs: str | None, title: str,
    intro: Path | None,
) -> None:  # fmt: skip
    from mien.errors import DataError
    from mien.study import page, pictures
    from mien.study.design import CHECK, PAIRS, design

    if ask not in PAIRS:
        raise ConfigError(f"cannot ask {ask!r}: {near(ask, PAIRS)}")
    if out.suffix.lower() != ".html":
        raise ConfigError(f"{out} is not a page: name a file that ends in .html")
    text = page.INTRO
    if intro is not None:
        try:
            text = intro.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise DataError(f"{intro} cannot be read: give a text file in UTF-8") from None
    found, left_out = pictures.read(folder, table, photographs)
    shown = sorted({p.label for p in found})
    for name in labels:
        if name not in shown:
            raise DataError(f"no picture shows {name!r}: {near(name, shown)}")
    planned = design(found, ask, trials, checks, seed, labels)
    study, bytes_ = page.write(out, planned, folder, size, title, text)
    asked = [t for t in planned if t.condition != CHECK]
    if left_out:
        typer.echo(f"{left_out} pictures that failed a check of the series are left out", err=True)
    if ask == "photograph":
        _warn_of_a_giveaway(asked)
    typer.echo(
        f"{out}: study {study}, {len(asked)} trials of {len({t.condition for t in asked})} "
        f"conditions, {len(planned) - len(asked)} attention checks, {bytes_ / 1e6:.1f} MB; "
        f"key: {page.key_of(out)}"
    )


def _warn_of_a_giveaway(trials: list[Trial]) -> None:
    """Say so where the expression alone tells which picture is the photograph."""
    shown = [p for t in trials for p in (t.left, t.right)]
    taken, edited = ({p.label for p in shown if p.photograph is is_one} for is_one in (True, False))
    if not taken & edited:
        typer.echo(
            f"photographs show {', '.join(sorted(taken))} and edited pictures do not: "
            "participants can learn to tell them by that; add photographs of expressions",
            err=True,
        )


def _read(
    paths: list[Path], key: Path | None, attention: float, fastest: float, out: Path | None,
    each: Path | None,
) -> None:  # fmt: skip
    from mien.study import answers

    files = answers.files_of(paths)
    reading = answers.read(files, key or answers.find_key(files[0]), attention, fastest)
    if out is not None:
        answers.write_rates(out, reading)
    if each is not None:
        answers.write_each(each, reading)
    _show(reading)


def _show(reading: Reading) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("condition", "right", "rate", "95 % (Wilson)", "95 % over participants", "p")
    for r in reading.rates:
        over = (
            "" if r.participants < 2 else f"{r.participants_low:.3f} to {r.participants_high:.3f}"
        )
        table.add_row(
            r.condition, f"{r.right} of {r.answers}", f"{r.rate:.3f}",
            f"{r.low:.3f} to {r.high:.3f}", over, f"{r.p:.2g}",
        )  # fmt: skip
    Console().print(table)
    typer.echo(f"participants counted: {len(reading.counted)}")
    for name, why in reading.left_out.items():
        typer.echo(f"left out: {name}: {why}")
    if reading.fast:
        typer.echo(f"answers left out because they came too fast: {reading.fast}")
    if reading.d_prime is not None:
        typer.echo(f"d' {reading.d_prime:.2f}, criterion {reading.criterion:.2f}")
