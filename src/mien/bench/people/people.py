r"""How near mixed people are to photographs, what becomes of what is asked, and who was refused.

    mien bench features lite0 -o lite0.safetensors
    mien people --from LONDON --count 41 -e neutral --size 512 --seed 1 -o REST
    mien bench people --people REST --photographs LONDON \
        --perceptual lite0.safetensors -o benchmarks/results/people.json
    mien people --from LONDON --count 32 -e all --size 512 --seed 1 --whole -o PAGE
    mien bench people --people PAGE --page -o docs/images/people.jpg

`--people` may be repeated. Photographs, all of the set, are cut and resampled to the pictures' own
size as the mixing does it; both go through JPEG of quality 90. Features: EfficientNet-Lite0's
(ImageNet), which teaches nothing else here, means over the whole picture and over the face after
four of its blocks (the critic's also their deviations).

- `frechet`: distance of invented people to photographs, and of other photographs of other people to
  the same ones; medians over random halves. The invented are drawn so that genders and ethnicities
  are those of the photographs in whose place they stand, as far as there are any.
- `critic`: a fresh one (ridge regression; its strength found inside the training folds), asked
  about people that it did not see: a mixed person stands with the photograph that gives hair and
  clothes. As many photographs as invented people of each gender and ethnicity. Half is chance.
  Every invented picture carries mien's invisible mark, which a critic finds whoever is shown. So
  first both carry it, which leaves the people to tell apart; then the photographs are as they are
  delivered, without; last the mark alone, in the same photographs with it and without.
- `identity`: the distance of every picture, as it lies on disk, to everybody who may be mixed.
- `labels`: of pictures with a whole label other than rest, in how many the judges read it.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from PIL import Image
from safetensors.numpy import load_file, save_file
from torch import Tensor

from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.edits.critic import as_jpeg, critic
from mien.bench.options import Lite0, Out, Work
from mien.data.adapters import DATASETS
from mien.errors import DataError, FaceNotFound
from mien.faces.align import align
from mien.faces.detect import choose, detect, face_of
from mien.files import replacing
from mien.judges import perceptual
from mien.judges.identity import SIZE, descriptor
from mien.metrics.sets import frechet
from mien.nn.tensors import from_levels
from mien.people.folder import kept
from mien.people.mixing import portrait
from mien.people.sources import SourcePhotograph, pool
from mien.provenance import mark
from mien.types import Face, Float, UInt8

DRAWS, SIDE = 20, 320
"""Random halves; side, px, of the faces."""
LEAST_GROUP = 3
"""People of a gender and ethnicity without whom it is left out of what is matched."""
Notes = Sequence[dict[str, Any]]
Group = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """Pictures' features: by region means and deviations (N, D) after each block; of whom."""

    features: Mapping[str, np.ndarray]
    groups: Sequence[Group]
    people: Sequence[str]

    def means(self, region: str) -> Tensor:
        """Features (N, D / 2) without deviations."""
        found = self.features[region]
        return torch.from_numpy(found[:, : found.shape[1] // 2])


def notes_of(folders: Sequence[Path]) -> Notes:
    """What was noted of each person, with `folder`; DataError where there is nobody."""
    found = []
    for folder in folders:
        for path in sorted(folder.glob("*/person.json")):
            note = kept(path)
            if note is not None:
                found.append({**note, "folder": str(path.parent)})
    if not found:
        raise DataError(f"no people in {', '.join(map(str, folders))}: make some by `mien people`")
    return found


@dataclass(frozen=True)
class Looking:
    """What a network sees of pictures; kept in a folder, if there is one, by the picture."""

    net: perceptual.Perceptual
    work: Path | None

    def at(self, pixels: UInt8) -> dict[str, np.ndarray]:
        """Features (D,) of a whole picture and of its face; FaceNotFound without one."""
        (face,) = choose(detect(pixels), "largest")
        return {"whole": self.of(pixels), "face": self.of(align(pixels, face, SIDE).pixels)}

    def of(self, pixels: UInt8) -> np.ndarray:
        """Features (D,) of a picture as it is."""
        if self.work is None:
            return look(self.net, pixels)
        path = self.work / f"{hashlib.sha256(pixels.tobytes()).hexdigest()[:24]}.safetensors"
        if not path.is_file():
            with replacing(path) as part:
                save_file({"features": look(self.net, pixels)}, part)
        return np.asarray(load_file(path)["features"])


def look(net: perceptual.Perceptual, pixels: UInt8) -> np.ndarray:
    """Features (D,) of a picture that was coded as JPEG: means, then deviations."""
    coded = torch.from_numpy(as_jpeg(pixels.astype(np.float64)).copy())
    with torch.inference_mode():
        maps = net.net(from_levels(coded).permute(2, 0, 1)[None])
    parts = [m.mean((2, 3))[0] for m in maps] + [m.std((2, 3))[0] for m in maps]
    return torch.cat(parts).double().numpy()


def invented(net: Looking, notes: Notes, emotion: str) -> Shown:
    """Everybody's accepted picture with a whole emotion."""
    rows = []
    for note in notes:
        for row in note["pictures"]:
            if row["emotion"] == emotion and row["intensity"] == 1 and row["affect"] is None:
                pixels = images.read(Path(note["folder"]) / row["file"]).pixels
                frame = note["skin"][note["recipe"]["frame"]]
                rows.append((net.at(pixels), tuple(note["group"].values()), frame))
                break
    return _shown(rows)


def photographs(net: Looking, folder: Path, emotion: str, size: int, marked: bool) -> Shown:
    """All photographs of the set with an emotion, at the pictures' own size; `marked` as those
    are."""
    known = {p.person: p for s in ("train", "validation", "test") for p in pool([str(folder)], s)}
    rows = []
    for record in DATASETS["london"].records(folder):
        if record.emotion != emotion or record.person not in known:
            continue
        pixels = images.read(folder / record.file_name).pixels
        try:
            face = face_of(pixels, record.landmarks)
            shown = portrait(pixels, face, size)
            if marked:
                (found,) = choose(detect(shown), "largest")
                shown = mark.embed(shown, 255 - shown, [found])
            rows.append((net.at(shown), group_of(known[record.person]), record.person))
        except FaceNotFound as error:
            print(record.file_name, error)
    return _shown(rows)


def group_of(photograph: SourcePhotograph) -> Group:
    """Gender and ethnicity, by the set's table."""
    return (photograph.gender or "", "/".join(photograph.ethnicity))


def _shown(rows: Sequence[tuple[dict[str, np.ndarray], Group, str]]) -> Shown:
    if not rows:
        raise DataError("no picture with this emotion")
    regions = {r: np.stack([row[0][r] for row in rows]) for r in rows[0][0]}
    return Shown(regions, [row[1] for row in rows], [row[2] for row in rows])


def distances(made: Shown, real: Shown, region: str) -> dict[str, Any]:
    """Fréchet distances over random halves of the photographs, by equal numbers."""
    random = np.random.default_rng(0)
    a, b = made.means(region), real.means(region)
    size = min(len(b) // 2, len(a))
    rows = []
    for _ in range(DRAWS):
        order = random.permutation(len(b))
        one, other = order[:size], order[size : 2 * size]
        some = _like([real.groups[i] for i in other], made.groups, random)
        rows.append((frechet(a[some], b[one]), frechet(b[other], b[one])))
    far, between = np.median(rows, axis=0)
    ratios = np.array(rows)[:, 0] / np.array(rows)[:, 1]
    return {
        "pictures": size, "invented to photographs": round(float(far), 4),
        "photographs to photographs of others": round(float(between), 4),
        "ratio": round(float(np.median(ratios)), 3),
        "ratio, least and most": [round(float(v), 3) for v in (ratios.min(), ratios.max())],
    }  # fmt: skip


def _like(
    wanted: Sequence[Group], given: Sequence[Group], random: np.random.Generator
) -> list[int]:
    """As many of the given as are wanted, of the same groups while there are any."""
    left: dict[Group, list[int]] = defaultdict(list)
    for i in random.permutation(len(given)):
        left[given[int(i)]].append(int(i))
    found, lacking = [], 0
    for group in wanted:
        if left[group]:
            found.append(left[group].pop())
        else:
            lacking += 1
    rest = [i for group in left.values() for i in group]
    return found + [int(i) for i in random.permutation(rest)[:lacking]]


def judged(made: Shown, real: Shown, region: str) -> dict[str, Any]:
    """What a fresh critic tells right of equally many of each group."""
    random = np.random.default_rng(0)
    count = Counter(made.groups) & Counter(real.groups)
    chosen: list[list[int]] = [[], []]
    for group in sorted(g for g, n in count.items() if n >= LEAST_GROUP):
        for side, shown in zip(chosen, (made, real), strict=True):
            of = [i for i, g in enumerate(shown.groups) if g == group]
            side += [int(i) for i in random.permutation(of)[: count[group]]]
    x = np.concatenate([made.features[region][chosen[0]], real.features[region][chosen[1]]])
    y = np.repeat([-1.0, 1.0], [len(chosen[0]), len(chosen[1])])
    people = np.array([made.people[i] for i in chosen[0]] + [real.people[i] for i in chosen[1]])
    right, spread = critic(x, y, people)
    return {"pictures of each": len(chosen[0]), "right": round(right, 3),
            "spread over foldings": round(spread, 3)}  # fmt: skip


def identity(notes: Notes, folder: Path, work: Path | None) -> dict[str, Any]:
    """The least distance of each picture to everybody who may be mixed, measured anew."""
    judge = descriptor()

    def who(pixels: UInt8, face: Face) -> Float:
        crop = align(pixels, face, SIZE)
        return judge.one(crop.pixels, crop.landmarks)

    def seen(note: dict[str, Any]) -> Iterator[Float]:
        for row in note["pictures"]:
            pixels = images.read(Path(note["folder"]) / row["file"]).pixels
            yield who(pixels, choose(detect(pixels), "largest")[0])

    real = np.stack([
        who(pixels, face_of(pixels, p.landmarks))
        for p in pool([str(folder)]) for pixels in [images.read(p.photo).pixels]
    ])  # fmt: skip
    least: list[float] = []
    for note in notes:
        digest = hashlib.sha256((Path(note["folder"]) / "person.json").read_bytes()).hexdigest()
        path = work and work / f"identity-{digest[:24]}.json"
        done = kept(path) if path else None
        if done is None:
            done = {"least": [float(np.linalg.norm(real - w, axis=1).min()) for w in seen(note)]}
            if path:
                path.write_text(json.dumps(done), encoding="utf-8")
        least += done["least"]
    return {
        "pictures": len(least), "people who may be mixed": len(real),
        "least": round(min(least), 4), "median": round(float(np.median(least)), 4),
        "share of 0.45 and more": round(float(np.mean(np.array(least) >= 0.45)), 5),
    }  # fmt: skip


def labels(notes: Notes) -> dict[str, Any]:
    """In which share of whole labels other than rest the judges read what was asked: of the seven
    together, and of each label and variant."""
    asked: dict[str, list[list[bool]]] = defaultdict(list)
    for note in notes:
        for row in note["pictures"]:
            label = row["emotion"]
            if label not in (None, "neutral") and row["intensity"] == 1 and row["affect"] is None:
                asked[row["asked"]].append([row["read"][j]["emotion"] == label for j in "ab"])
    plain = [right for label in facs.EMOTIONS for right in asked.get(label, ())]
    if not plain:
        return {"pictures": 0}
    return {
        "pictures": len(plain), **_shares(plain),
        "by label": {label: _shares(asked[label]) for label in sorted(asked)},
    }  # fmt: skip


def _shares(right: Sequence[Sequence[bool]]) -> dict[str, float]:
    """Of readings right by judge a and by judge b."""
    a, b = np.array(right).T
    shares = {"judge a": a, "judge b": b, "both": a & b, "either": a | b}
    return {name: round(float(found.mean()), 3) for name, found in shares.items()}


def acceptance(notes: Notes) -> dict[str, Any]:
    """How many portraits, people and pictures came of what was tried, by group too."""
    made = [n for n in notes if n["pictures"]]
    drawn: Counter[str] = Counter()
    for note in notes:
        drawn[" ".join(note["group"].values())] += note.get("attempts", len(note["refused"]))
    people = Counter(" ".join(n["group"].values()) for n in made)
    taken = sum(len(n["pictures"]) for n in made)
    lost = sum(not line.startswith("attempt") for n in made for line in n["refused"])
    return {
        "people": len(made), "given up": len(notes) - len(made),
        "portraits drawn": sum(drawn.values()),
        "share of portraits taken": round(len(made) / sum(drawn.values()), 3),
        "pictures": taken, "pictures refused of people who were made": lost,
        "share of pictures taken": round(taken / (taken + lost), 3),
        "by group: made, portraits drawn": {g: [people[g], drawn[g]] for g in sorted(drawn)},
    }  # fmt: skip


def draw_page(notes: Notes, out: Path, side: int) -> None:
    """Everybody in order, none left out, under all labels; a picture that was refused stays
    grey."""
    across = next(n for n in (2, 3, 1) if len(notes) % n == 0)
    cells: list[UInt8] = []
    lacking = 0
    for note in notes:
        for label in facs.EMOTIONS:
            path = Path(note["folder"]) / f"{label}.png"
            if not path.is_file():
                cells.append(np.full((side, side, 3), 128, np.uint8))
                lacking += 1
                continue
            pixels = images.read(path).pixels
            middle = pixels[round(0.12 * len(pixels)) :, round(0.18 * len(pixels)) :]
            middle = middle[: round(0.66 * len(pixels)), : round(0.66 * len(pixels))]
            small = cv2.resize(middle, (side, side), interpolation=cv2.INTER_AREA)
            cells.append(np.asarray(small, np.uint8))
    width = across * len(facs.EMOTIONS)
    rows = [np.concatenate(cells[i : i + width], 1) for i in range(0, len(cells), width)]
    with replacing(out) as part:
        Image.fromarray(np.concatenate(rows)).save(part, "JPEG", quality=85, optimize=True)
    print(f"{out}: {len(notes)} people, {lacking} pictures that were refused")


def command(
    people: Annotated[list[Path], typer.Option(help="Folder of `mien people`; may be repeated.")],
    out: Out,
    london: Annotated[
        Path | None,
        typer.Option("--photographs", help="The London Set, whom they are mixed from."),
    ] = None,
    lite0: Lite0 = None,
    page: Annotated[bool, typer.Option(help="Draw everybody instead of measuring.")] = False,
    work: Work = None,
    side: Annotated[int, typer.Option(help="Of the page's pictures, px.")] = 84,
) -> None:
    """Measure, and write the answer."""
    notes = notes_of(people)
    if page:
        draw_page(notes, out, side)
        return
    if london is None or lite0 is None:
        raise DataError("measuring needs --photographs and --perceptual")
    torch.set_num_threads(1)
    net = perceptual.load(lite0)
    size = len(images.read(next(people[0].glob("*/neutral.png"))).pixels)
    found: dict[str, Any] = {
        **conditions(), "seeds": [(kept(f / "settings.json") or {})["seed"] for f in people],
        "size": size, "acceptance": acceptance(notes), "labels": labels(notes),
        "identity": identity(notes, london, work),
        "features": "EfficientNet-Lite0, ImageNet, after blocks "
        + ", ".join(map(str, perceptual.STAGES)),
    }  # fmt: skip
    shown = {row["emotion"] for note in notes for row in note["pictures"]}
    for emotion in sorted(shown & {"neutral", "happy"}):
        made = invented(Looking(net, work), notes, emotion)
        real, alike = (
            photographs(Looking(net, work), london, emotion, size, marked)
            for marked in (False, True)
        )
        found[emotion] = {
            region: {
                "frechet": distances(made, real, region),
                "critic": {
                    "both marked": judged(made, alike, region),
                    "as delivered, photographs without the mark": judged(made, real, region),
                    "the mark alone": judged(alike, real, region),
                },
            }
            for region in ("whole", "face")
        }
    write(out, found)
