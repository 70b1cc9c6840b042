"""The data sets that mien knows, and how each lies on disk as its makers publish it."""

from mien.data.adapters import canada, congress, london
from mien.data.adapters.base import DataSet

DATASETS: dict[str, DataSet] = {d.DATASET.name: d.DATASET for d in (london, canada, congress)}
"""Name -> photographs; the face model, which holds no photographs, is in `ict_facekit`."""

__all__ = ["DATASETS", "DataSet"]
