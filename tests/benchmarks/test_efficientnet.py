"""Batch norms are folded into the convolutions before them, and nothing else is changed."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

from mien.judges.perceptual import Lite0


def stored() -> dict[str, torch.Tensor]:
    """What the wheel's file holds of the first blocks, at random, by its own names."""
    torch.manual_seed(0)
    state: dict[str, torch.Tensor] = {}

    def put(name: str, norm: str, layer: torch.Tensor | nn.Module) -> None:
        assert isinstance(layer, nn.Conv2d)
        weight = layer.weight
        state[f"{name}.weight"] = torch.randn_like(weight) / weight[0].numel() ** 0.5
        count = len(weight)
        state[f"{norm}.weight"], state[f"{norm}.bias"] = torch.rand(count) + 0.5, torch.rand(count)
        state[f"{norm}.running_mean"] = torch.randn(count) * 0.1
        state[f"{norm}.running_var"] = torch.rand(count) + 0.5

    net = Lite0()
    put("_conv_stem", "_bn0", net.stem)
    for number, block in enumerate(net.blocks):
        at = f"_blocks.{number}"
        if isinstance(block.expand, nn.Conv2d):
            put(f"{at}._expand_conv", f"{at}._bn0", block.expand)
        put(f"{at}._depthwise_conv", f"{at}._bn1", block.depthwise)
        put(f"{at}._project_conv", f"{at}._bn2", block.project)
    return state


def test_the_first_block_is_what_it_was() -> None:
    from efficientnet import EPSILON, folded

    state = stored()
    net = Lite0().eval()
    net.load_state_dict(folded(state))

    def normal(x: torch.Tensor, norm: str) -> torch.Tensor:
        mean, var, weight, bias = (
            state[f"{norm}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")
        )
        return F.batch_norm(x, mean, var, weight, bias, eps=EPSILON)

    picture = torch.rand(1, 3, 64, 64) * 2 - 1
    x = F.conv2d(F.pad(picture, (0, 1, 0, 1)), state["_conv_stem.weight"], stride=2)
    x = F.relu6(normal(x, "_bn0"))
    x = F.conv2d(x, state["_blocks.0._depthwise_conv.weight"], padding=1, groups=32)
    x = F.relu6(normal(x, "_blocks.0._bn1"))
    x = normal(F.conv2d(x, state["_blocks.0._project_conv.weight"]), "_blocks.0._bn2")
    with torch.no_grad():
        found = net(picture)[0]
    assert found.shape == x.shape
    assert torch.allclose(found, x, atol=1e-5)
