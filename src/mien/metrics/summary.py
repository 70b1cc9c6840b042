"""The scorecard's short form: a table that fits a README, and JSON small enough to be committed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mien.metrics.table import markdown

NOTHING, ANSWERS = "nothing", ("the photograph", "the rig")
"""Rows that are no method's: the unedited source, and the truth itself."""
TRUTH = "the truth itself"
"""What the short table calls the row of a section's answer."""

Line = Mapping[str, Any]
Sections = Mapping[str, Any]

_SMILE, _TRANSFER = "real: to a smile, by reference", "truth: transfer, by reference"
_OWN = "pairs: neutral to happy, by reference"
_OPENING = "speech: shut mouth to open, by reference"
_SHUTTING = "speech: open eyes to shut, by reference"
_LABELS, _RISING = "labels: eight labels", "control: emotions at 4 intensities"


def short(sections: Sections) -> str:
    """A line for each measure, a column for doing nothing, for the truth and for every contestant;
    measures of which there is nothing are left out, and the truth's likeness to itself stays
    empty. Identity distances are medians, what judges say is the mean of the two.
    """
    rows = list(dict.fromkeys(name for one in sections.values() for name in one["lines"]))
    named = [NOTHING, TRUTH, *(row for row in rows if row not in (NOTHING, *ANSWERS))]
    cells = []
    for row in named:
        found = {"": row}
        for folder in _folders(sections):
            for heading, (title, tell) in COLUMNS.items():
                line = _line(sections, folder + title, row)
                if line is None or (row == TRUTH and ("PSNR" in heading or "truth" in heading)):
                    continue
                text = tell(line, _line(sections, folder + title, NOTHING) or line)
                found |= {folder + heading: text} if text else {}
        cells.append(found | {"lost": _lost(sections, row)})
    headings = [folder + heading for folder in _folders(sections) for heading in COLUMNS]
    measured = [heading for heading in headings if any(heading in row for row in cells)]
    return markdown(
        ["", *named],
        [{"": m} | {row[""]: row.get(m, "") for row in cells} for m in [*measured, "lost"]],
    )


def _folders(sections: Sections) -> list[str]:
    """What stands before the protocol in sections' titles: nothing, or the names of several folders
    that were measured together, as `london: `."""
    before = [title.rpartition(": ")[0].rpartition(": ") for title in sections]
    return list(dict.fromkeys(folder + colon for folder, colon, _ in before))


def _line(sections: Sections, title: str, row: str) -> Line | None:
    lines = sections.get(title, {"lines": {}})["lines"]
    names = ANSWERS if row == TRUTH else (row,)
    return next((lines[n] for n in names if n in lines and "skipped" not in lines[n]), None)


def both(line: Line, column: str) -> float:
    """Mean of what the two judges say of a column, such as `emotion` or `units`."""
    found = [line["columns"][f"{column}_{judge}"]["mean"] for judge in ("a", "b")]
    return float(sum(found)) / len(found)


def _gain(line: Line, _: Line) -> str:
    return f"{line['gains']['psnr']['mean']:+.2f}"


def _above(line: Line, _: Line) -> str:
    return f"{100 * line['gains']['people_above']:.0f} %"


def _named(line: Line, _: Line) -> str:
    return f"{100 * both(line, 'emotion'):.0f} %"


def _identity(line: Line, _: Line) -> str:
    return f"{line['columns']['identity']['median']:.2f}"


def _left(line: Line, nothing: Line) -> str:
    return f"{both(line, 'units') / both(nothing, 'units'):.2f}"


def _sharp(line: Line, _: Line) -> str:
    return f"{line['columns']['sharpness']['mean']:.2f}"


def _gain_of(column: str) -> Callable[[Line, Line], str]:
    """Over doing nothing, mean over faces."""

    def tell(line: Line, nothing: Line) -> str:
        if column not in line["columns"]:
            return ""
        return f"{line['columns'][column]['mean'] - nothing['columns'][column]['mean']:+.2f}"

    return tell


def _mean_of(column: str) -> Callable[[Line, Line], str]:
    def tell(line: Line, _: Line) -> str:
        return f"{line['columns'][column]['mean']:.2f}" if column in line["columns"] else ""

    return tell


