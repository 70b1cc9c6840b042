"""Training data: photographs in many expressions, in shards that any number of workers can make.

`<out>/<split>/00000.tar` holds every state of a few photographs (`rig/shards.py` says how), state 0
of each being the photograph itself. Beside it, hidden, lies what became of them, written last: a
shard that has that note is finished. A shard is written whole or not at all, so a killed run goes
on where it stopped, and its bytes depend on the photographs and the settings alone.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from rich.progress import Progress
from safetensors.numpy import save

from mien.errors import ConfigError, DataError, MienError
from mien.face_model.arrays import Float, UInt8
from mien.face_model.mesh import FaceModel
from mien.face_model.pose_light import PoseAndLight
from mien.face_model.render import Render, Rig, shrink_flow
from mien.face_model.sampling import channels, merged, shrink
from mien.jobs import Engine, Local, Lost
from mien.rig.expressions import choose_pose_and_light, choose_states, emotion_of, expression_list
from mien.rig.shards import Sample, key_of, sweep, write_bytes, write_shard

FORMAT = 2
"""Version of what a folder of renders looks like; version 1 had a safetensors file a photograph."""
SETTINGS, EXPRESSIONS, REPORT = "settings.json", "expressions.safetensors", "report.json"


@dataclass(frozen=True)
class Source:
    """A photograph to animate.

    crop uint8 (320, 320, 3) RGB; landmarks (68, 2) in its pixels; neutral: the person was asked for
    no expression; split: train, validation or test; origin: the data set; template: hand-checked
    points (189, 2) in its pixels, where there are some.
    """

    person: str
    photo: str
    split: str
    crop: UInt8
    landmarks: Float
    neutral: bool
    licence: str
    origin: str = ""
    template: Float | None = None

    def load(self) -> Source:
        """Itself: a source that is in memory already."""
        return self


class Photograph(Protocol):
    """What is known of a photograph before it is read; a worker reads it."""

    @property
    def person(self) -> str: ...
    @property
    def photo(self) -> str: ...
    @property
    def split(self) -> str: ...
    def load(self) -> Source:
        """Read it and find the face; a MienError says why that cannot be."""
        ...


@dataclass(frozen=True)
class Outcome:
    """What became of a photograph: how many pictures of it there are, why there are none (`fault`),
    how far its fit can be believed."""

    photo: str
    pictures: int
    fault: str | None = None
    confidence: float | None = None


@dataclass
class Report:
    """What became of all: `kept` pictures were there before, `written` ones are new."""

    outcomes: list[Outcome] = field(default_factory=list)
    written: int = 0
    kept: int = 0

    @property
    def refused(self) -> list[Outcome]:
        """The photographs that have no renders."""
        return [o for o in self.outcomes if o.fault]

    def to_json(self) -> bytes:
        """The same for a finished set, however often its rendering was interrupted."""
        facts = {
            "photographs": len(self.outcomes),
            "pictures": self.written + self.kept,
            "refused": len(self.refused),
            "reasons": dict(Counter(o.fault for o in self.refused)),
            "refused_photographs": [asdict(o) for o in self.refused],
        }
        return (json.dumps(facts, indent=1) + "\n").encode()


def render_dataset(
    model: FaceModel,
    photographs: Sequence[Photograph],
    out: Path,
    *,
    states: int | Sequence[int] = 60,
    size: int = 160,
    seed: int = 0,
    engine: Engine = Local(),  # noqa: B008
    per_shard: int = 8,
    progress: bool = True,
) -> Report:
    """Render `photographs` into shards under `out`; finished shards are kept.

    `states` of each photograph, the first being itself: one number, or one for each; `size` px;
    `engine`: where they are rendered; `per_shard` photographs in a file.

    Raises:
        DataError: `out` holds renders of other photographs or settings, or two photographs share
            their name.
        ConfigError: a number of states that cannot be.
    """
    counts = [states] * len(photographs) if isinstance(states, int) else list(states)
    names = {key_of(p.photo, 0) for p in photographs}
    if len(names) < len(photographs):
        doubles = len(photographs) - len(names)
        raise DataError(f"{doubles} photographs share their name with another: rename them")
    most = 1 + len(expression_list(seed))
    if counts and not 1 <= min(counts) <= max(counts) <= most:
        raise ConfigError(f"a photograph has 1 to {most} states, itself included")
    jobs = list(_jobs(out, list(zip(photographs, counts, strict=True)), per_shard, size, seed))
    _claim(out, jobs, {"seed": seed, "size": size, "photographs_per_shard": per_shard})
    sweep(out)
    report = Report()
    with Progress(disable=not progress) as bar:
        task = bar.add_task("rendering", total=sum(counts))
        for job, (fresh, outcomes) in zip(jobs, _run(model, jobs, engine), strict=True):
            report.outcomes += outcomes
            pictures = sum(o.pictures for o in outcomes)
            report.written += pictures * fresh
            report.kept += pictures * (not fresh)
            bar.advance(task, sum(count for _, count in job.photographs))
    sweep(out)  # again: what was killed just before may have taken its time to die
    write_bytes(out / REPORT, report.to_json())
    return report


def even(count: int, photographs: int) -> list[int]:
    """How many states each of `photographs` gets so that they are `count` in all.

    Raises:
        ConfigError: fewer than one each, or more than there are expressions.
    """
    most = 1 + len(expression_list())
    if not photographs <= count <= photographs * most:
        raise ConfigError(
            f"{count} pictures of {photographs} photographs cannot be made: give a count of "
            f"{photographs} to {photographs * most}"
        )
    each, more = divmod(count, photographs)
    return [each + (i < more) for i in range(photographs)]


@dataclass(frozen=True)
class _Job:
    """One shard: its photographs, each with its number of states."""

    path: Path
    photographs: list[tuple[Photograph, int]]
    size: int
    seed: int

    @property
    def note(self) -> Path:
        return self.path.with_name(f".{self.path.stem}.json")


def _jobs(
    out: Path, photographs: list[tuple[Photograph, int]], per_shard: int, size: int, seed: int
) -> Iterator[_Job]:
    in_order = sorted(photographs, key=lambda p: p[0].split)  # stable: else as they were given
    for split, group in groupby(in_order, key=lambda p: p[0].split):
        chosen = list(group)
        for i, start in enumerate(range(0, len(chosen), per_shard)):
            path = out / split / f"{i:05d}.tar"
            yield _Job(path, chosen[start : start + per_shard], size, seed)


def _claim(out: Path, jobs: Sequence[_Job], settings: dict[str, int]) -> None:
    """Note what `out` is going to hold, or check that it is what it was begun with."""
    listed = [[(str(j.path.relative_to(out)), p.photo, n) for p, n in j.photographs] for j in jobs]
    digest = hashlib.sha256(json.dumps(listed).encode()).hexdigest()
    expressions = expression_list(settings["seed"])
    units = hashlib.sha256(expressions.tobytes()).hexdigest()
    wanted = {"format": FORMAT, **settings, "photographs": digest, "expressions": units}
    path = out / SETTINGS
    if path.is_file():
        there = json.loads(path.read_bytes())
        other = ", ".join(k for k in wanted if there.get(k) != wanted[k])
        if other:
            raise DataError(
                f"{out} holds renders with other {other}: choose another folder or remove it"
            )
    elif (out / EXPRESSIONS).is_file():
        raise DataError(f"{out} holds renders of an older mien: render again into another folder")
    write_bytes(out / EXPRESSIONS, save({"units": expressions}))
    write_bytes(path, (json.dumps(wanted, indent=1) + "\n").encode())


def _render(model: FaceModel, job: _Job) -> tuple[bool, list[Outcome]]:
    """Whether the shard had to be made, and what became of its photographs."""
    if job.note.is_file():
        return False, [Outcome(**o) for o in json.loads(job.note.read_bytes())]
    outcomes: list[Outcome] = []
    write_shard(job.path, _samples(model, job, outcomes))
    if not any(o.pictures for o in outcomes):
        job.path.unlink()  # a tar file without members opens nowhere
    write_bytes(job.note, json.dumps([asdict(o) for o in outcomes]).encode())
    return True, outcomes


def _samples(model: FaceModel, job: _Job, outcomes: list[Outcome]) -> Iterator[Sample]:
    """The shard's samples; adds to `outcomes` what became of each photograph."""
    for photograph, count in job.photographs:
        try:
            source = photograph.load()
        except MienError as error:
            outcomes.append(Outcome(photograph.photo, 0, str(error)))
            continue
        rig = Rig(model, source.crop, source.landmarks, source.neutral, source.template)
        confidence = round(rig.fit.confidence, 4)
        if not rig.fit.accepted:
            outcomes.append(Outcome(source.photo, 0, rig.fit.fault, confidence))
            continue
        yield from samples_of(rig, source, count, job.size, job.seed)
        outcomes.append(Outcome(source.photo, count, None, confidence))


