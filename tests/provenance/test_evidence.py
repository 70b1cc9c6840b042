"""What leaves says what it is, and `mien verify` reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from mien import images
from mien.cli.main import app
from mien.editor import Result
from mien.errors import ImageError, ProvenanceError
from mien.provenance import credentials
from mien.provenance.credentials import Signer
from mien.provenance.evidence import examine
from mien.zoo.samples import samples


def verify(*words: object) -> Any:
    return CliRunner().invoke(app, ["verify", *map(str, words)], prog_name="mien")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_metadata_come_back(edited: Result, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    edited.save(path)
    told = images.statement(path)
    assert told["DigitalSourceType"] == images.SOURCE_TYPE
    assert (told["method"], told["guide"], told["weights"]) == ("wide-mouth", "surprise", "abc123")
    packet = path.read_bytes()
    assert b'Iptc4xmpExt:AISystemUsed="mien wide-mouth"' in packet
    assert b'Iptc4xmpExt:AIPromptInformation="surprise"' in packet


def test_metadata_of_others_and_broken_ones() -> None:
    photoshop = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-'
        b'syntax-ns#"><r:Description xmlns:e="http://iptc.org/std/Iptc4xmpExt/2008-02-29/">'
        b"<e:DigitalSourceType>http://x/trainedAlgorithmicMedia</e:DigitalSourceType>"
        b"</r:Description></r:RDF></x:xmpmeta>"
    )
    assert images.stated(photoshop) == {"DigitalSourceType": "http://x/trainedAlgorithmicMedia"}
    bomb = b'<!DOCTYPE a [<!ENTITY b "bbbb">]><a>&b;</a>'
    for packet in (b"", b"<a", bomb, b"\xff\xfe\x00", b"<a>" + b" " * 2_000_000 + b"</a>"):
        assert images.stated(packet) == {}


def test_stripped_of_metadata_the_mark_remains(edited: Result, tmp_path: Path) -> None:
    edited.save(tmp_path / "a.png")
    bare = tmp_path / "bare.jpg"
    Image.fromarray(images.read(tmp_path / "a.png").pixels).save(bare, quality=90)
    evidence = examine(bare)
    assert evidence.statement == {}
    assert evidence.score > 5


def test_signed_files_are_checked(edited: Result, tmp_path: Path, keys: Any) -> None:
    signer = Signer.load(keys.chain, keys.key)
    for suffix in (".png", ".jpg", ".webp"):
        path = tmp_path / f"a{suffix}"
        edited.save(path, signer)
        assert np.array_equal(images.read(path).pixels.shape, edited.pixels.shape), (
            "it is still a picture"
        )
        claim = credentials.read(path)
        assert claim is not None
        assert (claim.state, claim.signer, claim.altered_by_ai) == ("Valid", "mien tests", True)
        trusted = credentials.read(path, keys.root)
        assert trusted is not None
        assert trusted.state == "Trusted"
    data = bytearray((tmp_path / "a.png").read_bytes())
    data[-200] ^= 1
    (tmp_path / "b.png").write_bytes(data)
    broken = credentials.read(tmp_path / "b.png")
    assert broken is not None
    assert broken.state == "Invalid"


def test_wrong_keys_are_told_in_a_line(keys: Any, tmp_path: Path, edited: Result) -> None:
    (tmp_path / "no.pem").write_text("not a key")
    with pytest.raises(ProvenanceError, match="no private key"):
        Signer.load(keys.chain, tmp_path / "no.pem")
    with pytest.raises(ProvenanceError, match="cannot be read"):
        Signer.load(tmp_path / "missing.pem", keys.key)
    with pytest.raises(ProvenanceError, match="cannot be signed"):
        Signer(b"no chain", keys.key.read_bytes(), "es256").sign(edited.encode(".png"), ".png", {})
    assert credentials.read(samples()["anna"]) is None


def test_verify_says_what_it_finds(edited: Result, tmp_path: Path, keys: Any) -> None:
    edited.save(tmp_path / "a.png", Signer.load(keys.chain, keys.key))
    said = verify(tmp_path / "a.png", "--anchors", keys.root)
    assert said.exit_code == 0
    for words in (
        "altered",
        "confidence",
        "%",
        "method wide-mouth",
        "whole, by a signer you trust",
    ):
        assert words in said.output
    plain = verify(samples()["ben"])
    assert plain.exit_code == 1
    assert "no proof of the contrary" in plain.output
    both = verify(tmp_path / "a.png", samples()["ben"], "--json")
    assert both.exit_code == 1
    rows = [json.loads(line) for line in both.output.splitlines()]
    assert [row["altered"] for row in rows] == [True, False]
    assert rows[1]["mark"] == "not found"
    assert rows[1]["metadata"] == {}
    Image.new("RGB", (200, 200)).save(tmp_path / "black.png")
    assert "no face" in verify(tmp_path / "black.png").output


def test_verify_of_what_is_no_picture(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("hello")
    said = verify(tmp_path / "a.jpg")
    assert said.exit_code == 2
    with pytest.raises(ImageError):
        examine(tmp_path / "missing.png")
