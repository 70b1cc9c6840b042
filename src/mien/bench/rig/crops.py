"""The crops that `mien bench rig` measures on.

Faces as dlib's detector and 68 points see them (these only measure, no product label comes from
them): per group a folder of 320 px crops and a `<group>.json` of their points.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien.errors import ConfigError
from mien.files import write_text

SIZE = 320
GROUPS = {
    "london_neutral": "london/neutral_front",
    "london_smiling": "london/smiling_front",
    "congress": "congress",
}


def models() -> Path:
    """Folder of dlib's models. The package's own module imports what Python no longer has."""
    spec = importlib.util.find_spec("face_recognition_models")
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError("this benchmark needs `pip install face_recognition_models`")
    return Path(spec.submodule_search_locations[0]) / "models"


def crop(path: Path, detect: Any, predict: Any) -> tuple[np.ndarray, np.ndarray] | None:
    """Upright square crop (BGR) of the largest face, and its points in crop px."""
    image = cv2.imread(str(path))
    if image is None:
        raise ConfigError(f"{path} is no picture")
    if (scale := 900 / max(image.shape[:2])) < 1:
        image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    rgb = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    found = detect(rgb, 0) or detect(rgb, 1)
    if not found:
        return None
    largest = max(found, key=lambda box: box.width())
    points = np.array([(p.x, p.y) for p in predict(rgb, largest).parts()], np.float32)
    right, left, mouth = points[36:42].mean(0), points[42:48].mean(0), points[48:68].mean(0)
    eyes, across = (right + left) / 2, left - right
    angle = np.arctan2(across[1], across[0])
    scale = SIZE / max(3.6 * np.linalg.norm(across), 3.3 * np.linalg.norm(mouth - eyes))
    c, s = np.cos(-angle) * scale, np.sin(-angle) * scale
    m = np.array([[c, -s, 0], [s, c, 0]])
    m[:, 2] = SIZE / 2 - m[:, :2] @ (eyes + (mouth - eyes) * 0.45)
    mode = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    out = cv2.warpAffine(image, m, (SIZE, SIZE), flags=mode, borderMode=cv2.BORDER_REFLECT)
    return out, points @ m[:, :2].T + m[:, 2]


def make(crops: Path, data: Path) -> None:
    """Write every group's crops and points; what is there already is kept."""
    import dlib

    detect = dlib.get_frontal_face_detector()
    predict = dlib.shape_predictor(str(models() / "shape_predictor_68_face_landmarks.dat"))
    for group, folder in GROUPS.items():
        if (crops / f"{group}.json").is_file():
            continue
        (crops / group).mkdir(parents=True, exist_ok=True)
        points = {}
        for path in sorted((data / folder).glob("*.jpg")):
            if (got := crop(path, detect, predict)) is None:
                continue
            out = crops / group / f"{path.stem}.jpg"
            cv2.imwrite(str(out), got[0], [cv2.IMWRITE_JPEG_QUALITY, 92])
            points[path.stem] = got[1].round(2).tolist()
        write_text(crops / f"{group}.json", json.dumps(points))
        print(group, len(points), flush=True)
