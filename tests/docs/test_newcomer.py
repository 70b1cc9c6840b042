"""`.ci/newcomer.py` types what the pages say, in their order, and stops where a step fails."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def newcomer(script: Callable[[Path], ModuleType]) -> ModuleType:
    return script(ROOT / ".ci" / "newcomer.py")


def test_each_path_begins_with_an_environment_and_names_what_it_makes(
    newcomer: ModuleType,
) -> None:
    for name, (pages, products) in newcomer.PATHS.items():
        typed = [step for page in pages for step in newcomer.steps(ROOT / "docs" / page)]
        names = [called for called, _ in typed]
        assert names[:3] == ["python3 -m venv .venv", ". .venv/bin/activate", "pip install ."], name
        everything = "\n".join(shell for _, shell in typed)
        assert all(product.split("/")[0] in everything for product in products), name
    assert set(newcomer.USUAL) <= newcomer.PATHS.keys()


PAGE = """# A page

```csv title="a b.csv"
x,$HOME
```

```sh
touch one \\
  two       # both
false
touch three
```
"""


def test_the_shell_saves_types_and_stops(newcomer: ModuleType, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    typed = list(newcomer.steps(page))
    assert [name for name, _ in typed] == [
        "(save a b.csv)",
        "touch one two # both",
        "false",
        "touch three",
    ]
    folder = tmp_path / "mien"
    folder.mkdir()
    done = subprocess.run(["bash", "-c", newcomer.script(typed)], cwd=folder, check=False)
    assert done.returncode == 1
    assert {p.name for p in folder.iterdir()} == {"a b.csv", "one", "two"}
    assert (folder / "a b.csv").read_text(encoding="utf-8") == "x,$HOME\n"
    assert len((tmp_path / "times").read_text().split()) == 3  # before, and after two steps


def test_a_path_that_is_none_is_refused() -> None:
    called = [sys.executable, str(ROOT / ".ci" / "newcomer.py"), "nowhere"]
    done = subprocess.run(called, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "no path nowhere: photograph, set" in done.stderr
