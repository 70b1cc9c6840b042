"""The table of methods. A row names classes by path, so that looking at it imports none of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from mien.errors import AssetMissing, ConfigError, MienError, WeightsError, near
from mien.methods.renamed import fields_today, with_note

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mien.methods.base import Method


@dataclass(frozen=True)
class Entry:
    """Where a method's parts are: `module:Class`, and what `mien methods` says of it. One that has
    nothing to train has no `task` and no `config`."""

    method: str
    task: str
    config: str
    architecture: str
    paper: str
    summary: str
    makes: str = "facial expression transfer"
    """What its weights are for, in their record."""


DEFAULT = "morphable"
"""The method where none is named: it draws at the photograph's own size, and is asked for units and
labels exactly (docs/methods/morphable.md).
"""
HEADS = MODEL, OWN = "model", "own"
"""What may be chosen for `head` of every method but the face model's own."""
_HEAD = " head="
METHODS: dict[str, Entry] = {
    "morphable": Entry(
        method="mien.methods.morphable.method:Morphable",
        task="",
        config="",
        architecture="mien.methods.morphable.config:Architecture",
        paper="Blanz and Vetter, 1999",
        summary="a 3-D face model fitted to the photograph, drawn at its own size",
    ),
    "mtss": Entry(
        method="mien.methods.mtss.method:MTSS",
        task="mien.methods.mtss.task:MTSSTask",
        config="mien.methods.mtss.config:MTSSConfig",
        architecture="mien.methods.mtss.config:Architecture",
        paper="Lu et al., ICIP 2023",
        summary="style-driven AdaIN with a style disentanglement unit",
    ),
    "auswap": Entry(
        method="mien.methods.auswap.method:AUSwap",
        task="mien.methods.auswap.task:AUSwapTask",
        config="mien.methods.auswap.config:AUSwapConfig",
        architecture="mien.methods.auswap.config:Architecture",
        paper="Shao et al., TIP 2021",
        summary="swaps AU-related features between two photographs",
    ),
    "aipgan": Entry(
        method="mien.methods.aipgan.method:AIPGAN",
        task="mien.methods.aipgan.task:AIPGANTask",
        config="mien.methods.aipgan.config:AIPGANConfig",
        architecture="mien.methods.aipgan.config:Architecture",
        paper="Ali and Hughes, 2020",
        summary="attended expression and identity maps, joined by bilinear pooling",
    ),
    "decoupling": Entry(
        method="mien.methods.decoupling.method:Decoupling",
        task="mien.methods.decoupling.task:DecouplingTask",
        config="mien.methods.decoupling.config:DecouplingConfig",
        architecture="mien.methods.decoupling.config:Architecture",
        paper="Bao et al., 2023",
        summary="codes of a progressive GAN's layers with a feedback network; invents people",
    ),
}
READER = Entry(
    method="mien.nn.reader:UnitReader",
    task="mien.training.reader:ReaderTask",
    config="mien.training.reader:ReaderConfig",
    architecture="mien.nn.reader:Architecture",
    paper="",
    summary="reads action units, for every method that the face model draws",
    makes="action units (47) of an aligned crop",
)
"""No method, but trained as one: by a recipe, to weights that ship."""


def entry(name: str) -> Entry:
    """The row of a method; ConfigError names the methods there are."""
    if name not in METHODS:
        raise ConfigError(f"unknown method {name!r}: {near(name, METHODS)}")
    return METHODS[name]


def trained(name: str) -> Entry:
    """The row of what a recipe may train; ConfigError names what there is."""
    rows = {known: row for known, row in METHODS.items() if row.task} | {"reader": READER}
    if name not in rows:
        raise ConfigError(f"{name!r} is not trained: choose from {', '.join(rows)}")
    return rows[name]


def resolve(path: str) -> Any:
    """The object at `module:attribute`."""
    module, attribute = path.split(":")
    return getattr(import_module(module), attribute)


def check_installed(name: str) -> None:
    """ConfigError where a method needs torch and torch is not installed."""
    if not installed(name):
        raise ConfigError(f"{name} needs torch: pip install 'mien[train]', or use {DEFAULT}")


def installed(name: str) -> bool:
    """Whether what a method runs on is installed."""
    return not entry(name).task or torch_is_here()


def torch_is_here() -> bool:
    """Whether torch, which all methods but the face model's need, is installed."""
    try:
        return util.find_spec("torch") is not None
    except (ImportError, ValueError):
        return False


def kind(name: str) -> type[Method[Any]]:
    """The class of a method; ConfigError where it needs torch and torch is not installed."""
    check_installed(name)
    found: type[Method[Any]] = resolve(entry(name).method)
    return found


