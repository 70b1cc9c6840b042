"""The reference of HTTP calls, from the server's own OpenAPI description: one page."""

from __future__ import annotations

from typing import Any

from mien.server.app import create
from mien.server.workshop import Workshop

HEAD = """# HTTP calls, field by field

Made of the description that a running server gives at `/openapi.json`. [The HTTP API](../api.md)
says how to call it.
"""


def page() -> str:
    """The page in Markdown."""
    described = create(Workshop(_none)).openapi()
    schemas = described.get("components", {}).get("schemas", {})
    parts = [HEAD]
    for path, calls in described["paths"].items():
        for verb, call in calls.items():
            parts.append(f"## {verb.upper()} {path}\n\n{call.get('description', '')}\n")
            form = call.get("requestBody", {}).get("content", {}).get("application/json")
            if form:
                name = form["schema"]["$ref"].rpartition("/")[2]
                parts.append(_fields(schemas[name], schemas))
            parts.append(_answers(call["responses"], schemas))
    return "\n".join(parts)


def _none(_: str) -> Any:
    raise AssertionError("a description needs no method")


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    required = schema.get("required", ())
    lines = ["| field | type | | default |", "| --- | --- | --- | --- |"]
    for name, field in schema["properties"].items():
        default = "required" if name in required else _value(field.get("default"))
        said = " ".join(field.get("description", "").split()).replace("|", "\\|")
        lines.append(f"| `{name}` | {_type(field, schemas)} | {said} | {default} |")
    return "\n".join(lines) + "\n"


def _answers(answers: dict[str, Any], schemas: dict[str, Any]) -> str:
    lines = ["| status | | content |", "| --- | --- | --- |"]
    for status, answer in sorted(answers.items()):
        kinds = ", ".join(
            f"`{kind}` {_type(content.get('schema', {}), schemas)}".strip()
            for kind, content in answer.get("content", {}).items()
        )
        lines.append(f"| {status} | {answer.get('description', '')} | {kinds} |")
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    return "" if value is None else f"`{value}`"


def _type(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    """A type in words: `number, 0 to 1`."""
    if "anyOf" in field:
        kinds = [_type(kind, schemas) for kind in field["anyOf"] if kind.get("type") != "null"]
        return " or ".join(kinds)
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        parts = schemas.get(name, {}).get("properties", {})
        return "object of " + ", ".join(f"`{p}`" for p in parts) if parts else name
    if "enum" in field:
        return ", ".join(f"`{v}`" for v in field["enum"])
    kind = str(field.get("type", ""))
    if field.get("format") in ("binary", "byte"):
        return "picture" if field["format"] == "binary" else "base64"
    if kind == "array":
        inner = _type(field.get("items", {}), schemas)
        return f"list of {inner}"
    low, high = field.get("minimum"), field.get("maximum")
    return f"{kind}, {low:g} to {high:g}" if low is not None and high is not None else kind
