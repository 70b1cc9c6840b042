"""The studio's film tab as a person meets it: the real command, in a real Chromium."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.zoo.samples import samples

av = pytest.importorskip("av", reason="needs mien[video]")


def opened(visit: Any, film: Path) -> Any:
    page = visit.page
    page.get_by_role("tab", name="Film").click()
    visit.upload(film, "film")
    page.get_by_label(f"Before: {film.name}").wait_for()
    return page


def made(page: Any, press: bool = True) -> None:
    if press:
        page.get_by_role("button", name="Make the film").click()
    page.get_by_role("status").filter(has_text=re.compile("frames edited")).wait_for()


def kept(page: Any, folder: Path) -> Path:
    with page.expect_download() as coming:
        page.get_by_role("link", name="Download MP4").click()
    path: Path = folder / coming.value.suggested_filename
    coming.value.save_as(path)
    return path


def left(server: Any) -> list[Path]:
    return [p for p in server.temporary.rglob("*") if p.is_file() and p.stat().st_size > 1000]


def test_a_film_by_a_label(
    visit: Any, server: Any, films: Callable[..., Path], tmp_path: Path
) -> None:
    page = opened(visit, films("talk", 30))
    composed(visit)
    made(page)
    player = page.get_by_label("After: the film that mien made")
    player.evaluate("video => video.play()")
    page.wait_for_function("v => v.currentTime > 0.2", arg=player.element_handle())
    visit.shot("film", full=True)
    result = kept(page, tmp_path)
    assert result.name == "talk-mien.mp4"
    from mien.video.evidence import examine_film
    from mien.video.reading import look

    seen = examine_film(result)
    assert seen.mark == "found"
    assert seen.statement["guide"] == "sad keeping speech AU4=0.7 gaze=0.5,0"
    film = look(result)
    assert (film.width, film.height, film.count) == (320, 240, 25)
    page.reload()
    page.get_by_role("button", name="Sample anna").wait_for()
    assert gone(server), "a film stays on the disk after its page was left"


def composed(visit: Any) -> None:
    """Another expression, a part of the film, a curve: the preview shows each at once."""
    page = visit.page
    preview = page.locator("#film-preview img")
    page.get_by_alt_text("Preview at 0.00 s: 100%").wait_for()
    pictures = [preview.get_attribute("src")]

    def changed() -> None:
        page.wait_for_function(
            "(last) => document.querySelector('#film-preview img')?.src !== last", arg=pictures[-1]
        )
        pictures.append(preview.get_attribute("src"))

    page.locator("#film-label").get_by_role("radio", name="sad", exact=True).check()
    changed()
    page.get_by_role("button", name="Units, gaze, head, part of the face").click()
    page.locator("#film-unit-AU4").get_by_role("slider").fill("0.7")
    changed()
    page.locator("#film-gaze-0").get_by_role("slider").fill("0.5")
    changed()
    page.get_by_text("units AU4=0.7, gaze 0.5,0 on sad").wait_for()
    weight = "part => getComputedStyle(part).getPropertyValue('--weight')"
    assert [page.locator(f"#film-unit-AU{n} span").evaluate(weight) for n in (4, 1)] == ["700", ""]
    page.get_by_role("button", name="Units, gaze, head, part of the face").click()
    page.locator("#moment").get_by_role("slider").fill("0.8")
    page.get_by_alt_text("Preview at 0.80 s: 100%").wait_for()
    page.get_by_role("button", name="Keyframes, and the part of the film").click()
    page.locator("#keyframe").get_by_role("slider").fill("0.5")
    page.get_by_alt_text("Preview at 0.80 s: 50%").wait_for()
    line = page.locator("#timeline svg")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 1, box["y"] + 2)
    keys = page.get_by_role("list", name="Points").get_by_role("listitem")
    page.wait_for_function("() => document.querySelectorAll('#timeline li').length === 2")
    x = box["x"] + 0.8 / 1.2 * box["width"]
    page.mouse.move(x, box["y"] + 64)
    page.mouse.down()
    page.mouse.move(x + 40, box["y"] + 30, steps=3)
    page.mouse.up()
    page.get_by_alt_text(re.compile(r"Preview at 0\.80 s: 1\d\d%")).wait_for()
    assert keys.count() == 2, "one was moved, none added"
    page.locator("#from").get_by_role("slider").fill("0.2")
    page.get_by_text("2 points; from 0.2 to 1.2 s").wait_for()
    assert page.locator("#timeline .out").count() == 1


def test_a_phone_in_the_dark_a_curve_and_a_photograph(
    phone: Any, films: Callable[..., Path], tmp_path: Path
) -> None:
    page = opened(phone, films("selfie", 24))
    page.get_by_role("radio", name="A photograph", exact=True).check()
    made_of_nothing = page.get_by_role("button", name="Make the film")
    made_of_nothing.click()
    page.get_by_text("give the reference photograph").wait_for()
    phone.upload(samples()["ben"], "by-photo")
    page.locator("#photo-seen").get_by_text("ben.jpg").wait_for()
    page.get_by_role("button", name="Keyframes, and the part of the film").click()
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("0,0\n1,much\n")
    phone.upload(wrong, "curve")
    page.get_by_text("wrong.csv, line 2: say `time,intensity`, such as 1.5,0.8").wait_for()
    curve = tmp_path / "curve.csv"
    curve.write_text("time,intensity\n0,0\n0.4,0\n0.5,1\n")
    phone.upload(curve, "curve")
    page.get_by_text("curve.csv: 3 points, from 0 to 0.5 s").wait_for()
    made(page)
    page.get_by_text("13 of 24 frames edited").wait_for()
    page.get_by_role("button", name="Make the film").scroll_into_view_if_needed()
    preview = page.locator("#film-preview img").bounding_box()
    assert preview is not None
    assert -20 < preview["y"] < 400, "the preview stays in view"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.shot("film-phone", full=True)
    page.get_by_role("button", name="Remove the curve").click()
    page.get_by_role("status").filter(has_text="stays the same").wait_for()
    assert page.get_by_text("curve.csv").count() == 0
    from mien.video.evidence import statement

    assert statement(kept(page, tmp_path))["guide"] == "reference keeping speech"


def test_another_film_drives_it_by_the_keyboard(visit: Any, films: Callable[..., Path]) -> None:
    page = opened(visit, films("mine", 12))
    page.get_by_role("radio", name="An expression", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    visit.upload(films("actor", 10, who="cora"), "by-film")
    page.locator("#film-seen").get_by_text("actor.mp4").wait_for()
    page.get_by_role("button", name="Make the film").focus()
    page.keyboard.press("Enter")
    made(page, press=False)
    page.get_by_label("After: the film that mien made").wait_for()


def test_wrong_and_too_long_films(visit: Any, server: Any, films: Any, tmp_path: Path) -> None:
    page = visit.page
    page.get_by_role("tab", name="Film").click()
    page.get_by_role("button", name="Make the film").click()
    page.get_by_text("open a film first").wait_for()
    playlist = tmp_path / "list.mp4"
    playlist.write_text("#EXTM3U\n#EXTINF:1,\n/etc/passwd\n")
    visit.upload(playlist, "film")
    page.get_by_text("list.mp4 is not a film: send an MP4, MOV, MKV or WebM").wait_for()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(films("whole", 5).read_bytes()[:700])
    visit.upload(broken, "film")
    page.get_by_text("broken.mp4 is no film that can be read, or it is damaged").wait_for()
    visit.upload(films("long", 4, every=500), "film")
    page.get_by_text(re.compile(r"long\.mp4 takes \d+ s: cut it to 60 s")).wait_for()
    heavy = tmp_path / "heavy.mp4"
    with heavy.open("wb") as file:
        file.truncate(65_000_000)
    visit.upload(heavy, "film")
    page.get_by_text("64").filter(has_text="MB").last.wait_for()
    wall = tmp_path / "wall.mp4"
    nobody(wall)
    visit.upload(wall, "film")
    page.get_by_label("Before: wall.mp4").wait_for()
    page.get_by_role("button", name="Make the film").click()
    page.get_by_text("no face found in wall.mp4").wait_for()
    page.get_by_text("No film was made").wait_for()
    assert gone(server, but=1), "only the film that is open"


def nobody(path: Path) -> None:
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(8):
            frame = av.VideoFrame.from_ndarray(np.full((120, 160, 3), 90, np.uint8), "rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))


def test_cancel_and_photographs_meanwhile(
    visit: Any, visits: Any, server: Any, films: Callable[..., Path]
) -> None:
    page = opened(visit, films("endless", 1400))
    page.get_by_role("button", name="Make the film").click()
    page.get_by_text(re.compile(r"Frame \d+ of 1400, \d+ (s|min) left")).wait_for()
    assert page.get_by_role("progressbar").get_attribute("max") == "1400"
    other = visits(viewport={"width": 900, "height": 700})
    other.sample("anna")
    other.press("happy")
    other.shows("happy")
    other.page.get_by_role("tab", name="Film").click()
    other.upload(films("second", 5), "film")
    other.page.get_by_label("Before: second.mp4").wait_for()
    other.page.get_by_role("button", name="Make the film").click()
    other.page.get_by_text("a film is being made: wait until it is done").wait_for()
    other.leave()
    visit.shot("film-progress")
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled: nothing was kept").wait_for()
    assert page.get_by_label("After: the film that mien made").count() == 0
    visit.page.goto("about:blank")
    assert gone(server)


def gone(server: Any, but: int = 0) -> bool:
    """Whether the films of pages that were left go, `but` those of pages that are there."""
    for _ in range(300):
        if len(left(server)) == but:
            return True
        time.sleep(0.1)
    return False
