"""Weights and invented people on the Hugging Face Hub, with cards that say licence and lineage.

Nothing here runs by itself: no command of mien calls it. `push_*` send what they are given to the
service that `huggingface_hub` is set up for, or to `endpoint`; `from_pretrained` fetches a model
that is named, or takes it from a folder. Weights are safetensors, checked by their SHA-256.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import metadata as installed
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.data.manifest import FILE_NAME, Record, read_manifest
from mien.errors import AssetMissing, ConfigError, DataError, MienError, WeightsError
from mien.files import replacing, write_text
from mien.methods.registry import METHODS, entry, load
from mien.zoo.records import digest, read_weights, records

if TYPE_CHECKING:
    from huggingface_hub import HfApi

    from mien.methods.base import Method

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
"""The files of a model, by the names that the Hub's tools look for."""
NOBODY = "nobody/"
"""How the ids of people who do not exist begin."""
_SPDX = {"Apache-2.0": "apache-2.0", "MIT": "mit", "CC-BY-4.0": "cc-by-4.0"}


def save_pretrained(
    folder: Path, name: str, weights: Path | None = None, *, licence: str | None = None,
    training_sets: Sequence[Mapping[str, str]] = (),
) -> Path:  # fmt: skip
    """Write a model as the Hub has it: `model.safetensors`, `config.json` and its card.

    Args:
        folder: where to; it is made.
        name: the method, a name of `mien methods`.
        weights: a safetensors file of `mien train`; None takes those that ship, with their record.
        licence: of `weights` (SPDX where there is one); needed for your own.
        training_sets: what your own weights were trained on, each with `name`, `licence` and
            `source`; needed for your own.

    Raises:
        ConfigError: unknown method, or your own weights without licence or training sets.
        AssetMissing, WeightsError: there are no such weights, or they are another method's.
        DataError: the folder cannot be written.
    """
    entry(name)
    facts: dict[str, Any]
    if weights is None:
        if name not in records():
            raise AssetMissing(f"no weights ship for {name}: give a file of yours")
        record = records()[name]
        record.verify()
        weights, facts = record.path, dict(record.facts)
    else:
        if not licence or not training_sets:
            raise ConfigError("weights of your own need a licence and training_sets: say which")
        facts = {"name": name, "licence": licence, "training_sets": [*map(dict, training_sets)]}
    _, said = read_weights(weights)
    if said.get("method") != name:
        raise WeightsError(f"{weights} holds no {name} weights: it says {said.get('method')!r}")
    sha256 = digest(weights)
    config = {
        "library_name": "mien",
        "mien_version": installed.version("mien"),
        "method": name,
        "sha256": sha256,
        "record": facts,
    }
    try:
        with replacing(folder / WEIGHTS) as part:
            shutil.copyfile(weights, part)
    except OSError as error:
        raise DataError(f"cannot write {folder}: {error.strerror}") from None
    write_text(folder / CONFIG, json.dumps(config, indent=1, ensure_ascii=False) + "\n")
    write_text(folder / CARD, model_card(name, facts, sha256))
    return folder


