"""What the judges that ship with mien read in a picture."""

from __future__ import annotations

from typing import Any

from mien import facs
from mien.faces.align import align
from mien.judges import judge as judges
from mien.nn import tensors
from mien.types import Face, Faces, UInt8


def read(pixels: UInt8, face: Face) -> dict[str, dict[str, Any]]:
    """By judge: the likeliest `emotion`, how `sure` it is (0..1), and the `units` (47)."""
    small = tensors.faces(Faces.stack([align(pixels, face, 128)])).pixels
    found = {}
    for name in judges.NAMES:
        seen = judges.load(name).read(small)
        best = int(seen.emotions[0].argmax())
        found[name] = {
            "emotion": facs.EMOTIONS[best],
            "sure": round(float(seen.emotions[0, best]), 3),
            "units": [round(float(u), 3) for u in seen.units[0]],
        }
    return found
