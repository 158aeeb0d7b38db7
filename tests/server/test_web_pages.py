"""The pages: which paths they have, how browsers keep them, and that they open nothing."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from anyio.from_thread import start_blocking_portal

from kinsynth.server.app import make_app
from kinsynth.server.headers import ALWAYS
from kinsynth.server.pages import NONCE
from kinsynth.service.platform import Platform
from people import add_person
from visitors import URL, Visitors, visiting

INDEX = f'<!doctype html><meta name="csp-nonce" content="{NONCE}"><script type="module" src="/assets/a-1.js">'
SCRIPT = "console.log('kinsynth');\n" * 200
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A web application of three files, and a file beside it that is nobody's."""
    folder = tmp_path / "web" / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "a-1.js").write_text(SCRIPT)
    (folder / "assets" / "letters-1.woff2").write_bytes(bytes(range(256)))
    (folder.parent / "secret.txt").write_text("secret")
    return folder


@pytest.fixture
def pages(platform: Platform, built: Path) -> Iterator[Visitors]:
    """Visitors of an installation with a web application."""
    with visiting(make_app(platform, built=built)) as found:
        yield found


def test_every_path_that_a_browser_opens_is_a_page(pages: Visitors) -> None:
    client = pages.make()
    for path in ("/", "/syntheses", "/syntheses/syn_1/configure", "/a.b", "/apiary", "/docs"):
        page = client.get(path, headers=BROWSER)
        assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
        assert "/assets/a-1.js" in page.text
    assert client.get("/").status_code == 200, "the address itself is a page for anything that asks"
    assert client.get("/index.html").status_code == 404, "the page has its placeholder filled in, always"


def test_what_is_the_api_s_is_never_a_page(pages: Visitors, platform: Platform) -> None:
    client = pages.of(add_person(platform, "ana"))
    for path in (
        "/api",
        "/api/",
        "/api/v1/nothing",
        "/health/x",
        "/metrics/x",
        "/assets/gone.js",
    ):
        answer = client.get(path, headers=BROWSER)
        assert (answer.status_code, answer.json()["code"]) == (404, "request.no_such_path"), path
    assert client.get("/health", headers=BROWSER).json() == {"status": "ok"}
    assert client.get("/metrics", headers=BROWSER).text.startswith("# HELP")
    assert client.get("/syntheses", headers={"Accept": "application/json"}).status_code == 404
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert client.request(method, "/syntheses", headers=BROWSER).status_code == 404
        assert client.request(method, "/assets/a-1.js").status_code == 404


def test_a_page_is_never_kept_and_its_nonce_is_for_styles_alone(pages: Visitors) -> None:
    client, seen = pages.make(), set()
    for _ in range(2):
        page = client.get("/", headers=BROWSER)
        nonce = re.search(r'content="([A-Za-z0-9_-]{20,})"', page.text)
        assert nonce is not None
        assert NONCE not in page.text
        rules = dict(rule.split(" ", 1) for rule in page.headers["Content-Security-Policy"].split("; "))
        usual = dict(rule.split(" ", 1) for rule in ALWAYS["Content-Security-Policy"].split("; "))
        assert rules == usual | {"style-src": f"'self' 'nonce-{nonce[1]}'"}
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Frame-Options"] == "DENY"
        seen.add(nonce[1])
    assert len(seen) == 2


def test_assets_are_kept_for_ever_and_other_files_for_a_while(pages: Visitors) -> None:
    client = pages.make()
    script = client.get("/assets/a-1.js")
    assert script.text == SCRIPT
    assert script.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert script.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert script.headers["Content-Security-Policy"] == ALWAYS["Content-Security-Policy"]
    icon = client.get("/favicon.svg", headers=BROWSER)
    assert (icon.text, icon.headers["Content-Type"]) == ("<svg/>", "image/svg+xml")
    assert icon.headers["Cache-Control"] == "public, max-age=3600"
    assert client.get("/assets/letters-1.woff2").headers["Content-Type"] == "font/woff2"


