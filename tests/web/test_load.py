"""The load benchmark against the real `mien serve`, for a moment."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from starlette.testclient import TestClient

from mien.bench.servers import load, load_studio
from mien.server.app import create
from mien.server.workshop import Workshop

HERE = "http://127.0.0.1"
ROOT = Path(__file__).resolve().parents[2]


def test_the_benchmark_runs(tmp_path: Path) -> None:
    out = tmp_path / "load.json"
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "mien.cli.main",
        "bench",
        "load",
        "--seconds",
        "1",
        "--clients",
        "40",
    ]
    # bodies that trickle have a minute's time: test_slow has them, with a shorter one
    command += ["--slow", "half_head", "--slow", "half_body"]
    command += ["--edits", "4", "-o", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = json.loads(out.read_text())
    crowd, memory = found["crowd"], found["memory"]
    assert crowd["answers"].keys() == {"200", "429 busy"}, "forty at once are more than may wait"
    assert crowd["told_to_slow"]["half_head: 408 too_slow"] >= 2
    assert crowd["wrong"] == memory["wrong"] == []
    assert crowd["p50_ms"] <= crowd["p99_ms"]
    assert crowd["health_asked"] > 5
    assert memory["edits"] == 4
    # four edits are too few for a line on memory, and a busy machine is slow to answer
    assert done.returncode == 0 or re.search(r"not fine: (health|memory)", done.stderr)


def test_what_is_wrong_is_told() -> None:
    found = {
        "crowd": {"wrong": ["no answer"] * 2, "health_slowest_ms": 1000},
        "memory": {"wrong": [], "memory_growth": 1.06},
    }
    told = ["no answer (x 2)", "health took 1000 ms", "memory x 1.06"]
    assert load.faults(found) == told


@pytest.mark.parametrize(
    ("status", "body", "wrong"),
    [
        (429, b'{"error": {"code": "busy", "message": "later"}}', False),
        (503, b'{"error": {"code": "ending", "message": "later"}}', False),
        (500, b'{"error": {"code": "internal", "message": "see the log"}}', True),
        (429, b'{"error": {"code": "busy", "message": ""}}', True),
        (404, b"Not Found", True),
        (200, b"\x89PNG\r\n\x1a\n", True),
    ],
)
def test_answers_are_judged(status: int, body: bytes, wrong: bool) -> None:
    assert bool(load.judge(status, body)[1]) == wrong


def test_what_the_studio_shows_is_judged() -> None:
    judge = load_studio.judge
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG")
    whole = base64.b64encode(file.getvalue()).decode()
    shown = f'<img src="data:image/jpeg;base64,{whole}">'
    parts = {"stage": shown, "sheet": shown}
    assert judge(200, {"html": parts}, 2) == ("shown", "")
    assert judge(200, {"picture": {"src": shown[10:-2]}}, 1) == ("shown", "")
    assert "1 pictures instead of 2" in judge(200, {"html": {"stage": shown}}, 2)[1]
    cut = shown.replace(whole, whole[:80])
    assert "no whole picture" in judge(200, {"html": {"stage": cut}}, 1)[1]
    assert judge(422, {"error": {"message": "open the photograph again"}}, 2)[1] == ""
    assert judge(503, {"error": {"code": "ending", "message": "later"}}, 2)[1] == ""
    assert judge(500, {"error": None}, 2)[1] == "500 without a reason"


def test_the_studios_visitors_find_their_events(workshop: Workshop) -> None:
    """Of the page as it is now, over the same requests as a browser's."""
    with TestClient(create(workshop, studio=True), base_url=HERE) as client:
        opened = client.post("/studio/photograph/sample", json={"name": "anna"}).json()
        key = opened["keys"]["photograph"]
        assert opened["then"] == list(load_studio.OPENED)
        steps = [(event, fields(0.5)) for event, fields in load_studio.STEPS]
        for event, fields in (*steps, *((name, {}) for name in load_studio.OPENED)):
            answer = client.post(f"/studio/photograph/{event}", json={"photograph": key, **fields})
            assert answer.status_code == 200, (event, answer.text)
