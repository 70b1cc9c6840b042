"""Tiny data sets of noise pictures in their makers' layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TEMPLATE_POINTS = 189


def draw(path: Path, seed: int, size: tuple[int, int] = (48, 64)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(noise).save(path)


def write_template(path: Path, points: np.ndarray) -> None:
    rows = "\n".join(f"{x:.3f}\t{y:.3f}" for x, y in points)
    path.write_text(f"{len(points)}\n{rows}\n1\n0\n2\n0 1\n")


@pytest.fixture
def london(tmp_path: Path) -> Path:
    """Three people, neutral and smiling; the templates belong to the neutral ones."""
    folder = tmp_path / "london original"
    grid = np.random.default_rng(0).uniform(10, 38, (TEMPLATE_POINTS, 2))
    for i, person in enumerate(("003", "005", "144")):
        draw(folder / f"neutral_front/{person}_03.jpg", 2 * i)
        draw(folder / f"smiling_front/{person}_08.jpg", 2 * i + 1)
        write_template(folder / f"neutral_front/{person}_03.tem", grid)
    (folder / "london_info.csv").write_text("face_id,face_age\n003,38\n")
    return folder


@pytest.fixture
def canada(tmp_path: Path) -> Path:
    folder = tmp_path / "canada"
    for i, name in enumerate(("008f", "025m")):
        draw(folder / f"{name}.jpg", 10 + i)
    draw(folder / "average_female.jpg", 20)
    return folder


@pytest.fixture
def congress(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    for i, name in enumerate(("A000022", "Z000017")):
        draw(folder / f"congress/225x275/{name}.jpg", 30 + i)
        draw(folder / f"congress/450x550/{name}.jpg", 40 + i)
    return folder
