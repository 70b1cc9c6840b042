"""An expression of the studio in other words: as a command, as Python, as a file."""

from __future__ import annotations

import json
import shlex

from mien.guides import ExpressionSpec
from mien.guides.spec import FORMS
from mien.methods.registry import split_head


def as_file(spec: ExpressionSpec) -> str:
    """The JSON file that `mien edit --expression` takes."""
    return json.dumps(spec.to_json(), indent=1) + "\n"


def as_command(spec: ExpressionSpec, intensity: float, photo: str, method: str) -> str:
    """The call of `mien edit` that does the same by a method. Blendshapes have no option of their
    own, so their file is named."""
    said = ["mien", "edit", photo]
    if spec.blendshapes is not None:
        said += ["--expression", "expression.json"]
    else:
        said += _options(spec)
        if intensity != 1:
            said += ["--intensity", f"{intensity:g}"]
    name, choice = split_head(method)
    said += ["-m", name, *(word for k, v in choice.items() for word in ("--set", f"{k}={v}"))]
    return shlex.join([*said, "-o", f"{photo.rpartition('.')[0] or photo}-mien.png"])


def as_python(spec: ExpressionSpec, intensity: float, photo: str, method: str) -> str:
    """The lines of Python that do the same."""
    name, choice = split_head(method)
    loaded = "".join(f", {key}={value!r}" for key, value in choice.items())
    reference = "" if spec.like is None else f"editor.reference({spec.like!r})"
    return (
        "import mien\n\n"
        f"editor = mien.Editor(mien.load({name!r}{loaded}))\n"
        f"spec = mien.ExpressionSpec.of({spec.to_json()!r})\n"
        f"result = editor.edit({photo!r}, spec.guide({reference}), {intensity:g})\n"
        f'result.save("{json.dumps(photo)[1:-1].rpartition(".")[0]}-mien.png")\n'
    )


def _options(spec: ExpressionSpec) -> list[str]:
    said = []
    if spec.to is not None:
        said += ["--to", spec.to]
    if spec.like is not None:
        said += ["--like", spec.like]
    if spec.share != 1:
        said += ["--share", f"{spec.share:g}"]
    for unit in spec.au:
        said += ["--au", unit]
    for field in FORMS:
        values = getattr(spec, field)
        if values is not None:
            # a value that begins with a minus is no option of its own
            said.append(f"--{field}={','.join(f'{v:g}' for v in values)}")
    return said if spec.region == "face" else [*said, "--region", spec.region]
