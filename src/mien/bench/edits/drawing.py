"""What edits drawn by the face model reach on people never trained on, seen by outsiders.

    mien bench drawing -o benchmarks/results/drawing.json
    mien bench drawing -o OUT.json --limit 4 --only smiles --only transferred

Every picture is made as a user's is, by `mien.Editor`, found by mien's own detector, and judged by
what `mien.judges.outside` says. Sections, which `--only` names:

- table: README's table (`mien bench checks`), for the default and for `aipgan`'s own head;
- smiles: a neutral photograph given the same person's own smile, by reference and by label;
  `mouth_sharpness` of the result over the real smile, and `skin_sharpness` of the skin around the
  lips alone, in which the two photographs differ already;
- transferred: the same smiles given to eight others: share of the reference's own change that
  arrives;
- speech: in each clip of `grid` the frame with shut lips given the widest one, by reference;
- reading: a neutral photograph drawn in each label, and the result used as a reference for it
  (`mien bench reading`): how much comes back, by the reader and by the face model's own fit;
- parts: AU43 and the lips of `surprise`, beside the rig's own render;
- strength: the measure of `mien bench labels`, of the seven emotions.

smiles, transferred and speech compare ways to use a reference: the default (`morphable`: the
reader's change, drawn), a method's code that the face model draws (`aipgan`), and that network's
own picture (`aipgan head=own`). Judges: dlib's points and descriptor and MediaPipe's landmarker in
crops of `SEEN` px; mien's two judges and likeness to the real photograph in crops of `SMALL` px,
each crop found in its own photograph. Sections already in the file are kept unless measured anew;
each says its command, its commit, and how busy the machine was.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer

from mien import facs
from mien.bench.answers import conditions, write
from mien.bench.edits import checks, labels
from mien.bench.edits.reading import reading
from mien.bench.edits.references import smiles, speech, transferred
from mien.bench.edits.shots import (
    OWN_HEAD,
    SEEN,
    Bench,
    Column,
    Shot,
    editor,
    median,
    share,
    shots,
    spread,
)
from mien.bench.options import Keep, Out, some
from mien.errors import FaceNotFound, FaceUndrawable
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.render import Rig
from mien.faces.align import align
from mien.faces.paste import paste
from mien.guides import ActionUnits, Label
from mien.judges.outside import Seen, outside
from mien.types import Faces, Float, UInt8
from mien.zoo import data_home

CLOSED, GAP = 0.08, 0.9
"""Bars: eye aspect ratio of closed lids; share of the lips' gap of the rig's own render."""
FEW = 10
"""People who are asked for half, twice and ten steps."""


def table(bench: Bench) -> dict[str, Any]:
    """README's table: `mien bench checks`, for the default and the old default."""
    judge = checks.Judge()
    out: dict[str, Any] = {}
    for by in ("morphable", OWN_HEAD):
        out[by] = {}
        for label in checks.CHECKS:
            rows, refused = [], {}
            paths = bench.some(checks.photographs(data_home(), label, "test"))
            for path in paths:
                try:
                    row = checks.measure(editor(by), judge, label, path, None)
                except (FaceNotFound, FaceUndrawable) as error:
                    refused[path.stem] = str(error)
                    continue
                rows += [row] if row else []
            out[by][label] = checks.summary(rows, label) | {
                "refused": refused,
                "not_done": {
                    r["photo"]: {k: r[k] for k in checks.CHECKS[label][1]}
                    for r in rows
                    if not r["passes"]
                },
                "identity_most": _names(rows, "identity"),
                "sharpness_range": spread(r["sharpness"] for r in rows),
                "sharpness_most": _names(rows, "sharpness"),
            }
            print(by, label, json.dumps(out[by][label]), flush=True)
    return out


def _names(rows: Sequence[dict[str, Any]], key: str) -> list[str]:
    return [row["photo"] for row in sorted(rows, key=lambda r: -r[key])[:3]]


