"""Editors that are broken on purpose, and who of the judges notices.

A column that a broken editor wins proves nothing for those who win it honestly. So each is measured
beside a real editor on faces whose right answer is a photograph, and for every column it is said
who is the better one, person by person. What an editor breaks (`BREAKS`) has to show in the columns
that say they see it; where it does not, the column is fooled, and that is said too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mien import facs
from mien.files import replacing
from mien.guides import Label
from mien.metrics.bench import JudgePanel, Measured, SectionBench
from mien.metrics.pixel import face_mask, hull_mask
from mien.metrics.scorecard import Contestant, depends_on, once, one_thread, section_digest
from mien.metrics.statistics import summarise
from mien.metrics.table import COLUMNS, markdown
from mien.metrics.trials import Editing, Section, Trial, answer, nothing
from mien.nn.tensors import to_tensor, to_uint8

FILM = 0.75
"""Opacity of the film over the eyes: what an eye that was painted over badly keeps is a quarter."""
BLUR = 0.012
"""Sigma of the blur, in sides of the crop: 5 px at 416."""
REAL = "real"
FILM_OVER = "film over the eyes"
FEWEST = 5
"""People from whom on anything is sure: five of five by chance are 3 in a hundred."""
BREAKS: Mapping[str, tuple[str, ...]] = {
    "nothing": (
        "face_psnr", "face_ssim", "face_perceptual", "units_a", "units_b", "asked_a", "asked_b",
    ),
    "mean face": ("identity", "face_psnr", "face_perceptual", "sharpness"),
    "random expression": (
        "face_psnr", "face_perceptual", "units_a", "units_b", "asked_a", "asked_b",
    ),
    FILM_OVER: (
        "eyes_showing", "left_eye_perceptual", "right_eye_perceptual", "left_eye_ssim",
        "right_eye_ssim", "mp_lids", "mp_open",
    ),
    "black disc in the mouth": ("mouth_void", "mouth_perceptual", "mouth_psnr", "mouth_ssim"),
    "blurred paste": ("sharpness", "face_perceptual", "mouth_sharpness"),
}  # fmt: skip
"""Broken editor -> the columns that say they see what it breaks."""
ABOUT: Mapping[str, str] = {
    FILM_OVER: "eyes to shut", "black disc in the mouth": "mouth to open",
}  # fmt: skip
"""Broken editors that imitate one thing: part of the names of the sections that ask for it."""
SHUT = ("eyes_showing", "mp_open")
"""Columns that are right at 0 only where eyes should be shut, where there is a film too."""
UNJUDGED = ("leakage", "mp_change", "mp_turn")
"""Columns that have no best value."""
HIGHER = ("psnr", "ssim", "emotion", "background", "similarity")
NEAREST = "sharpness"
"""Columns whose best is high, by parts of their names; whose best is 1; of the others it is 0."""


def editors(real: Editing, section: Section) -> dict[str, Editing]:
    """All broken editors of a section; those that need an edit break the real one's."""
    middle = mean_face(section)

    def mean(trial: Trial) -> Tensor:
        return functional.interpolate(
            middle, size=trial.source.pixels.shape[-2:], mode="bicubic"
        ).clamp(-1, 1).expand(len(trial), -1, -1, -1)  # fmt: skip

    found: dict[str, Editing] = {
        "nothing": nothing,
        "mean face": mean,
        "random expression": lambda trial: real(_random(trial)),
        FILM_OVER: film,
        "black disc in the mouth": disc,
        "blurred paste": lambda trial: blurred(real(trial), trial),
    }
    return {name: edit for name, edit in found.items() if ABOUT.get(name, "") in section.name}


def mean_face(section: Section, side: int = 128) -> Tensor:
    """The mean of everybody's source, (1, 3, side, side)."""
    seen: dict[str, Tensor] = {}
    for trial in section.trials:
        small = functional.interpolate(trial.source.pixels, size=(side, side), mode="area")
        seen |= dict(zip(trial.people, small, strict=True))
    return torch.stack(list(seen.values())).mean(0, keepdim=True)


def _random(trial: Trial) -> Trial:
    """Another emotion than those asked for, drawn by the person's name."""
    names = []
    for who, asked in zip(trial.people, trial.names, strict=True):
        others = [e for e in facs.EMOTIONS if e != asked]
        names.append(others[sum(who.encode()) % len(others)])
    return replace(trial, ask=Label(tuple(names)))


