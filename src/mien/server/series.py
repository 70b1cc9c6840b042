"""A series of stimuli in the studio: photographs x expressions x intensities, made by what makes
`mien series` (`people.series`), each picture in a turn at the desk.
"""

from __future__ import annotations

import asyncio
import contextlib
import csv
import functools
import hashlib
import json
import secrets
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mien import facs
from mien.editor import Editor
from mien.errors import DataError, GuideError, MienError
from mien.files import replacing
from mien.guides import ExpressionSpec
from mien.guides.spec import FORMS
from mien.jobs import Lost, Task
from mien.methods.registry import with_head
from mien.people import series
from mien.people.asks import of_row
from mien.people.folder import SETTINGS
from mien.people.plan import Cell, read_plan
from mien.server import intake
from mien.server.answers import Refused
from mien.server.cropping import fitting
from mien.server.intake import safe
from mien.server.limits import Limits
from mien.server.making import Making, Projects
from mien.server.workshop import Workshop
from mien.types import UInt8

SIZES = (256, 512, 1024)
"""Sides of a picture, px."""
PLAN = "plan.csv"
_TILE = 96
"""Longest side of a photograph in the list, px."""
_COLUMNS = ("name", "label", "au", "blendshapes", *FORMS, "intensity")
J = TypeVar("J")
R = TypeVar("R")
T = TypeVar("T")


class Stopped(MienError):
    """A series that is not wanted any more, for now."""


@dataclass(frozen=True)
class Plan:
    """What is to be shown by everybody, and how: labels beside the files of the series."""

    labels: tuple[str, ...] = ()
    intensities: tuple[float, ...] = (1.0,)
    size: int = 512
    oval: bool = False
    equal: bool = False
    """Equal mean luminance and contrast of the faces."""

    def __post_init__(self) -> None:
        """What is asked for twice is made once."""
        for key in ("labels", "intensities"):
            object.__setattr__(self, key, tuple(dict.fromkeys(getattr(self, key))))


@dataclass
class Run(Making):
    """A series that is being made, or was."""

    passed: int = 0
    """Pictures that pass all checks."""
    faults: list[str] = field(default_factory=list)
    """A line for each photograph and picture that could not be used or made."""


