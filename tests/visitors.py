"""HTTP without a network, and a check of every answer against the OpenAPI document."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI

from kinsynth.server.auth import COOKIE, CSRF
from kinsynth.server.openapi import make_document
from people import Person

URL = "https://kinsynth.test"


class Visit(httpx.BaseTransport):
    """The way to the application; an answer that its document does not foresee is an AssertionError."""

    def __init__(self, app: FastAPI, portal: BlockingPortal, address: str = "203.0.113.1") -> None:
        self._inner = httpx.ASGITransport(app, client=(address, 4242))
        self._portal = portal
        self._operations = list(_read_operations(make_document(app)))

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Serve one request."""
        response = self._portal.call(self._serve, request)
        self._check(request, response)
        return response

    async def _serve(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answered = await self._inner.handle_async_request(sent)
        body = b"".join([part async for part in answered.aiter_raw()])  # packed as it was sent
        return httpx.Response(answered.status_code, headers=answered.headers, content=body)

    def _check(self, request: httpx.Request, response: httpx.Response) -> None:
        for method, path, operation in self._operations:
            if method == request.method and path.fullmatch(request.url.path):
                name, status = operation["operationId"], str(response.status_code)
                assert status in operation["responses"], (
                    f"{name}: {status} is not documented: {response.text}"
                )
                if response.is_error:
                    schema = operation["responses"][status]["content"]["application/json"]["schema"]
                    codes = schema["allOf"][1]["properties"]["code"]["enum"]
                    assert response.json()["code"] in codes, f"{name}: {status} {response.text}"
                return
        if response.headers.get("Content-Type", "").startswith("application/json"):
            assert response.status_code in {401, 404, 405, 431, 422}, response.text
        else:  # a page: nothing of the API, and nothing but a file
            assert not re.match(r"/api(/|$)", request.url.path), response.text
            assert request.method in {"GET", "HEAD"}
            assert response.status_code in {200, 404}, response.text


def _read_operations(document: dict[str, Any]) -> Iterator[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Give method, path and description of each operation; paths without parameters first."""
    for path in sorted(document["paths"], key=lambda path: path.count("{")):
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        for method, operation in document["paths"][path].items():
            yield method.upper(), pattern, operation


class Visitors:
    """Makes clients of one application."""

    def __init__(self, app: FastAPI, portal: BlockingPortal) -> None:
        self.app, self._portal = app, portal

    def make(self, *, address: str = "203.0.113.1", headers: dict[str, str] | None = None) -> httpx.Client:
        """Somebody nobody knows."""
        return httpx.Client(transport=Visit(self.app, self._portal, address), base_url=URL, headers=headers)

    def of(self, person: Person) -> httpx.Client:
        """Somebody in a browser."""
        client = self.make(headers={CSRF: person.session.csrf, "Origin": URL})
        client.cookies.set(COOKIE, person.session.secret)
        return client

    def with_token(self, secret: str) -> httpx.Client:
        """A script."""
        return self.make(headers={"Authorization": f"Bearer {secret}"})


@contextmanager
def visiting(app: FastAPI) -> Iterator[Visitors]:
    """Serve an application in a thread of its own."""
    with start_blocking_portal() as portal:
        yield Visitors(app, portal)
