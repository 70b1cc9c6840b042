"""The data engine: photographs rendered in many expressions by the face model, with flow,
visibility and action units known, in shards that any number of workers can make."""
