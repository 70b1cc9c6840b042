"""Networks as ONNX files, for whatever runs those: one file for each part of a method, and a model
card beside them."""

from mien.export.parts import NAMES, Part, parts_of
from mien.export.write import Exported, export

__all__ = ["NAMES", "Exported", "Part", "export", "parts_of"]
