"""House rules that no linter holds."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LONGEST_FILE = 400
LARGEST_METHOD = 1_200  # lines of a method's folder
LARGEST_FILE = 12_000_000  # bytes; weights stay below
LEVELS = {
    "types", "nn.tensors", "judges.named",
    "faces.blazeface", "faces.landmark_maps", "faces.paste", "methods.drawing",
    "methods.reader", "methods.morphable.synthesis",
}  # fmt: skip
"""Modules beside `images` that know of the middle of the levels."""
PICKLES = {
    "torch.load",
    "torch.save",
    "torch.jit.load",
    "numpy.save",
    "joblib.load",
    "pickle.load",
    "pickle.loads",
    "pickle.dump",
    "pickle.dumps",
}
OPENS_PICKLES = {
    "bench.features": "published weights, once their SHA-256 is right, by torch's restricted reader"
}
"""A module that may, and what it opens."""
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.])/(?:home|root|opt|work|mnt|Users)/[A-Za-z.]", re.M)


def test_no_file_is_too_long(tracked: list[Path], root: Path) -> None:
    """Tests and tools too."""
    paths = [path for path in tracked if path.suffix == ".py"]
    assert len(paths) > 500
    lengths = {
        str(path.relative_to(root)): len(path.read_text(encoding="utf-8").splitlines())
        for path in paths
    }
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_method_is_too_large(root: Path) -> None:
    """What a paper adds stands in its folder; what knows nothing of it does not."""
    folders = sorted(p for p in (root / "src/mien/methods").iterdir() if (p / "README.md").exists())
    assert len(folders) >= 5
    lengths = {
        folder.name: sum(len(p.read_text("utf-8").splitlines()) for p in folder.glob("*.py"))
        for folder in folders
    }
    assert {name: n for name, n in lengths.items() if n > LARGEST_METHOD} == {}


def test_few_know_how_levels_become_numbers(modules: list[Any]) -> None:
    """Levels 0 to 255 become [-1, 1], and back, in `images`, `nn.tensors` and `Faces.stack`; else
    only in place, where a picture would be copied, and where the user says what a network takes."""
    halves = {
        m.name
        for m in modules
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Constant) and node.value == 127.5
    }
    assert {name for name in halves if name.partition(".")[0] != "images"} <= LEVELS


def test_every_line_has_a_room(modules: list[Any]) -> None:
    refused = {"utils", "util", "helpers", "misc", "common"}
    assert not [m.name for m in modules if refused & set(m.name.split("."))]


def test_nothing_is_pickled(modules: list[Any]) -> None:
    """A pickle runs code when it is read: weights are safetensors, the rest is text or arrays."""
    wrong = [
        f"{m.name}:{node.lineno} {called}"
        for m in modules
        for node in ast.walk(m.tree)
        if m.name not in OPENS_PICKLES or "weights_only=True" not in ast.unparse(node)
        if isinstance(node, ast.Call)
        if (called := _called(node)) in PICKLES or _allows_pickle(node)
    ]
    imported = [
        m.name
        for m in modules
        if m.name not in OPENS_PICKLES
        if m.imports() & {"pickle", "dill", "joblib", "shelve"}
    ]
    assert not wrong
    assert not imported


def _called(node: ast.Call) -> str:
    return re.sub(r"^np\.", "numpy.", ast.unparse(node.func))


def _allows_pickle(node: ast.Call) -> bool:
    return any(
        k.arg == "allow_pickle"
        and not (isinstance(k.value, ast.Constant) and k.value.value is False)
        for k in node.keywords
    )


MEASURING = {"metrics.probes", "bench.people.worth"}
"""What these learn answers a question and is thrown away."""


def test_there_is_one_trainer(modules: list[Any]) -> None:
    """What ships is learnt by one loop: gradients are asked for nowhere else."""
    found = {
        m.name
        for m in modules
        for node in ast.walk(m.tree)
        if isinstance(node, ast.Attribute) and node.attr == "backward"
    }
    assert found == {"training.trainer", *MEASURING}


def test_public_names_are_all_there(modules: list[Any]) -> None:
    """`mien.__all__` is the promise; every name loads and says what it is."""
    import mien

    assert sorted(mien.__all__) == list(mien.__all__)
    for name in mien.__all__:
        assert getattr(mien, name).__doc__, name
    with pytest.raises(AttributeError):
        _ = mien.no_such_name


def test_import_mien_is_quick() -> None:
    code = "import mien, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_public_thing_says_what_it_is(modules: list[Any]) -> None:
    silent = [
        f"{m.name}.{node.name}"
        for m in modules
        for node in m.tree.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        if not node.name.startswith("_") and not ast.get_docstring(node)
    ]
    assert not silent


def test_no_path_of_one_machine(tracked: list[Path], root: Path) -> None:
    found = []
    for path in tracked:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or weights
        found += [f"{path.relative_to(root)}: {m[0].strip()}" for m in MACHINE_PATH.finditer(text)]
    assert not found


def test_no_face_data_and_no_large_file(tracked: list[Path], root: Path) -> None:
    assert not [p for p in tracked if p.suffix in (".tem", ".npz", ".obj", ".pt", ".ckpt", ".pkl")]
    assert not [p.relative_to(root) for p in tracked if p.stat().st_size > LARGEST_FILE]


def requirements(root: Path) -> dict[str, Requirement]:
    """What pyproject.toml asks for, extras too, by canonical name."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = [r for rows in project["optional-dependencies"].values() for r in rows]
    found = map(Requirement, [*project["dependencies"], *extras])
    return {canonicalize_name(r.name): r for r in found if r.name != "mien"}


def test_every_pin_meets_its_range(root: Path) -> None:
    """constraints.txt and pyproject.toml are written by hand: they must not contradict."""
    lines = (root / "constraints.txt").read_text().splitlines()
    pins = {
        canonicalize_name(name): version
        for name, _, version in (line.partition("==") for line in lines if not line.startswith("#"))
    }
    for name, requirement in requirements(root).items():
        pin = pins[canonicalize_name(name)]
        assert requirement.specifier.contains(pin), f"{requirement} against {pin}"


def test_every_library_is_asked_for(modules: list[Any], root: Path) -> None:
    """What is imported is named in pyproject.toml, not left to come along with something else."""
    asked = requirements(root).keys()
    makers = {**metadata.packages_distributions(), "dlib": ["dlib-bin"]}  # its wheel names none
    imported = {(name.partition(".")[0], m.name) for m in modules for name in m.imports()}
    missing = [
        f"{who} imports {what}"
        for what, who in sorted(imported)
        if what not in sys.stdlib_module_names and what not in ("mien", "__future__")
        if not {canonicalize_name(maker) for maker in makers.get(what, [what])} & asked
    ]
    assert not missing
