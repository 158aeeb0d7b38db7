"""The first start: one token, once, for an hour."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from kinsynth.errors import AccessError, KinsynthError, SettingsError
from kinsynth.service.people.setup import Claim, claim_setup, offer_setup
from kinsynth.service.platform import Platform
from kinsynth.storage.tables import instance, users
from people import PASSWORD, add_person, put_forward


def claim(token: str, name: str = "root", password: str = PASSWORD) -> Claim:
    return Claim(token=token, email=f"{name}@example.org", name=name, password=password)


def code_of(platform: Platform, wanted: Claim) -> str:
    with pytest.raises(AccessError) as caught:
        claim_setup(platform, wanted)
    return caught.value.code


def test_the_token_makes_the_first_administrator_once(platform: Platform) -> None:
    token = offer_setup(platform)
    assert token is not None
    made = claim_setup(platform, claim(token))
    assert (made.role, made.status) == ("admin", "active")
    assert code_of(platform, claim(token, "second")) == "access.not_found"
    assert offer_setup(platform) is None


def test_it_is_not_stored(platform: Platform) -> None:
    token = offer_setup(platform)
    with platform.records.read() as connection:
        assert token not in str(connection.execute(select(instance)).all())


def test_without_an_offer_there_is_nothing_to_claim(platform: Platform) -> None:
    assert code_of(platform, claim("setup_x")) == "access.not_found"
    add_person(platform, "ana")
    assert offer_setup(platform) is None
    assert code_of(platform, claim("setup_x")) == "access.not_found"


def test_wrong_old_and_replaced_tokens_are_refused(platform: Platform) -> None:
    first = offer_setup(platform)
    assert first is not None
    assert code_of(platform, claim("")) == code_of(platform, claim(first[:-1])) == "setup.token"
    second = offer_setup(platform)
    assert second is not None
    assert code_of(platform, claim(first)) == "setup.token"
    put_forward(platform, 3601)
    assert code_of(platform, claim(second)) == "setup.token"


def test_a_weak_password_uses_nothing_up(platform: Platform) -> None:
    token = offer_setup(platform)
    assert token is not None
    with pytest.raises(SettingsError):
        claim_setup(platform, claim(token, password="short"))
    claim_setup(platform, claim(token))


def test_of_many_at_once_one_succeeds(platform: Platform) -> None:
    token = offer_setup(platform)
    assert token is not None
    codes: list[str] = []

    def run(name: str) -> None:
        try:
            claim_setup(platform, claim(token, name))
        except KinsynthError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=run, args=(f"p{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(codes) == 7
    assert set(codes) == {"access.not_found"}
    with platform.records.read() as connection:
        assert connection.execute(select(func.count()).select_from(users)).scalar_one() == 1
