"""One line of a manifest: every column checked, every mistake reported in a line of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import facs
from mien.errors import GuideError, near

UNSAID = "not stated"
"""Licence and source of photographs whose manifest names none."""


@dataclass
class Row:
    """The columns of a line, and what was found wrong with them so far."""

    values: Mapping[str, Any]
    mistakes: list[str] = field(default_factory=list)
    """Each a line without the place, which `scan_manifest` adds."""

    @classmethod
    def of(cls, line: str) -> Row:
        """A line of JSON; one that is no object has no columns and the mistake of being none."""
        try:
            values = json.loads(line)
        except (ValueError, RecursionError) as e:  # also numbers of 4,300 digits, 1,000 brackets
            return cls({}, [f"not JSON ({getattr(e, 'msg', type(e).__name__)})"])
        if not isinstance(values, dict):
            return cls({}, ["expected one JSON object a line"])
        return cls(values)

    def mistake(self, what: str) -> None:
        """Note a mistake; of a line that could not be read at all, that is the only one."""
        if self.values or not self.mistakes:
            self.mistakes.append(what)

    def text(self, column: str) -> str | None:
        """A text that can be a name, or None where the column is null or absent."""
        value = self.values.get(column)
        if value is None:
            return None
        if not isinstance(value, str) or not value or not _writable(value):
            self.mistake(f"{column!r} must be null or a text that is not empty")
            return None
        return value

    def one_of(
        self, column: str, known: Sequence[str], words: Mapping[str, str] | None = None
    ) -> str | None:
        """One of some words, or None where the column is null or absent; `words` are others that
        may have been meant."""
        value = self.text(column)
        if value is not None and value not in known:
            self.mistake(f"{column} is {value!r}: {near(str(value), known, words)}")
            return None
        return value

    def file_name(self) -> str:
        """A manifest may come from elsewhere: it must not point out of its own folder."""
        if self.values.get("file_name") is None:
            self.mistake("'file_name' is missing: every line names a picture")
        name = self.text("file_name") or ""
        if name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/"):
            self.mistake(f"file_name {name!r} must stay inside the manifest's folder")
        return name

    def count(self, column: str) -> int | None:
        """A whole number from 0 on, or None."""
        value = self.values.get(column)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value < 2**31:
            self.mistake(f"{column!r} must be null or a whole number from 0 on")
            return None
        return value

    def units(self) -> facs.Vector | None:
        """Action units (47,), NaN where null or not named: a list in the order of `facs.UNITS`, or
        an object such as {"AU12": 0.8, "AU4L": 0.3}.
        """
        value = self.values.get("units")
        if value is None:
            return None
        units = self._named(value) if isinstance(value, dict) else self._numbers(value)
        if units is None:
            return None
        if ((units < 0) | (units > 1)).any():  # NaN is neither
            self.mistake("'units' has action units outside 0..1")
            return None
        return None if np.isnan(units).all() else units

    def _named(self, value: Mapping[str, Any]) -> facs.Vector | None:
        out = np.full(len(facs.UNITS), np.nan, np.float32)
        for name in sorted(value, key=len):  # a side after its whole unit refines it
            try:
                columns = list(facs.columns(name))
            except GuideError as e:
                self.mistake(f"'units': {e}")
                return None
            if type(value[name]) not in (int, float):
                self.mistake(f"'units' has no number for {name}")
                return None
            out[columns] = value[name]
        return out

    def _numbers(self, value: Any) -> facs.Vector | None:
        units = _array(value)
        if units.shape != (len(facs.UNITS),) or np.isinf(units).any():
            self.mistake(
                f"'units' must be null, {len(facs.UNITS)} numbers or nulls, or an object of "
                'names and numbers such as {"AU12": 0.8}'
            )
            return None
        return units

    def landmarks(self) -> NDArray[np.float32] | None:
        """Points (68, 2), or None."""
        value = self.values.get("landmarks")
        if value is None:
            return None
        points = _array(value)
        if points.shape != (68, 2) or not np.isfinite(points).all():
            self.mistake("'landmarks' must be null or finite numbers of shape (68, 2)")
            return None
        return points


def _array(value: Any) -> NDArray[np.float32]:
    """Numbers, null as NaN; of what has no such form, nothing."""
    try:
        return np.asarray(value, dtype=np.float32) if isinstance(value, list) else _NOTHING
    except (TypeError, ValueError, OverflowError):
        return _NOTHING


_NOTHING = np.empty(0, np.float32)


def _writable(text: str) -> bool:
    """Whether a text can be a name: JSON has half letters, and letters of no width, that cannot."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
