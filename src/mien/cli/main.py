"""The root of the `mien` command: loads the one sub-command asked for, and words every failure."""

from __future__ import annotations

import io
import os
import sys
import warnings
from collections.abc import Sequence
from importlib import import_module, metadata
from typing import Annotated, Any, NoReturn, TextIO

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from mien import heap
from mien.bench.questions import QUESTIONS
from mien.errors import MienError

COMMANDS: dict[str, str] = {
    "edit": "Change the expression in photographs, by label, action units or a reference.",
    "swap": "Exchange the expressions of two photographs.",
    "sheet": "Draw a grid of people and expressions.",
    "explain": "Draw what a method sees in a photograph on the way to its result.",
    "people": "Invent people and show each under every expression, as a data set.",
    "series": "Show people in every expression of a plan, made alike, for experiments.",
    "study": "Ask people about pairs of pictures, on a page of its own, and read their answers.",
    "video": "Change the expression in a film.",
    "verify": "Say what files show of having been altered by mien.",
    "studio": "Open the app in the browser, on this machine.",
    "serve": "Answer the HTTP API.",
    "demo": "Show what mien does on the samples that come with it.",
    "methods": "List the methods, their weights and what these may be used for.",
    "export": "Write networks as ONNX files, with a model card.",
    "train": "Train a method from a recipe.",
    "bench": "Measure methods and judges: pixels against truth, units, identity, cost.",
    "score": "The older name of `mien bench scorecard`.",
    "data": "Import, check and list data sets.",
    "mouths": "Make a library of real teeth, or say what is in one.",
    "rig": "Animate photographs with the face model, or render training data.",
    "doctor": "Check versions, threads, weights and devices.",
}
"""Sub-command -> help. Module `mien.cli.<name>` has `app`, a Typer, or `command`, a function."""

EXAMPLES: dict[str, str] = {
    "edit": "mien edit photo.jpg --to happy --au AU43L=1 -o wink.png",
    "swap": "mien swap a.jpg b.jpg -o swapped/",
    "sheet": "mien sheet faces/ -e happy,sad,anger -o sheet.png",
    "explain": "mien explain photo.jpg --method aipgan -o inside.png",
    "people": "mien people --from samples --count 3 -e neutral,happy --seed 1 -o invented/",
    "series": "mien series faces/ plan.csv --oval --equal -o stimuli/",
    "study": "mien study stimuli/ --ask more --seed 1 -o study.html",
    "video": "mien video talk.mp4 --to happy -o happy.mp4",
    "verify": "mien verify happy.png happy.mp4",
    "studio": "mien studio --port 7860",
    "serve": "mien serve --port 7861",
    "demo": "mien demo -o demo.png",
    "methods": "mien methods",
    "export": "mien export mtss -o mtss-onnx/",
    "train": "mien train recipes/mtss.yaml --data renders -o runs/mine",
    "bench scorecard": "mien bench scorecard -m morphable --data faces/london -o score",
    "bench ffe": "mien bench ffe -m morphable --data faces/london -o ffe",
    "bench film": "mien bench film talk.mp4 happy.mp4",
    "bench paper": "mien bench paper -m morphable -m 'mtss head=own' --data faces/rafd -o paper",
    "bench outside": "mien bench outside photo.jpg happy.png",
    "bench plot": "mien bench plot score/scorecard.json -o scorecard.svg",
    "bench targets": "mien bench targets score/scorecard.json",
    "bench judges": "mien bench judges --data faces/london -o judges",
    "bench ablations": "mien bench ablations --recipe recipes/mtss/paper_64.yaml --data mixed "
    "--renders renders -o ablations",
    "score": "mien score --method mtss --renders renders -o score",
    "data import": "mien data import london ~/downloads/london -o faces/london",
    "data align": "mien data align faces/london -o crops",
    "data check": "mien data check faces/london",
    "data mix": "mien data mix --renders renders --faces crops -o mixed",
    "data list": "mien data list",
    "data samples": "mien data samples ~/downloads/london samples/",
    "mouths build": "mien mouths build smiles/ -o mouths.safetensors",
    "mouths show": "mien mouths show",
    "rig show": "mien rig show photo.jpg --au AU12=0.8 -o rig.png",
    "rig render": "mien rig render faces/london --states 60 -o renders",
    "rig pack": "mien rig pack renders -o packed",
    "doctor": "mien doctor",
} | {f"bench {name}": question.example for name, question in QUESTIONS.items()}
"""Command -> a line that its help ends with."""

EXTRAS: dict[str, str] = {
    "fastapi": "web",
    "jinja2": "web",
    "lightning": "train",
    "multipart": "web",
    "omegaconf": "train",
    "pydantic": "train",
    "scipy": "people",
    "onnx": "export",
    "onnxruntime": "export",
    "torch": "train",
    "torchmetrics": "score",
    "av": "video",
    "c2pa": "c2pa",
    "cryptography": "c2pa",
    "dlib": "score",
    "efficientnet_lite_pytorch": "bench",
    "playwright": "bench",
    "openvino": "bench",
    "skimage": "bench",
    "uvicorn": "web",
}
"""Packages that a plain install lacks, and the extra of mien that brings them."""

