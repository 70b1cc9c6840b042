"""The table of methods. A row names classes by path, so that looking at it imports none of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from mien.errors import ConfigError


@dataclass(frozen=True)
class Entry:
    """Where a method's parts are: `module:Class`, and what `mien methods` says of it."""

    method: str
    task: str
    config: str
    architecture: str
    paper: str
    summary: str


METHODS: dict[str, Entry] = {
    "mtss": Entry(
        method="mien.methods.mtss.method:MTSS",
        task="mien.methods.mtss.task:MTSSTask",
        config="mien.methods.mtss.config:MTSSConfig",
        architecture="mien.methods.mtss.config:Architecture",
        paper="Lu et al., ICIP 2023",
        summary="style-driven AdaIN with a style disentanglement unit",
    ),
}


def entry(name: str) -> Entry:
    """The row of a method; ConfigError names the methods there are."""
    if name not in METHODS:
        raise ConfigError(f"unknown method {name!r}: choose from {', '.join(METHODS)}")
    return METHODS[name]


def resolve(path: str) -> Any:
    """The object at `module:attribute`."""
    module, attribute = path.split(":")
    return getattr(import_module(module), attribute)
