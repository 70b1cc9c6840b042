"""Photographs and what is known about them: manifests, splits, and the adapters to data sets."""

from mien.data.manifest import Record, read_manifest, write_manifest
from mien.data.split import SPLITS, Split, split_of

__all__ = ["SPLITS", "Record", "Split", "read_manifest", "split_of", "write_manifest"]