@pytest.mark.parametrize(
    ("asked", "is_packed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, GZIP;q=0.5", True),
        ("gzip; q=0", False),
        ("gzip;q=0.000", False),
        ("br", False),
        ("", False),
    ],
)
def test_assets_are_packed_for_those_who_take_it(pages: Visitors, asked: str, is_packed: bool) -> None:
    answer = pages.make().get("/assets/a-1.js", headers={"Accept-Encoding": asked})
    assert answer.text == SCRIPT
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert ("Content-Encoding" in answer.headers) == is_packed
    assert (int(answer.headers["Content-Length"]) < len(SCRIPT)) == is_packed


def test_what_packing_does_not_make_smaller_is_sent_as_it_is(pages: Visitors) -> None:
    answer = pages.make().get("/assets/letters-1.woff2", headers={"Accept-Encoding": "gzip"})
    assert answer.content == bytes(range(256))
    assert "Content-Encoding" not in answer.headers
    assert len(gzip.compress(answer.content)) > len(answer.content)


def test_head_is_the_answer_without_its_body(platform: Platform, built: Path) -> None:
    """Asked without the client of the other tests, whose transport would drop a body by itself."""
    app = make_app(platform, built=built)

    async def ask(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
        sent: list[dict[str, object]] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "headers": [(b"accept", b"text/html")],
            "scheme": "https",
            "server": ("kinsynth.test", 443),
            "client": ("203.0.113.1", 4242),
            "http_version": "1.1",
        }

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        await app(scope, receive, send)
        headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}  # type: ignore[attr-defined]
        body = b"".join(part.get("body", b"") for part in sent[1:])  # type: ignore[misc]
        return int(str(sent[0]["status"])), headers, body

    with start_blocking_portal() as portal:
        for path in ("/", "/syntheses", "/assets/a-1.js"):
            found, whole = portal.call(ask, "HEAD", path), portal.call(ask, "GET", path)
            assert (found[0], found[2]) == (200, b"")
            assert len(whole[2]) == int(whole[1]["content-length"]) == int(found[1]["content-length"]) > 0
            assert found[1]["content-type"] == whole[1]["content-type"]


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/assets/../index.html",
        "/assets//a-1.js",
        "/assets/",
        "/assets",
        "/static/index.html",
    ],
)
def test_only_files_of_the_build_are_served(pages: Visitors, path: str) -> None:
    request = httpx.Request("GET", URL)
    request = httpx.Request("GET", httpx.URL(URL).copy_with(raw_path=path.encode()), headers=request.headers)
    answer = pages.make().send(request)
    assert answer.status_code == 404
    assert "secret" not in answer.text


def test_a_link_out_of_the_build_leads_nowhere_new(platform: Platform, built: Path) -> None:
    """What the build holds is read at the start; files that come later are not served."""
    app = make_app(platform, built=built)
    with visiting(app) as visitors:
        assert visitors.make().get("/").status_code == 200
        (built / "assets" / "late.js").write_text("late")
        assert visitors.make().get("/assets/late.js").status_code == 404


def test_where_nothing_was_built_the_page_says_how(platform: Platform, tmp_path: Path) -> None:
    with visiting(make_app(platform, built=tmp_path / "nothing")) as visitors:
        client = visitors.make()
        for answer in (client.get("/"), client.get("/syntheses", headers=BROWSER)):
            assert (answer.status_code, answer.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
            assert "scripts/install" in answer.text
        assert client.get("/nothing").json()["code"] == "request.no_such_path"
        assert client.get("/health").status_code == 200


def test_pages_are_no_operations(pages: Visitors, platform: Platform) -> None:
    document = pages.of(add_person(platform, "ana")).get("/api/v1/openapi.json").json()
    assert all(path.startswith(("/api/v1/", "/health", "/metrics")) for path in document["paths"])


def test_strangers_are_told_where_to_begin(pages: Visitors, platform: Platform) -> None:
    """An installation without accounts leads to the setup, every other one to the sign-in."""
    client = pages.make()
    assert client.get("/api/v1/sign-in").json() == {"password": True, "openid": False, "setup": True}
    add_person(platform, "ana")
    assert client.get("/api/v1/sign-in").json()["setup"] is False
