"""What `mien bench mouths` and `critic` compare pictures by."""

from __future__ import annotations

import numpy as np
from torch import nn

from mien.bench.edits import mouths


class Net(nn.Module):
    """As much of EfficientNet as features walk through, and no more."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = self._bn0 = self._swish = nn.Identity()
        self._blocks = nn.ModuleList(nn.Identity() for _ in range(max(mouths.STAGES) + 1))


def test_a_mirrored_picture_has_features_too() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (8, 6, 3), dtype=np.uint8)
    mirrored = picture[:, ::-1]  # a view that walks backwards
    (seen,) = mouths.features(Net(), [mirrored])
    (wanted,) = mouths.features(Net(), [mirrored.copy()])
    assert seen.shape == (3 * len(mouths.STAGES),)
    assert (seen == wanted).all()
