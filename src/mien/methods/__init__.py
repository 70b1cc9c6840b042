"""The published systems, each a folder by one contract (`base.py`), found through one table
(`registry.py`).
"""
