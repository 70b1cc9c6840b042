"""What the labels do to people: how much an outsider sees, whether the person stays, how evenly.

    mien bench labels -o benchmarks/results/labels.json --sheet docs/images/labels.jpg

Neutral photographs of London and Canada under every label and variant, drawn by the face model,
beside the labels as they were before they were calibrated. Of each: the landmarker's size of change
(`mien.judges.outside`), dlib's identity distance, and what mien's two judges
call the face; on `FEW` people the same at half and twice the intensity, and how evenly the change
rises over ten steps. Then `happy`
beside the same people's own posed smile: how many come nearer to it than doing nothing does (PSNR
and MS-SSIM of the aligned crop), and how much an outsider sees in those smiles themselves. Train
people decided what the labels mean (`--split train`); test people only show it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from numpy.typing import NDArray

from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.options import Limit, Out, Sheet, SplitName
from mien.data.adapters import DATASETS
from mien.data.manifest import Record
from mien.errors import DataError, FaceNotFound
from mien.face_model.frame import SOURCE_SIZE
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces.align import align, warp
from mien.faces.detect import choose, detect
from mien.faces.paste import paste
from mien.judges import judge
from mien.judges.outside import Seen, change, outside
from mien.metrics import pixel
from mien.metrics.report import split as checked_split
from mien.nn import compose, tensors
from mien.nn.tensors import to_levels, to_tensor
from mien.sheet import sheet
from mien.types import Composition, Face, Faces, Float, UInt8
from mien.zoo import data_home

SIDE, SEEN, SHOWN = 640, 512, 320
"""Sides, px: of the face that is drawn, of the crop that is judged, and of one on a page."""
STEPS = tuple(k / 10 for k in range(1, 11))
SETS = ("london", "canada")
FEW = 8
"""People at most who are also asked for half, twice and ten steps: a picture takes half a second.
"""

BEFORE: dict[str, dict[str, float]] = {
    "happy": {"AU6": 0.7, "AU7": 0.2, "AU12": 0.9, "AU10": 0.3, "AU16": 0.35, "AU25": 0.3},
    "sad": {"AU1": 0.85, "AU4": 0.35, "AU15": 0.8, "AU17": 0.4, "AU43": 0.12},
    "surprise": {"AU1": 0.9, "AU2": 0.9, "AU5": 0.8, "AU26": 1.0, "AU27": 0.25},
    "fear": {
        "AU1": 0.9, "AU2": 0.5, "AU4": 0.4, "AU5": 0.9, "AU20": 0.8, "AU25": 0.5, "AU26": 0.35,
    },
    "anger": {"AU4": 1.0, "AU5": 0.3, "AU7": 0.6, "AU23": 0.5, "AU24": 0.6, "AU9": 0.15},
    "disgust": {"AU9": 0.65, "AU10": 0.5, "AU4": 0.4, "AU6": 0.3, "AU15": 0.35, "AU17": 0.4},
    "contempt": {"AU14L": 0.9, "AU12L": 0.4, "AU24L": 0.3},
}  # fmt: skip
"""The labels as they were until they were calibrated (AU4 was also weaker, `AU4_BEFORE` of it)."""
AU4_BEFORE = 1.35 / 1.6


@dataclass
class Sitter:
    """A neutral photograph that the face model can move."""

    record: Record
    photo: UInt8
    face: Face
    rig: Rig

    def drawn(self, units: Float, share: float = 1.0) -> UInt8:
        """The photograph with `share` of `units` (47,) drawn: what moved is its own pixels, what
        was hidden and what light and folds add is the rig's."""
        made = self.rig.render_weights(self.rig.weights(np.float32(share) * units), SIDE, 1)
        before, crop = self.rig.original(SIDE), align(self.photo, self.face, SIDE)
        flow = torch.from_numpy(made.flow).permute(2, 0, 1)[None]
        seen = torch.from_numpy(made.visibility)[None, None]
        paint, own = (to_tensor(p.image) for p in (made, before))
        edit = Composition(flow, seen, paint).mapped(np.asarray)
        out = paste(self.photo, crop, edit).astype(np.float32)
        shade = ((to_levels(paint) - compose.warp(to_levels(own), flow)) * seen)[0]
        how = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
        out += cv2.warpAffine(
            shade.permute(1, 2, 0).numpy(), crop.matrix, self.photo.shape[1::-1], flags=how
        )
        return np.clip(out, 0, 255).astype(np.uint8)

    def crop(self, pixels: UInt8, size: int = SEEN) -> UInt8:
        """Where the face is in the photograph, whatever it shows now."""
        return warp(pixels, align(self.photo, self.face, size).matrix, size)


