"""A folder of invented people as a data set to hand on: Parquet that `datasets` opens, WebDataset
shards, a manifest of what was made and of what was refused, a card.

    <out>/README.md                     the card; its head tells `datasets` where the splits are
    <out>/data/<split>-00000.parquet    pictures and all that is known of them
    <out>/webdataset/<split>-00000.tar  the same: KEY.png beside KEY.json
    <out>/manifest.jsonl                the same without the pictures
    <out>/refused.jsonl                 what was drawn and not taken, with the reason
    <out>/samples.jpg                   the first people at rest and under what they are asked

The bytes depend on the folder alone, not on who made it in which order.
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from mien import facs, images
from mien.data.split import split_of
from mien.errors import AssetMissing, DataError
from mien.files import replacing, write_text
from mien.people import card
from mien.people.folder import SETTINGS, kept
from mien.people.invented import NOTE
from mien.rig.shards import write_shard

PER_SHARD = 1000
"""Pictures of a file."""
ROWS = 64
"""Pictures that are in memory at once."""
SHOWN = 6, 8
"""People and pictures of each in the card's sample, at most."""
CELL = 160
"""Side of one of them, px."""
LISTS = ("units_asked", "units_read_a", "units_read_b", "shares")
NUMBERS = ("intensity", "valence", "arousal", "noise", "age", "distance")
WHOLE = ("seed", "number")


@dataclass(frozen=True)
class Packed:
    """One picture: its facts, and its file."""

    facts: dict[str, Any]
    path: Path

    @property
    def key(self) -> str:
        """Its name in a shard."""
        return str(self.facts["file_name"]).removesuffix(".png").replace("/", "-").replace(".", "_")

    def members(self) -> Iterator[tuple[str, bytes]]:
        """Ending and content of its files in a shard."""
        yield "json", json.dumps(self.facts, sort_keys=True, separators=(",", ":")).encode()
        yield "png", self.path.read_bytes()


def check() -> None:
    """AssetMissing if what writes Parquet is not installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise AssetMissing("Parquet needs pyarrow: pip install 'mien[parquet]'")


def pack(folder: Path, out: Path) -> int:
    """Write the people of a folder that `invented.write` filled into `out`; the number of pictures.

    Raises:
        AssetMissing: pyarrow is not installed.
        DataError: the folder holds no invented people, or `out` cannot be written.
    """
    check()
    settings = kept(folder / SETTINGS)
    notes = [n for p in sorted(folder.glob(f"*/{NOTE}")) if (n := kept(p)) is not None]
    if settings is None or not notes:
        raise DataError(f"{folder} holds no people that `mien people` mixed")
    pictures = [p for note in notes for p in _pictures(folder, settings, note)]
    refused = [row for note in notes for row in _refused(note)]
    try:
        for split, group in groupby(sorted(pictures, key=_split), key=_split):
            for i, chosen in enumerate(_batches(group, PER_SHARD)):
                write_shard(out / "webdataset" / f"{split}-{i:05d}.tar", chosen)
                _parquet(out / "data" / f"{split}-{i:05d}.parquet", chosen)
        sample = _sample(folder, notes)
        if sample:
            images.write(out / "samples.jpg", np.concatenate(sample), metadata={"method": "people"})
    except OSError as error:
        raise DataError(f"cannot write {out}: {error.strerror or error}") from None
    write_text(out / "manifest.jsonl", "".join(json.dumps(p.facts) + "\n" for p in pictures))
    write_text(out / "refused.jsonl", "".join(json.dumps(row) + "\n" for row in refused))
    write_text(out / "README.md", card.text(settings, notes, [p.facts for p in pictures], refused))
    return len(pictures)


def _agreed(row: dict[str, Any]) -> str:
    """How many judges read a picture's label, in words; empty where it has none."""
    if row["emotion"] is None:
        return ""
    count = sum(seen["emotion"] == row["emotion"] for seen in row["read"].values())
    return f"; {count} of two judges read {row['emotion']}"


def _split(picture: Packed) -> str:
    return str(picture.facts["split"])


