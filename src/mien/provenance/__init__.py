"""Where a picture comes from: the invisible mark, signed credentials, and what a file shows of
both.
"""
