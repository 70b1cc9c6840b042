"""What is exported of each name: networks with named inputs and outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien import facs
from mien.errors import ConfigError
from mien.export.detectors import DETECTED, Detector, Landmarks
from mien.faces import landmarks
from mien.judges import judge
from mien.judges.networks import SIZE as JUDGED
from mien.methods import reader, registry
from mien.methods.learnt import Learnt
from mien.nn.reader import UnitReader
from mien.nn.tensors import named
from mien.types import Expression, Faces, Identity
from mien.zoo.records import read_weights, records

JUDGES = tuple(f"judge_{name}" for name in judge.NAMES)
NAMES = (*registry.METHODS, "detector", "landmarks", *JUDGES)
"""What can be exported. `morphable` is no network but for the reader, which all methods share."""

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Part:
    """One network: `module` takes the `inputs`, all of them with the batch first, and gives the
    `outputs`, by name with their shapes in words. `weights`: the record that it is of."""

    name: str
    module: nn.Module
    inputs: dict[str, str]
    outputs: dict[str, str]
    sample: Callable[[int], Arrays]
    weights: str

    def run(self, arrays: Arrays) -> Arrays:
        """The outputs for these inputs, by torch."""
        with torch.inference_mode():
            given = [torch.from_numpy(np.ascontiguousarray(arrays[name])) for name in self.inputs]
            answer = self.module(*given)
        out = answer if isinstance(answer, tuple) else (answer,)
        return {name: v.numpy() for name, v in zip(self.outputs, out, strict=True)}


class Function(nn.Module):
    """A module's own call under another name: what is traced is one function of tensors."""

    def __init__(self, owner: nn.Module, call: Callable[..., Any]) -> None:
        super().__init__()
        self.owner, self._call = owner, call

    def forward(self, *given: Tensor) -> Any:
        return self._call(*given)


def parts_of(name: str) -> list[Part]:
    """The parts of a method, the detector, the landmarks or a judge; ConfigError for other
    names."""
    if name not in NAMES:
        raise ConfigError(f"nothing is called {name!r}: choose from {', '.join(NAMES)}")
    if name == "detector":
        said = {"logits": "(B, 896)", "boxes": "(B, 896, 4) px", "points": "(B, 896, 6, 2) px"}
        seen = {"pixels": f"(B, 3, {DETECTED}, {DETECTED}) in [-1, 1]"}
        return [Part(name, Detector().eval(), seen, said, _pixels(DETECTED), "blazeface")]
    if name == "landmarks":
        said = {"places": "(B, 68, 2) in crop units, 0 to 1"}
        size = landmarks.SIZE
        return [Part(name, Landmarks().eval(), _face(size), said, _pixels(size), name)]
    if name in JUDGES:
        return [_judge(name)]
    if name == "morphable":
        return [_reader()]
    return _method(name)


def _judge(name: str) -> Part:
    said = {
        "units": f"(B, {len(facs.UNITS)}) logits", "emotions": f"(B, {len(facs.EMOTIONS)}) logits",
        "landmarks": "(B, 68, 2) in crop units",
    }  # fmt: skip
    net = judge.load(name.removeprefix("judge_")).net
    module = Function(net, lambda crops: tuple(net(crops)))
    return Part(name, module, _face(JUDGED), said, _pixels(JUDGED), name)


def _reader() -> Part:
    record = records()[reader.NAME]
    record.verify()
    net = UnitReader().eval()
    net.load_state_dict({k: v.float() for k, v in named(read_weights(record.path)[0]).items()})
    module = Function(net, lambda pixels: net(pixels).clamp(0, 1))
    said = {"units": f"(B, {len(facs.UNITS)}) in [0, 1]"}
    return Part("reader", module, _face(net.size), said, _pixels(net.size), reader.NAME)


def _loaded(name: str, **chosen: Any) -> Learnt:
    method = registry.load(name, **chosen)
    assert isinstance(method, Learnt), name
    return settled(method)


def settled(method: Learnt) -> Learnt:
    """The method with what its weights decide of the way through it as a plain number: how far a
    GAN has grown says which layers a graph has."""
    for module in method.modules():
        grown = dict(module.named_buffers(recurse=False)).get("grown")
        if grown is not None:
            del module.grown
            module.grown = float(grown)  # type: ignore[assignment]
    return method


