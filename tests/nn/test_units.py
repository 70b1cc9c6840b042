"""What methods that read action units share."""

from __future__ import annotations

import pytest
import torch

from mien import facs
from mien.nn.units import prototypes, read_error


def test_prototypes_are_those_of_the_labels_in_their_order() -> None:
    table = prototypes()
    assert table.shape == (len(facs.EMOTIONS), len(facs.UNITS))
    assert not table[facs.EMOTIONS.index("neutral")].any()
    happy = table[facs.EMOTIONS.index("happy")].numpy()
    assert happy.tolist() == facs.prototype("happy").tolist()


def test_unknown_units_do_not_count() -> None:
    read, units = torch.zeros(2, 3), torch.tensor([[1.0, 2.0, 0.0], [9.0, 9.0, 9.0]])
    assert float(read_error(read, units, torch.tensor([1.0, 0.0]))) == pytest.approx(5)
    assert float(read_error(read, units, torch.zeros(2))) == 0
