"""What Inception holds of pictures: the net behind the published FID and KID, as torch-fidelity
ports it (Szegedy et al. 2016; Heusel et al. 2017), for whoever has its weights.

None come with mien: `mien bench features inception` makes a safetensors file of those that
torch-fidelity publishes.
"""

from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import torch
from torch import Tensor, nn

from mien.errors import AssetMissing, WeightsError
from mien.nn.tensors import named, to_levels
from mien.zoo.records import digest, read_weights

LAYER = "2048"
"""The last map, averaged: what FID and KID are made of."""


class Inception:
    """Pictures to features; `path` is where its weights were read."""

    name = "inception"

    def __init__(self, net: nn.Module, path: Path) -> None:
        self.net, self.path = net.eval().requires_grad_(False), path

    def digest(self) -> str:
        """SHA-256 of the weights' file."""
        return digest(self.path)

    @torch.inference_mode()
    def features(self, pixels: Tensor) -> Tensor:
        """Pictures (B, 3, S, S) in [-1, 1] -> (B, 2048); the net enlarges to 299 px itself, as
        TensorFlow did.
        """
        (seen,) = self.net(to_levels(pixels).to(torch.uint8))
        return seen.float()  # type: ignore[no-any-return]


def load(path: Path) -> Inception:
    """Inception with the weights at `path`, a safetensors file.

    AssetMissing when they are not there, or torch-fidelity is not; WeightsError when they are not
    its own.
    """
    tensors = named(read_weights(path)[0])
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:  # RuntimeError: a torchvision of another torch
        raise AssetMissing(
            f"Inception's features need torch-fidelity: pip install 'mien[inception]' ({error})"
        ) from None
    # its constructor knows no other way than to open a pickle: it is handed what was read instead
    with patch.object(torch, "load", lambda *_, **__: tensors):
        try:
            net = FeatureExtractorInceptionV3(
                "inception-v3-compat", [LAYER], feature_extractor_weights_path=str(path)
            )
        except RuntimeError:
            raise WeightsError(f"{path} does not hold torch-fidelity's Inception") from None
    return Inception(net, path)
