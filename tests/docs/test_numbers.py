"""The table of what edits reach, in README.md and docs/results.md, is that of the committed
results."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mien.metrics import broken, ffe

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
DRAWN = json.loads((RESULTS / "drawing.json").read_text("utf-8"))
ROW = re.compile(
    r"^\| `(\w+)`[^|]*\| (\d+) of (\d+)[^|]*\| ([\d.]+) \(([\d.]+)\) \| ([\d.]+) \|$", re.M
)


def table(text: str) -> dict[str, tuple[str, ...]]:
    """Label -> done, people, median and worst identity distance, sharpness."""
    return {label: tuple(cells) for label, *cells in ROW.findall(text)}


@pytest.mark.parametrize("name", ["README.md", "docs/results.md"])
def test_what_is_reached_is_what_was_measured(name: str) -> None:
    measured = {
        label: (
            str(round(row["pass_share"] * row["people"])), str(row["people"]),
            f"{row['identity_median']:.2f}", f"{row['identity_worst']:.2f}",
            f"{row['sharpness_median']:.2f}",
        )
        for label, row in DRAWN["table"]["morphable"].items()
    }  # fmt: skip
    assert table((ROOT / name).read_text(encoding="utf-8")) == measured


def test_speed_is_what_was_measured() -> None:
    """docs/speed.md: wall time and processor time of each row of budget.json, ms; a row of the page
    may hold two of them."""
    budget = json.loads((RESULTS / "budget.json").read_text("utf-8"))
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    reached = page[page.index("| | bar, ms") : page.index("\nSo the start")]
    *lines, film = [
        [cell.strip() for cell in line.split("|")[3:5]] for line in reached.splitlines()[2:]
    ]
    for column, key in enumerate(("wall", "processor")):
        shown = [cell.strip("*") for line in lines for cell in line[column].split("; ")]
        assert shown == [f"{1000 * row[key][1]:.0f}" for row in budget["seconds"].values()]
    rate, processor = budget["film_640x480"].values()
    assert film == [f"{1000 / rate:.0f} ({rate} frames a second)", f"{1000 * processor:.0f}"]
    curve = ", ".join(f"{v:.0f}" for v in budget["resident_mb"])
    assert f"{curve} MB" in " ".join(page.split())


def test_what_fools_whom_is_what_was_measured() -> None:
    """docs/judges.md: the table by judge; and what the page says of it in words."""
    every = broken.read(RESULTS / "judges_broken.json")
    page = (ROOT / "docs" / "judges.md").read_text(encoding="utf-8")
    assert broken.by_judge(every) in page, "put the second table of judges.md into docs/judges.md"
    own = [v for found in every.values() for rows in found.values() for v in rows if v.own]
    assert not any(v.fooled for v in own)  # no broken editor wins a column that says it sees it
    for name, about in broken.ABOUT.items():
        tried = [found[name] for title, found in every.items() if about in title]
        assert tried
        for rows in tried:
            assert any(v.own and v.caught for v in rows), name  # film and disc are caught


def test_beside_the_newest_editors_stands_what_was_measured() -> None:
    """docs/results.md: a row of each editor and judge of ffe.json, and the paper's own rows."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    section = page[page.index("## Beside the newest editors") :]
    shown = [name for name in ffe.COLUMNS if name not in ("S_E", "background")]
    rows: list[str] = []
    background: list[str] = []
    heads: list[str] = []
    for folder, found in json.loads((RESULTS / "ffe.json").read_text("utf-8")).items():
        assert f"`{found['command']}`" in section
        assert found["commit"] in section
        for editor, judges in found["rows"].items():
            for key, said in judges.items():
                cells = (
                    "{mean:.2f} [{low:.2f}, {high:.2f}]".format(**said[n]) if n in said else ""
                    for n in shown
                )
                by = f"{found['judged_by'][key]}; {', '.join(found['alike_by'])}"
                place = folder.removesuffix(" methods")
                rows.append(f"| {editor}, {place} | {by} | {' | '.join(cells)} |")
            if editor != "nothing":
                untouched = f"{judges['units']['background']['mean']:.2f}"
                (background if editor == "morphable" else heads).append(untouched)
    for editor, numbers in ffe.PUBLISHED.items():
        cells = (
            "" if n not in numbers else f"{numbers[n]:.3f}" if n == "mSCR" else f"{numbers[n]:.2f}"
            for n in shown
        )
        by = "Gemini 3 Pro; ArcFace, AdaFace, FaceNet"
        rows.append(f"| {editor} (published) | {by} | {' | '.join(cells)} |")
    assert [row for row in rows if row not in section and not row.startswith("| nothing,")] == []
    plain = " ".join(section.split())
    assert f"{' and '.join(background)} of the background's pixels" in plain
    assert f"({min(heads)} to {max(heads)} by the methods' own heads)" in plain


