"""Somebody else's modules are found in their folder alone, and are gone afterwards."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

from mien.errors import AssetMissing, ConfigError


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "__init__.py").write_text("from .inner import who\n")
    (tmp_path / "deep" / "inner.py").write_text("import utils\nwho = utils.who\n")
    (tmp_path / "utils.py").write_text("who = 'theirs'\n")
    return tmp_path


def test_modules_come_from_the_checkout_and_leave_no_trace(clone: Path) -> None:
    from mien.bench.peers.checkout import opened

    ours = ModuleType("utils")
    sys.modules["utils"] = ours
    try:
        with opened(clone) as import_:
            deep = import_("deep")
            assert sys.modules["utils"] is not ours
        assert deep.who == "theirs"
        assert sys.modules["utils"] is ours
        assert "deep.inner" not in sys.modules
        assert not list(clone.rglob("__pycache__"))
    finally:
        del sys.modules["utils"]


def test_two_checkouts_do_not_see_one_another(clone: Path, tmp_path: Path) -> None:
    from mien.bench.peers.checkout import opened

    other = tmp_path / "other"
    other.mkdir()
    (other / "utils.py").write_text("who = 'others'\n")
    with opened(clone) as import_:
        assert import_("utils").who == "theirs"
    with opened(other) as import_:
        assert import_("utils").who == "others"


def test_a_shell_can_be_imported_and_not_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.bench.peers import checkout

    monkeypatch.setattr(checkout, "SHELLS", ("no_such_library",))
    (tmp_path / "uses.py").write_text(
        "import no_such_library.deep as deep\nfrom no_such_library import draw\n"
    )
    with checkout.opened(tmp_path) as import_:
        uses = import_("uses")
    with pytest.raises(ConfigError, match=r"no_such_library\.draw is not installed"):
        uses.draw(1)
    with pytest.raises(ConfigError, match=r"deep\.paint"):
        uses.deep.paint()
    assert not [name for name in sys.modules if name.startswith("no_such_library")]


def test_what_cannot_be_imported_is_one_line(tmp_path: Path) -> None:
    from mien.bench.peers.checkout import opened

    with pytest.raises(AssetMissing, match="no checkout at"), opened(tmp_path / "none"):
        pass
    (tmp_path / "old.py").write_text('print "old"\n')
    with opened(tmp_path) as import_, pytest.raises(ConfigError, match="cannot import old"):
        import_("old")
    with opened(tmp_path) as import_, pytest.raises(ConfigError, match="nobody"):
        import_("nobody")


def test_python_2_is_read_in_memory(tmp_path: Path) -> None:
    from mien.bench.peers.checkout import opened, to_python_3

    text = 'if True:\n    print "%d done" % 3\nprint("new")\nkept = dict(a=1)\n'
    (tmp_path / "old.py").write_text(text)
    with opened(tmp_path, port=to_python_3) as import_:
        assert import_("old").kept == {"a": 1}
    assert (tmp_path / "old.py").read_text() == text


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is one")
def test_without_a_gpu_everything_stays() -> None:
    from mien.bench.peers.checkout import anywhere

    before = torch.Tensor.cuda
    with anywhere():
        x = torch.ones(2)
        assert x.cuda(0, non_blocking=True) is x
        layer = torch.nn.Linear(1, 1)
        assert layer.cuda() is layer
    assert torch.Tensor.cuda is before


def test_defaults_are_read_and_not_run(fakes: Path) -> None:
    from mien.bench.peers.checkout import argument_defaults

    found = argument_defaults(fakes / "stargan" / "main.py")
    assert found["c_dim"] == 5
    assert found["rate"] == 1e-2
    assert found["resume_iters"] is None
    with pytest.raises(AssetMissing, match="right checkout"):
        argument_defaults(fakes / "main.py")


def test_a_checkout_is_known_by_its_code(clone: Path) -> None:
    from mien.bench.peers.checkout import commit_of, digest_of

    before = digest_of(clone)
    (clone / "notes.txt").write_text("no code")
    assert digest_of(clone) == before
    (clone / "utils.py").write_text("who = 'changed'\n")
    assert digest_of(clone) != before
    assert commit_of(clone) == ""
