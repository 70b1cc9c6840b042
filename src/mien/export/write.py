"""ONNX files of a name's parts, checked against torch where ONNX Runtime is installed, and their
model card."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Any

import numpy as np
import torch

from mien.errors import ConfigError, DataError, WeightsError
from mien.export.parts import Arrays, Function, Part, parts_of
from mien.files import replacing, write_text
from mien.nn.compose import compose
from mien.nn.tensors import to_uint8
from mien.types import Composition
from mien.zoo.records import digest, records

OPSET = 18
"""Version of ONNX's operators that is written."""
TRACED, CHECKED = 2, (1, 3)
"""Batch that is traced (1 would become a constant), and batches that are checked."""
CLOSE = 1e-3
"""Largest difference from torch, relative to an output's own largest number (or 1)."""


@dataclass(frozen=True)
class Exported:
    """One file: the part, where it lies, its SHA-256, and how far at most ONNX Runtime's outputs
    are from torch's, None where that was not looked at. `levels`: the same of the composed result,
    uint8 levels, for parts that compose."""

    part: Part
    path: Path
    sha256: str
    difference: float | None
    levels: int | None


def export(name: str, folder: Path) -> list[Exported]:
    """Write a name's parts (`parts_of`) and `README.md`, their model card, into a folder.

    ConfigError: no such name, or ONNX is not installed; WeightsError: ONNX Runtime answers other
    numbers than torch; DataError: the folder cannot be written.
    """
    if any(util.find_spec(need) is None for need in ("onnx", "onnxscript")):
        raise ConfigError("ONNX files need onnx and onnxscript: pip install 'mien[export]'")
    parts = parts_of(name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        done = [_written(part, folder / f"{part.name}.onnx") for part in parts]
        write_text(folder / "README.md", card(name, done))
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror or error}") from None
    return done


def _written(part: Part, path: Path) -> Exported:
    program = _traced(part)
    record = records()[part.weights]
    properties = {
        "source": part.weights, "source_sha256": record.sha256, "licence": record.licence,
        "mien": metadata.version("mien"),
    }  # fmt: skip
    program.model.metadata_props.update(properties)
    program.model.doc_string = f"{part.name} of mien's {part.weights}"
    with replacing(path) as made:
        program.save(made)
    difference = levels = None
    if util.find_spec("onnxruntime") is not None:
        difference, levels = compared(part, path)
        if difference > CLOSE:
            path.unlink()
            raise WeightsError(f"{part.name}: ONNX Runtime is {difference:.2g} off torch")
    return Exported(part, path, digest(path), difference, levels)


def _traced(part: Part) -> Any:
    given = tuple(torch.from_numpy(part.sample(TRACED)[name]) for name in part.inputs)
    batch = torch.export.Dim("batch")
    shapes = (tuple({0: batch} for _ in given),)  # the inputs come as one variadic argument
    variadic = isinstance(part.module, Function)
    quiet = logging.getLogger("torch.onnx")
    before, quiet.level = quiet.level, logging.ERROR
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.onnx.export(
                part.module.eval(), given, dynamo=True, opset_version=OPSET, verbose=False,
                input_names=list(part.inputs), output_names=list(part.outputs),
                dynamic_shapes=shapes if variadic else shapes[0],
            )  # fmt: skip
    finally:
        quiet.level = before


def runner(path: Path, threads: int = 1) -> Any:
    """A session of ONNX Runtime on the CPU."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def compared(part: Part, path: Path) -> tuple[float, int | None]:
    """How far at most ONNX Runtime is from torch, relative to each output's largest number (or 1);
    and for what composes, levels of the uint8 result."""
    session, worst, levels = runner(path), 0.0, None
    for count in CHECKED:
        given = part.sample(count)
        ours = part.run(given)
        theirs = dict(zip(part.outputs, session.run(list(part.outputs), given), strict=True))
        for name, value in ours.items():
            if theirs[name].shape != value.shape:
                raise WeightsError(f"{part.name}: {name} has shape {theirs[name].shape}")
            off = float(np.abs(value - theirs[name]).max())
            worst = max(worst, off / max(1.0, float(np.abs(value).max())))
        if "flow" in ours:
            both = [_result(given, fields).astype(int) for fields in (ours, theirs)]
            levels = max(levels or 0, int(np.abs(both[0] - both[1]).max()))
    return worst, levels


def _result(given: Arrays, fields: Arrays) -> Any:
    """The picture that fields make of the pixels."""
    flow, mask, paint = (torch.from_numpy(fields[name]) for name in ("flow", "mask", "paint"))
    return to_uint8(compose(torch.from_numpy(given["pixels"]), Composition(flow, mask, paint)))


def card(name: str, done: list[Exported]) -> str:
    """The model card: files, inputs and outputs, checks, and what the weights' records say."""
    used = sorted({one.part.weights for one in done})
    facts = {key: records()[key] for key in used}
    licences = sorted({record.licence for record in facts.values()})
    lines = [
        "---", f"license: {json.dumps(' AND '.join(licences))}", "library_name: onnx", "---", "",
        f"# {name}, by mien {metadata.version('mien')}", "",
        f"ONNX, opset {OPSET}, float32; the first axis, B, is the batch, of any size.", "",
        "| file | inputs | outputs | off torch, relative | result, levels | SHA-256 |",
        "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for one in done:
        seen, said = (_named(v) for v in (one.part.inputs, one.part.outputs))
        off = "not checked" if one.difference is None else f"{one.difference:.1e}"
        levels = "" if one.levels is None else str(one.levels)
        lines.append(f"| `{one.path.name}` | {seen} | {said} | {off} | {levels} | `{one.sha256}` |")
    if any("flow" in one.part.outputs for one in done):
        lines += ["", "The result is `mask * warp(pixels, flow) + (1 - mask) * paint`, the warp "
                  "bilinear with the border repeated."]  # fmt: skip
    for key, record in facts.items():
        lines += ["", f"## Weights: {key}", "", f"- licence: {record.licence}",
                  f"- SHA-256 of `{record.path.name}`: `{record.sha256}`"]  # fmt: skip
        lines += _facts(record.facts)
    return "\n".join(lines) + "\n"


def _named(arrays: Mapping[str, str]) -> str:
    return "; ".join(f"`{name}` {shape}" for name, shape in arrays.items())


def _facts(facts: Mapping[str, Any]) -> list[str]:
    """What a record says of training sets and uses."""
    lines = [f"- {key.replace('_', ' ')}: {facts[key]}" for key in ("what", "use") if key in facts]
    for one in facts.get("training_sets", ()):
        lines.append(f"- trained on {one['name']} ({one['licence']}): {one['source']}")
    return lines
