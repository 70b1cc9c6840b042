"""What MkDocs does not know of: pages made of the code, and files that pages link to.

Pages link to files by their paths in the repository, so that links work there too. A file outside
`docs/` that a page links to becomes part of the site: Markdown as a page, anything else as it is.
"""

from __future__ import annotations

import posixpath
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"(?<!`)(!?\[[^\]]*\]\()([^)#\s]+)(#[^)\s]*)?(\))")
MADE = {
    "reference/commands.md": "commands",
    "reference/http.md": "http_calls",
    "reference/weights.md": "weights",
}
"""Page -> the module beside this one whose `page()` writes it."""
AT_ROOT = ("SECURITY.md", "CONTRIBUTING.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
BESIDE = "repository"
"""Folder of the site for the other files outside `docs/`, by their paths in the repository."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made, and every file of the repository that a page links to."""
    for name, module in MADE.items():
        files.append(File.generated(config, name, content=_made(module)))
    waiting = [ROOT / "docs" / f.src_uri for f in files if f.src_uri.endswith(".md")]
    waiting = [p for p in waiting if p.is_file()] + [ROOT / name for name in AT_ROOT]
    seen = {ROOT / "README.md"}  # the site begins with a page of its own
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        if path.suffix == ".md":
            waiting += [t for t in targets(path) if t.is_file() and not _in_docs(t)]
        if not _in_docs(path):
            files.append(_file(config, path))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as the site has them."""
    origin = _origin(page.file.src_uri)
    if origin is None:
        return markdown

    def moved(match: re.Match[str]) -> str:
        before, target, anchor, after = match.groups()
        if "://" in target or target.startswith("mailto:"):
            return match[0]
        path = (origin.parent / target).resolve()
        if path.is_dir() or not path.is_relative_to(ROOT):
            return match[0]  # MkDocs complains of it
        to = posixpath.relpath(_uri(path), posixpath.dirname(page.file.src_uri) or ".")
        return f"{before}{to}{anchor or ''}{after}"

    return LINK.sub(moved, markdown)


def on_post_build(config: MkDocsConfig) -> None:
    """Fail for a dead link of the finished site."""
    dead = _beside("links").dead(Path(config.site_dir))
    if dead:
        raise PluginError("links that lead nowhere:\n" + "\n".join(dead))


def targets(path: Path) -> list[Path]:
    """The files that a page links to by path."""
    links = [m[1] for m in LINK.findall(path.read_text(encoding="utf-8"))]
    local = [t for t in links if "://" not in t and not t.startswith("mailto:")]
    return [(path.parent / t).resolve() for t in local]


def _made(name: str) -> str:
    """What `page()` of a module beside this one says."""
    return str(_beside(name).page())


def _beside(name: str) -> ModuleType:
    """A module beside this one."""
    spec = spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _in_docs(path: Path) -> bool:
    return path.is_relative_to(ROOT / "docs")


def _uri(path: Path) -> str:
    """Where the site has a file of the repository."""
    if _in_docs(path):
        return path.relative_to(ROOT / "docs").as_posix()
    inside = path.relative_to(ROOT).as_posix()
    if inside == "README.md":
        return "index.md"
    return inside if inside in AT_ROOT else f"{BESIDE}/{inside}"


def _origin(uri: str) -> Path | None:
    """The file of the repository that a page of the site is; None for one that is made."""
    if uri in MADE:
        return None
    if uri in AT_ROOT:
        return ROOT / uri
    if uri.startswith(f"{BESIDE}/"):
        return ROOT / uri.removeprefix(f"{BESIDE}/")
    return ROOT / "docs" / uri


def _file(config: MkDocsConfig, path: Path) -> Any:
    content = path.read_bytes() if path.suffix != ".md" else path.read_text(encoding="utf-8")
    return File.generated(config, _uri(path), content=content)
