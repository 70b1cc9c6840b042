"""The tables of the face model that are fitted to photographs, not learnt by a network."""
