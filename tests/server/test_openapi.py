"""The OpenAPI document says exactly what is taken: types, bounds, methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from kinsynth.server.openapi import make_document
from kinsynth.service.platform import Platform
from objects import add_objects
from people import add_person
from visitors import Visitors

WRONG: dict[str, tuple[Any, ...]] = {
    "boolean": (0, 1.0, "true"),
    "integer": (True, "1", 1.5),
    "number": (True, "1"),
}


def find_places(
    document: dict[str, Any], schema: dict[str, Any], depth: int = 0
) -> Iterator[tuple[str, Any, str]]:
    """Give places of a body that take a boolean or a number: types, a wrong value, and where it is."""
    if depth > 6:
        return
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for kind in {part.get("type") for part in [schema, *schema.get("anyOf", [])]} & WRONG.keys():
        yield from ((kind, value, "") for value in WRONG[kind])
    for part in (*schema.get("anyOf", []), *schema.get("oneOf", [])):
        if part.keys() & {"$ref", "properties", "prefixItems", "items"}:
            yield from find_places(document, part, depth + 1)
    for name, part in schema.get("properties", {}).items():
        for kind, body, where in find_places(document, part, depth + 1):
            yield kind, {name: body}, f"{name}.{where}"
    others = [*schema.get("patternProperties", {}).values()]
    if isinstance(schema.get("additionalProperties"), dict):
        others.append(schema["additionalProperties"])
    for part in others:
        for kind, body, where in find_places(document, part, depth + 1):
            yield kind, {"shop": body}, f"shop.{where}"
    for number, part in enumerate(schema.get("prefixItems", [])):
        for kind, body, where in find_places(document, part, depth + 1):
            yield kind, ["a"] * number + [body], f"{number}.{where}"
    if isinstance(schema.get("items"), dict):
        for kind, body, where in find_places(document, schema["items"], depth + 1):
            yield kind, [body], f"0.{where}"


def test_no_text_is_taken_for_a_number_and_no_number_for_a_boolean(
    app: FastAPI, visitors: Visitors, platform: Platform
) -> None:
    """Whatever else is wrong with the request: the finding about the place says so."""
    document = make_document(app)
    ana = add_person(platform, "ana", "admin")
    client, target = visitors.of(ana), add_person(platform, "target")
    ids = add_objects(platform, ana.id).ids() | {"user_id": target.id, "number": 1, "resource": "rows"}
    missed, tried = [], set()
    for path, item in document["paths"].items():
        for method, operation in item.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if content is None:
                continue
            for kind, body, where in find_places(document, content["schema"]):
                answer = client.request(method, path.format(**ids), json=body)
                found = [one["where"] for one in answer.json().get("findings", [])]
                tried.add((operation["operationId"], where))
                if answer.status_code != 422 or not any(one.endswith(where.rstrip(".")) for one in found):
                    missed.append(f"{operation['operationId']} {kind} {body}: {answer.status_code} {found}")
    assert not missed, "\n".join(missed)
    assert {("tokens.update", "suspended."), ("executions.create", "rows.shop.")} <= tried


def test_a_path_of_its_own_allows_what_is_done_there(visitors: Visitors, platform: Platform) -> None:
    client = visitors.of(add_person(platform, "ana"))
    allowed = {
        path: client.options(f"/api/v1{path}").headers["Allow"]
        for path in ("/syntheses", "/syntheses/import", "/syntheses/syn_1", "/syntheses/syn_1/clone")
    }
    assert allowed == {
        "/syntheses": "GET, POST",
        "/syntheses/import": "POST",
        "/syntheses/syn_1": "DELETE, GET, PATCH, PUT",
        "/syntheses/syn_1/clone": "POST",
    }


def test_bounds_are_whole_numbers_and_names_are_measured_as_they_are_sent(
    app: FastAPI, visitors: Visitors, platform: Platform
) -> None:
    """The float 2**63 is printed as a number above it; spaces around a name count."""
    bounds = make_document(app)["components"]["schemas"]["Retried"]["properties"]["seed"]["anyOf"][0]
    assert repr(bounds["exclusiveMaximum"]) == str(2**63)
    client = visitors.of(add_person(platform, "ana"))
    for name, status in (("  Shops ", 201), ("\fShops", 422), (" " * 200 + "S", 422), ("   ", 422)):
        assert client.post("/api/v1/sources", json={"name": name}).status_code == status
    assert [one["name"] for one in client.get("/api/v1/sources").json()["items"]] == ["Shops"]
