"""Nets that judge faces: action units, emotions, landmarks. They measure, and train nothing."""

from mien.judges.judge import NAMES, Judge, Reading, load

__all__ = ["NAMES", "Judge", "Reading", "load"]