def test_the_studio_is_as_quick_as_was_measured() -> None:
    """docs/studio.md: the sentence and the table of what studio_page.py measured."""
    ours, theirs = (
        json.loads((RESULTS / f"studio_page{name}.json").read_text("utf-8"))
        for name in ("", "_gradio")
    )
    page = " ".join((ROOT / "docs" / "studio.md").read_text(encoding="utf-8").split())
    sample, large = ours["sample"], ours["large"]

    def seconds(key: str) -> str:
        return f"{large[key]['seconds']:.1f}"

    for text in (
        f"commit {ours['commit'][:7]}, load average {ours['load_average']:.0f})",
        f"a slider to its picture {sample['slider_to_picture_median_ms']} ms",
        f"and {sample['pictures_a_second_of_a_drag']} a second on the way",
        f"24 megapixels opened in {seconds('open_24_megapixels')} s (2 asked), downloaded as JPEG "
        f"in {seconds('download_jpeg')} and as PNG in {seconds('download_png')} s (3 asked)",
        f"The page is {ours['page']['kilobytes']} kB in {ours['page']['requests']} requests, and "
        f"there after {ours['page']['seconds']:.1f} s; the server takes "
        f"{ours['start_seconds']:.1f} s to start",
        "| from a slider to its picture, median of nine | "
        f"{theirs['sample']['slider_to_picture_median_ms']} ms | "
        f"{sample['slider_to_picture_median_ms']} ms |",
        "| a step of a slider: server's processor time | "
        f"{theirs['sample']['server_cpu_ms_a_step']} ms | {sample['server_cpu_ms_a_step']} ms |",
        "| pictures a second of a drag with an event each frame | "
        f"{theirs['sample']['pictures_a_second_of_a_drag']} | "
        f"{sample['pictures_a_second_of_a_drag']} |",
    ):
        assert text in page, text
    speed = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    assert f"answer in the page: {sample['slider_to_picture_median_ms']} ms" in speed


