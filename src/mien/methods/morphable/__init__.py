"""The face model as a method: the default."""
