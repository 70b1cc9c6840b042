"""Explicit expression transfer by AU-related and AU-free features (Shao et al., TIP 2021)."""
