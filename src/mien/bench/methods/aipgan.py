"""What aipgan's two encoders see, on people never trained on.

    mien rig render --split test -o RENDERS
    mien bench aipgan --renders RENDERS [--weights FILE] -o out.json

*Landmarks*: photographs with hand-checked points are aligned as a user's would be; the 68 landmarks
that the expression code says are compared with the checked ones, in percent of the outer eye
corners' distance. *Intrinsic image*: eight expressions of each person; the variance of the image
between them, over that of the photographs at the same 64 px; and dlib's distance of the image to
the person's true face at rest, both at 64 px. Two distances stand beside it: the true face at rest
at 64 px to itself at full size, which is what 64 px cost, and the photographs under expressions to
the face at rest, which is what an image that took nothing away would reach.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor
from torch.nn import functional as F

from mien.bench.answers import conditions, write
from mien.bench.networks import network
from mien.bench.options import Out, RendersFolder, SplitName
from mien.data.loading import Renders, open_renders, to_tensor
from mien.errors import ConfigError
from mien.faces.align import align, transform
from mien.faces.detect import detect
from mien.judges.identity import descriptor
from mien.methods.aipgan.method import AIPGAN
from mien.methods.aipgan.networks import INTRINSIC
from mien.metrics.leakage import states
from mien.metrics.statistics import summarise
from mien.metrics.triples import faces_of
from mien.training.landmark_scores import checked_photographs, errors
from mien.types import Faces
from mien.zoo.records import digest, records


@torch.no_grad()
def landmarks(method: AIPGAN) -> dict[str, float]:
    """Mean error of each part over the photographs, percent of the outer eye corners' distance."""
    found = []
    for _, pixels, truth in checked_photographs("test"):
        crop = align(pixels, detect(pixels)[0], method.size)
        seen = Faces(to_tensor(crop.pixels)[None], torch.from_numpy(crop.landmarks)[None])
        said = method.landmarks(method.expression_encoder(seen.pixels)[0])[0] * method.size - 0.5
        found.append(errors(said.numpy(), transform(crop.matrix, truth)))
    out = {part: round(statistics.fmean(f[part] for f in found), 3) for part in found[0]}
    whole = [f["whole"] for f in found]
    return out | {
        "median_whole": round(statistics.median(whole), 3),
        "worst_whole": round(max(whole), 3),
        "photographs": len(found),
    }


def portraits(folder: Path, split: str) -> list[Renders]:
    """A photograph of each person who shows all emotions."""
    every = {p.person: p for p in open_renders(folder, split) if len(states(p)) == 7}
    return [every[person] for person in sorted(every)]


@torch.no_grad()
def intrinsic(method: AIPGAN, photos: list[Renders]) -> dict[str, Any]:
    """Variance between expressions, and identity, of the intrinsic image."""
    who = descriptor()
    rows: dict[str, list[float]] = {
        k: [] for k in ("variance_left", "to_rest", "photograph_to_rest", "rest_at_64_to_rest")
    }
    for photo in photos:
        shown = [photo.neutral_state(), *states(photo).values()]
        faces = faces_of([(photo, k) for k in shown], method.size)
        maps, _, _ = method.identity_encoder(faces.pixels)
        made = method.identity_encoder.intrinsic(maps[-1])
        small = F.interpolate(faces.pixels, size=(INTRINSIC, INTRINSIC), mode="area")
        rows["variance_left"].append(float(made.var(0).mean() / small.var(0).mean()))
        neutral = Faces(faces.pixels[:1], faces.landmarks[:1])
        true, image, coarse = (
            who.of(some, _at(faces.landmarks if len(some) > 1 else neutral.landmarks, some, method))
            for some in (small[:1], made, small)
        )
        rows["to_rest"] += (image - true).norm(dim=1).tolist()
        rows["photograph_to_rest"] += (coarse[1:] - true).norm(dim=1).tolist()
        fine = who.of(neutral.pixels, neutral.landmarks)
        rows["rest_at_64_to_rest"].append(float((fine - true).norm()))
    out = {}
    for name, values in rows.items():
        people = np.repeat([p.person for p in photos], len(values) // len(photos)).tolist()
        out[name] = asdict(summarise(values, people))
    return out | {"people": len(photos)}


def _at(points: Tensor, pictures: Tensor, method: AIPGAN) -> Tensor:
    """Landmarks px of a crop at the side of some pictures."""
    return (points + 0.5) * pictures.shape[-1] / method.size - 0.5


def command(
    renders: RendersFolder,
    out: Out,
    split: SplitName = "test",
    weights: Annotated[
        Path | None, typer.Option(help="Other weights than those that ship.")
    ] = None,
) -> None:
    """Measure, and write the answer."""
    method = network("aipgan", weights)
    if not isinstance(method, AIPGAN):
        raise ConfigError(f"{weights} holds another method's weights: give aipgan's")
    report = {
        **conditions(),
        "split": split,
        "weights": digest(weights) if weights else records()["aipgan"].sha256,
        "landmarks_percent_of_eye_corners": landmarks(method),
        "intrinsic": intrinsic(method, portraits(renders, split)),
    }
    print(json.dumps({k: v for k, v in report.items() if k != "command"}, indent=1))
    write(out, report, say=False)
