"""The one writer of weights: half-precision safetensors, and beside it the record of how they were
made.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mien.data.adapters import KNOWN
from mien.data.terms import ANY, UNSAID
from mien.files import replacing
from mien.training.checkpoint import save_tensors
from mien.zoo.records import digest

LICENCE = "Apache-2.0"
FACE_MODEL = {
    "name": "ICT Face Model Light (animates the photographs)",
    "licence": "MIT",
    "source": "https://github.com/ICT-VGL/ICT-FaceKit",
    "weights": ANY,
}


def write_weights(path: Path, net: nn.Module, metadata: Mapping[str, str]) -> None:
    """A network's tensors in half precision, what is whole numbers as it is."""
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    save_tensors(path, {k: torch.as_tensor(v).cpu() for k, v in tensors.items()}, metadata)


def write_record(weights: Path, net: nn.Module, facts: Mapping[str, Any]) -> Path:
    """The record beside a weights file: its hash, its licence, and `facts`."""
    record = {
        "name": weights.stem,
        "parameters": sum(p.numel() for p in net.parameters()),
        "precision": "float16",
        "licence": LICENCE,
        "sha256": digest(weights),
        **facts,
    }
    path = weights.with_suffix(".json")
    with replacing(path) as part:
        part.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return path


def training_sets(people: Iterable[str]) -> list[dict[str, str]]:
    """The data sets that people (`london/005`) are from, with their licences and what they let
    weights be used for, and the face model that animates their photographs.
    """
    used = sorted({person.partition("/")[0] for person in people})
    known = [KNOWN[name] for name in used if name in KNOWN]
    rows = [
        {"name": d.title, "licence": d.licence, "source": d.source, "weights": d.weights}
        for d in known
    ]
    strangers = [
        {"name": name, "licence": "unknown", "weights": UNSAID}
        for name in used
        if name not in KNOWN
    ]
    return [*rows, *strangers, FACE_MODEL]


def machine() -> str:
    """What a run was made on, in words."""
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    return (
        f"{device}, {platform.machine()}, {torch.get_num_threads()} threads, "
        f"torch {torch.__version__}"
    )
