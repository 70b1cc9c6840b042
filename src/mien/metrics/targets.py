"""Which of the bars that mien set itself a scorecard meets, with the number of each.

Reads scorecard.json or quality.json, or the short.json of either. Where a bar names a column that
two judges fill, the stricter judge counts. That two runs give one table, and that broken methods
land where they should, no scorecard can show: tests hold it (tests/metrics/test_scorecard.py).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.errors import AssetMissing, DataError
from mien.methods.registry import METHODS
from mien.metrics.summary import ANSWERS, NOTHING
from mien.metrics.table import markdown

COMPARED = ("real:", "truth:", "labels:")
"""Protocols in which rows are set against one another."""
HIGHER = (
    "psnr", "ssim", "ms_ssim", "face_psnr", "face_ssim", "face_ms_ssim", "eyes_psnr", "eyes_ssim",
    "mouth_psnr", "mouth_ssim", "emotion_a", "emotion_b",
)  # fmt: skip
LOWER = (
    "units_a", "units_b", "asked_a", "asked_b",
    "frechet_judge_a", "frechet_judge_b", "kernel_judge_a", "kernel_judge_b",
)  # fmt: skip
KEPT = ("identity", "leakage", "sharpness", "lost", "failed")
"""Columns in which doing nothing is perfect: peers are compared in them, doing nothing is not. Of
sharpness and leakage what counts is the distance from 1 and 0.
"""
ABOVE, HAPPY, IDENTITY, STRAIGHT = 0.85, 0.95, 0.30, 0.95

Line = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """A bar, whom it is about, whether it is met (None: not measured), and by what number."""

    bar: str
    row: str
    met: bool | None
    number: str


@dataclass(frozen=True)
class Card:
    """A scorecard's lines that were measured, by section and row."""

    sections: Mapping[str, Mapping[str, Line]]
    methods: list[str]
    peers: list[str]

    @classmethod
    def read(cls, facts: Mapping[str, Any]) -> Card:
        """Of a scorecard's JSON."""
        sections = {
            title: {row: one for row, one in section["lines"].items() if "skipped" not in one}
            for title, section in facts["sections"].items()
        }
        rows = list(dict.fromkeys(row for lines in sections.values() for row in lines))
        peers = [row for row in rows if row in facts.get("peers", {})]
        others = {NOTHING, *ANSWERS, *peers}
        return cls(sections, [row for row in rows if row not in others], peers)


def targets(facts: Mapping[str, Any]) -> list[Target]:
    """Every bar, for everybody whom it is about."""
    card = Card.read(facts)
    found = [_above_peers(card)]
    for name in (name for name, row in METHODS.items() if row.task):
        rows = [row for row in card.methods if row == name or row.startswith(f"{name} (")]
        if not rows:
            found.append(Target("in the table", name, None, "no row"))
        for row in rows:
            found += [_above_nothing(card, row), *_real(card, row), _straight(card, row)]
    return found


def worth(line: Line) -> dict[str, float]:
    """Every quality column of a line, turned so that more is better."""
    means = {name: one["mean"] for name, one in line["columns"].items()}
    plain = means | line["sets"] | line["counts"]
    out = {name: plain[name] for name in HIGHER if name in plain}
    out |= {name: -plain[name] for name in LOWER if name in plain}
    best = {name: 1.0 if name == "sharpness" else 0.0 for name in KEPT}
    return out | {name: -abs(plain[name] - best[name]) for name in KEPT if name in plain}


def _above_peers(card: Card) -> Target:
    bar = "best method above every peer on every column of real, truth, labels"
    tries = {row: _against(card, row, card.peers, ()) for row in card.methods}
    if not any(count for count, _ in tries.values()):
        return Target(bar, "", None, "no peer in the table")
    row = min(tries, key=lambda name: (len(tries[name][1]), -tries[name][0]))
    count, losses = tries[row]
    return Target(bar, row, not losses, _outcome(count, losses))


def _above_nothing(card: Card, row: str) -> Target:
    count, losses = _against(card, row, [NOTHING], KEPT)
    met = not losses if count else None
    return Target(
        "above doing nothing on every column of the same", row, met, _outcome(count, losses)
    )


def _against(
    card: Card, row: str, others: list[str], without: tuple[str, ...]
) -> tuple[int, list[str]]:
    """How many columns a row shares with others, and in which it is not above all of them; where
    mistakes are counted, as few are enough.
    """
    count, losses = 0, []
    for title, lines in card.sections.items():
        measured = [other for other in others if other in lines]
        if row not in lines or not measured or not title.startswith(COMPARED):
            continue
        against = [worth(lines[other]) for other in measured]
        for name, value in worth(lines[row]).items():
            if name in without:
                continue
            best = max(other[name] for other in against)
            count += 1
            if value < best or (value == best and name not in ("lost", "failed")):
                sign = 1 if name in HIGHER else -1
                losses.append(f"{title}, {name}: {sign * value:g} to {sign * best:g}")
    return count, losses


def _outcome(count: int, losses: list[str]) -> str:
    return f"{count - len(losses)} of {count}" + "".join(f"; {one}" for one in losses)


def _real(card: Card, row: str) -> Iterator[Target]:
    for title, lines in card.sections.items():
        if not title.startswith("real:") or row not in lines:
            continue
        columns, share = lines[row]["columns"], lines[row]["gains"]["people_above"]
        bar = f"{title}: PSNR and MS-SSIM above nothing for {ABOVE:.0%} of people"
        yield Target(bar, row, share >= ABOVE, f"{share:.1%}")
        if "to a smile" in title:
            happy = [columns[f"emotion_{judge}"]["mean"] for judge in ("a", "b")]
            bar = f"{title}: judged happy at least {HAPPY:.0%}"
            yield Target(bar, row, min(happy) >= HAPPY, ", ".join(f"{one:.1%}" for one in happy))
        median = columns["identity"]["median"]
        bar = f"{title}: identity distance, median at most {IDENTITY:.2f}"
        yield Target(bar, row, median <= IDENTITY, f"{median:.3f}")


def _straight(card: Card, row: str) -> Target:
    bar = f"R² of intensity at least {STRAIGHT} for every emotion"
    line = card.sections.get("control: emotions at 4 intensities", {}).get(row)
    if line is None or not line["by_name"]:
        return Target(bar, row, None, "not measured")
    found = {name: one.get("mean", one)["r2"] for name, one in line["by_name"].items()}
    number = ", ".join(f"{name} {r2:.3f}" for name, r2 in found.items())
    return Target(bar, row, min(found.values()) >= STRAIGHT, number)


def table(found: list[Target]) -> str:
    """All bars as Markdown, and how many are met."""
    words = {True: "met", False: "not met", None: "not measured"}
    rows = [
        {"row": one.row, "bar": one.bar, "": words[one.met], "number": one.number} for one in found
    ]
    met = sum(one.met is True for one in found)
    return markdown(["row", "bar", "", "number"], rows) + f"\n{met} of {len(found)} met\n"


def read(place: Path) -> dict[str, Any]:
    """A scorecard's file; AssetMissing where there is none, DataError where it is another."""
    if not place.is_file():
        raise AssetMissing(f"no scorecard at {place}: run `mien bench scorecard`")
    try:
        facts = json.loads(place.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{place} is no JSON: {error}") from None
    if not isinstance(facts, dict) or "sections" not in facts:
        raise DataError(f"{place} is no scorecard: name a scorecard.json, quality.json, short.json")
    return facts
