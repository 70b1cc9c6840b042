"""BlazeFace's weights, once from Google's file to the safetensors file that ships, and the check.

    python tools/convert_blazeface.py face_landmarker.task --out src/mien/zoo/weights

writes `blazeface.safetensors` and, in `blazeface.json`, its hash and what the check found. The
bundle is https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/
face_landmarker.task; of it only `face_detector.tflite` is read. Nothing is rounded: the file holds
float16, and so does ours. The check runs the same pictures through Google's LiteRT and through
`mien.faces.blazeface`; it also writes the answers that `tests/faces/test_blazeface.py` compares.

Needs, beside mien: `pip install tflite ai-edge-litert`. Neither is needed for anything else.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter
from safetensors.numpy import save_file

from mien import images
from mien.faces import blazeface
from mien.files import replacing
from mien.zoo.records import digest, records
from mien.zoo.samples import samples

MEMBER = "face_detector.tflite"
SOURCE_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
SIZE = 128
HEADS = ("fine.scores", "coarse.scores", "fine.places", "coarse.places")
"""The last four convolutions, in the file's order."""


def tensors(file: bytes) -> dict[str, np.ndarray]:
    """All weights, float16, by the names that mien reads; convolutions (out, in, height, width)."""
    model = tflite.Model.GetRootAsModel(file, 0)
    graph = model.Subgraphs(0)
    names = list(layers())
    stored, out = {}, {}
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if kind == tflite.BuiltinOperator.DEQUANTIZE:
            tensor = graph.Tensors(operator.Inputs(0))
            raw = model.Buffers(tensor.Buffer()).DataAsNumpy().tobytes()
            stored[operator.Outputs(0)] = np.frombuffer(raw, np.float16).reshape(
                tensor.ShapeAsNumpy()
            )
        elif kind in (tflite.BuiltinOperator.CONV_2D, tflite.BuiltinOperator.DEPTHWISE_CONV_2D):
            name, weight = names.pop(0), stored[operator.Inputs(1)]
            order = (0, 3, 1, 2) if kind == tflite.BuiltinOperator.CONV_2D else (3, 0, 1, 2)
            out[f"{name}.weight"] = np.ascontiguousarray(weight.transpose(order))
            out[f"{name}.bias"] = stored[operator.Inputs(2)]
    assert not names, f"this file has no {names}"
    return out


def layers() -> Iterator[str]:
    """The names of the 37 convolutions, in the file's order."""
    yield "stem"
    for index in range(16):
        yield f"blocks.{index}.depthwise"
        yield f"blocks.{index}.pointwise"
    yield from HEADS


def pictures() -> dict[str, np.ndarray]:
    """What the check looks at, uint8 (128, 128, 3): the samples, and a pattern."""
    y, x = np.mgrid[:SIZE, :SIZE]
    pattern = np.stack([(x * x + 3 * y) % 256, (x * y) % 256, (5 * x + y * y) % 256], 2)
    found = {"pattern": pattern.astype(np.uint8)}
    for name, path in samples().items():
        pixels = images.read(path).pixels
        small = cv2.resize(pixels, (SIZE, SIZE), interpolation=cv2.INTER_AREA)
        found[name] = np.asarray(small, np.uint8)
    return found


def answers(interpreter: Interpreter, picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """LiteRT's own logits (896,) and places (896, 16) for a picture."""
    entry = interpreter.get_input_details()[0]["index"]
    interpreter.set_tensor(entry, (picture.astype(np.float32) / np.float32(127.5) - 1)[None])
    interpreter.invoke()
    found = {d["name"]: interpreter.get_tensor(d["index"])[0] for d in _outputs(interpreter)}
    return found["classificators"][:, 0], found["regressors"]


def _outputs(interpreter: Interpreter) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = interpreter.get_output_details()
    return found


def placed(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (896, 4) and keypoints (896, 6, 2) px of MediaPipe's regressors: anchors of size 1 in
    the middle of 16x16 cells, two each, then of 8x8 cells, six each.
    """
    middles = np.concatenate(
        [np.repeat(_grid(side), count, axis=0) for side, count in ((16, 2), (8, 6))]
    )
    points = places.reshape(-1, 8, 2)
    centre, size = points[:, 0] + middles, points[:, 1]
    boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1)
    return boxes, points[:, 2:] + middles[:, None]


def _grid(side: int) -> np.ndarray:
    y, x = np.mgrid[:side, :side]
    return (np.stack([x.ravel(), y.ravel()], 1) + 0.5) * (SIZE / side)


def check(file: bytes) -> tuple[dict[str, float], dict[str, dict[str, Any]]]:
    """The largest differences from LiteRT, and its answers at every 29th anchor and the best."""
    interpreter = Interpreter(model_content=file)
    interpreter.allocate_tensors()
    worst = {"logits": 0.0, "px": 0.0}
    kept = {}
    for name, picture in pictures().items():
        logits, places = answers(interpreter, picture)
        boxes, keypoints = placed(places)
        own = blazeface.look(picture)
        errors = [np.abs(own.boxes - boxes).max(), np.abs(own.keypoints - keypoints).max()]
        worst["logits"] = max(worst["logits"], float(np.abs(own.logits - logits).max()))
        worst["px"] = max(worst["px"], float(max(errors)))
        some = sorted({*range(0, len(logits), 29), int(logits.argmax())})
        kept[name] = {
            "anchors": some,
            "logits": np.round(logits[some].astype(float), 4).tolist(),
            "boxes": np.round(boxes[some].astype(float), 3).tolist(),
            "noses": np.round(keypoints[some, 2].astype(float), 3).tolist(),
        }
    return {name: float(f"{value:.1e}") for name, value in worst.items()}, kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", type=Path, help="face_landmarker.task")
    parser.add_argument("--out", type=Path, default=Path("src/mien/zoo/weights"))
    parser.add_argument("--answers", type=Path, default=Path("tests/faces/blazeface.json"))
    ask = parser.parse_args()
    if digest(ask.bundle) != SOURCE_SHA256:
        parser.error(f"{ask.bundle} is not the bundle that this reads (SHA-256 {SOURCE_SHA256})")
    with zipfile.ZipFile(ask.bundle) as bundle:
        file = bundle.read(MEMBER)
    weights, record = ask.out / "blazeface.safetensors", ask.out / "blazeface.json"
    with replacing(weights) as part:
        save_file(tensors(file), part)
    facts = json.loads(record.read_text())
    facts |= {"sha256": digest(weights), "source_sha256": hashlib.sha256(file).hexdigest()}
    record.write_text(json.dumps(facts, indent=2) + "\n")
    records.cache_clear()
    worst, kept = check(file)
    facts["check"]["largest_differences"] = worst
    record.write_text(json.dumps(facts, indent=2) + "\n")
    ask.answers.write_text(json.dumps(kept) + "\n")
    print(json.dumps(worst))


if __name__ == "__main__":
    main()
