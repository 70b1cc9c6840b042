"""Commands of `mien bench` that print tables as papers have them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mien.cli.bench_options import Classifier, Limit, Lite0, Methods, Out, Seed, progress_bar
from mien.cli.session import check_folder


def paper(
    out: Out,
    method: Methods,
    data: Annotated[
        Path,
        typer.Option(
            help="Your labelled photographs: a folder with a metadata.jsonl, or of a data set that "
            "mien knows, with training and test people."
        ),
    ],
    results: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FOLDER",
            help="Another system's answers to `inputs/` in --out, by the same file names; repeat.",
        ),
    ] = None,
    inception: Annotated[
        Path | None,
        typer.Option(
            help="torch-fidelity's Inception as safetensors (`mien bench features inception`)."
        ),
    ] = None,
    perceptual: Lite0 = None,
    limit: Limit = None,
    seed: Seed = 0,
) -> None:
    """Print the table of papers on expression translation for photographs of yours.

    A Fréchet distance (FID with --inception; else by EfficientNet-Lite0's features, or judge a's;
    the table says which), PSNR to the person's own photograph, and the accuracy of a classifier
    that your training people taught. Writes paper.json and paper.md, and `inputs/` for others.
    """
    import json

    from mien.files import write_text
    from mien.metrics import paper as tables
    from mien.metrics import report
    from mien.metrics.bench import JudgePanel
    from mien.metrics.folder import ALL, Folder
    from mien.metrics.protocols import Setting
    from mien.zoo import rig_home

    entrants = report.entrants(method)
    others = tables.named_folders(results or ())
    setting = Setting(rig_home(), data, ALL, limit, seed, folder=data)
    halves = tables.halves(Folder.read(setting))
    panel = JudgePanel.standing(inception, perceptual)
    contestants = report.at_own_size(entrants)
    check_folder(out, make=True)
    tables.write_inputs(out, halves)
    net, features = tables.features_of(panel)
    table = tables.Table(halves, tables.classifier(halves, seed), panel.who, features)
    found = tables.measured(table, contestants, others)
    facts = report.facts(entrants, setting, panel) | tables.said_of(halves, net)
    write_text(out / "paper.json", json.dumps({**facts, "table": found}, indent=1) + "\n")
    write_text(out / "paper.md", tables.in_markdown(found, net))
    typer.echo(f"{out / 'paper.md'}: {len(found)} tables")


def ffe(
    out: Out,
    method: Methods,
    data: Annotated[
        Path,
        typer.Option(
            help="Folder of editing tasks as FFE-Bench has them (docs/scorecard.md), or of "
            "photographs, each person then in all twelve expressions."
        ),
    ],
    limit: Limit = None,
    split: Annotated[str, typer.Option(help="Whose people: test, or all.")] = "test",
    seed: Seed = 0,
    classifier: Classifier = None,
    embedding: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="ONNX",
            help="Your face recognition networks, each with a .json beside it; repeat "
            "(default: dlib's descriptor).",
        ),
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option(help="Folder to write every result to, for other judges.")
    ] = None,
    scores: Annotated[
        Path | None,
        typer.Option(
            metavar="JSONL", help="Another judge's scores of those pictures (docs/scorecard.md)."
        ),
    ] = None,
) -> None:
    """Measure what FFE-Bench (PixelSmile, 2026) does, by its definitions and by judges at hand:
    confusion of like expressions, accuracy of six and of twelve, linearity, identity.

    Its own judge is a vision-language model: published numbers are by that, and on other pictures.
    Writes ffe.json and ffe.md. The same command again goes on where it stopped.
    """
    import json

    from mien.files import write_text
    from mien.judges.named import Embedding as Recogniser
    from mien.metrics import ffe as bench
    from mien.metrics import folder as own
    from mien.metrics import report
    from mien.metrics.bench import JudgePanel
    from mien.metrics.ffe_judges import ByFile, named, scorers
    from mien.metrics.ffe_tasks import tasks
    from mien.metrics.protocols import Setting
    from mien.metrics.scorecard import NOTHING, Contestant
    from mien.metrics.trials import nothing
    from mien.zoo import data_home, rig_home

    entrants = report.entrants(method)
    whose = split if split == own.ALL else report.split(split)
    setting = Setting(rig_home(), data_home(), whose, limit, seed, folder=data)
    panel = JudgePanel.standing(None, None, classifier)
    judged = scorers(panel, scores)
    networks = [Recogniser(path) for path in embedding or ()]
    asked, without = tasks(setting)
    check_folder(out, make=True)
    if pictures is not None:
        check_folder(pictures, make=True)
    measuring = bench.Evaluation(
        asked, judged, bench.recognisers(panel.who, networks),
        bench.inputs(panel, networks, scores), pictures,
    )  # fmt: skip
    rows = [Contestant(NOTHING, nothing, ""), *report.at_own_size(entrants)]
    for judge in judged:
        if isinstance(judge, ByFile):
            names = bench.pictures([row.name for row in rows], measuring)
            if lacking := judge.lacking(names):
                typer.echo(f"{scores} says nothing of {lacking} of {len(names)} pictures: they "
                           "count as not seen", err=True)  # fmt: skip
    with progress_bar() as progress:
        found = bench.summed(bench.measure(rows, measuring, out / "lines", progress), judged)
    facts = report.facts(entrants, setting, panel) | {
        "tasks": len(asked), "people": len({task.person for task in asked}),
        "without_face": without, "judged_by": named(judged), "alike_by": list(measuring.alike),
        "rows": found, "published": bench.PUBLISHED,
    }  # fmt: skip
    write_text(out / "ffe.json", json.dumps(facts, indent=1) + "\n")
    write_text(out / "ffe.md", bench.table(found, named(judged)))
    typer.echo(f"{out / 'ffe.md'}: {len(asked)} tasks")


def ablations(
    recipe: Annotated[
        list[Path],
        typer.Option(
            help="The whole method's recipe, of one stage, such as recipes/mtss/paper_64.yaml; "
            "repeat for other methods."
        ),
    ],
    data: Annotated[
        Path, typer.Option(help="What every run learns from: aligned photographs, or renders.")
    ],
    renders: Annotated[
        Path, typer.Option(help="Renders of the people who measure: `mien rig render`.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for runs and tables.")],
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="MECHANISM", help="Only this one; repeat (default: all)."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of every row.")] = 3,
    images: Annotated[
        int | None, typer.Option(min=1, help="Of each run (default: the recipe's own).")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help="Stop after so many; go on another time.")
    ] = None,
    known: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="REPORT",
            help="An ablations.json of another machine: what was run there, by the same settings, "
            "and measured alike is not run again; repeat.",
        ),
    ] = None,
    split: Annotated[str, typer.Option(help="Whose renders measure.")] = "test",
    count: Annotated[int, typer.Option(min=1, help="Triples that measure.")] = 178,
) -> None:
    """Switch the mechanisms of a paper off, one at a time, several seeds each.

    Every run is trained, then measured by reference on people who taught nobody, and by what its
    expression codes hold. Writes ablations.json and ablations.md after each run, the first seed of
    every row first. The same command again goes on where it was killed.
    """
    from mien.metrics import compared, report
    from mien.training import ablations as runs

    whose = report.split(split)
    todo = runs.jobs(recipe, seeds, images, without or ())
    facts = {"renders": renders.name, "triples": count, "split": whose, "data": data.name}
    about = {**report.origin(), "recipes": [path.as_posix() for path in recipe]}
    elsewhere = runs.known_runs(known or (), facts)
    measure = compared.of_renders(renders, whose, count)
    check_folder(out, make=True)
    lot = runs.Ablations(data, out, measure, facts, about, typer.echo, elsewhere)
    done = lot.go(todo, minutes)
    typer.echo(f"{out / runs.TABLE}: {'all done' if done else 'the same command goes on'}")