def film(trial: Trial) -> Tensor:
    """The source with a film of skin over the eye openings, through which they show."""
    pixels, size = trial.source.pixels, trial.source.pixels.shape[-1]
    eyes = hull_mask(trial.source.landmarks, size, "eyes")
    ring = _grown(eyes, size // 24) - _grown(eyes, size // 60)
    skin = (pixels * ring).sum((2, 3), keepdim=True) / ring.sum((2, 3), keepdim=True)
    alpha = FILM * _soft(_grown(eyes, size // 100), size / 150)
    return pixels * (1 - alpha) + skin * alpha


def disc(trial: Trial) -> Tensor:
    """The source with a black disc where the truth's lips are."""
    assert trial.truth is not None
    size = trial.source.pixels.shape[-1]
    inner = torch.zeros(len(trial), 1, size, size)
    for mask, points in zip(inner.numpy(), trial.truth.landmarks.numpy(), strict=True):
        hull = cv2.convexHull(points[60:68].round().astype(np.int32))
        drawn = np.zeros((size, size), np.uint8)
        cv2.fillConvexPoly(drawn, hull, (1,))
        mask[0] = drawn
    alpha = _soft(_grown(inner, 1), 1.0)
    return trial.source.pixels * (1 - alpha) - alpha


def blurred(made: Tensor, trial: Trial) -> Tensor:
    """A result whose face was pasted in without its detail."""
    size = made.shape[-1]
    soft = [cv2.GaussianBlur(p, (0, 0), BLUR * size) for p in to_uint8(made)]
    alpha = _soft(face_mask(trial.source.landmarks, size), size / 60)
    return made * (1 - alpha) + to_tensor(np.stack(soft)) * alpha


def _grown(mask: Tensor, reach: int) -> Tensor:
    return functional.max_pool2d(mask, 2 * reach + 1, 1, reach)


def _soft(mask: Tensor, sigma: float) -> Tensor:
    planes = [cv2.GaussianBlur(plane[0], (0, 0), sigma) for plane in mask.numpy()]
    return torch.from_numpy(np.stack(planes))[:, None]


@dataclass(frozen=True)
class Verdict:
    """A column on a broken editor: means, and the share of people for whom the real editor is the
    better one, ties half."""

    column: str
    real: float
    broken: float
    better: float
    low: float
    high: float
    own: bool
    """Whether it says that it sees what is broken."""
    people: int

    @property
    def caught(self) -> bool:
        """Whether the real editor is better for more than half of the people, surely (95 %)."""
        return self.people >= FEWEST and self.low > 0.5

    @property
    def fooled(self) -> bool:
        """Whether the broken editor is the better one, surely."""
        return self.people >= FEWEST and self.high < 0.5


def measure(
    section: Section, panel: JudgePanel, real: Contestant, kept: Path,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> dict[str, Measured]:  # fmt: skip
    """The real editor, the photograph and every broken one in a section; finished lines are kept
    in a folder, as those of a scorecard are."""
    bench = SectionBench(section, panel)
    once_each = _remembered(real.edit)
    rows = {REAL: once_each, **editors(once_each, section)}
    if section.answer:
        rows["the photograph"] = answer
    inputs = depends_on(panel) | {
        "section": section.name, "trials": section_digest(section, asked=True),
        "weights": real.weights,
        "editors": hashlib.sha256(Path(__file__).read_bytes()).hexdigest(),
    }  # fmt: skip
    out = {}
    for done, (name, edit) in enumerate(rows.items()):
        progress(f"{section.name}: {name}", done, len(rows))
        with one_thread():
            out[name] = once(kept, inputs | {"row": name}, partial(bench.measure, edit))
    return out


def _remembered(edit: Editing) -> Editing:
    """The same, each trial drawn once; a broken editor that breaks a result takes it from here."""
    made: dict[int, tuple[Trial, Tensor]] = {}

    def again(trial: Trial) -> Tensor:
        if id(trial) not in made:
            made[id(trial)] = trial, edit(trial)  # held with its trial, so that no id comes twice
        return made[id(trial)][1]

    return again


def verdicts(found: Mapping[str, Measured]) -> dict[str, list[Verdict]]:
    """Of each broken editor, a verdict of every column."""
    real = found[REAL]
    left_out = UNJUDGED if FILM_OVER in found else (*UNJUDGED, *SHUT)
    out: dict[str, list[Verdict]] = {}
    for name in BREAKS:
        if name not in found:
            continue
        out[name] = [
            _verdict(column, real, found[name], column in BREAKS[name])
            for column in real.columns
            if column in COLUMNS and column not in left_out
        ]
    return out


def _verdict(column: str, real: Measured, broken: Measured, own: bool) -> Verdict:
    good, bad = (np.asarray(m.columns[column], np.float64) for m in (real, broken))
    worth = [_worth(column, values) for values in (good, bad)]
    better = (np.sign(np.round(worth[0] - worth[1], 6)) + 1) / 2
    share = summarise(better, real.people)
    return Verdict(
        column, round(float(good.mean()), 4), round(float(bad.mean()), 4), share.mean, share.low,
        share.high, own, len(set(real.people)),
    )  # fmt: skip


def _worth(column: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> Any:
    if NEAREST in column:
        return -np.abs(np.log(np.maximum(values, 1e-3)))
    return values if any(part in column for part in HIGHER) else -values


def table(every: Mapping[str, Mapping[str, Sequence[Verdict]]]) -> str:
    """Markdown: for each section and broken editor, which columns catch it and which it fools; the
    numbers are means, the real editor's and the broken one's."""
    rows = []
    for section, found in every.items():
        for name, columns in found.items():
            own = [v for v in columns if v.own]
            caught = [v for v in own if v.caught]
            rows.append({
                "asked (people)": f"{section} ({columns[0].people})", "broken editor": name,
                "its own columns that catch it": f"{len(caught)} of {len(own)}: "
                + ", ".join(_said(v) for v in caught),
                "its own columns that do not": ", ".join(
                    _said(v) for v in own if not (v.caught or v.fooled)
                ),
                "its own columns that it wins": ", ".join(_said(v) for v in own if v.fooled),
                "other columns that it wins": ", ".join(
                    _said(v) for v in columns if v.fooled and not v.own
                ),
            })  # fmt: skip
    return markdown(list(rows[0]) if rows else [], rows)


JUDGES: Mapping[str, tuple[str, ...]] = {
    "pixels (PSNR, SSIM)": ("psnr", "ssim"),
    "sharpness": ("sharpness",),
    "EfficientNet-Lite0": ("perceptual",),
    "what is left over (eyes showing, mouth void, background)": ("showing", "void", "kept"),
    "judge a": ("units_a", "asked_a", "emotion_a"),
    "judge b": ("units_b", "asked_b", "emotion_b"),
    "dlib's descriptor": ("identity",),
    "MediaPipe": ("mp_",),
}
"""Who judges, and parts of the names of the columns that are by it."""


def by_judge(every: Mapping[str, Mapping[str, Sequence[Verdict]]]) -> str:
    """Markdown: for each judge and broken editor, in how many columns of all sections together the
    real editor is surely the better one, and in how many surely the broken one; then of how many.
    """
    rows = []
    for judge, parts in JUDGES.items():
        row = {"judge": judge}
        for name in BREAKS:
            said = [
                v
                for found in every.values()
                for v in found.get(name, ())
                if any(part in v.column for part in parts)
            ]
            if said:
                caught, fooled = (sum(getattr(v, k) for v in said) for k in ("caught", "fooled"))
                row[name] = f"{caught}, {fooled} of {len(said)}"
        rows.append(row)
    return markdown(["judge", *BREAKS], rows)


def read(path: Path) -> dict[str, dict[str, list[Verdict]]]:
    """The verdicts of a judges.json."""
    sections = json.loads(path.read_text(encoding="utf-8"))["sections"]
    return {
        title: {name: [Verdict(**v) for v in rows] for name, rows in found.items()}
        for title, found in sections.items()
    }


def _said(verdict: Verdict) -> str:
    heading, digits = COLUMNS[verdict.column]
    digits = max(2, digits)
    return f"{heading} ({verdict.real:.{digits}f} to {verdict.broken:.{digits}f})"


def write(
    out: Path, facts: Mapping[str, Any], every: Mapping[str, Mapping[str, Sequence[Verdict]]]
) -> None:
    """judges.json, every verdict and how they came about, and judges.md, both tables, in `out`."""
    sections = {
        title: {name: [asdict(v) for v in rows] for name, rows in found.items()}
        for title, found in every.items()
    }
    text = json.dumps({**facts, "sections": sections}, indent=1, ensure_ascii=False) + "\n"
    for name, content in (
        ("judges.json", text),
        ("judges.md", f"{table(every)}\n{by_judge(every)}"),
    ):
        with replacing(out / name) as part:
            part.write_text(content, encoding="utf-8")
