"""Which expression is asked for: the options of several commands, and the guide they make."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mien.errors import FaceNotFound, GuideError

if TYPE_CHECKING:
    from mien.editor import Editor
    from mien.guides import ExpressionSpec, Guide
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
    Path | None, typer.Option("--like", metavar="PHOTO", help="The expression of this face.")
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


Share: TypeAlias = Annotated[
    float, typer.Option("--share", help="How far --like is followed, 0 to 1; --to may go before.")
]
Expressed: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--expression",
        metavar="JSON",
        help="An expression kept in a file; options given beside it say more, or other.",
    ),
]


@dataclass(frozen=True)
class Asked:
    """An expression, and the reference photograph: who opens the editor can make it a
    guide."""

    spec: ExpressionSpec
    photo: Photo | None = None
    kept: str | None = None
    """What a whole expression leaves as it is, such as `speech`."""

    @property
    def words(self) -> str:
        """All that it asks for, in a line; of a photograph, what tells it from others."""
        facts = self.spec.to_json()
        if self.photo is not None:
            facts["like"] = hashlib.sha256(self.photo.pixels.tobytes()).hexdigest()
        return json.dumps((facts, self.kept), sort_keys=True)

    def guide(self, editor: Editor) -> Guide:
        """The guide; FaceNotFound if the photograph shows nobody."""
        reference = None
        if self.photo is not None:
            with naming("the reference"):
                reference = editor.reference(self.photo)
        return self.spec.guide(reference, self.kept)


def asked_for(
    expression: Path | None = None,
    *,
    au: Sequence[str] | None = None,
    like: Path | None = None,
    share: float = 1.0,
    blendshapes: Path | None = None,
    region: str = "face",
    kept: str | None = None,
    **more: str | None,
) -> Asked:
    """What the options ask for together, but for what is `kept` of speech; `more` are `to`, `gaze`,
    `turn` and `light` as they were typed.

    An option takes the place of what the file `expression` says of the same, units join its units.
    GuideError for nothing, for two whole expressions, or for what cannot be read.
    """
    from mien import images
    from mien.guides import Blendshapes, ExpressionSpec

    there = ExpressionSpec() if expression is None else ExpressionSpec.load(expression)
    given: dict[str, Any] = {key: value for key, value in more.items() if value is not None}
    if like is not None:
        given |= {"like": str(like), "share": share}
    elif share != 1:
        given["share"] = share
    if blendshapes is not None:
        given["blendshapes"] = dict(Blendshapes.read(blendshapes).weights)
    if au:
        given["au"] = list(au)
    if region != "face":
        given["region"] = region
    spec = there.but(given)
    if spec.empty:
        raise GuideError(
            "say which expression: --to LABEL, --au AU12=0.8, --like PHOTO or --expression JSON"
        )
    return Asked(spec, None if spec.like is None else images.read(Path(spec.like)), kept)


def kept_by(keep: str) -> str | None:
    """What a whole expression leaves as it is, by `--keep`; GuideError for another word."""
    kept = {"speech": "speech", "none": None}
    if keep not in kept:
        raise GuideError(f"cannot keep {keep!r}: choose from {', '.join(kept)}")
    return kept[keep]


def reference_in(editor: Editor, photo: Path) -> Guide:
    """The expression of a photograph; ImageError or FaceNotFound where it has none."""
    from mien import images

    with naming(photo):
        return editor.reference(images.read(photo))


@contextmanager
def naming(what: object) -> Iterator[None]:
    """A face that is not found is reported together with the photograph."""
    try:
        yield
    except FaceNotFound as error:
        raise FaceNotFound(f"{what}: {error}") from None
