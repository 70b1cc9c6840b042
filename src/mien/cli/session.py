"""What several commands ask for: their common options, and the checks made before weights are
loaded.
"""

from __future__ import annotations

import json
import math
import re
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

import typer

from mien.errors import ConfigError, ImageError

if TYPE_CHECKING:
    from mien.editor import Editor
    from mien.jobs import Engine
    from mien.provenance.credentials import Signer
    from mien.server.workshop import Workshop

_DEVICE = re.compile(r"cpu|auto|cuda(:\d+)?")

Method: TypeAlias = Annotated[str, typer.Option("--method", "-m", help="A name of `mien methods`.")]
Weights: TypeAlias = Annotated[
    Path | None,
    typer.Option("--weights", help="Weights of your own training (.safetensors)."),
]
Device: TypeAlias = Annotated[
    str, typer.Option("--device", help="`cpu`, `cuda`, or `auto`: a GPU if there is one.")
]
Intensity: TypeAlias = Annotated[
    float,
    typer.Option(
        "--intensity", "-i", help="0 changes nothing, 1 is the expression asked for, more is more."
    ),
]
Settings: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="What the method leaves open, such as passes=5 or head=picture; repeat it.",
    ),
]
Face: TypeAlias = Annotated[
    str,
    typer.Option(
        "--face",
        help="`largest`, `all`, `'index N'`, `'near X,Y'`; `auto` stops if two are of like size.",
    ),
]
Certificate: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--sign-with", metavar="PEM", help="Certificate chain: sign what is written by C2PA."
    ),
]
Key: TypeAlias = Annotated[
    Path | None, typer.Option("--key", metavar="PEM", help="The certificate's private key.")
]


Workers: TypeAlias = Annotated[
    int, typer.Option("--workers", min=1, help="Processes; the same bytes by any number.")
]
EngineName: TypeAlias = Annotated[
    str,
    typer.Option(
        "--engine", help="`local`: this machine; `ray`: a Ray cluster whose nodes share the folder."
    ),
]
Address: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--address", help="Of the Ray cluster's head, such as 10.0.0.5:6379; this machine if none."
    ),
]


def check_engine(name: str, address: str | None) -> None:
    """ConfigError for another engine than there are, or an address without Ray."""
    if name not in ("local", "ray"):
        raise ConfigError(f"unknown engine {name!r}: say local or ray")
    if name == "local" and address is not None:
        raise ConfigError("--address is of --engine ray")


def engine(name: str, address: str | None, workers: int, folder: Path) -> Engine:
    """Where jobs that write into `folder` are done; ConfigError for another name, an address
    without Ray, a cluster or a folder out of reach.
    """
    from mien.jobs import Local

    check_engine(name, address)
    if name == "local":
        return Local(workers)
    from mien.cluster import Ray

    check_folder(folder, make=True)
    found = Ray(address, workers)
    found.check(folder)
    return found


