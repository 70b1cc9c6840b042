"""What the API is asked: one model for each call, read from JSON (pictures in base64) or from a
form (pictures as files), and the OpenAPI of both.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, TypeAlias, TypeVar

from fastapi import Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from starlette.datastructures import UploadFile

from mien import facs
from mien.errors import GuideError
from mien.guides import ExpressionSpec
from mien.server.answers import Refused
from mien.server.intake import safe

MOST_PEOPLE = 6
"""Rows of a sheet."""
MOST_UNITS = 2 * len(facs.UNITS)
_SPEC = ("to", "au", "share", "blendshapes", "gaze", "turn", "light", "region")
_FORM, _JSON = "multipart/form-data", "application/json"


class Sent(bytes):
    """A file that a form holds, and what its sender calls it."""

    name: str = ""


def binary(value: object) -> object:
    """A file that JSON has in base64, or a form as it is."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("not base64: encode the file's bytes") from None


def _known(name: str) -> str:
    return facs.plain(name)


Picture: TypeAlias = Annotated[
    bytes,
    BeforeValidator(binary),
    WithJsonSchema(
        {"type": "string", "format": "byte", "description": "A JPEG, PNG or WebP, in base64."}
    ),
]
Emotion: TypeAlias = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(facs.LABELS)})
]
Intensity: TypeAlias = Annotated[
    float,
    Field(
        ge=-10,
        le=10,
        allow_inf_nan=False,
        description="0 changes nothing, 1 is the expression asked for, more is more.",
    ),
]
WhichFace: TypeAlias = Annotated[
    str,
    Field(
        max_length=60,
        description="`largest`, `all`, `index N` (0 is the largest), `near X,Y` (px), or `auto`: "
        "the only face, or one that is clearly the largest.",
    ),
]
MethodName: TypeAlias = Annotated[
    str | None, Field(max_length=60, description="A name of /v1/methods; the server's first if not")
]
Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Pair: TypeAlias = Annotated[
    Annotated[list[Number], Field(min_length=2, max_length=2)] | None,
    Field(description="To the person's own left, and up, -1 to 1 each."),
]
Format: TypeAlias = Annotated[
    Literal["png", "jpeg"], Field(description="Of the picture that comes back.")
]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")

    method: MethodName = None
    format: Format = "png"

    @property
    def suffix(self) -> str:
        return ".png" if self.format == "png" else ".jpg"

    @property
    def media_type(self) -> str:
        return f"image/{self.format}"


def _there(*keys: str) -> dict[str, Any]:
    """The JSON schema of an object in which all of these are, and not null; files are no JSON."""
    given = {key: {"not": {"type": "null"}} for key in keys if not key.startswith("like")}
    return {"type": "object", "required": list(keys), "properties": given}


SAID = ("to", "au", "like", "blendshapes", "gaze", "turn", "light", "expression")
"""Fields that ask for something by themselves."""
ASKS = {"anyOf": [_there(key) for key in SAID]}
ONE_WHOLE = {"not": _there("to", "blendshapes")}


def one_of(*moving: str) -> dict[str, Any]:
    """The rules of an expression as OpenAPI has them: something is asked for, or one of `moving`,
    and no two whole expressions."""
    asked = {"oneOf": [*map(_there, moving), ASKS]} if moving else ASKS
    return {"allOf": [asked, ONE_WHOLE]}


class Expressed(BaseModel):
    """An expression: a whole one by `to`, `blendshapes` or `like`, and on top of it `au`, `gaze`,
    `turn` and `light`; or all of it as `expression`.
    """

    model_config = ConfigDict(extra="forbid", json_schema_extra=one_of())

    to: Annotated[Emotion | None, Field(description="An expression by name.")] = None
    au: Annotated[
        list[Annotated[str, Field(max_length=20)]] | None,
        Field(max_length=MOST_UNITS, description="Action units: `AU12=0.8`, `AU4=+0.3`, `AU12L=C`"),
    ] = None
    like: Annotated[
        Picture | None, Field(description="A photograph whose expression is transferred")
    ] = None
    share: Annotated[
        float | None,
        Field(ge=0, le=1, description="How far `like` is followed; below 1 `to` may go before it."),
    ] = None
    blendshapes: Annotated[
        dict[str, float] | None,
        Field(description="ARKit's, 0 to 1: those not named are 0. In a form, JSON as text."),
    ] = None
    gaze: Pair = None
    turn: Annotated[
        Annotated[list[Number], Field(min_length=3, max_length=3)] | None,
        Field(description="The head's pitch, yaw and roll in degrees, -30 to 30 each."),
    ] = None
    light: Pair = None
    region: Annotated[
        Literal["face", "upper", "lower"] | None, Field(description="Which part may change.")
    ] = None
    expression: Annotated[
        dict[str, Any] | None,
        Field(description="An expression's JSON file; fields beside it say more, or other."),
    ] = None

    def spec(self) -> ExpressionSpec:
        """What is asked for; of `like`, that there is one. GuideError for nothing, or for what
        contradicts itself."""
        given = {key: getattr(self, key) for key in _SPEC if getattr(self, key) is not None}
        there = ExpressionSpec.of(self.expression or {})
        if self.like is not None and there.like is None:
            given["like"] = "like"
        spec = there.but(given)
        if spec.like is not None and self.like is None:
            raise GuideError(f"like: send the reference photograph {spec.like}")
        if spec.empty:
            raise GuideError(
                "say which expression: to (a label), au (units), like (a photo), blendshapes, "
                "gaze, turn, light, or expression (all of it)"
            )
        return spec


