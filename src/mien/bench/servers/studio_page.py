"""The studio's page in Chromium: how soon a slider's picture is there, and what it costs.

    mien bench studio-page -o benchmarks/results/studio_page.json

It starts `mien studio` by itself, opens the page, opens a bundled sample (600 px), and moves a
slider nine times, then drags it for two seconds; opens a photograph of 24 megapixels made from a
sample, clicks on an expression and downloads the result. Times are the page's own clock; beside
them stand the server's processor time and the bytes that a step's answer and the page have. Where
another program keeps the cores busy, only the latter two mean anything: the load average is kept
with the figures. Exit code 1 where a bar is missed: 100 ms from a slider to its picture, 20
pictures a second of a drag or the last one after it, 2 s to open and 3 s to download.
"""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from mien.bench.options import MaybeOut
from mien.bench.servers.load import Server, report
from mien.bench.servers.sliders import DRAGGED, MOVED
from mien.zoo.samples import samples

FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE = 600_000  # ms
SIDES = 6000, 4000


def large(folder: Path) -> Path:
    """A photograph of 24 megapixels with a face of 2,000 px."""
    page = Image.new("RGB", SIDES, (150, 160, 170))
    page.paste(
        Image.open(samples()["anna"]).resize((3200, 3200), Image.Resampling.BICUBIC), (1400, 400)
    )
    path = folder / "large.jpg"
    page.save(path, quality=90)
    return path


def after(page: Any, words: str) -> None:
    """Wait for the result that is called so."""
    page.get_by_alt_text(f"After: {words}", exact=True).wait_for()


def steps(page: Any, server: Server) -> dict[str, Any]:
    """A slider moved and dragged on a sample."""
    page.get_by_role("button", name="Sample anna").click()
    page.locator("[data-expression=contempt] img").wait_for()
    page.get_by_role("button", name="happy", exact=True).click()
    after(page, "happy")
    page.get_by_role("tab", name="Action units").click()
    slider = page.locator("#unit-AU26 input[type=range]")
    page.wait_for_function("() => !document.body.hasAttribute('data-working')")
    sent: list[int] = []

    def heard(answer: Any) -> None:
        if answer.request.method == "POST":
            sent.append(int(answer.headers.get("content-length") or 0) or len(answer.body()))

    page.on("response", heard)
    began = server.work()
    spent = slider.evaluate(MOVED)
    work = server.work() - began
    page.remove_listener("response", heard)
    rate = slider.evaluate(DRAGGED)
    slider.fill("0.9")
    after(page, "units AU26=0.9 on happy")  # the last one always
    return {
        "slider_to_picture_ms": sorted(map(round, spent)),
        "slider_to_picture_median_ms": round(statistics.median(spent)),
        "server_cpu_ms_a_step": round(1000 * work / len(spent)),
        "bytes_a_step": round(statistics.median(sent)),
        "pictures_a_second_of_a_drag": round(rate, 1),
    }


def whole(page: Any, server: Server, photo: Path) -> dict[str, Any]:
    """A large photograph opened, edited, downloaded; whether the page shows work at a download."""
    out: dict[str, Any] = {}

    def timed(name: str, act: Any, done: Any) -> None:
        work, began = server.work(), time.perf_counter()
        act()
        done()
        out[name] = {
            "seconds": round(time.perf_counter() - began, 2),
            "server_cpu_seconds": round(server.work() - work, 2),
        }

    page.get_by_role("tab", name="Expression").click()
    page.get_by_role("button", name="Open a photograph").click()
    timed(
        "open_24_megapixels",
        lambda: page.set_input_files("#open input[type=file]", photo),
        lambda: after(page, "as it was"),
    )
    page.locator("[data-expression=contempt] img").wait_for()
    timed(
        "happy",
        lambda: page.get_by_role("button", name="happy", exact=True).click(),
        lambda: after(page, "happy"),
    )
    page.wait_for_function("() => !document.body.hasAttribute('data-working')")
    for kind in ("JPEG", "PNG"):
        with page.expect_download() as coming:
            work, began = server.work(), time.perf_counter()
            page.get_by_role("link", name=kind, exact=True).click()
            sign = page.evaluate("() => document.body.hasAttribute('data-saving')")
        coming.value.path()
        out[f"download_{kind.lower()}"] = {
            "seconds": round(time.perf_counter() - began, 2),
            "server_cpu_seconds": round(server.work() - work, 2),
            "sign_of_work": sign,
        }
    return out


def loaded(page: Any, server: Server) -> dict[str, Any]:
    """The page, from its address to the first thing that can be clicked on, nothing cached."""
    answers: list[Any] = []

    def heard(answer: Any) -> None:
        if answer.url.startswith("http"):  # what the page holds in itself was not sent again
            answers.append(answer)

    page.on("response", heard)
    work, began = server.work(), time.perf_counter()
    page.goto(f"http://127.0.0.1:{server.port}")
    page.get_by_role("button", name="Sample anna").wait_for()
    took = time.perf_counter() - began
    page.remove_listener("response", heard)
    streams = ("text/event-stream",)  # they never end
    whole = [a for a in answers if a.headers.get("content-type", "").split(";")[0] not in streams]
    return {
        "seconds": round(took, 2),
        "server_cpu_seconds": round(server.work() - work, 2),
        "requests": len(answers),
        "kilobytes": round(sum(a.request.sizes()["responseBodySize"] for a in whole) / 1000),
    }


def missed(found: dict[str, Any]) -> list[str]:
    """The bars that were missed, a line each; the last picture of a drag is waited for, so it is
    always there."""
    sample, large = found["sample"], found["large"]
    seen = {
        "ms from a slider to its picture": (sample["slider_to_picture_median_ms"], 100),
        "s to open 24 megapixels": (large["open_24_megapixels"]["seconds"], 2),
        "s to download a JPEG": (large["download_jpeg"]["seconds"], 3),
        "s to download a PNG": (large["download_png"]["seconds"], 3),
    }
    return [f"{value} {what} ({bar})" for what, (value, bar) in seen.items() if value > bar]


def measure(server: Server) -> dict[str, Any]:
    """Everything, in one browser."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
        page.set_default_timeout(PATIENCE)
        figures: dict[str, Any] = {"load_average": os.getloadavg()[0]}
        figures["page"] = loaded(page, server)
        figures["sample"] = steps(page, server)
        figures["large"] = whole(page, server, large(Path(folder)))
        browser.close()
    return figures


def command(
    out: MaybeOut = None,
) -> None:
    """Measure, and write the answer."""
    report(Server("studio"), measure, out, missed)
