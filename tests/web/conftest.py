"""A server around a method without weights, and pictures to send to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from mien.editor import Editor
from mien.methods.base import Method
from mien.zoo.samples import samples

pytest.importorskip("fastapi", reason="needs mien[web]")
pytest.importorskip("gradio", reason="needs mien[web]")

from starlette.testclient import TestClient

from mien.web.app import create
from mien.web.limits import Limits
from mien.web.workshop import Workshop

HERE = "http://127.0.0.1"
LIMITS = Limits(body=2_000_000, pixels=2_000_000, waiting=2, seconds=20)


@pytest.fixture
def workshop(wide_mouth: Method) -> Workshop:
    return Workshop(lambda _: Editor(wide_mouth, "0" * 64), limits=LIMITS)


@pytest.fixture
def client(workshop: Workshop) -> Iterator[TestClient]:
    with TestClient(create(workshop), base_url=HERE, raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def anna() -> bytes:
    return samples()["anna"].read_bytes()


@pytest.fixture(scope="session")
def ben() -> bytes:
    return samples()["ben"].read_bytes()


@pytest.fixture(scope="session")
def couple(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Anna, and to her right a smaller Cora, in one photograph of 1100 x 600 px."""
    page = Image.new("RGB", (1100, 600), (200, 200, 200))
    page.paste(Image.open(samples()["anna"]), (0, 0))
    page.paste(Image.open(samples()["cora"]).resize((480, 480)), (610, 120))
    path = tmp_path_factory.mktemp("pictures") / "couple.png"
    page.save(path)
    return path
