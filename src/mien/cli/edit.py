"""`mien edit`: change the expression in photographs."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli.asking import (
    Asked,
    Expressed,
    Light,
    Like,
    Look,
    Region,
    Shapes,
    Share,
    To,
    Turn,
    Units,
    asked_for,
    naming,
)
from mien.cli.batch import Job, Outcome, Plan, plan, run, save
from mien.cli.session import (
    Address,
    Certificate,
    Device,
    EngineName,
    Face,
    Intensity,
    Key,
    Method,
    Settings,
    Weights,
    Workers,
    check_engine,
    check_face,
    check_folder,
    check_intensity,
    check_method,
    check_output,
    check_signer,
    chosen,
    open_editor,
)
from mien.cli.session import engine as engine_of
from mien.errors import ConfigError
from mien.methods.registry import DEFAULT

if TYPE_CHECKING:
    from mien.editor import Editor, Result
    from mien.images import Photo
    from mien.jobs import Engine
    from mien.provenance.credentials import Signer

SOME_FAILED = 1
_SHOWN = 20  # files named for each reason to pass them over


def command(
    photos: Annotated[
        list[Path], typer.Argument(metavar="PHOTO...", help="Photographs, or folders of them.")
    ],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", help="File to write; a folder for several photographs."),
    ],
    expression: Expressed = None,
    to: To = None,
    au: Units = None,
    like: Like = None,
    share: Share = 1.0,
    blendshapes: Shapes = None,
    gaze: Look = None,
    turn: Turn = None,
    light: Light = None,
    region: Region = "face",
    intensity: Intensity = 1.0,
    face: Face = "auto",
    method: Method = DEFAULT,
    weights: Weights = None,
    settings: Settings = None,
    device: Device = "auto",
    sign_with: Certificate = None,
    key: Key = None,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Go into the folders of a folder too.")
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Of several: make all anew, and write over files that are not mien's."
        ),
    ] = False,
    workers: Workers = 1,
    engine: EngineName = "local",
    address: Address = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Say how long each stage took.")
    ] = False,
) -> None:
    """Change the expression in photographs: say which by **--to**, **--like** or **--blendshapes**,
    and on top of it by **--au**, **--gaze**, **--turn** and **--light**; or keep it all in a
    file for **--expression**.

    `mien edit photo.jpg --to happy -o out.png` for one. Several photographs, or a folder, go into
    the folder OUT. What is in it already is kept if it is the result of this very request (its
    metadata say so), so a call that was stopped goes on where it was; a result of another request
    is made anew. Failures are listed at the end, with exit code 1, and files of a folder that are
    no photographs too.
    """
    from mien import images

    asked = asked_for(
        expression, to=to, au=au, like=like, share=share, blendshapes=blendshapes, gaze=gaze,
        turn=turn, light=light, region=region,
    )  # fmt: skip
    intensity *= asked.spec.intensity
    check_intensity(intensity)
    check_face(face)
    check_method(method, weights)
    choice = chosen(method, settings)
    signer = check_signer(sign_with, key)
    planned = plan(photos, out, recursive)
    jobs = planned.jobs
    one = len(jobs) == 1 and jobs[0].target == out
    check_engine(engine, address)
    if one and (engine != "local" or workers > 1):
        raise ConfigError("--engine ray and --workers are of folders: name a folder as OUT")
    if one:
        check_output(out)
        photo = images.read(jobs[0].source)
    else:
        check_folder(out, make=True)
        where = engine_of(engine, address, min(workers, len(jobs)), out)
    editor = open_editor(method, weights, device, choice)
    guide = asked.guide(editor)
    if one:
        with naming(jobs[0].source):
            result = editor.edit(photo, guide, intensity, face)
        save(result, photo, jobs[0], signer)
        _say(result, jobs[0])
        seconds = dict(result.seconds)
    else:
        request = _request(editor, asked, f"{intensity:g}", face, choice, signer)
        edit = partial(editor.edit, guide=guide, intensity=intensity, face=face)
        seconds = _edit_many(planned, edit, request, force, signer, where)
    if profile:
        _profile(seconds)


def _request(
    editor: Editor,
    asked: Asked,
    intensity: str,
    face: str,
    choice: Mapping[str, Any],
    signer: Signer | None,
) -> str:
    """All that decides a result beside its source, in a line: what one call must share with an
    earlier one to go on with it.
    """
    signed = hashlib.sha256(signer.chain).hexdigest() if signer else ""
    parts = (editor.method.name, editor.weights, asked.words, intensity, face, dict(choice), signed)
    return json.dumps(parts, sort_keys=True)


def _edit_many(
    planned: Plan,
    edit: Callable[[Photo], Result],
    request: str,
    force: bool,
    signer: Signer | None,
    engine: Engine,
) -> dict[str, float]:
    """All jobs with a bar and a report; the seconds of every stage. Leaves with code 1 if some
    failed.
    """
    began = time.perf_counter()
    with _bar(len(planned.jobs)) as progress:
        outcome = run(
            planned.jobs, edit, request,
            signer=signer, force=force, progress=progress, engine=engine,
        )  # fmt: skip
    _report(outcome, planned.passed, time.perf_counter() - began)
    if outcome.failed:
        raise typer.Exit(SOME_FAILED)
    return outcome.seconds


@contextmanager
def _bar(total: int) -> Iterator[Callable[[Job], None]]:
    """A progress bar on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    console = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns(),
        MofNCompleteColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("photographs", total=total)

        def step(job: Job) -> None:
            bar.update(task, advance=1, description=job.source.name[:40])

        yield step


def _say(result: Result, job: Job) -> None:
    count, found = len(result.faces), result.found
    which = f"{count} of {found} faces (--face chooses)" if count < found else f"{count} face"
    plural = "s" if count == found > 1 else ""
    notes = "; ".join((*result.held, *result.taken))
    said = f" ({notes})" if notes else ""
    typer.echo(f"{job.target}: {result.metadata['guide']} on {which}{plural}{said}")


def _report(outcome: Outcome, passed: Mapping[str, Sequence[Path]], seconds: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    parts = [f"{outcome.written} written"]
    if outcome.anew:
        parts.append(f"{outcome.anew} of them over results of another request")
    if outcome.skipped:
        parts.append(f"{outcome.skipped} there already (--force makes them anew)")
    if outcome.failed:
        parts.append(f"{len(outcome.failed)} failed")
    typer.echo(f"{', '.join(parts)} in {seconds:.1f} s")
    say_passed(passed)
    if outcome.failed:
        table = Table("photograph", "what is wrong", title="Failed", title_justify="left")
        for path, why in outcome.failed:
            table.add_row(Text(_on_a_line(path)), Text(why))
        Console(stderr=True).print(table)


def say_passed(passed: Mapping[str, Sequence[Path]]) -> None:
    """The files of a folder that were taken for no photographs, by reason, on standard error."""
    for reason, paths in passed.items():
        shown = ", ".join(map(_on_a_line, paths[:_SHOWN]))
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        typer.echo(f"passed over, {reason}: {shown}{more}", err=True)


def _on_a_line(path: Path) -> str:
    """A path as text: names may hold line breaks, and what is no letter in any encoding."""
    text = str(path).encode("utf-8", "backslashreplace").decode()
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _profile(seconds: Mapping[str, float]) -> None:
    total = max(sum(seconds.values()), 1e-9)
    for stage, spent in seconds.items():
        typer.echo(f"{stage:>8} {spent * 1000:8.1f} ms {spent / total:6.1%}")
    typer.echo(f"{'in all':>8} {total * 1000:8.1f} ms")
