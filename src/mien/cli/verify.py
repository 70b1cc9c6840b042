"""`mien verify`: what files show of having been altered by mien."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.errors import ImageError, VideoError

if TYPE_CHECKING:
    from mien.provenance.evidence import Evidence

NOTHING_FOUND = 1
FILMS = (".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi")


def command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pictures or films.", show_default=False)
    ],
    anchors: Annotated[
        Path | None,
        typer.Option(
            "--anchors", metavar="PEM", help="Certificates that you trust to name C2PA signers."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A line of JSON for each file.")] = False,
) -> None:
    """Say what files show of having been altered by mien: the invisible mark with a confidence, the
    metadata, the C2PA credentials.

    Exit code 0: every file shows something. 1: at least one shows nothing, which proves nothing. 2:
    a file cannot be read.
    """
    missing, unread = False, list[str]()
    for path in files:
        try:
            evidence = _examine(path, anchors)
        except (ImageError, VideoError) as error:
            unread.append(" ".join(str(error).split()))
            continue
        missing |= not evidence.altered
        if as_json:
            typer.echo(json.dumps(_record(path, evidence)))
        else:
            typer.echo("\n  ".join([f"{path}: {_verdict(evidence)}", *_lines(evidence)]))
    if unread:
        raise ImageError("; ".join(unread))
    if missing:
        raise typer.Exit(NOTHING_FOUND)


def _examine(path: Path, anchors: Path | None) -> Evidence:
    from mien.provenance.evidence import examine

    if path.suffix.lower() not in FILMS:
        return examine(path, anchors)
    from mien.video.evidence import examine_film

    return examine_film(path, anchors)


def _verdict(evidence: Evidence) -> str:
    if evidence.altered:
        return "altered"
    if evidence.mark == "doubtful":
        return "doubtful"
    return "no sign of mien (which is no proof of the contrary)"


def _lines(evidence: Evidence) -> list[str]:
    return [f"mark: {_mark(evidence)}", f"metadata: {_metadata(evidence)}", _claim(evidence)]


def _mark(evidence: Evidence) -> str:
    if not evidence.faces:
        return "no face found, so there is nowhere to look for it"
    plural = "s" if evidence.faces > 1 else ""
    # one less the chance is no confidence in what is not there
    sure = f", confidence {_percent(evidence)}" if evidence.mark == "found" else ""
    return (
        f"{evidence.mark}{sure} (score {evidence.score:.1f} in {evidence.faces} face{plural}; an"
        f" unmarked picture scores as much with a chance of {evidence.chance:.1g})"
    )


def _percent(evidence: Evidence) -> str:
    """Digits as far as they differ from 100."""
    return "over 99.9999 %" if evidence.chance < 1e-6 else f"{100 * evidence.confidence:.4f} %"


def _metadata(evidence: Evidence) -> str:
    if not evidence.statement:
        return "nothing"
    keys = ("Software", "method", "guide", "intensity", "weights")
    parts = [f"{key} {evidence.statement[key][:80]}" for key in keys if key in evidence.statement]
    source = evidence.statement.get("DigitalSourceType", "").rpartition("/")[2]
    return "; ".join([source or "no source type", *parts])


def _claim(evidence: Evidence) -> str:
    if not evidence.claim_sought:
        return "credentials: not looked for (pip install 'mien[c2pa]')"
    claim = evidence.claim
    if claim is None:
        return "credentials: none"
    meaning = {
        "Trusted": "whole, by a signer you trust",
        "Valid": "whole, by a signer nobody vouched for",
    }.get(claim.state, "broken: the file was changed after signing, or the signature is bad")
    who = f", signed by {claim.signer}" if claim.signer else ""
    return f"credentials: {meaning}{who}, made by {claim.generator or 'an unnamed program'}"


def _record(path: Path, evidence: Evidence) -> dict[str, Any]:
    claim = evidence.claim
    return {
        "file": str(path),
        "altered": evidence.altered,
        "mark": evidence.mark,
        "confidence": evidence.confidence,
        "chance": evidence.chance,
        "score": round(evidence.score, 2),
        "faces": evidence.faces,
        "metadata": dict(evidence.statement),
        "credentials": claim and {"state": claim.state, "signer": claim.signer},
    }
