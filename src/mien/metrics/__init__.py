"""What is measured of an edit, against a truth where there is one. Nothing here trains a method."""
