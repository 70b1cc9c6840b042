"""The logs of runs in the papers' setting, as one result for the figures of the methods' pages.

    mien train recipes/mtss/paper_64.yaml --data mixed -o runs/mtss
    python tools/paper_runs.py --runs runs/mtss runs/auswap -o paper_runs.json

Each run's folder holds `log.jsonl` and `recipe.yaml`; of each line of the log the named numbers are
kept that are in `KEPT`. Runs of other methods that the result holds already stay in it.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import yaml
from one_line import or_one_line

from mien.errors import DataError
from mien.files import write_text
from mien.metrics.report import origin

KEPT: dict[str, tuple[str, ...]] = {
    "mtss": (
        "generator/reconstruction", "generator/style", "generator/classification",
        "generator/style_part", "generator/adversarial", "generator/orthogonality",
        "style disentanglement, ends", "style classifier, spread",
    ),
    "auswap": (
        "generator/reconstruction", "generator/cycle", "generator/units",
        "generator/units_again", "generator/free", "generator/realism",
        "generator/swap_consistency", "multi-class adversary, read",
        "AU-related feature, ends",
    ),
    "aipgan": (
        "generator/reconstruction", "generator/landmarks", "generator/attention",
        "generator/intrinsic", "generator/units", "generator/expression_again",
        "generator/identity_again", "generator/realism", "identity attention, ends",
        "identity attention, spread", "landmarks_percent",
    ),
    "decoupling": (
        "psnr_codes", "psnr_refined", "picture_16/units", "picture_32/units", "picture_64/units",
        "picture_16/reconstruction", "picture_32/reconstruction", "picture_64/reconstruction",
        "separation adversary, read", "expression code, spread",
    ),
}  # fmt: skip
"""Method -> what of its log is kept."""


def run(folder: Path) -> dict[str, Any]:
    """One run; DataError where the folder holds none."""
    log, recipe = folder / "log.jsonl", folder / "recipe.yaml"
    if not log.is_file() or not recipe.is_file():
        raise DataError(f"{folder} holds no run: it has no log.jsonl or no recipe.yaml")
    try:
        settings = yaml.safe_load(recipe.read_text(encoding="utf-8"))
        lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
        return _of(settings, lines)
    except (ValueError, KeyError, TypeError, IndexError, yaml.YAMLError) as error:
        said = f"{type(error).__name__}, {' '.join(str(error).split())}"
        raise DataError(f"{folder} holds no run of a method of ours: {said}") from None


def _of(settings: dict[str, Any], lines: list[dict[str, Any]]) -> dict[str, Any]:
    names = KEPT[settings["method"]]
    return {
        "method": settings["method"],
        "asked": settings["training"]["images"],
        "images": lines[-1]["seen"],
        "seconds": lines[-1]["seconds"],
        "precision": settings["run"]["precision"],
        "points": {
            name: [[line["seen"], line[name]] for line in lines if name in line]
            for name in names
            if any(name in line for line in lines)
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=Path, nargs="+", required=True, help="folders of runs")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    found = {one["method"]: one for one in map(run, options.runs)}
    kept = json.loads(options.out.read_text("utf-8"))["runs"] if options.out.is_file() else {}
    report = {**origin(), "runs": kept | found}
    write_text(options.out, json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    or_one_line(main)
