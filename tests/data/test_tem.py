"""Templates of hand-checked points: read whole or refused, and mapped to the right 68 places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.data.adapters.tem import COUNT, read_tem, to_68
from mien.errors import DataError
from mien.faces.align import STABLE, mirrored, similarity, template, transform


def _write(path: Path, points: np.ndarray, count: int = COUNT) -> Path:
    rows = [f"{x:.2f}\t{y:.2f}" for x, y in points]
    lines = ["0", "2", "0 0", "0", "5", "18 19 20 21 22"]
    path.write_text("\n".join([str(count), *rows, str(len(lines) // 3), *lines]) + "\n")
    return path


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).uniform(0, 700, (COUNT, 2)).round(2).astype(np.float32)


def test_points_are_read_and_line_definitions_are_not(tmp_path: Path, points: np.ndarray) -> None:
    found = read_tem(_write(tmp_path / "a.tem", points))
    assert found.dtype == np.float32
    assert np.array_equal(found, points)


def test_windows_line_ends(tmp_path: Path, points: np.ndarray) -> None:
    path = _write(tmp_path / "a.tem", points)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert np.array_equal(read_tem(path), points)


def test_what_is_not_such_a_template_is_refused(tmp_path: Path, points: np.ndarray) -> None:
    cases = {
        "missing": tmp_path / "missing.tem",
        "empty": _text(tmp_path / "empty.tem", ""),
        "prose": _text(tmp_path / "prose.tem", "a letter\nto somebody\n"),
        "short": _write(tmp_path / "short.tem", points[:150]),
        "other": _write(tmp_path / "other.tem", points[:150], 150),
        "nan": _text(tmp_path / "nan.tem", "189\n" + "nan nan\n" * 189),
    }
    for name, path in cases.items():
        with pytest.raises(DataError, match=f"{name}.tem") as error:
            read_tem(path)
        assert "\n" not in str(error.value)


def _text(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_single_points_go_where_they_belong(points: np.ndarray) -> None:
    landmarks = to_68(points)
    corners = {36: 18, 39: 22, 42: 23, 45: 27, 48: 87, 54: 93}
    middle = {33: 55, 51: 90, 57: 106, 62: 96, 66: 101}
    outline = {0: 109, 8: 129, 16: 112}
    for landmark, point in (corners | middle | outline).items():
        assert landmarks[landmark] == pytest.approx(points[point], abs=0.01)


def test_the_mapping_moves_with_the_points(points: np.ndarray) -> None:
    """Curves are resampled the same way wherever the face is and however large."""
    turn = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32) * 1.7
    shift = np.array([31, -12], np.float32)
    assert np.allclose(to_68(points @ turn.T + shift), to_68(points) @ turn.T + shift, atol=0.02)


def test_london(original: Callable[..., Path]) -> None:
    """On every hand-checked face the landmarks have a face's shape."""
    files = sorted(original("london", "neutral_front").glob("*.tem"))
    assert files
    stable = list(STABLE)
    aligned = []
    for file in files:
        landmarks = to_68(read_tem(file))
        matrix = similarity(landmarks[stable], template(100)[stable])
        aligned.append(transform(matrix, landmarks))
    shapes = np.stack(aligned)
    # Nobody's landmark is further than an eighth of the crop from the mean's, and the mean's are in
    # place.
    assert np.linalg.norm(shapes - template(100), axis=2).max() < 12.5
    assert np.linalg.norm(shapes.mean(axis=0) - template(100), axis=1).max() < 2
    assert np.abs(shapes.mean(axis=0) - mirrored(shapes, 100).mean(axis=0)).max() < 2
    # Contours run the right way round: brows over eyes over nose over mouth over chin.
    parts = (slice(17, 27), slice(36, 48), slice(31, 36), slice(48, 60), slice(8, 9))
    heights = np.stack([shapes[:, part, 1].mean(axis=1) for part in parts])
    assert (np.diff(heights, axis=0) > 0).all()
    assert (np.diff(shapes[:, 4:13, 0], axis=1) > 0).all()
    assert (shapes[:, 41, 1] > shapes[:, 37, 1]).all()
    assert (shapes[:, 57, 1] > shapes[:, 51, 1]).all()
