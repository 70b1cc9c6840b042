"""Methods that are networks: what has codes, weights and gradients to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mien
from mien.errors import ConfigError
from mien.methods.learnt import Learnt
from mien.metrics.report import Entrant


def network(name: str, weights: Path | None = None, **chosen: Any) -> Learnt:
    """A method as `mien.load` gives it, ready to edit; ConfigError for one that is no network."""
    method = mien.load(name, weights, **chosen)
    if not isinstance(method, Learnt):
        raise ConfigError(f"{name} is no network: name one of the learnt methods (`mien methods`)")
    return method.eval()


def entered(one: Entrant) -> Learnt:
    """The network that a row of a table names, with its head."""
    return network(one.method, one.weights, **({"head": one.head} if one.head else {}))
