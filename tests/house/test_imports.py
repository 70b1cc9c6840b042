"""Imports point one way: the floors of the house, and who may see whom (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from mien.metrics.scorecard import UNRELATED

FLOORS: tuple[tuple[str, ...], ...] = (
    (
        "errors",
        "facs",
        "files",
        "forked",
        "heap",
        "memory",
        "guides",
        "types",
        "images",
        "jobs",
        "cluster",
        "sheet",
    ),
    ("zoo",),
    ("faces", "nn", "face_model"),
    ("rig",),
    ("data", "methods", "judges", "provenance"),
    ("metrics", "export", "editor"),
    ("training", "tables", "video", "people", "study", "hub"),
    ("cli", "server", "studio"),
    ("bench",),
)
APART = (4, 5, 6, 7)
"""Floors whose rooms do not see one another either."""
DOORS = (
    ("methods.task", "data"),
    ("methods.*.task", "data"),
    ("cli.session", "server"),
    ("cli.serve", "server"),
    ("cli.studio", "server"),
    ("studio.*", "server"),
    ("server.app", "studio"),
    ("cli.main", "bench"),
    ("cli.bench", "bench"),
)
"""Training half of a method -> the samples it is trained on; the commands that start the server;
the studio -> the server it stands on, which knows of it only where its page is put at `/`; the
command -> the table of what is measured, whose modules it loads by name.
There is no other exception.
"""
ONLY = {
    "lightning": "training",
    "pytorch_lightning": "training",
    "omegaconf": "training",
    "fastapi": "server studio",
    "ray": "cluster",
    "starlette": "server studio",
    "jinja2": "studio",
    "uvicorn": "server",
    "typer": "cli bench",
    "av": "video bench",
    "c2pa": "provenance",
    "dlib": "judges bench",
    "pyarrow": "people",
    "huggingface_hub": "hub",
    "onnx": "export",
    "onnxruntime": "export bench",
    "_dlib_pybind11": "judges bench",
    "torchvision": "",
}
"""A library -> the rooms that may import it."""

HEIGHT = {room: height for height, rooms in enumerate(FLOORS) for room in rooms}


def test_every_room_has_a_floor(modules: list[Any]) -> None:
    rooms = {m.name.partition(".")[0] for m in modules} - {"__init__"}
    assert rooms <= HEIGHT.keys(), "name the floor of a new room here and in CONTRIBUTING.md"


def test_the_documented_floors_are_these(root: Path) -> None:
    page = (root / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| ([^|]+) \|", page, re.M)
    said = {int(floor) - 1: set(re.findall(r"`(\w+)`", rooms)) for floor, rooms in rows}
    assert said == {height: set(rooms) for height, rooms in enumerate(FLOORS)}


def test_imports_point_down(modules: list[Any]) -> None:
    wrong = [
        f"{m.name} imports {name}"
        for m in modules
        if m.name != "__init__"
        for name in sorted(m.imports())
        if name.startswith("mien.") and not _allowed(m.name, name.removeprefix("mien."))
    ]
    assert not wrong


def _allowed(module: str, imported: str) -> bool:
    room, other = module.partition(".")[0], imported.partition(".")[0]
    if room == other or any(fnmatch(module, who) and other == where for who, where in DOORS):
        return True
    if HEIGHT[other] == HEIGHT[room]:
        return HEIGHT[room] not in APART
    return HEIGHT[other] < HEIGHT[room]


def test_what_a_measurement_does_not_depend_on_is_out_of_its_sight(modules: list[Any]) -> None:
    seen = {"metrics.scorecard"}
    imports = {m.name: {n.removeprefix("mien.") for n in m.imports()} for m in modules}
    while more := {n for one in seen for n in _modules_of(one, imports)} - seen:
        seen |= more
    unrelated = {name.removesuffix(".py").replace("/", ".") for name in UNRELATED}
    assert "metrics.bench" in seen
    for one in unrelated:
        inside = {n for n in imports if n == one or n.startswith(f"{one}.")}
        assert inside, f"{one} is not there"
        assert not inside & seen


def _modules_of(module: str, imports: dict[str, set[str]]) -> set[str]:
    """The modules that one imports, whether it names them or what is in them."""
    named = imports.get(module, set())
    return {n for n in (*named, *(x.rpartition(".")[0] for x in named)) if n in imports}


def test_the_rule_itself() -> None:
    assert _allowed("faces.align", "types.Face")
    assert _allowed("methods.mtss.task", "data.loading")
    assert not _allowed("methods.mtss.method", "data.loading")
    assert not _allowed("types", "zoo.data_home")
    assert not _allowed("rig.render", "training.trainer")


def test_strengths_do_not_know_the_contract(modules: list[Any]) -> None:
    """The contract uses them; a fit asks of a method what `fitting.Reader` says."""
    found = [m.imports() for m in modules if m.name in ("methods.strengths", "methods.fitting")]
    known = {n for names in found for n in names if n.startswith("mien.methods")}
    assert len(found) == 2
    assert {name.split(".")[2] for name in known} <= {"strengths"}


def test_no_module_imports_itself_through_others(modules: list[Any]) -> None:
    """At import; inside a function a module may be asked for that knows its asker."""
    names = {m.name for m in modules}
    graph = {m.name: _modules_of_all(_at_import(m.tree), names) - {m.name} for m in modules}
    assert graph["methods.mtss.task"] >= {"methods.task", "nn.phases"}
    TopologicalSorter(graph).prepare()  # a CycleError names the circle


def _at_import(tree: ast.Module) -> set[str]:
    """Dotted names of what is imported where nothing but the module's own lines runs."""
    return {
        f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _modules_of_all(imported: set[str], names: set[str]) -> set[str]:
    """The modules of mien, of `names`, among what is imported."""
    inside = {name.removeprefix("mien.") for name in imported if name.startswith("mien.")}
    return {n if n in names else n.rpartition(".")[0] for n in inside} & names


def test_methods_do_not_know_one_another(modules: list[Any]) -> None:
    wrong = [
        f"{m.name} imports {name}"
        for m in modules
        for name in m.imports()
        if _method(m.name) and _method(name.removeprefix("mien."))
        if _method(m.name) != _method(name.removeprefix("mien."))
    ]
    assert not wrong


def _method(name: str) -> str | None:
    """`methods.mtss.task` is of method `mtss`; `methods.base.Method` is of none."""
    parts = name.split(".")
    shared = (
        "base", "config", "drawing", "fitting", "learnt", "registry", "strengths", "task",
        "__init__",
    )  # fmt: skip
    return parts[1] if parts[0] == "methods" and len(parts) > 2 and parts[1] not in shared else None


def test_judges_only_measure(modules: list[Any]) -> None:
    """What is measured must not have been trained by its measure: only the judges' own training and
    what scores results may know them.
    """
    trains = ("methods", "training", "nn", "face_model", "rig", "data")
    wrong = [
        f"{m.name} imports {name}"
        for m in modules
        for name in m.imports()
        if m.name.partition(".")[0] in trains and not m.name.startswith("training.judge")
        if name.startswith(("mien.judges", "mien.training.judge"))
    ]
    assert not wrong


def test_libraries_stay_in_their_room(modules: list[Any]) -> None:
    wrong = [
        f"{m.name} imports {name}"
        for m in modules
        for name in m.imports()
        if name.partition(".")[0] in ONLY
        if m.name.partition(".")[0] not in ONLY[name.partition(".")[0]].split()
    ]
    assert not wrong


def test_imports_are_absolute(modules: list[Any]) -> None:
    wrong = [
        m.name
        for m in modules
        for node in ast.walk(m.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert not wrong
