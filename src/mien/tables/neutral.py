"""Learn how a smiling face looks at rest: `python -m mien.tables.neutral [--out FILE]`.

From pairs of photographs of the training people of the London Set: hand-checked points of the one
at rest, mien's own landmarks of the smiling one. `mien.face_model.neutral` reads the table.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mien.data.rigging import neutral_and_smile
from mien.errors import DataError
from mien.face_model.neutral import TABLE, learn
from mien.zoo import data_home


def main() -> None:
    """Learn the table and write it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--london", type=Path, default=data_home() / "london")
    parser.add_argument("--out", type=Path, default=TABLE)
    options = parser.parse_args()
    found = [
        (neutral.landmarks.astype(np.float64), smile.landmarks.astype(np.float64))
        for _, neutral, smile in neutral_and_smile(options.london)
    ]
    if len(found) < 20:
        raise DataError(f"{len(found)} pairs in {options.london}: 20 or more are needed")
    learn(found).save(options.out)
    print(f"{options.out}: learnt from {len(found)} people")


if __name__ == "__main__":
    main()
