"""What people do over HTTP, from the first start on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from kinsynth.server.app import make_app
from kinsynth.server.auth import COOKIE, CSRF
from kinsynth.service.people.setup import offer_setup
from kinsynth.service.people.single_sign_on import Provider
from kinsynth.service.platform import Platform
from objects import add_objects
from openid_provider import CLIENT, ISSUER, SECRET, FakeProvider
from people import PASSWORD, add_person, make_platform
from visitors import Visitors, visiting


def sign_in(client: httpx.Client, email: str, password: str = PASSWORD) -> httpx.Response:
    answer = client.post("/api/v1/sessions", json={"email": email, "password": password})
    if answer.is_success:
        client.headers[CSRF] = answer.json()["csrf"]
    return answer


def test_from_the_first_start_to_a_script(visitors: Visitors, platform: Platform) -> None:
    token = offer_setup(platform)
    root = visitors.make()
    claim = {"token": token, "email": "root@example.org", "name": "Root", "password": PASSWORD}
    made = root.post("/api/v1/setup", json=claim)
    assert (made.status_code, made.json()["role"]) == (201, "admin")
    assert root.post("/api/v1/setup", json=claim).status_code == 404
    assert sign_in(root, "root@example.org").status_code == 201

    wanted = {"email": "ana@example.org", "name": "Ana", "password": "seven slow brown herons"}
    ana_id = root.post("/api/v1/users", json=wanted).json()["id"]
    ana = visitors.make()
    assert sign_in(ana, "ana@example.org", "seven slow brown herons").status_code == 201
    secret = ana.post("/api/v1/tokens", json={"name": "nightly", "expires_in_days": 30}).json()["secret"]
    script = visitors.with_token(secret)
    assert script.get("/api/v1/users/me").json()["id"] == ana_id
    assert script.get("/api/v1/users").status_code == 403

    assert root.post(f"/api/v1/users/{ana_id}/block").json()["status"] == "blocked"
    assert script.get("/api/v1/users/me").status_code == 401
    assert ana.get("/api/v1/users/me").status_code == 401
    assert root.get("/api/v1/audit/state").json()["entries"] >= 5


def test_the_cookie_is_one_no_script_and_no_other_site_gets(visitors: Visitors, platform: Platform) -> None:
    add_person(platform, "ana")
    answer = sign_in(visitors.make(), "ana@example.org")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for word in ("Secure", "HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"):
        assert word in cookie
    assert "Domain" not in cookie
    assert cookie.split("=")[1].split(";")[0] not in answer.text


def test_a_page_that_was_opened_again_asks_for_its_value(visitors: Visitors, platform: Platform) -> None:
    ana = add_person(platform, "ana")
    assert visitors.of(ana).get("/api/v1/sessions/current").json() == {
        "user_id": ana.id,
        "csrf": ana.session.csrf,
    }


def test_signing_out_takes_the_cookie_away(visitors: Visitors, platform: Platform) -> None:
    ana = add_person(platform, "ana")
    for path in ("/api/v1/sessions/current", "/api/v1/sessions"):
        client = visitors.make()
        sign_in(client, "ana@example.org")
        secret = client.cookies[COOKIE]
        assert client.delete(path).status_code == 204
        assert COOKIE not in client.cookies
        client.cookies.set(COOKIE, secret)
        assert client.get("/api/v1/users/me").status_code == 401
    assert visitors.of(ana).get("/api/v1/users/me").status_code == 401, "all sessions ended"


def test_a_session_planted_before_sign_in_is_worth_nothing(visitors: Visitors, platform: Platform) -> None:
    add_person(platform, "ana")
    client = visitors.make()
    client.cookies.set(COOKIE, "planted")
    sign_in(client, "ana@example.org")
    assert client.cookies.get(COOKIE, domain="kinsynth.test") != "planted"
    other = visitors.make()
    other.cookies.set(COOKIE, "planted")
    assert other.get("/api/v1/users/me").status_code == 401


def test_too_many_guesses_are_told_when_to_come_back(visitors: Visitors, platform: Platform) -> None:
    add_person(platform, "ana")
    client = visitors.make(address="198.51.100.3")
    answers = [sign_in(client, "ana@example.org", "wrong") for _ in range(9)]
    assert [one.status_code for one in answers] == [403] * 7 + [429] * 2
    assert 3000 < int(answers[-1].headers["Retry-After"]) <= 3600
    assert answers[-1].json()["retryable"] is True


def test_a_changed_password_comes_with_a_new_cookie(visitors: Visitors, platform: Platform) -> None:
    ana = add_person(platform, "ana")
    client, second = visitors.make(), visitors.of(ana)
    sign_in(client, "ana@example.org")
    before = client.cookies[COOKIE]
    body = {"current": PASSWORD, "new": "seven slow brown herons"}
    answer = client.put("/api/v1/users/me/password", json=body)
    assert answer.status_code == 200
    assert client.cookies[COOKIE] != before
    assert client.get("/api/v1/users/me").status_code == 200
    assert second.get("/api/v1/users/me").status_code == 401


def test_passwords_come_back_in_no_answer(visitors: Visitors, platform: Platform) -> None:
    root = visitors.of(add_person(platform, "root", "admin"))
    for password in ("seven slow brown herons", "short one", "password1234"):
        wanted = {"email": f"p{len(password)}@example.org", "name": "Ana", "password": password}
        answer = root.post("/api/v1/users", json=wanted)
        assert password not in answer.text
        assert "hash" not in answer.text
        assert answer.status_code == (201 if "herons" in password else 422)


def test_shares_over_http(visitors: Visitors, platform: Platform) -> None:
    ana, bob = add_person(platform, "ana"), add_person(platform, "bob")
    path = f"/api/v1/syntheses/{add_objects(platform, ana.id).synthesis_id}/shares"
    owner, other = visitors.of(ana), visitors.of(bob)
    assert other.get(path).status_code == 404
    given = owner.post(path, json={"email": bob.email, "level": "run"})
    assert (given.status_code, given.json()["level"]) == (200, "run")
    assert [one["user_id"] for one in other.get(path).json()] == [bob.id]
    assert other.post(path, json={"email": bob.email, "level": "edit"}).status_code == 403
    assert owner.delete(f"{path}/{bob.id}").status_code == 204
    assert owner.delete(f"{path}/{bob.id}").status_code == 404
    assert other.get(path).status_code == 404


def test_pages_of_accounts(visitors: Visitors, platform: Platform) -> None:
    root = add_person(platform, "root", "admin")
    ids = [root.id, *(add_person(platform, f"p{number}").id for number in range(5))]
    client, found, cursor = visitors.of(root), [], ""
    while cursor is not None:
        page = client.get(
            "/api/v1/users", params={"limit": 2} | ({"cursor": cursor} if cursor else {})
        ).json()
        assert len(page["items"]) <= 2
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert found == ids[::-1]
    for query in ({"limit": 0}, {"limit": 1000}, {"cursor": "nonsense"}, {"cursor": "x" * 500}):
        assert client.get("/api/v1/users", params=query).status_code == 422


def test_quotas_over_http(visitors: Visitors, platform: Platform) -> None:
    root, ana = add_person(platform, "root", "admin"), add_person(platform, "ana")
    client = visitors.of(root)
    path = f"/api/v1/users/{ana.id}/quotas"
    assert client.put(f"{path}/rows", json={"limit": 100, "period": "week"}).status_code == 200
    mine = {one["resource"]: one["limit"] for one in visitors.of(ana).get("/api/v1/users/me/quotas").json()}
    assert mine == {"rows": 100.0, "seconds": None}
    assert client.get(path).json() == visitors.of(ana).get("/api/v1/users/me/quotas").json()
    for resource, body in (
        ("cells", {"limit": 1, "period": "week"}),
        ("rows", {"limit": -1, "period": "week"}),
    ):
        assert client.put(f"{path}/{resource}", json=body).status_code == 422


class TestSingleSignOn:
    """The browser's way to the provider and back."""

    @pytest.fixture
    def fake(self) -> FakeProvider:
        return FakeProvider()

    @pytest.fixture
    def visitors(self, platform: Platform, tmp_path: Path, fake: FakeProvider) -> Any:
        settings = {"oidc_issuer": ISSUER, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
        with_provider = make_platform(platform.records, tmp_path, **settings)
        with visiting(make_app(with_provider, Provider(with_provider.deployment, fake))) as found:
            yield found

    def test_there_and_back(self, visitors: Visitors, platform: Platform, fake: FakeProvider) -> None:
        ana = add_person(platform, "ana")
        browser = visitors.make()
        assert browser.get("/api/v1/sign-in").json() == {
            "password": True,
            "openid": True,
            "setup": False,
        }
        away = browser.get("/api/v1/sign-in/openid")
        code, state = fake.sign_in(away.headers["location"])
        back = browser.get("/api/v1/sign-in/openid/callback", params={"code": code, "state": state})
        assert (back.status_code, back.headers["location"]) == (303, "/")
        assert browser.get("/api/v1/users/me").json()["id"] == ana.id
        again = browser.get("/api/v1/sign-in/openid/callback", params={"code": code, "state": state})
        assert again.status_code == 403

    def test_another_browser_is_not_signed_in(
        self, visitors: Visitors, platform: Platform, fake: FakeProvider
    ) -> None:
        """Login CSRF: the victim's browser did not begin the sign-in whose answer it is given."""
        add_person(platform, "ana")
        away = visitors.make().get("/api/v1/sign-in/openid")
        code, state = fake.sign_in(away.headers["location"])
        victim = visitors.make()
        victim.get("/api/v1/sign-in/openid")
        for browser in (victim, visitors.make()):
            answer = browser.get("/api/v1/sign-in/openid/callback", params={"code": code, "state": state})
            assert (answer.status_code, answer.json()["code"]) == (403, "sign_in.failed")
            assert COOKIE not in browser.cookies

    def test_a_refusal_of_the_provider(self, visitors: Visitors) -> None:
        answer = visitors.make().get(
            "/api/v1/sign-in/openid/callback", params={"error": "access_denied", "state": "x"}
        )
        assert answer.status_code == 403


def test_without_a_provider_there_is_nothing_to_begin(visitors: Visitors) -> None:
    browser = visitors.make()
    assert browser.get("/api/v1/sign-in").json() == {"password": True, "openid": False, "setup": True}
    for path in ("/api/v1/sign-in/openid", "/api/v1/sign-in/openid/callback?code=a&state=b"):
        assert browser.get(path).status_code == 404
