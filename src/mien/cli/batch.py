"""Many photographs in one call: which file becomes which, and going on where an earlier call
stopped.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mien.errors import ConfigError, ImageError, MienError
from mien.files import fitting, replacing
from mien.heap import give_back
from mien.jobs import Engine, Local, Lost

if TYPE_CHECKING:
    from mien.editor import Result
    from mien.images import Photo
    from mien.provenance.credentials import Signer

REQUEST = "request"
"""Key of a result's metadata that tells one request, source and weights from every other."""


@dataclass(frozen=True)
class Job:
    """One photograph and where its edit goes."""

    source: Path
    target: Path


@dataclass
class Plan:
    """The jobs, and what was beside the photographs: the reason, and the files it is true of."""

    jobs: list[Job] = field(default_factory=list)
    passed: dict[str, list[Path]] = field(default_factory=dict)

    def pass_over(self, path: Path, reason: str) -> None:
        """Note a file that is no photograph to be edited."""
        self.passed.setdefault(reason, []).append(path)


@dataclass
class Outcome:
    """What became of the jobs."""

    written: int = 0
    anew: int = 0
    """Of those written, how many took the place of a result of another request."""
    skipped: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    """What each stage took, over all photographs and workers."""


def plan(photos: Sequence[Path], out: Path, recursive: bool = False) -> Plan:
    """One job per photograph. One file goes to `out`, a file; several, or a folder, go into `out`,
    a folder.

    In the folder a photograph keeps its name; formats that mien does not write become PNG, and keep
    their suffix too (`a.tif.png`) where `a.png` is another's. With `recursive`, folders in folders
    are gone through and made again in `out`. ImageError for a photograph that is not there or a
    folder without any, ConfigError when two would get the same name or one would be overwritten.
    """
    made = Plan()
    if len(photos) == 1 and not photos[0].is_dir() and not out.is_dir():
        made.jobs = [Job(photos[0], out)]
    else:
        found = [pair for p in photos for pair in _sources(p, out, recursive, made)]
        made.jobs = _named(found, out)
    _check_targets(made.jobs)
    return made


def sources(photos: Sequence[Path], passed: Plan) -> list[Path]:
    """The photographs themselves and those in folders, in order; what lies beside these is noted in
    `passed`. ImageError as in `plan`.
    """
    return [source for p in photos for source, _ in _sources(p, None, False, passed)]


def _sources(
    photo: Path, out: Path | None, recursive: bool, made: Plan
) -> Iterator[tuple[Path, Path]]:
    """The photograph, or those in the folder, in order, each with its place below `out`."""
    if not photo.exists() and not photo.is_symlink():
        raise ImageError(f"no such file or folder: {photo}")
    if not photo.is_dir():
        yield photo, Path()
        return
    inside = list(_inside(photo, Path(), out, recursive, made, frozenset()))
    if not inside:
        deeper = not recursive and any(p.is_dir() for p in _listed(photo))
        raise ImageError(
            f"no photographs in {photo}" + (" (--recursive looks into its folders)" * deeper)
        )
    yield from inside


def _inside(
    folder: Path,
    place: Path,
    out: Path | None,
    recursive: bool,
    made: Plan,
    above: frozenset[str],
) -> Iterator[tuple[Path, Path]]:
    """The photographs of a folder; what is none is noted, and so is a folder not gone into."""
    from mien.images import of_name

    above |= {_real(folder)}
    for path in _listed(folder):
        if path.name.startswith("."):
            made.pass_over(path, "hidden")
        elif path.is_dir():
            if out is not None and _real(path) == _real(out):
                made.pass_over(path, "the results go there")
            elif not recursive:
                made.pass_over(path, "a folder: --recursive goes into it")
            elif _real(path) in above:
                made.pass_over(path, "a link to a folder around it")
            else:
                yield from _inside(path, place / path.name, out, True, made, above)
        elif path.exists() and not path.is_file():
            made.pass_over(path, "a pipe or a device")
        elif of_name(path) is not None or not path.exists() or _shows_a_picture(path):
            yield path, place
        else:
            made.pass_over(path, "not a photograph")


def _real(path: Path) -> str:
    """Where a path leads in the end; a circle of links leads to itself."""
    return os.path.realpath(path)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise ImageError(f"{folder} cannot be read: {error.strerror}") from None


def _shows_a_picture(path: Path) -> bool:
    """Whether a file of any name begins as a picture does; one that may not be read may be one."""
    from mien.images import of_head

    try:
        with path.open("rb") as file:
            return of_head(file.read(64)) is not None
    except OSError:
        return True


def _named(found: Sequence[tuple[Path, Path]], out: Path) -> list[Job]:
    """Every photograph with the name of its edit; two of one stem are distinguished by their
    suffixes.
    """
    targets = [out / place / written_as(source, out) for source, place in found]
    count = Counter(targets)
    for i, (source, place) in enumerate(found):
        if count[targets[i]] == 1 or targets[i].name == source.name:
            continue
        longer = (f"-{n}" * (n > 1) + ".png" for n in range(1, len(found) + 2))
        names = (out / place / fitting(source.name, end, out) for end in longer)
        targets[i] = next(name for name in names if name not in targets)
    return [Job(source, target) for (source, _), target in zip(found, targets, strict=True)]


