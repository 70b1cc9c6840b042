"""`mien rig`: animate a photograph with the face model, render training data."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.errors import ConfigError, DataError, GuideError

if TYPE_CHECKING:
    from mien.rig.dataset import Source

app = typer.Typer(
    help="Animate photographs with the face model, or render training data.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

LARGEST = 1024
"""Largest picture that `show` draws; the crop behind it has 320 px."""


@app.command()
def show(
    photo: Annotated[Path, typer.Argument(help="A photograph with a face.")],
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
    truth: Annotated[
        bool, typer.Option("--truth", help="Also draw landmarks, flow, visibility and mouth.")
    ] = False,
) -> None:
    """Draw a face beside itself with other action units, by warping and painting the photograph.

    The units are absolute: those that are not named are at rest, or as in `--label`.
    """
    from mien import facs, images
    from mien.data.rigging import align_largest
    from mien.rig.mesh import FaceModel
    from mien.rig.picture import in_a_row, truth_of
    from mien.rig.render import Rig

    if not 32 <= size <= LARGEST:
        raise ConfigError(f"size {size} is out of range: give 32 to {LARGEST}")
    settings = [facs.parse(text) for text in au or ()]
    if any(s.relative for s in settings):
        raise GuideError("`mien rig show` takes absolute values: write AU12=0.3, without a sign")
    units = facs.apply(settings, facs.prototype(label or "neutral"))
    model = FaceModel.load()
    face = align_largest(photo)
    rig = Rig(model, face.pixels, face.landmarks, neutral)
    first, last = rig.original(size), rig.render(units, size)
    row = [first.image, last.image, *(truth_of(last) if truth else ())]
    named = (f"{n}={v:.2f}" for n, v in zip(facs.UNITS, units, strict=True) if v > 0)
    shown = " ".join(named) or "at rest"
    out = out or Path(f"{photo.stem}-rig.png")
    images.write(out, in_a_row(row), metadata={"method": "rig", "guide": shown})
    off = rig.fit.relative_error
    typer.echo(f"{out}: {photo.name}, then {shown}; fit off by {off:.1%} of the eyes' distance")


@app.command()
def render(
    manifests: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...", help="Folders with a metadata.jsonl (`mien data import`)."
        ),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder to write; mien's own if not given.")
    ] = None,
    states: Annotated[int, typer.Option(help="Pictures per photograph, itself included.")] = 40,
    size: Annotated[int, typer.Option(help="Side of the pictures, px.")] = 160,
    seed: Annotated[int, typer.Option(help="Decides the expressions; same seed, same bytes.")] = 0,
    workers: Annotated[
        int | None, typer.Option(help="Processes; one per core if not given.")
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option("--split", help="Only this split; may be repeated.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option(help="At most this many photographs of each folder.")
    ] = None,
) -> None:
    """Render every photograph of some data sets in many expressions, with the truth about each.

    Finished photographs are kept, so a run that was stopped goes on where it was.
    """
    from mien.data.rigging import sources_of
    from mien.rig.dataset import REPORT, render_dataset
    from mien.rig.mesh import FaceModel
    from mien.zoo import rig_home

    if states < 2 or size < 32 or size % 2:
        raise ConfigError("give at least 2 states and an even size of 32 px or more")
    model = FaceModel.load()
    target = out or rig_home()
    sources: list[Source] = []
    faceless = 0
    for folder in manifests:
        found = list(islice(sources_of(folder, split or ()), limit))
        sources += [s for s in found if s is not None]
        faceless += sum(s is None for s in found)
    if not sources:
        raise DataError("no photograph to render: check the folders and --split")
    done = render_dataset(
        model, sources, target, states=states, size=size, seed=seed, workers=workers
    )
    count = {s: sum(o.status == s for o in done) for s in ("written", "kept", "refused")}
    typer.echo(
        f"{target}: {count['written']} photographs rendered, {count['kept']} were there, "
        f"{count['refused']} refused (see {REPORT}), {faceless} without a face"
    )
