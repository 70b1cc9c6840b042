"""How well the face model is fitted, and how good its pictures are."""
