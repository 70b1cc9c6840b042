"""Which expression is asked for: the options of several commands, and the guide they make."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from mien.errors import FaceNotFound, GuideError

if TYPE_CHECKING:
    from mien.editor import Editor
    from mien.guides import Guide
    from mien.images import Photo

To: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--to",
        metavar="LABEL",
        help="neutral, happy, sad, surprise, fear, anger, disgust, contempt; or a variant, "
        "such as happy:closed or anger:open.",
    ),
]
Units: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--au", metavar="AU=VALUE", help="AU12=0.8, AU4=+0.3, AU12L=C; repeat it for more units."
    ),
]
Like: TypeAlias = Annotated[
    Path | None, typer.Option("--like", metavar="PHOTO", help="Lend this face's expression.")
]
Shapes: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--blendshapes", metavar="JSON", help='ARKit\'s blendshapes: {"jawOpen": 0.4, ...}.'
    ),
]
Look: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--gaze", metavar="LEFT,UP", help="Where the eyes look, -1 to 1 each; 0,0 is ahead."
    ),
]
Turn: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--turn", metavar="PITCH,YAW,ROLL", help="Turn the head by degrees: up, left, tilted left."
    ),
]
Light: TypeAlias = Annotated[
    str | None,
    typer.Option("--light", metavar="LEFT,UP", help="Move the key light, -1 to 1 each."),
]
Region: TypeAlias = Annotated[
    str,
    typer.Option("--region", help="Which part may change: `face`, `upper` or `lower`."),
]


@dataclass(frozen=True)
class Asked:
    """A guide, but for a photograph that is to lend its expression: who opens the editor can make
    it one."""

    whole: Guide | None
    """A whole expression, if one is named."""
    parts: tuple[Guide, ...]
    """What is asked for on top of it: units, a gaze, a turned head."""
    lender: Photo | None = None
    """A photograph that lends a whole expression."""
    kept: str | None = None
    """What a whole expression leaves as it is, such as `speech`."""
    held: str | None = None
    """What stays as it is in any case: the `upper` or the `lower` face."""

    @property
    def words(self) -> str:
        """All that it asks for, in a line; of a photograph, what tells it from others."""
        guides = (*(() if self.whole is None else (self.whole,)), *self.parts)
        told = [guide.describe() for guide in guides]
        if self.lender is not None:
            told.insert(0, hashlib.sha256(self.lender.pixels.tobytes()).hexdigest())
        return " ".join((*told, self.kept or "", self.held or ""))

    def guide(self, editor: Editor) -> Guide:
        """The guide; FaceNotFound if the photograph shows nobody."""
        from mien.guides import Composed, Held

        whole = self.whole
        if self.lender is not None:
            with naming("the reference"):
                whole = editor.reference(self.lender)
        if whole is not None and self.kept is not None:
            whole = Held(whole, self.kept)  # what is asked for by itself is meant
        parts = (*(() if whole is None else (whole,)), *self.parts)
        made = parts[0] if len(parts) == 1 else Composed(parts)
        return made if self.held is None else Held(made, self.held)


def asked_for(
    to: str | None = None,
    au: Sequence[str] | None = None,
    like: Path | None = None,
    blendshapes: Path | None = None,
    gaze: str | None = None,
    turn: str | None = None,
    light: str | None = None,
    kept: str | None = None,
    held: str | None = None,
) -> Asked:
    """What the options ask for together: a whole expression at most, and on top of it units, a
    gaze, a turned head, but for what is `kept` of speech and the part that is `held`.

    GuideError for none, for two expressions, or for one that cannot be read.
    """
    from mien import images
    from mien.guides import ActionUnits, Blendshapes, Gaze, Label, Staging

    whole = {"--to": to, "--like": like, "--blendshapes": blendshapes}
    given = [name for name, value in whole.items() if value]
    if len(given) > 1:
        raise GuideError(f"{' and '.join(given)} exclude one another: give one of them")
    expression: Guide | None = None if to is None else Label(to)
    if blendshapes is not None:
        expression = Blendshapes.read(blendshapes)
    parts: list[Guide] = []
    if au:
        parts.append(ActionUnits.parse(*au))
    if gaze is not None:
        left, up = _numbers("--gaze", gaze, "LEFT,UP", 2)
        parts.append(Gaze(left, up))
    if turn is not None or light is not None:
        pitch, yaw, roll = _numbers("--turn", turn or "0,0,0", "PITCH,YAW,ROLL", 3)
        key, up = _numbers("--light", light or "0,0", "LEFT,UP", 2)
        parts.append(Staging((pitch, yaw, roll), (key, up)))
    if not parts and like is None and expression is None:
        raise GuideError("say which expression: --to LABEL, --au AU12=0.8, or --like PHOTO")
    lender = None if like is None else images.read(like)
    return Asked(expression, tuple(parts), lender, kept, held)


def held_by(region: str) -> str | None:
    """The part of the face that stays, by `--region`; GuideError for another word."""
    regions = {"face": None, "upper": "lower", "lower": "upper"}
    if region not in regions:
        raise GuideError(f"unknown region {region!r}: choose from {', '.join(regions)}")
    return regions[region]


def kept_by(keep: str) -> str | None:
    """What a whole expression leaves as it is, by `--keep`; GuideError for another word."""
    kept = {"speech": "speech", "none": None}
    if keep not in kept:
        raise GuideError(f"cannot keep {keep!r}: choose from {', '.join(kept)}")
    return kept[keep]


def _numbers(option: str, text: str, form: str, count: int) -> list[float]:
    try:
        values = [float(part) for part in text.replace(",", " ").split()]
    except ValueError:
        values = []
    if len(values) != count:
        raise GuideError(f"cannot read {option} {text!r}: write {form}, such as {_SUCH[option]}")
    return values


_SUCH = {"--gaze": "0.5,0", "--turn": "0,10,0", "--light": "0.5,0.3"}


@contextmanager
def naming(what: object) -> Iterator[None]:
    """A face that is not found is told together with the photograph."""
    try:
        yield
    except FaceNotFound as error:
        raise FaceNotFound(f"{what}: {error}") from None
