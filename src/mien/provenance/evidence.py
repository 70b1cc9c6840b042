"""What a file shows of having been altered by mien: mark, statement and credentials, each with its
worth.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from mien import images
from mien.faces.detect import detect
from mien.provenance import credentials
from mien.provenance.credentials import Claim
from mien.provenance.mark import Sighting, look
from mien.types import UInt8

FOUND = 1e-6
"""The mark counts as found when a picture without it would look so less often than this."""
DOUBTFUL = 1e-3
"""Between this chance and `FOUND` the answer is `doubtful`."""


@dataclass(frozen=True)
class Evidence:
    """All that was looked for in one file."""

    faces: int
    """Faces in which the mark was looked for; in a film, over all frames that were looked at."""
    sightings: tuple[Sighting, ...]
    statement: Mapping[str, str] = field(default_factory=dict)
    """What the metadata say, as `images.statement` gives it."""
    claim: Claim | None = None
    claim_sought: bool = True
    """False where the extra `c2pa` is not installed, so that nothing can be said."""

    @property
    def score(self) -> float:
        """The best face's score, in standard deviations; 0 without a face."""
        return max((s.score for s in self.sightings), default=0.0)

    @property
    def chance(self) -> float:
        """Chance that a file without the mark shows as much: of its best face, times the faces."""
        best = min((s.chance for s in self.sightings), default=1.0)
        return min(1.0, best * max(1, len(self.sightings)))

    @property
    def confidence(self) -> float:
        """Of the mark, 0 to 1: how seldom an unmarked file would show less than this one."""
        return 1.0 - self.chance

    @property
    def mark(self) -> str:
        """`found`, `doubtful` or `not found`."""
        if self.chance < FOUND:
            return "found"
        return "doubtful" if self.chance < DOUBTFUL else "not found"

    @property
    def stated(self) -> bool:
        """Whether the metadata name a trained model as the source, wholly or in part."""
        return "trainedalgorithmicmedia" in self.statement.get("DigitalSourceType", "").lower()

    @property
    def altered(self) -> bool:
        """Whether any of the three speaks for it; the absence of all three says nothing."""
        claimed = self.claim is not None and self.claim.altered_by_ai
        return self.mark == "found" or self.stated or (claimed and self.claim_whole)

    @property
    def claim_whole(self) -> bool:
        """Whether the credentials are there and fit the file."""
        return self.claim is not None and self.claim.state in ("Valid", "Trusted")


def examine(path: Path, anchors: Path | None = None) -> Evidence:
    """The evidence in a picture file; ImageError if it is none."""
    photo = images.read(path)
    seen = sightings([photo.pixels])
    return completed(path, seen, images.statement(path), anchors)


def sightings(pictures: Iterable[UInt8]) -> tuple[Sighting, ...]:
    """The mark as every face of pictures uint8 (H, W, 3) shows it."""
    return tuple(look(pixels, face) for pixels in pictures for face in detect(pixels))


def completed(
    path: Path, seen: tuple[Sighting, ...], statement: Mapping[str, str], anchors: Path | None
) -> Evidence:
    """Sightings and statement with the file's credentials, where these can be read."""
    sought = find_spec("c2pa") is not None
    claim = credentials.read(path, anchors) if sought else None
    return Evidence(len(seen), seen, statement, claim, sought)
