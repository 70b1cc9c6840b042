"""What several test folders use: the original data sets, the face model on two photographs, an
isolated cache, a method without weights, a certificate chain; and which tests ask for data.
"""

from __future__ import annotations

import ast
import datetime as dt
import functools
import gc
import os
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mien import facs, images
from mien.data.adapters.tem import read_tem, to_68
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces.align import align
from mien.faces.detect import detect
from mien.guides import ActionUnits, Label, Reference
from mien.methods.learnt import Learnt
from mien.methods.registry import OWN
from mien.rig.dataset import Source
from mien.types import AlignedFace, Composition, Expression, Face, Faces, Identity
from mien.zoo import data_home
from mien.zoo.samples import samples

NEUTRAL, SMILING = "neutral_front/003_03", "smiling_front/032_08"

_DATA = re.compile(r"\b(?:data_home|doctor|landmarker)\b|\.standing\(|['\"]list['\"]")
"""What a test says that looks for data by itself: by name, or by a command that does."""
_BROWSER = re.compile(r"\bbrowser\b")
_WORD = re.compile(r"\w+")
_NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--asking-for-data", action="store_true", help="only the tests that data change"
    )
    parser.addoption(
        "--in-browser",
        choices=("only", "none"),
        help="only the tests in a browser, or none of them",
    )


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """What tests import stays until the end: the garbage collector need not go through it, a tenth
    of a second each time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `--asking-for-data` or `--in-browser only` a test file that names nothing of what is
    asked for is not even imported: that takes longer than many a test."""
    if not (collection_path.name.startswith("test_") and collection_path.suffix == ".py"):
        return None
    said = collection_path.read_text(encoding="utf-8")
    if config.getoption("--asking-for-data") and not (
        _DATA.search(said) or _fixtures(_DATA) & set(_WORD.findall(said))
    ):
        return True
    only = config.getoption("--in-browser") == "only"
    return True if only and not _fixtures(_BROWSER) & set(_WORD.findall(said)) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--asking-for-data` what takes the fixture `original`, itself or through others, and
    what looks for data by itself; with `--in-browser` by the fixture `browser`."""
    kept = items[:]
    if config.getoption("--asking-for-data"):
        kept = [item for item in kept if _asks(item)]
    if in_browser := config.getoption("--in-browser"):
        kept = [item for item in kept if (in_browser == "only") == _takes(item, "browser")]
    if len(kept) < len(items):
        chosen = set(kept)
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = kept


_USED: dict[str, float] = {}
"""Folder of tests -> seconds of the processor, those of the processes that they ended too."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    before = os.times()
    result = yield
    folder = item.nodeid.split("::")[0].rpartition("/")[0]
    _USED[folder] = _USED.get(folder, 0.0) + sum(os.times()[:4]) - sum(before[:4])
    return result


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """With `--durations`: which folders are slow, however busy the machine is."""
    if config.getoption("durations") is None:
        return
    terminalreporter.section("seconds of the processor by folder")
    for folder, seconds in sorted(_USED.items(), key=lambda row: -row[1]):
        terminalreporter.write_line(f"{seconds:7.1f} {folder}")


def _takes(item: pytest.Item, fixture: str) -> bool:
    return fixture in getattr(item, "fixturenames", ())


def _asks(item: pytest.Item) -> bool:
    if item.get_closest_marker("same_without_data"):
        return False
    name = getattr(item, "originalname", item.name)
    asking = _naming(item.path, _DATA) if item.path.suffix == ".py" else frozenset()
    return _takes(item, "original") or name in asking or bool(_DATA.search(item.name))


@functools.cache
def _naming(path: Path, what: re.Pattern[str]) -> frozenset[str]:
    """Functions and constants of a file that say `what`, or use one that does."""
    said: dict[str, str] = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            bound = [n.id for n in ast.walk(node) if isinstance(n, ast.Name)]
            names = [node.name] if isinstance(node, _NAMED) else bound
            said |= dict.fromkeys(names, ast.unparse(node))
    found: set[str] = set()
    more = {name for name, text in said.items() if what.search(text)}
    while more:
        found |= more
        more = {
            n for n, text in said.items() if n not in found and found & set(_WORD.findall(text))
        }
    return frozenset(found)


@functools.cache
def _fixtures(what: re.Pattern[str]) -> frozenset[str]:
    """The same of all files of fixtures, and of these lines."""
    paths = sorted(Path(__file__).parent.rglob("conftest.py"))
    return frozenset().union(*(_naming(path, what) for path in paths))


@pytest.fixture(scope="session")
def original() -> Callable[..., Path]:
    """`original("london")` is that folder or file of `data_home()`; the test skips without it."""

    def find(*parts: str) -> Path:
        path = data_home().joinpath(*parts)
        if not path.exists():
            pytest.skip(f"needs {'/'.join(parts)} in {data_home()} (see docs/data.md)")
        return path

    return find


@pytest.fixture(scope="session")
def model() -> FaceModel:
    return FaceModel.load()


@pytest.fixture(scope="session")
def crop(original: Callable[..., Path]) -> Callable[[str], AlignedFace]:
    """A London photograph as a rig sees it: by hand-checked points, or detected if it has none."""

    def load(name: str) -> AlignedFace:
        photo = original("london", f"{name}.jpg")
        pixels, points = images.read(photo).pixels, photo.with_suffix(".tem")
        if points.exists():
            face = Face((0, 0, 0, 0), 1.0, to_68(read_tem(points)))
        else:
            face = detect(pixels)[0]
        return align(pixels, face, 320)

    return load


@pytest.fixture(scope="session")
def sample_face() -> AlignedFace:
    """A sample as a rig sees it, with data and without."""
    pixels = images.read(samples()["anna"]).pixels
    return align(pixels, detect(pixels)[0], 320)


@pytest.fixture(scope="session")
def neutral(model: FaceModel, sample_face: AlignedFace) -> Rig:
    return Rig(model, sample_face.pixels, sample_face.landmarks, neutral=True)


@pytest.fixture(scope="session")
def smiling(model: FaceModel, crop: Callable[[str], AlignedFace]) -> Rig:
    face = crop(SMILING)
    return Rig(model, face.pixels, face.landmarks, neutral=False)


@pytest.fixture(scope="session")
def sources(crop: Callable[[str], AlignedFace]) -> list[Source]:
    """Two photographs to render: one at rest, one smiling."""
    out = []
    for name in (NEUTRAL, SMILING):
        face, stem = crop(name), name.rpartition("/")[2]
        person, rest = f"london/{stem[:3]}", stem.endswith("03")
        out.append(
            Source(person, f"{person}/{stem}", "train", face.pixels, face.landmarks, rest, "CC")
        )
    return out


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of mien's own, so that a test neither sees nor leaves imports."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("MIEN_CACHE", str(folder))
    return folder


class WideMouth(Learnt):
    """A method without weights: two numbers, how wide and how open a mouth is, and an analytic
    flow.

    It reads the width off the landmarks, moves the corners of the mouth by smooth bumps, and paints
    the inside of an opened one dark.
    """

    name = "wide-mouth"
    native = (Label, ActionUnits, Reference)
    size = 128
    drawn_by = OWN

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.zeros(1), requires_grad=False)

    def encode(self, faces: Faces[Tensor]) -> Expression[Tensor]:
        corners, eyes = faces.landmarks[:, [48, 54]], faces.landmarks[:, [36, 45]]
        width = (corners[:, 1] - corners[:, 0]).norm(dim=-1) / (eyes[:, 1] - eyes[:, 0]).norm(
            dim=-1
        )
        return Expression(torch.stack([4 * (width - 0.5), torch.zeros_like(width)], 1))

    def from_labels(self, index: Tensor) -> Expression[Tensor]:
        table = {"happy": (2.0, 0.0), "surprise": (0.4, 1.0), "neutral": (0.4, 0.0)}
        rows = [table.get(facs.EMOTIONS[int(i)], (0.8, 0.0)) for i in index]
        return Expression(torch.tensor(rows))

    def from_units(self, units: Tensor) -> Expression[Tensor]:
        return Expression(units[:, [facs.INDEX["AU12L"], facs.INDEX["AU26"]]] * 2)

    def units(self, expression: Expression[Tensor]) -> Tensor:
        out = torch.zeros(len(expression.code), len(facs.UNITS))
        out[:, list(facs.columns("AU12"))] = expression.code[:, :1].clamp(0, 2) / 2
        out[:, facs.INDEX["AU26"]] = expression.code[:, 1].clamp(0, 2) / 2
        return out

    def identity(self, source: Faces[Tensor]) -> Identity[Tensor]:
        return Identity(source, (self.encode(source).code,))

    def compose(
        self, identity: Identity[Tensor], expression: Expression[Tensor]
    ) -> Composition[Tensor]:
        faces, change = identity.source, expression.code - identity.features[0]
        wider, opener = change[:, 0, None, None], change[:, 1, None, None]
        left, right, chin = (self._bump(faces.landmarks[:, i], 9.0) for i in (48, 54, 8))
        flow = torch.stack([0.03 * wider * (left - right), -0.05 * opener * chin], 1)
        inside = self._bump(faces.landmarks[:, 60:68].mean(1), 4.0)
        mask = (1 - opener.clamp(0, 1) * inside)[:, None]
        return Composition(flow, mask, torch.full_like(faces.pixels, -0.8))

    def _bump(self, place: Tensor, width: float) -> Tensor:
        """A Gaussian (B, S, S) around points (B, 2)."""
        line = torch.arange(self.size, dtype=torch.float32)
        x, y = line[None] - place[:, :1], line[None] - place[:, 1:]
        return torch.exp(-(x[:, None, :] ** 2 + y[:, :, None] ** 2) / (2 * width**2))


@pytest.fixture(scope="session")
def wide_mouth() -> Learnt:
    """A method without weights, for everything around a method; see `WideMouth`."""
    return WideMouth().eval()


@dataclass(frozen=True)
class Keys:
    """Files of a root of trust and of a signer below it."""

    chain: Path
    key: Path
    root: Path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    x509 = pytest.importorskip("cryptography.x509")
    pytest.importorskip("c2pa")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(common: str) -> object:
        oid = x509.NameOID
        parts = {oid.COMMON_NAME: common, oid.ORGANIZATION_NAME: "mien tests"}
        return x509.Name([x509.NameAttribute(k, v) for k, v in parts.items()])

    def certificate(common: str, key: object, signing: object, ca: bool) -> bytes:
        now = dt.datetime.now(dt.UTC)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        ) | {"encipher_only": False, "decipher_only": False}
        usage |= {"digital_signature": not ca, "key_cert_sign": ca, "crl_sign": ca}
        issuer = signing.public_key()  # type: ignore[attr-defined]
        made = (
            x509.CertificateBuilder(name("root"), name(common), key.public_key())  # type: ignore[attr-defined]
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(x509.KeyUsage(**usage), True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False)
        )
        if not ca:
            mail = x509.ExtendedKeyUsageOID.EMAIL_PROTECTION
            made = made.add_extension(x509.ExtendedKeyUsage([mail]), False)
        pem: bytes = made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return pem

    folder = tmp_path_factory.mktemp("keys")
    top, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = certificate("root", top, top, ca=True)
    files = Keys(folder / "chain.pem", folder / "key.pem", folder / "root.pem")
    files.chain.write_bytes(certificate("signer", own, top, ca=False) + root)
    files.root.write_bytes(root)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    files.key.write_bytes(own.private_bytes(*form, serialization.NoEncryption()))
    return files
