"""`mien doctor`: is everything there that mien needs?"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata, util

import typer

from mien.errors import MienError

NEEDED = ("numpy", "opencv-python-headless", "pillow", "safetensors", "typer")
"""Distributions of a plain install."""
OPTIONAL = {
    "scipy": "people",
    "torch": "train",
    "lightning": "train",
    "fastapi": "web",
    "av": "video",
}
"""Packages that only some commands need, and the extra that brings them."""
BROKEN = 1


@dataclass(frozen=True)
class Check:
    """One line: what was looked at, what was found, and whether mien works with it (None: not
    needed).
    """

    what: str
    found: str
    works: bool | None = True


def command() -> None:
    """Check versions, threads, devices, weights and data; exit code 1 if something needed is
    broken.
    """
    from rich.console import Console
    from rich.table import Table

    marks = {True: "[green]ok[/]", False: "[red]broken[/]", None: "[dim]-[/]"}
    checks = [*_versions(), *_machine(), *_weights(), *_data()]
    table = Table("", "what", "found", title="mien doctor", title_justify="left")
    for check in checks:
        table.add_row(marks[check.works], check.what, check.found)
    Console().print(table)
    broken = sum(check.works is False for check in checks)
    typer.echo(f"{broken} broken" if broken else "everything needed is there")
    if broken:
        raise typer.Exit(BROKEN)


def _versions() -> Iterator[Check]:
    yield Check("python", f"{platform.python_version()} on {platform.platform(terse=True)}")
    for name in ("mien", *NEEDED):
        try:
            yield Check(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Check(name, "not installed: run `pip install mien` again", works=False)
    for name, extra in OPTIONAL.items():
        there = util.find_spec(name) is not None
        found = metadata.version(name) if there else f"not here: `pip install 'mien\\[{extra}]'`"
        yield Check(name, found, True if there else None)


def _machine() -> Iterator[Check]:
    from mien.methods.registry import torch_is_here

    libraries = os.environ.get("OMP_NUM_THREADS", "all")
    yield Check("threads", f"{libraries} of {os.cpu_count()} cores")
    if not torch_is_here():
        return
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        yield Check("GPU", ", ".join(names))
    else:
        yield Check("GPU", "none: edits run on the CPU", None)


def _weights() -> Iterator[Check]:
    """The weights that ship: their hash, and that the methods load."""
    from mien.methods.registry import METHODS, installed, load
    from mien.zoo.records import records

    for name, record in records().items():
        try:
            record.verify()
            if name in METHODS and installed(name):
                load(name)
            yield Check(f"weights of {name}", f"SHA-256 {record.sha256[:12]}, {record.licence}")
        except MienError as error:
            yield Check(f"weights of {name}", str(error), works=False)
    for name in METHODS.keys() - records().keys():
        yield Check(f"weights of {name}", "none ship: `mien train`, or give --weights", None)


def _data() -> Iterator[Check]:
    """What training and measuring need, and editing does not."""
    from mien.data.adapters import DATASETS, ict_facekit
    from mien.data.manifest import FILE_NAME
    from mien.zoo import cache_home, data_home, dataset_home

    yield Check("data", f"{data_home()}, cache {cache_home()}", data_home().is_dir() or None)
    for name in DATASETS:
        places = (dataset_home(name) / FILE_NAME, data_home() / name)
        place = next((str(p) for p in places if p.exists()), None)
        yield Check(f"data {name}", place or "not here: see `mien data list`", bool(place) or None)
    model = ict_facekit.model_file()
    found = str(model) if model.is_file() else "not here: see `mien data list`"
    yield Check("original face model", found, model.is_file() or None)
