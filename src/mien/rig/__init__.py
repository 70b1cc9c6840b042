"""The data engine: a photograph animated by a 3-D face model, with flow, visibility and action
units known."""
