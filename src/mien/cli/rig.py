"""`mien rig`: animate a photograph with the face model, render training data."""

from __future__ import annotations

import os
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from mien.cli.session import Address, EngineName
from mien.cli.session import engine as engine_of
from mien.errors import ConfigError, DataError, GuideError

app = typer.Typer(
    help="Animate photographs with the face model, or render training data.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
)

LARGEST = 1024
"""Largest picture that `show` draws; the crop behind it has 320 px."""
STATES = 60
"""Pictures that `render` makes of a photograph."""
SHOWN = 10
"""Refused photographs that `render` names on the screen; the report names all."""
MOST_TURN = 20.0
"""Degrees by which `show` turns a head at most, any way."""


@app.command()
def show(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photograph with a face.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Picture to write; `<photo>-rig.png` if not given."),
    ] = None,
    au: Annotated[
        list[str] | None,
        typer.Option("--au", help="A unit and its value: `AU12=0.8`, `AU12L=C`. May be repeated."),
    ] = None,
    label: Annotated[
        str | None, typer.Option("--label", help="An emotion, to which `--au` is added.")
    ] = None,
    neutral: Annotated[
        bool,
        typer.Option("--neutral/--expressive", help="Whether the person shows no expression."),
    ] = True,
    size: Annotated[int, typer.Option(help="Side of each picture, px.")] = 320,
    turn: Annotated[
        tuple[float, float, float],
        typer.Option(help="Turn the head: degrees up, to the person's left, and tilted to it."),
    ] = (0.0, 0.0, 0.0),
    light: Annotated[
        tuple[float, float, float],
        typer.Option(help="Move the key light to the person's left and up; exposure in stops."),
    ] = (0.0, 0.0, 0.0),
    truth: Annotated[
        bool, typer.Option("--truth", help="Also draw landmarks, flow, visibility and mouth.")
    ] = False,
) -> None:
    """Draw a face beside itself with other action units, by warping and painting the photograph.

    The units are absolute: those that are not named are at rest, or as in `--label`.
    """
    from mien import facs, images
    from mien.data.rigging import align_largest
    from mien.face_model.mesh import FaceModel
    from mien.face_model.pose_light import PoseAndLight
    from mien.face_model.render import Rig
    from mien.provenance.mark import embed
    from mien.rig.picture import in_a_row, truth_of
    from mien.types import Face

    if not 32 <= size <= LARGEST:
        raise ConfigError(f"size {size} is out of range: give 32 to {LARGEST}")
    if max(map(abs, turn)) > MOST_TURN or max(map(abs, light)) > 1:
        raise ConfigError(f"--turn takes up to {MOST_TURN:.0f} degrees, --light -1 to 1")
    settings = [facs.parse(text) for text in au or ()]
    if any(s.relative for s in settings):
        raise GuideError("`mien rig show` takes absolute values: write AU12=0.3, without a sign")
    units = facs.apply(settings, facs.prototype(label or "neutral"))
    model = FaceModel.load()
    face = align_largest(photo)
    rig = Rig(model, face.pixels, face.landmarks, neutral)
    first, last = rig.original(size), rig.render(units, size, pose_light=PoseAndLight(turn, light))
    made = embed(last.image, first.image, [Face.at(last.landmarks)])
    row = [first.image, made, *(truth_of(last) if truth else ())]
    named = (f"{n}={v:.2f}" for n, v in zip(facs.UNITS, units, strict=True) if v > 0)
    shown = " ".join(named) or "at rest"
    out = out or Path(f"{photo.stem}-rig.png")
    images.write(out, in_a_row(row), metadata={"method": "rig", "guide": shown})
    off = rig.fit.relative_error
    typer.echo(f"{out}: {photo.name}, then {shown}; fit off by {off:.1%} of the eyes' distance")


@app.command()
def render(
    manifests: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[DIR...]",
            help="Folders with a metadata.jsonl; all imported sets if none is given.",
        ),
    ] = None,
    people: Annotated[
        list[str] | None,
        typer.Option(
            "--people",
            metavar="ID,...",
            help="Only these people: ids or patterns, such as `london/003,canada/*`.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; mien's own if not given.")
    ] = None,
    count: Annotated[
        int | None,
        typer.Option(help="Pictures in all, spread evenly over the photographs."),
    ] = None,
    states: Annotated[
        int | None,
        typer.Option(help=f"Pictures per photograph, itself included; {STATES} if not given."),
    ] = None,
    size: Annotated[int, typer.Option(help="Side of the pictures, px.")] = 160,
    seed: Annotated[int, typer.Option(help="Decides the expressions; same seed, same bytes.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes; one per core if not given.")
    ] = None,
    engine: EngineName = "local",
    address: Address = None,
    split: Annotated[
        list[str] | None, typer.Option("--split", help="Only this split; may be repeated.")
    ] = None,
) -> None:
    """Render photographs in many expressions, with the truth about each, as WebDataset shards.

    A run that was stopped, however roughly, goes on where it was when it is started again.
    """
    from mien.data.rigging import chosen, imported, listed
    from mien.face_model.mesh import FaceModel
    from mien.rig.dataset import REPORT, even, render_dataset
    from mien.zoo import rig_home

    if not 32 <= size <= LARGEST or size % 2:
        raise ConfigError(f"size {size} cannot be rendered: give an even one of 32 to {LARGEST}")
    if count is not None and states is not None:
        raise ConfigError("--count and --states say the same thing twice: give one of them")
    found = [p for folder in manifests or imported() for p in listed(folder, split or ())]
    photographs = chosen(found, [name for text in people or () for name in text.split(",")])
    if not photographs:
        raise DataError("no photograph to render: check the folders and --split")
    target, started = out or rig_home(), monotonic()
    where = engine_of(engine, address, workers or os.cpu_count() or 1, target)
    model = FaceModel.load()
    done = render_dataset(
        model,
        photographs,
        target,
        states=even(count, len(photographs)) if count is not None else states or STATES,
        size=size,
        seed=seed,
        engine=where,
    )
    rate = done.written / (monotonic() - started)
    typer.echo(
        f"{target}: {done.written} pictures rendered ({rate:.1f} a second), {done.kept} were "
        f"there, of {len(photographs) - len(done.refused)} photographs; "
        f"{len(done.refused)} refused (all in {REPORT})"
    )
    for outcome in done.refused[:SHOWN]:
        typer.echo(f"refused {outcome.photo}: {outcome.fault}")


@app.command()
def pack(
    renders: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of `mien rig render`.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write.")],
    split: Annotated[str, typer.Option(help="Whose renders.")] = "train",
    size: Annotated[int, typer.Option(min=32, max=LARGEST, help="Side of the pictures, px.")] = 144,
    each: Annotated[int, typer.Option(min=0, help="States beside the prototypes.")] = 8,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of the JPEG.")] = 90,
) -> None:
    """Make renders small enough to carry to another machine: pictures and facts, without flow.

    Enough for everything that reads faces one by one; not for pairs, which need the flow.
    """
    from mien.data.packing import packed

    count = packed(renders, split, out, size, each, quality)
    weight = sum(path.stat().st_size for path in (out / split).glob("*.tar")) / 1e6
    typer.echo(f"{out}: {count} pictures, {weight:.1f} MB")
