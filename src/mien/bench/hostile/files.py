"""What `mien bench hostile` tries beside pictures: options, tables, recipes, weights, films."""

from __future__ import annotations

import functools
import io
import json
import struct
from pathlib import Path
from random import Random

import numpy as np

import mien
from mien.bench.hostile.pictures import scene, spoilt
from mien.zoo.samples import samples

NUMBERS = ("0", "1", "-1", "nan", "inf", "-inf", "1e999", "0.5", "10", "11", "1e-320", "-0.0")
PIECES = (
    "AU12", "AU61", "AU62", "AU43", "au45", "AU12L", "AU99", "AU", "=", "+", "-", "|", "happy",
    "sad", "C", "E", "near", "index", "all", "auto", "largest", ",", " ", "\0", "\n", "é", "１２",
    "\u202e", "{", "[", "]", "passes", "refinement_steps", "head", "null", "true", '"', "\ud800",
    "9" * 400, "[" * 3000, *NUMBERS,
)  # fmt: skip


def words(random: Random) -> str:
    """A text that asks for something, or means no good."""
    if random.random() < 0.3:
        return f"AU{random.randrange(70)}={random.choice(NUMBERS)}|AU{random.randrange(70)}=0.5"
    return "".join(random.choice(PIECES) for _ in range(random.randint(0, 6)))


def curve(random: Random) -> bytes:
    """A curve of intensities, as CSV or nearly."""
    mark = random.choice((",", ",", ";", "\t", " ", "|"))
    rows = [
        f"{random.choice(NUMBERS)}{mark}{random.choice(NUMBERS)}"
        for _ in range(random.randrange(6))
    ]
    text = random.choice(("", "time,intensity\n", "\ufeff", '"')) + "\n".join(rows)
    data = text.encode()
    return spoilt(data, random, 3) if random.random() < 0.4 else data


def manifest(random: Random) -> bytes:
    """A manifest with rows that are wrong in one way."""
    row: dict[str, object] = {
        "file_name": "a/b.jpg", "person": "p", "emotion": "happy", "units": [0.0] * 47,
        "landmarks": [[1.0, 2.0]] * 68, "licence": "CC0", "source": "s", "split": "train",
    }  # fmt: skip
    odd: tuple[object, ...] = (
        None, 7, -1e400, [], {}, [[]], "", "../../x", "/etc/passwd", "a\\b", "C:x", "\0", "\ud800",
        [10**400] * 47, ["x"] * 47, [float("nan")] * 47, [True] * 47, "test", [[1, 2]] * 67,
    )  # fmt: skip
    lines = []
    for _ in range(random.randint(1, 4)):
        one = dict(row)
        for _ in range(random.randrange(3)):
            one[random.choice(list(row))] = random.choice(odd)
        lines.append(json.dumps(one))
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if random.random() < 0.3:
        data = spoilt(data, random, 4)
    if random.random() < 0.05:
        data = random.choice((b"[" * 200_000, b'{"a":' * 100_000, b"9" * 5000, b"\xff\xfe"))
    return data


@functools.cache
def _weights() -> tuple[dict[str, object], bytes]:
    """Header and body of the weights of a tiny `mtss`."""
    import dataclasses

    from safetensors.torch import save

    from mien.methods import registry

    row = registry.entry("mtss")
    architecture = registry.resolve(row.architecture)(
        size=32, stem=2, width=8, discriminator=8, middle=8, blocks=1, style=16, latent=4, mapper=8,
        extractor=8, extractor_max=16, sdu=16, discriminator_max=16,
    )  # fmt: skip
    method = registry.resolve(row.method)(architecture)
    meta = {
        "method": "mtss",
        "architecture": json.dumps(dataclasses.asdict(architecture)),
        "strengths": "{}",
    }
    data = save(
        {k: v.half() if v.is_floating_point() else v for k, v in method.state_dict().items()}, meta
    )
    size = struct.unpack("<Q", data[:8])[0]
    return json.loads(data[8 : 8 + size]), data[8 + size :]


