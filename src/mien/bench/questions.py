"""The questions of `mien bench`: names and what they ask. A module is loaded when it is asked."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One sub-command: `module`, below `mien.bench`, has `command`, a function for Typer, and says
    in its first lines what it measures and how, which is the sub-command's help."""

    module: str
    asks: str
    example: str


EDITS, FILMS, METHODS = "Edits", "Films", "Methods"
FACES, PEOPLE = "Faces, judges and the face model", "Invented people"
COST, MISUSE = "Time, memory and load", "Misuse and the mark"

PANELS: dict[str, dict[str, Question]] = {
    EDITS: {
        "drawing": Question(
            "edits.drawing", "What do outsiders see of what the face model draws, by section?",
            "mien bench drawing --only table --limit 4 -o drawing.json",
        ),
        "crops": Question(
            "edits.crops", "What do eyes and mouths look like at full size?",
            "mien bench crops -o crops",
        ),
        "checks": Question(
            "edits.checks", "Does an edit do what its label says, and leave the person alone?",
            "mien bench checks -o checks.json",
        ),
        "labels": Question(
            "edits.labels", "How much of each label does an outsider see, and does it rise evenly?",
            "mien bench labels -o labels.json --sheet labels.jpg",
        ),
        "units": Question(
            "edits.units", "What does each action unit move, by what judges read of every unit?",
            "mien bench units -o units.json",
        ),
        "smiles": Question(
            "edits.smiles", "How strong is `happy` beside people's own smiles, and at what cost?",
            "mien bench smiles --renders renders -m auswap -m aipgan -o smiles.json",
        ),
        "intensity": Question(
            "edits.intensity",
            "How evenly do expressions rise; what do strengths and refinement steps buy?",
            "mien bench intensity --renders renders -o intensity.json",
        ),
        "rising": Question(
            "edits.rising", "Does what is read rise with what is asked, on any skin?",
            "mien bench rising -o rising.json",
        ),
        "mouths": Question(
            "edits.mouths", "How much does an opened mouth look like a photograph's?",
            "mien bench mouths -o mouths.json",
        ),
        "critic": Question(
            "edits.critic", "Can a fresh critic tell drawn mouths and lids from photographs?",
            "mien bench critic -o critic.json",
        ),
        "reading": Question(
            "edits.reading", "What were the numbers of references chosen by?",
            "mien bench reading -o reading.json",
        ),
        "neutral-sharpness": Question(
            "edits.neutral_sharpness", "How sharp is a smile that is taken away?",
            "mien bench neutral-sharpness -o sharpness.json",
        ),
    },
    FILMS: {
        "video": Question(
            "films.video", "What does a film at 720p take, and how much does it flicker?",
            "mien bench video --seconds 2 -o video.json",
        ),
        "talking": Question(
            "films.talking", "Do lips go on talking under an expression, and does it flicker?",
            "mien bench talking -o talking.json",
        ),
    },
    METHODS: {
        "quality": Question(
            "peers.quality", "How good is every row: nothing, the rig, methods, public peers?",
            "mien bench quality --renders renders --runs runs/peers --checkouts checkouts -o out",
        ),
        "train-peer": Question(
            "peers.training", "Train public GANs by their own code, from your checkouts.",
            "mien bench train-peer stargan --checkouts checkouts --data renders -o runs/peers",
        ),
        "transfer": Question(
            "methods.transfer", "What becomes of the expression of B on A, in depth?",
            "mien bench transfer --renders renders -m mtss -m auswap -o transfer.json",
        ),
        "probes": Question(
            "methods.probes", "What do a method's codes hold of people it never saw?",
            "mien bench probes --data faces/london -m aipgan -o codes.json",
        ),
        "leakage": Question(
            "methods.leakage", "Can a network tell from a result who the reference was?",
            "mien bench leakage --renders renders -m aipgan -o leakage.json",
        ),
        "claims": Question(
            "methods.claims", "Is each abstract's own claim so?",
            "mien bench claims --renders renders -o claims.json",
        ),
        "colours": Question(
            "methods.colours", "Whose colours has a face under another's expression?",
            "mien bench colours --data crops -m auswap=runs/a/auswap.safetensors -o colours.json",
        ),
        "aipgan": Question(
            "methods.aipgan", "What do aipgan's two encoders see?",
            "mien bench aipgan --renders renders -o aipgan.json",
        ),
        "decoupling": Question(
            "methods.decoupling", "What does decoupling reach, from its codes and by invention?",
            "mien bench decoupling --renders renders -o decoupling.json --sheet people.png",
        ),
    },
    FACES: {
        "detection": Question(
            "faces.detection", "Which faces are found, beside dlib's detector; how fast?",
            "mien bench detection -o detection.json",
        ),
        "landmarks": Question(
            "faces.landmarks", "How far are landmarks from hand-checked points?",
            "mien bench landmarks -o landmarks.json",
        ),
        "eyewear": Question(
            "faces.eyewear", "Are glasses and masks recognised?",
            "mien bench eyewear -o eyewear.json",
        ),
        "judge-accuracy": Question(
            "faces.judges", "How good are the judges, on people they never saw?",
            "mien bench judge-accuracy --renders renders -o judges.json",
        ),
        "features": Question(
            "features", "Make weights that `--perceptual` and `--inception` name.",
            "mien bench features lite0 -o lite0.safetensors",
        ),
        "fit": Question(
            "rig.fit", "How well is the face model fitted?",
            "mien bench fit -o fit.json",
        ),
        "rig": Question(
            "rig.pictures", "How good are the face model's pictures, with real smiles as truth?",
            "mien bench rig --crops crops -o rig.json",
        ),
    },
    PEOPLE: {
        "people": Question(
            "people.people", "How near are invented people to photographs, and who is refused?",
            "mien bench people --people invented --photographs LONDON "
            "--perceptual lite0.safetensors -o people.json",
        ),
        "people-smiles": Question(
            "people.smiles", "From what does a critic tell invented people's smiles?",
            "mien bench people-smiles --people invented --photographs LONDON "
            "--perceptual lite0.safetensors -o people_smiles.json",
        ),
        "together": Question(
            "people.together", "Which units go together in photographs, and do draws show it?",
            "mien bench together -o together.json",
        ),
        "worth": Question(
            "people.worth", "What are mixed people worth to an expression classifier?",
            "mien bench worth --people invented --renders renders --work work -o worth.json",
        ),
        "scale": Question(
            "people.scale", "What do invented people cost, and how much do more workers gain?",
            "mien bench scale --photographs LONDON --workers 1 --workers 2 -o scale.json",
        ),
    },
    COST: {
        "budget": Question(
            "cost.budget", "What does the product cost, beside its bars?",
            "mien bench budget -o budget",
        ),
        "speed": Question(
            "cost.speed", "How long do methods take, side by side, and public peers?",
            "mien bench speed --checkouts checkouts --threads 1 -o speed",
        ),
        "memory": Question(
            "cost.memory", "Does memory stay flat over many photographs and a long film?",
            "mien bench memory --photographs 150 --minutes 2 -o memory",
        ),
        "threads": Question(
            "cost.threads", "What do films and edits take by one thread and by all?",
            "mien bench threads -o threads.json",
        ),
        "runtimes": Question(
            "cost.runtimes", "What do the networks take by torch, ONNX Runtime and OpenVINO?",
            "mien bench runtimes -o runtimes.json",
        ),
        "load": Question(
            "servers.load", "Does the HTTP API bear a crowd with slow clients in it?",
            "mien bench load --clients 40 --seconds 10 --edits 20 -o load.json",
        ),
        "load-studio": Question(
            "servers.load_studio", "Does the studio bear many visitors?",
            "mien bench load-studio --visitors 8 --seconds 30 -o load_studio.json",
        ),
        "studio-page": Question(
            "servers.studio_page", "How soon is a slider's picture in the studio's page?",
            "mien bench studio-page -o studio_page.json",
        ),
    },
    MISUSE: {
        "hostile": Question(
            "hostile.cases", "What becomes of ten thousand inputs that mean no good?",
            "mien bench hostile --count 200 -o hostile.json",
        ),
        "watermark": Question(
            "watermark", "What does the mark survive, cost, and where is it seen wrongly?",
            "mien bench watermark -o watermark.json",
        ),
    },
}  # fmt: skip
"""Heading of the help -> name of a sub-command -> its question."""

QUESTIONS: dict[str, Question] = {n: q for panel in PANELS.values() for n, q in panel.items()}