class EditRequest(_Asked, Expressed):
    """A photograph, and an expression: a whole one by `to`, `blendshapes` or `like`, and on top of
    it `au`, `gaze`, `turn` and `light`; or all of it as `expression`.
    """

    image: Picture
    intensity: Intensity = 1.0
    face: WhichFace = "largest"


class SwapRequest(_Asked):
    """Two photographs whose expressions change places."""

    a: Picture
    b: Picture
    face: WhichFace = "largest"


class SheetRequest(_Asked):
    """People, each a row of the sheet, and the expressions that are its columns."""

    image: Annotated[list[Picture], Field(min_length=1, max_length=MOST_PEOPLE)]
    expressions: Annotated[
        list[Emotion], Field(min_length=1, max_length=len(facs.EMOTIONS), description="Columns.")
    ] = list(facs.EMOTIONS)
    size: Annotated[int, Field(ge=32, le=512, description="Side of one picture, px.")] = 256
    intensity: Intensity = 1.0
    face: WhichFace = "largest"


Asked = TypeVar("Asked", bound=BaseModel)


async def parse(request: Request, model: type[Asked], files: int = MOST_PEOPLE + 1) -> Asked:
    """The request's body as `model`; Refused (415) for another content type, (400) for one that
    cannot be read, and pydantic's error for fields that do not fit. A form has up to `files` files.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == _JSON:
        try:
            fields = json.loads(await request.body())
        except (ValueError, RecursionError):
            raise Refused(400, "bad_json", "the body is not JSON") from None
        if not isinstance(fields, dict):
            raise Refused(422, "bad_request", "the body is no JSON object")
        return model.model_validate(fields)
    if kind == _FORM:
        return model.model_validate(await _form(request, model, files))
    raise Refused(415, "unsupported_type", f"send {_JSON} or {_FORM}")


async def _form(request: Request, model: type[BaseModel], files: int) -> dict[str, Any]:
    """Fields of a form as JSON would have them; a list may be repeated or have commas."""
    fields: dict[str, Any] = {}
    async with request.form(max_files=files, max_fields=MOST_UNITS + 20) as form:
        for name in form:
            values = [
                await _sent(v) if isinstance(v, UploadFile) else v for v in form.getlist(name)
            ]
            if _holds(model, name, "list[dict["):  # in one field, or each in one of its own
                read = [_object(value) for value in values]
                fields[name] = read[0] if len(read) == 1 and isinstance(read[0], list) else read
            elif _holds(model, name, "dict["):
                fields[name] = _object(values[-1])
            elif not _holds(model, name, "list["):
                fields[name] = values[-1]
            else:
                fields[name] = [part for v in values for part in _split(v)]
    return fields


async def _sent(file: UploadFile) -> Sent:
    data = Sent(await file.read())
    data.name = safe(file.filename) if file.filename else ""
    return data


def _split(value: str | bytes) -> list[str | bytes]:
    return [p.strip() for p in value.split(",")] if isinstance(value, str) else [value]


def _object(value: str | bytes) -> Any:
    """An object that a form has as JSON; what is none is left for the model to refuse."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def _holds(model: type[BaseModel], name: str, kind: str) -> bool:
    field = model.model_fields.get(name)
    return field is not None and kind in str(field.annotation)


def body(model: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI of a request body in both content types; their schemas are `schemas`."""
    as_json, as_form = (f"#/components/schemas/{name}" for name in _names(model))
    return {
        "requestBody": {
            "required": True,
            "content": {_FORM: {"schema": {"$ref": as_form}}, _JSON: {"schema": {"$ref": as_json}}},
        }
    }


def schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    """The schemas that `body` names, by their names: in JSON files are text, in a form bytes."""
    made: dict[str, Any] = {}
    for model in models:
        as_json, as_form = _names(model)
        schema = model.model_json_schema()
        as_bytes = json.dumps(schema).replace('"format": "byte"', '"format": "binary"')
        made |= {as_json: schema, as_form: json.loads(as_bytes) | {"title": as_form}}
    return made


def _names(model: type[BaseModel]) -> tuple[str, str]:
    return model.__name__, model.__name__.replace("Request", "Form")
