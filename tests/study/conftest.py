"""A folder of pictures as `mien series` leaves it, drawn quickly: what matters is the table."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from mien import images

SERIES = ("file", "person", "asked", "side", "intensity", "label", "repetition", "checks")
PEOPLE, LABELS, STRENGTHS = ("anna", "ben", "cora"), ("happy", "sad"), (0.5, 1.0)


@pytest.fixture(scope="session")
def stimuli(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people, at rest and in two expressions at two intensities, twice; one check failed."""
    folder = tmp_path_factory.mktemp("stimuli")
    random = np.random.default_rng(0)
    rows = []
    for person in PEOPLE:
        (folder / person).mkdir()
        cells = [("neutral", 1.0), *((label, s) for label in LABELS for s in STRENGTHS)]
        for label, strength in cells:
            name = f"{person}/{label}-{strength:g}.png"
            images.write(folder / name, random.integers(0, 255, (96, 80, 3), np.uint8))
            row = (name, person, label, "both", str(strength), label)
            rows += [(*row, str(n), "passed") for n in (1, 2)]
    rows.append(("anna/failed.png", "anna", "sad", "both", "1.5", "sad", "1", "identity"))
    with (folder / "series.csv").open("w", newline="") as file:
        csv.writer(file).writerows([SERIES, *rows])
    return folder