def weights(random: Random) -> bytes:
    """Weights whose header or body lies."""
    header, body = json.loads(json.dumps(_weights()[0])), _weights()[1]
    how = random.randrange(8)
    meta = header["__metadata__"]
    if how == 0:
        field = random.choice(("method", "architecture", "strengths"))
        meta[field] = random.choice(
            ("", "null", "{", "[]", "7", '{"size": "x"}', '{"happy": 3}', "[" * 9999)
        )
    elif how == 1:
        architecture = json.loads(meta["architecture"])
        name = random.choice(list(architecture))
        architecture[name] = random.choice((0, -1, 10**9, 10**30, "x", None, [], 1.5, True, 3))
        meta["architecture"] = json.dumps(architecture)
    elif how == 2:
        name = random.choice([n for n in header if n != "__metadata__"])
        header[name]["shape"] = random.choice(([], [1], [2**40], [-1], [0]))
    elif how == 3:
        name = random.choice([n for n in header if n != "__metadata__"])
        header[name]["dtype"] = random.choice(("F32", "I64", "BOOL", "X", "F8_E4M3"))
    elif how == 4:
        name = random.choice([n for n in header if n != "__metadata__"])
        header[random.choice(("extra", "module.x"))] = header.pop(name)
    elif how == 5:
        name = random.choice([n for n in header if header[n].get("dtype") == "F16"])
        start = header[name]["data_offsets"][0]
        body = (
            body[:start]
            + random.choice((b"\x00\x7c", b"\x00\x7e", b"\x00\xfc"))
            + body[start + 2 :]
        )
    text = json.dumps(header).encode()
    data = struct.pack("<Q", len(text)) + text + body
    return spoilt(data[:4000], random, 4) + data[4000:] if how > 5 else data


RECIPES = Path(mien.__file__).parents[2] / "recipes"
LEAST = b"method: mtss\ntraining:\n  images: 8\n"
"""A recipe for where mien runs from no checkout, which has them all."""


def recipe(random: Random) -> bytes:
    """A recipe with a fault."""
    paths = sorted(RECIPES.rglob("*.yaml"))
    data = random.choice(paths).read_bytes() if paths else LEAST
    how = random.randrange(6)
    if how == 0:
        return random.choice((
            b"", b"[]", b"7", b"method: [a]", b"method: {}", b"method: null", b"&a [*a]",
            b"\xff\xfe\0",
            b"a: &a [1]\nb: *a\nmethod: mtss", b"method: mtss\ntraining: 3",
            b"method: mtss\nrun: []",
            b"!!python/object/apply:os.system ['id']", b"method: mtss\n" + b"[" * 5000, b"\0",
            b"method: &m mtss\narchitecture: &a {size: *a}", b"method: mtss\n? [a]\n: b\n",
            b"method: mtss\n2001-01-01: 3\ntraining: {1: 2}",
        ))  # fmt: skip
    if how == 1:
        lines = data.split(b"\n")
        odd = (b".inf", b".nan", b"1e400", b"null", b"[1, 2]", b"{a: b}", b"'x'", b"-1", b"yes")
        spots = [i for i, line in enumerate(lines) if b": " in line and not line.startswith(b"#")]
        for i in random.sample(spots, min(2, len(spots))):
            lines[i] = lines[i].split(b": ")[0] + b": " + random.choice(odd)
        return b"\n".join(lines)
    return data if how == 2 else spoilt(data, random, 6)


def setting(random: Random) -> str:
    """A setting of a recipe, as typed."""
    names = ("training.images", "training.batch", "run.workers", "method", "training", "a.b.c", "",
             "training.batch.x", "architecture.size", ".", "training.lr")  # fmt: skip
    values = (
        "3",
        "[",
        "{a",
        "&a [*a]",
        ".inf",
        ".nan",
        "1e999",
        "x",
        "",
        "\0",
        "[1]",
        "!!binary x",
        "-7",
    )
    return random.choice(names) + random.choice(("=", "=", "=", "")) + random.choice(values)


