"""The short table tells of the right section and row; the small JSON tells the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mien.metrics.summary import COLUMNS, TRUTH, short, shortened


def spread(mean: float, median: float | None = None) -> dict[str, float]:
    middle = mean if median is None else median
    return {
        "mean": mean, "median": middle, "spread": 9.0, "low": mean, "high": mean, "count": 9,
    }  # fmt: skip


def line(psnr: float, right: float, units: float) -> dict[str, Any]:
    return {
        "faces": 20,
        "people": 10,
        "columns": {
            "psnr": spread(20 + psnr), "identity": spread(0.5, 0.25), "sharpness": spread(0.9),
            "emotion_a": spread(right), "emotion_b": spread(right - 0.1),
            "units_a": spread(units), "units_b": spread(3 * units),
        },
        "counts": {"lost": 1, "failed": 0},
        "gains": {"psnr": spread(psnr), "people_above": 0.876},
        "by_name": {"happy": {"psnr": 1.0}},
    }  # fmt: skip


def rising(r2: float) -> dict[str, Any]:
    one = {"r2": r2, "slope": 0.9, "r2_low": 0.1, "own_r2": spread(1.0)}
    return {
        "faces": 40, "people": 10, "columns": {"crosstalk": spread(0.01)}, "r2": r2,
        "by_name": {"happy": {"a": one, "b": one, "mean": one}},
    }  # fmt: skip


@pytest.fixture
def facts() -> dict[str, Any]:
    """One method, and a peer that takes no references."""
    nothing, away = line(0, 0.2, 0.02), {"skipped": "takes no references"}
    lines = {
        "real: to a smile, by reference": {
            "nothing": nothing, "the photograph": line(60, 0.9, 0), "m": line(1.234, 0.8, 0.01),
            "peer": away,
        },
        "truth: transfer, by reference": {
            "nothing": nothing, "the rig": line(60, 1.0, 0), "m": line(4, 0.8, 0.005), "peer": away,
        },
        "labels: eight labels": {
            "nothing": nothing, "the rig": line(60, 1.0, 0), "m": line(3, 0.7, 0.01),
            "peer": line(-2, 0.6, 0.03),
        },
        "control: emotions at 4 intensities": {"nothing": rising(0.0), "m": rising(0.97)},
    }  # fmt: skip
    people = [f"p{k}" for k in range(10)]
    return {
        "commit": "c",
        "sections": {
            title: {"people": people, "without_face": [], "lines": each}
            for title, each in lines.items()
        },
    }


def cells(text: str) -> dict[str, dict[str, str]]:
    heading, _, *rows = [
        [cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines()
    ]
    columns = zip(heading[1:], zip(*(row[1:] for row in rows), strict=True), strict=True)
    measures = [row[0] for row in rows]
    return {name: {"": name} | dict(zip(measures, column, strict=True)) for name, column in columns}


def test_each_cell_is_of_its_section_and_row(facts: dict[str, Any]) -> None:
    found = cells(short(facts["sections"]))
    assert list(found) == ["nothing", TRUTH, "m", "peer"]
    assert list(found["m"].values()) == [
        "m", "+1.23", "88 %", "75 %", "0.25", "+4.00", "0.25", "65 %", "0.25", "0.90", "0.97",
        "3 of 60",
    ]  # fmt: skip
    peer = {key: value for key, value in found["peer"].items() if value}
    assert peer.pop("") == "peer"
    assert peer == {
        "labels: emotion right": "55 %", "labels: identity distance": "0.25",
        "labels: sharpness": "0.90", "lost": "1 of 20",
    }  # fmt: skip
    assert found["nothing"]["transfer: AU error left"] == "1.00"
    assert found[TRUTH]["smile: judged happy"] == "85 %"
    assert not any(found[TRUTH].get(name) for name in COLUMNS if "PSNR" in name)


def test_the_small_json_tells_the_same(facts: dict[str, Any]) -> None:
    small = json.loads(json.dumps(shortened(facts)))
    assert short(small["sections"]) == short(facts["sections"])
    assert small["commit"] == "c"
    assert len(json.dumps(small)) < 0.7 * len(json.dumps(facts))
    rows = small["sections"]["control: emotions at 4 intensities"]["lines"]
    assert rows["m"]["by_name"] == {"happy": {"r2": 0.97, "slope": 0.9}}
    assert small["sections"]["labels: eight labels"]["people"] == 10


def test_a_table_of_one_protocol_has_the_other_columns_empty(facts: dict[str, Any]) -> None:
    only = {"labels: eight labels": facts["sections"]["labels: eight labels"]}
    found = cells(short(only))["m"]
    assert [name for name, value in found.items() if value][1:] == [
        "labels: emotion right", "labels: identity distance", "labels: sharpness", "lost",
    ]  # fmt: skip


def own(gap: float, happy: float) -> dict[str, Any]:
    """A line of a folder at faces' own size."""
    found = line(0, happy, 0.01)
    found["columns"] |= {"mouth_psnr": spread(20 + gap), "confused_a": spread(0.25)}
    found["columns"] |= {
        "confused_b": spread(0.15),
        "mp_gap": spread(gap),
        "eyes_showing": spread(gap),
    }
    return found


def test_folders_that_were_measured_together_stand_side_by_side() -> None:
    smile, opening = (
        "pairs: neutral to happy, by reference",
        "speech: shut mouth to open, by reference",
    )
    lines = {"nothing": own(0, 0.2), "the photograph": own(1, 0.8), "m": own(3, 0.7)}
    titles = (f"london: {smile}", "london: labels: eight labels", "grid: labels: eight labels")
    sections: dict[str, Any] = {
        title: {"people": [], "without_face": [], "lines": lines}
        for title in (*titles, f"grid: {opening}")
    }
    found = cells(short(sections))
    assert found["m"]["london: own smile: mouth PSNR gain, dB"] == "+3.00"
    assert found[TRUTH]["london: own smile: mouth PSNR gain, dB"] == ""
    assert found[TRUTH]["grid: open mouth: lips' gap off, MediaPipe"] == "1.00"
    assert found["m"]["grid: labels: confused"] == found["m"]["london: labels: confused"] == "20 %"
    assert found["nothing"]["london: own smile: judged happy"] == "15 %"
    assert not any("control" in heading or "transfer" in heading for heading in found["m"])
    # one folder alone has no name before its columns
    alone = {title.removeprefix("grid: "): section for title, section in sections.items()}
    assert "labels: confused" in cells(short(alone))["m"]
