"""How faces are found, and what judges of faces are worth."""
