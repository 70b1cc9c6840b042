"""A scorecard as a picture: each section's rows, each column's mean with its interval over people.

SVG text, written here because it is lines and circles: nothing else in mien needs a library of
plots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from mien.errors import ConfigError
from mien.metrics.pixel import CEILING
from mien.metrics.summary import ANSWERS
from mien.metrics.table import COLUMNS

SHOWN = (
    "face_psnr", "mouth_psnr", "mouth_perceptual", "units_a", "units_b", "emotion_a", "emotion_b",
    "identity", "sharpness", "mp_smile", "mp_gap", "mp_lids",
)  # fmt: skip
"""Columns that are drawn where nothing else is asked for, as far as a section has them."""
_NAME, _PANEL, _GAP, _ROW, _HEAD, _FOOT = 190, 130, 14, 18, 44, 22
_INK, _FAINT, _MARK, _ANSWER = "#222", "#bbb", "#1f5fa8", "#b2571b"

Line = Mapping[str, Any]


def forest(facts: Mapping[str, Any], columns: Sequence[str] = ()) -> str:
    """The SVG of a scorecard's facts (scorecard.json, short.json), sections below one another.

    ConfigError for a column that no scorecard has, and where no section has any of them.
    """
    for name in columns:
        if name not in COLUMNS:
            raise ConfigError(f"unknown column {name!r}: choose from {', '.join(COLUMNS)}")
    body, top, width = [], 8, 0
    for title, section in facts["sections"].items():
        lines = {n: one for n, one in section["lines"].items() if "skipped" not in one}
        shown = [c for c in columns or SHOWN if any(c in _columns(one) for one in lines.values())]
        if not shown:
            continue
        people = section["people"]
        count = people if isinstance(people, int) else len(people)
        body.append(_text(8, top + 14, f"{title} ({count} people)", "start", bold=True))
        for row, name in enumerate(lines):
            body.append(_text(_NAME - 10, top + _HEAD + row * _ROW + 4, name, "end"))
        for place, column in enumerate(shown):
            left = _NAME + place * (_PANEL + _GAP)
            body += _panel(left, top, column, lines)
        width = max(width, _NAME + len(shown) * (_PANEL + _GAP))
        top += _HEAD + len(lines) * _ROW + _FOOT
    if not body:
        raise ConfigError("this scorecard has none of the columns that are drawn: name some")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top}" '
        f'viewBox="0 0 {width} {top}" font-family="sans-serif" font-size="11">\n'
        f'<rect width="{width}" height="{top}" fill="#fff"/>\n' + "\n".join(body) + "\n</svg>\n"
    )


def _columns(line: Line) -> Mapping[str, Any]:
    found: Mapping[str, Any] = line.get("columns", {})
    return found


def _panel(left: int, top: int, column: str, lines: Mapping[str, Line]) -> list[str]:
    """One column of a section: a scale from the least to the most of its intervals."""
    heading, digits = COLUMNS[column]
    values = {n: _columns(one)[column] for n, one in lines.items() if column in _columns(one)}
    # the truth is like itself without end: it would flatten everybody else
    drawn = {n: v for n, v in values.items() if not ("psnr" in column and v["mean"] >= CEILING)}
    low = min((v["low"] for v in drawn.values()), default=0.0)
    high = max((v["high"] for v in drawn.values()), default=1.0)
    reach = max(high - low, 1e-9)

    def x(value: float) -> float:
        return round(left + (value - low) / reach * _PANEL, 1)

    base = top + _HEAD + len(lines) * _ROW - 6
    out = [
        _text(left + _PANEL / 2, top + 31, heading, "middle"),
        _rule(left, base, left + _PANEL, base, _FAINT),
        _text(left, base + 12, f"{low:.{digits}f}", "start", faint=True),
        _text(left + _PANEL, base + 12, f"{high:.{digits}f}", "end", faint=True),
    ]
    for row, name in enumerate(lines):
        if name in drawn:
            value, y = drawn[name], top + _HEAD + row * _ROW
            ink = _ANSWER if name in ANSWERS else _MARK
            out.append(_rule(x(value["low"]), y, x(value["high"]), y, ink))
            out.append(f'<circle cx="{x(value["mean"])}" cy="{y}" r="3.2" fill="{ink}"/>')
    return out


def _rule(x: float, y: float, to: float, down: float, ink: str) -> str:
    return f'<line x1="{x}" y1="{y}" x2="{to}" y2="{down}" stroke="{ink}" stroke-width="1.4"/>'


def _text(
    x: float, y: float, text: str, anchor: str, *, bold: bool = False, faint: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    ink = "#777" if faint else _INK
    return (
        f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{ink}"{weight}>{escape(text)}</text>'
    )
