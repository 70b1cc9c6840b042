"""Networks as ONNX: each part of each name against torch, and torch against numpy's runtime."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs mien[train]")

from mien import images  # noqa: E402
from mien.errors import ConfigError  # noqa: E402
from mien.export import NAMES, parts, parts_of, write  # noqa: E402
from mien.faces import blazeface, landmark_maps, landmarks  # noqa: E402
from mien.faces.align import align  # noqa: E402
from mien.faces.detect import detect  # noqa: E402
from mien.methods import reader, registry  # noqa: E402
from mien.zoo.records import records  # noqa: E402
from mien.zoo.samples import samples  # noqa: E402

LEARNT = tuple(name for name, row in registry.METHODS.items() if row.task)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """The methods with few weights, drawn at random, so that a graph takes seconds."""

    def built(name: str, **chosen: Any) -> Any:
        row = registry.entry(name)
        config = registry.resolve(row.config)().small()
        torch.manual_seed(3)
        fields = {**config.architecture.__dict__, "head": "compose", **chosen}
        if "passes" in fields:
            fields["passes"] = 2  # each is a generator more to trace
        method = registry.resolve(row.method)(registry.resolve(row.architecture)(**fields))
        return parts.settled(method.ready("cpu"))

    monkeypatch.setattr(parts, "_loaded", built)


def test_the_detector_is_numpys() -> None:
    (part,) = parts_of("detector")
    pixels = images.read(samples()["anna"]).pixels[:384:3, :384:3]
    assert pixels.shape == (128, 128, 3)
    seen = (pixels.transpose(2, 0, 1)[None].astype(np.float32)) / 127.5 - 1
    ours, theirs = part.run({"pixels": seen}), blazeface.look(np.ascontiguousarray(pixels))
    np.testing.assert_allclose(ours["logits"][0], theirs.logits, atol=2e-3)
    np.testing.assert_allclose(ours["boxes"][0], theirs.boxes, atol=2e-3)
    np.testing.assert_allclose(ours["points"][0], theirs.keypoints, atol=2e-3)


def test_the_landmarks_are_numpys() -> None:
    (part,) = parts_of("landmarks")
    pixels = images.read(samples()["ben"]).pixels
    crop = align(pixels, detect(pixels)[0], landmarks.SIZE).pixels
    seen = crop.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
    (theirs,) = landmark_maps.places(crop[None], landmarks._shipped())
    np.testing.assert_allclose(part.run({"pixels": seen})["places"][0], theirs, atol=1e-5)


def test_the_reader_is_numpys() -> None:
    (part,) = parts_of("morphable")
    pixels = images.read(samples()["cora"]).pixels
    crop = align(pixels, detect(pixels)[0], reader.SIZE).pixels
    seen = crop.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1
    np.testing.assert_allclose(part.run({"pixels": seen})["units"][0], reader.read(crop), atol=1e-4)


def test_every_head_is_a_part() -> None:
    names = {name: {part.name for part in parts_of(name)} for name in LEARNT}
    for name, found in names.items():
        assert {"encoder", "units", "from_units", "from_labels"} <= found, name
        assert any("composer" in part for part in found), name
    assert {"composer_compose", "composer_picture"} <= names["decoupling"]


def test_an_unknown_name_is_told() -> None:
    with pytest.raises(ConfigError, match="nothing is called 'gan'"):
        parts_of("gan")


@pytest.mark.parametrize("name", [n for n in NAMES if n != "morphable"])
def test_onnx_runtime_answers_as_torch(name: str, small: None, tmp_path: Path) -> None:
    """Any batch; what composes, to a level. The reader is `aipgan`'s encoder and units."""
    onnx = pytest.importorskip("onnx", reason="needs mien[export]")
    pytest.importorskip("onnxscript", reason="needs mien[export]")
    pytest.importorskip("onnxruntime", reason="needs mien[export]")
    done = write.export(name, tmp_path / "out")
    said = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for one in done:
        assert one.difference is not None
        assert one.difference < write.CLOSE
        assert (one.levels is None) == ("flow" not in one.part.outputs)
        assert one.levels is None or one.levels <= 1
        assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256
        record = records()[one.part.weights]
        assert one.sha256 in said
        assert record.sha256 in said
        assert record.licence in said
        graph = onnx.load(one.path)
        assert {v.domain: v.version for v in graph.opset_import}[""] >= 17
        told = {entry.key: entry.value for entry in graph.metadata_props}
        assert told["source_sha256"] == record.sha256
        assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param, "a fixed batch"


def test_what_onnx_runtime_gets_wrong_is_not_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("onnx", "onnxscript", "onnxruntime"):
        pytest.importorskip(module, reason="needs mien[export]")
    from mien.errors import WeightsError

    (part,) = parts_of("landmarks")
    monkeypatch.setattr(write, "compared", lambda part, path: (0.5, None))
    with pytest.raises(WeightsError, match=r"landmarks: ONNX Runtime is 0\.5 off torch"):
        write._written(part, tmp_path / "landmarks.onnx")
    assert not list(tmp_path.iterdir())


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"pip install 'mien\[export\]'"):
        write.export("landmarks", tmp_path / "out")
    assert not (tmp_path / "out").exists()
