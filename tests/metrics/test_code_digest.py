"""What a line of the scorecard depends on: the code that measures, and nothing said of it."""

from __future__ import annotations

from pathlib import Path

from mien.metrics.scorecard import code_digest


def test_a_line_depends_on_the_code_that_measures_and_no_other(tmp_path: Path) -> None:
    def after(name: str) -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(path.read_text() + "1\n" if path.is_file() else "0\n")
        return code_digest(tmp_path)

    first = after("metrics/bench.py")
    assert after("server/app.py") == after("editor.py") == after("metrics/table.py") == first
    assert after("editors.py") != first
    assert len({after("metrics/bench.py"), after("methods/mtss/method.py"), first}) == 3
    assert code_digest() != first


def test_a_line_does_not_depend_on_what_is_said_of_the_code(tmp_path: Path) -> None:
    def of(source: str) -> str:
        (tmp_path / "a.py").write_text(source)
        return code_digest(tmp_path)

    bare = of('def f(x):\n    return "a"\n\n\nN = 1\n')
    said = of(
        '"""Module."""\ndef f(x):  # why\n    """What."""\n    return "a"\nN = 1\n"""Of N."""\n'
    )
    assert said == bare
    assert of('def f(x):\n    return "b"\nN = 1\n') != bare
    assert of('def f(x):\n    return "a"\nN = 2\n') != bare
