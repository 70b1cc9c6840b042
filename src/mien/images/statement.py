"""What a file says of having been altered: the XMP packet, written and read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree
from xml.sax.saxutils import quoteattr

SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
"""IPTC's word for a photograph that a trained model altered in part."""

_NAMESPACE = "https://mien.invalid/ns/1.0/"
_IPTC = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
_STANDARD = {
    "method": ("AISystemUsed", "mien {}"),
    "weights": ("AISystemVersionUsed", "{}"),
    "guide": ("AIPromptInformation", "{}"),
}
_PACKET = 1_000_000  # bytes of XMP that are looked into


def stated(packet: bytes) -> dict[str, str]:
    """The part of `images.statement` that an XMP packet holds; nothing for a packet that is not
    well made.

    Entities are refused: an XMP packet has none, and a hostile one would have many.
    """
    packet = packet.rstrip(b"\0")
    if not packet or len(packet) > _PACKET or b"<!" in packet:
        return {}
    try:
        root = ElementTree.fromstring(packet)
    except (ElementTree.ParseError, ValueError, LookupError):  # the last: an unknown encoding
        return {}
    found: dict[str, str] = {}
    for element in root.iter():
        named = [*element.attrib.items(), (element.tag, (element.text or "").strip())]
        for name, value in named:
            space, _, key = name.removeprefix("{").rpartition("}")
            if value and (space == _NAMESPACE or (space, key) == (_IPTC, "DigitalSourceType")):
                found[key] = value
    return found


def xmp(metadata: Mapping[str, str]) -> bytes:
    """An XMP packet: altered by a trained model, how, and the plain keys in mien's own name space.

    Method, weights and guide stand in IPTC's words for them too (Photo Metadata Standard 2025.1).
    """
    plain = "".join(f" mien:{key(k)}={quoteattr(printable(v))}" for k, v in metadata.items())
    standard = "".join(
        f" Iptc4xmpExt:{name}={quoteattr(form.format(printable(metadata[key])))}"
        for key, (name, form) in _STANDARD.items()
        if key in metadata
    )
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="{_IPTC}" xmlns:mien="{_NAMESPACE}"'
        f' Iptc4xmpExt:DigitalSourceType="{SOURCE_TYPE}"{standard}{plain}/>'
        "</rdf:RDF></x:xmpmeta>"
    ).encode()


def key(text: str) -> str:
    """A name that XML and PNG both take."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", text)[:60]
    return name if re.match(r"[A-Za-z_]", name) else f"_{name}"


def printable(text: str) -> str:
    """The part of a text that XML can hold, 2,000 characters at most."""
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", "", text)[:2000]
