"""The drawing half of the face model: what is painted where the photograph shows nothing."""
