"""A client that a generator makes of `/openapi.json`, against `mien serve`: a real edit, and a real
film. `.ci/client` installs the generator; without it this is skipped.
"""

from __future__ import annotations

import base64
import importlib
import io
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("av", reason="needs mien[video]")

from mien.provenance.evidence import examine
from mien.video.evidence import examine_film

GENERATOR = os.environ.get("GENERATOR")
SECRET = "a secret of some length"

pytestmark = pytest.mark.skipif(GENERATOR is None, reason="needs a generator: bash .ci/client")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server that asks for a token."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "mien.cli.main", "serve", "--port", str(port)]
    process = subprocess.Popen(command, env=os.environ | {"MIEN_TOKEN": SECRET})
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{address}/healthz", timeout=5)
                break
            except OSError:
                assert process.poll() is None, "the server does not start"
                time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def made(served: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    """The generated package's parts, and a client that carries the token."""
    folder = tmp_path_factory.mktemp("client")
    asked = urllib.request.Request(
        f"{served}/openapi.json", headers={"Authorization": f"Bearer {SECRET}"}
    )
    described = folder / "openapi.json"
    described.write_bytes(urllib.request.urlopen(asked).read())
    settings = Path(__file__).with_name("client.yml")
    said = subprocess.run(
        [str(GENERATOR), "generate", "--path", described, "--config", settings, "--meta", "none",
         "--output-path", folder / "mien_client", "--fail-on-warning"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout + said.stderr
    sys.path.insert(0, str(folder))
    try:
        part = {
            name: importlib.import_module(f"mien_client.{name}")
            for name in ("api.pictures.edit", "api.jobs.make_film", "api.jobs.job", "models",
                         "api.jobs.result", "api.jobs.end_job", "api.about.methods", "types")
        }  # fmt: skip
        top = importlib.import_module("mien_client")
        yield SimpleNamespace(
            client=top.AuthenticatedClient(base_url=served, token=SECRET, timeout=120),
            stranger=top.Client(base_url=served),
            **{name.rpartition(".")[2]: module for name, module in part.items()},
        )
    finally:
        sys.path.remove(str(folder))


def test_an_edit_in_both_forms(made: Any, anna: bytes, tmp_path: Path) -> None:
    models = made.models
    photo = made.types.File(io.BytesIO(anna), "anna.jpg", "image/jpeg")
    smile = {"to": models.EditFormToType0("happy"), "au": ["AU1=0.4"], "gaze": [0.4, 0.0]}
    answer = made.edit.sync_detailed(client=made.client, body=models.EditForm(photo, **smile))
    assert answer.status_code == 200, answer.content
    by_form = answer.parsed.payload.read()
    (tmp_path / "smile.png").write_bytes(by_form)
    seen = examine(tmp_path / "smile.png")
    assert seen.mark == "found"
    assert seen.statement["guide"] == "happy AU1=0.4 gaze=0.4,0"
    before, after = (np.asarray(Image.open(io.BytesIO(data)), int) for data in (anna, by_form))
    assert np.abs(before - after).max() > 40
    smile["to"] = models.EditRequestToType0("happy")
    body = models.EditRequest(base64.b64encode(anna).decode(), **smile)
    by_json = made.edit.sync_detailed(client=made.client, body=body).parsed.payload.read()
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(by_json)), int), after)


def test_mistakes_and_strangers_are_told(made: Any, anna: bytes) -> None:
    empty = made.models.EditRequest(base64.b64encode(anna).decode())
    told = made.edit.sync(client=made.client, body=empty)
    assert isinstance(told, made.models.ErrorAnswer)
    assert told.error.code == "bad_guide"
    assert made.methods.sync_detailed(client=made.stranger).status_code == 401
    assert "morphable" in [m.name for m in made.methods.sync(client=made.client).methods]


def test_a_film_of_keyframes(made: Any, films: Callable[..., Path], tmp_path: Path) -> None:
    models = made.models
    film = made.types.File(io.BytesIO(films("short", 12).read_bytes()), "short.mp4", "video/mp4")
    keys = [{"time": 0.1}, {"time": 0.4, "to": "happy"}]
    keys = [models.FilmFormKeyframesType0Item.from_dict(key) for key in keys]
    begun = made.make_film.sync(client=made.client, body=models.FilmForm(film, keyframes=keys))
    assert isinstance(begun, models.JobAnswer), begun
    while (now := made.job.sync(begun.job, client=made.client)).state == "making":
        time.sleep(0.1)
    assert (now.state, now.done, now.error) == ("done", 12, None)
    kept = tmp_path / "made.mp4"
    kept.write_bytes(made.result.sync(begun.job, client=made.client).payload.read())
    seen = examine_film(kept)
    assert seen.mark == "found"
    assert seen.statement["guide"] == "source at 0.1 s; happy keeping speech at 0.4 s"
    assert made.end_job.sync_detailed(begun.job, client=made.client).status_code == 204
    assert made.job.sync_detailed(begun.job, client=made.client).status_code == 404
