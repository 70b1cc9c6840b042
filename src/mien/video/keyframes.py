"""Whole expressions at moments of a film: the face goes straight from each to the next."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from mien.errors import GuideError
from mien.guides import Between, ExpressionSpec, Guide, Scaled
from mien.guides.spec import finite

LONGEST = 3600.0
"""Latest time of a keyframe, s."""
MOST = 200
"""Most keyframes of a film."""
_LARGEST_FILE = 1_000_000  # bytes
_SUCH = '[{"time": 0}, {"time": 1.5, "to": "happy"}]'


@dataclass(frozen=True)
class Keyframe:
    """An expression at a moment, s since the first frame; one that asks for nothing is the face as
    the film has it. GuideError for a time out of range."""

    time: float
    spec: ExpressionSpec = field(default_factory=ExpressionSpec)

    def __post_init__(self) -> None:
        if not 0 <= self.time <= LONGEST:  # nor is NaN
            raise GuideError(f"a keyframe's time is from 0 to {LONGEST:g} s")

    @classmethod
    def of(cls, values: Any) -> Self:
        """From an object of JSON: `time`, and the fields of an expression beside it."""
        if not isinstance(values, dict):
            raise GuideError(f"a keyframe is an object: write {_SUCH}")
        time = finite(values.get("time"))
        if time is None:
            raise GuideError(f"a keyframe has a time in seconds: write {_SUCH}")
        fields = {key: value for key, value in values.items() if key != "time"}
        return cls(time, ExpressionSpec.of(fields))

    def to_json(self) -> dict[str, Any]:
        """The object that `of` reads back."""
        return {"time": self.time, **self.spec.to_json()}

    def guide(self, reference: Guide | None = None, kept: str | None = None) -> Guide | None:
        """What it asks for, intensity included; None if nothing."""
        if self.spec.empty:
            return None
        asked = self.spec.guide(reference, kept)
        return asked if self.spec.intensity == 1 else Scaled(asked, self.spec.intensity)


def of_values(values: Any) -> tuple[Keyframe, ...]:
    """Keyframes from a list of JSON, their times rising; GuideError, with the one that is wrong."""
    if not isinstance(values, list) or not values:
        raise GuideError(f"keyframes are a list: write {_SUCH}")
    if len(values) > MOST:
        raise GuideError(f"{len(values)} keyframes: up to {MOST} are possible")
    found: list[Keyframe] = []
    for number, value in enumerate(values, 1):
        try:
            key = Keyframe.of(value)
        except GuideError as error:
            raise GuideError(f"keyframe {number}: {error}") from None
        if found and key.time <= found[-1].time:
            raise GuideError(f"keyframe {number}: times must rise")
        found.append(key)
    return tuple(found)


def parse(data: bytes, called: str) -> tuple[Keyframe, ...]:
    """Keyframes from the bytes of a JSON file that people know as `called`."""
    if len(data) > _LARGEST_FILE:
        raise GuideError(f"{called} is larger than {_LARGEST_FILE // 1_000_000} MB")
    try:
        values = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise GuideError(f"{called} is not JSON: write {_SUCH}") from None
    try:
        return of_values(values)
    except GuideError as error:
        raise GuideError(f"{called}: {error}") from None


def read(path: Path) -> tuple[Keyframe, ...]:
    """Keyframes from a JSON file; a photograph that one is `like` is named relative to it."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise GuideError(f"{path} cannot be read: {error.strerror}") from None
    return tuple(
        key if key.spec.like is None
        else replace(key, spec=replace(key.spec, like=str(path.parent / key.spec.like)))
        for key in parse(data, str(path))
    )  # fmt: skip


@dataclass(frozen=True)
class Keyframes:
    """A drive by expressions at moments, s: straight from each to the next, the first before them,
    the last after."""

    times: tuple[float, ...]
    guides: tuple[Guide | None, ...]

    @classmethod
    def of(
        cls,
        keys: Sequence[Keyframe],
        kept: str | None = None,
        reference: Callable[[str], Guide] | None = None,
    ) -> Self:
        """What keyframes ask for; `reference` opens the photograph that one is `like`, `kept` is
        what a whole expression leaves as it is, such as `speech`."""
        guides = [
            key.guide(reference(key.spec.like) if reference and key.spec.like else None, kept)
            for key in keys
        ]
        return cls(tuple(key.time for key in keys), tuple(guides))

    def at(self, time: float) -> Guide | None:
        """The guide at a time of the film, s; None for the face as it is."""
        index = bisect_right(self.times, time) - 1
        first, second = (
            self.guides[min(max(i, 0), len(self.guides) - 1)] for i in (index, index + 1)
        )
        if first is second or not 0 <= index < len(self.times) - 1:
            return first
        share = (time - self.times[index]) / (self.times[index + 1] - self.times[index])
        return Between(first, second, share) if share else first

    def later(self, start: float) -> Keyframes:
        """The same for a film that begins at `start` s of this one."""
        return replace(self, times=tuple(time - start for time in self.times))

    def describe(self) -> str:
        """All of them in words, for metadata."""
        parts = [
            f"{'source' if guide is None else guide.describe()} at {time:g} s"
            for time, guide in zip(self.times, self.guides, strict=True)
        ]
        return "; ".join(parts)
