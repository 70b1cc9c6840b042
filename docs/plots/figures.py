"""What each figure of the documentation shows, as numbers from `benchmarks/results/`.

Nothing here draws: `draw.py` does, and a test compares these numbers with those that each committed
picture says that it was drawn from.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
SMILE, TRANSFER = "real: to a smile, by reference", "truth: transfer, by reference"
LABELS = "labels: eight labels"
PANELS = (
    ("A real smile: PSNR gain, dB", SMILE, ("gains", "psnr")),
    ("A real smile: judged happy", SMILE, ("columns", "emotion_a", "emotion_b")),
    ("A real smile: identity distance", SMILE, ("columns", "identity")),
    ("Transfer: PSNR gain, dB", TRANSFER, ("gains", "psnr")),
    ("Transfer: error of action units", TRANSFER, ("columns", "units_a", "units_b")),
    ("Labels: emotion right", LABELS, ("columns", "emotion_a", "emotion_b")),
    ("Labels: identity distance", LABELS, ("columns", "identity")),
    ("Labels: sharpness", LABELS, ("columns", "sharpness")),
)
"""Title, section of the scorecard, and which numbers: one column, or one for each judge."""
OWN_SMILE = "pairs: neutral to happy, by reference"
OWN_LABELS = "labels: eight labels"
OWN_PANELS = (
    ("An own smile: face PSNR gain, dB", OWN_SMILE, ("gains", "face_psnr")),
    ("An own smile: judged happy", OWN_SMILE, ("columns", "emotion_a", "emotion_b")),
    ("An own smile: mouth's distance", OWN_SMILE, ("columns", "mouth_perceptual")),
    ("An own smile: error of action units", OWN_SMILE, ("columns", "units_a", "units_b")),
    ("An own smile: identity distance", OWN_SMILE, ("columns", "identity")),
    ("Labels: emotion right", OWN_LABELS, ("columns", "emotion_a", "emotion_b")),
    ("Labels: identity distance", OWN_LABELS, ("columns", "identity")),
    ("Labels: sharpness", OWN_LABELS, ("columns", "sharpness")),
)
"""The same of faces at their own size."""
TRUTH = ("the photograph", "the rig")
EMOTIONS = ("happy", "sad", "surprise", "fear", "anger", "disgust", "contempt")

Data = dict[str, Any]


def _result(name: str) -> Data:
    loaded: Data = json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    return loaded


def scorecard() -> Data:
    """Panel -> row -> [[mean, low, high], ...], a triple for each judge where judges say it."""
    return _panels("scorecard", PANELS)


def own() -> Data:
    """The same of faces at their own size."""
    return _panels("scorecard_own", OWN_PANELS)


def _panels(result: str, chosen: Sequence[tuple[str, str, tuple[str, ...]]]) -> Data:
    sections = _result(result)["sections"]
    panels: Data = {}
    for title, section, (part, *columns) in chosen:
        rows: Data = {}
        # of several folders measured together each has its name before its sections
        (found_in, *_) = (
            each for key, each in sections.items() if f": {key}".endswith(f": {section}")
        )
        for name, line in found_in["lines"].items():
            found = [line.get(part, {}).get(column) for column in columns]
            if any(one is None for one in found):
                continue
            if name in TRUTH and part == "gains":
                continue  # the truth's likeness to itself
            called = "the truth itself" if name in TRUTH else name
            rows[called] = [[one["mean"], one["low"], one["high"]] for one in found]
        panels[title] = rows
    return {"result": result, "panels": panels}


def strength() -> Data:
    """Emotion -> intensity -> [median, least, most] of the change and of the identity distance."""
    measured = _result("drawing")["strength"]
    zero = {"0": [0.0, 0.0, 0.0]}
    lines = {
        emotion: {
            what: zero | {t: [v["median"], v["least"], v["most"]] for t, v in one[what].items()}
            for what in ("change", "identity")
        }
        for emotion in EMOTIONS
        for one in (measured[emotion],)
    }
    return {"result": "drawing", "lines": lines}


def intensity() -> Data:
    """Way of asking -> emotion -> judges' mean reading at 0, 0.25, 0.5, 0.75 and 1."""
    table = _result("intensity")["table"]
    ways = {"as meant": "as asked", "strengths": "with the weights' strengths"}
    return {"result": "intensity", "lines": {ways[w]: table[w]["read"] for w in ways}}


def units() -> Data:
    """The matrix: row asked for, column read."""
    measured = _result("units")
    return {"result": "units", "names": measured["names"], "matrix": measured["matrix"]}


def paper_run(method: str) -> Data:
    """Loss of an unpaired run in the paper's setting -> [[images seen, value], ...]."""
    one = _result("paper_runs")["runs"][method]
    return {"result": "paper_runs", "lines": one["points"], "images": one["images"]}


RUNS = tuple(_result("paper_runs")["runs"])
"""Methods of which there is such a run."""
FIGURES: dict[str, Callable[[], Data]] = {
    "scorecard": scorecard,
    "own": own,
    "strength": strength,
    "intensity": intensity,
    "units": units,
    **{f"run_{method}": partial(paper_run, method) for method in RUNS},
}
"""Figure -> its numbers."""


def digest(data: Data) -> str:
    """SHA-256 of a figure's numbers."""
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()
