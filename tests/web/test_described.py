"""What OpenAPI says of an expression's fields is what the server asks for."""

from __future__ import annotations

from typing import Any

import pytest

from mien.server.app import create
from mien.server.workshop import Workshop

schemas = pytest.importorskip("jsonschema_rs", reason="needs mien[test]")
testclient = pytest.importorskip("fastapi.testclient", reason="needs mien[web]")

HAPPY = {"to": "happy"}
KEYS = {"keyframes": [{"time": 0, "to": "happy"}]}


@pytest.mark.parametrize(
    ("call", "fields", "fits"),
    [
        ("edit", HAPPY, True),
        ("edit", {"gaze": [0.5, 0]}, True),
        ("edit", {"expression": HAPPY}, True),
        ("edit", {**HAPPY, "au": ["AU4=1"], "blendshapes": None}, True),
        ("edit", {}, False),
        ("edit", {"to": None}, False),
        ("edit", {"intensity": 0.5}, False),
        ("edit", {**HAPPY, "blendshapes": {"jawOpen": 1}}, False),
        ("films", HAPPY, True),
        ("films", KEYS, True),
        ("films", {"like_film": "AAAA"}, True),
        ("films", {}, False),
        ("films", {**KEYS, **HAPPY}, False),
        ("films", {**KEYS, "like_film": "AAAA"}, False),
        ("films", {"like_film": "AAAA", "turn": [0, 9, 0]}, False),
    ],
)
def test_one_of_rules(workshop: Workshop, call: str, fields: dict[str, Any], fits: bool) -> None:
    """A picture that is none is told only when the fields are right."""
    app = create(workshop)
    kind = "image" if call == "edit" else "film"
    asked = {kind: "AAAA", **fields}
    form = app.openapi()["paths"][f"/v1/{call}"]["post"]["requestBody"]["content"]
    name = form["application/json"]["schema"]["$ref"].rpartition("/")[2]
    schema = app.openapi()["components"]["schemas"][name]
    assert schemas.Draft202012Validator(schema).is_valid(asked) == fits
    with testclient.TestClient(app, base_url="http://127.0.0.1") as client:
        told = client.post(f"/v1/{call}", json=asked).json()["error"]
    right = told["code"] == "unsupported_picture" or "is not a film" in told["message"]
    assert right == fits, told


def test_calls_have_plain_names(workshop: Workshop) -> None:
    """They are what a generated client calls its functions."""
    calls = [
        call for verbs in create(workshop).openapi()["paths"].values() for call in verbs.values()
    ]
    assert {call["operationId"] for call in calls} == {
        "edit", "sheet", "swap", "methods", "health", "make_series", "make_film", "job", "end_job",
        "result",
    }  # fmt: skip
