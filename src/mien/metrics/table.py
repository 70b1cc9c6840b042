"""The scorecard as Markdown: a table of quality, and one of cost, which no two runs share."""

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

_UNSEEN = "photographs without a face"
_SKIPPED = "not measured"


def quality(table: Mapping[str, Any]) -> str:
    """The table that `scorecard.score` gives; mean [95 % interval over people]. A section or column
    that was not measured is left out.
    """
    rows = []
    for title, section in table.items():
        for name, line in section["lines"].items():
            cells = {"protocol": title, "row": name}
            if "skipped" in line:
                rows.append(cells | {_SKIPPED: line["skipped"]})
                continue
            cells["faces (people)"] = f"{line['faces']} ({line['people']})"
            if section["without_face"]:
                cells[_UNSEEN] = str(len(section["without_face"]))
            rows.append(cells | _cells(line))
    headings = ["protocol", "row", "faces (people)"]
    headings += [heading for heading, _ in COLUMNS.values()]
    headings += [heading for _, heading, _ in PLAIN.values()]
    headings += [_UNSEEN, _SKIPPED]
    return markdown([h for h in headings if any(h in row for row in rows)], rows)


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
    """Each group of people on its own: mean [95 % interval over people]."""
    rows = []
    for title, section in table.items():
        for name, line in section["lines"].items():
            for column, values in line.get("by_group", {}).items():
                for value, group in values.items():
                    cells = {"protocol": title, "row": name, "group": f"{column}: {value}"}
                    rows.append(cells | {"people": str(group["people"])} | _cells(group))
    headings = ["protocol", "row", "group", "people", *(h for h, _ in COLUMNS.values())]
    return markdown([h for h in headings if any(h in row for row in rows)], rows) if rows else ""


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
