"""Somebody else's code, imported from where the user put it and from nowhere else.

Peers call their modules `utils`, `model` or `metrics`, so each is imported in a house of its own
and forgotten by `sys.modules` afterwards. Libraries that a peer names but that training never calls
(torchvision draws its sample sheets) are stood in for by shells: to import a name is fine, to call
it is an error. Nothing is written into a checkout.
"""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from mien.errors import AssetMissing, ConfigError

SHELLS = ("torchvision", "matplotlib", "ffmpeg", "tqdm", "skimage", "scipy", "tensorboardX")
"""Libraries that a shell stands in for where they are not installed."""

Port = Callable[[str], str]
"""Source text of a checkout's file -> what this Python can read."""


def as_is(source: str) -> str:
    """The port of a checkout that needs none."""
    return source


def to_python_3(source: str) -> str:
    """Python 2's print statements and torch 0.3's `async` argument, in today's words.

    >>> to_python_3('if a:\\n    print "%d" % b\\nx.cuda(0, async=True)')
    'if a:\\n    print("%d" % b)\\nx.cuda(0, non_blocking=True)'
    """
    source = re.sub(r"^([ \t]*)print[ \t]+([^(\s].*?)[ \t]*$", r"\1print(\2)", source, flags=re.M)
    return re.sub(r"\basync=", "non_blocking=", source)


class Munch(dict[str, Any]):
    """A dictionary whose keys are attributes too: all that peers use of the library `munch`."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


@contextmanager
def opened(root: Path, folder: str = ".", port: Port = as_is) -> Iterator[Callable[[str], Any]]:
    """`import_(name)` for the modules of a checkout's `folder`; what they import in turn comes from
    there first. Afterwards the names are free again; whoever holds a module keeps it.

    AssetMissing where there is no such folder, ConfigError where a module cannot be imported.
    """
    home = root / folder
    if not home.is_dir():
        raise AssetMissing(f"no checkout at {root}: clone it there (benchmarks/peers/README.md)")
    finder = _House(home, port)
    hidden = {n: m for n, m in sys.modules.items() if n.partition(".")[0] in finder.names}
    for name in hidden:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        yield lambda name: _imported(name, root)
    finally:
        sys.meta_path.remove(finder)
        for name in finder.loaded:
            sys.modules.pop(name, None)
        sys.modules.update(hidden)


def _imported(name: str, root: Path) -> ModuleType:
    try:
        return import_module(name)
    except (ImportError, SyntaxError) as error:
        raise ConfigError(f"cannot import {name} from {root}: {error}") from None


class _House(MetaPathFinder):
    """Finds the modules of one folder, ahead of everything that is installed, and shells."""

    def __init__(self, home: Path, port: Port) -> None:
        self.home, self.port = home, port
        self.names = {p.stem for p in home.glob("*.py")}
        self.names |= {p.name for p in home.iterdir() if p.is_dir() and any(p.rglob("*.py"))}
        self.shells = {name for name in SHELLS if PathFinder.find_spec(name) is None}
        self.loaded: list[str] = []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        top = name.partition(".")[0]
        spec: ModuleSpec | None = None
        if top in self.names:
            folder = str(self.home) if path is None else next(iter(path))
            spec = FileFinder(folder, (self._source, [".py"])).find_spec(name)  # type: ignore[arg-type]
        elif top in self.shells:
            spec = ModuleSpec(name, _ShellLoader(), is_package=True)
        elif top == "munch" and PathFinder.find_spec(top) is None:
            spec = ModuleSpec(name, _MunchLoader())
        if spec is not None:
            self.loaded.append(name)
        return spec

    def _source(self, name: str, path: str) -> SourceFileLoader:
        return _Source(name, path, self.port)


class _Source(SourceFileLoader):
    """Reads a file through a port; leaves no bytecode in the user's checkout and trusts none."""

    def __init__(self, name: str, path: str, port: Port) -> None:
        super().__init__(name, path)
        self.port = port

    def get_data(self, path: str) -> bytes:
        return self.port(Path(path).read_text(encoding="utf-8")).encode()

    def path_stats(self, path: str) -> Mapping[str, Any]:
        raise OSError("no bytecode")


class _Shell(ModuleType):
    """A module that has every name and can do nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        whole = f"{self.__name__}.{name}"

        def call(*_: Any, **__: Any) -> Any:
            raise ConfigError(f"{whole} is not installed, and no peer should have called it")

        return call


class _ShellLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Shell(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """A shell is empty."""


class _MunchLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.Munch = Munch  # type: ignore[attr-defined]


@contextmanager
def anywhere() -> Iterator[None]:
    """Peers say `.cuda()` whatever the machine: without a GPU it means to stay."""
    if torch.cuda.is_available():
        yield
        return
    kept = nn.Module.cuda, torch.Tensor.cuda

    def stay(here: Any, *_: Any, **__: Any) -> Any:
        return here

    nn.Module.cuda, torch.Tensor.cuda = stay, stay  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        nn.Module.cuda, torch.Tensor.cuda = kept  # type: ignore[method-assign]


def argument_defaults(script: Path) -> dict[str, Any]:
    """The defaults of a script's `add_argument("--name", default=...)` calls, read, not run; an
    argument without one is None.
    """
    if not script.is_file():
        raise AssetMissing(f"{script} is missing: is this the right checkout?")
    found: dict[str, Any] = {}
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "add_argument":
            name = str(ast.literal_eval(node.args[0])).lstrip("-")
            given = {k.arg: k.value for k in node.keywords}
            found[name] = ast.literal_eval(given["default"]) if "default" in given else None
    return found


def commit_of(root: Path) -> str:
    """The commit of a checkout; empty where it is no repository of its own."""
    if not (root / ".git").exists():
        return ""
    words = ["git", "-C", str(root), "rev-parse", "HEAD"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def digest_of(root: Path) -> str:
    """SHA-256 of a checkout's Python files, by which two checkouts are the same."""
    whole = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        whole.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()
