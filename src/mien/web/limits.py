"""What one request may cost."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds that hold for every request, to the API and to the studio alike."""

    body: int = 64_000_000
    """Bytes of a request; a photograph in base64 is a third larger than its file."""
    pixels: int = 50_000_000
    """Width times height of a photograph, judged by its header."""
    arrival: float = 60.0
    """Seconds in which a request must have come in whole."""
    seconds: float = 60.0
    """Seconds from a request's arrival to its answer, waiting included."""
    waiting: int = 8
    """Requests that may wait while one is worked on; the next is answered 429."""
    film_seconds: float = 60.0
    """Length of a film in the studio; its bytes are those of `body`."""
    film_frames: int = 3600
    """Its frames, counted as they come, whatever its header says."""
    film_pixels: int = 2_100_000
    """Width times height of its pictures: 1920 x 1080 fits."""
    film_written: int = 500_000_000
    """Bytes of the film that comes of it."""