def check_chosen(name: str, chosen: Mapping[str, Any]) -> None:
    """ConfigError unless a method lets these fields be chosen at inference, and such values."""
    row = entry(name)
    open_ = kind(name).at_inference
    hints = get_type_hints(resolve(row.architecture))
    for field, value in chosen.items():
        if field == "head" and row.task and value in HEADS:
            continue
        if field not in open_:
            known = ", ".join((*open_, *(("head",) if row.task and "head" not in open_ else ())))
            raise ConfigError(
                f"{name} has no choice {field!r}: choose from {known}"
                if known
                else f"{name} leaves nothing open: call it without --set"
            )
        hint, allowed = hints[field], get_args(hints[field])
        fits = type(value) is hint or (hint is float and type(value) is int)
        if not (value in allowed if allowed else fits):
            wanted = " or ".join(map(str, allowed)) or hint.__name__
            raise ConfigError(f"{name}: {field} is {wanted}, not {value!r}")


def load(
    name: str = DEFAULT, weights: str | Path | None = None, device: str = "cpu", **chosen: Any
) -> Method[Any]:
    """A method ready to edit: `mien.load()`, `mien.load("decoupling", passes=5)`.

    `weights` names a safetensors file of `mien train`; without it the shipped ones are used, their
    hash checked. `chosen` are fields of the architecture that the method leaves open (its
    `at_inference`). Raises ConfigError (unknown method or choice, or torch is not installed and the
    method needs it), AssetMissing or WeightsError.
    """
    import numpy as np

    from mien.zoo.records import read_weights, records

    chosen = with_note(chosen)
    check_chosen(name, chosen)
    strengths = None
    if weights is None:
        if name not in records():
            raise AssetMissing(f"no weights ship for {name}: train it, or give --weights")
        records()[name].verify()
        weights, strengths = records()[name].path, records()[name].facts.get("strengths")
    arrays, facts = read_weights(Path(weights))
    if facts.get("method") != name or "architecture" not in facts:
        raise WeightsError(f"{weights} holds no {name} weights: it says {facts.get('method')!r}")
    if not all(bool(np.isfinite(v).all()) for v in arrays.values()):
        raise WeightsError(f"{weights} holds numbers that are not finite: train it again")
    head = chosen.pop("head") if chosen.get("head") in HEADS else MODEL
    method = _built(name, facts["architecture"], chosen, arrays, facts)
    # the record's, of weights that are older than strengths
    said = strengths if strengths is not None else _said(facts.get("strengths", "{}"))
    if method is None or not all(map(_nodes, said.values())):
        raise WeightsError(f"{weights} does not fit this version of {name}")
    # a picture head that is named is wanted for its pictures
    method.drawn_by = OWN if "head" in chosen else head
    method.strengths = {name: tuple(nodes) for name, nodes in said.items()}
    return method.ready(device)


def split_head(text: str) -> tuple[str, dict[str, Any]]:
    """A method's name, and what `load` takes beside it, of `NAME` or `NAME head=own`."""
    name, _, head = text.partition(_HEAD)
    return name, {"head": head} if head else {}


def with_head(method: Method[Any]) -> str:
    """`NAME`, or `NAME head=own` of a method whose own networks draw: what `split_head` reads."""
    return f"{method.name}{_HEAD}{OWN}" if method.drawn_by == OWN else method.name


def _built(
    name: str,
    architecture: str,
    chosen: Mapping[str, Any],
    arrays: Mapping[str, NDArray[Any]],
    facts: Mapping[str, str],
) -> Method[Any] | None:
    """The method that these arrays are of; None where the architecture is another's or none.

    A file says what is built, and could say a billion: no number in it may be larger than 1,024 and
    than every side of its arrays, but for discriminators, which training alone builds.
    """
    row = entry(name)
    said = _older(row) | fields_today(_said(architecture)) | dict(chosen)
    largest = max((side for v in arrays.values() for side in v.shape), default=0)
    built = [v for field, v in said.items() if not field.startswith("discriminator")]
    if any(isinstance(v, int | float) and abs(v) > max(1024, largest) for v in built):
        return None
    try:
        method: Method[Any] = resolve(row.method)(resolve(row.architecture)(**said))
        method.restore(arrays, facts)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, LookupError, MienError):
        return None
    return method


def _older(row: Entry) -> dict[str, Any]:
    """Fields that weights may be older than, with what these were made with."""
    return dict(getattr(resolve(row.architecture), "older", {}))


def _said(text: str) -> dict[str, Any]:
    """The fields of a JSON object; none where it is not one."""
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _nodes(values: object) -> bool:
    """Whether these are an emotion's strengths."""
    return isinstance(values, Sequence) and all(
        isinstance(v, int | float) and abs(v) < 1e6
        for v in values  # nor is NaN
    )