def _pictures(folder: Path, settings: dict[str, Any], note: dict[str, Any]) -> Iterator[Packed]:
    """Every accepted picture of a person with its facts."""
    number = note["person"].rpartition("-")[2]
    least = f"at least {settings['least']:g} from everybody who may be mixed"
    for row in note["pictures"]:
        valence, arousal = row["affect"] or (None, None)
        read = row["read"]
        facts = {
            "file_name": f"{number}/{row['file']}", "person": note["person"],
            "split": split_of(note["person"]), "emotion": row["emotion"], "asked": row["asked"],
            "intensity": row["intensity"], "valence": valence, "arousal": arousal,
            "noise": row["noise"], "background": row.get("background"), "units_asked": row["units"],
            "emotion_read_a": read["a"]["emotion"], "units_read_a": read["a"]["units"],
            "emotion_read_b": read["b"]["emotion"], "units_read_b": read["b"]["units"],
            "gender": note["group"].get("gender"), "ethnicity": note["group"].get("ethnicity"),
            "age": note["age"], "licence": note["licence"], "origin": note["origin"],
            "sources": note["sources"], "skin": note["skin"], "shares": note["recipe"]["shares"],
            "seed": settings["seed"], "number": int(number), "method": settings["method"],
            "weights": settings["weights"], "nearest": row["nearest"],
            "distance": row["distance"],
            "accepted": f"{row['distance']:.3f} from {row['nearest']}, {least}{_agreed(row)}",
        }  # fmt: skip
        yield Packed(facts, folder / facts["file_name"])


def _refused(note: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for line in note["refused"]:
        what, _, reason = line.partition(": ")
        yield {"person": note["person"], **note["group"], "what": what, "reason": reason}


def _parquet(path: Path, pictures: Sequence[Packed]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    schema = _schema(list(pictures[0].facts))
    with (
        replacing(path) as part,
        parquet.ParquetWriter(part, schema, compression="zstd") as writer,
    ):
        for some in _batches(pictures, ROWS):
            rows = [
                {"image": {"bytes": p.path.read_bytes(), "path": p.facts["file_name"]}, **p.facts}
                for p in some
            ]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def _batches(pictures: Iterable[Packed], size: int) -> Iterator[list[Packed]]:
    waiting = iter(pictures)
    while some := list(islice(waiting, size)):
        yield some


def _schema(names: Sequence[str]) -> Any:
    """Columns, and what `datasets` has to know of them."""
    import pyarrow as pa

    def of(name: str) -> tuple[Any, dict[str, Any]]:
        if name in LISTS:
            return pa.list_(pa.float32()), {"feature": {"dtype": "float32", "_type": "Value"},
                                            "_type": "List"}  # fmt: skip
        if name in ("sources", "skin"):
            return pa.list_(pa.string()), {"feature": {"dtype": "string", "_type": "Value"},
                                           "_type": "List"}  # fmt: skip
        kind = "float32" if name in NUMBERS else "int64" if name in WHOLE else "string"
        return pa.type_for_alias(kind), {"dtype": kind, "_type": "Value"}

    fields = [pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    features: dict[str, Any] = {"image": {"_type": "Image"}}
    for name in names:
        form, features[name] = of(name)
        fields.append(pa.field(name, form))
    about = {
        "huggingface": json.dumps({"info": {"features": features}}),
        "units": " ".join(facs.UNITS),
    }
    return pa.schema(fields, about)


def _sample(folder: Path, notes: Sequence[dict[str, Any]]) -> list[Any]:
    """Rows (CELL, W, 3) of a picture: the first people of whom nothing was refused."""
    people, most = SHOWN
    rows = []
    whole = [n for n in notes if n["pictures"]]
    count = max((len(n["pictures"]) for n in whole), default=0)
    for note in [n for n in whole if len(n["pictures"]) == count][:people]:
        number = note["person"].rpartition("-")[2]
        cells = [images.read(folder / number / p["file"]).pixels for p in note["pictures"][:most]]
        size = (CELL, CELL)
        small = [cv2.resize(c, size, interpolation=cv2.INTER_AREA) for c in cells]
        rows.append(np.concatenate(small, 1))
    return rows
