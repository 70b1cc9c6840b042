"""Methods that are networks: what has codes, weights and gradients to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mien
from mien.errors import ConfigError
from mien.methods.learnt import Learnt


def network(name: str, weights: Path | None = None, **chosen: Any) -> Learnt:
    """A method as `mien.load` gives it, ready to edit; ConfigError for one that is no network."""
    method = mien.load(name, weights, **chosen)
    if not isinstance(method, Learnt):
        raise ConfigError(f"{name} is no network: name one of the learnt methods (`mien methods`)")
    return method.eval()
