"""Recipes: YAML that says only what differs from a method's defaults, read strictly.

```yaml
extends: other.yaml     # beside this file: its values, where this one says nothing else
method: aipgan
training: {batch: 16}
stages:                 # one after the other, each with what it has beside the values above
  expression: {training: {data: faces, images: 75000}}
  rig: {training: {data: pairs, images: 42000}}
```
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from mien.errors import ConfigError
from mien.methods import registry
from mien.methods.config import TrainedConfig
from mien.methods.renamed import recipe_today, setting_today


@dataclasses.dataclass(frozen=True)
class Run:
    """How a recipe is run: nothing here changes what is learnt, except precision."""

    workers: int = 1  # processes that load data, for each that learns
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    devices: Annotated[int, Field(ge=1)] = (
        1  # processes that learn, each on a device of its own; on the CPU too
    )
    sheet_minutes: float = 5.0  # between sheets of pictures and saved states


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of a training that runs in one go: the config of what it trains, and how to run it."""

    method: str
    config: TrainedConfig
    run: Run
    name: str = ""
    """Empty where the recipe has but one."""

    @property
    def step(self) -> int:
        """Images that all processes learn from at once: what is left below that is not used."""
        return int(self.config.training.batch) * self.run.devices


class _Loader(yaml.SafeLoader):
    """YAML 1.2's numbers: a rate as one writes it, 1e-4, is a word in PyYAML's 1.1. No aliases:
    `extends` is for what recipes share, and a value within itself, or doubled forty times over,
    has no end.
    """

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not taken: `extends` is for what recipes share")
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {
    first: list(rows) for first, rows in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^[-+]?\d+(\.\d*)?[eE][-+]?\d+$"),
    list("-+0123456789"),
)


def read(path: Path, settings: tuple[str, ...] = ()) -> tuple[Stage, ...]:
    """The stages of the recipe in `path`, with `field=value` settings applied on top: to all, or
    after `stages.NAME.` to one.
    """
    values = _extended(path, ())
    settings = tuple(setting_today(s) for s in settings)
    own = [s for s in settings if s.startswith("stages.")]
    common = [s for s in settings if not s.startswith("stages.")]
    for setting in own:
        override(values, setting)
    rows = values.pop("stages", None)
    if rows is not None and not (isinstance(rows, dict) and rows):
        raise ConfigError(f"{path}: stages: expected names and what each changes, found {rows!r}")
    return tuple(
        _stage(path, str(name), merged(values, row or {}, f"{path}: stages.{name}"), common)
        for name, row in (rows or {"": {}}).items()
    )


def _stage(path: Path, name: str, values: dict[str, Any], settings: list[str]) -> Stage:
    for setting in settings:
        override(values, setting)
    method = values.pop("method", None)
    if not isinstance(method, str):
        said = "" if method is None else f", not {method!r}"
        raise ConfigError(f"{path}: a recipe begins with `method: NAME`{said}")
    try:
        row = registry.trained(method)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None
    run = build(Run, values.pop("run", {}), "run")
    config = build(registry.resolve(row.config), values, "")
    return Stage(method, config, run, name)


def _extended(path: Path, below: tuple[Path, ...]) -> dict[str, Any]:
    """The values of a recipe over those of the one that it extends, if it does."""
    if path.resolve() in below:
        raise ConfigError(f"{path}: `extends` leads in a circle")
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"cannot read recipe {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"cannot read recipe {path}: it is not text in UTF-8") from None
    values = _yaml(text, path)
    if not isinstance(values, dict):
        raise ConfigError(f"{path}: a recipe begins with `method: NAME`")
    values = recipe_today(values)
    other = values.pop("extends", None)
    if other is None:
        return values
    if not isinstance(other, str):
        raise ConfigError(f"{path}: extends: expected the name of a recipe, found {other!r}")
    return merged(_extended(path.parent / other, (*below, path.resolve())), values, str(path))


def merged(values: Mapping[str, Any], over: Any, where: str) -> dict[str, Any]:
    """Nested mappings with others laid over them, field by field."""
    if not isinstance(over, dict):
        raise ConfigError(f"{where}: expected fields, found {over!r}")
    out = dict(values)
    for name, value in over.items():
        below = out.get(name)
        both = isinstance(value, dict) and isinstance(below, dict)
        out[name] = merged(below, value, where) if both else value  # type: ignore[arg-type]
    return {k: merged(v, {}, where) if isinstance(v, dict) else v for k, v in out.items()}


def build(cls: type[Any], values: Any, where: str) -> Any:
    """An instance of the frozen dataclass `cls` from nested mappings; ConfigError, which names the
    field, for one that is unknown or has not the type it is declared with.
    """
    try:
        text = json.dumps(_whole(values))
        return TypeAdapter(cls).validate_json(text, strict=True, extra="forbid")
    except (TypeError, ValueError) as error:
        if not isinstance(error, ValidationError):
            raise ConfigError(f"{where or 'recipe'}: {error}") from None
        fault = error.errors(include_url=False)[0]
        path = [where, *map(str, fault["loc"])] if where else [*map(str, fault["loc"])]
        raise ConfigError(f"{'.'.join(path)}: {_said(cls, fault)}") from None


def _whole(value: Any) -> Any:
    """1e5 may be a number of images: floats that are whole numbers as such."""
    if isinstance(value, dict):
        return {k: _whole(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_whole(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _said(cls: type[Any], fault: Any) -> str:
    """A fault in a few words."""
    if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
        *parents, last = fault["loc"]
        for name in parents:
            cls = get_type_hints(cls)[name]
        known = ", ".join(field.name for field in dataclasses.fields(cls))
        return f"unknown field {last!r}; known: {known}"
    found = "" if isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    return f"{fault['msg'][0].lower()}{fault['msg'][1:]}{found}"


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


def _yaml(text: str, where: object) -> Any:
    """The value that YAML says; ConfigError for what is none, however it is broken."""
    try:
        return yaml.load(text, _Loader)
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        line = (str(error).splitlines() or [type(error).__name__])[0]
        raise ConfigError(f"{where} is not valid YAML: {line}") from None


def dump(stage: Stage) -> str:
    """A stage as a full recipe, defaults included: what a run keeps beside its weights."""
    whole = {"method": stage.method, **dataclasses.asdict(stage.config)}
    plain = json.loads(json.dumps(whole | {"run": dataclasses.asdict(stage.run)}))
    return yaml.safe_dump(plain, sort_keys=False)
