"""What the studio's server says to its page: the parts of it that change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from mien.studio.rendering import part


@dataclass
class Answer:
    """What an event changes on the page; what is empty stays as it is."""

    html: dict[str, str] = field(default_factory=dict)
    """Parts that are drawn anew, by their ids."""
    values: dict[str, Any] = field(default_factory=dict)
    """Where fields stand, by their ids."""
    most: dict[str, float] = field(default_factory=dict)
    """How far sliders go, by their ids."""
    moved: list[str] | None = None
    """Ids of the fields that were moved on top of an expression: all others of the panel were
    not."""
    keys: dict[str, Any] = field(default_factory=dict)
    """What the page keeps, and says with each event: what is open, and a film's expression."""
    picture: dict[str, str] = field(default_factory=dict)
    """While a slider is moved, the picture alone: `src`, and `alt`."""
    enabled: dict[str, bool] = field(default_factory=dict)
    """Buttons that work, or do not, by their ids."""
    shown: dict[str, bool] = field(default_factory=dict)
    """Hints that are seen, or not, by the guide that they are of."""
    closed: str = ""
    """The fold that is not needed any more."""
    then: tuple[str, ...] = ()
    """Events that only follow from this one: the page asks for them after all steps, once."""

    def json(self) -> dict[str, Any]:
        """As the page reads it."""
        return {key: value for key, value in vars(self).items() if value or value == []}

    def status(self, place: str, text: str) -> Answer:
        """It, with a line that a screen reader says aloud in a part of the page."""
        self.html[place] = part("status", text)
        return self


def capital(words: str) -> str:
    """Words as the beginning of a line."""
    return words[:1].upper() + words[1:]


def plural(count: int, what: str) -> str:
    """So many of something: `1 face`, `2 faces`."""
    return f"{count} {what}{'' if count == 1 else 's'}"
