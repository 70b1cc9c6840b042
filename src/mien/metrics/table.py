"""The scorecard as Markdown: tables of quality, and one of cost, which no two runs share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mien.judges.landmarker import CLAIMS
from mien.metrics.cost import Cost
from mien.metrics.pixel import PARTS

COLUMNS: dict[str, tuple[str, int]] = {
    "psnr": ("PSNR", 2),
    "ssim": ("SSIM", 3),
    "ms_ssim": ("MS-SSIM", 3),
    "face_psnr": ("face PSNR", 2),
    "face_ssim": ("face SSIM", 3),
    "face_ms_ssim": ("face MS-SSIM", 3),
    "eyes_psnr": ("eyes PSNR", 2),
    "eyes_ssim": ("eyes SSIM", 3),
    "mouth_psnr": ("mouth PSNR", 2),
    "mouth_ssim": ("mouth SSIM", 3),
    "units_a": ("AU error, judge a", 4),
    "units_b": ("AU error, judge b", 4),
    "asked_a": ("AU error to asked, judge a", 4),
    "asked_b": ("AU error to asked, judge b", 4),
    "emotion_a": ("emotion right, judge a", 3),
    "emotion_b": ("emotion right, judge b", 3),
    "emotion_classifier": ("emotion right, classifier", 3),
    "confused_a": ("confused, judge a", 3),
    "confused_b": ("confused, judge b", 3),
    "identity": ("identity distance", 3),
    "similarity": ("identity similarity, embedding", 3),
    "leakage": ("leakage", 3),
    "sharpness": ("sharpness", 3),
    "crosstalk": ("crosstalk", 4),
    "face_psnr_128": ("face PSNR at 128 px", 2),
    "face_perceptual": ("face distance, EfficientNet-Lite0", 3),
    **{
        f"{part}_{measure}": (f"{part.replace('_', ' ')} {heading}", digits)
        for part in PARTS
        for measure, heading, digits in (
            ("psnr", "PSNR", 2), ("ssim", "SSIM", 3), ("perceptual", "distance", 3),
            ("sharpness", "sharpness", 2),
        )
    },
    "eyes_showing": ("source's eyes showing", 3),
    "mouth_void": ("mouth void", 3),
    "background_kept": ("background untouched", 3),
    "mp_change": ("change, MediaPipe", 2),
    "mp_open": ("eyes open, MediaPipe", 3),
    **{f"mp_{claim}": (f"{claim} off, MediaPipe", 3) for claim in (*CLAIMS, "gap")},
    "mp_turn": ("head turned, degrees", 1),
}  # fmt: skip
"""Means over faces with their interval: key -> heading, digits."""
PLAIN: dict[str, tuple[str, str, int]] = {
    "people_above": ("gains", "people above nothing", 3),
    "frechet_judge_a": ("sets", "Fréchet, judge a", 3),
    "frechet_judge_b": ("sets", "Fréchet, judge b", 3),
    "frechet_inception": ("sets", "Fréchet, Inception", 2),
    "kernel_judge_a": ("sets", "kernel, judge a", 4),
    "kernel_judge_b": ("sets", "kernel, judge b", 4),
    "kernel_inception": ("sets", "kernel, Inception", 5),
    "r2": ("", "R²", 3),
    "r2_worst": ("", "R², worst", 3),
    "own_r2": ("", "R² within people", 3),
    "own_r2_worst": ("", "R² within people, worst", 3),
    "slope": ("", "slope", 3),
    "slope_least": ("", "slope, least", 3),
    "lost": ("counts", "lost", 0),
    "failed": ("counts", "failed", 0),
    "untouched": ("counts", "untouched", 0),
}
"""Single numbers: key -> the part of a line that holds it, heading, digits."""

_FACES, _PEOPLE = "faces (people)", "people"
_UNSEEN = "photographs without a face"
_SKIPPED = "not measured"


def quality(table: Mapping[str, Any]) -> str:
    """What `scorecard.score` gives, a table for each section: a line for each measure, a column for
    each row of the section; mean [95 % interval over people]. What was not measured is left out.
    """
    parts = []
    for title, section in table.items():
        found = {}
        for name, line in section["lines"].items():
            if "skipped" in line:
                found[name] = {_SKIPPED: line["skipped"]}
                continue
            counts = {_FACES: f"{line['faces']} ({line['people']})"}
            if section["without_face"]:
                counts[_UNSEEN] = str(len(section["without_face"]))
            found[name] = counts | _cells(line)
        parts.append(_section(title, found))
    return "\n".join(parts)


def _section(title: str, columns: Mapping[str, Mapping[str, str]]) -> str:
    """A heading, and a table whose columns these are: each a cell by the line's heading."""
    measures = [heading for heading, _ in COLUMNS.values()]
    measures += [heading for _, heading, _ in PLAIN.values()]
    lines = [
        {"": heading} | {name: cells.get(heading, "") for name, cells in columns.items()}
        for heading in (_FACES, _PEOPLE, *measures, _UNSEEN, _SKIPPED)
        if any(heading in cells for cells in columns.values())
    ]
    return f"## {title}\n\n{markdown(['', *columns], lines)}"


