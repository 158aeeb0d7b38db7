"""Pages: the web application as ``web/`` was built, the same files for everybody.

No page holds data: what a page shows, it asks of the API, whose operations have their rows in the policy.
"""

from __future__ import annotations

import gzip
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kinsynth.server.headers import allow_styles

BUILT = Path(__file__).with_name("static")
NONCE = "__NONCE__"
_INDEX = "/index.html"
_ASSETS = "/assets/"
_NO_PAGES = {"api", "assets", "health", "metrics"}
_FOREVER, _WHILE = "public, max-age=31536000, immutable", "public, max-age=3600"
_WORTHWHILE = 0.9
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/vnd.microsoft.icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>kinsynth</title></head><body>
<h1>kinsynth</h1>
<p>The server works, but its web application was not built. In a clone of the repository,
<code>scripts/install</code> builds it; then start the server again.</p>
<p>The REST API is at <code>/api/v1</code>.</p>
</body></html>
"""


@dataclass(frozen=True)
class File:
    """A file of the build.

    Attributes:
        content: Its bytes.
        packed: The same with gzip, None where that saves little.
        media_type: What it is.
        cached: How long browsers keep it.
    """

    content: bytes
    packed: bytes | None
    media_type: str
    cached: str

    def answer(self, headers: Headers) -> Response:
        """Make the answer to a request for it."""
        found = {"Cache-Control": self.cached}
        if self.packed is None:
            return Response(self.content, headers=found, media_type=self.media_type)
        found["Vary"] = "Accept-Encoding"
        if not _takes_gzip(headers):
            return Response(self.content, headers=found, media_type=self.media_type)
        return Response(self.packed, headers=found | {"Content-Encoding": "gzip"}, media_type=self.media_type)


class Pages:
    """Answers what a browser navigates to and the files of the build; all else is asked of the operations.

    Guarantees:
        Only files that were there at the start are served, under their exact paths. Paths of the API, of
        ``/health`` and of ``/metrics`` never answer with a page.
    """

    def __init__(self, app: ASGIApp, folder: Path = BUILT) -> None:
        self._app = app
        self._files = read_build(folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        found = self._find(scope) if scope["type"] == "http" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":  # its headers, with the length that a body would have
            found.body = b""
        await found(scope, receive, send)

    def _find(self, scope: Scope) -> Response | None:
        path, headers = scope["path"], Headers(scope=scope)
        if scope["method"] not in {"GET", "HEAD"}:
            return None
        if path in self._files and path != _INDEX:
            return self._files[path].answer(headers)
        return self._make_page() if _is_navigation(path, headers) else None

    def _make_page(self) -> Response:
        index = self._files.get(_INDEX)
        if index is None:
            return HTMLResponse(_NOT_BUILT, 404)
        nonce = secrets.token_urlsafe(18)
        page = index.content.replace(NONCE.encode(), nonce.encode())
        return HTMLResponse(page, headers={"Content-Security-Policy": allow_styles(nonce)})


def _is_navigation(path: str, headers: Headers) -> bool:
    """Tell whether a path is a page's: the first, or any that is not the API's and that a browser opens."""
    is_free = path.strip("/").partition("/")[0] not in _NO_PAGES
    return path == "/" or (is_free and "text/html" in headers.get("accept", ""))


def _takes_gzip(headers: Headers) -> bool:
    for coding in headers.get("accept-encoding", "").split(","):
        name, _, weight = coding.replace(" ", "").lower().partition(";q=")
        if name == "gzip":
            return not weight or bool(weight.strip("0."))
    return False


@cache
def read_build(folder: Path) -> Mapping[str, File]:
    """Read every file of a build but hidden ones, by its path in an address; none where nothing was built."""
    found = {path.relative_to(folder): path for path in folder.rglob("[!.]*") if path.is_file()}
    return MappingProxyType({f"/{name.as_posix()}": _read(path, folder) for name, path in found.items()})


def _read(path: Path, folder: Path) -> File:
    content = path.read_bytes()
    packed = gzip.compress(content, mtime=0)
    return File(
        content,
        packed if len(packed) < _WORTHWHILE * len(content) else None,
        _TYPES.get(path.suffix, "application/octet-stream"),
        _FOREVER if path.is_relative_to(folder / _ASSETS.strip("/")) else _WHILE,
    )
