"""C2PA: a signed claim inside the file about how it came about, by a certificate of the user's.

The claim has two actions, both by mien: the file was created as a composite with a trained model's
part (IPTC's word), and edited with this method, weights and guide. No thumbnail and no copy of the
source goes in: the person in it may not have agreed to that. Specification: C2PA 2.x, Content
Credentials; the library is `c2pa-python`, of the extra `c2pa`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata as installed
from pathlib import Path
from typing import BinaryIO

from mien.errors import ProvenanceError
from mien.images import FORMATS, SOURCE_TYPE

KINDS = {
    **{suffix: f.mime for f in FORMATS if f.written for suffix in f.suffixes},
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
}
"""Suffixes that can be signed, and what C2PA calls them."""


@dataclass(frozen=True)
class Signer:
    """Who signs: a certificate chain (PEM, the signer's own first) and its key (PEM, no
    password).
    """

    chain: bytes
    key: bytes
    algorithm: str  # C2PA's name: es256, es384, es512, ps256, ed25519

    @classmethod
    def load(cls, chain: Path, key: Path) -> Signer:
        """ProvenanceError if a file is missing or is not what it should be."""
        parts = []
        for path in (chain, key):
            try:
                parts.append(path.read_bytes())
            except OSError as error:
                raise ProvenanceError(f"{path} cannot be read: {error.strerror}") from None
        return cls(parts[0], parts[1], _algorithm(parts[1], key))

    def sign(self, data: bytes, suffix: str, metadata: Mapping[str, str]) -> bytes:
        """A picture file's bytes with the claim in them; ProvenanceError if it cannot be."""
        out = io.BytesIO()
        self.sign_stream(io.BytesIO(data), out, suffix, metadata)
        return out.getvalue()

    def sign_stream(
        self, source: BinaryIO, target: BinaryIO, suffix: str, metadata: Mapping[str, str]
    ) -> None:
        """The same from one open file to another, for what is too large for memory."""
        import c2pa

        if suffix.lower() not in KINDS:
            raise ProvenanceError(f"{suffix} files cannot be signed: use {', '.join(KINDS)}")
        plain = c2pa.Settings.from_dict({"builder": {"thumbnail": {"enabled": False}}})
        try:
            info = c2pa.C2paSignerInfo(self.algorithm.encode(), self.chain, self.key, None)
            signer = c2pa.Signer.from_info(info)
            builder = c2pa.Builder(json.dumps(_claim(metadata)), context=c2pa.Context(plain))
            builder.sign(signer, KINDS[suffix.lower()], source, target)
        except c2pa.C2paError as error:
            raise ProvenanceError(
                f"the file cannot be signed with this certificate and key: {_line(error)}"
            ) from None


@dataclass(frozen=True)
class Claim:
    """What a file's credentials say, and what became of checking them."""

    state: str
    """`Trusted` (whole, and the signer is known), `Valid` (whole, signer not known), `Invalid`."""
    signer: str
    generator: str
    altered_by_ai: bool


def read(path: Path, anchors: Path | None = None) -> Claim | None:
    """The credentials in a file, checked; None if it has none.

    `anchors`: certificates (PEM) that are trusted to name signers. ProvenanceError if they cannot
    be read.
    """
    import c2pa

    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        return None
    trust: dict[str, object] = {}
    if anchors is not None:
        trust = {"trust": {"user_anchors": _text(anchors)}, "verify": {"verify_trust": True}}
    context = c2pa.Context(c2pa.Settings.from_dict(trust))
    try:
        with path.open("rb") as file:
            reader = c2pa.Reader(kind, file, context=context)
            state, manifests = str(reader.get_validation_state()), json.loads(reader.json())
    except c2pa.C2paError.ManifestNotFound:
        return None
    except c2pa.C2paError as error:
        return Claim("Invalid", "", _line(error), False)
    manifest = manifests["manifests"][manifests["active_manifest"]]
    signed = manifest.get("signature_info", {})
    makers = [info.get("name", "") for info in manifest.get("claim_generator_info", [])]
    ai = "trainedalgorithmicmedia" in json.dumps(manifest.get("assertions", [])).lower()
    return Claim(state, signed.get("issuer") or "", " ".join(makers), ai)


def _claim(metadata: Mapping[str, str]) -> dict[str, object]:
    """The manifest, as `c2pa` reads it."""
    agent = {"name": "mien", "version": installed.version("mien")}
    parameters = {
        key: metadata[key] for key in ("method", "weights", "guide", "intensity") if key in metadata
    }
    actions = [
        {"action": "c2pa.created", "softwareAgent": agent, "digitalSourceType": SOURCE_TYPE},
        {"action": "c2pa.edited", "softwareAgent": agent, "parameters": parameters},
    ]
    return {
        "claim_generator_info": [agent],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": actions}}],
    }


def _algorithm(key: bytes, path: Path) -> str:
    """C2PA's name of the signature that a private key makes."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        loaded = load_pem_private_key(key, None)
    except (ValueError, TypeError):
        raise ProvenanceError(f"{path} is no private key in PEM without a password") from None
    match loaded:
        case ec.EllipticCurvePrivateKey():
            names = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
            if loaded.curve.name in names:
                return names[loaded.curve.name]
        case ed25519.Ed25519PrivateKey():
            return "ed25519"
        case rsa.RSAPrivateKey():
            return "ps256"
    raise ProvenanceError(f"{path}: C2PA takes keys of P-256, P-384, P-521, Ed25519 or RSA")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise ProvenanceError(f"{path} cannot be read: give certificates in PEM") from None


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())
