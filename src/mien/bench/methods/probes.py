"""What the codes hold, and what is drawn from them, on people the method was never trained on.

    mien bench probes --data london --data grid -m mtss -m auswap \
        -m decoupling -m 'decoupling head=picture' -m aipgan=runs/aipgan.safetensors -o codes.json
    mien bench probes --renders RENDERS -m mtss -m auswap -o out.json

--data: photographs of people (test people of the sets that mien knows, all of another folder), in
the expressions that most of them show; frames of a spoken corpus. Of both codes: shares of their
variance by person and by expression, nearest neighbours, and what fresh probes name. Then faces
drawn by the method's own head are judged from outside (`mien.metrics.decoded`): given other
people's expressions, given labels, and with either code replaced by everybody's average. The rows
`pixels, 32 px`, `dlib` and `MediaPipe` say what a picture and the judges themselves reach. Tables
are beside the result (`codes.md`); --sheets takes pictures. The same command goes on where it
stopped; what an earlier one measured of other weights stays.

--renders: units are read from the identity code (the first of `Identity.features`: it should say
nothing) and from the expression code (it should say all); half of the people teach the probes, the
other half is judged. People are named from the expression code: even expressions teach, odd ones
are judged; chance is one over the number of people. No probe sees a person that taught the method.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from mien import images
from mien.bench.answers import conditions, write
from mien.bench.networks import entered
from mien.bench.options import Limit, Methods, Out, Seed, SplitName
from mien.data.loading import Renders, open_renders
from mien.errors import ConfigError
from mien.files import write_text
from mien.judges.identity import descriptor
from mien.judges.landmarker import landmarker
from mien.methods.learnt import Learnt
from mien.metrics import decoded
from mien.metrics.codes import (
    Crossed,
    by_chance,
    expression_code,
    holds,
    identity_code,
    of_folder,
    pixels_code,
)
from mien.metrics.decoded import Outsiders, Seen
from mien.metrics.folder import ALL, Folder
from mien.metrics.probes import read_people, read_units
from mien.metrics.protocols import Setting
from mien.metrics.report import Entrant, entrants
from mien.metrics.report import split as named_split
from mien.metrics.triples import faces_of

POOLED = 4
"""Side of the maps that attacks on identity codes read."""


@torch.no_grad()
def codes(method: Learnt, chosen: list[tuple[Renders, int]]) -> tuple[Tensor, Tensor]:
    """Identity codes (N, ...) and expression codes (N, D), half precision."""
    who, how = [], []
    for start in range(0, len(chosen), 32):
        faces = faces_of(chosen[start : start + 32], method.size)
        who.append(method.identity(faces).features[0].half())
        how.append(method.encode(faces).code.half())
    return torch.cat(who), torch.cat(how)


def attack(method: Learnt, photos: list[Renders], states: int, seed: int) -> dict[str, Any]:
    """All probes of a method's two codes on the people of `photos`."""
    rng = np.random.default_rng([seed, 13])
    people = sorted({p.person for p in photos})
    teachers = set(rng.permutation(people)[: len(people) // 2].tolist())
    number = {person: k for k, person in enumerate(people)}
    chosen = [
        (p, int(s)) for p in photos for s in rng.permutation([s for s in p.still if s > 0])[:states]
    ]
    order = rng.permutation(len(chosen))
    chosen = [chosen[k] for k in order]
    identity, expression = codes(method, chosen)
    units = torch.from_numpy(np.stack([p.units[s] for p, s in chosen]))
    moving = units.std(0) > 0
    teaches = torch.tensor([p.person in teachers for p, _ in chosen])
    person = torch.tensor([number[p.person] for p, _ in chosen])
    # no person's expression is in both halves, and no half has one that the other knows by heart
    even = torch.tensor([p.expression[s] % 2 == 0 for p, s in chosen])
    out: dict[str, Any] = {"faces": len(chosen), "people": len(people)}
    for name, code in (("identity", identity), ("expression", expression)):
        reached = read_units(
            (code[teaches], units[teaches][:, moving]),
            [p.person for p, _ in chosen if p.person in teachers],
            (code[~teaches], units[~teaches][:, moving]),
            seed=seed,
        )
        out[f"units_from_{name}_code"] = asdict(reached) | {"best": reached.best}
    for name, code in (("expression", expression), ("identity", identity)):
        code = code if code.ndim == 2 else torch.nn.functional.adaptive_avg_pool2d(code.float(), 4)
        named = read_people((code[even], person[even]), (code[~even], person[~even]), seed=seed)
        out[f"person_from_{name}_code"] = asdict(named) | {"best": named.best}
    out["person_chance"] = round(1 / len(people), 5)
    return out


def from_renders(
    chosen: list[Entrant], folder: Path, split: str, states: int, seed: int
) -> dict[str, Any]:
    """The table of --renders."""
    photos = open_renders(folder, split)
    table: dict[str, Any] = {}
    for one in chosen:
        table[one.row] = attack(entered(one), photos, states, seed)
        print(one.row, json.dumps(table[one.row]), flush=True)
    return table


@dataclass(frozen=True)
class Asked:
    """What is measured on photographs, whose, and where grids and the answer go."""

    data: Sequence[Path]
    split: str
    limit: int | None
    sheets: Path | None
    pictures: Sequence[str]
    out: Path


# ---- photographs --------------------------------------------------------------------------------


def measured(method: Learnt, data: Crossed, judges: Outsiders, known: Seen) -> dict[str, Any]:
    """Of one method on one set."""
    found: dict[str, Any] = {
        "draws_from_codes_alone": decoded.alone(method),
        "expression_code": holds(expression_code(method), data),
        "identity_code": holds(identity_code(method), data, identity_code(method, POOLED)),
        "by_reference": decoded.by_reference(method, data, judges, known),
        "lesions": decoded.lesions(method, data, judges, known),
    }
    return found | {"by_label": decoded.by_label(method, data, judges, known)}


def beside(data: Crossed, judges: Outsiders) -> dict[str, Any]:
    """What a picture and the judges themselves hold, as if they were codes."""
    return {
        "pixels, 32 px": holds(pixels_code(32), data),
        "dlib": holds(judges.people, data),
        "MediaPipe": holds(judges.shapes, data),
    }


def on_photographs(chosen: list[Entrant], asked: Asked, report: dict[str, Any]) -> None:
    """The tables of --data, added to the report after each method."""
    judges = Outsiders(descriptor(), landmarker())
    for place in asked.data:
        whose = ALL if asked.split == ALL else named_split(asked.split)
        folder = Folder.read(Setting(place, place, whose, asked.limit, folder=place))
        data = of_folder(folder)
        name = place.resolve().name
        section = report["photographs"].setdefault(name, {})
        if section.get("people", list(data.people)) != list(data.people):
            section.clear()  # of other people: --split or --limit was another
        n, m = data.shape
        section |= {
            "people": list(data.people), "expressions": list(data.expressions), "n": n, "m": m,
            "split": asked.split, "without_face": folder.without_face,
            "variance_of_noise": by_chance((n, m)),
            "chance": {"expression": round(1 / m, 4), "person": round(1 / n, 4)},
            "judges": {"who": judges.who.digest(), "what": judges.what.digest()},
        }  # fmt: skip
        rows, known = section.setdefault("rows", {}), judges.both(data.faces)
        section.setdefault("beside", None)
        section["beside"] = section["beside"] or beside(data, judges)
        for one in chosen:
            if rows.get(one.row, {}).get("sha256") == one.sha256:
                continue
            method = entered(one)
            rows[one.row] = {"sha256": one.sha256, "size": method.size}
            rows[one.row] |= measured(method, data, judges, known)
            if asked.sheets and name in asked.pictures:
                asked.sheets.mkdir(parents=True, exist_ok=True)
                plain = "".join(c if c.isalnum() else "_" for c in f"{name}_{one.row}")
                images.write(asked.sheets / f"{plain}.png", decoded.grid(method, data, known))
            print(name, one.row, flush=True)
            write_text(asked.out, json.dumps(report, indent=1) + "\n")
            write_text(asked.out.with_suffix(".md"), tables(report["photographs"]))


# ---- tables -------------------------------------------------------------------------------------

_CODES = (
    "| {} | variance by person | by expression | nearest stranger: same expression | nearest in "
    "another expression: same person | person named | expression named |\n" + "| --- " * 7 + "|\n"
)
_DRAWN = (
    "| {} | from codes alone | dlib's variance by source | by reference's person | by expression "
    "| MediaPipe's by source | by reference's person | by expression | identity distance | who is "
    "the source's | what is the reference's | expression left |\n" + "| --- " * 12 + "|\n"
)
_NAMED = (
    "| {} | dlib's variance by source | by label | MediaPipe's by source | by label | identity "
    "distance |\n" + "| --- " * 6 + "|\n"
)
_LESIONS = (
    "| {} | faces | dlib's variance by person | MediaPipe's by expression | identity distance | "
    "expression distance |\n" + "| --- " * 6 + "|\n"
)


def tables(sections: dict[str, Any], method: str = "") -> str:
    """What was measured, in Markdown; of one method, where it is named."""
    found = []
    for name, one in sections.items():
        rows = {row: r for row, r in one["rows"].items() if row.split()[0] == method or not method}
        shown = ", ".join(one["expressions"])
        heading = f"**{name}**: {one['n']} people, split {one['split']}, each {shown}"
        found += [heading, _held(one, rows), _shown(rows), _named(rows), _without(rows)]
    return "\n\n".join(part.rstrip("\n") for part in found) + "\n"


def _held(one: dict[str, Any], rows: dict[str, Any]) -> str:
    noise_p, noise_e = one["variance_of_noise"]
    person, expression = (_p(one["chance"][what]) for what in ("person", "expression"))
    text = _CODES.format("code") + (
        f"| noise | {noise_p:.2f} | {noise_e:.2f} | {expression} | {person} | {person} "
        f"| {expression} |\n"
    )
    for row, held in one["beside"].items():
        text += f"| {row} | {_codes(held)} |\n"
    for kind in ("expression", "identity"):
        for row, found in rows.items():
            text += f"| {row}, {kind} code | {_codes(found[f'{kind}_code'])} |\n"
    return text


def _shown(rows: dict[str, Any]) -> str:
    each = "".join(f"| {row} | {_drawn(found)} |\n" for row, found in rows.items())
    return _DRAWN.format("given others' expressions") + each


def _named(rows: dict[str, Any]) -> str:
    text = _NAMED.format("given the eight labels")
    for row, found in rows.items():
        made = found["by_label"]
        shares = [
            _n(None if made[judge] is None else made[judge][factor])
            for judge in ("who", "what")
            for factor in ("source", "label")
        ]
        text += f"| {' | '.join([row, *shares, _n(made['identity_distance'])])} |\n"
    return text


def _without(rows: dict[str, Any]) -> str:
    text = _LESIONS.format("drawn by")
    for row, found in rows.items():
        for what, each in found["lesions"].items():
            if what != "photographs" or row == next(iter(rows)):
                text += f"| {row if what != 'photographs' else ''} | {what} | {_lesion(each)} |\n"
    return text


def _codes(held: dict[str, Any]) -> str:
    near = held["nearest"]
    return " | ".join(
        (
            f"{held['variance_by_person']:.2f}", f"{held['variance_by_expression']:.2f}",
            _p(near["expression"]), _p(near["person"]),
            _p(held["person_named"]["best"]), _p(held["expression_named"]["best"]),
        )
    )  # fmt: skip


def _drawn(found: dict[str, Any]) -> str:
    made = found["by_reference"]
    shares = [
        _n(None if made[judge] is None else made[judge][factor])
        for judge in ("who", "what")
        for factor in ("source", "reference", "expression")
    ]
    cells = [
        "yes" if found["draws_from_codes_alone"] else "no", *shares,
        _n(made["identity_distance"]), _p(made["swap_who_is_the_sources"]),
        _p(made["swap_what_is_the_references"]), _n(made["expression_left"]),
    ]  # fmt: skip
    return " | ".join(cells)


def _lesion(each: dict[str, Any]) -> str:
    who, what = each["who"], each["what"]
    return " | ".join(
        (
            _n(None if who is None else who["person"]),
            _n(None if what is None else what["expression"]),
            _n(each["identity_distance"]), _n(each["expression_distance"]),
        )
    )  # fmt: skip


def _p(value: float | None) -> str:
    return "not seen" if value is None else f"{100 * value:.0f} %"


def _n(value: float | None) -> str:
    return "not seen" if value is None else f"{value:.2f}"


def command(
    methods: Methods,
    out: Out,
    data: Annotated[list[Path] | None, typer.Option(help="Photographs; repeat.")] = None,
    renders: Annotated[Path | None, typer.Option(help="Renders of the test people.")] = None,
    split: SplitName = "test",
    limit: Limit = None,
    states: Annotated[int, typer.Option(help="Expressions a photograph at most.")] = 20,
    sheets: Annotated[
        Path | None, typer.Option(help="Folder for grids of people and expressions.")
    ] = None,
    pictures: Annotated[
        list[str] | None, typer.Option(help="Folders' names of which grids are drawn.")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Measure, and write the answer."""
    if not data and not renders:
        raise ConfigError("say what is measured on: --data FOLDER or --renders FOLDER")
    chosen = entrants(methods)
    kept = json.loads(out.read_text("utf-8")) if out.is_file() else {}
    weights = {**kept.get("weights", {}), **{one.row: one.sha256 for one in chosen}}
    report: dict[str, Any] = {**conditions(), "weights": weights}
    if renders:
        report |= {"split": split, "table": from_renders(chosen, renders, split, states, seed)}
    if data:
        report["photographs"] = kept.get("photographs", {})
        asked = Asked(data, split, limit, sheets, pictures or ["london"], out)
        on_photographs(chosen, asked, report)
    write(out, report, say=False)
