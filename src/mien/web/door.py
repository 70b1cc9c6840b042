"""The door to Gradio: of all that Gradio's server answers, only what the studio's page asks.

Gradio's routes hand out files by path, fetch addresses, and call components by name; none of that
is needed here, so it is not there. Uploads and events, which the page does need, are read whole and
checked first: Gradio hears of a file only by a path that this process has put it at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from fastapi.responses import JSONResponse, Response
from starlette.datastructures import MutableHeaders, UploadFile
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mien.web.answers import Refused
from mien.web.uploads import Uploads

_LOOKS = re.compile(
    r"/|/config|/theme\.css|/favicon\.ico|/(?:assets|static)/(?!.*\.\.)[\w./-]+"
    r"|/gradio_api/(?:app_id|queue/data|heartbeat/\w+)"
)
_ASKS = "/gradio_api/queue/data"  # the one whose query says something that is needed
_UPLOAD = "/gradio_api/upload"
_PROGRESS = "/gradio_api/upload_progress"
_EVENTS = ("/gradio_api/run/predict", "/gradio_api/queue/join")
"""What is answered at once, and what says how far it is: making a film."""
_EVENT_FIELDS = ("data", "event_data", "fn_index", "trigger_id", "session_hash")
_LARGEST_EVENT = 100_000  # bytes: where sliders stand, and keys
_FILE_META = {"_type": "gradio.FileData"}


class Door:
    """Gradio's app, and who may say what to it."""

    def __init__(self, app: ASGIApp, uploads: Uploads, files: int) -> None:
        """At most `files` come in one upload: one field of the page takes several."""
        self.app, self.uploads, self.files = app, uploads, files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = (scope["method"], scope["path"])
        if scope["method"] == "POST" and scope["path"] in _EVENTS:
            await self._event(Request(scope, receive), send)
        elif asked == ("POST", _UPLOAD):
            answer = await self._upload(Request(scope, receive))
            await answer(scope, receive, send)
        elif asked == ("GET", _PROGRESS):
            # an upload is answered when it is there: the page's own bar has nothing to wait for
            done = Response('data: {"msg": "done"}\n\n', media_type="text/event-stream")
            await done(scope, receive, send)
        elif scope["method"] in ("GET", "HEAD") and _LOOKS.fullmatch(scope["path"]):
            kept = scope["query_string"] if scope["path"] == _ASKS else b""
            await self.app(dict(scope, query_string=kept), receive, send)
        else:
            raise Refused(404, "not_found", "Not Found")

    async def _upload(self, request: Request) -> Response:
        """Keep the files of a form; their keys."""
        async with request.form(max_files=self.files, max_fields=self.files) as form:
            files = [file for file in form.getlist("files") if isinstance(file, UploadFile)]
            if not files:
                raise Refused(422, "bad_request", "files: send at least one, in a form")
            keys = [await self.uploads.keep(file.filename or "", file.file) for file in files]
        return JSONResponse(keys)

    async def _event(self, request: Request, send: Send) -> None:
        """Pass on what was clicked on, dropped or moved, as it was understood here."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind != "application/json":
            raise Refused(415, "unsupported_type", "send application/json")
        try:
            asked = json.loads(await _short(request))
            if not isinstance(asked, dict):
                raise Refused(422, "bad_request", "the body is no JSON object")
            passed = {key: self._own(asked[key]) for key in _EVENT_FIELDS if key in asked}
        except (ValueError, RecursionError):
            raise Refused(400, "bad_json", "the body is not JSON") from None
        body = json.dumps(passed).encode()
        # a copy: what was read here must not be taken for what Gradio reads
        scope = dict(request.scope, query_string=b"", headers=list(request.scope["headers"]))
        headers = MutableHeaders(scope=scope)
        headers["content-length"] = str(len(body))
        del headers["transfer-encoding"]
        await self.app(scope, _replayed(body, request.receive), send)

    def _own(self, value: Any) -> Any:
        """A value of an event, with the places of the files that it names by their keys; Refused
        (403) when it names anything else.
        """
        if isinstance(value, list):
            return [self._own(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.keys() & {"path", "url", "meta", "_type"}:
            return self._file(value)
        return {key: self._own(item) for key, item in value.items()}

    def _file(self, value: Mapping[str, Any]) -> dict[str, Any]:
        key, url = value.get("path"), value.get("url")
        path = self.uploads.get(key) if isinstance(key, str) else None
        # the page's client adds where it believes that Gradio would serve the file
        known = url is None or (isinstance(url, str) and url.endswith(f"/gradio_api/file={key}"))
        if path is None or not known or value.get("meta") != _FILE_META:
            raise Refused(403, "no_such_upload", "there is no such upload: send the file again")
        return {"path": str(path), "orig_name": path.name, "meta": dict(_FILE_META)}


async def _short(request: Request) -> bytes:
    """The body, if it is as short as an event is."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_EVENT:
            most = f"{_LARGEST_EVENT / 1e3:g} kB"
            raise Refused(413, "request_too_large", f"an event may have {most}")
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """`receive` of a request with this body, then of the one that it stands for."""
    parts: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return parts.pop() if parts else await receive()

    return replayed
