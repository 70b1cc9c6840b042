"""Recipes: YAML that says only what differs from a method's defaults, read strictly."""

from __future__ import annotations

import dataclasses
import math
import re
import typing
from pathlib import Path
from typing import Any

import yaml

from mien.errors import ConfigError
from mien.methods import registry


@dataclasses.dataclass(frozen=True)
class Run:
    """How a recipe is run: nothing here changes what is learnt, except precision."""

    workers: int = 1  # processes that load data
    precision: str = "32-true"  # Lightning's name: 32-true or bf16-mixed
    strategy: str = "auto"  # Lightning's name: auto, ddp, ...
    devices: int = 1
    sheet_minutes: float = 5.0  # between sheets of pictures and saved states


@dataclasses.dataclass(frozen=True)
class Recipe:
    """A method's name, its config, and how to run it."""

    method: str
    config: Any
    run: Run


def build(cls: type[Any], values: Any, where: str) -> Any:
    """Instance of the frozen dataclass `cls` from nested mappings; ConfigError names an unknown
    field.
    """
    if not isinstance(values, dict):
        raise ConfigError(f"{where}: expected fields, found {values!r}")
    hints = typing.get_type_hints(cls)
    made = {}
    for name, value in values.items():
        if name not in hints:
            raise ConfigError(f"{where}: unknown field {name!r}; known: {', '.join(hints)}")
        made[name] = convert(hints[name], value, f"{where}.{name}")
    return cls(**made)


EXPONENT = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")
"""A rate as one writes it, 1e-4, which YAML takes for a word."""


def convert(hint: Any, value: Any, where: str) -> Any:
    """`value` as what `hint` says, or a ConfigError."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        if value not in arguments:
            raise ConfigError(f"{where}: {value!r} is none of {', '.join(map(str, arguments))}")
        return value
    if origin is tuple and arguments[-1] is Ellipsis:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(f"{where}: expected a list, found {value!r}")
        return tuple(convert(arguments[0], v, where) for v in value)
    if origin is tuple:
        if not isinstance(value, (list, tuple)) or len(value) != len(arguments):
            raise ConfigError(f"{where}: expected {len(arguments)} values, found {value!r}")
        return tuple(convert(a, v, where) for a, v in zip(arguments, value, strict=True))
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if hint is bool and isinstance(value, bool):
        return value
    if hint is float and (number or (isinstance(value, str) and EXPONENT.fullmatch(value))):
        return float(value)
    if hint is int and number and math.isfinite(value) and value == int(value):
        return int(value)
    if hint is str and isinstance(value, str):
        return value
    raise ConfigError(f"{where}: expected {getattr(hint, '__name__', hint)}, found {value!r}")


def override(values: dict[str, Any], setting: str) -> None:
    """Apply `training.images=5000` to nested mappings in place."""
    path, equals, text = setting.partition("=")
    if not equals:
        raise ConfigError(f"cannot read {setting!r}: write field=value, such as training.batch=4")
    *parents, last = path.split(".")
    at = values
    for name in parents:
        at = at.setdefault(name, {})
        if not isinstance(at, dict):
            raise ConfigError(f"cannot set {path}: {name} is a value and has no fields")
    at[last] = _yaml(text, setting)


def read(path: Path, settings: tuple[str, ...] = ()) -> Recipe:
    """The recipe in `path`, with `field=value` settings applied on top."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read recipe {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"cannot read recipe {path}: it is not text in UTF-8") from None
    values = _yaml(text, path)
    if not isinstance(values, dict) or "method" not in values:
        raise ConfigError(f"{path}: a recipe begins with `method: NAME`")
    for setting in settings:
        override(values, setting)
    name = values.pop("method")
    if not isinstance(name, str):
        raise ConfigError(f"{path}: a recipe begins with `method: NAME`, not {name!r}")
    learnt = [known for known, row in registry.METHODS.items() if row.task]
    if name not in learnt:
        raise ConfigError(f"{path}: {name!r} is not trained: choose from {', '.join(learnt)}")
    run = build(Run, values.pop("run", {}), "run")
    config = build(registry.resolve(registry.entry(name).config), values, path.name)
    return Recipe(name, config, run)


def _yaml(text: str, where: object) -> Any:
    """The value that YAML says; ConfigError for what is none, however it is broken."""
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{where} is not valid YAML: {line}") from None


def dump(recipe: Recipe) -> str:
    """The full recipe as YAML, defaults included: what a run keeps beside its weights."""
    whole = {"method": recipe.method, **dataclasses.asdict(recipe.config)}
    plain = whole | {"run": dataclasses.asdict(recipe.run)}
    return yaml.safe_dump(_lists(plain), sort_keys=False)


def _lists(value: Any) -> Any:
    """Tuples as lists, which YAML has."""
    if isinstance(value, dict):
        return {k: _lists(v) for k, v in value.items()}
    return [_lists(v) for v in value] if isinstance(value, (list, tuple)) else value
