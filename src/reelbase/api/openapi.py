"""OpenAPI 3.1, out of the endpoints."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from reelbase import __version__
from reelbase.api.endpoints import ENDPOINTS, Endpoint
from reelbase.api.schemas import ProblemDetails
from reelbase.serving.problems import MEDIA_TYPE
from reelbase.serving.query import described

_ALWAYS = (403, 414, 421, 429, 500, 503)
_PLACE = "#/components/schemas/"


def document() -> dict[str, Any]:
    """The whole of it."""
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Reelbase",
            "version": __version__,
            "summary": "The public movie datasets in one PostgreSQL database",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _schemas() -> dict[str, Any]:
    models: list[type[BaseModel]] = [ProblemDetails]
    for endpoint in ENDPOINTS:
        models += [model for model in (endpoint.answer, endpoint.body) if model is not None]
    sent = {model: "serialization" if model not in _bodies() else "validation" for model in dict.fromkeys(models)}
    _, found = models_json_schema(list(sent.items()), ref_template=_PLACE + "{model}")  # type: ignore[arg-type]
    schemas: dict[str, Any] = found["$defs"]
    return schemas


def _bodies() -> set[type[BaseModel]]:
    return {endpoint.body for endpoint in ENDPOINTS if endpoint.body is not None}


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": [*_places(endpoint), *described(endpoint.query)],
        "responses": _responses(endpoint),
    }
    if endpoint.has_key:
        operation["parameters"].append(_KEY)
    if endpoint.body is not None:
        content = {"application/json": {"schema": _ref(endpoint.body), "example": _example(endpoint.body)}}
        if endpoint.form is not None:
            content["multipart/form-data"] = {"schema": _form(endpoint.form)}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key is answered again, and makes nothing anew, for a day",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def _form(fields: type[BaseModel]) -> dict[str, Any]:
    files = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1, "maxItems": 50}
    schema = fields.model_json_schema()
    return {**schema, "properties": {"file": files, **schema["properties"]}, "required": ["file"]}


def _example(model: type[BaseModel]) -> Any:
    return model.model_json_schema()["examples"][0]


def _places(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": description,
            "schema": {"type": "string"},
            "example": example,
        }
        for name, (description, example) in endpoint.place.items()
    ]


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.answer is not None:
        success["content"] = {"application/json": {"schema": _ref(endpoint.answer)}}
    if endpoint.media_type is not None:
        success.setdefault("content", {})[endpoint.media_type] = {}
    if endpoint.status in (201, 202):
        success["headers"] = {"Location": {"description": "Where it is", "schema": {"type": "string"}}}
    found = {str(endpoint.status): success}
    if endpoint.is_kept:
        found["304"] = {"description": "The client has it already (If-None-Match)"}
    for status in sorted({*endpoint.problems, *_ALWAYS}):
        found[str(status)] = _problem(status)
    return found


def _problem(status: int) -> dict[str, Any]:
    described_ = {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": _ref(ProblemDetails)}}}
    if status == 308:
        described_["headers"] = {"Location": {"description": "Where it is now", "schema": {"type": "string"}}}
    return described_


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"{_PLACE}{model.__name__}"}
