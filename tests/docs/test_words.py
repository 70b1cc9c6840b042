"""One vocabulary, the field's: words that meant something to this project alone stay out of the
documentation and of all help texts."""

from __future__ import annotations

import re
import tokenize
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = {
    "told": "given, named, known, refused: what happened",
    "lend": "transfer", "lends": "transfers", "lent": "transferred", "lending": "transfer",
    "lender": "the reference", "lenders": "references",
    "wear": "show (an expression)", "wears": "shows", "worn": "shown",
    "hedge": "what is done", "hedges": "what is done",
    "lay": "apply, add", "lays": "applies, adds",
    "watch": "critic, test", "watches": "critics", "playing": "active",
    "foretell": "predict", "foretells": "predicts", "foretold": "predicted",
}  # fmt: skip
"""A word -> what to say instead."""
WORDS = re.compile(rf"\b({'|'.join(PRIVATE)})\b", re.I)
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.M | re.S)
MARKUP = re.compile(r"\{[^{}]*\}|<[^<>]*>")
"""What a template fills in, and HTML."""
SPOKEN = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", -1)}
"""Tokens that hold words; from Python 3.12 on an f-string is one of its own."""
TEXTS = (
    "README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "benchmarks/README.md",
    "benchmarks/peers/README.md", "src/mien/zoo/samples/README.md",
)  # fmt: skip


def private(text: str) -> list[str]:
    """Each private word in a text outside code, with the words around it and what to say."""
    plain = CODE.sub("", text)
    return [
        f"{plain[max(0, m.start() - 30) : m.end() + 30]!r}: {PRIVATE[m[0].lower()]}"
        for m in WORDS.finditer(plain)
    ]


def test_pages(page: Path) -> None:
    assert private(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", TEXTS)
def test_other_texts(name: str) -> None:
    assert private((ROOT / name).read_text(encoding="utf-8")) == []


def test_methods_own_pages() -> None:
    pages = sorted((ROOT / "src" / "mien" / "methods").glob("*/README.md"))
    assert len(pages) >= 5
    assert [w for p in pages for w in private(p.read_text(encoding="utf-8"))] == []


def test_help_of_commands(made: Callable[[str], str]) -> None:
    assert private(made("commands")) == []


def test_descriptions_of_calls(made: Callable[[str], str]) -> None:
    pytest.importorskip("fastapi", reason="needs mien[web]")
    assert private(made("http_calls")) == []


def test_docstrings_comments_and_messages_of_code() -> None:
    """What a reader of the code meets: the reference is made of it, and users see the messages."""
    wrong = []
    for path in sorted((ROOT / "src").rglob("*.py")):
        with path.open("rb") as file:
            texts = [
                token
                for token in tokenize.tokenize(file.readline)
                # a string with a space is a sentence, others are names: keys, ids, classes of CSS
                if token.type in SPOKEN and " " in token.string
            ]
        for token in texts:
            plain = MARKUP.sub("", token.string) if "{" in token.string else token.string
            wrong += [f"{path.name}:{token.start[0]} {found}" for found in private(plain)]
    assert wrong == []


def test_a_private_word_would_be_found() -> None:
    assert private("The face wears a smile.") == ["'The face wears a smile.': shows"]
    assert private("`--told` is code.\n```\nlent\n```\n") == []
