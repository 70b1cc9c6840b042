"""The card of a set of invented people: what is in it, of whom, how far to be believed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

Facts = Mapping[str, Any]


def text(
    settings: Facts, notes: Sequence[Facts], pictures: Sequence[Facts], refused: Sequence[Facts]
) -> str:
    """The card, Markdown, whose head tells `datasets` what is where."""
    splits = sorted({p["split"] for p in pictures})
    people = {p["person"] for p in pictures}
    head = ["---", "tags: [facial-expression, synthetic]", "configs:", "- config_name: default",
            "  data_files:"]  # fmt: skip
    for split in splits:
        head += [f"  - split: {split}", f"    path: data/{split}-*.parquet"]
    body = [
        "---", "", "# People who do not exist", "",
        f"{len(pictures)} pictures of {len(people)} people, {settings['size']} px, seed "
        f"{settings['seed']}. Each is mixed from at least three consenting people and shown in "
        f"expressions by mien's `{settings['method']}`. Every picture says in its metadata that AI "
        "made it, and carries an invisible mark.", "", "![Some of them](samples.jpg)", "",
        "## Counts", "", *_table("split, by person", pictures, "split"),
        *_table("gender and ethnicity asked for", pictures, "gender", "ethnicity"),
        *_table("emotion asked for", pictures, "emotion"), *_balance(pictures),
        "## Acceptance", "", *_acceptance(settings, notes, pictures, refused),
        "## What was read", "", *_reading(pictures),
        "## Limits", "",
        "- An identity distance is dlib's, whose descriptor tells people of some groups less well "
        "apart. Hair, ears and clothes are those of one source.",
        "- Two invented people are not held apart from one another.",
        "- Gender and ethnicity are those of the people that the skin comes from, as they said; "
        "shapes come from others too, and parts of some faces.",
        "- Expressions are posed prototypes and what was asked for by units; they are not felt.",
        "- Light and camera are those of the sources' studio.", "",
        "## Sources and terms", "", *_sources(pictures), "",
        "## Settings", "", "```json", json.dumps(settings, indent=1, sort_keys=True), "```", "",
    ]  # fmt: skip
    return "\n".join([*head, *body])


def _table(title: str, pictures: Sequence[Facts], *keys: str) -> list[str]:
    """People and pictures by what they have in common."""
    names = [" ".join(str(p[k]) for k in keys if p[k]) or "not said" for p in pictures]
    counts = Counter(names)
    people = {n: len({p["person"] for m, p in zip(names, pictures, strict=True) if m == n})
              for n in counts}  # fmt: skip
    rows = [f"| {name} | {people[name]} | {counts[name]} |" for name in sorted(counts)]
    return [f"| {title} | people | pictures |", "| --- | --- | --- |", *rows, ""]


def _balance(pictures: Sequence[Facts]) -> list[str]:
    """How even groups and emotions are: the smallest over the largest."""
    lines = []
    for what, keys in (("groups", ("gender", "ethnicity")), ("emotions", ("emotion",))):
        counts = Counter(tuple(p[k] for k in keys) for p in pictures if p[keys[-1]])
        if len(counts) > 1:
            even = min(counts.values()) / max(counts.values())
            lines.append(f"Balance of {what}, smallest over largest: {even:.2f}.")
    return [*lines, ""] if lines else []


def _acceptance(
    settings: Facts, notes: Sequence[Facts], pictures: Sequence[Facts], refused: Sequence[Facts]
) -> list[str]:
    drawn = sum(n.get("attempts", len(n["refused"])) for n in notes)
    made = sum(bool(n["pictures"]) for n in notes)
    portraits = sum(row["what"].startswith("attempt") for row in refused)
    distances = [p["distance"] for p in pictures] or [0.0]
    asked = len(pictures) + len(refused) - portraits
    return [
        f"A picture is taken if it is at least {settings['least']:g} from everybody who may be "
        f"mixed and, where a whole label was asked for, at least {settings.get('agree', 0)} of two "
        f"judges read it. {drawn} portraits were drawn for {made} people, "
        f"{len(notes) - made} people were given up; of {asked} pictures of the others "
        f"{asked - len(pictures)} were refused (`refused.jsonl`). Least distance of a picture "
        f"that was taken: {min(distances):.3f}.", "",
    ]  # fmt: skip


def _reading(pictures: Sequence[Facts]) -> list[str]:
    """How often judges read the emotion that was asked for whole."""
    whole = [p for p in pictures if p["emotion"] and p["intensity"] == 1 and p["valence"] is None]
    if not whole:
        return ["No emotion was asked for whole.", ""]
    right = [[p[f"emotion_read_{j}"] == p["emotion"] for p in whole] for j in "ab"]
    either = sum(a or b for a, b in zip(*right, strict=True))
    count = len(whole)
    return [
        f"Of {count} pictures with a whole emotion judge a reads it in {sum(right[0])}, judge b in "
        f"{sum(right[1])}, one of them in {either}. Units are read by both "
        "(`units_read_a`, `units_read_b`); `units_asked` are those asked of a face at rest.", "",
    ]  # fmt: skip


def _sources(pictures: Sequence[Facts]) -> list[str]:
    origins = sorted({(p["origin"], p["licence"]) for p in pictures})
    sources = sorted({s for p in pictures for s in p["sources"]})
    return [
        *(f"- {origin}: {licence}. Changes: mixed, then edited by mien." for origin, licence in
          origins),
        f"- {len(sources)} people are mixed in; `sources` names them for each picture.",
    ]  # fmt: skip