class Series:
    """Photographs and expressions of one page, and the pictures that come of them."""

    def __init__(self, session: str = "") -> None:
        self.key, self.session = secrets.token_urlsafe(18), session
        self.photos: dict[str, Path] = {}
        self.small: dict[str, UInt8] = {}
        """The photographs, shrunk."""
        self.expressions: dict[str, ExpressionSpec] = {}
        """Expressions that came as files, or from a photograph that is open."""
        self.runs: list[Run] = []
        self.zip: Path | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="mien-series-")

    @property
    def busy(self) -> bool:
        """Whether it is being made."""
        return bool(self.runs) and not self.runs[-1].ended

    def add_photo(self, upload: Path, limits: Limits, called: str | None = None) -> None:
        """Take a photograph that was sent; its bytes and its header are looked at here, its face
        when the series is made. It is called as its file where it comes from."""
        try:
            self._check_idle()
            if len(self.photos) >= limits.series_photos:
                most = f"{limits.series_photos} photographs here: use mien series for more"
                raise Refused(422, "too_many", f"a series has up to {most}")
            photo = intake.photo(upload.read_bytes(), limits, called or upload.name)
            # a person's folder lies beside the files of the series
            taken = [*self.photos, PLAN, series.TABLE, SETTINGS]
            name = _free(called or upload.stem, taken)
            place = Path(self._folder.name) / "photos" / f"{name}{upload.suffix}"
            place.parent.mkdir(exist_ok=True)
            shutil.move(upload, place)
            self.photos[name] = place
            self.small[name] = fitting(photo.pixels, _TILE)
        finally:
            upload.unlink(missing_ok=True)

    def add_expression(self, spec: ExpressionSpec, called: str, limits: Limits) -> None:
        """Take an expression; GuideError for one that a table of stimuli cannot hold."""
        self._check_idle()
        if len(self.expressions) >= limits.series_expressions:
            raise Refused(422, "too_many", f"up to {limits.series_expressions} expressions")
        if spec.like is not None or spec.region != "face":
            raise GuideError(f"{called}: a series takes no `like` and no `region`: leave them out")
        name = _free(spec.name or called, [*facs.LABELS, *self.expressions])
        of_row(_row(name, spec, 1.0))
        self.expressions[name] = spec

    def remove(self, kind: str, name: str) -> None:
        """Forget a photograph or an expression (`photo`, `expression`)."""
        self._check_idle()
        if kind == "photo" and name in self.photos:
            self.photos.pop(name).unlink(missing_ok=True)
            del self.small[name]
        elif kind == "expression":
            self.expressions.pop(name, None)

    def count(self, plan: Plan) -> int:
        """Pictures of a plan."""
        shown = len(plan.labels) + len(self.expressions)
        return len(self.photos) * shown * len(plan.intensities)

    def check(self, plan: Plan, limits: Limits) -> None:
        """GuideError or Refused unless there is a series to be made, and not too large a one."""
        if not self.photos:
            raise GuideError("add a photograph first")
        if not plan.labels and not self.expressions:
            raise GuideError("choose an expression")
        if not plan.intensities:
            raise GuideError("choose an intensity")
        if plan.size not in SIZES:
            raise GuideError(f"size is {plan.size}: choose from {', '.join(map(str, SIZES))}")
        for label in plan.labels:
            of_row({"label": label})
        if len(plan.labels) + len(self.expressions) > limits.series_expressions:
            raise Refused(422, "too_many", f"up to {limits.series_expressions} expressions")
        most = limits.series_pixels // plan.size**2
        if self.count(plan) > most:
            raise Refused(
                422,
                "too_many",
                f"these are {self.count(plan)} pictures: up to {most} of {plan.size} px here, use "
                "mien series for more",
            )
        self._check_rows(plan)

    def write(self, editor: Editor, plan: Plan, engine: AtDesk) -> None:
        """Make the pictures, the table and the `zip` of both; pictures of an earlier run that was
        stopped are kept. Not at the desk: what costs time goes there by the engine."""
        run = engine.run
        who, lacking = engine.turn(series.judge)
        people, cells = self._people(plan, engine, who), self._cells(plan)
        oval, level = None, None
        if plan.oval:
            oval = series.common_oval(editor, people, cells, engine)
        if plan.equal:
            level = engine.turn(lambda: series.common_level(people, oval))
        look = series.Look(plan.size, oval, level)
        out = self._place(editor, look)

        def progress(done: int) -> None:
            run.done = done

        run.total = len(people) * len(cells)
        rows, failed = series.write(editor, people, cells, look, out, who, progress, engine)
        run.faults += [*failed, *([lacking] if lacking else [])]
        run.passed = sum(row["checks"] == "passed" for row in rows)
        self.zip = self._packed(out, rows)
        run.whole = True

    def close(self) -> None:
        """Stop what is being made, and forget all, files too."""
        for run in self.runs:
            run.wanted = False
        self.photos, self.small, self.expressions, self.zip = {}, {}, {}, None
        self._folder.cleanup()

    def _check_idle(self) -> None:
        if self.busy:
            raise Refused(429, "busy", "the series is being made: wait until it is done, or stop")

    def _people(self, plan: Plan, engine: AtDesk, who: Any) -> list[series.Sitter]:
        """Everybody whose photograph can be used; the others are reported."""
        people: list[series.Sitter] = []
        for name, path in list(self.photos.items()):
            task = functools.partial(series.sitters, [path], plan.size, who)
            try:
                people += engine.turn(task)[0]
            except DataError as error:
                engine.run.faults.append(str(error).replace(str(path), name))
        if not people:
            raise DataError(engine.run.faults[0])
        return people

    def _place(self, editor: Editor, look: series.Look) -> Path:
        """The folder of the pictures, which serves one set of people and settings: those made by
        others go."""
        settings = [asdict(look), editor.weights, with_head(editor.method)]
        shown = [path.read_bytes() for path in self.photos.values()]
        name = hashlib.sha256(json.dumps([settings, list(self.photos)]).encode() + b"".join(shown))
        out = Path(self._folder.name) / f"pictures-{name.hexdigest()[:16]}"
        for other in out.parent.glob("pictures-*"):
            if other != out:
                shutil.rmtree(other, ignore_errors=True)
        out.mkdir(exist_ok=True)
        return out

    def _rows(self, plan: Plan) -> Iterator[dict[str, str]]:
        """The rows of the plan."""
        specs = [(label, ExpressionSpec(to=label)) for label in plan.labels]
        for name, spec in [*specs, *self.expressions.items()]:
            for intensity in plan.intensities:
                yield _row(name, spec, intensity)

    def _check_rows(self, plan: Plan) -> None:
        """GuideError for a row that cannot be read, and for two of one name."""
        names: set[str] = set()
        for row in self._rows(plan):
            name = of_row(row).name
            if name in names:
                raise GuideError(f"two pictures would be called {name}: give one another name")
            names.add(name)

    def _cells(self, plan: Plan) -> list[Cell]:
        """The cells of the plan, which is written as a file: `mien series` takes it."""
        path = Path(self._folder.name) / PLAN
        with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, _COLUMNS, lineterminator="\n")
            writer.writeheader()
            writer.writerows(self._rows(plan))
        cells, faults = read_plan(path)
        if faults:
            raise DataError(faults[0].replace(f"{path}, ", ""))
        return cells

    def _packed(self, out: Path, rows: Sequence[dict[str, Any]]) -> Path:
        """A zip of the pictures, their facts, the table and the plan; a PNG shrinks no more."""
        target = Path(self._folder.name) / "series.zip"
        files = [out / str(row["file"]) for row in rows]
        files += [path.with_suffix(".json") for path in files]
        files += [out / series.TABLE]
        with replacing(target) as part, zipfile.ZipFile(part, "w") as packed:
            for file in files:
                packed.write(file, file.relative_to(out))
            packed.write(target.with_name(PLAN), PLAN)
        return target


