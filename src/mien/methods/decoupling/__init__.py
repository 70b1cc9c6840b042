"""Decoupled identity and expression codes and a progressive GAN (Bao et al., Proc. SPIE 2023)."""
