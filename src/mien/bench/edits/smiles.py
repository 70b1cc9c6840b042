"""How strong the label `happy` is beside people's own posed smiles, and what that costs.

    mien rig render --split test -o RENDERS
    mien bench smiles --renders RENDERS -m auswap -m aipgan -o out.json

Neutral photographs of unseen people under the label at several intensities, beside the same
people's own smile (protocol `real`, as in the scorecard): how many come nearer to it than the
neutral photograph is, the gain inside the face, how many judges call happy, identity distance. The
label is FACS's prototype in full; people asked to smile for a photograph show less.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from mien.bench.answers import conditions, write
from mien.bench.networks import entered
from mien.bench.options import Methods, Out, RendersFolder, SplitName
from mien.metrics.bench import JudgePanel, Measured, SectionBench
from mien.metrics.protocols import PROTOCOLS, Setting, check
from mien.metrics.report import entrants
from mien.metrics.report import split as checked_split
from mien.metrics.trials import Editing, Trial, answer, edited_by, nothing
from mien.zoo import data_home

INTENSITIES = (0.25, 0.4, 0.5, 0.6, 0.75, 1.0)


def at(intensity: float, edit: Editing) -> Editing:
    """The same editing, asked for so much."""

    def edited(trial: Trial) -> torch.Tensor:
        return edit(replace(trial, intensity=intensity))

    return edited


def beside(measured: Measured, before: Measured) -> dict[str, float]:
    """Figures of results beside those of doing nothing, the same faces in the same order."""
    found, still = (
        {k: np.asarray(v, np.float64) for k, v in m.columns.items()} for m in (measured, before)
    )
    nearer = (found["psnr"] > still["psnr"]) & (found["ms_ssim"] > still["ms_ssim"])
    happy = np.mean([v for k, v in found.items() if k.startswith("emotion_")], 0)
    units = np.mean([v for k, v in found.items() if k.startswith("units_")], 0)
    return {
        "above_nothing": round(float(nearer.mean()), 4),
        "face_gain": round(float((found["face_psnr"] - still["face_psnr"]).mean()), 3),
        "unit_error": round(float(units.mean()), 4),
        "judged_happy": round(float(happy.mean()), 4),
        "identity_median": round(float(np.median(found["identity"])), 4),
    }


def command(
    renders: RendersFolder,
    methods: Methods,
    out: Out,
    split: SplitName = "test",
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    named = entrants(methods)
    loaded = {one.row: entered(one) for one in named}
    size = next(iter(loaded.values())).size
    setting = Setting(renders, data_home(), checked_split(split), size=size)
    check(["real"], setting)
    sections = {s.name: s for s in PROTOCOLS["real"](setting).sections}
    section = sections["to a smile, by label"]
    bench = SectionBench(section, JudgePanel.standing())
    before = bench.measure(nothing)
    table: dict[str, Any] = {
        "nothing": beside(before, before),
        "the photograph": beside(bench.measure(answer), before),
    }
    for name, method in loaded.items():
        edit = edited_by(method)
        table[name] = {t: beside(bench.measure(at(t, edit)), before) for t in INTENSITIES}
        print(name, json.dumps(table[name]), flush=True)
    report = {
        **conditions(),
        "split": split,
        "people": len(section.people),
        "weights": {one.row: one.sha256 for one in named},
        "table": table,
    }
    write(out, report, say=False)
