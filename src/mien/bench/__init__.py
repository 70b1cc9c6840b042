"""What is asked of mien's edits, judges and machines, and how it is measured: a module a question,
each of them `mien bench NAME`. What is measured by more than one of them is in `mien.metrics`.
"""
