"""The page and its parts from `templates/`: what names and files say is text there, never HTML."""

from __future__ import annotations

import base64
import functools
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mien import images
from mien.images import Photo
from mien.types import UInt8

HERE = Path(__file__).parent
QUALITY = 85
"""Of JPEG, for pictures that only the page shows: a download has 95."""
_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def page(**values: Any) -> str:
    """The page as it is before anything is opened."""
    return _TEMPLATES.get_template("page.html").render(**values)


def part(name: str, *values: Any, **named: Any) -> str:
    """A part of the page: the macro `name` of `parts.html`."""
    return str(getattr(_parts(), name)(*values, **named)).strip()


@functools.cache
def _parts() -> Any:
    return _TEMPLATES.get_template("parts.html").module


def picture(pixels: UInt8, *, altered: bool = True) -> str:
    """The address of a picture that holds its own pixels, JPEG, and says if they are altered: the
    page shows it, and nothing of a photograph is written to the disk for it."""
    return address(images.encode(Photo(pixels), ".jpg", altered=altered, quality=QUALITY))


def address(data: bytes) -> str:
    """The address of a JPEG that holds its own bytes."""
    return f"data:image/jpeg;base64,{base64.b64encode(data).decode()}"