def check_signer(certificate: Path | None, key: Path | None) -> Signer | None:
    """Who signs what is written, if anyone: ConfigError for half of it, ProvenanceError for a file
    that is no certificate or no key.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ConfigError("to sign give both: --sign-with CHAIN.pem and --key KEY.pem")
    from mien.provenance.credentials import Signer

    return Signer.load(certificate, key)


Host: TypeAlias = Annotated[
    str, typer.Option("--host", help="Address to listen on; beyond this machine needs a token.")
]
Port: TypeAlias = Annotated[int, typer.Option("--port", min=1, max=65535, help="Port.")]
Token: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="MIEN_TOKEN",
        show_envvar=True,
        help="Secret that every request must carry; better in the environment.",
    ),
]


def check_face(spec: str) -> None:
    """GuideError unless `spec` is a way to choose a face."""
    from mien import editor

    editor.check_face(spec)


def check_intensity(value: float) -> None:
    """ConfigError unless it is a plain number."""
    if not math.isfinite(value) or abs(value) > 10:
        raise ConfigError(f"intensity {value:g} is out of range: give a number such as 0.5 or 1.2")


def check_method(name: str, weights: Path | None) -> None:
    """ConfigError for a method that does not exist or lacks torch, AssetMissing for weights that
    are not there.
    """
    from mien.errors import AssetMissing
    from mien.methods.registry import check_installed

    check_installed(name)
    if weights is not None and not weights.is_file():
        raise AssetMissing(f"no weights at {weights}: name a .safetensors file")


def chosen(name: str, settings: Sequence[str] | None) -> dict[str, Any]:
    """The values of `--set`, by name; ConfigError for one that the method does not leave open."""
    from mien.methods.registry import check_chosen
    from mien.methods.renamed import with_note

    found: dict[str, Any] = {}
    for text in settings or ():
        field, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not field:
            raise ConfigError(f"cannot read {text!r}: write NAME=VALUE, such as passes=5")
        try:
            found[field] = json.loads(value)
        except (ValueError, RecursionError):
            found[field] = value  # a word
    found = with_note(found)
    check_chosen(name, found)
    return found


def check_explains(name: str) -> None:
    """ConfigError for a method that cannot show what it sees."""
    able = _able("explain")
    if name not in able:
        raise ConfigError(f"{name} has nothing inside to look at: choose from {', '.join(able)}")


def check_invents(name: str) -> None:
    """ConfigError for a method that cannot draw a face from nothing."""
    able = _able("invent")
    if name not in able:
        raise ConfigError(f"{name} invents nobody: choose from {', '.join(able)}")


def _able(optional: str) -> list[str]:
    """The methods that answer an optional call of the contract; ConfigError without torch."""
    from mien.methods.base import Method
    from mien.methods.registry import METHODS, kind

    default = getattr(Method, optional)
    return [name for name in METHODS if getattr(kind(name), optional) is not default]


def check_suffix(path: Path) -> None:
    """ImageError unless mien writes files of this name."""
    from mien.images import check_suffix

    check_suffix(path.suffix)


def check_output(path: Path) -> None:
    """ImageError unless a picture can be written at `path`; nothing stays behind."""
    check_suffix(path)
    check_file(path)


def check_file(path: Path) -> None:
    """ImageError unless a file can be written at `path`; nothing stays behind."""
    if path.is_dir():
        raise ImageError(f"{path} is a folder: name a file in it")
    check_folder(path.parent)


def check_folder(folder: Path, *, make: bool = False) -> None:
    """ImageError unless files can be made in `folder`, which is made first if `make` says so."""
    try:
        if make:
            folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileNotFoundError:
        raise ImageError(f"{folder} does not exist: make it first, or write elsewhere") from None
    except (FileExistsError, NotADirectoryError):
        raise ImageError(f"{folder} is not a folder: write elsewhere") from None
    except OSError as error:
        raise ImageError(f"{folder} cannot be written to: {error.strerror}") from None


def open_editor(
    method: str, weights: Path | None, device: str, choice: Mapping[str, Any] | None = None
) -> Editor:
    """The editor with its weights loaded, which takes a moment: check everything else before.

    choice: what `chosen` made of `--set`.
    """
    import mien
    from mien.editor import Editor

    check_method(method, weights)
    device = _device(method, device)
    return Editor(
        mien.load(method, weights, device, **(choice or {})), weights=_digest(method, weights)
    )


def _device(method: str, asked: str) -> str:
    """Where a method is to run; ConfigError for a device that does not exist."""
    from mien.methods.registry import METHODS

    if not _DEVICE.fullmatch(asked):
        raise ConfigError(f"unknown device {asked!r}: say cpu, cuda or auto")
    if not METHODS[method].task:
        return "cpu"  # the face model has no networks
    import torch

    if asked.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError("no CUDA device is here: say --device cpu")
    if asked == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return asked


def open_workshop(method: str, weights: Path | None, device: str) -> Workshop:
    """What the server works with: `method` by these weights, the others by those that ship."""
    from mien.methods.registry import split_head
    from mien.server.workshop import Workshop

    check_method(method, weights)

    def opened(named: str) -> Editor:
        name, choice = split_head(named)
        return open_editor(name, weights if name == method else None, device, choice)

    return Workshop(opened, default=method)


def _digest(method: str, weights: Path | None) -> str:
    """SHA-256 of the weights in use, for the metadata of what they make."""
    from mien.zoo.records import digest, records

    if weights is not None:
        return digest(weights)
    return records()[method].sha256 if method in records() else ""
