"""The cards of all weights that ship, made of their records: one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mien.methods.registry import METHODS
from mien.zoo.records import Record, records

HEAD = """# Weights

A card for each file of weights that mien brings along, made of the record beside it
(`src/mien/zoo/weights/NAME.json`), which holds more: stages, settings, all scores. mien checks the
SHA-256 of a file before it uses it. `mien methods` lists those of methods; `mien.hub` writes the
same as a model card for the Hugging Face Hub. People who are invented get a data set card,
`README.md`, from `mien people --pack` and `mien.hub.push_people`.
"""
FACTS = {
    "parameters": "parameters",
    "precision": "stored as",
    "author": "author",
    "source": "source",
    "training_people": "people",
    "labels": "labels",
    "images": "images seen in training",
    "hardware": "hardware",
    "command": "command",
    "what_was_run": "what was run",
    "may_be_used_for": "may be used for",
    "limits": "limits",
}
"""Key of a record -> what its line says it is."""


def page() -> str:
    """The page in Markdown."""
    return "\n".join([HEAD, *(line for one in records().values() for line in _card(one))])


def _card(record: Record) -> Iterator[str]:
    facts = record.facts
    yield f"## {record.name} {{ #{record.name} }}\n\n{_sentence(str(facts['what']))}\n"
    yield "| | |\n| --- | --- |"
    if record.name in METHODS:
        yield f"| paper | {_cell(METHODS[record.name].paper)} |"
    yield f"| licence | {_cell(record.licence)} |"
    for key, said in FACTS.items():
        if facts.get(key):  # a face model has 0 parameters that are learnt
            yield f"| {said} | {_cell(facts[key])} |"
    yield f"| size | {record.path.stat().st_size / 1e6:.1f} MB |"
    yield f"| SHA-256 | `{record.sha256}` |\n"
    yield "| made from | licence | source |\n| --- | --- | --- |"
    for one in facts["training_sets"]:
        yield f"| {_cell(one['name'])} | {_cell(one['licence'])} | {_cell(one['source'])} |"
    yield ""
    yield from _scores(facts)


def _scores(facts: Mapping[str, Any]) -> Iterator[str]:
    """The numbers of a record that stand by themselves; a record in full has those below them."""
    for key, scores in facts.items():
        if not key.startswith("scores") or not isinstance(scores, Mapping):
            continue
        flat = {k: v for k, v in scores.items() if not isinstance(v, (Mapping, list))}
        if flat:
            about = key.removeprefix("scores").strip("_").replace("_", " ")
            yield f"| scores{', ' * bool(about)}{about} | |\n| --- | --- |"
            yield from (f"| {_words(k)} | {_cell(v)} |" for k, v in flat.items())
            yield ""


def _words(key: str) -> str:
    """A record's key; older records call the reference's person the lender."""
    return key.replace("lender", "reference").replace("_", " ")


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _cell(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}"
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
