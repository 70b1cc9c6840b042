"""What mien knows about files: where data lie, which weights there are, what they are for."""

from mien.zoo.paths import cache_home, data_home, dataset_home, rig_home

__all__ = ["cache_home", "data_home", "dataset_home", "rig_home"]
