"""Whether the supervision of the style teaches mtss' extractor what faces show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from mien import facs
from mien.data.batch import Named, collate
from mien.data.manifest import Record, write_manifest
from mien.data.split import Split
from mien.faces.align import template
from mien.methods.mtss import losses
from mien.methods.mtss.config import Architecture, LossWeights, MTSSConfig, Training
from mien.methods.mtss.task import MTSSTask

SIDE, BATCH, STEPS, STRONG = 32, 8, 300, 64
SMALL = Architecture(
    size=SIDE, stem=2, width=8, middle=8, blocks=1, style=16, latent=4, mapper=8, extractor=16,
    extractor_max=64, sdu=16, discriminator=8, discriminator_max=16,
)  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen made people in all emotions: everybody is a soft picture of their own, and what they
    show is the pattern in the middle of it."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:16, :16]
    patterns = [
        row // 2 % 2, column // 2 % 2, (row // 2 + column // 2) % 2, row * 0,
        row // 4 % 2, column // 4 % 2, (row // 4 + column // 4) % 2, row * 0 + 1,
    ]  # fmt: skip
    records = []
    for person in range(16):
        coarse = Image.fromarray(rng.integers(0, 255, (4, 4, 3), np.uint8))
        own = np.asarray(coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC))
        for k, emotion in enumerate(facs.EMOTIONS):
            face = own // 2 + 64
            face[8:24, 8:24] += (STRONG * patterns[k][..., None]).astype(np.uint8)
            name = f"{person:02d}-{emotion}.png"
            Image.fromarray(face).save(folder / name)
            split: Split = "train" if person < 12 else "validation"
            records.append(
                Record(name, f"p/{person}", emotion, None, template(SIDE), "CC0", "made", split)
            )
    write_manifest(folder, records)
    return folder


def unread(folder: Path, mixed: bool) -> float:
    """Cross-entropy of the styles of people never seen after some steps of the supervision, as
    the task draws its batches and as its generator's phase learns."""
    torch.manual_seed(0)
    only = LossWeights(adversarial=0, style=0, reconstruction=0, orthogonality=0)
    config = MTSSConfig(SMALL, only, Training(batch=BATCH, lr=1e-3, mixed=mixed))
    task = MTSSTask(config, folder)
    faces, (phase,) = task.dataset("train", 0), task.phases()
    learning = torch.optim.Adam(phase.parameters, 1e-3, betas=phase.betas)
    for step in range(STEPS):
        batch = collate([faces[BATCH * step + k] for k in range(BATCH)])
        assert isinstance(batch, Named)
        loss = losses.classification(
            task.classifier, (task.method.extractor(batch.source.pixels),), (batch.source.label,)
        )
        learning.zero_grad()
        loss.backward()
        learning.step()
    held = task.dataset("validation", 1)
    batch = collate([held[i] for i in range(128)])
    assert isinstance(batch, Named)
    with torch.no_grad():
        styles = task.method.extractor(batch.source.pixels)
        return float(F.cross_entropy(task.classifier(styles), batch.source.label))


CHANCE = float(np.log(8))


def test_styles_learn_what_faces_show(made: Path) -> None:
    assert unread(made, mixed=True) < 0.7 * CHANCE


def test_batches_of_one_emotion_teach_nothing(made: Path) -> None:
    """What the test above is there to notice: the ancestor's batches."""
    assert unread(made, mixed=False) > 0.85 * CHANCE
