"""Multi-task style separation (Lu et al., ICIP 2023)."""
