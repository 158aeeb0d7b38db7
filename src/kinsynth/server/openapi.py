"""The OpenAPI document: every operation with every status, and with every code a status may carry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from kinsynth.server.auth import COOKIE

_METHODS = {"get", "put", "post", "delete", "patch"}
_SCHEMES = {
    "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    "token": {"type": "http", "scheme": "bearer"},
}


def make_document(app: FastAPI) -> dict[str, Any]:
    """Write the document of an application; made once, then kept."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, routes=app.routes)
        document["components"]["securitySchemes"] = _SCHEMES
        for operation in operations(document):
            _name_codes(operation)
        app.openapi_schema = document
    return app.openapi_schema


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give each operation of a document."""
    for item in document["paths"].values():
        yield from (operation for method, operation in item.items() if method in _METHODS)


def _name_codes(operation: dict[str, Any]) -> None:
    """Put the codes of each status into its schema."""
    for status, codes in operation.pop("x-codes", {}).items():
        body = operation["responses"][str(status)]["content"]["application/json"]
        body["schema"] = {"allOf": [body["schema"], {"properties": {"code": {"enum": codes}}}]}