@dataclass
class Row:
    """What one label does to people."""

    sizes: dict[float, list[float]] = field(default_factory=dict)  # intensity -> people
    identity: dict[float, list[float]] = field(default_factory=dict)
    steps: list[list[float]] = field(default_factory=list)  # people x STEPS
    judged: dict[str, list[str]] = field(default_factory=dict)  # judge -> people
    lost: int = 0

    def figures(self) -> dict[str, Any]:
        """The row of the table."""
        out: dict[str, Any] = {"people": len(self.sizes[1.0]), "not_found": self.lost}
        for name, found in (("change", self.sizes), ("identity", self.identity)):
            out[name] = {
                f"{t:g}": {"median": _round(np.median(v)), "least": _round(min(v)),
                           "most": _round(max(v))}
                for t, v in sorted(found.items())
            }  # fmt: skip
        if self.steps:
            out["even"] = evenness(np.array(self.steps))
        out["judged"] = {
            name: {e: found.count(e) for e in facs.EMOTIONS if e in found}
            for name, found in self.judged.items()
        }
        return out


def evenness(steps: NDArray[np.float64]) -> dict[str, float]:
    """How evenly changes (people, STEPS) rise: correlation with the intensity, and the largest of
    ten steps as a share of all, for the median person and for the people's median curve."""
    curves = np.concatenate([np.zeros((len(steps), 1)), steps], 1)
    curves = np.concatenate([curves, np.median(curves, 0, keepdims=True)])
    asked = np.array((0.0, *STEPS))
    r = [float(np.corrcoef(asked, c)[0, 1]) for c in curves]
    worst = [float(np.abs(np.diff(c)).max() / max(c[-1], 1e-6)) for c in curves]
    return {
        "r": _round(np.median(r[:-1])), "worst_step": _round(np.median(worst[:-1])),
        "r_of_medians": _round(r[-1]), "worst_step_of_medians": _round(worst[-1]),
    }  # fmt: skip


