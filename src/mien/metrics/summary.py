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
_LABELS, _RISING = "labels: eight labels", "control: emotions at 4 intensities"


def short(sections: Sections) -> str:
    """A line for doing nothing, for the truth and for every contestant; columns that nothing was
    measured for are left out, and the truth's likeness to itself stays empty. Identity distances
    are medians, what judges say is the mean of the two.
    """
    rows = list(dict.fromkeys(name for one in sections.values() for name in one["lines"]))
    named = [NOTHING, TRUTH, *(row for row in rows if row not in (NOTHING, *ANSWERS))]
    cells = []
    for row in named:
        found = {"": row}
        for heading, (title, tell) in COLUMNS.items():
            line = _line(sections, title, row)
            if line is not None and not (row == TRUTH and "PSNR" in heading):
                found[heading] = tell(line, _line(sections, title, NOTHING) or line)
        cells.append(found | {"lost": _lost(sections, row)})
    measured = [heading for heading in COLUMNS if any(heading in row for row in cells)]
    return markdown(["", *measured, "lost"], cells)


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


def _r2(line: Line, _: Line) -> str:
    return f"{line['r2']:.2f}" if "r2" in line else ""


COLUMNS: dict[str, tuple[str, Callable[[Line, Line], str]]] = {
    "smile: PSNR gain, dB": (_SMILE, _gain),
    "smile: people above nothing": (_SMILE, _above),
    "smile: judged happy": (_SMILE, _named),
    "smile: identity distance": (_SMILE, _identity),
    "transfer: PSNR gain, dB": (_TRANSFER, _gain),
    "transfer: AU error left": (_TRANSFER, _left),
    "labels: emotion right": (_LABELS, _named),
    "labels: identity distance": (_LABELS, _identity),
    "labels: sharpness": (_LABELS, _sharp),
    "control: R²": (_RISING, _r2),
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
    (the seed tells again), of each name's line only R2 and slope, no spreads.
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
    out = {key: value for key, value in line.items() if key != "by_name"}
    for part in ("columns", "gains"):
        if part in line:
            out[part] = {name: _value(value) for name, value in line[part].items()}
    if "by_name" in line and "counts" not in line:  # lines over intensities
        out["by_name"] = {
            name: {key: one["mean"][key] for key in ("r2", "slope")}
            for name, one in line["by_name"].items()
        }
    return out


def _value(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {key: value[key] for key in ("mean", "median", "low", "high")}
