"""The `mien` command: one short file per sub-command, each a call into the library, no more."""
