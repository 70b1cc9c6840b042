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
from collections.abc import Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field, TypeAdapter, ValidationError
from yaml import YAMLError

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


def read(path: Path, settings: tuple[str, ...] = ()) -> tuple[Stage, ...]:
    """The stages of the recipe in `path`, with `field=value` settings applied on top: to all, or
    after `stages.NAME.` to one.
    """
    settings = tuple(setting_today(s) for s in settings)
    own = [s for s in settings if s.startswith("stages.")]
    common = [s for s in settings if not s.startswith("stages.")]
    values = _extended(path, ())
    rows = values.get("stages", {"": {}})
    if not (isinstance(rows, dict) and rows):
        raise ConfigError(f"{path}: stages: expected names and what each changes, found {rows!r}")
    named = {s.partition("=")[0].split(".")[1] for s in own}
    for name in sorted(named - {str(row) for row in rows}):
        raise ConfigError(f"{path} has no stage {name!r}: choose from {', '.join(map(str, rows))}")
    rows = _with(values, own).get("stages", rows)
    values.pop("stages", None)
    return tuple(
        _stage(path, str(name), _with(_over(values, row or {}, f"{path}: stages.{name}"), common))
        for name, row in rows.items()
    )


def _stage(path: Path, name: str, values: dict[str, Any]) -> Stage:
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
    if not path.exists():
        raise ConfigError(
            f"no recipe {path}: name a file, such as recipes/mtss.yaml of mien's checkout"
        )
    with _said_in_a_line(f"cannot read recipe {path}"):
        values = recipe_today(_plain(OmegaConf.load(path)))
    other = values.pop("extends", None)
    if other is None:
        return values
    if not isinstance(other, str):
        raise ConfigError(f"{path}: extends: expected the name of a recipe, found {other!r}")
    return _over(_extended(path.parent / other, (*below, path.resolve())), values, str(path))


def _over(values: dict[str, Any], over: Any, where: str) -> dict[str, Any]:
    """Nested mappings with others in their place, field by field."""
    if not isinstance(over, dict):
        raise ConfigError(f"{where}: expected fields, found {over!r}")
    with _said_in_a_line(where):
        return _plain(OmegaConf.merge(values, over))


def _with(values: dict[str, Any], settings: list[str]) -> dict[str, Any]:
    """Nested mappings with `training.images=5000` and its like set in them."""
    for said in settings:
        if "=" not in said:
            raise ConfigError(f"cannot read {said!r}: write field=value, such as training.batch=4")
        with _said_in_a_line(f"cannot read {said!r}"):
            made = OmegaConf.create(values)
            made.merge_with_dotlist([said])
            values = _plain(made)
    return values


def _plain(values: Any) -> dict[str, Any]:
    found = OmegaConf.to_container(values)
    return {str(k): v for k, v in found.items()} if isinstance(found, dict) else {}


@contextmanager
def _said_in_a_line(where: str) -> Iterator[None]:
    """What is no YAML, or cannot be read, as a ConfigError, however it is broken."""
    try:
        yield
    except (OSError, YAMLError, OmegaConfBaseException, ValueError, RecursionError) as error:
        said = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise ConfigError(f"{where}: {' '.join(said.split())}") from None


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
        known = [field.name for field in dataclasses.fields(cls)]
        meant = "".join(f"did you mean {k}? " for k in get_close_matches(str(last), known, 1))
        return f"unknown field {last!r}; {meant}known: {', '.join(known)}"
    found = "" if isinstance(fault["input"], dict) else f", found {fault['input']!r}"
    return f"{fault['msg'][0].lower()}{fault['msg'][1:]}{found}"


def dump(stage: Stage) -> str:
    """A stage as a full recipe, defaults included: what a run keeps beside its weights."""
    whole = {"method": stage.method, **dataclasses.asdict(stage.config)}
    plain = json.loads(json.dumps(whole | {"run": dataclasses.asdict(stage.run)}))
    return yaml.safe_dump(plain, sort_keys=False)
