"""Films and series by the HTTP API: begun, looked at, fetched, ended, refused."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from mien import images
from mien.people import series
from mien.server.answers import Refused
from mien.server.app import create
from mien.server.series import AllSeries
from mien.server.workshop import Workshop
from mien.studio.all_series import SeriesPanel
from mien.studio.asking import SeriesAsked
from mien.studio.events import Events


@pytest.fixture(autouse=True)
def without_judges(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They take seconds; and what is written, is written here."""
    monkeypatch.setattr(series, "torch_is_here", lambda: False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def left(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.is_file() and "mien-" in str(p.relative_to(folder))]


def ended(client: TestClient, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    job = answer.json()
    for _ in range(3000):
        if job["state"] != "making":
            break
        time.sleep(0.02)
        job = client.get(f"/v1/jobs/{job['job']}").json()
    return dict(job)


def test_a_series(client: TestClient, anna: bytes, ben: bytes, tmp_path: Path) -> None:
    expressions = {"wink": {"to": "happy", "au": ["AU43L=1"]}}
    files = [("image", ("../a.jpg", anna)), ("image", ("b c.jpg", ben))]
    fields = {"labels": "sad,fear", "expressions": json.dumps(expressions), "size": "256"}
    fields |= {"oval": "true"}
    job = ended(client, client.post("/v1/series", files=files, data=fields))
    assert (job["kind"], job["state"], job["done"], job["error"]) == ("series", "done", 6, None)
    answer = client.get(f"/v1/jobs/{job['job']}/result")
    assert answer.headers["content-type"] == "application/zip"
    packed = zipfile.ZipFile(io.BytesIO(answer.content))
    names, table = packed.namelist(), packed.read("series.csv").decode().splitlines()
    assert len({row["oval"] for row in csv.DictReader(table)} - {""}) == 1, "one oval for all"
    assert {"a/sad.png", "b-c/wink.png", "series.csv", "plan.csv"} <= set(names)
    assert left(tmp_path)
    assert client.delete(f"/v1/jobs/{job['job']}").status_code == 204
    assert left(tmp_path) == []
    gone = client.get(f"/v1/jobs/{job['job']}")
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "not_found")


def test_people_are_called_as_their_files(client: TestClient, anna: bytes, tmp_path: Path) -> None:
    """Whatever these are called; twice the same name, and files in JSON, which have none."""
    blank = images.encode(np.full((300, 300, 3), 128, np.uint8), ".png", altered=False)
    called = [
        "..\\..\\x/anna.jpg",
        "A/ANNA.jpg",
        "series.csv.png",
        ".<b>\n.png",
        "é" * 300 + ".png",
    ]
    files = [("image", (name, anna if "n" in name.lower()[-8:-4] else blank)) for name in called]
    fields = {"labels": "sad", "size": "256"}
    job = ended(client, client.post("/v1/series", files=files, data=fields))
    names = zipfile.ZipFile(
        io.BytesIO(client.get(f"/v1/jobs/{job['job']}/result").content)
    ).namelist()
    assert {n for n in names if n.endswith("png")} == {"anna/sad.png", "ANNA-2/sad.png"}
    assert [fault.split(":")[0] for fault in job["faults"][:1]] == ["series.csv-2"]
    assert not any("<" in fault or "\n" in fault for fault in job["faults"])
    text = base64.b64encode(anna).decode()
    job = ended(client, client.post("/v1/series", json={"image": [text], "labels": ["sad"]}))
    told = zipfile.ZipFile(io.BytesIO(client.get(f"/v1/jobs/{job['job']}/result").content))
    assert "01/sad.png" in told.namelist()


def test_a_film_is_made_and_another_ended(
    client: TestClient, films: Callable[..., Path], ben: bytes, tmp_path: Path
) -> None:
    pytest.importorskip("av", reason="needs mien[video]")
    film = films("short", 8).read_bytes()
    fields = {"au": "AU12=0.9", "curve": '{"0": 0, "0.2": 1}', "start": "0.08"}
    files = {"film": film, "like": ben}
    job = ended(client, client.post("/v1/films", files=files, data=fields))
    assert (job["kind"], job["state"], job["done"], job["total"]) == ("film", "done", 6, 6)
    result = client.get(f"/v1/jobs/{job['job']}/result")
    assert (result.headers["content-type"], result.content[4:8]) == ("video/mp4", b"ftyp")
    assert client.delete(f"/v1/jobs/{job['job']}").status_code == 204
    long = base64.b64encode(films("long", 400).read_bytes()).decode()
    begun = client.post("/v1/films", json={"film": long, "to": "happy"})
    key = begun.json()["job"]
    early = client.get(f"/v1/jobs/{key}/result")
    assert (early.status_code, early.json()["error"]["code"]) == (409, "not_done")
    busy = client.post("/v1/films", json={"film": long, "to": "sad"})
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "10")
    assert client.delete(f"/v1/jobs/{key}").status_code == 204
    for _ in range(500):
        if not left(tmp_path):
            break
        time.sleep(0.02)
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "fields", "told"),
    [
        ("series", {}, "choose an expression"),
        ("series", {"labels": ["joyful"]}, "joyful"),
        ("series", {"labels": ["sad"], "size": 4000}, "size is 4000"),
        ("series", {"labels": ["sad"], "image": ["AAAA"]}, "not a picture"),
        ("series", {"expressions": {"a": {"like": "/etc/passwd"}}}, "no `like`"),
        ("series", {"expressions": {"a": {"joy": 1}}}, "unknown field"),
        ("series", {"labels": ["sad"], "intensities": [9]}, "less than or equal to 2"),
        ("films", {"to": "sad"}, "is not a film"),
        ("films", {}, "say which expression"),
        ("films", {"to": "sad", "curve": {"soon": 1}}, "is not a film"),
        ("series", {"labels": ["sad"], "intensities": [0.5, 0.5000001]}, "called sad-0.5"),
        ("series", {"labels": ["anger:open"], "expressions": {"anger-open": {"to": "sad"}}},
         "called anger-open"),
        ("series", {"labels": ["sad"], "intensities": [2], "expressions": {"a": {"to": "fear",
         "intensity": 2}}}, "out of range"),
        ("films", {"like_film": "AAAA", "au": ["AU12=1"], "to": "sad"}, "leave out to, au"),
        ("films", {"to": "sad", "face": "the left one"}, "is not understood"),
        ("films", {"to": "sad", "face": "index 3"}, "is not a film"),
        ("films", {"keyframes": [{"time": 0, "to": "sad"}], "gaze": [0, 0]}, "leave out gaze"),
        ("films", {"keyframes": [{"to": "sad"}]}, "is not a film"),
        ("films", {"to": "sad", "start": -1}, "greater than or equal to 0"),
    ],
)  # fmt: skip
def test_refusals_leave_nothing(
    client: TestClient, anna: bytes, tmp_path: Path, path: str, fields: dict[str, Any], told: str
) -> None:
    whole = {"image": [base64.b64encode(anna).decode()]} if path == "series" else {"film": "AAAA"}
    answer = client.post(f"/v1/{path}", json=whole | fields)
    assert 400 <= answer.status_code < 500
    assert told in answer.json()["error"]["message"]
    assert left(tmp_path) == []