@functools.cache
def _film() -> bytes:
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format="mp4") as out:
        pictures = out.add_stream("libx264", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 24, "yuv420p"
        for i in range(6):
            frame = av.VideoFrame.from_ndarray(np.roll(scene(), i, 1), format="rgb24")
            out.mux(pictures.encode(frame))
        out.mux(pictures.encode(None))
    return stream.getvalue()


def film(random: Random) -> bytes:
    """A spoilt film."""
    return spoilt(_film(), random, 6)


# ---- the command line ----------------------------------------------------------------------------

STEMS = (
    "a",
    "é" * 100,
    "b" * 240,
    "._c",
    ".d",
    "e f",
    "g\nh",
    "i[red]",
    "-j",
    "k;l",
    "\udcff\udcfe",
)


def name(random: Random, index: int, suffix: str) -> str:
    """A file's name, one of its own for each index; now and then without a suffix."""
    end = random.choice((f".{suffix}", f".{suffix}", ".JPG", ".txt", ""))
    return f"{random.choice(STEMS)}{index}"[-200:] + end


def arguments(random: Random, inside: Path, out: Path) -> list[str]:
    """Words after `mien`, with files of a folder."""
    files = sorted(inside.iterdir())
    some = [str(p) for p in random.sample(files, 2)]
    what = random.choice(("edit", "edit", "edit", "one", "swap", "sheet", "verify"))
    if what == "swap":
        return ["swap", "-o", str(out), "--", *some]
    if what == "sheet":
        return ["sheet", "-o", f"{out}.png", "-e", "happy", "--size", "32", "--", *some]
    if what == "verify":
        return ["verify", "--", *map(str, files)]
    asked = random.choice((
        ["--to", "happy"], ["--au", words(random)], ["--to", words(random)],
        ["--like", random.choice((some[0], str(samples()["anna"])))],
    ))  # fmt: skip
    more = random.choice(([], ["--recursive"], ["--force"], ["-i", random.choice(NUMBERS)]))
    if what == "one":
        target = f"{out}{random.choice(('.png', '.jpg', '.gif', ''))}"
        return ["edit", *asked, *more, "-o", target, "--", some[0]]
    return ["edit", str(inside), *asked, *more, "-o", str(out)]


SHAPES = ("jawOpen", "mouthSmileLeft", "tongueOut", "JAWOPEN", "eyeBlink_L", "jaw", "", "headYaw")


def blendshapes(random: Random) -> bytes:
    """A JSON file of weights."""
    odd: tuple[object, ...] = (None, True, "0.5", [], {}, 10**400, -(10**400), 1e308, -0.4, 1.4)
    weights: dict[str, object] = {}
    for _ in range(random.randrange(5)):
        good = random.random() < 0.6
        weights[random.choice(SHAPES)] = (
            random.random() if good else random.choice((*odd, float(random.choice(NUMBERS))))
        )
    whole: object = random.choice((weights, weights, {"blendshapes": weights}, [weights]))
    data = json.dumps(whole).encode()
    how = random.randrange(8)
    if how == 0:
        long = b'{"jawOpen": ' + b"9" * 5000 + b"}"
        return random.choice((b"", b"[" * 100_000, b"9" * 5000, long, b"\xff\xfe{",
                              b"\xef\xbb\xbf{}", b'{"a":' * 50_000))  # fmt: skip
    return spoilt(data, random, 4) if how == 1 else data


def recording(random: Random) -> bytes:
    """A CSV file of weights over time."""
    names = random.sample(SHAPES, 3)
    clock = random.choice(("Timecode", "time", "Time", "x"))
    rows = [",".join((clock, "BlendShapeCount", *names))]
    for i in range(random.randrange(5)):
        time = random.choice((f"00:00:0{i}:12.5", f"{i}", f"{i}", random.choice(NUMBERS)))
        cells = [random.choice(("0.1", "0.9", random.choice(NUMBERS))) for _ in names]
        rows.append(",".join((time, "3", *cells)))
    data = "\n".join(rows).encode()
    return spoilt(data, random, 4) if random.random() < 0.3 else data


def options(random: Random, folder: Path, photo: Path) -> list[str]:
    """`mien edit` of one good photograph into `folder / out...`."""
    (folder / "b.json").write_bytes(blendshapes(random))
    (folder / "w.safetensors").write_bytes(spoilt(b"x" * 40, random, 3))
    numbers = ",".join(random.choice(NUMBERS) for _ in range(random.randint(1, 4)))
    kinds: tuple[list[str], ...] = (
        ["--to", words(random)], ["--to", "happy"], ["--au", words(random)],
        ["--blendshapes", str(folder / "b.json")], ["--gaze", random.choice((numbers, "0.5,0"))],
        ["--turn", random.choice((numbers, "0,9,0"))], ["--light", random.choice((numbers, "1,0"))],
        ["--region", random.choice(("upper", "lower", words(random)))],
        ["--face", words(random)], ["-i", random.choice(NUMBERS)], ["--set", setting(random)],
        ["--set", f"passes={random.choice(PIECES)}"], ["--method", words(random)],
        ["--weights", str(folder / "w.safetensors")], ["--device", words(random)],
        ["--sign-with", str(folder / "b.json")], ["--like", str(folder / "b.json")], ["--profile"],
    )  # fmt: skip
    asked = [
        word for kind in random.sample(kinds, random.choice((0, 0, 1, 1, 2, 3))) for word in kind
    ]
    asked = [word.replace("\0", "").encode("utf-8", "replace").decode() for word in asked]
    out = folder / f"out{random.choice(('.png', '.jpg', '.png', '.jpg', '.webp', '.gif', ''))}"
    asked += random.choice(([], ["--to", "happy"], ["--to", "sad"], ["--au", "AU12=0.5"]))
    return ["edit", str(photo), "-o", str(out), *asked]
