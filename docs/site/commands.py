"""The reference of commands, from what Typer knows of them: one page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mien.cli.main import COMMANDS, EXAMPLES, leaves

HEAD = """# Commands

Made of the commands themselves: `mien COMMAND --help` says the same. A user's mistake gives one
line and exit code 2; 130 is Ctrl-C. `mien doctor` says what is installed.
"""


def page() -> str:
    """The page in Markdown."""
    parts = [HEAD]
    for name in COMMANDS:
        inner = leaves(name)
        parts.append(f"## mien {name} {{ #{name} }}\n\n{COMMANDS[name]}\n")
        if "" in inner:
            parts += _described(inner[""], f"mien {name}")
            continue
        for leaf in inner.values():
            parts.append(f"### mien {name} {leaf.name} {{ #{name}-{leaf.name} }}\n")
            parts += _described(leaf, f"mien {name} {leaf.name}")
    return "\n".join(parts)


def _described(command: Any, called: str) -> Iterator[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option" and p.name != "help"]
    words = [_argument(p) for p in arguments]
    yield f"```text\n{' '.join([called, *words, '[OPTIONS]'])}\n```\n"
    yield (command.help or "").replace("\b", "").replace("\f", "").strip() + "\n"
    yield f"```sh\n{EXAMPLES[called.removeprefix('mien ')]}\n```\n"
    if arguments:
        yield _table("argument", [(_argument(p), p) for p in arguments])
    if options:
        yield _table("option", [(", ".join(f"`{o}`" for o in _names(p)), p) for p in options])


def _names(option: Any) -> list[str]:
    names = [*option.opts, *option.secondary_opts]
    return sorted(names, key=lambda name: name.startswith("--"))


def _argument(argument: Any) -> str:
    name = argument.metavar or argument.name.upper()
    return name if argument.required or name.startswith("[") else f"[{name}]"


def _table(what: str, rows: list[tuple[str, Any]]) -> str:
    lines = [f"| {what} | | default |", "| --- | --- | --- |"]
    for name, param in rows:
        help_ = " ".join((getattr(param, "help", "") or "").split()).replace("|", "\\|")
        lines.append(f"| {name} | {help_} | {_default(param)} |")
    return "\n".join(lines) + "\n"


def _default(param: Any) -> str:
    if param.required:
        return "required"
    value = param.default() if callable(param.default) else param.default
    if value is None or value is False or value == () or value == []:
        return ""
    if isinstance(value, tuple):
        return f"`{' '.join(f'{v:g}' for v in value)}`"
    return f"`{value}`"
