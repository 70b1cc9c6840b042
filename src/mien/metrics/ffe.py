"""FFE-Bench's measures (Hua et al., *PixelSmile*, arXiv 2603.25728, sec. 3.2), by judges at hand.

As the paper has them. Of N_i results edited toward expression i, C(i to j) is the share whose
dominant expression is j; the bidirectional confusion rate of a pair is (C(i to j) + C(j to i)) / 2;
mSCR is its mean over pairs that are easily confused. Acc is the share whose dominant expression is
the one asked for, of six or of twelve. HES is 2 S_E S_ID / (S_E + S_ID): S_E, how much of the
expression asked for a judge sees, S_ID, the cosine similarity of source and result, mean of face
recognition networks. CLS is Pearson's correlation of what a judge sees with the intensity asked
for, evenly spaced from 0 to the most.

Differs: the judges (`ffe_judges`), which score what there a vision-language model scores, and the
recognition networks: the user's, dlib's descriptor where none is named.
Inferred: the pairs are the two that the paper names; the most is intensity 1, in five steps; CLS is
the mean over tasks of each task's own correlation, 0 where the score does not move; HES is the mean
over results at intensity 1, where S_ID below 0 counts 0.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mien import images
from mien.errors import ConfigError
from mien.judges.identity import Descriptor
from mien.judges.named import Embedding
from mien.metrics.bench import JudgePanel, Measured
from mien.metrics.ffe_judges import Scorer
from mien.metrics.ffe_tasks import BASIC, EXPRESSIONS, Task, guide
from mien.metrics.parts import background
from mien.metrics.scorecard import (
    Contestant,
    Progress,
    depends_on,
    once,
    one_thread,
    section_digest,
)
from mien.metrics.table import markdown
from mien.metrics.trials import Section, Trial
from mien.nn.tensors import to_uint8
from mien.provenance.mark import embed
from mien.types import Face, Faces, Float

AMOUNTS = (0.0, 0.25, 0.5, 0.75, 1.0)
PAIRS = (("fear", "surprise"), ("anger", "disgust"))
UNSEEN, NONE = -2.0, -1.0
"""For a dominant expression: the judge saw no face; it named none of the twelve."""
DRAWS = 2000
PUBLISHED: Mapping[str, Mapping[str, float]] = {
    "PixelSmile": {
        "mSCR": 0.055, "Acc-6": 0.8627, "Acc-12": 0.6, "CLS-6": 0.8078, "CLS-12": 0.7305,
        "HES": 0.4723, "ID": 0.6522,
    },
    "Nano Banana Pro": {"mSCR": 0.1754, "Acc-6": 0.8431, "Acc-12": 0.62, "ID": 0.7107},
    "GPT-Image-1.5": {"mSCR": 0.1107, "Acc-6": 0.8039, "Acc-12": 0.63, "ID": 0.5056},
    "SliderEdit": {"CLS-6": 0.5599, "CLS-12": 0.5217, "HES": 0.3441, "ID": 0.7414},
}  # fmt: skip
"""The paper's tables 1 and 2: by other judges, on other pictures."""
COLUMNS = ("mSCR", "Acc-6", "Acc-12", "CLS-6", "CLS-12", "S_E", "HES", "ID", "background")

Likeness: TypeAlias = Callable[[Faces[Tensor], Tensor], Float]
"""A recognition network: its answer (D,) to a face's place and its pixels (1, 3, S, S)."""


@dataclass(frozen=True)
class Evaluation:
    """Tasks, and who judges results: scorers, recognition networks by name; `depends` is what else
    results depend on, hashed; `pictures` is a folder to write them to, or None."""

    tasks: Sequence[Task]
    scorers: Sequence[Scorer]
    alike: Mapping[str, Likeness]
    depends: Mapping[str, Any]
    pictures: Path | None = None

    @property
    def by_expression(self) -> Iterator[tuple[str, list[tuple[int, Task]]]]:
        """Tasks of each expression, with the number of their face."""
        place = {key: k for k, key in enumerate(dict.fromkeys(id(t.source) for t in self.tasks))}
        ordered = sorted(self.tasks, key=lambda task: EXPRESSIONS.index(task.expression))
        for name, some in groupby(ordered, key=lambda task: task.expression):
            yield name, [(place[id(task.source)], task) for task in some]


