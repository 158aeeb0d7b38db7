"""The OpenAPI document: every operation with every status and its codes, and where its answer leads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import compile_path

from kinsynth.server.auth import COOKIE

_BOUNDS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"}
_METHODS = {"get", "put", "post", "delete", "patch"}
_VERSION = {"source_id": "$request.path.source_id", "number": "$request.path.number"}
_EXECUTION = {"execution_id": "$response.body#/id"}
_OF_EXECUTION = (
    *("read", "rename", "events", "timeline", "stream", "preview", "files", "report", "certificate"),
    *("evaluation", "cancel", "resume", "retry", "delete"),
)
# By operation: the parameters that its request and answer fill, and the operations that take them.
_LINKS: Mapping[str, tuple[Mapping[str, str], Sequence[str]]] = {
    "users.create": (
        {"user_id": "$response.body#/id"},
        (
            *("users.read", "users.update", "users.block", "users.activate", "users.set_password"),
            *("quotas.read", "quotas.update"),
        ),
    ),
    "tokens.create": (
        {"token_id": "$response.body#/id"},
        ("tokens.read", "tokens.update", "tokens.delete"),
    ),
    "sources.create": (
        {"source_id": "$response.body#/id"},
        ("sources.read", "sources.rename", "versions.create", "versions.list", "sources.delete"),
    ),
    "versions.create": (
        {"source_id": "$request.path.source_id", "number": "$response.body#/number"},
        ("versions.read", "versions.upload", "versions.seal"),
    ),
    "versions.upload": (
        {**_VERSION, "name": "$request.path.name"},
        ("versions.upload", "versions.remove_file"),
    ),
    "versions.seal": (_VERSION, ("versions.read", "versions.preview", "versions.detect")),
    "syntheses.create": (
        {"synthesis_id": "$response.body#/id"},
        (
            *(
                "syntheses.read",
                "syntheses.update",
                "syntheses.rename",
                "syntheses.clone",
                "syntheses.export",
            ),
            *("syntheses.versions", "syntheses.version", "syntheses.check", "syntheses.assess"),
            *("drafts.check", "drafts.detect", "drafts.write", "drafts.read"),
            *(
                "shares.list",
                "shares.set",
                "executions.create",
                "executions.of_synthesis",
                "syntheses.delete",
            ),
        ),
    ),
    "syntheses.clone": (
        {"synthesis_id": "$response.body#/id"},
        ("syntheses.read", "executions.create", "syntheses.delete"),
    ),
    "shares.set": (
        {"synthesis_id": "$request.path.synthesis_id", "user_id": "$response.body#/user_id"},
        ("shares.remove",),
    ),
    "executions.create": (
        _EXECUTION,
        (*(f"executions.{verb}" for verb in _OF_EXECUTION), "downloads.create", "downloads.list"),
    ),
    "executions.retry": (_EXECUTION, ("executions.read", "executions.cancel", "executions.delete")),
    "downloads.create": ({"download_id": "$response.body#/id"}, ("downloads.read", "downloads.ticket")),
    "destinations.create": (
        {"destination_id": "$response.body#/id"},
        ("destinations.read", "destinations.update", "destinations.delete"),
    ),
}
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
        _add_links(document)
        for part in _find_parts(document):
            _close_names(part)
            _write_whole_bounds(part)
        app.openapi_schema = document
    return app.openapi_schema


def operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Give each operation of a document."""
    for item in document["paths"].values():
        yield from (operation for method, operation in item.items() if method in _METHODS)


def find_methods(document: dict[str, Any], path: str) -> list[str]:
    """Give what is done at a path; ``/syntheses/import`` is itself, and no synthesis whose id is import."""
    fitting = [template for template in document["paths"] if compile_path(template)[0].match(path)]
    nearest = min(fitting, key=lambda template: template.count("{"))
    return sorted(method.upper() for method in document["paths"][nearest])


def _name_codes(operation: dict[str, Any]) -> None:
    """Put the codes of each status into its schema."""
    for status, codes in operation.pop("x-codes", {}).items():
        body = operation["responses"][str(status)]["content"]["application/json"]
        body["schema"] = {"allOf": [body["schema"], {"properties": {"code": {"enum": codes}}}]}


def _find_parts(part: Any) -> Iterator[dict[str, Any]]:
    """Give every object within a document, at any depth, and the document itself."""
    if isinstance(part, dict):
        yield part
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _find_parts(inner)


def _close_names(part: dict[str, Any]) -> None:
    """Say of objects whose names follow a pattern that there are no others; pydantic leaves that open."""
    if "patternProperties" in part:
        part.setdefault("additionalProperties", False)


def _write_whole_bounds(part: dict[str, Any]) -> None:
    """Write bounds that are whole numbers as such: 2**63 as a float is printed as a number above it."""
    for name in _BOUNDS & part.keys():
        if isinstance(part[name], float) and part[name].is_integer():
            part[name] = int(part[name])


def _add_links(document: dict[str, Any]) -> None:
    """Say in each answer that names something what can be asked of it next."""
    by_id = {operation["operationId"]: operation for operation in operations(document)}
    for name, (parameters, targets) in _LINKS.items():
        answer = next(one for status, one in by_id[name]["responses"].items() if status.startswith("2"))
        answer["links"] = {
            target: {"operationId": target, "parameters": dict(parameters)} for target in targets
        }