def from_pretrained(
    source: str | Path, *, revision: str | None = None, token: str | None = None,
    cache_dir: Path | None = None, local_files_only: bool = False, endpoint: str | None = None,
    device: str = "cpu", **chosen: Any,
) -> Method[Any]:  # fmt: skip
    """A method ready to edit, from a folder of `save_pretrained` or a repository of the Hub.

    Args:
        source: the folder, or `owner/name`.
        revision: branch, tag or commit; name a commit to get the same weights for ever.
        token: what the service knows you by; None takes the one that `huggingface_hub` keeps.
        cache_dir: where files are kept; None is the folder of `huggingface_hub`.
        local_files_only: fetch nothing.
        endpoint: address of the service; None is the one that `huggingface_hub` is set up for.
        device: where the method runs.
        chosen: what the method leaves open, as in `mien.load`.

    Raises:
        AssetMissing: it is not there or cannot be fetched.
        WeightsError: the weights are not those that `config.json` describes.
        ConfigError: it is no model of mien's, or of a method that this version does not have.
    """
    folder = Path(source)
    if not folder.is_dir():
        from huggingface_hub import snapshot_download

        with _service(f"{source}"):
            folder = Path(
                snapshot_download(
                    str(source), revision=revision, token=token, cache_dir=cache_dir,
                    local_files_only=local_files_only, endpoint=endpoint, library_name="mien",
                    allow_patterns=[WEIGHTS, CONFIG],
                )
            )  # fmt: skip
    config = _config(folder)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise AssetMissing(f"{source} has no {WEIGHTS}")
    if digest(weights) != config["sha256"]:
        raise WeightsError(f"{weights} is not the file that its {CONFIG} describes (SHA-256)")
    method = load(config["method"], weights, device, **chosen)
    if not method.strengths:
        method.strengths = _strengths(config.get("record"))
    return method


def push_to_hub(
    repo_id: str, name: str, weights: Path | None = None, *, licence: str | None = None,
    training_sets: Sequence[Mapping[str, str]] = (), private: bool = True,
    token: str | None = None, endpoint: str | None = None, message: str = "Weights of mien",
) -> str:  # fmt: skip
    """Send a model to the repository `repo_id` (`owner/name`), which is made if it is not there.
    Returns the commit's address. The first arguments are those of `save_pretrained`; a repository
    that is made is private unless you say otherwise.
    """
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(
            Path(folder), name, weights, licence=licence, training_sets=training_sets
        )  # fmt: skip
        return _send(repo_id, Path(folder), "model", private, token, endpoint, message)


def push_people(
    repo_id: str, folder: Path, *, private: bool = True, token: str | None = None,
    endpoint: str | None = None, message: str = "People who do not exist, made by mien",
) -> str:  # fmt: skip
    """Send a folder of `mien people` to the data set repository `repo_id`, with a card. Returns the
    commit's address.

    Raises:
        DataError: the folder has no manifest, or shows anybody who exists.
    """
    people = read_manifest(folder)
    real = next((r.person for r in people if not r.person.startswith(NOBODY)), None)
    if real is not None or not people:
        raise DataError(f"{folder} shows {real or 'nobody'}: only invented people are sent")
    write_text(folder / CARD, people_card(people))
    return _send(repo_id, folder, "dataset", private, token, endpoint, message)


def model_card(name: str, facts: Mapping[str, Any], sha256: str) -> str:
    """The card of weights, Markdown with the Hub's metadata: licence, use, lineage, limits."""
    licence = str(facts["licence"])
    sets = "\n".join(
        f"| {s.get('name', '')} | {s.get('licence', '')} | {s.get('source', '')} |"
        for s in facts.get("training_sets", ())
    )
    lineage = f"| data | licence | source |\n| --- | --- | --- |\n{sets}\n" if sets else ""
    said = [
        f"- {label}: {facts[key]}"
        for key, label in (
            ("training_people", "people"), ("command", "command"), ("images", "images"),
            ("hardware", "hardware"), ("source", "source"),
        )
        if key in facts
    ]  # fmt: skip
    row = METHODS[name]
    tags = ("facial-expression", "action-units", "face-editing")
    return f"""{_front(licence, tags, "model")}
# {name}

{row.summary[:1].upper()}{row.summary[1:]} ({row.paper}).
Changes the facial expression in a photograph and leaves the person alone. For the library mien.

```python
from mien import Editor, Label
from mien.hub import from_pretrained

editor = Editor(from_pretrained("OWNER/NAME"))
editor.edit("photo.jpg", Label("happy")).save("happy.png")
```

## Lineage

{lineage}
{chr(10).join(said)}
- SHA-256 of `{WEIGHTS}`: `{sha256}`

## Intended use and limits

Research, stimuli and edits of people who agreed. Results say in their metadata and by an invisible
mark that they were altered: leave both in. Not for deceiving anyone, and not for reading feelings
off faces: an expression is what a face shows. Measured on evenly lit adults from the front, mostly
young and white.
"""


