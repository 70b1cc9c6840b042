r"""What invented people are worth to an expression classifier.

    mien people --from LONDON --count 28 --asks benchmarks/worth.csv --size 512 --seed 11 \
        --agree 0 -o PEOPLE
    mien people --from LONDON --count 32 -e all --size 512 --seed 1 --whole -o PAGE
    mien data import london MIEN_DATA/london -o faces/london
    mien data import canada MIEN_DATA/canada -o faces/canada
    mien rig render faces/london faces/canada --split test --states 14 --seed 3 -o RENDERS
    mien bench worth --people PEOPLE --more PAGE --renders RENDERS --work WORK \
        -o benchmarks/results/worth.json

One small network, the same for every row and never a judge's, learns eight emotions and whether
lips are parted (AU25) and eyes closed (AU43) from real photographs of the training people alone
(neutral and smiling: no set with a free licence has more), from invented people alone, and from
both, by equally many steps. `balanced`: as many invented people of each gender and ethnicity; `as
the sources`: equally many people, with as large a share of white ones as the sources have.

It is tested on people of whom nothing was learnt and nobody was mixed: photographs (neutral or
smile, whichever of the two it finds likelier; mean over both), renders of their photographs in
eight emotions, which the same face model drew as the invented people's, and frames of speakers
(area under the curve within each speaker, mean over speakers). Intervals: 95 %, bootstrap over
people, of the mean over seeds; `gain`: over real photographs alone, by the same people drawn.
The same command goes on where it was stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.random import Generator
from torch import Tensor, nn
from torch.nn import functional as F

from mien import facs
from mien.bench.answers import conditions, write
from mien.bench.options import Out, RendersFolder, folder
from mien.bench.people.worth_sets import (
    UNITS,
    Labelled,
    Row,
    invented,
    once,
    photographs,
    speakers,
)
from mien.bench.people.worth_sets import renders as rendered
from mien.data.transforms import Geometry, Photometry
from mien.errors import DataError
from mien.nn.tensors import to_tensor
from mien.people.folder import kept

SEEN = 64
"""Side that the network sees, px."""
DRAWN = 2000
NEUTRAL, HAPPY = 0, 1
Rows = dict[str, list[Labelled]]
Gather = Callable[[str, Callable[[], Iterator[Row]]], Labelled]
Answers = Mapping[str, tuple[np.ndarray, np.ndarray]]
"""By test set: logits (N, 8) of emotions, (N, 2) of units."""


class Classifier(nn.Module):
    """Pictures (B, 3, SEEN, SEEN) -> logits of eight emotions (B, 8) and of `UNITS` (B, 2)."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        i = 3
        for o in (width, 2 * width, 4 * width, 4 * width):
            layers += [nn.Conv2d(i, o, 3, 2, 1), nn.GroupNorm(8, o), nn.SiLU()]
            i = o
        self.trunk = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.3))
        self.heads = nn.Linear((-(-SEEN // 16)) ** 2 * i, len(facs.EMOTIONS) + len(UNITS))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        found = self.heads(self.trunk(x))
        return found[:, : len(facs.EMOTIONS)], found[:, len(facs.EMOTIONS) :]


def drawn(data: Labelled, rng: Generator, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """A batch: every emotion that there is, and pictures without one, equally often; turned, lit
    and mirrored at random."""
    of = {int(k): np.flatnonzero(data.emotions == k) for k in np.unique(data.emotions)}
    rows = [int(rng.choice(of[int(k)])) for k in rng.choice(list(of), count)]
    pictures = []
    for row in rows:
        picture = data.pixels[row]
        geometry = Geometry.draw(rng, len(picture), SEEN, 0.7, bool(rng.random() < 0.5))
        pictures.append(Photometry.draw(rng, 0.7).apply(geometry.image(picture)))
    emotions, units = torch.from_numpy(data.emotions[rows]), torch.from_numpy(data.units[rows])
    return to_tensor(np.stack(pictures)), emotions.long(), units


def taught(sets: Sequence[Labelled], steps: int, batch: int, seed: int) -> Classifier:
    """A fresh classifier after so many steps; several sets each give their part of a batch."""
    torch.manual_seed(seed)
    rng = np.random.default_rng([seed, 31])
    net = Classifier()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3, weight_decay=0.05)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, steps)
    for _ in range(steps):
        parts = [drawn(data, rng, batch // len(sets)) for data in sets]
        x, emotions, units = (torch.cat(column) for column in zip(*parts, strict=True))
        of_eight, of_units = net(x)
        said = units.isfinite()
        cost = F.cross_entropy(of_eight, emotions, ignore_index=-1, label_smoothing=0.1)
        cost = cost + F.binary_cross_entropy_with_logits(of_units[said], units[said])
        optimiser.zero_grad()
        cost.backward()
        optimiser.step()
        rate.step()
    return net.eval()


@torch.no_grad()
def asked(net: Classifier, data: Labelled) -> tuple[np.ndarray, np.ndarray]:
    """Logits of emotions and units for every picture and its mirror image, the mean of both."""
    found: list[tuple[Tensor, Tensor]] = []
    for part in np.array_split(data.pixels, max(1, len(data.pixels) // 128)):
        x = F.interpolate(to_tensor(part), size=(SEEN, SEEN), mode="area")
        (a, b), (c, d) = net(x), net(x.flip(-1))
        found.append(((a + c) / 2, (b + d) / 2))
    return torch.cat([f[0] for f in found]).numpy(), torch.cat([f[1] for f in found]).numpy()


def run(
    work: Path, name: str, seed: int, sets: Sequence[Labelled], tests: Mapping[str, Labelled],
    steps: int, batch: int,
) -> Answers:  # fmt: skip
    """What a classifier of these sets answers; kept in `work`."""
    path = work / f"run-{name.replace(' ', '_').replace(',', '')}-{seed}.npz"
    if not path.is_file():
        net = taught(sets, steps, batch, seed)
        answers = {k: asked(net, data) for k, data in tests.items()}
        flat = {f"{k}-{i}": v for k, pair in answers.items() for i, v in enumerate(pair)}
        part = path.with_suffix(".part.npz")
        np.savez(part, allow_pickle=False, **flat)
        part.replace(path)
        print(path.stem, flush=True)
    with np.load(path) as stored:
        return {k: (stored[f"{k}-0"], stored[f"{k}-1"]) for k in tests}


Measure = Callable[[Labelled, tuple[np.ndarray, np.ndarray], np.ndarray], float]
"""Of a set, the answers and the indices of pictures: a share."""


def smile(data: Labelled, said: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> float:
    """Neutral and smiles named right, mean of the two."""
    happy = said[0][rows, HAPPY] > said[0][rows, NEUTRAL]
    truth = data.emotions[rows]
    parts = [happy[truth == k] == bool(k) for k in (NEUTRAL, HAPPY)]
    return float(np.mean([p.mean() for p in parts])) if all(map(len, parts)) else np.nan


def of_eight(data: Labelled, said: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> float:
    """Share of emotions named right."""
    return float((said[0][rows].argmax(1) == data.emotions[rows]).mean())


def curve(unit: int) -> Measure:
    """Area under the curve of a unit, within each speaker, mean over them."""

    def area(data: Labelled, said: tuple[np.ndarray, np.ndarray], rows: np.ndarray) -> float:
        people, times = np.unique(data.people[rows], return_inverse=True)
        found, weights = [], []
        for number, _ in enumerate(people):
            of = np.unique(rows[times == number])
            truth, score = data.units[of, unit], said[1][of, unit]
            on, off = score[truth == 1], score[truth == 0]
            if len(on) and len(off):
                above = on[:, None] - off
                found.append(float(((above > 0) + 0.5 * (above == 0)).mean()))
                weights.append((times == number).sum() / len(of))  # drawn so often
        return float(np.average(found, weights=weights)) if found else np.nan

    return area


def interval(values: np.ndarray) -> list[float]:
    """95 %."""
    return [round(float(v), 3) for v in np.nanquantile(values, (0.025, 0.975))]


def scored(
    data: Labelled, rows: Mapping[str, Sequence[tuple[np.ndarray, np.ndarray]]], measure: Measure,
) -> dict[str, Any]:  # fmt: skip
    """Each row's mean over seeds, with intervals over people, and its gain over the first row."""
    random = np.random.default_rng(0)
    people = np.unique(data.people)
    of = {p: np.flatnonzero(data.people == p) for p in people}
    every = np.arange(len(data.people))
    draws = [
        np.concatenate([of[p] for p in random.choice(people, len(people))]) for _ in range(DRAWN)
    ]
    found: dict[str, Any] = {"people": len(people), "pictures": len(every)}
    spread: dict[str, np.ndarray] = {}
    first = next(iter(rows))
    for name, seeds in rows.items():
        each = [measure(data, said, every) for said in seeds]
        spread[name] = np.mean([[measure(data, s, d) for d in draws] for s in seeds], axis=0)
        found[name] = {
            "mean": round(float(np.mean(each)), 3), "interval": interval(spread[name]),
            "seeds": [round(v, 3) for v in each],
        }  # fmt: skip
        if name != first:
            gain = float(np.mean(each)) - found[first]["mean"]
            found[name]["gain"] = round(gain, 3)
            found[name]["gain, interval"] = interval(spread[name] - spread[first])
    return found


def as_sources(balanced: Labelled, more: Labelled, share: float) -> Labelled:
    """As many people as `balanced`, or as there are white ones for, of whom a `share` is white, the
    rest evenly of the others."""
    everybody = Labelled.joined([balanced, more])
    white = len(np.unique(everybody.people[everybody.skins == "white"]))
    count = min(len(np.unique(balanced.people)), int((white + 0.5) / share))
    wanted = {"white": round(share * count), "not white": count - round(share * count)}
    chosen: list[str] = []
    for skin, number in wanted.items():
        found = list(dict.fromkeys(everybody.people[everybody.skins == skin]))
        if len(found) < number:
            raise DataError(f"{len(found)} invented people who are {skin}, {number} are needed")
        places = np.linspace(0, len(found) - 1, number).round().astype(int)
        chosen += [found[i] for i in places]
    return everybody.some(np.isin(everybody.people, chosen))


def learnt(folder: Path, others: Path | None, gathered: Gather) -> tuple[Rows, dict[str, float]]:
    """What each row learns from, and the share of white people in the sources and in the sets."""
    real = gathered("real", lambda: photographs("train"))
    balanced = gathered("balanced", lambda: invented(folder))
    london = [p.startswith("london/") for p in real.people]
    sources = dict(zip(real.people[london], real.skins[london], strict=True))
    share = float(np.mean([s == "white" for s in sources.values()]))
    rows = {"real": [real], "invented, balanced": [balanced], "both, balanced": [real, balanced]}
    white = {"sources": round(share, 3), "balanced": _white(balanced)}
    if others is not None:
        more = gathered("more", lambda: invented(others))
        skewed = as_sources(balanced, more, share)
        rows |= {"invented, as the sources": [skewed], "both, as the sources": [real, skewed]}
        white["as the sources"] = _white(skewed)
    return rows, white


MEASURES: Mapping[str, tuple[str, Measure]] = {
    "photographs: neutral or smile": ("photographs", smile),
    "renders: which of eight emotions": ("renders", of_eight),
    "speakers: lips apart (AU25)": ("speakers", curve(0)),
    "speakers: lids closed (AU43)": ("speakers", curve(1)),
}


def table_of(
    tests: Mapping[str, Labelled], answers: Mapping[str, Sequence[Answers]]
) -> dict[str, Any]:
    """Every measure, and where skins are known, by them."""
    table: dict[str, Any] = {}
    for name, (key, measure) in MEASURES.items():
        for skin in ("", "white", "not white") if key != "speakers" else ("",):
            of = np.flatnonzero(tests[key].skins == skin) if skin else np.arange(tests[key].count)
            said = {r: [(s[key][0][of], s[key][1][of]) for s in seeds]
                    for r, seeds in answers.items()}  # fmt: skip
            found = scored(tests[key].some(of), said, measure)
            table[f"{name}; {skin}" if skin else name] = found
    return table


def command(
    people: Annotated[Path, typer.Option(help="Balanced, of `mien people`.")],
    renders: RendersFolder,
    work: Annotated[
        Path, typer.Option(callback=folder, help="Folder for what is half done: it goes on.")
    ],
    out: Out,
    more: Annotated[
        Path | None,
        typer.Option(help="White ones, of another seed: the rows `as the sources` need them."),
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of a classifier's training.")] = 300,
    batch: Annotated[int, typer.Option(help="Pictures of a step.")] = 32,
    seeds: Annotated[int, typer.Option(help="Classifiers of every row.")] = 3,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)

    def gathered(name: str, rows: Callable[[], Iterator[Row]]) -> Labelled:
        return once(work, name, lambda: Labelled.of(rows()))

    rows, white = learnt(people, more, gathered)
    tests = {
        "photographs": gathered("test", lambda: photographs("test")),
        "renders": gathered("renders", lambda: rendered(renders)),
        "speakers": gathered("speakers", speakers),
    }
    answers = {
        name: [run(work, name, seed, sets, tests, steps, batch)
               for seed in range(seeds)]
        for name, sets in rows.items()
    }  # fmt: skip
    table = table_of(tests, answers)
    report = {
        **conditions(), "steps": steps, "batch": batch, "side": SEEN,
        "learnt from": {n: {"people": [len(np.unique(s.people)) for s in sets],
                            "pictures": [s.count for s in sets]} for n, sets in rows.items()},
        "share of white people": white,
        "people": kept(people / "settings.json"), "table": table,
    }  # fmt: skip
    write(out, report, say=False)
    print(json.dumps(table, indent=1))


def _white(data: Labelled) -> float:
    of = dict(zip(data.people, data.skins, strict=True))
    return round(float(np.mean([s == "white" for s in of.values()])), 3)
