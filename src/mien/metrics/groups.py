"""Results by who people are (age, gender, ethnicity), each group with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.errors import DataError
from mien.files import read_table
from mien.metrics.statistics import summarise

AGES = (30, 45)
"""A column of whole numbers with more values than `VALUES` is cut here: under 30, 30 to 44, 45 and
older."""
VALUES = 6
COLUMNS = (
    "psnr", "face_psnr", "face_ssim", "face_perceptual", "mouth_psnr", "units_a", "units_b",
    "emotion_a", "emotion_b", "identity", "sharpness", "mp_smile", "mp_gap", "mp_change",
)  # fmt: skip
"""Columns that are given by group."""


@dataclass(frozen=True)
class Groups:
    """person -> what he or she is, by column: {"003": {"gender": "female"}}."""

    of: Mapping[str, Mapping[str, str]]

    @classmethod
    def read(cls, path: Path) -> Groups:
        """From a CSV whose first column is the person, as in the data set's own numbers (`003` for
        `london/003`), and whose others are groups. DataError where it is none."""
        rows = [row for _, row in read_table(path)[1]]
        if not rows or len(rows[0]) < 2:
            raise DataError(f"{path} is no CSV of people: the first column is who, others groups")
        who, *columns = rows[0]
        named = {c: _named([row[c] or "" for row in rows]) for c in columns}
        return cls(
            {row[who]: {c: named[c][i] for c in columns} for i, row in enumerate(rows) if row[who]}
        )

    def tell(
        self, columns: Mapping[str, Sequence[float]], people: Sequence[str]
    ) -> dict[str, dict[str, Any]]:
        """Summaries of the columns in `COLUMNS` of each group, with how many people are in it."""
        keys = [self.of.get(who) or self.of.get(who.rpartition("/")[2], {}) for who in people]
        out: dict[str, dict[str, Any]] = {}
        for column in sorted({c for row in keys for c in row}):
            for value in sorted({row[column] for row in keys if row.get(column)}):
                at = [i for i, row in enumerate(keys) if row.get(column) == value]
                owners = [people[i] for i in at]
                summaries = {
                    name: asdict(summarise([columns[name][i] for i in at], owners))
                    for name in COLUMNS
                    if name in columns
                }
                group = {"people": len(set(owners)), "columns": summaries}
                out.setdefault(column, {})[value] = group
        return out


def _named(values: Sequence[str]) -> list[str]:
    """Values as groups: many whole numbers are cut at `AGES`."""
    known = [v for v in values if v]
    if len(set(known)) <= VALUES or not all(v.isdecimal() for v in known):
        return list(values)
    low, high = AGES
    names = (f"under {low}", f"{low} to {high - 1}", f"{high} and older")
    return [names[int(np.digitize(int(v), AGES))] if v else "" for v in values]
