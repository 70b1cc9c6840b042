"""The page in a real browser: it asks everything, sends nothing, and hands over the answers."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from mien.cli.main import app
from mien.study import answers

CHROMIUM = shutil.which("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs mien[test]")
    if CHROMIUM is None:
        pytest.skip("needs Debian's chromium")
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["study", *map(str, words)], prog_name="mien")


def made(stimuli: Path, out: Path, *words: object) -> Path:
    result = run(stimuli, "-o", out, *words)
    assert result.exit_code == 0, result.output
    return out


def contents(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    (data,) = re.findall(r'<script type="application/json" id="study">(.*?)</script>', text, re.S)
    return dict(json.loads(data))


class Participant:
    """One visit: reads what the page shows, and answers by the key."""

    def __init__(self, browser: Any, page: Path, code: str) -> None:
        self.data, self.code = contents(page), code
        self.key = answers.read_key(page.with_name(f"{page.stem}.key.csv"))[1]
        self.context = browser.new_context(accept_downloads=True)
        self.page = self.context.new_page()
        self.errors: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.clock.install()
        self.page.goto(page.as_uri())
        self.url = page.as_uri()

    def begin(self) -> None:
        self.page.get_by_label("Your participant code").fill(self.code)
        self.page.get_by_role("button", name="Start").click()

    def now(self) -> tuple[dict[str, Any], dict[str, str], bool]:
        """The trial that is shown, its row of the key, and whether its sides are exchanged."""
        self.page.clock.run_for(1000)
        self.page.wait_for_function("!document.querySelector('#pictures.blank')")
        self.page.clock.run_for(100)
        question = self.page.locator("#question").inner_text()
        left, right = (
            self.data["pictures"].index(self.page.locator(f"#{side}").get_attribute("src"))
            for side in ("left", "right")
        )
        for trial in self.data["trials"]:
            if trial["question"] == question and {trial["left"], trial["right"]} == {left, right}:
                return trial, self.key[trial["id"]], trial["left"] != left
        raise AssertionError(question)

    def answer_all(self, *, rightly: bool, by_keys: bool) -> str:
        for number in range(len(self.data["trials"])):
            trial, row, exchanged = self.now()
            words = [value for value, _ in trial["choices"]]
            place = words.index(row["answer"])
            check = row["condition"] == "check"
            if not check and (exchanged and row["answer"] in ("left", "right")) != (not rightly):
                place = 1 - place
            if by_keys:
                self.page.keyboard.press(("ArrowLeft", "ArrowRight")[place])
            else:
                self.page.get_by_role("button", name=trial["choices"][place][1]).click()
            if number == 0:
                self.page.keyboard.press("ArrowLeft")  # before the next is shown: not an answer
        with self.page.expect_download() as coming:
            self.page.get_by_role("link", name="Download answers").click()
        assert coming.value.suggested_filename == f"answers-{self.data['id']}-{self.code}.csv"
        text = Path(coming.value.path()).read_text()
        assert self.page.locator("#text").input_value() == text
        return text

    def leave(self) -> None:
        assert self.errors == []
        others = [u for u in self.asked if u != self.url and not u.startswith(("data:", "blob:"))]
        assert others == [], "the page asks somebody"
        self.context.close()


def test_two_participants(browser: Any, stimuli: Path, tmp_path: Path) -> None:
    """One is always right and one, on the other list, always wrong; who they are decides lists."""
    page = made(stimuli, tmp_path / "study.html", "--trials", 6, "--checks", 2, "--label", "happy")
    lists: dict[str, str] = {}
    orders = []
    for number in range(12):
        visitor = Participant(browser, page, f"p-{number}")
        visitor.begin()
        _, _, exchanged = visitor.now()
        which = "2" if exchanged else "1"
        if which not in lists:
            text = visitor.answer_all(rightly=which == "1", by_keys=which == "1")
            rows = list(csv.DictReader(io.StringIO(text)))
            assert {row["list"] for row in rows} == {which}
            assert [int(row["position"]) for row in rows] == list(range(1, 9))
            orders.append([row["trial"] for row in rows])
            lists[which] = f"p-{number}"
            (tmp_path / f"answers-{number}.csv").write_text(text)
        visitor.leave()
        if len(lists) == 2:
            break
    assert len(lists) == 2
    assert orders[0] != orders[1]
    assert set(orders[0]) == set(orders[1])
    result = run("--read", tmp_path, "-o", tmp_path / "out" / "rates.csv")
    assert result.exit_code == 0, result.output
    assert "participants counted: 2" in result.output
    rows = list(csv.DictReader((tmp_path / "out" / "rates.csv").open()))
    assert (rows[-1]["condition"], rows[-1]["right"], rows[-1]["answers"]) == ("all", "6", "12")


def test_same_or_different_people(browser: Any, stimuli: Path, tmp_path: Path) -> None:
    page = made(stimuli, tmp_path / "s.html", "--ask", "same", "--trials", 4, "--checks", 1)
    visitor = Participant(browser, page, "only")
    visitor.begin()
    (tmp_path / "a.csv").write_text(visitor.answer_all(rightly=True, by_keys=False))
    visitor.leave()
    result = run("--read", tmp_path / "a.csv", "--key", tmp_path / "s.key.csv")
    assert result.exit_code == 0, result.output
    assert "4 of 4" in result.output
    assert "d' " in result.output


def test_a_code_is_needed(browser: Any, stimuli: Path, tmp_path: Path) -> None:
    page = made(stimuli, tmp_path / "s.html", "--trials", 2)
    for code in ("", "two words", "=1+1"):
        visitor = Participant(browser, page, code)
        visitor.begin()
        assert visitor.page.locator("#start").is_visible()
        visitor.leave()


def test_the_page_holds_no_address_no_answer_and_no_markup_of_others(
    stimuli: Path, tmp_path: Path
) -> None:
    intro = tmp_path / "intro.txt"
    intro.write_text("I <b>agree</b>.\n\n</script><script>alert(1)</script>")
    page = made(
        stimuli, tmp_path / "s.html", "--intro", intro, "--title", "<img src=x>", "--seed", "5"
    )
    text = page.read_text(encoding="utf-8")
    assert "http" not in re.sub(r'http-equiv|data:image/jpeg;base64,[^"]*', "", text)
    assert "default-src 'none'" in text
    assert text.count("<script>") == 1
    assert "<img src=x>" not in text
    assert "<p>I &lt;b&gt;agree&lt;/b&gt;.</p>" in text
    keys = {key for trial in contents(page)["trials"] for key in trial}
    assert keys == {"id", "question", "choices", "left", "right", "check"}
    assert not re.findall(r"anna|neutral-1", text)
    again = made(
        stimuli, tmp_path / "t.html", "--intro", intro, "--title", "<img src=x>", "--seed", "5"
    )
    assert again.read_bytes() == page.read_bytes()


def test_pictures_fit_and_say_still_that_they_were_altered(stimuli: Path, tmp_path: Path) -> None:
    page = made(stimuli, tmp_path / "s.html", "--size", 64, "--photographs", "neutral",
                "--ask", "photograph")  # fmt: skip
    pictures = [base64.b64decode(p.partition(",")[2]) for p in contents(page)["pictures"]]
    assert len(pictures) == 15
    assert {Image.open(io.BytesIO(p)).size for p in pictures} == {(53, 64)}
    assert sum(b"trainedAlgorithmicMedia" in p or b"DigitalSourceType" in p for p in pictures) == 12


def test_mistakes_are_told_in_a_line(stimuli: Path, tmp_path: Path) -> None:
    page = tmp_path / "s.html"
    for words, said in (
        ((), "name a folder and a page"),
        ((stimuli, "-o", tmp_path / "s.txt"), "ends in .html"),
        ((stimuli, "-o", page, "--ask", "age"), "cannot ask 'age'"),
        ((stimuli, "-o", page, "--trials", "100"), "only 18 trials"),
        ((stimuli, "-o", page, "--intro", tmp_path / "none.txt"), "cannot be read"),
        ((stimuli, "-o", page, "--ask", "photograph"), "--photographs"),
        ((stimuli, "--read", tmp_path), "not both"),
        (("--read", tmp_path), "no file of answers"),
    ):
        result = run(*words)
        assert result.exit_code == 2, result.output
        assert said in result.output
        assert len(result.output.strip().splitlines()) == 1
    assert not page.exists()


def test_the_key_of_a_study_under_way_is_never_lost(stimuli: Path, tmp_path: Path) -> None:
    page = made(stimuli, tmp_path / "study.html", "--seed", 1)
    key = tmp_path / "study.key.csv"
    before = key.read_bytes(), page.read_bytes()
    made(stimuli, page, "--seed", 1)  # the same study again is the same
    result = run(stimuli, "-o", page, "--seed", 1, "--checks", 1)
    assert result.exit_code == 2
    assert "the key of another study" in result.stderr
    assert (key.read_bytes(), page.read_bytes()) == before


def test_a_page_that_cannot_be_written_leaves_no_key(stimuli: Path, tmp_path: Path) -> None:
    (tmp_path / "study.html").mkdir()
    result = run(stimuli, "-o", tmp_path / "study.html")
    assert result.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["study.html"]