def samples_of(rig: Rig, source: Source, count: int, size: int, seed: int) -> Iterator[Sample]:
    """`count` states of a photograph at `size` px: itself, then rows of the expression list."""
    still = PoseAndLight()
    yield _sample(source, rig, 0, (-1, rig.units, still), rig.original(size), seed)
    expressions = expression_list(seed)
    for state, row in enumerate(choose_states(seed, source.photo, count - 1), 1):
        pose_light = choose_pose_and_light(seed, source.photo, state, int(row)).within(
            rig.fit.camera
        )
        units = expressions[row]
        render = rig.render(units, size, pose_light=pose_light)
        yield _sample(source, rig, state, (int(row), units, pose_light), render, seed)


def _sample(
    source: Source,
    rig: Rig,
    state: int,
    shown: tuple[int, Float, PoseAndLight],
    render: Render,
    seed: int,
) -> Sample:
    row, units, pose_light = shown
    known = row >= 0 or source.neutral  # else the units are the fit's estimate
    facts = {
        "units": _plain(units, 6),
        "label": emotion_of(units) if known else None,
        "size": len(render.image),
        "landmarks": _plain(render.landmarks, 3),
        "camera": render.camera.to_dict(),
        "turn": list(pose_light.turn),
        "light": list(pose_light.light),
        "person": source.person,
        "photo": source.photo,
        "split": source.split,
        "source": source.origin,
        "licence": source.licence,
        "seed": seed,
        "state": state,
        "expression": row,
        "neutral": source.neutral,
        "confidence": round(rig.fit.confidence, 4),
    }
    side = len(render.image) // 2
    flow, seen = shrink_flow(np.stack(channels(render.flow)), render.visibility, 2)
    mouth = shrink(render.mouth, side)
    key = key_of(source.photo, state)
    return Sample(key, facts, render.image, merged(list(flow)), _byte(seen), _byte(mouth))


def _plain(values: Float, digits: int) -> Any:
    return np.round(values.astype(float), digits).tolist()


def _byte(share: Float) -> UInt8:
    return np.round(share * 255).astype(np.uint8)


@dataclass(frozen=True)
class _Rendering:
    """Shards as jobs."""

    model: FaceModel

    def open(self) -> Callable[[_Job], tuple[bool, list[Outcome]]]:
        return partial(_render, self.model)


def _run(
    model: FaceModel, jobs: Sequence[_Job], engine: Engine
) -> Iterator[tuple[bool, list[Outcome]]]:
    """Results of `jobs`, in their order."""
    for found in engine.map(_Rendering(model), jobs):
        if isinstance(found, Lost):
            photos = (p.photo for p, _ in found.job.photographs)
            yield True, [Outcome(photo, 0, found.reason) for photo in photos]
        else:
            yield found
