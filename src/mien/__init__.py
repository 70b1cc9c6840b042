"""Facial expression transfer: another expression on the same face."""
