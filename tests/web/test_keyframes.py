"""Keyframes of the expression in the studio's film tab and in the API, without a browser."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.datastructures import UploadFile

from mien.editor import Editor
from mien.errors import GuideError, MienError
from mien.guides import ExpressionSpec
from mien.methods.base import Method
from mien.server.limits import Limits
from mien.server.workshop import Workshop
from mien.studio.asking import FilmAsked, Upload

av = pytest.importorskip("av", reason="needs mien[video]")
testclient = pytest.importorskip("fastapi.testclient", reason="needs mien[web]")

from mien.server.app import create  # noqa: E402
from mien.server.orders import Order  # noqa: E402
from mien.server.reels import Reel  # noqa: E402
from mien.video.evidence import statement  # noqa: E402 - PyAV may be missing

OPEN = ExpressionSpec(to="surprise", au=("AU26=1",))


@pytest.fixture
def reel(films: Callable[..., Path], tmp_path: Path) -> Reel:
    upload = tmp_path / "upload.mp4"
    upload.write_bytes(films("ten", 10).read_bytes())
    made = Reel()
    made.open(upload, "ten.mp4", Limits())
    return made


def test_a_preview_shows_the_way_between_two(reel: Reel, wide_mouth: Method[Any]) -> None:
    assert reel.source is not None
    editor, order = Editor(wide_mouth, "0" * 64), Order(speech=False)
    reel.set_expression(0.2, OPEN)
    reel.set_expression(0.04, ExpressionSpec())
    reel.set_expression(0.21, OPEN)
    assert [key.time for key in reel.keyframes] == [0.04, 0.21], "next to another: in its place"

    def change(at: float, asked: Order = order) -> float:
        assert reel.source is not None
        before, after = reel.source.frame_at(at).pixels, reel.preview(editor, asked, at)
        assert after is not None
        return float(np.abs(after.astype(int) - before).mean())

    assert change(0.0) == 0, "the face as the film has it, to the bit"
    assert change(0.32) > 1.3 * change(0.12) > 0
    alone = Order(spec=ExpressionSpec(to="happy"), speech=False, single=True)
    assert change(0.0, alone) > 0, "what the fields say, before it is a keyframe"
    reel.drop_expression(0.21)
    assert change(0.32) == 0
    with pytest.raises(GuideError, match="mien video takes such"):
        reel.set_expression(0.3, ExpressionSpec(like="ben.jpg"))
    for i in range(49):
        reel.set_expression(1 + i, OPEN)
    with pytest.raises(GuideError, match="up to 50 keyframes here"):
        reel.set_expression(100, OPEN)


def test_the_tab_sets_saves_and_takes_them(
    workshop: Workshop, films: Callable[..., Path], tmp_path: Path
) -> None:
    from mien.studio.events import Events
    from mien.studio.films import Films

    panel = Films(workshop, Events(workshop).sittings)

    def do(event: str, file: Path | None = None, **fields: Any) -> Any:
        asked = FilmAsked(session="page", by=panel.drives[0], end=0.4, **fields)
        files = [] if file is None else [sent(file)]
        return asyncio.run(getattr(panel, event)(asked, files))

    upload, keys = tmp_path / "film.mp4", tmp_path / "keys.json"
    upload.write_bytes(films("ten", 10).read_bytes())
    key = do("open", upload).keys["film"]
    do("source_here", film=key)
    answer = do("key_here", film=key, moment=0.2, spec=OPEN.to_json())
    assert "2 keyframes; from 0 to 0.4 s" in answer.html["film-status"]
    assert answer.html["timeline"].count('class="keyframe"') == 2
    assert "0.2 s: units AU26=1 on surprise" in answer.html["film-keys"]
    saved = json.loads(bytes(asyncio.run(panel.serve(key, "keyframes.json")).body))
    assert saved == [{"time": 0}, {"time": 0.2, "to": "surprise", "au": ["AU26=1"]}]
    going = do("keyed", film=key, what="step", name="0.2")
    assert (going.values["moment"], going.keys["spec"]) == (0.2, OPEN.to_json())
    do("keyed", film=key, what="remove", name="key/0.2")
    assert len(panel.reels.get(key).keyframes) == 1
    keys.write_text(json.dumps(saved))
    do("take_keys", keys, film=key)
    assert [k.to_json() for k in panel.reels.get(key).keyframes] == saved
    keys.write_text('[{"time": "soon"}]')
    with pytest.raises(MienError, match=r"keys\.json: keyframe 1: a keyframe has a time"):
        do("take_keys", keys, film=key)
    panel.reels.drop(key)


def sent(path: Path) -> Upload:
    """A file as an event has it."""
    return Upload(path.name, UploadFile(io.BytesIO(path.read_bytes()), filename=path.name))


def test_the_api_takes_them(workshop: Workshop, films: Callable[..., Path], tmp_path: Path) -> None:
    film = films("ten", 10).read_bytes()
    keys = [{"time": 0.1}, {"time": 0.3, "to": "surprise"}]
    with testclient.TestClient(create(workshop), base_url="http://127.0.0.1") as client:
        for sent in (
            {"json": {"film": base64.b64encode(film).decode(), "keyframes": keys}},
            {"files": {"film": film}, "data": {"keyframes": json.dumps(keys)}},
        ):
            begun = client.post("/v1/films", **sent)
            assert begun.status_code == 202, begun.text
            job = begun.json()["job"]
            for _ in range(600):
                if (now := client.get(f"/v1/jobs/{job}").json())["state"] != "making":
                    break
                time.sleep(0.05)
            assert (now["state"], now["done"]) == ("done", 10), now
            made = tmp_path / "made.mp4"
            made.write_bytes(client.get(f"/v1/jobs/{job}/result").content)
            told = statement(made)["guide"]
            assert told == "source at 0.1 s; surprise keeping speech at 0.3 s"
            client.delete(f"/v1/jobs/{job}")
        wrong = client.post(
            "/v1/films", files={"film": film}, data={"keyframes": '[{"time": 0, "like": "a"}]'}
        )
        assert (wrong.status_code, wrong.json()["error"]["code"]) == (422, "bad_guide")
