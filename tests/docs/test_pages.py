"""The pages hold together: all are in the site, every link and anchor leads somewhere, every
command and option that is named exists."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from mien.cli import main

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
AT_ROOT = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
FENCES = re.compile(r"^```.*?^```", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
MADE = {"reference/commands.md", "reference/http.md", "reference/weights.md"}


def text_of(page: Path) -> str:
    """A page without its blocks of code."""
    return FENCES.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the site and GitHub make them."""
    found = set()
    for heading in re.findall(r"^#+ (.+?)(?: #+)?$", text_of(page), re.M):
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        letters = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
        found.add(re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", letters).strip().lower()))
    return found


def leaves(entry: Any) -> Iterator[str]:
    """The pages of a navigation."""
    if isinstance(entry, str):
        yield entry
    else:
        for inner in entry if isinstance(entry, list) else entry.values():
            yield from leaves(inner)


def test_every_page_is_in_the_navigation() -> None:
    listed = set(leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"]))
    there = {p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md")}
    assert there <= listed
    assert listed - there <= MADE | set(AT_ROOT)


def test_links_and_anchors(page: Path) -> None:
    wrong = []
    for link in LINK.findall(text_of(page)):
        if "://" in link or link.startswith("mailto:"):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            wrong.append(link)
    assert wrong == []


def test_lists_begin_after_an_empty_line(page: Path) -> None:
    """Python's Markdown takes them for the paragraph's text otherwise; GitHub does not."""
    lines = text_of(page).splitlines()
    wrong = [
        line
        for before, line in pairwise(lines)
        if re.match(r"(?:[-*]|\d+\.) ", line)
        and before.strip()
        and not re.match(r"\s*(?:[-*]|\d+\.) |\s{2,}", before)
    ]
    assert wrong == []


def test_the_readme_is_one_screen() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").split()) < 900


@pytest.fixture(scope="module")
def tree() -> dict[str, set[str]]:
    """Command, `data import` for one of a group -> its options."""
    found: dict[str, set[str]] = {}
    for name in main.COMMANDS:
        inner = main.leaves(name)
        found[name] = _options(inner[""]) if "" in inner else set()
        found |= {f"{name} {leaf}": _options(one) for leaf, one in inner.items() if leaf}
    return found


def _options(command: Any) -> set[str]:
    return {"--help", "-h"} | {
        o for p in command.params for o in (*p.opts, *p.secondary_opts) if o[0] == "-"
    }


def named(text: str) -> list[str]:
    """What stands in a text as `mien ...`."""
    return re.findall(r"(?<!`)`(mien [^`]+)`(?!`)", text)


def fault(said: str, tree: dict[str, set[str]]) -> str | None:
    """What is wrong with a command as a text names it."""
    words = said.split()[1:]
    if words[0].startswith("-") or words[0] in ("COMMAND", "..."):
        return None
    name = " ".join(words[:2]) if " ".join(words[:2]) in tree else words[0]
    if name not in tree:
        return f"no command {name}"
    known = tree[name] | {
        o for n, options in tree.items() if n.startswith(f"{name} ") for o in options
    }
    wrong = [w for w in words if re.match(r"--?[a-z]", w) and w.partition("=")[0] not in known]
    return f"{said}: no option {wrong[0]}" if wrong else None


def test_commands_in_the_text_exist(page: Path, tree: dict[str, set[str]]) -> None:
    found = [fault(said, tree) for said in named(text_of(page))]
    assert [f for f in found if f] == []


def test_and_those_of_the_other_texts(tree: dict[str, set[str]]) -> None:
    for name in AT_ROOT[:4]:
        found = [fault(said, tree) for said in named(text_of(ROOT / name))]
        assert [f for f in found if f] == [], name
    assert fault("mien paint x.jpg", tree) == "no command paint"
    assert fault("mien edit --quickly", tree) == "mien edit --quickly: no option --quickly"
    assert fault("mien data import london DIR --copy", tree) is None


def test_the_reference_of_commands_has_them_all(
    tree: dict[str, set[str]], made: Callable[[str], str]
) -> None:
    page = made("commands")
    for name, options in tree.items():
        assert f"mien {name} {{ #" in page
        assert all(f"`{o}`" in page for o in options - {"--help", "-h"}), name
    examples = [f"```sh\n{line}\n```" for line in main.EXAMPLES.values()]
    assert all(page.count(example) == 1 for example in examples)
    assert main.EXAMPLES.keys() == {name for name, options in tree.items() if options}


def test_the_reference_of_calls_has_them_all(made: Callable[[str], str]) -> None:
    pytest.importorskip("fastapi", reason="needs mien[web]")
    page = made("http_calls")
    for call in ("POST /v1/edit", "POST /v1/swap", "POST /v1/sheet", "GET /v1/methods"):
        assert f"## {call}\n" in page
    assert "| `share` | number, 0 to 1 |" in page


def test_what_is_installed_is_this_checkout_by_an_extra_that_exists(page: Path) -> None:
    """No package index has mien yet: `pip install mien` would bring nothing, or something else."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for named in re.findall(r"pip install (?:-e )?'?([^\s'`]+)", page.read_text(encoding="utf-8")):
        package, _, extras = named.rstrip("]").partition("[")
        assert package in (".", "--no-deps"), named
        assert set(filter(None, extras.split(","))) <= project["optional-dependencies"].keys()
