"""Many photographs in one call: which file becomes which, and going on where an earlier call
stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mien.errors import ConfigError, ImageError, MienError

if TYPE_CHECKING:
    from mien.editor import Result
    from mien.images import Photo
    from mien.provenance.credentials import Signer

PHOTOGRAPHS = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".jp2")
"""Suffixes that are looked for in a folder."""

_WRITTEN = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Job:
    """One photograph and where its edit goes."""

    source: Path
    target: Path


@dataclass
class Outcome:
    """What became of the jobs."""

    written: int = 0
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)


def plan(photos: Sequence[Path], out: Path) -> list[Job]:
    """One job per photograph. One file goes to `out`, a file; several, or a folder, go into `out`,
    a folder.

    In the folder a photograph keeps its name; formats that mien does not write become PNG.
    ImageError for a photograph that is not there, ConfigError when two would get the same name or
    one would be overwritten.
    """
    found = list(sources(photos))
    if len(photos) == 1 and photos[0].is_file() and not out.is_dir():
        jobs = [Job(photos[0], out)]
    else:
        jobs = [Job(source, out / written_as(source)) for source in found]
    taken: dict[Path, Path] = {}
    for job in jobs:
        if job.target.exists() and job.target.samefile(job.source):
            raise ConfigError(f"{job.source} would be overwritten: write to another place")
        if job.target in taken:
            first = taken[job.target]
            raise ConfigError(
                f"{first} and {job.source} would both become {job.target}: edit them apart"
            )
        taken[job.target] = job.source
    return jobs


def sources(photos: Sequence[Path]) -> Iterator[Path]:
    """The photographs themselves and those in folders, in order; ImageError if one is not there."""
    for photo in photos:
        if not photo.exists():
            raise ImageError(f"no such file or folder: {photo}")
        if not photo.is_dir():
            yield photo
            continue
        inside = [p for p in sorted(photo.iterdir()) if p.suffix.lower() in PHOTOGRAPHS]
        inside = [p for p in inside if p.is_file() and not p.name.startswith(".")]
        if not inside:
            raise ImageError(f"no photographs in {photo}")
        yield from inside


def written_as(source: Path, stem: str | None = None) -> str:
    """The name of an edit of `source`: its suffix if mien writes such files, else PNG's."""
    suffix = source.suffix if source.suffix.lower() in _WRITTEN else ".png"
    return f"{stem or source.stem}{suffix}"


def run(
    jobs: Sequence[Job],
    edit: Callable[[Photo], Result],
    *,
    signer: Signer | None = None,
    force: bool = False,
    progress: Callable[[Job], None] = lambda _: None,
) -> Outcome:
    """Every job whose target is not there yet (or every job, by `force`); a failure stops none but
    its own.
    """
    from mien import images

    outcome = Outcome()
    for job in jobs:
        progress(job)
        if job.target.exists() and not force:
            outcome.skipped += 1
            continue
        try:
            photo = images.read(job.source)
            save(edit(photo), photo, job, signer)
            outcome.written += 1
        except MienError as error:
            outcome.failed.append((job.source, " ".join(str(error).split())))
    return outcome


def save(result: Result, photo: Photo, job: Job, signer: Signer | None = None) -> None:
    """Write a result; where no pixel changed and the format stays, the file itself is copied.

    So an edit of intensity 0 is the input even as JPEG, and is not called altered.
    """
    import numpy as np

    from mien.files import replacing

    kind = {".jpeg": ".jpg"}.get(job.target.suffix.lower(), job.target.suffix.lower())
    stays = kind == {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp"}.get(photo.format)
    if not (stays and np.array_equal(result.pixels, photo.pixels)):
        result.save(job.target, signer)
        return
    try:
        with replacing(job.target) as part:
            shutil.copyfile(job.source, part)
    except OSError as error:
        raise ImageError(f"{job.target} cannot be written: {error.strerror}") from None
