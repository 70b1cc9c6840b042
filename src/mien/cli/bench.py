"""`mien bench`: what mien's edits, and those who judge them, are worth."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mien.bench.questions import PANELS, QUESTIONS
from mien.cli import bench_tables
from mien.cli.bench_options import (
    Classifier,
    Data,
    Embedding,
    Limit,
    Lite0,
    Methods,
    Out,
    Seed,
    progress_bar,
)
from mien.cli.session import Address, EngineName, Workers, check_engine, check_folder
from mien.cli.session import engine as engine_of

Figures = Annotated[Path | None, typer.Option("-o", "--out", help="Write the figures as JSON too.")]


class _Bench(TyperGroup):
    """The questions of `mien.bench` are names and help until one of them is asked."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for panel, questions in PANELS.items():
            for name, question in questions.items():
                self.commands[name] = TyperCommand(
                    name, help=question.asks, rich_help_panel=panel, epilog=_example(name)
                )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in QUESTIONS:
            self.commands[args[0]] = _loaded(args[0])
        return super().resolve_command(ctx, args)

    def loaded(self) -> None:
        """Load them all, for whoever lists their options."""
        self.commands.update({name: _loaded(name) for name in QUESTIONS})


def _loaded(name: str) -> Any:
    module = import_module(f"mien.bench.{QUESTIONS[name].module}")
    sub = typer.Typer(rich_markup_mode="markdown", add_completion=False)
    sub.command(name, help=module.__doc__, epilog=_example(name))(module.command)
    command = get_command(sub)
    command.name = name
    return command


def _example(name: str) -> str:
    return f"Example: `{QUESTIONS[name].example}`"


app = typer.Typer(
    cls=_Bench,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    add_completion=False,
    help="Measure methods, and their judges.",
)


@app.callback()
def _several() -> None:
    """Measure methods, and their judges."""


@app.command()
def scorecard(
    out: Out,
    method: Methods,
    data: Data = None,
    renders: Annotated[
        Path | None, typer.Option(help="Folder of rig renders of the split (default: the cache's).")
    ] = None,
    protocol: Annotated[
        list[str] | None,
        typer.Option(
            help="real, truth, labels, control, wild; with --data pairs, labels, control, units, "
            "speech; "
            "repeat (default: all)."
        ),
    ] = None,
    limit: Limit = None,
    split: Annotated[
        str, typer.Option(help="Whose people: test, validation, train; with --data all too.")
    ] = "test",
    seed: Seed = 0,
    inception: Annotated[
        Path | None,
        typer.Option(
            help="torch-fidelity's Inception as safetensors (`mien bench features inception`): "
            "sets are compared by its features too."
        ),
    ] = None,
    perceptual: Lite0 = None,
    classifier: Classifier = None,
    embedding: Embedding = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            metavar="CSV", help="Who people are, first column the person: results by group too."
        ),
    ] = None,
    speed: Annotated[
        bool, typer.Option(help="Also measure parameters, arithmetic, time and memory.")
    ] = True,
    workers: Workers = 1,
    engine: EngineName = "local",
    address: Address = None,
) -> None:
    """Measure methods on people nobody was trained on, beside doing nothing and the truth itself.

    Writes scorecard.json and scorecard.md into the folder, and cost.json and cost.md, which differ
    from run to run. The same command again goes on where it stopped.
    """
    from mien.metrics import folder as own
    from mien.metrics import report
    from mien.metrics.groups import Groups
    from mien.metrics.protocols import Setting
    from mien.metrics.scorecard import score
    from mien.metrics.spread import Order, fill
    from mien.zoo import data_home, rig_home

    check_engine(engine, address)
    entrants = report.entrants(method)
    whose = split if data and split == own.ALL else report.split(split)
    order = Order(
        tuple(entrants), Setting(renders or rig_home(), data_home(), whose, limit, seed),
        tuple(data or ()), tuple(protocol or ()), inception, perceptual, classifier, embedding,
    )  # fmt: skip
    opened = order.open()
    people = None if groups is None else Groups.read(groups)
    check_folder(out, make=True)
    names, lines = list(opened.protocols), out / "lines"
    with progress_bar() as progress:
        if workers > 1 or engine != "local":
            fill(order, names, lines, engine_of(engine, address, workers, out), progress)
        table = score(
            opened.contestants, names, opened.setting, opened.panel, lines, progress,
            opened.protocols, people,
        )  # fmt: skip
    facts = report.facts(entrants, opened.setting, opened.panel)
    report.write_quality(out, facts, table)
    typer.echo(f"{out / 'scorecard.md'}: {len(table)} sections")
    if speed:
        report.write_cost(out, facts, entrants)
        typer.echo(f"{out / 'cost.md'}: {len(entrants)} methods")