def test_one_is_made_at_a_time_wherever_it_is_begun(
    workshop: Workshop, anna: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The studio's tab and the API share what is open, but no keys."""
    tab = SeriesPanel(workshop, Events(workshop).sittings)
    upload = tmp_path / "ben.jpg"
    upload.write_bytes(anna)

    async def halted(*_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(AllSeries, "_make", halted)

    async def begin(key: str) -> None:
        asked = SeriesAsked(series=key, labels=["sad"], intensities=[1], size=256)
        with pytest.raises(Refused, match="a series is being made"):
            await tab.make(asked)

    with TestClient(create(workshop), base_url="http://127.0.0.1") as client:
        opened = tab.open.take("", "a page")
        opened.add_photo(upload, workshop.limits)
        asked = {"image": [base64.b64encode(anna).decode()], "labels": ["sad", "fear", "sad"]}
        job = client.post("/v1/series", json=asked)
        assert (job.status_code, job.json()["total"]) == (202, 2)
        asyncio.run(begin(opened.key))
        assert client.post("/v1/series", json=asked).status_code == 429
        assert client.get(f"/v1/jobs/{opened.key}").status_code == 404
        assert client.delete(f"/v1/jobs/{opened.key}").status_code == 404
        assert opened.key in tab.open


def test_a_job_that_is_being_filled_stays(workshop: Workshop) -> None:
    """Others give way to new ones, and nothing else is begun."""
    everyone = AllSeries(workshop, most=2)
    job = everyone.take("", "job", filling=True)
    other, last = (everyone.take("", session) for session in "ab")
    assert (job.key in everyone, other.key in everyone, last.key in everyone) == (True, False, True)
    everyone.check_free(job)
    with pytest.raises(Refused, match="is being made"):
        everyone.check_free(last)
    second = everyone.take("", "job", filling=True)
    with pytest.raises(Refused, match="too many are open"):
        everyone.take("", "c")
    for key in (job.key, second.key):
        everyone.drop(key)
    everyone.check_free()


def test_the_description_says_that_a_token_is_needed(workshop: Workshop) -> None:
    secret = "a secret of some length"
    client = TestClient(create(workshop, secret), base_url="http://127.0.0.1")
    headers = {"authorization": f"Bearer {secret}"}
    said = client.get("/openapi.json", headers=headers).json()
    assert said["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    assert said["security"] == [{"token": []}]
    assert said["paths"]["/healthz"]["get"]["security"] == []
    for status in ("429", "503"):
        assert "Retry-After" in said["paths"]["/v1/films"]["post"]["responses"][status]["headers"]
    assert client.get("/v1/jobs/x").status_code == 401