def sitters(split: str, limit: int | None) -> list[Sitter]:
    """Everybody of the split who is photographed neutral; DataError if that is nobody."""
    model, found = FaceModel.load(), []
    for name in SETS:
        for record in DATASETS[name].records(data_home() / name):
            if record.split == split and record.emotion == "neutral":
                found.append(_sitter(model, data_home() / name / record.file_name, record))
    if not found:
        raise DataError(f"nobody of the {split} split is photographed neutral")
    return found[:: max(1, len(found) // limit)][:limit] if limit else found


def _sitter(model: FaceModel, path: Path, record: Record) -> Sitter:
    photo = images.read(path).pixels
    (face,) = choose(detect(photo), "largest")
    small = align(photo, face, SOURCE_SIZE)
    return Sitter(record, photo, face, Rig(model, small.pixels, small.landmarks, neutral=True))


def measured(
    people: Sequence[Sitter], before: Sequence[Seen], units: Float, few: int, even: bool
) -> Row:
    """One label's row: `units` (47,) in full on everybody; on `few` people also at half and twice,
    and over ten steps if `even`."""
    row, faces = Row(), []
    some = range(0, len(people), max(1, -(-len(people) // few))) if few else ()
    for i, (who, was) in enumerate(zip(people, before, strict=True)):
        for t in (0.5, 1.0, 2.0) if i in some else (1.0,):
            picture = who.drawn(units, t)
            try:
                found = change(was, outside().see(who.crop(picture)))
            except FaceNotFound:
                row.lost += 1
                continue
            row.sizes.setdefault(t, []).append(found.size)
            row.identity.setdefault(t, []).append(found.identity)
            if t == 1.0:
                faces.append(align(picture, who.face))
        if even and i in some:
            row.steps.append(rising(who, was, units))
    stacked = tensors.faces(Faces.stack(faces))
    for name in judge.NAMES:
        named = judge.load(name).read(stacked.pixels).emotions.argmax(1)
        row.judged[name] = [facs.EMOTIONS[int(k)] for k in named]
    return row


def rising(who: Sitter, was: Seen, units: Float) -> list[float]:
    """Size of the landmarker's change at each of `STEPS`."""
    start = np.array(list(was.shapes.values()))
    sizes = []
    for t in STEPS:
        now = outside().shapes(who.crop(who.drawn(units, t)))
        sizes.append(float(np.linalg.norm(np.array([now[k] for k in was.shapes]) - start)))
    return sizes


def smiles(people: Sequence[Sitter], asked: Mapping[str, Float]) -> dict[str, Any]:
    """`asked` units beside London people's own smiles; with how much an outsider sees in these."""
    real = {
        r.person: data_home() / "london" / r.file_name
        for r in DATASETS["london"].records(data_home() / "london")
        if r.emotion == "happy"
    }
    pairs = [(p, _largest(real[p.record.person])) for p in people if p.record.person in real]
    if not pairs:
        return {}
    sizes, gaps = [], []
    for who, smile in pairs:
        found = change(
            outside().see(who.crop(who.photo)), outside().see(align(*smile, SEEN).pixels)
        )
        sizes.append(found.size)
        gaps.append(found.gap[1] - found.gap[0])
    opened = np.array(gaps) > OPENED
    truth = torch.cat([to_tensor(align(*smile).pixels) for _, smile in pairs])
    still = torch.cat([to_tensor(align(w.photo, w.face).pixels) for w, _ in pairs])
    start = _likeness(still, truth)
    table = {}
    for name, units in asked.items():
        made = torch.cat([to_tensor(align(w.drawn(units), w.face).pixels) for w, _ in pairs])
        end = _likeness(made, truth)
        nearer = ((end > start).all(0)).numpy()
        table[name] = {
            "nearer": _round(nearer.mean()),
            "nearer_of_open": _round(nearer[opened].mean()),
            "nearer_of_closed": _round(nearer[~opened].mean()),
            "psnr_gain": _round((end - start)[0].mean()),
        }
    own = {
        k: {"median": _round(np.median(np.array(sizes)[m])), "people": int(m.sum())}
        for k, m in (("all", opened | True), ("open", opened), ("closed", ~opened))
    }
    return {"change_in_own_smile": own, "labels": table}


OPENED = 0.03
"""Growth of the lips' gap, in eye-corner distances, from which a smile is open."""


def _likeness(made: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """PSNR and MS-SSIM (2, B) to the truth."""
    return torch.stack([pixel.psnr(made, truth), pixel.ms_ssim(made, truth)])


def _largest(path: Path) -> tuple[UInt8, Face]:
    photo = images.read(path).pixels
    (face,) = choose(detect(photo), "largest")
    return photo, face


def _round(value: Any) -> float:
    return round(float(value), 3)


def page(people: Sequence[Sitter], labels: Sequence[str], intensity: float, size: int) -> UInt8:
    """People by labels, the middle of a face crop of `size` px each."""
    rows = [
        [_face(who.crop(who.photo, size)),
         *(_face(who.crop(who.drawn(facs.prototype(n), intensity), size))
           for n in labels)]
        for who in people
    ]  # fmt: skip
    return sheet(rows, ["source", *labels])


def _face(crop: UInt8) -> UInt8:
    side = len(crop)
    return crop[side // 10 : round(0.92 * side), side // 8 : round(0.875 * side)]


def command(
    out: Out,
    split: SplitName = "test",
    limit: Limit = None,
    sheet: Sheet = None,
    variants: Annotated[
        Path | None, typer.Option(help="... of people x the other variants.")
    ] = None,
    intensity: Annotated[float, typer.Option(help="Of the page.")] = 1.0,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    people = sitters(checked_split(split), limit)
    before = [outside().see(p.crop(p.photo)) for p in people]
    old = {n: facs.vector({**u, "AU4": AU4_BEFORE * u.get("AU4", 0)}) for n, u in BEFORE.items()}
    new = {n: facs.prototype(n) for n in facs.LABELS if n != "neutral"}
    table: dict[str, Any] = {"before": {}, "after": {}}
    for part, asked, few in (("before", old, 0), ("after", new, FEW)):
        for name, units in asked.items():
            row = measured(people, before, units, few, name in facs.EMOTIONS).figures()
            table[part][name] = row
            print(part, name, json.dumps(row), flush=True)
    happy = {"before": old["happy"], "before at half": 0.5 * old["happy"]}
    happy |= {"happy": new["happy"], "happy at half": 0.5 * new["happy"]}
    happy |= {"happy:closed": new["happy:closed"]}
    report = {
        **conditions(),
        "split": split,
        "people": [p.record.person for p in people],
        "labels": {n: (facs.PROTOTYPES | facs.VARIANTS)[n] for n in facs.LABELS},
        "table": table,
        "own_smile": smiles(people, happy),
    }
    write(out, report, say=False)
    shown = people[:: max(1, len(people) // FEW)][:FEW]
    for path, labels in ((sheet, facs.EMOTIONS[1:]), (variants, facs.VARIANTS)):
        if path:
            images.write(path, page(shown, list(labels), intensity, SHOWN), metadata={})
