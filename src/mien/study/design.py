"""Which pictures are shown together: trials that are balanced, the same for the same seed.

Each trial has two alternatives. Conditions take turns, and within a condition people do. In half of
the trials of each condition (within one) the right picture is on the left; a second list of
participants sees every trial mirrored, so that each pair is shown equally often either way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from mien.errors import DataError
from mien.study.pictures import NEUTRAL, Picture

LEFT, RIGHT = "left", "right"
SAME, DIFFERENT = "same", "different"
CHECK = "check"
"""The condition of a trial that asks for attention only."""
MORE = {
    "happy": "happier", "sad": "sadder", "surprise": "more surprised", "fear": "more afraid",
    "anger": "angrier", "disgust": "more disgusted", "contempt": "more contemptuous",
}  # fmt: skip


@dataclass(frozen=True)
class Trial:
    """Two pictures, a question, and the right answer: `left`, `right`, `same` or `different`."""

    condition: str
    question: str
    left: Picture
    right: Picture
    answer: str
    name: str = ""
    """Eight hexadecimal digits, which tell nothing of the answer."""


@dataclass(frozen=True)
class Pair:
    """Two pictures of a condition; `shown` is the right one, or None where the answer is a word."""

    condition: str
    question: str
    shown: Picture
    other: Picture
    word: str | None = None
    """`same` or `different`, where participants do not choose one of the pictures."""

    @property
    def cell(self) -> tuple[str, str]:
        """What is balanced: condition and kind of answer."""
        return self.condition, self.word or ""


def photograph_pairs(pictures: Sequence[Picture], random: np.random.Generator) -> list[Pair]:
    """An unaltered photograph beside an edited picture of the same person, of the same label where
    there is such a photograph. Conditions are the labels of the edited pictures."""
    found = []
    for person in _people(pictures):
        own = [p for p in pictures if p.person == person]
        taken = [p for p in own if p.photograph]
        for edited in (p for p in own if not p.photograph):
            alike = [p for p in taken if p.label == edited.label] or taken
            if alike:
                shown = alike[int(random.integers(len(alike)))]
                question = "Which one is the unaltered photograph?"
                found.append(Pair(_condition(edited), question, shown, edited))
    if not found:
        raise DataError(
            "no person has both a photograph and an edited picture: say which pictures are "
            "photographs with --photographs neutral, or in a column photograph"
        )
    return found


def more_pairs(pictures: Sequence[Picture], _: np.random.Generator) -> list[Pair]:
    """The same person's expression at two intensities; the stronger one is right. A face at rest
    counts as intensity 0 of every label."""
    found = []
    for person in _people(pictures):
        own = [p for p in pictures if p.person == person]
        for label in sorted({p.label for p in own} - {NEUTRAL}):
            steps = {p.intensity: p for p in reversed(own) if p.label in (label, NEUTRAL)}
            for low, high in combinations(sorted(steps), 2):
                pair = Pair(f"{label} {low:g} < {high:g}", _more(label), steps[high], steps[low])
                found.append(pair)
    if not found:
        raise DataError("nobody shows an expression at two intensities, rest included")
    return found


def same_pairs(pictures: Sequence[Picture], random: np.random.Generator) -> list[Pair]:
    """A face at rest beside an expression of the same person, and of somebody else."""
    people = _people(pictures)
    neutral = {p.person: p for p in reversed(pictures) if p.label == NEUTRAL}
    if len(neutral) < 2:
        raise DataError("two people at least must be shown at rest (neutral) too")
    found = []
    question = "Do both pictures show the same person?"
    for person in people:
        others = [p for p in neutral if p != person]
        for picture in (p for p in pictures if p.person == person and p.label != NEUTRAL):
            condition = _condition(picture)
            if person in neutral:
                found.append(Pair(condition, question, neutral[person], picture, SAME))
            other = others[int(random.integers(len(others)))]
            found.append(Pair(condition, question, neutral[other], picture, DIFFERENT))
    if not found:
        raise DataError("there is nothing but faces at rest: show an expression")
    return found


PAIRS: dict[str, Callable[[Sequence[Picture], np.random.Generator], list[Pair]]] = {
    "photograph": photograph_pairs,
    "more": more_pairs,
    "same": same_pairs,
}
"""What may be asked: which is the photograph, which shows more, is it the same person."""


def design(
    pictures: Sequence[Picture], ask: str, count: int | None, checks: int, seed: int,
    labels: Sequence[str] = (),
) -> list[Trial]:  # fmt: skip
    """The trials of a study, attention checks among them, sorted by their names.

    Args:
        pictures: what may be shown.
        ask: a key of `PAIRS`.
        count: trials without the checks; None takes every pair.
        checks: attention checks, 0 or more.
        seed: the same seed gives the same trials.
        labels: only pairs of these labels; empty takes all.

    Raises:
        DataError: no pair can be made, or there are fewer than `count`.
    """
    random = np.random.default_rng(seed)
    wanted = [p for p in pictures if not labels or p.label in (*labels, NEUTRAL) or p.photograph]
    pairs = _in_turn(PAIRS[ask](wanted, random), random)
    if count is not None and count > len(pairs):
        raise DataError(f"only {len(pairs)} trials can be made of these pictures, not {count}")
    chosen = pairs[:count]
    trials = [*_placed(chosen, random), *_checks(chosen, checks, random)]
    names = _names(len(trials), random)
    return sorted(
        (replace(t, name=n) for t, n in zip(trials, names, strict=True)), key=lambda t: t.name
    )


def _people(pictures: Sequence[Picture]) -> list[str]:
    return sorted({p.person for p in pictures})


def _condition(picture: Picture) -> str:
    strength = "" if picture.intensity in (0, 1) else f" {picture.intensity:g}"
    return picture.label + strength


def _more(label: str) -> str:
    plain = label.partition(" (")[0]
    word = MORE.get(plain.partition(":")[0])
    return f"Which face looks {word}?" if word else f"Which face shows more {plain}?"


def _in_turn(pairs: Sequence[Pair], random: np.random.Generator) -> list[Pair]:
    """All pairs, so that any beginning has as many of each cell (within one), and of each cell as
    many of each person as can be."""
    cells: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        cells.setdefault(pair.cell, []).append(pair)
    order = sorted(cells)
    queues = [
        _by_turns(_shuffled(cells[order[int(i)]], random), lambda p: p.other.person)
        for i in random.permutation(len(order))
    ]
    return list(_round_robin(queues))


def _by_turns(pairs: Sequence[Pair], key: Callable[[Pair], str]) -> list[Pair]:
    groups: dict[str, list[Pair]] = {}
    for pair in pairs:
        groups.setdefault(key(pair), []).append(pair)
    return list(_round_robin(list(groups.values())))


def _round_robin(queues: Sequence[Sequence[Pair]]) -> Iterator[Pair]:
    for turn in range(max(map(len, queues))):
        yield from (queue[turn] for queue in queues if turn < len(queue))


def _shuffled(pairs: Sequence[Pair], random: np.random.Generator) -> list[Pair]:
    return [pairs[int(i)] for i in random.permutation(len(pairs))]


def _placed(pairs: Sequence[Pair], random: np.random.Generator) -> list[Trial]:
    """Pairs with their sides: in half of each cell, within one, `shown` is on the left. The odd
    ones of the cells alternate, so that all trials together are balanced too."""
    counts = Counter(pair.cell for pair in pairs)
    odd = bool(random.integers(2))
    on_left = {}
    for cell, count in counts.items():
        sides = [True, False] * (count // 2) + [odd] * (count % 2)
        odd ^= bool(count % 2)
        on_left[cell] = iter([sides[int(i)] for i in random.permutation(count)])
    trials = []
    for pair in pairs:
        left, right = pair.shown, pair.other
        if not next(on_left[pair.cell]):
            left, right = right, left
        answer = pair.word or (LEFT if left is pair.shown else RIGHT)
        trials.append(Trial(pair.condition, pair.question, left, right, answer))
    return trials


def _checks(pairs: Sequence[Pair], count: int, random: np.random.Generator) -> list[Trial]:
    """Instructed responses (Oppenheimer, Meyvis & Davidenko 2009): the question says what to
    answer, whatever the pictures show."""
    found = []
    words = (SAME, DIFFERENT) if pairs[0].word else (LEFT, RIGHT)
    for number in range(count):
        pair = pairs[int(random.integers(len(pairs)))]
        answer = words[number % 2]
        question = f"Attention check: please choose “{answer}” here, whatever you see."
        found.append(Trial(CHECK, question, pair.shown, pair.other, answer))
    return found


def _names(count: int, random: np.random.Generator) -> list[str]:
    names: dict[str, None] = {}
    while len(names) < count:
        names[f"{int(random.integers(1 << 32)):08x}"] = None
    return list(names)
