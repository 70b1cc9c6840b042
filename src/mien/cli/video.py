"""`mien video`: a film with another expression."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.asking import (
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
    kept_by,
    reference_in,
)
from mien.cli.session import (
    Certificate,
    Device,
    Face,
    Intensity,
    Key,
    Method,
    Weights,
    check_face,
    check_folder,
    check_intensity,
    check_method,
    check_signer,
    open_editor,
)
from mien.errors import ConfigError, GuideError
from mien.methods.registry import DEFAULT

if TYPE_CHECKING:
    from mien.video.driving import Curve
    from mien.video.reading import Film


def command(
    film: Annotated[
        Path,
        typer.Argument(
            metavar="FILM",
            help="A film (MP4, MOV, MKV, WebM ...), or a photograph for an expression that moves.",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Film to write: .mp4, .mov or .mkv.")],
    expression: Expressed = None,
    to: To = None,
    au: Units = None,
    like: Like = None,
    share: Share = 1.0,
    blendshapes: Shapes = None,
    gaze: Look = None,
    turn: Turn = None,
    light: Light = None,
    keep: Annotated[
        str,
        typer.Option("--keep", help="`speech`: lips and jaw go on talking; `none`: all is set."),
    ] = "speech",
    region: Region = "face",
    like_film: Annotated[
        Path | None,
        typer.Option(
            "--like-film", metavar="FILM", help="The expression of the face in this film."
        ),
    ] = None,
    like_shapes: Annotated[
        Path | None,
        typer.Option(
            "--like-shapes",
            metavar="CSV",
            help="Blendshapes over time, as Live Link Face records them.",
        ),
    ] = None,
    curve: Annotated[
        Path | None,
        typer.Option(
            "--curve", metavar="CSV", help="Intensity over time: rows of `time,intensity`."
        ),
    ] = None,
    keyframes: Annotated[
        Path | None,
        typer.Option(
            "--keyframes",
            metavar="JSON",
            help="Expressions one after another: a list of expressions with a `time` in seconds.",
        ),
    ] = None,
    intensity: Intensity = 1.0,
    face: Face = "largest",
    method: Method = DEFAULT,
    weights: Weights = None,
    device: Device = "auto",
    sign_with: Certificate = None,
    key: Key = None,
) -> None:
    """Change the expression in a film: by **--to**, **--au**, **--like**, **--keyframes**,
    **--like-film** or **--like-shapes**.

    The sound is copied as it is, times and size stay. Faces are chosen in the first frame that
    shows any, and followed from there. `--curve` and `--intensity` multiply. A photograph becomes a
    film as long as what moves it.
    """
    from mien.video.driving import Constant, Drive, DrivingFilm
    from mien.video.film import edit_film
    from mien.video.keyframes import Keyframes, read
    from mien.video.reading import is_photograph, look
    from mien.video.shapes import Shapes

    drives = {"--like-film": like_film, "--like-shapes": like_shapes, "--keyframes": keyframes}
    moving = [name for name, given in drives.items() if given]
    still = (expression, to, au, like, blendshapes, gaze, turn, light)
    if len(moving) > 1 or (moving and any(still)):
        raise GuideError(f"{moving[0]} goes without --to, --au and --like: give one of them")
    photo = is_photograph(film)
    kept = None if photo else kept_by(keep)  # nobody speaks in a photograph
    if photo and not (moving or curve):
        raise GuideError(
            f"{film} is a photograph: `mien edit` changes it; for a film say what moves it, by "
            "--keyframes, --curve, --like-film or --like-shapes"
        )
    if moving and region != "face":
        instead = "say it in each keyframe" if keyframes else f"{moving[0]} moves the whole face"
        raise GuideError(f"{instead}: leave out --region")
    asked = None
    if not moving:
        asked = asked_for(
            expression, to=to, au=au, like=like, share=share, blendshapes=blendshapes, gaze=gaze,
            turn=turn, light=light, region=region, kept=kept,
        )  # fmt: skip
        intensity *= asked.spec.intensity
    check_intensity(intensity)
    check_face(face)
    check_method(method, weights)
    path = _curve(curve, intensity)
    signer = check_signer(sign_with, key)
    _check_target(out, film, signer is not None)
    source = None if photo else look(film)
    other = look(like_film) if like_film else None
    shapes = Shapes.read(like_shapes) if like_shapes else None
    keys = read(keyframes) if keyframes else None
    ends = [path.times[-1]] if curve else []
    ends += [other.seconds] if other else []
    ends += [shapes.times[-1]] if shapes else []
    ends += [keys[-1].time] if keys else []
    editor = open_editor(method, weights, device)
    drive: Drive
    if other is not None:
        drive = DrivingFilm(other, editor.method)
    elif shapes is not None:
        drive = shapes
    elif keys is not None:
        drive = Keyframes.of(keys, kept, lambda photo: reference_in(editor, Path(photo)))
    elif asked is not None:
        drive = Constant(asked.guide(editor))
    opened = nullcontext(source) if source else _still(film, max(ends, default=0.0))
    with opened as source, _bar(source.count) as progress:
        done = edit_film(editor, source, out, drive, path, face, signer, progress)
    each = 1000 * done.seconds / max(done.frames, 1)
    typer.echo(f"{out}: {done.edited} of {done.frames} frames edited, {each:.0f} ms a frame")


@contextmanager
def _still(photo: Path, seconds: float) -> Iterator[Film]:
    """A photograph as a film that lasts as long, while it is needed."""
    from tempfile import TemporaryDirectory

    from mien import images
    from mien.video.reading import look
    from mien.video.still import frames_until, write_still

    pixels = images.read(photo).pixels
    with TemporaryDirectory(prefix="mien-") as folder:
        path = Path(folder) / "still.mp4"
        write_still(path, pixels, frames_until(seconds))
        yield look(path)


def _curve(path: Path | None, intensity: float) -> Curve:
    from mien.video.driving import Curve

    return (Curve() if path is None else Curve.read(path)).scaled(intensity)


def _check_target(out: Path, film: Path, signs: bool) -> None:
    """VideoError, ImageError or ConfigError unless a film can be written at `out`."""
    from mien.provenance.credentials import KINDS
    from mien.video.writing import check_suffix

    check_suffix(out)
    if signs and out.suffix.lower() not in KINDS:
        raise ConfigError(f"{out.suffix} films cannot be signed: write .mp4 or .mov")
    if out.exists() and film.exists() and out.samefile(film):
        raise ConfigError(f"{film} would be overwritten: write to another place")
    check_folder(out.parent)


@contextmanager
def _bar(total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar with the time left, on standard error, where that is a terminal."""
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task("frames", total=total or None)
        yield lambda done: bar.update(task, completed=done)
