"""What holds for every request: headers, ids, errors, limits and the log."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.exc import IntegrityError
from structlog.testing import capture_logs

from kinsynth.errors import Finding, InternalError, OutOfMemory, SettingsError, TransientError, UserError
from kinsynth.server.app import make_app
from kinsynth.server.auth import COOKIE, CSRF
from kinsynth.server.errors import status_of
from kinsynth.server.headers import ALWAYS
from kinsynth.server.limits import DEEPEST
from kinsynth.server.operation import make_router, operation
from kinsynth.service.people import users
from kinsynth.service.people.tokens import NewToken, create_token
from kinsynth.service.platform import Platform
from kinsynth.settings import Synthesis
from kinsynth.settings.deployment import Deployment
from people import PASSWORD, add_person, make_platform
from visitors import URL, Visitors, visiting

SIGN_IN = {"email": "ana@example.org", "password": PASSWORD}


def test_health_says_nothing_else(visitors: Visitors) -> None:
    assert visitors.make().get("/health").json() == {"status": "ok"}


def test_health_is_503_when_the_database_is_away(visitors: Visitors, platform: Platform) -> None:
    visitors.app.state.platform = replace(platform, records=_Away())
    answer = visitors.make().get("/health")
    assert (answer.status_code, answer.json()["code"]) == (503, "records.unavailable")
    assert answer.json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) > 0


class _Away:
    """A database that does not answer."""

    def read(self) -> Any:
        raise TransientError("records.unavailable", "The database did not answer.")


def test_every_answer_carries_the_headers(visitors: Visitors) -> None:
    client = visitors.make()
    for answer in (
        client.get("/health"),
        client.get("/nothing"),
        client.post("/health"),
        client.get("/api/v1/users"),
        client.post("/api/v1/sessions", content=b"x", headers={"Content-Type": "application/json"}),
        client.get("/health", headers={f"X-{number}": "1" for number in range(80)}),
    ):
        for name, value in ALWAYS.items():
            assert answer.headers[name] == value
        assert re.fullmatch(r"[A-Za-z0-9-]{8,64}", answer.headers["X-Request-Id"])
    assert "unsafe" not in ALWAYS["Content-Security-Policy"]


def test_a_proxy_s_request_id_is_kept_when_it_is_one(visitors: Visitors) -> None:
    client = visitors.make()
    good = client.get("/health", headers={"X-Request-Id": "abc-DEF-12345"})
    assert good.headers["X-Request-Id"] == "abc-DEF-12345"
    for bad in ("short", "a b c d e f g h", "x" * 65, "<script>alert</script>"):
        assert client.get("/health", headers={"X-Request-Id": bad}).headers["X-Request-Id"] != bad


def test_metrics_name_operations_and_nobody(visitors: Visitors, platform: Platform) -> None:
    ana = add_person(platform, "ana")
    visitors.of(ana).get(f"/api/v1/tokens/{'x' * 20}")
    text = visitors.make().get("/metrics").text
    assert 'kinsynth_requests_total{operation="tokens.read",status="404"} 1.0' in text
    assert 'kinsynth_executions{status="running"} 0.0' in text
    assert "kinsynth_users 1.0" in text
    for secret in (ana.id, "ana", "example", "x" * 20):
        assert secret not in text


def test_the_document_is_for_those_who_are_signed_in(visitors: Visitors, platform: Platform) -> None:
    assert visitors.make().get("/api/v1/openapi.json").status_code == 401
    document = visitors.of(add_person(platform, "ana")).get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert visitors.make().get(path).status_code == 404


def test_the_schema_of_the_document_is_that_of_the_settings(visitors: Visitors, platform: Platform) -> None:
    assert visitors.make().get("/api/v1/document-schema").status_code == 401
    schema = visitors.of(add_person(platform, "ana")).get("/api/v1/document-schema").json()
    assert schema == Synthesis.model_json_schema()
    rate = schema["$defs"]["Training"]["properties"]["learning_rate"]
    assert rate["visible_when"] == {"field": "training.adaptive_learning_rate", "equals": False}


def test_an_unexpected_error_is_an_id_and_nothing_else(
    visitors: Visitors, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise IntegrityError("INSERT secret-statement", {"cell": "Miranda"}, ValueError("Miranda Keller"))

    monkeypatch.setattr(users, "read_me", fail)
    with capture_logs() as lines:
        answer = visitors.of(add_person(platform, "ana")).get("/api/v1/users/me")
    assert (answer.status_code, answer.json()["code"]) == (500, "server.failure")
    assert answer.json()["request"] == answer.headers["X-Request-Id"]
    failure = next(line for line in lines if line["event"] == "failure")
    assert failure["request"] == answer.json()["request"]
    assert any("read_me" in call for call in failure["calls"])
    for text in (answer.text, str(lines)):
        for secret in ("Miranda", "secret-statement"):
            assert secret not in text


def test_a_full_disk_is_said_so_without_a_path(
    visitors: Visitors, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object) -> None:
        raise OSError(28, "No space left on device", "/srv/secret/place")

    monkeypatch.setattr(users, "read_me", fail)
    answer = visitors.of(add_person(platform, "ana")).get("/api/v1/users/me")
    assert (answer.status_code, answer.json()["code"]) == (503, "machine.disk_full")
    assert "secret" not in answer.text


def test_the_log_tells_operation_and_ids_only(visitors: Visitors, platform: Platform) -> None:
    ana = add_person(platform, "ana")
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    with capture_logs() as lines:
        visitors.of(ana).get(f"/api/v1/tokens/{made.token.id}?q=Miranda", headers={"User-Agent": "Keller"})
        visitors.make().post("/api/v1/sessions", json={"email": "x@example.org", "password": "typed by ana"})
        visitors.make().get("/api/v1/Miranda/%0aFORGED")
        visitors.with_token(made.secret).get("/api/v1/users/Miranda")
    requests = [line for line in lines if line["event"] == "request"]
    assert [(line["operation"], line["status"], line["actor"], line["objects"]) for line in requests] == [
        ("tokens.read", 200, ana.id, [made.token.id]),
        ("sessions.create", 403, "", []),
        ("none", 404, "", []),
        ("users.read", 403, "", []),
    ]
    for secret in ("Miranda", "Keller", "typed", "example", "FORGED", made.secret, ana.session.secret):
        assert secret not in str(lines)


def test_invalid_requests_are_told_where_and_not_what(visitors: Visitors) -> None:
    answer = visitors.make().post(
        "/api/v1/setup",
        json={"token": 7, "email": "typed@", "name": "x", "password": "typed", "role": "admin"},
    )
    found = answer.json()
    assert (answer.status_code, found["code"]) == (422, "request.invalid")
    assert {one["where"] for one in found["findings"]} == {"body.token", "body.email", "body.role"}
    assert "typed" not in answer.text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"email": NaN}',
        b'{"email": "a", "email": "b"}',
        b'{"email": "a\\u0000b", "password": "x"}',
        b'{"email": "\xff"}',
        b'{"email": "\\ud800", "password": "x"}',
        b"\xef\xbb\xbf{}",
        b'{"email": 1e999, "password": "x"}',
        b'{"x": ' + b"9" * 10_000 + b"}",
    ],
)
def test_odd_bodies_are_refused(visitors: Visitors, body: bytes) -> None:
    answer = visitors.make().post(
        "/api/v1/sessions", content=body, headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "request.invalid")


def test_depth_counts_brackets_outside_of_texts(visitors: Visitors) -> None:
    texts = '{"email": "' + "[{" * 400 + '\\"[[", "password": "x"}'
    answer = visitors.make().post(
        "/api/v1/sessions", content=texts.encode(), headers={"Content-Type": "application/json"}
    )
    assert answer.json()["code"] == "sign_in.refused"
    deep = "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)
    answer = visitors.make().post(
        "/api/v1/sessions", content=deep.encode(), headers={"Content-Type": "application/json"}
    )
    assert "deeper" in answer.text


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_bodies_of_other_kinds_are_refused(visitors: Visitors, kind: str) -> None:
    """A form of another page cannot send JSON under these kinds."""
    answer = visitors.make().post(
        "/api/v1/sessions", content=b'{"email": "a", "password": "b"}', headers={"Content-Type": kind}
    )
    assert answer.status_code == 422


def test_large_bodies_are_refused_while_they_are_read(platform: Platform, tmp_path: Any) -> None:
    small = make_platform(platform.records, tmp_path, max_body_bytes=2048)
    with visiting(make_app(small)) as visitors:
        client = visitors.make()
        big = b'{"email": "' + b"x" * 4000 + b'"}'
        told = client.post("/api/v1/sessions", content=big, headers={"Content-Type": "application/json"})
        assert (told.status_code, told.json()["code"]) == (413, "request.too_large")

    sent = 0

    async def pieces() -> Any:
        nonlocal sent
        for _ in range(1000):
            sent += 1
            yield b" " * 1024

    async def post() -> httpx.Response:
        transport = httpx.ASGITransport(make_app(small))
        async with httpx.AsyncClient(transport=transport, base_url=URL) as browser:
            return await browser.post(
                "/api/v1/sessions", content=pieces(), headers={"Content-Type": "application/json"}
            )

    import anyio

    assert anyio.run(post).status_code == 413
    assert sent < 10


def test_a_stranger_s_body_is_not_read(platform: Platform, app: FastAPI) -> None:
    """Who may not do it is told so before anything of a body is taken."""
    read = 0

    async def pieces() -> Any:
        nonlocal read
        read += 1
        yield b"{}"

    async def post() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as browser:
            return await browser.post("/api/v1/users", content=pieces())

    import anyio

    assert anyio.run(post).status_code == 401
    assert read == 0


def test_too_many_headers_and_nul_characters_are_refused(visitors: Visitors) -> None:
    client = visitors.make()
    many = client.get("/health", headers={f"X-{number}": "1" for number in range(80)})
    large = client.get("/health", headers={"X-Large": "x" * 40_000})
    long = client.get("/health?" + "q" * 9_000)
    assert {one.status_code for one in (many, large, long)} == {431}
    assert client.get("/api/v1/tokens/%00").status_code == 422
    assert client.get("/api/v1/tokens?cursor=%00").status_code == 422


# Other pages


def test_changes_need_the_session_s_value_in_a_header(visitors: Visitors, platform: Platform) -> None:
    ana, eve = add_person(platform, "ana"), add_person(platform, "eve")
    client = visitors.of(ana)
    good = client.patch("/api/v1/users/me", json={"name": "Ana"})
    assert good.status_code == 200
    for value in ("", "wrong", eve.session.csrf, ana.session.secret):
        bad = client.patch("/api/v1/users/me", json={"name": "Eve"}, headers={CSRF: value})
        assert (bad.status_code, bad.json()["code"]) == (403, "access.csrf")
    del client.headers[CSRF]
    assert client.patch("/api/v1/users/me", json={"name": "Eve"}).json()["code"] == "access.csrf"
    assert client.get("/api/v1/users/me").json()["name"] == "Ana"


@pytest.mark.parametrize(
    ("headers", "is_own"),
    [
        ({"Origin": URL}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "http://kinsynth.test"}, False),
        ({"Origin": "https://kinsynth.test.evil.example"}, False),
        ({"Origin": "https://kinsynth.test:444"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({}, True),
    ],
)
def test_pages_of_other_sites_change_nothing(
    visitors: Visitors, platform: Platform, headers: dict[str, str], is_own: bool
) -> None:
    """Not even a sign-in, which would put somebody into another's account."""
    ana = add_person(platform, "ana")
    stranger = visitors.make().post("/api/v1/sessions", json=SIGN_IN, headers=headers)
    signed_in = visitors.make(headers={CSRF: ana.session.csrf})
    signed_in.cookies.set(COOKIE, ana.session.secret)
    change = signed_in.patch("/api/v1/users/me", json={"name": "Ana"}, headers=headers)
    expected = (201, 200) if is_own else (403, 403)
    assert (stranger.status_code, change.status_code) == expected