def recognisers(who: Descriptor, embeddings: Sequence[Embedding]) -> dict[str, Likeness]:
    """The user's networks, dlib's descriptor where there is none."""
    if not embeddings:
        return {"dlib": _remembered(lambda at, pixels: who.of(pixels, at.landmarks)[0].numpy())}

    if len({net.path.stem for net in embeddings}) < len(embeddings):
        raise ConfigError("two face recognition networks have one name: rename one of the files")

    def by(net: Embedding, at: Faces[Tensor], pixels: Tensor) -> Float:
        return net.answer(to_uint8(pixels)[0], at.landmarks[0].numpy())

    return {net.path.stem: _remembered(partial(by, net)) for net in embeddings}


def _remembered(net: Likeness) -> Likeness:
    """Looks at a source once, whatever it is asked for; whoever has the tasks holds it."""
    known: dict[int, Float] = {}

    def answer(at: Faces[Tensor], pixels: Tensor) -> Float:
        if pixels is not at.pixels:
            return net(at, pixels)
        if id(at) not in known:
            known[id(at)] = net(at, pixels)
        return known[id(at)]

    return answer


def inputs(
    panel: JudgePanel, embeddings: Sequence[Embedding], scores: Path | None
) -> dict[str, Any]:
    """What results depend on beside who edits what: judges, code, files."""
    own = b"".join(p.read_bytes() for p in sorted(Path(__file__).parent.glob("ffe*.py")))
    return depends_on(panel) | {
        "measure": hashlib.sha256(own).hexdigest(),
        "embeddings": [net.digest() for net in embeddings],
        "scores": None if scores is None else hashlib.sha256(scores.read_bytes()).hexdigest(),
    }


def measure(
    contestants: Sequence[Contestant], bench: Evaluation, kept: Path,
    progress: Progress = lambda *_: None,
) -> dict[str, list[Measured]]:  # fmt: skip
    """Every contestant's results, an expression at a time; finished ones are kept in `kept`."""
    found: dict[str, list[Measured]] = {}
    with one_thread():
        for row in contestants:
            for name, some in bench.by_expression:
                trials = [_trial(task) for _, task in some]
                facts = dict(bench.depends) | {
                    "row": row.name, "weights": row.weights, "ffe": name,
                    "pictures": None if bench.pictures is None else str(bench.pictures.resolve()),
                    "trials": section_digest(Section(name, trials), True),
                }  # fmt: skip
                heard = partial(progress, f"{name}: {row.name}")
                work = partial(_measured, row, bench, some, trials, heard)
                found.setdefault(row.name, []).append(once(kept, facts, work))
    return found


def _trial(task: Task) -> Trial:
    return Trial(task.source, (task.person,), (task.expression,), guide(task.expression))


def _measured(
    row: Contestant, bench: Evaluation, some: Sequence[tuple[int, Task]], trials: Sequence[Trial],
    progress: Callable[[int, int], None],
) -> Measured:  # fmt: skip
    columns: dict[str, list[float]] = {}
    for done, ((number, task), trial) in enumerate(zip(some, trials, strict=True), 1):
        for name, value in _one(row, bench, number, task, trial).items():
            columns.setdefault(name, []).append(round(value, 5))
        progress(done, len(trials))
    return Measured([t.person for _, t in some], [t.expression for _, t in some], columns)