def _method(name: str) -> list[Part]:
    """Encoder, maps from and to units and labels, and for each head identity and composition."""
    method = _loaded(name)
    unit, label = len(facs.UNITS), len(facs.EMOTIONS)
    code = (
        f"(B, {method.encode(_faces(torch.zeros(1, 3, method.size, method.size))).code.shape[1]})"
    )
    seen, units = _face(method.size), {"units": f"(B, {unit}) in [0, 1]"}
    pixels = _pixels(method.size)

    def part(of: str, call: Callable[..., Any], inputs: dict[str, str], outputs: dict[str, str],
             sample: Callable[[int], Arrays]) -> Part:  # fmt: skip
        return Part(of, Function(method, call), inputs, outputs, sample, name)

    def asked(count: int) -> Arrays:
        weak = np.random.default_rng(count).uniform(0, 0.6, (count, unit))
        return {"units": weak.astype(np.float32)}

    return [
        part("encoder", lambda p: method.encode(_faces(p)).code, seen, {"code": code}, pixels),
        part("units", lambda c: method.units(Expression(c)), {"code": code}, units,
             lambda n: {"code": _codes(method, n)}),
        part("from_units", lambda u: method.from_units(u).code, units, {"code": code}, asked),
        part("from_labels", lambda i: method.from_labels(i).code,
             {"index": f"(B,) int64, 0 to {label - 1}"}, {"code": code},
             lambda n: {"index": np.arange(n, dtype=np.int64) % label}),
        *_heads(name, code),
    ]  # fmt: skip


def _heads(name: str, code: str) -> list[Part]:
    out = []
    for head in _heads_of(name):
        method = _loaded(name, **({"head": head} if head else {}))
        out.append(_head(method, f"composer_{head}" if head else "composer", code, name))
    return out


def _heads_of(name: str) -> Sequence[str]:
    """The heads that may be chosen at inference; one without a name where there is one."""
    return ("compose", "picture") if "head" in registry.kind(name).at_inference else ("",)


def _head(method: Learnt, name: str, code: str, weights: str) -> Part:
    size = method.size
    fields = {"flow": f"(B, 2, {size}, {size}) in crop units",
              "mask": f"(B, 1, {size}, {size}) in [0, 1]",
              "paint": f"(B, 3, {size}, {size}) in [-1, 1]"}  # fmt: skip

    def composed(pixels: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        identity: Identity[Tensor] = method.identity(_faces(pixels))
        edit = method.compose(identity, Expression(wanted))
        return edit.flow, edit.mask, edit.paint

    def sample(count: int) -> Arrays:
        return {"pixels": _pixels(size)(count)["pixels"], "code": _codes(method, count)}

    inputs = _face(size) | {"code": code}
    return Part(name, Function(method, composed), inputs, fields, sample, weights)


def _codes(method: Learnt, count: int) -> NDArray[np.float32]:
    """Codes of labels, other ones for each of a batch."""
    with torch.inference_mode():
        index = (torch.arange(count) + 1) % len(facs.EMOTIONS)
        return method.from_labels(index).code.numpy()


def _faces(pixels: Tensor) -> Faces[Tensor]:
    return Faces(pixels, pixels.new_zeros(pixels.shape[0], 68, 2))


def _face(size: int) -> dict[str, str]:
    return {"pixels": f"(B, 3, {size}, {size}) in [-1, 1], an aligned crop"}


def _pixels(size: int) -> Callable[[int], Arrays]:
    """Aligned crops of the bundled samples, each batch the same."""

    def drawn(count: int) -> Arrays:
        from mien import images
        from mien.faces.align import align
        from mien.faces.detect import detect
        from mien.zoo.samples import samples

        crops = []
        for path in list(samples().values())[: min(count, 3)]:
            pixels = images.read(path).pixels
            crops.append(align(pixels, detect(pixels)[0], size))
        faces = Faces.stack([crops[i % len(crops)] for i in range(count)])
        return {"pixels": faces.pixels}

    return drawn