def test_behind_a_proxy_the_public_address_counts(platform: Platform, tmp_path: Any) -> None:
    public = make_platform(platform.records, tmp_path, public_url="https://synth.example.org/")
    add_person(platform, "ana")
    with visiting(make_app(public)) as visitors:
        own = visitors.make().post(
            "/api/v1/sessions", json=SIGN_IN, headers={"Origin": "https://synth.example.org"}
        )
        other = visitors.make().post("/api/v1/sessions", json=SIGN_IN, headers={"Origin": URL})
    assert (own.status_code, other.status_code) == (201, 403)


def test_a_token_counts_alone(visitors: Visitors, platform: Platform) -> None:
    """A request with a token never uses the browser's session, and a bad token is nobody."""
    ana = add_person(platform, "ana")
    client = visitors.of(ana)
    assert client.get("/api/v1/users/me", headers={"Authorization": "Bearer kst_x"}).status_code == 401
    assert client.get("/api/v1/users/me", headers={"Authorization": "Basic eDp5"}).status_code == 401
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    script = visitors.with_token(made.secret)
    assert script.patch("/api/v1/users/me", json={"name": "By script"}).status_code == 200
    as_cookie = visitors.make()
    as_cookie.cookies.set(COOKIE, made.secret)
    assert as_cookie.get("/api/v1/users/me").status_code == 401


# How operations are made


def test_a_route_without_a_rule_cannot_be_made() -> None:
    with pytest.raises(KeyError):
        operation(make_router(), "GET", "/x", "sources.steal")


def test_a_rule_about_an_object_needs_its_id_in_the_path() -> None:
    with pytest.raises(ValueError, match="source_id"):
        operation(make_router(), "GET", "/sources/{id}", "sources.read")


def test_errors_have_the_status_of_their_class() -> None:
    finding = Finding("a.b", "error", "x", "y.", "z.")
    assert status_of(SettingsError("a.b", "x", findings=[finding])) == 422
    assert status_of(UserError("a.b", "x")) == 422
    assert status_of(TransientError("a.b", "x")) == 503
    assert status_of(InternalError("a.b", "x")) == 500
    assert status_of(OutOfMemory("source.parser_memory", "x")) == 422


def test_the_settings_of_an_installation_hold_the_limits() -> None:
    assert Deployment(max_body_bytes=1024).max_body_bytes == 1024
