"""Attended expression and identity features, joined by bilinear pooling (Ali and Hughes, 2020)."""