def _one(
    row: Contestant, bench: Evaluation, number: int, task: Task, trial: Trial
) -> dict[str, float]:
    """One task at every intensity."""
    out, made = {}, task.source.pixels
    for k, amount in enumerate(AMOUNTS):
        if amount:
            made = row.edit(replace(trial, intensity=amount)).clamp(-1, 1)
        picture = _picture(row.name, number, task.expression, amount)
        if bench.pictures is not None:
            _write(bench.pictures / picture, made, task, row.name)
        for scorer in bench.scorers:
            said = scorer.say(task.source, made, picture)
            score = 0.0 if said is None else said.scores.get(task.expression, 0.0)
            out[f"{scorer.key}_{k}"] = score
            if amount == AMOUNTS[-1]:
                dominant = None if said is None else said.dominant
                place = NONE if dominant is None else float(EXPRESSIONS.index(dominant))
                out[f"{scorer.key}_named"] = UNSEEN if said is None else place
    for name, net in bench.alike.items():
        before, after = net(task.source, task.source.pixels), net(task.source, made)
        out[f"like_{name}"] = Embedding.similarity(before, after)
    return out | {"background": float(background(made, task.source))}


def _picture(row: str, number: int, expression: str, amount: float) -> str:
    plain = re.sub(r"[^A-Za-z0-9]+", "-", row).strip("-")
    return f"{plain}/{number:04d}-{expression}-{amount:.2f}.png"


def pictures(rows: Sequence[str], bench: Evaluation) -> list[str]:
    """File names, below the folder of pictures, of every result of these contestants."""
    return [
        _picture(row, number, task.expression, amount)
        for row in rows
        for _, some in bench.by_expression
        for number, task in some
        for amount in AMOUNTS
    ]


def _write(path: Path, made: Tensor, task: Task, row: str) -> None:
    source = to_uint8(task.source.pixels)[0]
    marked = embed(to_uint8(made)[0], source, [Face.at(task.source.landmarks[0].numpy())])
    path.parent.mkdir(parents=True, exist_ok=True)
    images.write(path, marked, metadata={"method": row, "guide": task.expression})


@dataclass(frozen=True)
class Results:
    """A contestant's results by one judge, flat: (N,) each, scores (N, 5)."""

    people: NDArray[np.int64]
    asked: NDArray[np.int64]
    named: NDArray[np.int64]
    scores: NDArray[np.float64]
    likeness: NDArray[np.float64]
    background: NDArray[np.float64]

    @classmethod
    def of(cls, found: Sequence[Measured], key: str) -> Results:
        """From the lines of a contestant."""
        _, people = np.unique([who for one in found for who in one.people], return_inverse=True)

        def column(name: str) -> NDArray[np.float64]:
            return np.array([v for one in found for v in one.columns[name]])

        asked = np.array([EXPRESSIONS.index(n) for one in found for n in one.names])
        nets = [name for name in found[0].columns if name.startswith("like_")]
        return cls(
            people, asked, column(f"{key}_named").astype(np.int64),
            np.stack([column(f"{key}_{k}") for k in range(len(AMOUNTS))], 1),
            np.mean([column(name) for name in nets], 0), column("background"),
        )  # fmt: skip

    @property
    def linearity(self) -> NDArray[np.float64]:
        """Each task's correlation of score and intensity, 0 where the score does not move."""
        x = np.array(AMOUNTS) - np.mean(AMOUNTS)
        y = self.scores - self.scores.mean(1, keepdims=True)
        long = np.linalg.norm(y, axis=1) * np.linalg.norm(x)
        out: NDArray[np.float64] = np.zeros(len(y))
        np.divide(y @ x, long, out=out, where=long > 1e-6)
        return out

    @property
    def harmonic(self) -> NDArray[np.float64]:
        """Each result's harmonic mean of expression and identity."""
        shown, same = self.scores[:, -1], self.likeness.clip(0)
        both = shown + same
        out: NDArray[np.float64] = np.zeros(len(both))
        np.divide(2 * shown * same, both, out=out, where=both > 1e-9)
        return out


