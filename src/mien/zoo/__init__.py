"""What mien knows about files: where data lie, which weights there are, and what they may be used for."""

from mien.zoo.paths import cache_home, data_home, dataset_home, rig_home

__all__ = ["cache_home", "data_home", "dataset_home", "rig_home"]