def parts(bench: Bench) -> dict[str, Any]:
    """Lids that AU43 closes, and lips that `surprise` opens beside the rig's own render."""
    everyone = {**shots("london", "neutral"), **shots("canada", "neutral")}
    asked = {"AU43": ActionUnits.parse("AU43=1"), "surprise": Label("surprise")}
    out: dict[str, Any] = {}
    for by in ("morphable", OWN_HEAD):
        columns = {name: Column() for name in asked}
        for shot in bench.some(list(everyone.values())):
            for name, guide in asked.items():
                column = columns[name]
                result = bench.edit(by, shot, guide, column, shot.name)
                seen = result and bench.look(shot, result, column, shot.name)
                if not result or not seen:
                    continue
                row = {"lids": float(np.mean(seen.lids)), "open": float(np.mean(shot.seen.lids))}
                if name == "surprise":
                    row = {"gap": seen.gap, "share": seen.gap / _rendered(shot.name, shot).gap}
                column.rows.append(row)
                column.names.append(shot.name)
                bench.show(f"parts_{by}_{name}_{shot.name}", shot.crop(), shot.crop(result.pixels))
        lids, of_rig = columns["AU43"].values("lids"), columns["surprise"].values("share")
        out[by] = {
            "AU43": {
                "people": len(lids), "lids": spread(lids),
                "open": median(columns["AU43"].values("open")),
                "closed": share(lids <= CLOSED),
                "refused": columns["AU43"].refused,
                "most_open": columns["AU43"].worst("lids", largest=True),
            },
            "surprise": {
                "people": len(of_rig), "gap": spread(columns["surprise"].values("gap")),
                "share_of_rig": spread(of_rig), "enough": share(of_rig >= GAP),
                "refused": columns["surprise"].refused,
                "least": columns["surprise"].worst("share"),
            },
        }  # fmt: skip
        print(by, json.dumps(out[by]), flush=True)
    return out


_RENDERS: dict[str, Seen] = {}


def _rendered(name: str, shot: Shot) -> Seen:
    """What outsiders see in the rig's own render of `surprise`, from a face said to be at rest."""
    if name not in _RENDERS:
        method = editor("morphable").method
        small = align(shot.photo.pixels, shot.face, SOURCE_SIZE)
        rig = Rig(method.model_head.model, small.pixels, small.landmarks, neutral=True)
        _RENDERS[name] = outside().see(rig.render(facs.prototype("surprise"), SEEN).image)
    return _RENDERS[name]


class Drawn(labels.Sitter):
    """A sitter drawn as a user's photograph is: by the default method at the face's own size."""

    def drawn(self, units: Float, share: float = 1.0) -> UInt8:
        """The photograph with `units` (47,) drawn by an intensity of `share`: on the way from what
        it shows, for nobody's face is quite at rest, and asking for a tenth of the units instead
        would take all of that away in the first step."""
        by = editor("morphable")
        crop = by.crop(self.photo, self.face)
        wanted = by.method.from_units(units[None])
        return paste(self.photo, crop, by.method.edit(Faces.stack([crop]), wanted, share))


def strength(bench: Bench) -> dict[str, Any]:
    """The measure of `mien bench labels`, of the emotions, on what the default method draws."""
    people = [Drawn(p.record, p.photo, p.face, p.rig) for p in labels.sitters("test", bench.people)]
    before = [outside().see(p.crop(p.photo)) for p in people]
    out = {}
    for name in facs.EMOTIONS[1:]:
        row = labels.measured(people, before, facs.prototype(name), FEW, even=True)
        out[name] = row.figures()
        print(name, json.dumps(out[name]), flush=True)
    return out


def _threads(count: int) -> None:
    torch.set_num_threads(count)
    cv2.setNumThreads(count)


SECTIONS: dict[str, Callable[[Bench], dict[str, Any]]] = {
    "table": table, "smiles": smiles, "transferred": transferred, "speech": speech,
    "reading": reading, "parts": parts, "strength": strength,
}  # fmt: skip


def command(
    out: Out,
    limit: Annotated[
        int | None, typer.Option(min=1, help="People of each section at most; clips of speech.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help=f"This section: {', '.join(SECTIONS)}; repeat.")
    ] = None,
    keep: Keep = None,
) -> None:
    """Measure, and write the answer section by section."""
    _threads(1)
    report = json.loads(out.read_text("utf-8")) if out.is_file() else {}
    for name in some(only, SECTIONS):
        busy, began = os.getloadavg()[0], time.perf_counter()
        about = conditions()  # of the code that runs, not of what is there later
        figures = SECTIONS[name](Bench(limit, keep))
        about |= {
            "load": [round(busy, 1), round(os.getloadavg()[0], 1)],
            "minutes": round((time.perf_counter() - began) / 60, 1),
        }
        report[name] = about | figures
        ordered = {section: report[section] for section in SECTIONS if section in report}
        write(out, ordered, say=False)
