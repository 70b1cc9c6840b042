"""What one request may cost, and one connection."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds that hold for every request, to the API and to the studio alike."""

    body: int = 64_000_000
    """Bytes of a request; a photograph in base64 is a third larger than its file."""
    pixels: int = 50_000_000
    """Width times height of a photograph, judged by its header."""
    connections: int = 400
    """Open connections; beyond, the oldest on which nothing is asked gives way, or the new one is
    answered 503.
    """
    head: float = 10.0
    """Seconds in which the head of a request must have come in whole."""
    arrival: float = 60.0
    """Seconds in which a request must have come in whole."""
    stall: float = 10.0
    """Seconds without a byte of a request, or in which next to nothing of an answer is taken."""
    held: int = 512_000_000
    """Bytes of all requests together that are coming in; beyond, the oldest gives way."""
    seconds: float = 60.0
    """Seconds from when a request is in to its answer, waiting included."""
    waiting: int = 8
    """Requests that may wait while one is worked on; the next is answered 429."""
    ending: float = 2.0
    """Seconds that what is worked on still has once the server has to end."""
    events: int = 64
    """Events of the studio that may wait; the next is refused."""
    film_seconds: float = 60.0
    """Length of a film in the studio; its bytes are those of `body`."""
    film_frames: int = 3600
    """Its frames, counted as they come, whatever its header says."""
    film_pixels: int = 2_100_000
    """Width times height of its pictures: 1920 x 1080 fits."""
    film_written: int = 500_000_000
    """Bytes of the film that comes of it."""
    series_photos: int = 24
    """Photographs of a series; they may come in one request."""
    series_expressions: int = 40
    """Expressions of a series, labels and files together."""
    series_pixels: int = 400 * 512 * 512
    """Pixels of all pictures of a series: 400 of 512 px, 100 of 1024 px."""
