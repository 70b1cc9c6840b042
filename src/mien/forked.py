"""Processes made by fork: the threads of the libraries below do not come along, so that a child of
a process that has worked already would wait for them for ever. It is warned instead."""

from __future__ import annotations

import os

from mien.errors import ConfigError

_state = {"worked": False, "broken": False}


def working() -> None:
    """Note that this process works. ConfigError if it was forked from one that did."""
    if _state["broken"]:
        raise ConfigError(
            "this process was forked from one that had edited already, where it would hang: make "
            'processes by `multiprocessing.get_context("spawn")`, or before the first edit'
        )
    _state["worked"] = True


def _in_child() -> None:
    _state["broken"] = _state["worked"]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
