"""What was found out a moment ago, for whoever asks again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mien.types import Faces, Float

T = TypeVar("T")


class Memory(Generic[T]):
    """What was found out about the last faces, by their pixels and landmarks. Safe in threads."""

    def __init__(self, most: int, size: Callable[[T], int] | None = None, room: int = 0) -> None:
        """`most` entries, and of a `size` of `room` together, but for a single one."""
        self._most, self._size, self._room = most, size, room
        self._known: OrderedDict[bytes, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, faces: Faces[Float], find: Callable[[Faces[Float]], T], size: int = 0) -> T:
        """What `find` says of the faces: now, or when it was asked before."""
        return self.kept(faces.digest, lambda: find(faces), size)

    def kept(self, key: bytes, find: Callable[[], T], size: int = 0) -> T:
        """What `find` says: now, or when it was asked by this key before. Room for a `size` is made
        before it is found, so that old and new are not there at once."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            self._forget(self._most - 1, self._room - size, 0)
        found = find()
        with self._lock:
            self._known[key] = found
            self._forget(self._most, self._room, 1)
        return found

    def touch(self, key: bytes) -> None:
        """What is known by this key, if anything is, was asked for a moment ago."""
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._known.clear()

    def _forget(self, most: int, room: int, least: int) -> None:
        """Leave `most` entries and `room` of their sizes, and `least` entries whatever their
        size."""
        while len(self._known) > max(most, least) or (
            len(self._known) > least and self._held() > room
        ):
            self._known.popitem(last=False)

    def _held(self) -> int:
        return 0 if self._size is None else sum(map(self._size, self._known.values()))

    def __deepcopy__(self, memo: object) -> Memory[T]:
        return Memory(self._most, self._size, self._room)

    def __reduce__(self) -> tuple[type[Memory[T]], tuple[Any, ...]]:
        return type(self), (self._most, self._size, self._room)