def confusion(asked: Any, named: Any, weights: Any) -> float:
    """mSCR of results asked for and named (N,), places in `EXPRESSIONS`, each of a weight."""
    rates = []
    for one, other in PAIRS:
        for i, j in ((one, other), (other, one)):
            here = asked == EXPRESSIONS.index(i)
            taken = named[here] == EXPRESSIONS.index(j)
            total = weights[here].sum()
            rates.append(float((weights[here] * taken).sum() / total) if total else np.nan)
    return float(np.nanmean(rates)) if np.isfinite(rates).any() else np.nan


def numbers(found: Sequence[Measured], scorer: Scorer) -> dict[str, dict[str, float]]:
    """What a contestant reaches by a judge: each measure with its 95 % interval over people
    (bootstrap). A measure of expressions that the judge does not know, or nobody was asked for, is
    left out."""
    key, knows = scorer.key, scorer.knows
    results = Results.of(found, key)
    there = {EXPRESSIONS[k] for k in set(results.asked.tolist())}
    right = results.asked == results.named
    out: dict[str, dict[str, float]] = {}
    if {name for pair in PAIRS for name in pair} <= there & set(knows):
        out["mSCR"] = _interval(
            lambda w: confusion(results.asked, results.named, w), results.people
        )
    for title, names in (("6", BASIC), ("12", EXPRESSIONS)):
        if set(names) <= there & set(knows):
            here = np.isin(results.asked, [EXPRESSIONS.index(n) for n in names])
            out[f"Acc-{title}"] = _mean(right[here], results.people[here])
            out[f"CLS-{title}"] = _mean(results.linearity[here], results.people[here])
    known = np.isin(results.asked, [EXPRESSIONS.index(n) for n in knows])
    if known.any():
        out["S_E"] = _mean(results.scores[known, -1], results.people[known])
        out["HES"] = _mean(results.harmonic[known], results.people[known])
    out["ID"] = _mean(results.likeness, results.people)
    out["background"] = _mean(results.background, results.people)
    return {name: out[name] for name in COLUMNS if name in out}


def _mean(values: NDArray[Any], people: NDArray[np.int64]) -> dict[str, float]:
    return _interval(lambda w: float((w * values).sum() / w.sum()), people)


def _interval(
    measure: Callable[[NDArray[np.float64]], float], people: NDArray[np.int64], seed: int = 0
) -> dict[str, float]:
    """A measure of weighted results, and the 95 % interval of it when people are drawn anew."""
    _, owner = np.unique(people, return_inverse=True)
    count, rng = int(owner.max()) + 1, np.random.default_rng(seed)
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=DRAWS)
    spread = [measure(row[owner].astype(np.float64)) for row in drawn if row[owner].any()]
    low, high = np.nanpercentile(spread, [2.5, 97.5])
    mean = measure(np.ones(len(owner)))
    return {"mean": round(mean, 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def summed(
    found: Mapping[str, Sequence[Measured]], scorers: Sequence[Scorer]
) -> dict[str, dict[str, Any]]:
    """Every contestant's numbers by every judge's key; `right` is the share of each expression
    that the judge calls by its name."""
    return {
        row: {one.key: numbers(lines, one) | {"right": _right(lines, one)} for one in scorers}
        for row, lines in found.items()
    }


def _right(found: Sequence[Measured], scorer: Scorer) -> dict[str, float]:
    out = {}
    for one in found:
        name = one.names[0]
        if name in scorer.knows:
            named = np.array(one.columns[f"{scorer.key}_named"])
            out[name] = round(float((named == EXPRESSIONS.index(name)).mean()), 4)
    return out


def table(rows: Mapping[str, Mapping[str, Mapping[str, Any]]], titles: Mapping[str, str]) -> str:
    """Markdown: a line for each contestant and judge."""
    lines = [
        {"row": row, "judge": titles[key]}
        | {name: _cell(said[name]) for name in COLUMNS if name in said}
        for row, judges in rows.items()
        for key, said in judges.items()
    ]
    return markdown(["row", "judge", *COLUMNS], lines)


def _cell(said: Mapping[str, float]) -> str:
    return f"{said['mean']:.3f} [{said['low']:.3f}, {said['high']:.3f}]"