def people_card(people: Sequence[Record]) -> str:
    """The card of a data set of invented people."""
    licences = sorted({r.licence for r in people})
    labels = sorted({r.emotion for r in people if r.emotion})
    persons = len({r.person for r in people})
    licence = licences[0] if len(licences) == 1 else "several"
    return f"""{_front(licence, ("faces", "synthetic"), "dataset")}
# People who do not exist

{persons} people, {len(people)} pictures; labels: {", ".join(labels)}. Made by `mien people`: nobody
here exists. One line a picture in `{FILE_NAME}`: person, label, action units, licence, source, and
split, which is by person.

## Lineage

Licences: {", ".join(licences)}. Sources: {"; ".join(sorted({r.source for r in people}))}.

## Limits

Labels are what was asked for: posed prototypes, drawn. A person may resemble a source in parts; the
least distance to any is in `person.json`.
"""


def _front(licence: str, tags: Sequence[str], kind: str) -> str:
    """The metadata at the head of a card."""
    lines = ["---"]
    if licence in _SPDX:
        lines.append(f"license: {_SPDX[licence]}")
    else:
        lines += ["license: other", f"license_name: {json.dumps(licence)}"]
    if kind == "model":
        lines += ["library_name: mien", "pipeline_tag: image-to-image"]
    return "\n".join([*lines, "tags:", *(f"- {t}" for t in tags), "---", ""])


def _config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssetMissing(f"{folder} has no {CONFIG}") from None
    except (OSError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not all(
        isinstance(config.get(k), str) for k in ("method", "sha256")
    ):
        raise ConfigError(f"{folder / CONFIG} does not describe a model of mien's")
    entry(config["method"])
    return config


def _strengths(record: Any) -> Mapping[str, tuple[float, ...]]:
    """Strengths that a record says beside weights that are older than they."""
    said = record.get("strengths") if isinstance(record, dict) else None
    if not isinstance(said, dict):
        return {}
    for values in said.values():
        if not isinstance(values, list) or not all(
            isinstance(v, int | float) and abs(v) < 1e6
            for v in values  # nor is NaN
        ):
            raise WeightsError(f"{CONFIG} has strengths that are no numbers")
    return {str(k): tuple(float(v) for v in values) for k, values in said.items()}


def _send(
    repo_id: str, folder: Path, kind: str, private: bool, token: str | None,
    endpoint: str | None, message: str,
) -> str:  # fmt: skip
    from huggingface_hub import HfApi

    api: HfApi = HfApi(endpoint=endpoint, token=token, library_name="mien")
    with _service(repo_id):
        api.create_repo(repo_id, repo_type=kind, private=private, exist_ok=True)
        made = api.upload_folder(
            repo_id=repo_id, folder_path=folder, repo_type=kind, commit_message=message,
            ignore_patterns=[".*"],
        )  # fmt: skip
    return str(made.commit_url)


@contextmanager
def _service(what: str) -> Iterator[None]:
    """What the Hub's client says goes wrong, in a line."""
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        yield
    except MienError:
        raise
    except LocalEntryNotFoundError:
        raise AssetMissing(f"{what} is not in the cache, and cannot be fetched") from None
    except HFValidationError as error:
        raise ConfigError(f"{what!r} is no name of a repository: {error}") from None
    except (_client_error(HfHubHTTPError), OSError) as error:
        line = " ".join(str(error).split())[:200]
        raise AssetMissing(f"the Hub answers for {what}: {line}") from None


def _client_error(status: type[Exception]) -> type[Exception]:
    """The base of all errors of the HTTP client below `huggingface_hub`: which client that is
    depends on its version, and a connection that fails is no error of a status."""
    return next(c for c in status.__mro__ if c.__name__ in ("HTTPError", "RequestException"))
