"""A marked edit of a sample face, and a certificate chain made for the test."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import pytest

from mien.editor import Editor, Result
from mien.methods.base import Method
from mien.types import Label
from mien.zoo.samples import samples


@pytest.fixture(scope="session")
def edited(wide_mouth: Method) -> Result:
    """A sample face with a wider, opened mouth."""
    return Editor(wide_mouth, weights="abc123").edit(samples()["anna"], Label("surprise"), 1.5)


@dataclass(frozen=True)
class Keys:
    """Files of a root of trust and of a signer below it."""

    chain: Path
    key: Path
    root: Path


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    x509 = pytest.importorskip("cryptography.x509")
    pytest.importorskip("c2pa")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(common: str) -> x509.Name:
        oid = x509.NameOID
        parts = {oid.COMMON_NAME: common, oid.ORGANIZATION_NAME: "mien tests"}
        return x509.Name([x509.NameAttribute(k, v) for k, v in parts.items()])

    def certificate(common: str, key: object, signing: object, ca: bool) -> bytes:
        now = dt.datetime.now(dt.UTC)
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        ) | {"encipher_only": False, "decipher_only": False}
        usage |= {"digital_signature": not ca, "key_cert_sign": ca, "crl_sign": ca}
        issuer = signing.public_key()  # type: ignore[attr-defined]
        made = (
            x509.CertificateBuilder(name("root"), name(common), key.public_key())  # type: ignore[attr-defined]
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca, None), True)
            .add_extension(x509.KeyUsage(**usage), True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), False)
        )
        if not ca:
            mail = x509.ExtendedKeyUsageOID.EMAIL_PROTECTION
            made = made.add_extension(x509.ExtendedKeyUsage([mail]), False)
        pem: bytes = made.sign(signing, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        return pem

    folder = tmp_path_factory.mktemp("keys")
    top, own = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = certificate("root", top, top, ca=True)
    files = Keys(folder / "chain.pem", folder / "key.pem", folder / "root.pem")
    files.chain.write_bytes(certificate("signer", own, top, ca=False) + root)
    files.root.write_bytes(root)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    files.key.write_bytes(own.private_bytes(*form, serialization.NoEncryption()))
    return files