MANY_THREADS = ("train",)
"""Commands that take all cores."""
ONE_HEAP = ("edit", "swap", "sheet")
"""Commands of photographs, in which threads share their memory (`mien.heap.share`)."""
USER_ERROR = 2
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]  # click's, or Typer's copy of it
INTERRUPTED = 130  # what a shell reports for a command ended by Ctrl-C


class _Root(TyperGroup):
    """Sub-commands are names and help until one is called: `mien --help` imports no torch."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, text in COMMANDS.items():
            self.commands[name] = TyperCommand(name, help=text)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        if args and args[0] in COMMANDS:
            self.commands[args[0]] = _load(args[0])
        return super().resolve_command(ctx, args)

    def make_context(self, *args: Any, **settings: Any) -> Any:
        for stream in (sys.stdout, sys.stderr):  # names on disk need not be letters
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")
        try:
            return super().make_context(*args, **settings)
        except _UsageError as e:
            _misused(e)

    def invoke(self, ctx: Any) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _note
                return super().invoke(ctx)
        except MienError as e:
            _fail(str(e))
        except _UsageError as e:
            _misused(e)
        except ModuleNotFoundError as e:
            if e.name is None or e.name.partition(".")[0] not in EXTRAS:
                raise
            extra = EXTRAS[e.name.partition(".")[0]]
            if extra == "train" and ctx.invoked_subcommand in ("bench", "score"):
                extra = "score"  # brings torch too, and what would be missed next
            _fail(f"this command needs {e.name}: run `pip install 'mien[{extra}]'`")
        except KeyboardInterrupt:
            typer.echo("mien: stopped", err=True)
            raise typer.Exit(INTERRUPTED) from None


def _load(name: str) -> Any:
    module = import_module(f"mien.cli.{name}")
    sub = getattr(module, "app", None)
    if sub is None:
        sub = typer.Typer(rich_markup_mode="markdown", add_completion=False)
        sub.command(name)(module.command)
    command = get_command(sub)
    command.name = name
    for leaf, one in getattr(command, "commands", {"": command}).items():
        one.epilog = f"Example: `{EXAMPLES[f'{name} {leaf}'.strip()]}`"
    return command


def leaves(name: str) -> dict[str, Any]:
    """The sub-commands of a command, each loaded; `{"": itself}` where it has none."""
    command = _load(name)
    if (load := getattr(command, "loaded", None)) is not None:
        load()
    found: dict[str, Any] = getattr(command, "commands", {"": command})
    return found


def _note(
    message: Warning | str, category: type[Warning], filename: str, lineno: int,
    file: TextIO | None = None, line: str | None = None,
) -> None:  # fmt: skip
    """mien's own warnings in a line, without the line of code that Python adds."""
    if category.__module__.startswith("mien."):
        typer.echo(f"mien: {message}", err=True)
    else:
        text = warnings.formatwarning(message, category, filename, lineno, line)
        print(text, end="", file=file or sys.stderr)


def _misused(error: Any) -> NoReturn:
    """An option or argument that the command does not understand, in a line."""
    if type(error).__name__ == "NoArgsIsHelpError":  # nothing was asked for: the help is the answer
        raise error
    said = error.format_message().strip().rstrip(".")
    path = error.ctx.command_path if error.ctx else "mien"
    _fail(f"{said[:1].lower()}{said[1:]}; see `{path} --help`")


def _fail(message: str) -> NoReturn:
    """One red line on standard error, whatever the message holds, and exit code 2."""
    from rich.console import Console
    from rich.text import Text

    line = Text("mien: " + " ".join(message.split()), style="red")
    Console(stderr=True).print(line, soft_wrap=True)
    raise typer.Exit(USER_ERROR)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"mien {metadata.version('mien')}")
        raise typer.Exit


app = typer.Typer(
    cls=_Root,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version.", callback=_version, is_eager=True),
    ] = False,
) -> None:
    """Another expression on the same face."""


def _one_policy(arguments: Sequence[str]) -> None:
    """How many threads the libraries below start, and where these take memory from, said before
    they are imported.

    Their threads spin while they wait: with one busy neighbour they take several times as long as
    one thread alone. So one thread edits; training, which keeps all cores busy for hours, takes
    them all, and whoever sets `OMP_NUM_THREADS` decides.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not any(name in MANY_THREADS for name in arguments[:1]):
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
    if any(name in ONE_HEAP for name in arguments[:1]):
        heap.share()


def main() -> None:
    """Entry point of the `mien` script: exit code 0, 2 for a user's mistake, 130 for Ctrl-C."""
    _one_policy(sys.argv[1:])
    app(prog_name="mien")


if __name__ == "__main__":
    main()