class AtDesk:
    """An engine of `mien.jobs` that does each job in a turn at the studio's desk, so that others
    get theirs in between; `Stopped` once the run is not wanted any more."""

    def __init__(self, workshop: Workshop, run: Run) -> None:
        self.run, self._desk = run, workshop.desk
        self._loop = asyncio.get_running_loop()

    def map(self, task: Task[J, R], jobs: Iterable[J]) -> Iterator[R | Lost[J]]:
        """The answers in the order of the jobs; called in a thread that is not the loop's."""
        work = self.turn(task.open)
        for job in jobs:
            yield self.turn(functools.partial(work, job))

    def turn(self, task: Callable[[], T]) -> T:
        """The result of something that costs time."""
        if not self.run.wanted:
            raise Stopped("stopped")
        turn = asyncio.run_coroutine_threadsafe(self._desk.turn(task), self._loop)
        return turn.result()


class AllSeries(Projects[Series]):
    """The series open in the studio, and those of the API. One is made at a time."""

    def __init__(self, workshop: Workshop, most: int = 8) -> None:
        super().__init__(Series, "series", most)
        self._workshop = workshop

    def start(self, made: Series, method: str, plan: Plan) -> Run:
        """Begin to make a series, or go on with it; Refused while another is being made."""
        made.check(plan, self._workshop.limits)
        self.check_free(made)
        run = Run(made.count(plan))
        made.runs.append(run)
        self.begin(made, run, self._make(made, run, method, plan))
        return run

    async def _make(self, made: Series, run: Run, method: str, plan: Plan) -> None:
        engine = AtDesk(self._workshop, run)
        editor = await self._workshop.desk.turn(lambda: self._workshop.editor(method))
        with contextlib.suppress(Stopped):  # what is there is kept for when it goes on
            await asyncio.to_thread(made.write, editor, plan, engine)


def _row(name: str, spec: ExpressionSpec, intensity: float) -> dict[str, str]:
    """A row of a plan; the name tells the intensity, as in a plan that lists several."""
    strength = spec.intensity * intensity
    row = {
        "name": name.replace(":", "-") + (f"-{intensity:g}" if intensity != 1 else ""),
        "label": spec.to or "",
        "au": " ".join(spec.au),
        "blendshapes": json.dumps(dict(spec.blendshapes)) if spec.blendshapes else "",
        "intensity": f"{strength:g}",
    }
    for key in FORMS:
        values = getattr(spec, key)
        row[key] = "" if values is None else " ".join(f"{value:g}" for value in values)
    return row


def _free(name: str, taken: Iterable[str]) -> str:
    """The name as a file's, with a number where it is taken already."""
    name = Path(safe(f"{name}.x")).stem.replace(" ", "-")
    there = {one.casefold() for one in taken}  # as file systems that take A and a for one
    numbers = (name if i == 1 else f"{name}-{i}" for i in range(1, len(there) + 2))
    return next(n for n in numbers if n.casefold() not in there)