def _check_targets(jobs: Sequence[Job]) -> None:
    taken: dict[Path, Path] = {}
    sources = {_real(job.source): job.source for job in jobs}
    for job in jobs:
        if (lost := sources.get(_real(job.target))) is not None or _same(job):
            raise ConfigError(f"{lost or job.source} would be overwritten: write to another place")
        if job.target in taken:
            first = taken[job.target]
            raise ConfigError(
                f"{first} and {job.source} would both become {job.target}: edit them apart"
            )
        taken[job.target] = job.source


def _same(job: Job) -> bool:
    """Whether both names are of one file, by a link or by letters of another size."""
    return job.target.exists() and job.source.exists() and job.target.samefile(job.source)


def written_as(source: Path, folder: Path, stem: str | None = None) -> str:
    """The name of an edit of `source` in a folder: its suffix if mien writes such files, else
    PNG's.
    """
    from mien.images import WRITTEN

    suffix = source.suffix if source.suffix.lower() in WRITTEN else ".png"
    return fitting(stem or source.stem, suffix, folder)


def run(
    jobs: Sequence[Job],
    edit: Callable[[Photo], Result],
    request: str,
    *,
    signer: Signer | None = None,
    force: bool = False,
    progress: Callable[[Job], None] = lambda _: None,
    engine: Engine = Local(),  # noqa: B008
) -> Outcome:
    """Every job that is not done already (or every job, by `force`); a failure, of whatever kind,
    stops none but its own.

    A job is done when its target says that it is the result of this request for this source. A
    result of another request is made anew. What mien did not write is never written over, but by
    `force`.

    request: what is asked for and by what, in any words; it is compared, not read.
    """
    outcome = Outcome()
    found = engine.map(_Editing(edit, request, signer, force), jobs)
    for job, became in zip(jobs, found, strict=True):
        progress(job)
        result, seconds = (became.reason, {}) if isinstance(became, Lost) else became
        for stage, spent in seconds.items():
            outcome.seconds[stage] = outcome.seconds.get(stage, 0.0) + spent
        if result == SKIPPED:
            outcome.skipped += 1
        elif result in (WRITTEN, ANEW):
            outcome.written += 1
            outcome.anew += result == ANEW
        else:
            outcome.failed.append((job.source, result))
    return outcome


WRITTEN, ANEW, SKIPPED = "written", "written anew", "skipped"
Became: TypeAlias = tuple[str, dict[str, float]]


@dataclass(frozen=True)
class _Editing:
    """Photographs as jobs: what became of each, one of the words above or what went wrong, and
    the seconds of every stage.
    """

    edit: Callable[[Photo], Result]
    request: str
    signer: Signer | None
    force: bool

    def open(self) -> Callable[[Job], Became]:
        return self._one

    def _one(self, job: Job) -> Became:
        try:
            return _run(job, self.edit, self.request, self.signer, self.force)
        except MienError as error:
            return " ".join(str(error).split()), {}
        except Exception as error:  # a fault of mien's; the other photographs are no part of it
            line = " ".join(f"{type(error).__name__}: {error}".split())[:300]
            return f"mien failed ({line}): please report it", {}
        finally:
            give_back()


def _run(
    job: Job, edit: Callable[[Photo], Result], request: str, signer: Signer | None, force: bool
) -> Became:
    from mien import images

    mark = _mark(request, job.source)
    there = job.target.exists() and job.target.stat().st_size > 0
    if there and not force:
        said = _said(job.target)
        if said.get(REQUEST) == mark:
            return SKIPPED, {}
        if "method" not in said and not _untouched(job):
            raise ImageError(
                f"{job.target} is there and is not mien's: move it away, or --force writes over it"
            )
    photo = images.read(job.source)
    result = edit(photo)
    job.target.parent.mkdir(parents=True, exist_ok=True)
    save(replace(result, metadata={**result.metadata, REQUEST: mark}), photo, job, signer)
    return ANEW if there and not force else WRITTEN, dict(result.seconds)


def _mark(request: str, source: Path) -> str:
    """The request for this source in 32 hexadecimal digits."""
    from mien import images

    if not source.is_file():
        images.read(source)  # says what is wrong with it
    try:
        with source.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise ImageError(f"{source} cannot be read: {error.strerror}") from None
    return hashlib.sha256(request.encode("utf-8", "surrogateescape") + content).hexdigest()[:32]


def _said(path: Path) -> dict[str, str]:
    """What a file says of itself; nothing where it is no picture."""
    from mien import images

    try:
        return images.statement(path)
    except ImageError:
        return {}


def _untouched(job: Job) -> bool:
    """Whether the target holds the source's pixels: a result of which nothing was asked, which says
    nothing.
    """
    import numpy as np

    from mien import images

    try:
        return np.array_equal(images.read(job.target).pixels, images.read(job.source).pixels)
    except ImageError:
        return False


def save(result: Result, photo: Photo, job: Job, signer: Signer | None = None) -> None:
    """Write a result; where no pixel changed and the format stays, the file itself is copied.

    So an edit of intensity 0 is the input even as JPEG, and is not called altered.
    """
    import numpy as np

    from mien.images import WRITTEN

    stays = WRITTEN.get(job.target.suffix.lower()) == photo.format
    if not (stays and np.array_equal(result.pixels, photo.pixels)):
        result.save(job.target, signer)
        return
    try:
        with replacing(job.target) as part:
            shutil.copyfile(job.source, part)
    except OSError as error:
        raise ImageError(f"{job.target} cannot be written: {error.strerror}") from None
