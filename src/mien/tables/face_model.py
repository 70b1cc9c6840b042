"""The face model's file that ships, from the array file of `mien data import ict-facekit`.

python -m mien.tables.face_model ict_facekit.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.face_model import packed
from mien.face_model.mesh import FaceModel


def main() -> None:
    """Pack the model that is named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path, help="array file that `mien data import` wrote")
    parser.add_argument("--out", type=Path, default=packed.FILE)
    options = parser.parse_args()
    m = FaceModel.load(options.model)
    packed.write(
        (m.neutral, m.names, m.expressions, m.identities, m.triangles, m.layers, m.landmarks),
        options.out,
    )


if __name__ == "__main__":
    main()
