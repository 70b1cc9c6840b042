"""Files that were sent to the studio and that no event has taken yet.

The page gets a random key of each, never where it lies: what is no such key is no file, so that
no path and no address can be asked for.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path
from typing import BinaryIO

_KEPT = 600.0  # s
_LONGEST = 60  # characters of a name: four bytes each are still a name on the disk


class Uploads:
    """The newest `most` uploads, for ten minutes, each in a folder of its own inside `folder`."""

    def __init__(self, folder: Path, most: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._home = tempfile.TemporaryDirectory(prefix="mien-", dir=folder)
        self._most = most
        self._kept: OrderedDict[str, Path] = OrderedDict()

    async def keep(self, name: str, file: BinaryIO) -> str:
        """Keep a copy of the file, which its sender calls `name`; its key."""
        key = secrets.token_urlsafe(18)
        path = Path(self._home.name) / key / safe(name)
        await asyncio.to_thread(_copy, file, path)
        self._kept[key] = path
        while len(self._kept) > self._most:
            self.drop(next(iter(self._kept)))
        asyncio.get_running_loop().call_later(_KEPT, self.drop, key)
        return key

    def get(self, key: str) -> Path | None:
        """Where the file of this key is; None for what is no key, or no longer one."""
        return self._kept.get(key)

    def drop(self, key: str) -> None:
        """Forget it, and its file."""
        path = self._kept.pop(key, None)
        if path is not None:
            shutil.rmtree(path.parent, ignore_errors=True)


def safe(name: str) -> str:
    """A name for a file of ours that keeps what people know it by: its end, with the suffix."""
    last = re.split(r"[/\\]", name)[-1]
    return re.sub(r"[^\w.\- ()]", "_", last)[-_LONGEST:].lstrip(". ") or "file"


def _copy(file: BinaryIO, path: Path) -> None:
    path.parent.mkdir()
    with path.open("xb") as target:
        shutil.copyfileobj(file, target)
