"""What a small network's transfer and codes are worth in ten numbers, for runs that are compared:
on renders of people who taught nobody, where the truth is known.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mien
from mien import facs
from mien.data.loading import Renders, label_of, open_renders
from mien.judges import NAMES, load
from mien.judges.identity import descriptor
from mien.methods.learnt import Learnt
from mien.metrics import transfer
from mien.metrics.codes import Crossed, crossed, encoded, expression_code, main_effects, nearest
from mien.metrics.triples import draw_triples, faces_of

MEASURES = (
    "psnr_gain", "ms_ssim_gain", "unit_error_left", "identity", "to_reference", "emotion",
    "code_by_expression", "code_by_person", "code_same_expression", "code_same_person",
)  # fmt: skip
"""Of faces given another's expression, beside leaving them: PSNR (dB) and MS-SSIM gained, error of
the units read by the judges over that of leaving the face, dlib's distance to the source and to the
reference, share that shows the reference's emotion. Of expression codes: shares of their variance
by expression and by person, share whose nearest stranger shows the same expression, and whose
nearest face in another expression is the same person."""
Measure = Callable[[str, Path], dict[str, float]]
"""Method, weights -> every one of `MEASURES`."""


def of_renders(renders: Path, split: str, count: int) -> Measure:
    """Measures by `count` triples of a split's people, and by their codes in all emotions;
    DataError where there are no renders of the split.
    """
    photos = open_renders(renders, split)  # what is wrong is said before hours of training
    judges, who = [load(name) for name in NAMES], descriptor()
    benches: dict[int, tuple[transfer.TransferBench, list[transfer.Row], Crossed]] = {}

    def measure(method: str, weights: Path) -> dict[str, float]:
        made = mien.load(method, weights)
        assert isinstance(made, Learnt)
        if made.size not in benches:
            triples = draw_triples(renders, split, count, size=made.size, seed=0)
            bench = transfer.TransferBench(triples, judges, who)
            benches[made.size] = bench, bench.measure(transfer.nothing), _emotions(photos, made)
        bench, before, shown = benches[made.size]
        found = transfer.summary(bench.measure(transfer.by_reference(made)), before)
        codes = encoded(expression_code(made), shown.faces)
        n, m = shown.shape
        by_person, by_expression = main_effects(codes.view(n, m, -1))
        near = nearest(codes, shown.shape)
        values = [
            found["psnr_gain"]["mean"], found["ms_ssim_gain"]["mean"], found["unit_error_left"],
            found["identity"]["mean"], found["to_reference"]["mean"],
            found["emotion_agrees"]["mean"], by_expression, by_person, near.expression, near.person,
        ]  # fmt: skip
        return dict(zip(MEASURES, values, strict=True))

    return measure


def _emotions(photos: list[Renders], method: Learnt) -> Crossed:
    """Everybody in all emotions that they are rendered in, by the first photograph of each."""
    first = {p.person: p for p in reversed(photos)}
    return crossed(
        {
            (person, facs.EMOTIONS[label]): faces_of([(photo, state)], method.size)
            for person, photo in first.items()
            for state in reversed(photo.still)
            if (state > 0 or photo.neutral) and (label := label_of(photo.units[state])) >= 0
        }
    )
