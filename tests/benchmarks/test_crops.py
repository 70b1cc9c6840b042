"""Eyes and mouths at full size: what is cut out, and who may be shown."""

from __future__ import annotations

import numpy as np
import pytest

from mien import images
from mien.errors import DataError
from mien.faces.detect import detect
from mien.zoo.samples import samples


def test_crops_are_the_photographs_own_pixels() -> None:
    from mien.bench.edits.crops import cut
    from mien.sheet import GAP

    pixels = images.read(samples()["anna"]).pixels
    points = detect(pixels)[0].landmarks
    made = cut(pixels, points)
    (gap,) = np.flatnonzero((made == 255).all((1, 2)))[[0]]
    assert (made[gap : gap + GAP] == 255).all()
    for part, middle in ((made[:gap], points[36:48]), (made[gap + GAP :], points[48:68])):
        y = round(float(middle[:, 1].mean()))
        (row,) = [r for r in range(len(part)) if _holds(pixels[y], part[r])]
        assert 0 < row < len(part) - 1


def _holds(whole: np.ndarray, part: np.ndarray) -> bool:
    """Whether the pixels (W, 3) of a row hold those (w, 3) of another, side by side."""
    return part.tobytes() in whole.tobytes()


def test_only_test_people_are_shown() -> None:
    from mien.bench.edits.crops import london

    with pytest.raises(DataError, match="london/005 is not of the test split"):
        london("005")
