"""Network parts that belong to no single method."""