def test_invented_people_are_as_near_to_photographs_as_was_measured() -> None:
    """docs/people.md and docs/results.md: Fréchet distances, and what the critic names right."""
    rest = json.loads((RESULTS / "people.json").read_text("utf-8"))["neutral"]
    pages = {
        name: (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8")
        for name in ("people", "results")
    }
    far = [f"{rest[region]['frechet']['ratio']:.2f}" for region in ("whole", "face")]
    asked = "both marked", "as delivered, photographs without the mark", "the mark alone"
    right = [
        [f"{100 * rest[region]['critic'][key]['right']:.0f} %" for region in ("whole", "face")]
        for key in asked
    ]
    for cells in (far, *right):
        assert f"| {' | '.join(cells)} |" in pages["people"]
    shown = "; ".join(", ".join(cells) for cells in (far, right[0], right[1]))
    assert f"| {shown} |" in pages["results"]


def test_the_page_of_invented_people_is_what_was_measured() -> None:
    """docs/people.md: portraits drawn, the nearest source, and which labels judges read."""
    found = json.loads((RESULTS / "people_page.json").read_text("utf-8"))
    page = " ".join((ROOT / "docs" / "people.md").read_text(encoding="utf-8").split())
    taken, labels, identity = found["acceptance"], found["labels"], found["identity"]
    by = labels["by label"]
    black = taken["by group: made, portraits drawn"]["female black"]
    drawn = taken["portraits drawn"]
    closed = [by[n]["both"] for n in by if n != "disgust"]
    best = {by[n]["both"] for n in ("happy", "sad", "surprise", "contempt")}
    assert len(best) == 1
    for text in (
        f"drawn at commit {found['commit'][:7]}",
        f"| {taken['people']} people, {taken['pictures']} pictures | |",
        f"| portraits drawn for them | {drawn}; {drawn - taken['people']} were refused,",
        f"of five black women; of the {taken['people'] - black[0]} others | {black[1]}; "
        f"{drawn - black[1]} |",
        f"| {identity['least']:.3f} or more; median {identity['median']:.3f} |",
        f"| label read in {labels['pictures']} pictures of the seven labels: judge a, judge b, "
        "both, either | "
        + ", ".join(f"{labels[k]:.2f}" for k in ("judge a", "judge b", "both", "either")),
        "by both: `anger`, `fear`, `disgust`; the four others | "
        + ", ".join(f"{by[n]['both']:.2f}" for n in ("anger", "fear", "disgust"))
        + f"; {best.pop():.2f} |",
        f"of the seven {sum(closed) / len(closed):.2f} |",
    ):
        assert text in page, text
    assert identity["share of 0.45 and more"] == 1
    far, right = (
        [found["happy"][region][key] for region in ("whole", "face")]
        for key in ("frechet", "critic")
    )
    for text in (
        f"have {far[0]['ratio']:.2f} times the distance in the whole picture",
        f"and {far[1]['ratio']:.2f} in the face",
        "right in {:.0f} and {:.0f} %".format(*(100 * r["both marked"]["right"] for r in right)),
    ):
        assert text in page, text


def test_from_what_smiles_are_told_is_what_was_measured() -> None:
    """docs/people.md: a row for each maker of pictures, and that the rest of the face tells it."""
    found = json.loads((RESULTS / "people_smiles.json").read_text("utf-8"))
    page = (ROOT / "docs" / "people.md").read_text(encoding="utf-8")
    begin = page.index("| separated from photographs of smiles")
    head, _, *rows = page[begin : page.index("\n\n", begin)].splitlines()
    looks = [cell.strip() for cell in head.split("|")[3:-1]]
    shown = [[cell.strip() for cell in row.split("|")[2:-1]] for row in rows]
    measured = [
        [f"{100 * told['right']:.0f} %"]
        + [
            f"{100 * found['parts'][row][k]['right']:.0f} %" if row in found["parts"] else ""
            for k in looks
        ]
        for row, told in found["right"].items()
    ]
    assert sorted(shown) == sorted(measured)
    assert f"commit {found['commit'][:7]}" in page
    parts = found["parts"]
    assert parts["photographs at rest"]["rest alone"]["right"] >= max(
        row["rest alone"]["right"] for row in parts.values()
    )  # "as surely as drawn ones"


def test_what_rises_and_how_sharp_neutral_is_was_measured() -> None:
    """docs/face_model.md and docs/results.md: the sentences of two small questions."""
    pages = [
        (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("face_model", "results")
    ]
    rising, sharp = (
        json.loads((RESULTS / f"{name}.json").read_text("utf-8"))
        for name in ("rising", "neutral_sharpness")
    )
    for skin in ("light", "dark"):
        full = (f"{row[skin]['medians'][-1] + 1e-9:.2f}" for row in rising["table"].values())
        assert ", ".join(full) in pages[0], skin
    large, toothy, small = (
        sharp["768"]["all"], sharp["768"]["toothy"], sharp["300"]["all"]
    )  # fmt: skip

    def told(part: str, of: str, found: dict[str, Any] = small) -> str:
        return f"{found[part][of] + 1e-9:.2f}"

    for text in (
        f"photographs are {told('face', 'real', large)} times as sharp",
        f"the drawn ones {told('face', 'drawn', large)} ({told('face', 'drawn', toothy)}); at 300",
        f"{told('face', 'real')} and {told('face', 'drawn')}. What is",
        f"(real {told('right eye', 'real')} and {told('left eye', 'real')}, "
        f"drawn {told('right eye', 'drawn')} and {told('left eye', 'drawn')}, right",
        f"({told('skin', 'real')} and {told('skin', 'drawn')}; commit {sharp['commit'][:7]})",
    ):
        assert text in " ".join(pages[1].split()), text
    assert f"commit {rising['commit'][:7]}" in pages[0]


def test_what_the_rig_reaches_was_measured() -> None:
    """docs/rig.md and docs/results.md: gains on real smiles, and who stays under strong labels."""
    found = json.loads((RESULTS / "rig.json").read_text("utf-8"))
    page, results = (
        (ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in ("rig", "results")
    )
    smile, emotions = found["smile"], found["emotions"]
    for who in ("unseen", "all"):
        for way, gain in (("by_landmarks", "_by_landmarks"), ("and_folds", "")):
            row, above = smile[who][way], smile[who][f"face_gain_db{gain}"]
            face = f"{row['face_ssim']:.3f} | {row['face_psnr']:.2f} (+{above:.1f})"
            assert f"{face} | {row['mouth_ssim']:.3f}" in page
    low = f"{100 * emotions['prototypes_under_0.45']:.1f} %"
    worst = emotions["descriptor"]["disgust"]["worst"]
    unseen = f"{100 * emotions['unseen_prototypes_under_0.45']:.1f} % (worst"
    assert f"| {low} (worst {worst:.3f}, disgust); of the 15 unseen people {unseen}" in page
    assert f"| {low} | `mien bench rig` |" in results
    assert f"commit {found['commit'][:7]}" in page
    gains = (smile["unseen"][f"face_gain_db{way}"] for way in ("_by_landmarks", ""))
    assert "; ".join(f"+{g:.1f} dB" for g in gains) in results


def test_what_many_people_take_is_what_was_measured() -> None:
    """docs/scale.md: its two tables are those of scale.json."""
    found = json.loads((RESULTS / "scale.json").read_text("utf-8"))
    page = (ROOT / "docs" / "scale.md").read_text(encoding="utf-8")
    alone, plan = found["local"]["1"], found["local"]["1"]["plan"]
    assert f"all checks in it | {alone['processor s a picture']:.2f} s |" in page
    assert f"core hours | {plan['core hours']:,} |" in page
    for engine, name in (("local", "local"), ("ray", "Ray")):
        rates = (f"{found[engine][n]['people an hour']:,.0f}" for n in ("1", "2", "4"))
        assert f"| people an hour, {name} | {' | '.join(rates)} |" in page
    ray = found["ray"]
    two, four = (ray[n]["people an hour"] / ray["1"]["people an hour"] for n in ("2", "4"))
    assert f"| 1 | **{two:.2f}** | {four:.2f} |" in page
    assert found["the same bytes by all engines and numbers of workers"]
