"""The figures of the documentation, drawn from `benchmarks/results/`: `make plots`.

    python docs/plots/draw.py [NAME ...]

Writes `docs/images/plots/NAME.svg`. Each names in its metadata the result and the SHA-256 of the
numbers that it shows. Needs the extra `docs`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import matplotlib as mpl
from figures import FIGURES, RUNS, Data, digest
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

OUT = Path(__file__).resolve().parents[1] / "images" / "plots"
INK, GREY, WASH = "#222222", "#8a8a8a", "#e4e4e4"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#5b4fa0")
"""Okabe and Ito's palette, which colour-blind people tell apart, and one more."""
mpl.rcParams.update(
    {
        "svg.fonttype": "none",  # text stays text: small, and found by a search
        "svg.hashsalt": "mien",
        "font.family": "sans-serif",
        "font.size": 8.5,
        "text.color": INK,
        "axes.edgecolor": GREY,
        "axes.labelcolor": INK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.titlesize": 9,
        "axes.titlelocation": "left",
        "xtick.color": INK,
        "ytick.color": INK,
        "legend.frameon": False,
    }
)


def scorecard(data: Data) -> Figure:
    """Means with their 95 % intervals; two marks a row where two judges speak."""
    panels = data["panels"]
    names = list(dict.fromkeys(name for rows in panels.values() for name in rows))
    figure, axes = plt.subplots(2, 4, figsize=(10.5, 4.6), layout="constrained")
    for axis, (title, rows) in zip(axes.flat, panels.items(), strict=True):
        for y, name in enumerate(names):
            for k, (mean, low, high) in enumerate(rows.get(name, ())):
                place = y + 0.24 * (k - 0.5 * (len(rows[name]) - 1))
                colour = GREY if name in ("nothing", "the truth itself") else COLOURS[k]
                axis.plot([low, high], [place, place], color=colour, lw=1.6, solid_capstyle="butt")
                axis.plot(mean, place, "o" if k == 0 else "s", color=colour, ms=4)
        axis.set_title(title)
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_yticks(range(len(names)), names if axis in axes[:, 0] else [])
        axis.grid(axis="x", color=WASH, lw=0.7)
        axis.margins(x=0.08)
        axis.tick_params(length=0)
    marks = [
        axis.plot([], [], mark, color=colour, ms=4, label=f"judge {judge}")[0]
        for mark, colour, judge in zip("os", COLOURS, "ab", strict=False)
    ]
    figure.legend(handles=marks, loc="outside lower right", ncols=2)
    return figure


def strength(data: Data) -> Figure:
    """A panel an emotion: the change, and the identity distance, over the intensity."""
    lines = data["lines"]
    figure, axes = plt.subplots(
        2, len(lines), figsize=(10.5, 3.8), sharex=True, sharey="row", layout="constrained"
    )
    rows = (("change", COLOURS[0], "change"), ("identity", COLOURS[1], "identity distance"))
    for column, (emotion, one) in enumerate(lines.items()):
        for axis, (what, colour, called) in zip(axes[:, column], rows, strict=True):
            at = [float(t) for t in one[what]]
            median, least, most = zip(*one[what].values(), strict=True)
            axis.fill_between(at, least, most, color=colour, alpha=0.18, lw=0)
            axis.plot(at, median, "o-", color=colour, ms=3.5, lw=1.4)
            axis.grid(color=WASH, lw=0.7)
            axis.tick_params(length=0)
            if column == 0:
                axis.set_ylabel(called)
        axes[0, column].set_title(emotion)
        axes[1, column].set_xticks((0, 0.5, 1, 2), ("0", "½", "1", "2"))
    axes[1, 0].set_ylim(0, 0.85)
    axes[1, 0].axhline(0.6, color=GREY, lw=0.8)
    for axis in axes[1, 1:]:
        axis.axhline(0.6, color=GREY, lw=0.8)
    figure.supxlabel("intensity", fontsize=8.5)
    return figure


