"""How a tool tells its user of a mistake: one line, exit code 2."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mien.errors import MienError


def or_one_line(main: Callable[[], None]) -> None:
    """Run a tool's `main`."""
    try:
        main()
    except (MienError, OSError) as error:  # OSError: a folder that cannot be written to
        print(error, file=sys.stderr)
        sys.exit(2)
