"""What each mechanism of the four papers buys: switched off one at a time, several seeds each.

    mien rig render --split test -o RENDERS
    python benchmarks/ablations.py --data faces --renders RENDERS -o runs/ablations
    python benchmarks/ablations.py --data renders --renders RENDERS --recipe ablation_64 \
        --methods auswap aipgan decoupling -o runs/ablations_rig

Every run is a method's recipe (`recipes/METHOD/RECIPE.yaml`; `paper_64` is the paper's setting:
unpaired, a picture head, no truth) with a setting or two on top, learnt from `--data`, and measured
on test people's renders, by reference, with judges that trained nothing. All seeds of a row see the
same pictures as the same seeds of the whole method, so a row is given beside it too, seed by seed.

The same command goes on where it was killed: within a run, and with the next one. The first seed of
every row comes first. `ablations.json` in the folder is written anew after each run; `--minutes`
ends the command after the run's part that is then over.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mistakes import or_one_line
from scipy import stats

import mien
from mien.data.loading import open_renders
from mien.errors import ConfigError
from mien.files import write_text
from mien.judges import NAMES, load
from mien.judges.identity import descriptor
from mien.metrics import transfer
from mien.metrics.report import origin
from mien.metrics.triples import draw_triples
from mien.training import recipe as recipes
from mien.training.log import LOG
from mien.training.recipe import Stage
from mien.training.stages import finished, train_stage
from mien.zoo.records import digest

RECIPES = Path(__file__).parents[1] / "recipes"
WHOLE = "everything"
OFF: dict[str, dict[str, tuple[str, ...]]] = {
    "mtss": {
        "style disentanglement (a dead unit)": ("architecture.sdu_standardised=false",),
        "orthogonality": ("weights.orthogonality=0",),
        "classification": ("weights.classification=0",),
        "style loss": ("weights.style=0",),
        "adversary": ("weights.adversarial=0",),
        "reconstruction and cycle": ("weights.reconstruction=0",),
    },
    "auswap": {
        "multi-class adversary": ("weights.free=0",),
        "swap consistency": ("weights.swap_consistency=0",),
        "realism": ("weights.realism=0",),
        "cross-cycle": ("weights.cycle=0",),
        "self-reconstruction": ("weights.reconstruction=0",),
        "units of swapped faces": ("weights.units_again=0",),
    },
    "aipgan": {
        "attention": ("architecture.attention=false",),
        "supervision of the attention": ("weights.attention=0",),
        "identity gate that chooses": ("architecture.identity_gate=0",),
        "intrinsic image": ("weights.intrinsic=0", "weights.at_rest=0"),
        "bilinear pooling (side by side)": ("architecture.pooling=concatenation",),
        "all scales (the last alone)": ("architecture.scales=last",),
        "expression consistency": ("weights.expression_again=0",),
        "identity consistency": ("weights.identity_again=0",),
        "adversary": (
            "weights.realism=0", "weights.judged_units=0", "weights.judged_person=0",
        ),
    },
    "decoupling": {
        "growth": ("training.progressive=false",),
        "growth from 16 px (from 4 px)": ("training.growth=[1, 2, 4, 8, 16]",),
        "feedback network": (
            "architecture.passes=1", "weights.refined=0", "weights.latent=0", "weights.swap=0",
        ),
        "feedback's codes drive": ("architecture.driven=false",),
        "separation adversary": ("weights.uniform=0",),
        "swap consistency": ("weights.swap=0",),
        "adversary": ("weights.realism=0",),
    },
}  # fmt: skip
"""Method -> mechanism -> what switches it off (in brackets: what is there instead)."""

MEASURES = ("psnr_gain", "ms_ssim_gain", "unit_error_left", "identity", "to_reference", "emotion")
Measure = Callable[[str, Path], dict[str, float]]


@dataclass(frozen=True)
class Job:
    """A run: a method without a mechanism, or whole, by a seed."""

    method: str
    row: str
    seed: int

    def stage(self, recipe: str, images: int | None) -> Stage:
        """Its recipe; ConfigError where the method has none of that name, or one of stages."""
        path = RECIPES / self.method / f"{recipe}.yaml"
        if not path.exists():
            raise ConfigError(f"there is no {path}: choose --recipe or --methods otherwise")
        settings = OFF[self.method].get(self.row, ())
        budget = (f"training.images={images}",) if images else ()
        stages = recipes.read(path, (*settings, f"training.seed={self.seed}", *budget))
        if len(stages) > 1:
            raise ConfigError(f"{path} has stages: an ablation is one run")
        return stages[0]

    def folder(self, out: Path) -> Path:
        """Where it is run."""
        plain = "".join(c if c.isalnum() else "_" for c in self.row)
        return out / self.method / plain / f"seed_{self.seed}"


def jobs(methods: Sequence[str], seeds: int) -> list[Job]:
    """All runs, seed by seed."""
    rows = [(m, row) for m in methods for row in (WHOLE, *OFF[m])]
    return [Job(m, row, seed) for seed in range(seeds) for m, row in rows]


def changes(job: Job, recipe: str, images: int | None) -> bool:
    """Whether a run differs from the whole method's: what a recipe does without is not switched off
    once more."""
    whole = Job(job.method, WHOLE, job.seed).stage(recipe, images)
    return job.row == WHOLE or job.stage(recipe, images).config != whole.config


def judged(renders: Path, split: str, count: int) -> Measure:
    """Measures weights by triples of people who trained nobody."""
    open_renders(renders, split)  # what is wrong is said before hours of training
    judges, who = [load(name) for name in NAMES], descriptor()
    benches: dict[int, tuple[transfer.TransferBench, list[transfer.Row]]] = {}

    def measure(method: str, weights: Path) -> dict[str, float]:
        made = mien.load(method, weights)
        if made.size not in benches:
            triples = draw_triples(renders, split, count, size=made.size, seed=0)
            bench = transfer.TransferBench(triples, judges, who)
            benches[made.size] = bench, bench.measure(transfer.nothing)
        bench, before = benches[made.size]
        found = transfer.summary(bench.measure(transfer.by_reference(made)), before)
        values = [
            found["psnr_gain"]["mean"], found["ms_ssim_gain"]["mean"], found["unit_error_left"],
            found["identity"]["mean"], found["to_reference"]["mean"],
            found["emotion_agrees"]["mean"],
        ]  # fmt: skip
        return dict(zip(MEASURES, values, strict=True))

    return measure


def result(
    job: Job, stage: Stage, folder: Path, measure: Measure, facts: Mapping[str, Any]
) -> dict[str, Any]:
    """The measures of a finished run, from memory where they are of these weights and were measured
    by the same `facts`; and what the run said at its end of its mechanisms."""
    weights, kept = folder / f"{job.method}.safetensors", folder / "measured.json"
    mark = digest(weights)
    if kept.exists():
        before: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        if before["sha256"] == mark and before.get("by") == dict(facts):
            return before
    last = json.loads((folder / LOG).read_text(encoding="utf-8").splitlines()[-1])
    alive = {k: v for k, v in last.items() if "/" not in k and k not in ("seen", "seconds")}
    found = {
        "sha256": mark,
        "by": dict(facts),
        "images": last["seen"],
        "seconds": last["seconds"],
        "settings": list(OFF[job.method].get(job.row, ())),
        "log": alive,
        "measures": measure(job.method, weights),
    }
    write_text(kept, json.dumps(found, indent=1) + "\n")
    return found


def over_seeds(values: Sequence[float]) -> dict[str, Any]:
    """Mean and 95 % interval of it by Student's t; no interval of a single seed.

    >>> over_seeds([1.0, 2.0, 3.0])["mean"], over_seeds([1.0])["low"]
    (2.0, None)
    """
    mean, n = sum(values) / len(values), len(values)
    out: dict[str, Any] = {"mean": round(mean, 4), "low": None, "high": None, "each": list(values)}
    if n > 1:
        error = (sum((v - mean) ** 2 for v in values) / (n - 1) / n) ** 0.5
        reach = float(stats.t.ppf(0.975, n - 1)) * error
        out |= {"low": round(mean - reach, 4), "high": round(mean + reach, 4)}
    return out


def table(found: Mapping[Job, Mapping[str, Any]]) -> dict[str, Any]:
    """Method -> row -> measure -> its mean over seeds, and of what it is above the whole method's,
    seed by seed."""
    out: dict[str, Any] = {}
    for method, row in dict.fromkeys((j.method, j.row) for j in found):
        own = {
            j.seed: r["measures"] for j, r in found.items() if (j.method, j.row) == (method, row)
        }
        whole = {j.seed: r["measures"] for j, r in found.items() if j == Job(method, WHOLE, j.seed)}
        entry: dict[str, Any] = {"seeds": sorted(own), "settings": list(OFF[method].get(row, ()))}
        for name in MEASURES:
            entry[name] = over_seeds([m[name] for _, m in sorted(own.items())])
            apart = [m[name] - whole[s][name] for s, m in sorted(own.items()) if s in whole]
            if row != WHOLE and apart:
                entry[f"{name}, above {WHOLE}"] = over_seeds([round(a, 5) for a in apart])
        out.setdefault(method, {})[row] = entry
    return out


def go(
    todo: Sequence[Job], data: Path, out: Path, measure: Measure, *, recipe: str,
    images: int | None, minutes: float | None, facts: Mapping[str, Any],
) -> bool:  # fmt: skip
    """Train and measure what is left; whether all is done."""
    began, found = time.monotonic(), {}
    for job in todo:
        stage, folder = job.stage(recipe, images), job.folder(out)
        if not finished(stage, folder):
            left = minutes and minutes - (time.monotonic() - began) / 60
            if left is not None and left <= 0:
                return False
            seen = train_stage(stage, data, folder, minutes=left)
            if stage.config.training.images - seen >= stage.step:
                return False
        found[job] = result(job, stage, folder, measure, facts)
        print(job.method, job.row, job.seed, json.dumps(found[job]["measures"]), flush=True)
        report = {**origin(), **facts, "table": table(found)}
        write_text(out / "ablations.json", json.dumps(report, indent=1) + "\n")
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, required=True, help="photographs, or renders")
    parser.add_argument("--renders", type=Path, required=True, help="renders of the test people")
    parser.add_argument("--methods", nargs="+", default=list(OFF), choices=list(OFF))
    parser.add_argument("--recipe", default="paper_64", help="recipes/METHOD/RECIPE.yaml")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--images", type=int, help="of each run; the recipe's own if not given")
    parser.add_argument("--minutes", type=float, help="stop after so many; go on another time")
    parser.add_argument("--split", default="test")
    parser.add_argument("--count", type=int, default=178, help="triples that measure")
    parser.add_argument("-o", "--out", type=Path, required=True)
    options = parser.parse_args()
    todo = jobs(options.methods, options.seeds)  # a mistake is told before anything runs
    todo = [job for job in todo if changes(job, options.recipe, options.images)]
    measure = judged(options.renders, options.split, options.count)
    facts = {
        "recipe": options.recipe, "images": options.images, "triples": options.count,
        "split": options.split, "renders": str(options.renders),
    }  # fmt: skip
    done = go(
        todo, options.data, options.out, measure, recipe=options.recipe, images=options.images,
        minutes=options.minutes, facts=facts,
    )  # fmt: skip
    print("all done" if done else "not done: the same command goes on")


if __name__ == "__main__":
    or_one_line(main)
