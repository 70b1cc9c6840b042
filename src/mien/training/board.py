"""The training log for TensorBoard, where it is installed (extra `tensorboard`); the
log that a run always has is `log.jsonl`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

EVENTS = "tensorboard"
"""The folder of a run that `tensorboard --logdir` reads."""


class Board:
    """Scalars and sheets of a run over the images seen; nothing where TensorBoard is missing."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.there = importlib.util.find_spec("tensorboard") is not None
        self._writer: SummaryWriter | None = None

    def add(self, numbers: Mapping[str, float], sheet: Path, seen: int) -> None:
        """One entry: every number, and the sheet of pictures if it has been drawn. What an earlier
        run wrote of later images, before it was killed and resumed, is taken out.
        """
        if not self.there:
            return
        if self._writer is None:
            # TensorBoard takes a second to import, which a run without it should not pay
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self.folder / EVENTS), purge_step=seen)
        for name, value in numbers.items():
            self._writer.add_scalar(name, value, seen)
        picture = cv2.imread(str(sheet)) if sheet.is_file() else None
        if picture is not None:
            self._writer.add_image("sheet", picture[..., ::-1], seen, dataformats="HWC")
        self._writer.flush()