@app.command()
def judges(
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for tables and finished lines.")],
    data: Annotated[
        list[Path], typer.Option(help="Folder of photographs, as for `scorecard`; repeat.")
    ],
    method: Annotated[
        str, typer.Option("--method", "-m", help="The real editor: as for `scorecard`.")
    ] = "morphable",
    limit: Limit = None,
    split: Annotated[str, typer.Option(help="Whose people: test, or all.")] = "test",
    seed: Seed = 0,
    perceptual: Lite0 = None,
    classifier: Classifier = None,
    embedding: Embedding = None,
) -> None:
    """Say what each judge makes of editors that are broken on purpose, beside a real one.

    They do nothing, draw the mean face, show a random expression, put a film over eyes that should
    be shut, a black disc into a mouth that should be open, or paste a blurred face. A column that
    is fooled proves nothing. The same command again goes on where it stopped.
    """
    from mien.metrics import broken, report
    from mien.metrics import folder as own
    from mien.metrics.bench import JudgePanel
    from mien.metrics.protocols import Setting
    from mien.zoo import data_home, rig_home

    entrants = report.entrants([method])
    whose = split if split == own.ALL else report.split(split)
    settings = [Setting(rig_home(), data_home(), whose, limit, seed, folder=f) for f in data]
    folders = [own.Folder.read(setting) for setting in settings]
    names = own.names_of(folders)
    (real,) = report.at_own_size(entrants)
    panel = JudgePanel.standing(None, perceptual, classifier, embedding)
    check_folder(out, make=True)
    facts = report.facts(entrants, settings[0], panel)
    verdicts: dict[str, Any] = {}
    with progress_bar() as progress:
        for name, one in zip(names, folders, strict=True):
            for section in own.for_judges(one):
                found = broken.measure(section, panel, real, out / "lines", progress)
                title = f"{name}: {section.name}"
                verdicts[title] = broken.verdicts(found)
                broken.write(out, facts, verdicts)  # what is finished can be read at once
    typer.echo(f"{out / 'judges.md'}: {len(verdicts)} sections")


@app.command()
def targets(
    scorecard_json: Annotated[
        Path, typer.Argument(metavar="SCORECARD", help="A scorecard.json or short.json.")
    ],
) -> None:
    """Say which of its own bars a scorecard meets, and by what number."""
    from mien.metrics import targets as bars

    typer.echo(bars.table(bars.targets(bars.read(scorecard_json))), nl=False)


@app.command()
def plot(
    scorecard_json: Annotated[
        Path, typer.Argument(metavar="SCORECARD", help="A scorecard.json or short.json.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="An .svg file.")],
    column: Annotated[
        list[str] | None, typer.Option(help="Which columns, by their keys in the file; repeat.")
    ] = None,
) -> None:
    """Draw a scorecard: every section's rows, columns with their intervals over people."""
    from mien.cli.session import check_file
    from mien.errors import ConfigError
    from mien.files import write_text
    from mien.metrics.plot import forest
    from mien.metrics.targets import read

    if out.suffix.lower() != ".svg":
        raise ConfigError(f"{out} is no .svg: name one with --out")
    check_file(out)
    write_text(out, forest(read(scorecard_json), column or ()))
    typer.echo(str(out))


@app.command()
def outside(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A photograph.")],
    after: Annotated[list[Path], typer.Argument(metavar="AFTER", help="What became of it.")],
    out: Figures = None,
) -> None:
    """Say what MediaPipe and dlib, who teach nothing here, see in pictures before and after."""
    import json

    from mien import images
    from mien.cli.session import check_file
    from mien.errors import FaceNotFound
    from mien.files import write_text
    from mien.judges import outside as judging

    if out is not None:
        check_file(out)
    seen = judging.outside().see(images.read(before).pixels)
    figures: dict[str, Any] = {}
    for path in after:
        try:
            found = judging.change(seen, judging.outside().see(images.read(path).pixels))
        except FaceNotFound as error:
            typer.echo(f"{path}: {error}")
            continue
        typer.echo(f"{path}: {found.text()}")
        figures[str(path)] = vars(found)
    if out is not None:
        write_text(out, json.dumps(figures, indent=1) + "\n")


@app.command()
def film(
    before: Annotated[Path, typer.Argument(metavar="BEFORE", help="A film.")],
    after: Annotated[Path, typer.Argument(metavar="AFTER", help="The same film, edited.")],
    out: Figures = None,
) -> None:
    """Say how an edited film goes through time beside its source: flicker, lag, lips, jitter."""
    import json
    from dataclasses import asdict

    from mien.cli.session import check_file
    from mien.files import write_text
    from mien.judges.landmarker import landmarker
    from mien.metrics.film import temporal
    from mien.video.reading import look

    if out is not None:
        check_file(out)
    judge = landmarker()
    films = [(frame.pixels for frame in look(path).frames()) for path in (before, after)]
    found = temporal(films[0], films[1], judge)
    typer.echo(found.text())
    if out is not None:
        write_text(out, json.dumps(asdict(found), indent=1) + "\n")


app.command()(bench_tables.paper)
app.command()(bench_tables.ffe)
app.command()(bench_tables.ablations)
