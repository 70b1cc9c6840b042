"""Networks that a user names: what they are shown, what they answer, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from mien import images
from mien.errors import AssetMissing, ConfigError, WeightsError
from mien.faces.align import align
from mien.faces.detect import detect
from mien.judges import named as networks
from mien.judges.named import TEMPLATE, Classifier, Embedding, Sight
from mien.types import Float, UInt8
from mien.zoo.samples import samples

SIDE = 256


def field(number: int, kind: int, value: bytes | int) -> bytes:
    """A field of a protocol buffer: a number, or bytes with their length before them."""
    return (
        varint(number << 3 | kind)
        + (varint(value) if isinstance(value, int) else varint(len(value)) + value)
    )  # fmt: skip


def varint(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def named(name: str, shape: list[int]) -> bytes:
    dims = b"".join(field(1, 2, field(1, 0, d)) for d in shape)
    tensor = field(1, 0, 1) + field(2, 2, dims)
    return field(1, 2, name.encode()) + field(2, 2, field(1, 2, tensor))


def mean_of_channels(size: int) -> bytes:
    """An ONNX file by hand: GlobalAveragePool, then Flatten: three numbers, each channel's mean."""
    pool = field(1, 2, b"x") + field(2, 2, b"p") + field(4, 2, b"GlobalAveragePool")
    flat = field(1, 2, b"p") + field(2, 2, b"y") + field(4, 2, b"Flatten")
    graph = (
        field(1, 2, pool) + field(1, 2, flat) + field(2, 2, b"g")
        + field(11, 2, named("x", [1, 3, size, size])) + field(12, 2, named("y", [1, 3]))
    )  # fmt: skip
    return field(1, 0, 8) + field(7, 2, graph) + field(8, 2, field(1, 2, b"") + field(2, 0, 13))


def made(folder: Path, **facts: Any) -> Path:
    path = folder / "net.onnx"
    path.write_bytes(mean_of_channels(facts.get("size", 32)))
    path.with_suffix(".json").write_text(json.dumps({"size": 32} | facts))
    return path


@pytest.fixture(scope="module")
def face() -> tuple[UInt8, Float]:
    pixels = images.read(samples()["anna"]).pixels
    crop = align(pixels, detect(pixels)[0], SIDE)
    return crop.pixels, crop.landmarks


def test_the_strongest_class_is_named(tmp_path: Path, face: tuple[UInt8, Float]) -> None:
    _, points = face
    red = np.zeros((SIDE, SIDE, 3), np.uint8)
    red[..., 0] = 200
    net = Classifier(made(tmp_path, align="crop", classes=["happy", "sad", None]))
    assert net.emotion(red, points) == "happy"
    net = Classifier(made(tmp_path, align="crop", channels="bgr", classes=["happy", "sad", None]))
    assert net.emotion(red, points) is None  # red comes last
    np.testing.assert_allclose(net.answer(red, points), [-1, -1, 200 / 127.5 - 1], atol=1e-5)
    net = Classifier(made(tmp_path, align="crop", mean=[200, 0, -1], std=2, classes=["anger"]))
    np.testing.assert_allclose(net.answer(red, points), [0, 0, 0.5], atol=1e-5)
    with pytest.raises(WeightsError, match="answers with 3 numbers, but 1 classes"):
        net.emotion(red, points)


def test_faces_are_brought_to_the_template(tmp_path: Path, face: tuple[UInt8, Float]) -> None:
    pixels, points = face
    net = Embedding(made(tmp_path, size=112))
    seen = net._seen(pixels, points)
    assert seen.shape == (112, 112, 3)
    for some, place in zip(networks._POINTS, TEMPLATE, strict=True):
        dot = np.zeros((SIDE, SIDE, 3), np.uint8)
        x, y = (int(v) for v in points[some].mean(0).round())
        cv2.circle(dot, (x, y), SIDE // 64, (255, 255, 255), -1)
        level = net._seen(dot, points)[..., 0].astype(float)
        middle = [(level.sum(k) @ np.arange(112)) / level.sum() for k in (0, 1)]
        assert np.abs(middle - place).max() < 6  # five points, one similarity
    board = (np.indices((SIDE, SIDE)).sum(0) % 2 * 255).astype(np.uint8)
    assert net._seen(np.repeat(board[..., None], 3, 2), points).std() < 25  # shrunk, not sampled
    one, other = net.answer(pixels, points), net.answer(pixels // 2, points)
    assert net.similarity(one, one) == pytest.approx(1)
    assert net.similarity(one, other) < 0.999


@pytest.mark.parametrize(
    ("facts", "match"),
    [
        ({"size": 4}, "size"), ({"colour": 1}, "unknown colour"), ({"classes": ["glad"]}, "glad"),
        ({"align": "eyes"}, "align is arcface or crop"), ({"mean": [1, 2]}, "is not as"),
        ({"std": 0}, "size or std"), ({"classes": 3}, "is not as"), ({"size": "x"}, "is not as"),
        ({"classes": [1, "foo"]}, "1, foo"), ({"classes": [["happy"]]}, "unknown"),
        ({"size": float("inf")}, "is not as"),
    ],
)  # fmt: skip
def test_what_a_network_cannot_see_by_is_refused(
    tmp_path: Path, facts: dict[str, Any], match: str
) -> None:
    path = made(tmp_path)
    path.with_suffix(".json").write_text(json.dumps({"size": 32} | facts))
    with pytest.raises(ConfigError, match=match):
        Sight.read(path.with_suffix(".json"))


def test_files_that_are_none_are_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(AssetMissing, match="no network at"):
        Embedding(tmp_path / "none.onnx")
    path = made(tmp_path)
    with pytest.raises(ConfigError, match="names no classes"):
        Classifier(path)
    path.write_bytes(b"no network")
    with pytest.raises(WeightsError, match="cannot read"):
        Embedding(path)
    path.with_suffix(".json").unlink()
    with pytest.raises(AssetMissing, match="how the network sees"):
        Embedding(path)
