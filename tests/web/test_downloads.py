"""A download is made first, while the page shows work, and then fetched as it is."""

from __future__ import annotations

import asyncio
import io
import time
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mien import images
from mien.server.sitting import Sitting
from mien.server.wish import Wish
from mien.server.workshop import Workshop
from mien.studio.asking import PhotographAsked
from mien.studio.events import Events
from mien.zoo.samples import samples


def test_made_once_and_fetched_once(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    events = Events(workshop)
    sitting = Sitting(images.read(samples()["anna"]), workshop.editor(workshop.default))
    events.sittings.add(sitting)
    sitting.wear(Wish.label("happy", 1.0))
    results: list[str] = []
    original = Sitting.result

    def counted(self: Sitting) -> object:
        results.append("made")
        return original(self)

    monkeypatch.setattr(Sitting, "result", counted)

    def fetched(name: str, make: bool = False) -> tuple[int, bytes, int]:
        answer = asyncio.run(events.download(sitting.key, name, make))
        return answer.status_code, bytes(answer.body), len(results)

    assert fetched("result.png", make=True) == (204, b"", 1)
    status, data, count = fetched("result.png")
    assert (status, count) == (200, 1), "it was there"
    assert Image.open(io.BytesIO(data)).info["guide"] == "happy"
    assert fetched("result.png")[2] == 2, "it is not kept"
    fetched("result.png", make=True)
    assert fetched("result.jpg")[2] == 4, "another file"
    fetched("result.png", make=True)
    sitting.wear(Wish.label("sad", 1.0))
    data = fetched("result.png")[1]
    assert Image.open(io.BytesIO(data)).info["guide"] == "sad", "never an older look"
    fetched("result.png", make=True)
    sitting.use(sitting.editor)
    count = len(results)
    assert fetched("result.png")[2] == count + 1, "another method draws it anew"


def test_made_of_what_is_seen_when_its_turn_comes(workshop: Workshop) -> None:
    events = Events(workshop)
    sitting = Sitting(images.read(samples()["anna"]), workshop.editor(workshop.default))
    events.sittings.add(sitting)
    sitting.wear(Wish.label("happy", 1.0))

    def slowly() -> None:
        time.sleep(0.2)
        sitting.wear(Wish.label("sad", 1.0))

    async def both() -> None:
        await asyncio.gather(
            workshop.desk.work(slowly), events.download(sitting.key, "result.png", make=True)
        )

    asyncio.run(both())
    sitting.go(sitting.at - 1)
    data = bytes(asyncio.run(events.download(sitting.key, "result.png")).body)
    assert Image.open(io.BytesIO(data)).info["guide"] == "happy", "sad was made, happy is seen"


def test_a_sheet_that_the_page_has_is_not_sent_again(workshop: Workshop, couple: Path) -> None:
    events = Events(workshop)
    sitting = Sitting(images.read(couple), workshop.editor(workshop.default))
    events.sittings.add(sitting)

    def asked(face: str) -> PhotographAsked:
        return PhotographAsked(photograph=sitting.key, face=face)

    def sheet_after(face: str) -> Any:
        return asyncio.run(events.choose(asked(face), [])).html.get("sheet")

    bare = sheet_after("Face 1")
    assert "<img" not in bare
    assert sheet_after("Face 1") is None, "the page has it"
    drawn = asyncio.run(events.tiles(asked("Face 1"), [])).html["sheet"]
    assert "<img" in drawn
    assert sheet_after("Face 1") is None, "with its pictures"
    assert sheet_after("Face 2") == bare, "the pictures of another face go"