def _cells(line: Mapping[str, Any]) -> dict[str, str]:
    cells = {}
    for key, (heading, digits) in COLUMNS.items():
        found = line.get("columns", {}).get(key)
        if found is not None:
            low, high = found["low"], found["high"]
            cells[heading] = f"{found['mean']:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    for key, (place, heading, digits) in PLAIN.items():
        value = (line.get(place, {}) if place else line).get(key)
        if value is not None:
            cells[heading] = f"{value:.{digits}f}"
    return cells


def codes(table: Mapping[str, Any]) -> str:
    """Agreement with coders: of each line, judge and unit, F1 of occurrence and ICC(3,1)."""
    rows = [
        {
            "protocol": title, "row": name, "judge": judge, "unit": unit,
            "F1": _number(one["f1"]), "ICC(3,1)": _number(one["icc"]),
            "results (there)": f"{one['results']} ({one['there']})" if "results" in one else "",
        }
        for title, section in table.items()
        for name, line in section["lines"].items()
        for judge, found in line.get("codes", {}).items()
        for unit, one in {"mean": found, **found["by_unit"]}.items()
    ]  # fmt: skip
    return markdown(list(rows[0]), rows) if rows else ""


def groups(table: Mapping[str, Any]) -> str:
    """Each group of people on its own, a table for each row of each section: a line for each
    measure, a column for each group; mean [95 % interval over people]."""
    parts = []
    for title, section in table.items():
        for name, line in section["lines"].items():
            found = {
                f"{column}: {value}": {_PEOPLE: str(group["people"])} | _cells(group)
                for column, values in line.get("by_group", {}).items()
                for value, group in values.items()
            }
            if found:
                parts.append(_section(f"{title}, {name}", found))
    return "\n".join(parts)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def costs(found: Mapping[str, Cost]) -> str:
    """Of each method, a line."""
    rows = [
        {
            "row": name,
            "parameters": f"{cost.parameters / 1e6:.2f} M",
            "GMAC": f"{cost.gmac:.3f}",
            "ms": f"{cost.milliseconds:.1f}",
            "slowest ms": f"{cost.slowest:.1f}",
            "peak memory": f"{cost.peak_mb:.0f} MB",
            "threads": str(cost.threads),
        }
        for name, cost in found.items()
    ]
    return markdown(list(rows[0]) if rows else [], rows)


def markdown(headings: Sequence[str], rows: Sequence[Mapping[str, str]]) -> str:
    """A Markdown table; what a row lacks stays empty.

    >>> print(markdown(["a", "b"], [{"a": "1"}]), end="")
    | a | b |
    | --- | --- |
    | 1 |  |
    """
    lines = [headings, ["---"] * len(headings)]
    lines += [[row.get(heading, "") for heading in headings] for row in rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
