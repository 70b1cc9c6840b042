"""From what a user names to contestants, and from a scorecard to files that say how they came
about.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

import mien
from mien.data.split import SPLITS, Split
from mien.errors import AssetMissing, ConfigError
from mien.files import replacing
from mien.methods.base import Method
from mien.methods.registry import entry, load, split_head
from mien.metrics.bench import JudgePanel
from mien.metrics.cost import cost
from mien.metrics.protocols import PROTOCOLS, Setting
from mien.metrics.scorecard import Contestant, code_digest, panel_facts
from mien.metrics.summary import short, shortened
from mien.metrics.table import codes, costs, groups, quality
from mien.metrics.trials import edited_by, pasted_by
from mien.zoo.records import digest, records


@dataclass(frozen=True)
class Entrant:
    """A method that a user named, and its line's name."""

    row: str
    method: str
    weights: Path | None
    head: str | None = None
    """`own`: the method's own picture head; None: what it draws with by default."""

    @property
    def sha256(self) -> str:
        """Of its weights, shipped or the user's."""
        return digest(self.weights) if self.weights else records()[self.method].sha256


def entrants(texts: Sequence[str]) -> list[Entrant]:
    """Of texts such as `mtss`, `aipgan head=own` and `auswap=runs/x/auswap.safetensors`.

    ConfigError for a method that does not exist or a line named twice, AssetMissing for weights
    that are not there.
    """
    found = [_entrant(text) for text in texts]
    rows = [one.row for one in found]
    for row in rows:
        if rows.count(row) > 1:
            raise ConfigError(f"two lines would be called {row!r}: put weights in folders apart")
    return found


def _entrant(text: str) -> Entrant:
    named, chosen = split_head(text)
    name, _, path = named.partition("=")
    entry(name)
    weights = Path(path) if path else None
    if weights is not None and not weights.is_file():
        raise AssetMissing(f"no weights at {weights}: name a .safetensors file")
    if weights is None and name not in records():
        raise AssetMissing(f"no weights ship for {name}: say {name}=WEIGHTS.safetensors")
    row = f"{name} ({weights.resolve().parent.name})" if weights else name
    head = chosen.get("head")
    return Entrant(f"{row} head={head}" if head else row, name, weights, head)


def at_own_size(named: Sequence[Entrant]) -> list[Contestant]:
    """Methods ready to edit faces of any size, as users get them; ConfigError for a head that a
    method has not."""
    return [
        Contestant(one.row, pasted_by(method), _learnt(one, method))
        for one in named
        for method in [load(one.method, one.weights, **({"head": one.head} if one.head else {}))]
    ]


def _learnt(one: Entrant, method: Method[Any]) -> str:
    return f"{one.sha256} {method.drawn_by} {json.dumps(dict(method.strengths), sort_keys=True)}"


def protocols(names: Sequence[str] | None) -> list[str]:
    """The protocols named, in their order here; all if none is. ConfigError for an unknown one."""
    for name in names or ():
        if name not in PROTOCOLS:
            raise ConfigError(f"unknown protocol {name!r}: choose from {', '.join(PROTOCOLS)}")
    return [name for name in PROTOCOLS if not names or name in names]


def split(name: str) -> Split:
    """A split; ConfigError names those there are."""
    for known in SPLITS:
        if name == known:
            return known
    raise ConfigError(f"unknown split {name!r}: choose from {', '.join(SPLITS)}")


def contestants(named: Sequence[Entrant]) -> tuple[list[Contestant], int]:
    """Methods ready to edit, and the side of the faces that they see, px; ConfigError when these
    differ. A method that is no network sees faces of any size, and takes that of the others.
    """
    out: list[Contestant] = []
    networks: set[int] = set()
    others: set[int] = set()
    for one in named:
        if one.head:
            raise ConfigError(f"{one.row}: renders are measured by own heads; say it with --data")
        method, network = load(one.method, one.weights), bool(entry(one.method).task)
        (networks if network else others).add(method.size)
        edit = edited_by(method) if network else pasted_by(method)
        out.append(Contestant(one.row, edit, _learnt(one, method)))
    sizes = networks or others
    if len(sizes) != 1:
        raise ConfigError(f"methods of one size at a time, not of {sorted(sizes)} px")
    return out, sizes.pop()


def facts(named: Sequence[Entrant], setting: Setting, panel: JudgePanel) -> dict[str, Any]:
    """How a scorecard came about: the same for the same command, machine and inputs."""
    return {
        "command": called(),
        "commit": commit(),
        "version": version(),
        "code": code_digest(),
        "machine": {
            "processor": platform.machine(),
            "system": platform.system(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "torch": torch.__version__,
        },
        "seed": setting.seed,
        "split": setting.split,
        "limit": setting.limit,
        "size": "the face's own" if setting.folder else setting.size,
        "judges": panel_facts(panel),
        "weights": {one.row: one.sha256 for one in named},
    }


def origin() -> dict[str, str]:
    """How a benchmark's result came about: command, commit, version, machine."""
    return {
        "command": called(),
        "commit": commit(),
        "version": version(),
        "machine": f"{platform.machine()}, torch {torch.__version__}",
    }


def called() -> str:
    """The command that runs, as it can be typed again."""
    script = Path(sys.argv[0])
    program = ["python", sys.argv[0]] if script.suffix == ".py" else [script.name]
    return shlex.join([*program, *sys.argv[1:]])


def version() -> str:
    """Of mien, as it is installed."""
    return metadata.version("mien")


def commit() -> str:
    """Of the checkout that this package runs from, `+` if it was changed; empty without one."""
    folder = Path(mien.__file__).parent
    said = []
    for words in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "-uno", ".")):
        try:
            done = subprocess.run(
                ["git", "-C", str(folder), *words], capture_output=True, text=True, check=False
            )
        except OSError:
            return ""
        if done.returncode:
            return ""
        said.append(done.stdout.strip())
    return said[0] + "+" * bool(said[1])


def write_quality(
    out: Path, about: Mapping[str, Any], table: Mapping[str, Any],
    stem: str = "scorecard", notes: str = "",
) -> None:  # fmt: skip
    """`stem`.json and `stem`.md (`notes` below the table) in `out`; short.md and short.json, the
    same in few words.
    """
    whole = {**about, "sections": table}
    _write(out / f"{stem}.json", _json(whole))
    _write(out / f"{stem}.md", quality(table) + notes)
    for name, text in (("codes", codes(table)), ("groups", groups(table))):
        if text:
            _write(out / f"{name}.md", text)
    _write(out / "short.md", short(table))
    small = json.dumps(shortened(whole), ensure_ascii=False, separators=(",", ":"))
    _write(out / "short.json", small + "\n")


def write_cost(out: Path, about: Mapping[str, Any], named: Sequence[Entrant]) -> None:
    """Measure what the methods cost; cost.json and cost.md in `out`."""
    found = {one.row: cost(one.method, one.weights) for one in named}
    _write(out / "cost.json", _json({**about, "cost": {k: asdict(v) for k, v in found.items()}}))
    _write(out / "cost.md", costs(found))


def _json(facts: Mapping[str, Any]) -> str:
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")
