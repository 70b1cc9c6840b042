"""How evenly expressions rise, and what `strengths` and `refinement_steps` buy.

    mien rig render --split test -o RENDERS
    mien bench intensity --renders RENDERS -o out.json

Asked as it is meant; with the strengths that came with the weights, so that weak expressions show;
and with one or two refinement steps instead, in which a method reads its own result and asks again
for what it lacks. For each: what the judges read at every intensity (protocol `control`, emotions,
as in the scorecard), how far the mean of it is from a straight line, how straight and how steep
single readings follow, of all people together and of each, how far other units move, identity
distance at full strength, and milliseconds of an edit, side by side in one run.
"""

from __future__ import annotations

import json
from time import perf_counter
from typing import Annotated, Any

import numpy as np
import torch
import typer

from mien.bench.answers import conditions, write
from mien.bench.networks import network
from mien.bench.options import Method, Out, RendersFolder, SplitName
from mien.guides import Label
from mien.judges.identity import descriptor
from mien.methods.learnt import Learnt
from mien.metrics.bench import JudgePanel, Measured, SectionBench
from mien.metrics.protocols import AMOUNTS, PROTOCOLS, Setting, check
from mien.metrics.report import split as checked_split
from mien.metrics.scorecard import followed
from mien.metrics.trials import Section, edited_by
from mien.types import Faces
from mien.zoo import data_home
from mien.zoo.records import records


def follows(method: Learnt, section: Section, panel: JudgePanel) -> dict[str, Any]:
    """How the judges' readings follow the intensity."""
    measured = SectionBench(section, panel).measure(edited_by(method))
    facts = followed(measured)
    out: dict[str, Any] = {
        k: facts[k] for k in ("r2", "r2_worst", "slope", "slope_least", "own_r2")
    }
    out["read"] = rising(measured)
    out["bend"] = bend(list(out["read"].values()))
    out["crosstalk"] = round(facts["columns"]["crosstalk"]["mean"], 5)
    out["by_emotion"] = {
        name: {key: one["mean"][key] for key in ("r2", "slope")}
        for name, one in facts["by_name"].items()
    }
    return out


def rising(measured: Measured) -> dict[str, list[float]]:
    """Mean reading of both judges and all people by emotion, at every intensity from 0 on."""
    columns = {k: np.asarray(v, np.float64) for k, v in measured.columns.items()}
    read = np.mean([v for k, v in columns.items() if k.startswith("read_")], 0)
    names, asked = np.asarray(measured.names), columns["asked"]
    return {
        name: [
            0.0,
            *(round(float(read[(names == name) & (asked == t)].mean()), 4) for t in AMOUNTS),
        ]
        for name in dict.fromkeys(measured.names)
    }


def bend(rises: list[list[float]]) -> float:
    """How far a mean reading is from the straight line to its full one, in shares of the full one:
    root of the mean square over emotions and what lies between 0 and 1.
    """
    shares = np.array([np.array(rise) / rise[-1] for rise in rises])
    away = shares[:, 1:-1] - np.array(AMOUNTS[:-1])
    return round(float(np.sqrt(np.mean(away**2))), 4)


@torch.no_grad()
def kept(method: Learnt, section: Section) -> dict[str, float]:
    """Identity distance to the source at full strength, median, and the time an edit takes."""
    who, far, took = descriptor(), [], []
    for trial in section.trials:
        if trial.amount == 1 and isinstance(trial.ask, Label):
            start = perf_counter()
            made = method.generate(trial.source, trial.ask)
            took.append(1000 * (perf_counter() - start) / len(trial))
            far += who.distance(trial.source, Faces(made, trial.source.landmarks)).tolist()
    return {
        "identity_median": round(float(torch.tensor(far).median()), 4),
        "milliseconds": round(float(torch.tensor(took).median()), 1),
    }


def command(
    renders: RendersFolder,
    out: Out,
    method: Method = "aipgan",
    split: SplitName = "test",
    most: Annotated[int, typer.Option(min=0, max=4, help="Refinement steps at most.")] = 2,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    size = network(method).size
    setting = Setting(renders, data_home(), checked_split(split), size=size)
    check(["control"], setting)
    sections = {s.name: s for s in PROTOCOLS["control"](setting).sections}
    section, panel = sections["emotions at 4 intensities"], JudgePanel.standing()
    table: dict[str, dict[str, Any]] = {}
    for refinement_steps in (-1, *range(most + 1)):
        edited = network(method, refinement_steps=max(refinement_steps, 0))
        name = {-1: "as meant", 0: "strengths", 1: "1 refinement step"}.get(
            refinement_steps, f"{refinement_steps} refinement steps"
        )
        if refinement_steps < 0:
            edited.strengths = {}
        table[name] = follows(edited, section, panel) | kept(edited, section)
        print(name, json.dumps(table[name]), flush=True)
    report = {
        **conditions(),
        "split": split,
        "people": len(section.people),
        "weights": {method: records()[method].sha256},
        "table": table,
    }
    write(out, report, say=False)
