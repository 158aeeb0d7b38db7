"""Which passwords are taken, and what a guess costs."""

from __future__ import annotations

import statistics
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kinsynth.errors import SettingsError, TransientError
from kinsynth.service.people import passwords
from kinsynth.service.people.passwords import check_password, hash_password, verify_password


def refusal(password: str, **about: str) -> str:
    with pytest.raises(SettingsError) as caught:
        check_password(password, **about)
    assert len(password) < 8 or password not in str(caught.value)
    return caught.value.code


@pytest.mark.parametrize("password", ["", "short", "x9!Kq2#vB7_"])
def test_short_ones_are_refused(password: str) -> None:
    assert refusal(password) == "passwords.short"


def test_very_long_ones_are_refused() -> None:
    assert refusal("ab cd!" * 40) == "passwords.long"


@pytest.mark.parametrize(
    "password",
    [
        "password1234",
        "P4ssw0rd2024",
        "qwertyuiop123",
        "aaaaaaaaaaaaaaaa",
        "123456789012",
        "abcdefghijklm",
        "admin admin admin",
        "Welcome12345!",
        "letmeinletmein",
        "SummerWinter123",
    ],
)
def test_common_ones_are_refused(password: str) -> None:
    assert refusal(password) == "passwords.common"


def test_ones_own_name_and_address_are_worth_nothing() -> None:
    assert refusal("mirandakeller1", name="Miranda Keller", email="mk@example.org") == "passwords.common"
    check_password("mirandakeller1", name="Otto Vogel", email="ov@example.org")


@pytest.mark.parametrize(
    "password",
    [
        "violet otter counts tins",
        "correct horse battery",
        "pässwörter übén 7",
        "k7#qz!m2vw0x",
        "日本語の長い文章です。はい",
    ],
)
def test_good_ones_are_taken(password: str) -> None:
    check_password(password, name="Miranda Keller", email="mk@example.org")


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789", min_size=30, max_size=40))
def test_long_random_ones_are_taken_unless_they_are_made_of_runs(password: str) -> None:
    try:
        check_password(password)
    except SettingsError:
        assert len(set(password)) < 5 or len(passwords._without_runs(password)) < 30


def test_a_hash_is_argon2id_with_the_recommended_cost() -> None:
    stored = hash_password("violet otter counts tins")
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=1$")
    assert verify_password(stored, "violet otter counts tins")
    assert not verify_password(stored, "violet otter counts tin")


def test_an_account_without_a_password_takes_as_long_and_is_never_right(cheap_passwords: None) -> None:
    assert not verify_password(None, "of an account that does not exist")


def test_the_same_time_with_and_without_an_account() -> None:
    """Medians of 15 pairs, in processor time; real hashes, since their cost is what hides the rest."""
    stored = hash_password("violet otter counts tins")
    verify_password(None, "x")
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(15):
        for exists in (True, False):
            began = time.thread_time()
            verify_password(stored if exists else None, "a wrong guess at it")
            times[exists].append(time.thread_time() - began)
    ratio = statistics.median(times[True]) / statistics.median(times[False])
    assert 0.8 < ratio < 1.25, ratio


def test_few_hashes_run_at_once_and_the_rest_are_told_so(
    monkeypatch: pytest.MonkeyPatch, cheap_passwords: None
) -> None:
    monkeypatch.setattr(passwords, "_PATIENCE_S", 0.01)
    monkeypatch.setattr(passwords, "_seats", threading.BoundedSemaphore(1))
    with passwords._seat(), pytest.raises(TransientError) as caught:
        hash_password("violet otter counts tins")
    assert caught.value.code == "passwords.busy"
    hash_password("violet otter counts tins")