def intensity(data: Data) -> Figure:
    """A panel an emotion: what judges read over what was asked, in shares of the full reading."""
    ways = data["lines"]
    emotions = list(next(iter(ways.values())))
    asked = (0, 0.25, 0.5, 0.75, 1)
    figure, axes = plt.subplots(
        1, len(emotions), figsize=(10.5, 2.3), sharey=True, layout="constrained"
    )
    for axis, emotion in zip(axes, emotions, strict=True):
        axis.plot((0, 1), (0, 1), color=GREY, lw=0.8)
        for (way, lines), colour in zip(ways.items(), (COLOURS[1], COLOURS[0]), strict=True):
            read = lines[emotion]
            shares = [value / read[-1] for value in read]
            axis.plot(asked, shares, "o-", color=colour, ms=3.5, lw=1.4, label=way)
        axis.set_title(emotion)
        axis.set_xticks((0, 0.5, 1), ("0", "½", "1"))
        axis.grid(color=WASH, lw=0.7)
        axis.tick_params(length=0)
    axes[0].set_ylabel("read, share of the full")
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    figure.supxlabel("asked", fontsize=8.5)
    return figure


def units(data: Data) -> Figure:
    """Rows asked for, columns read: blue has risen, red has fallen."""
    names, matrix = data["names"], data["matrix"]
    figure, axis = plt.subplots(figsize=(7.6, 7.2), layout="constrained")
    _cells(axis, matrix)
    axis.set_xticks(range(len(names)), names, rotation=90, fontsize=7)
    axis.set_yticks(range(len(names)), names, fontsize=7)
    axis.xaxis.tick_top()
    axis.xaxis.set_label_position("top")
    axis.set_xlabel("read by the judges")
    axis.set_ylabel("asked for, at 1")
    axis.set_aspect("equal")
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlim(-0.5, len(names) - 0.5)
    axis.tick_params(length=0)
    return figure


def paper_run(data: Data) -> Figure:
    """Losses over images seen, each over its first value; what says that a mechanism lives."""
    losses = {k: v for k, v in data["lines"].items() if "/" in k}
    others = {k: v for k, v in data["lines"].items() if "/" not in k}
    figure, axes = plt.subplots(1, 2, figsize=(10.5, 3.1), layout="constrained")
    marks = [(colour, style) for style in ("-", "--") for colour in COLOURS]
    for axis, lines in zip(axes, (losses, others), strict=True):
        for (name, points), (colour, style) in zip(lines.items(), marks, strict=False):
            seen, values = zip(*points, strict=True)
            first = values[0] if axis is axes[0] else 1.0
            shown = [v / first for v in values]
            axis.plot(seen, shown, style, color=colour, lw=1.4, label=name)
        axis.grid(color=WASH, lw=0.7)
        axis.tick_params(length=0)
        axis.set_xlabel("images seen")
        axis.set_xlim(0, data["images"])
        axis.legend(fontsize=7)
    axes[0].set_yscale("log")
    axes[0].set_title("losses, over their first value in the log")
    axes[1].set_title("likeness to the source (PSNR, dB), and what says that a mechanism lives")
    return figure


def _cells(axis: Axes, matrix: list[list[float]]) -> None:
    """A square for each entry of at least 0.02, its area as large as the change."""
    for row, values in enumerate(matrix):
        axis.axhline(row, color=WASH, lw=0.4, zorder=0)
        axis.axvline(row, color=WASH, lw=0.4, zorder=0)
        for column, value in enumerate(values):
            if abs(value) < 0.02:
                continue
            side = min(1.0, abs(value)) ** 0.5
            corner = (column - side / 2, row - side / 2)
            colour = COLOURS[0] if value > 0 else COLOURS[1]
            axis.add_patch(Rectangle(corner, side, side, color=colour, lw=0))


DRAWN: dict[str, Callable[[Data], Figure]] = {
    "scorecard": scorecard,
    "own": scorecard,
    "strength": strength,
    "intensity": intensity,
    "units": units,
    **{f"run_{method}": paper_run for method in RUNS},
}


def main(names: list[str]) -> None:
    """Draw the figures named, or all."""
    unknown = [name for name in names if name not in DRAWN]
    if unknown:
        sys.exit(f"no figure {unknown[0]}: {', '.join(DRAWN)}")
    OUT.mkdir(parents=True, exist_ok=True)
    for name in names or DRAWN:
        data = FIGURES[name]()
        figure = DRAWN[name](data)
        says = {
            "Title": name,
            "Source": f"benchmarks/results/{data['result']}.json",
            "Description": f"sha256 of the numbers: {digest(data)}",
            "Date": None,
        }
        figure.savefig(OUT / f"{name}.svg", metadata=says)
        plt.close(figure)
        print(OUT / f"{name}.svg")


if __name__ == "__main__":
    main(sys.argv[1:])