def _confused(line: Line, _: Line) -> str:
    return f"{100 * both(line, 'confused'):.0f} %" if "confused_a" in line["columns"] else ""


def _own_r2(line: Line, _: Line) -> str:
    return f"{line['own_r2']:.2f}" if "own_r2" in line else ""


def _r2(line: Line, _: Line) -> str:
    return f"{line['r2']:.2f}" if "r2" in line else ""


COLUMNS: dict[str, tuple[str, Callable[[Line, Line], str]]] = {
    "smile: PSNR gain, dB": (_SMILE, _gain),
    "smile: people above nothing": (_SMILE, _above),
    "smile: judged happy": (_SMILE, _named),
    "smile: identity distance": (_SMILE, _identity),
    "own smile: face PSNR gain, dB": (_OWN, _gain_of("face_psnr")),
    "own smile: mouth PSNR gain, dB": (_OWN, _gain_of("mouth_psnr")),
    "own smile: mouth's distance to the truth": (_OWN, _mean_of("mouth_perceptual")),
    "own smile: mouth sharpness": (_OWN, _mean_of("mouth_sharpness")),
    "own smile: judged happy": (_OWN, _named),
    "own smile: AU error left": (_OWN, _left),
    "own smile: identity distance": (_OWN, _identity),
    "own smile: smile off, MediaPipe": (_OWN, _mean_of("mp_smile")),
    "open mouth: mouth PSNR gain, dB": (_OPENING, _gain_of("mouth_psnr")),
    "open mouth: mouth's distance to the truth": (_OPENING, _mean_of("mouth_perceptual")),
    "open mouth: lips' gap off, MediaPipe": (_OPENING, _mean_of("mp_gap")),
    "open mouth: mouth void": (_OPENING, _mean_of("mouth_void")),
    "shut eyes: source's eyes showing": (_SHUTTING, _mean_of("eyes_showing")),
    "shut eyes: lids off, MediaPipe": (_SHUTTING, _mean_of("mp_lids")),
    "transfer: PSNR gain, dB": (_TRANSFER, _gain),
    "transfer: AU error left": (_TRANSFER, _left),
    "labels: emotion right": (_LABELS, _named),
    "labels: identity distance": (_LABELS, _identity),
    "labels: sharpness": (_LABELS, _sharp),
    "labels: confused": (_LABELS, _confused),
    "labels: background untouched": (_LABELS, _mean_of("background_kept")),
    "labels: change, MediaPipe": (_LABELS, _mean_of("mp_change")),
    "control: R²": (_RISING, _r2),
    "control: R² within people": (_RISING, _own_r2),
}
"""Heading -> the section it is of, and what it tells of a line and of doing nothing's there."""


def _lost(sections: Sections, row: str) -> str:
    lines = [_line(sections, title, row) for title in sections]
    counted = [line for line in lines if line is not None and "counts" in line]
    lost, faces = (sum(values) for values in zip((0, 0), *map(_counted, counted), strict=True))
    return f"{lost} of {faces}" if counted else ""


def _counted(line: Line) -> tuple[int, int]:
    return line["counts"]["lost"], line["faces"]


def shortened(facts: Mapping[str, Any]) -> dict[str, Any]:
    """A scorecard without what neither its tables nor its targets read: how many people, not who
    (the seed tells again), of each name's line only R2 and slope, no spreads, no groups, no medians
    but of identity distances.
    """
    sections = {
        title: {
            "people": len(section["people"]),
            "without_face": len(section["without_face"]),
            "lines": {name: _briefly(line) for name, line in section["lines"].items()},
        }
        for title, section in facts["sections"].items()
    }
    return {**facts, "sections": sections}


def _briefly(line: Line) -> dict[str, Any]:
    out = {key: value for key, value in line.items() if key not in ("by_name", "by_group")}
    for part in ("columns", "gains"):
        if part in line:
            out[part] = {name: _value(name, value) for name, value in line[part].items()}
    if "by_name" in line and "counts" not in line:  # lines over intensities
        out["by_name"] = {
            name: {key: one["mean"][key] for key in ("r2", "slope")}
            for name, one in line["by_name"].items()
        }
    return out


def _value(name: str, value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    kept = ("mean", "median", "low", "high") if name == "identity" else ("mean", "low", "high")
    return {key: value[key] for key in kept}
