"""Packed renders are the same faces, smaller."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mien.data.loading import RigFaces, RigLabelled, open_renders
from mien.errors import DataError


def test_packed_faces_are_read_as_the_others_are(renders: Path, tmp_path: Path) -> None:
    from mien.data.packing import packed

    assert packed(renders, "train", tmp_path, 8, 0, 95) == 16
    whole, small = (open_renders(folder, "train") for folder in (renders, tmp_path))
    assert [p.person for p in small] == [p.person for p in whole]
    for a, b in zip(whole, small, strict=True):
        assert b.size == 8
        assert np.array_equal(a.units, b.units)
        assert np.allclose((a.landmarks + 0.5) / 2 - 0.5, b.landmarks, atol=1e-3)
        before, after = a.stored[3].image(), b.stored[3].image()
        assert after.shape == (8, 8, 3)
        assert np.allclose(before.mean((0, 1)), after.mean((0, 1)), atol=4)
    assert RigLabelled(tmp_path, "train", 2, size=8)[0].source.pixels.shape == (3, 8, 8)
    assert RigFaces(tmp_path, "train", size=8)[0][0].shape == (3, 8, 8)


def test_other_states_come_along_as_asked(renders: Path, tmp_path: Path) -> None:
    from mien.data.packing import chosen, packed
    from mien.rig.shards import read_shard

    samples = read_shard(renders / "train" / "00000.tar")
    odd = [(f | {"units": [0.3] * 47} if f["state"] > 5 else f, s) for f, s in samples]
    kept = [facts["state"] for _, facts, _ in chosen(odd, 1)]
    assert [kept.count(state) for state in range(6)] == [2] * 6
    assert kept.count(6) + kept.count(7) == 2  # one each
    assert [f["state"] for _, f, _ in chosen(odd, 1)] == kept
    with pytest.raises(DataError, match="mien rig render"):
        packed(tmp_path, "train", tmp_path, 8, 0, 95)
