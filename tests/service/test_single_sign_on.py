"""Sign-in by OpenID Connect against a provider that checks what it is asked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import func, select

from kinsynth.errors import AccessError, KinsynthError, TransientError
from kinsynth.service.actor import SYSTEM
from kinsynth.service.people import single_sign_on, throttle
from kinsynth.service.people.identity import Credentials, admit
from kinsynth.service.people.single_sign_on import Provider
from kinsynth.service.people.throttle import ThrottledError
from kinsynth.service.people.users import block_user, read_user
from kinsynth.service.platform import Platform
from kinsynth.storage.records import Records
from kinsynth.storage.tables import audit, sign_ins
from openid_provider import CLIENT, ISSUER, SECRET, FakeProvider
from people import add_person, make_platform, put_forward

HERE = "203.0.113.1"
BACK = "https://kinsynth.test/api/v1/sign-in/openid/callback"
SETTINGS = {"oidc_issuer": ISSUER, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}


class Visit:
    """A browser, our server and the provider."""

    def __init__(self, platform: Platform) -> None:
        self.platform, self.fake, self.address = platform, FakeProvider(), HERE
        self.provider = Provider(platform.deployment, self.fake)

    def begin(self) -> tuple[str, str]:
        departure = single_sign_on.begin(self.platform, self.provider, BACK, address=self.address)
        code, state = self.fake.sign_in(departure.url)
        assert state == departure.state
        return code, state

    def finish(self, code: str, state: str, *, kept: str | None = None, back: str = BACK) -> str:
        session = single_sign_on.finish(
            self.platform,
            self.provider,
            back,
            code=code,
            state=state,
            kept=state if kept is None else kept,
            address=self.address,
        )
        return admit(self.platform, Credentials(session=session.secret), "users.me").user_id

    def sign_in(self) -> str:
        return self.finish(*self.begin())

    def refusal(self) -> str:
        with pytest.raises(KinsynthError) as caught:
            self.sign_in()
        return caught.value.code


@pytest.fixture
def visit(records: Records, tmp_path: Path, cheap_passwords: None) -> Visit:
    return Visit(make_platform(records, tmp_path, **SETTINGS))


def test_somebody_known_by_their_proven_address_signs_in(visit: Visit) -> None:
    ana = add_person(visit.platform, "ana")
    assert visit.sign_in() == ana.id
    visit.fake.claims |= {"email": "moved@example.org"}
    assert visit.sign_in() == ana.id, "from then on the provider's subject counts, not the address"
    assert read_user(visit.platform, SYSTEM, ana.id).has_single_sign_on


@pytest.mark.parametrize(
    "claims",
    [
        {"email_verified": False},
        {"email_verified": "true"},
        {"email_verified": None},
        {"email": None},
        {"email": "other@example.org"},
        {"email": ["ana@example.org"]},
    ],
)
def test_an_address_that_is_not_proven_opens_no_account(visit: Visit, claims: dict[str, Any]) -> None:
    add_person(visit.platform, "ana")
    visit.fake.claims |= claims
    assert visit.refusal() == "sign_in.unknown_user"


def test_another_subject_does_not_take_an_account_over(visit: Visit) -> None:
    add_person(visit.platform, "ana")
    visit.sign_in()
    visit.fake.claims |= {"sub": "43"}
    assert visit.refusal() == "sign_in.unknown_user"


def test_new_people_get_an_account_where_that_is_wanted(
    records: Records, tmp_path: Path, cheap_passwords: None
) -> None:
    visit = Visit(make_platform(records, tmp_path, oidc_create_users=True, **SETTINGS))
    visit.fake.claims |= {"name": "Ana\nB"}
    made = read_user(visit.platform, SYSTEM, visit.sign_in())
    assert (made.email, made.name, made.role, made.has_password) == ("ana@example.org", "ana", "user", False)
    assert visit.sign_in() == made.id


def test_blocked_people_stay_out(visit: Visit) -> None:
    ana = add_person(visit.platform, "ana")
    block_user(visit.platform, SYSTEM, ana.id)
    assert visit.refusal() == "sign_in.refused"


def test_a_sign_in_serves_once_and_ten_minutes(visit: Visit) -> None:
    add_person(visit.platform, "ana")
    code, state = visit.begin()
    visit.finish(code, state)
    with pytest.raises(AccessError):
        visit.finish(code, state)
    code, state = visit.begin()
    put_forward(visit.platform, 601)
    with pytest.raises(AccessError) as caught:
        visit.finish(code, state)
    assert caught.value.code == "sign_in.failed"


def test_an_answer_planted_by_another_is_refused(visit: Visit) -> None:
    """The browser did not begin it: the state it keeps is another, or none."""
    add_person(visit.platform, "ana")
    code, state = visit.begin()
    for kept in ("", visit.begin()[1]):
        with pytest.raises(AccessError) as caught:
            visit.finish(code, state, kept=kept)
        assert caught.value.code == "sign_in.failed"
    assert visit.finish(code, state)


def test_a_code_stolen_on_its_way_is_worth_nothing(visit: Visit) -> None:
    """Its verifier is with the sign-in it was asked for (PKCE)."""
    add_person(visit.platform, "ana")
    stolen, _ = visit.begin()
    _, own = visit.begin()
    with pytest.raises(AccessError) as caught:
        visit.finish(stolen, own)
    assert caught.value.code == "sign_in.failed"


def test_the_way_back_is_part_of_the_deal(visit: Visit) -> None:
    add_person(visit.platform, "ana")
    with pytest.raises(AccessError):
        visit.finish(*visit.begin(), back="https://evil.example/callback")


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another client"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"sub": None},
    ],
)
def test_statements_that_are_not_for_us_now_are_refused(visit: Visit, claims: dict[str, Any]) -> None:
    add_person(visit.platform, "ana")
    visit.fake.claims |= claims
    assert visit.refusal() == "sign_in.failed"


def test_another_key_is_refused_and_a_new_one_is_fetched(visit: Visit) -> None:
    add_person(visit.platform, "ana")
    visit.sign_in()
    visit.fake.signs_with = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    assert visit.refusal() == "sign_in.failed"
    visit.fake.key = visit.fake.signs_with
    visit.sign_in()


def test_a_statement_signed_with_the_public_key_is_refused(visit: Visit) -> None:
    """HS256 keyed by what everybody knows: the classic confusion of algorithms."""
    add_person(visit.platform, "ana")
    visit.fake.confuses_algorithms = True
    assert visit.refusal() == "sign_in.failed"


def test_a_provider_that_is_away_is_said_so(visit: Visit) -> None:
    visit.fake.is_away = True
    with pytest.raises(TransientError) as caught:
        visit.begin()
    assert caught.value.code == "sign_in.provider"


def test_a_provider_that_is_another_is_refused(
    records: Records, tmp_path: Path, cheap_passwords: None
) -> None:
    settings = SETTINGS | {"oidc_issuer": "https://other.example.org"}
    visit = Visit(make_platform(records, tmp_path, **settings))
    with pytest.raises(TransientError):
        visit.begin()


def test_only_hashes_of_states_are_kept(visit: Visit) -> None:
    _, state = visit.begin()
    with visit.platform.records.read() as connection:
        assert state not in str(connection.execute(select(sign_ins)).all())


def begun(visit: Visit) -> int:
    with visit.platform.records.read() as connection:
        return connection.execute(select(func.count()).select_from(sign_ins)).scalar_one()


def test_one_address_begins_a_hundred_times_an_hour(visit: Visit) -> None:
    for _ in range(100):
        single_sign_on.begin(visit.platform, visit.provider, BACK, address=HERE)
    for _ in range(3):
        with pytest.raises(ThrottledError) as caught:
            visit.begin()
        assert 3500 < caught.value.retry_after_s <= 3600
    assert begun(visit) == 100
    with visit.platform.records.read() as connection:
        told = connection.execute(select(audit.c.action, audit.c.outcome, audit.c.details)).all()
    assert told == [("sign_in.begin", "refused", {"code": "access.throttled"})]
    visit.address = "198.51.100.7"
    visit.begin()
    visit.address = HERE
    put_forward(visit.platform, 3601)
    visit.begin()
    assert begun(visit) == 1


def test_who_is_let_in_uses_nothing_up(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "_OF_ADDRESS", 2)
    ana = add_person(visit.platform, "ana")
    assert [visit.sign_in() for _ in range(5)] == [ana.id] * 5


def test_the_oldest_beginnings_give_way(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(single_sign_on, "MOST_BEGUN", 3)
    ana = add_person(visit.platform, "ana")
    made = []
    for number in range(5):
        visit.address = f"198.51.100.{number}"
        made.append(visit.begin())
    assert begun(visit) == 3
    with pytest.raises(AccessError):
        visit.finish(*made[1])
    assert [visit.finish(*one) for one in made[2:]] == [ana.id] * 3
