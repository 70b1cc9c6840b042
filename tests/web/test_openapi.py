"""The API is held to its own description: schemathesis asks what OpenAPI allows, and what it does
not.
"""

from __future__ import annotations

import base64
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mien.server.app import create
from mien.server.workshop import Workshop

schemathesis = pytest.importorskip("schemathesis", reason="needs mien[test]")

PATHS = ("/v1/edit", "/v1/sheet", "/v1/swap", "/v1/methods", "/healthz")
JOBS = ("/v1/series", "/v1/films", "/v1/jobs/{job}", "/v1/jobs/{job}/result")
EXAMPLES = 12


@pytest.fixture
def described(workshop: Workshop) -> Any:
    return schemathesis.openapi.from_asgi(
        "/openapi.json", create(workshop), headers={"host": "127.0.0.1"}
    )


ASKED = [(path, mode) for path in PATHS for mode in ("POSITIVE", "NEGATIVE")]
ASKED += [(path, "NEGATIVE") for path in JOBS[:2]]  # what is right begins work: test_jobs_api
ASKED += [(path, "POSITIVE") for path in JOBS[2:]]


@pytest.fixture(scope="module", autouse=True)
def photographs(anna: bytes) -> None:
    """What schemathesis sends where the schema says bytes: a face, noise, or a cut JPEG."""
    files = [anna, anna, b"noise", b"", anna[:2000]]
    schemathesis.openapi.format("binary", st.sampled_from(files))
    schemathesis.openapi.format(
        "byte", st.sampled_from([base64.b64encode(data).decode() for data in files])
    )


# what a GET without parameters could break, there is not
@pytest.mark.parametrize(
    ("path", "mode"), [a for a in ASKED if a not in product(PATHS[3:], ["NEGATIVE"])]
)
def test_nothing_is_answered_that_is_not_described(described: Any, path: str, mode: str) -> None:
    """No 5xx, no undocumented status, type or shape, and nothing accepted that breaks the schema.

    What is accepted and what comes of it is tested in test_api.
    """
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi import checks

    held = [
        not_a_server_error,
        checks.status_code_conformance,
        checks.content_type_conformance,
        checks.response_schema_conformance,
        checks.negative_data_rejection,
        checks.unsupported_method,
    ]
    method = "GET" if path in (*PATHS[3:], *JOBS[2:]) else "POST"
    operation = described[path][method]
    strategy = operation.as_strategy(schemathesis.GenerationMode[mode])
    statuses: set[int] = set()

    @given(case=strategy)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        response = case.call(headers={"host": "127.0.0.1"})
        statuses.add(response.status_code)
        case.validate_response(response, checks=held)

    ask()
    assert statuses <= ({200, 404} if method == "GET" else {200, 400, 413, 415, 422})


def test_every_path_is_described(described: Any) -> None:
    assert {operation.ok().path for operation in described.get_all_operations()} == {*PATHS, *JOBS}
