"""The whole server as one ASGI app: the gate, the API, and the studio if it is wanted."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Any

from fastapi import FastAPI

from mien.server import answers, api, requests
from mien.server.gate import OPEN_PATHS, Gate
from mien.server.visitors import Visitors
from mien.server.workshop import Workshop


def create(workshop: Workshop, token: str | None = None, *, studio: bool = False) -> FastAPI:
    """The app. With `token` every request must carry it; with `studio` the app in the browser is
    at `/`. `app.state.visitors` are its `Visitors`.
    """

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        yield
        workshop.desk.close()

    app = FastAPI(
        title="mien",
        summary="Another expression on the same face.",
        description="Every picture that comes back is marked as altered by AI.",
        version=metadata.version("mien"),
        docs_url=None,  # its page fetches scripts from elsewhere: this server works offline
        redoc_url=None,
        lifespan=life,
    )
    answers.install(app)
    app.include_router(api.router(workshop))
    _describe(app, token=token is not None)
    if studio:
        from mien.studio.page import mount

        mount(app, workshop)
    app.state.visitors = visitors = Visitors()
    app.add_middleware(Gate, limits=workshop.limits, visitors=visitors, token=token)
    return app


def _describe(app: FastAPI, *, token: bool) -> None:
    """Say in OpenAPI what FastAPI does not know: what requests are read as, and what `Gate` asks
    for, a bearer token, but for the paths that are open."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        schema = plain()
        components = schema.setdefault("components", {})
        components.setdefault("schemas", {}).update(requests.schemas(api.REQUESTS))
        if not token:
            return schema
        schemes = components.setdefault("securitySchemes", {})
        schemes["token"] = {"type": "http", "scheme": "bearer"}
        schema["security"] = [{"token": []}]
        for path in OPEN_PATHS:
            for operation in schema["paths"].get(path, {}).values():
                operation["security"] = []
        return schema

    app.openapi = described  # type: ignore[method-assign]
