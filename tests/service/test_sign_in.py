"""Signing in, and how often one may guess."""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import delete, func, select

from kinsynth.errors import AccessError
from kinsynth.service.people import passwords
from kinsynth.service.people import sign_in as module
from kinsynth.service.people.identity import Credentials, admit
from kinsynth.service.people.sign_in import (
    PasswordChange,
    SignIn,
    change_password,
    sign_in,
    sign_out,
    sign_out_everywhere,
)
from kinsynth.service.people.throttle import ThrottledError
from kinsynth.service.people.users import UserChange, block_user, set_password, update_user
from kinsynth.service.platform import Platform
from kinsynth.storage.records import Records
from kinsynth.storage.tables import audit, sessions, throttles, users
from people import PASSWORD, add_person, make_platform, put_forward

HERE, ELSEWHERE = "203.0.113.1", "198.51.100.7"
HOUR = 3600.0


class Guesses:
    """Counts what reaches the hash."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        verify = module.verify_password

        def counted(*given: Any) -> bool:
            self.count += 1
            return verify(*given)

        monkeypatch.setattr(module, "verify_password", counted)


@pytest.fixture
def guesses(monkeypatch: pytest.MonkeyPatch) -> Guesses:
    return Guesses(monkeypatch)


def attempt(platform: Platform, email: str, password: str, address: str = HERE) -> str:
    """What came of an attempt: its code, or ok."""
    try:
        sign_in(platform, SignIn(email=email, password=password), address)
    except AccessError as error:
        return error.code
    return "ok"


def is_alive(platform: Platform, secret: str) -> bool:
    try:
        admit(platform, Credentials(session=secret), "users.me")
    except AccessError as error:
        return error.code != "access.unauthenticated"
    return True


def test_a_right_password_begins_a_session(platform: Platform) -> None:
    person = add_person(platform, "ana")
    user_id, session = sign_in(platform, SignIn(email=" ANA@example.org ", password=PASSWORD), HERE)
    assert user_id == person.id
    assert is_alive(platform, session.secret)
    with platform.records.read() as connection:
        stored = {value for row in connection.execute(select(sessions)) for value in row}
    assert session.secret not in stored
    assert session.csrf not in stored


def test_refusals_look_the_same(platform: Platform) -> None:
    """A wrong password, no such account, a blocked account and one without a password."""
    admin = add_person(platform, "root", "admin")
    add_person(platform, "ana")
    bob = add_person(platform, "bob")
    block_user(platform, admin.actor, bob.id)
    texts = set()
    for email, password in (
        ("ana@example.org", "wrong"),
        ("nobody@example.org", PASSWORD),
        ("bob@example.org", PASSWORD),
        ("no address at all", PASSWORD),
        ("", ""),
    ):
        with pytest.raises(AccessError) as caught:
            sign_in(platform, SignIn(email=email, password=password), HERE)
        texts.add(str(caught.value))
    assert len(texts) == 1
    assert PASSWORD not in str(texts)
    assert "example.org" not in str(texts)


def test_every_sign_in_has_a_new_secret(platform: Platform) -> None:
    add_person(platform, "ana")
    made = {
        sign_in(platform, SignIn(email="ana@example.org", password=PASSWORD), HERE)[1].secret
        for _ in range(4)
    }
    assert len(made) == 4


def test_at_most_twenty_guesses_an_hour_reach_the_hash(platform: Platform, guesses: Guesses) -> None:
    """Over four hours, from fifty addresses, one of them the person's own; in every stretch of an hour."""
    add_person(platform, "ana")
    assert attempt(platform, "ana@example.org", PASSWORD, "198.51.100.1") == "ok"
    guesses.count, at = 0, []
    for minute in range(0, 240, 3):
        for number in range(4):
            attempt(platform, "ana@example.org", f"guess {minute}", f"198.51.100.{(minute + number) % 50}")
            at += [minute] * guesses.count
            guesses.count = 0
        put_forward(platform, 180)
    most = max(sum(start <= one < start + 60 for one in at) for start in range(240))
    assert 7 <= most <= 20, Counter(at)


def test_a_restart_forgives_nothing(platform: Platform, guesses: Guesses, tmp_path: Any) -> None:
    add_person(platform, "ana")
    for _ in range(30):
        attempt(platform, "ana@example.org", "wrong")
    again = make_platform(platform.records, tmp_path)
    before = guesses.count
    assert attempt(again, "ana@example.org", PASSWORD) == "access.throttled"
    assert guesses.count == before == 7


def test_unknown_accounts_are_throttled_alike(platform: Platform, guesses: Guesses) -> None:
    codes = [attempt(platform, "nobody@example.org", "wrong") for _ in range(9)]
    assert codes == ["sign_in.refused"] * 7 + ["access.throttled"] * 2
    assert guesses.count == 7


def test_strangers_do_not_lock_people_out_where_they_have_signed_in_before(platform: Platform) -> None:
    add_person(platform, "ana")
    assert attempt(platform, "ana@example.org", PASSWORD, HERE) == "ok"
    for _ in range(20):
        attempt(platform, "ana@example.org", "wrong", ELSEWHERE)
    assert attempt(platform, "ana@example.org", PASSWORD, ELSEWHERE) == "access.throttled"
    assert attempt(platform, "ana@example.org", PASSWORD, HERE) == "ok"


def test_right_passwords_use_nothing_up(platform: Platform) -> None:
    add_person(platform, "ana")
    assert [attempt(platform, "ana@example.org", PASSWORD) for _ in range(30)] == ["ok"] * 30


def test_one_address_cannot_try_many_accounts(platform: Platform, guesses: Guesses) -> None:
    codes = Counter(attempt(platform, f"p{number}@example.org", "winter", HERE) for number in range(130))
    assert codes == {"sign_in.refused": 100, "access.throttled": 30}
    assert guesses.count == 100
    assert attempt(platform, "p7@example.org", "winter", ELSEWHERE) == "sign_in.refused"


def test_addresses_of_one_network_count_together(platform: Platform, guesses: Guesses) -> None:
    for number in range(120):
        attempt(platform, f"p{number}@example.org", "winter", f"2001:db8:1:2::{number:x}")
    assert guesses.count == 100


def test_the_wait_is_told_and_true(platform: Platform) -> None:
    add_person(platform, "ana")
    for _ in range(7):
        attempt(platform, "ana@example.org", "wrong")
    with pytest.raises(ThrottledError) as caught:
        sign_in(platform, SignIn(email="ana@example.org", password=PASSWORD), HERE)
    assert 3500 < caught.value.retry_after_s <= 3600
    put_forward(platform, caught.value.retry_after_s + 1)
    assert attempt(platform, "ana@example.org", PASSWORD) == "ok"


def test_many_at_once_do_not_pass_the_limit(platform: Platform, guesses: Guesses) -> None:
    add_person(platform, "ana")
    threads = [
        threading.Thread(target=attempt, args=(platform, "ana@example.org", "wrong", f"198.51.100.{number}"))
        for number in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert guesses.count == 7


def test_a_new_password_of_an_administrator_forgives(platform: Platform) -> None:
    admin, ana = add_person(platform, "root", "admin"), add_person(platform, "ana")
    for _ in range(8):
        attempt(platform, "ana@example.org", "wrong")
    set_password(platform, admin.actor, ana.id, "seven slow brown herons")
    assert attempt(platform, "ana@example.org", "seven slow brown herons") == "ok"


def test_sessions_end_when_they_are_idle_and_after_a_day_s_work(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    put_forward(platform, 59 * 60)
    assert is_alive(platform, ana.session.secret)
    put_forward(platform, 61 * 60)
    assert not is_alive(platform, ana.session.secret)
    bob = add_person(platform, "bob")
    for _ in range(13):
        put_forward(platform, 55 * 60)
        assert is_alive(platform, bob.session.secret)
    put_forward(platform, 6 * 60)
    assert not is_alive(platform, bob.session.secret)


def test_sessions_die_with_sign_out_password_and_block(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    for number, end in enumerate(
        (
            lambda one: sign_out(platform, one.actor),
            lambda one: sign_out_everywhere(platform, one.actor),
            lambda one: block_user(platform, admin.actor, one.id),
            lambda one: set_password(platform, admin.actor, one.id, "seven slow brown herons"),
            lambda one: change_password(
                platform, one.actor, PasswordChange(current=PASSWORD, new="seven slow brown herons"), HERE
            ),
        )
    ):
        one = add_person(platform, f"person{number}")
        assert is_alive(platform, one.session.secret)
        end(one)
        assert not is_alive(platform, one.session.secret)


def test_sessions_die_with_another_role(platform: Platform) -> None:
    admin, ana = add_person(platform, "root", "admin"), add_person(platform, "ana")
    update_user(platform, admin.actor, ana.id, UserChange(name="Ana B"))
    assert is_alive(platform, ana.session.secret)
    update_user(platform, admin.actor, ana.id, UserChange(role="admin"))
    assert not is_alive(platform, ana.session.secret)


def test_sessions_that_are_over_are_removed_at_the_next_sign_in(platform: Platform) -> None:
    ana, bob = add_person(platform, "ana"), add_person(platform, "bob")
    put_forward(platform, 13 * HOUR)
    assert attempt(platform, ana.email, PASSWORD) == "ok"
    with platform.records.read() as connection:
        left = connection.execute(select(sessions.c.user_id).order_by(sessions.c.created_at)).scalars()
        assert list(left) == [bob.id, ana.id]


def test_changing_ones_password_needs_the_current_one_and_counts_as_guessing(
    platform: Platform, guesses: Guesses
) -> None:
    ana = add_person(platform, "ana")
    wrong = PasswordChange(current="wrong", new="seven slow brown herons")
    codes = []
    for _ in range(9):
        with pytest.raises(AccessError) as caught:
            change_password(platform, ana.actor, wrong, HERE)
        codes.append(caught.value.code)
    assert codes == ["sign_in.refused"] * 7 + ["access.throttled"] * 2
    assert guesses.count == 7


def test_a_changed_password_goes_on_in_a_new_session(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    change = PasswordChange(current=PASSWORD, new="seven slow brown herons")
    session = change_password(platform, ana.actor, change, HERE)
    assert is_alive(platform, session.secret)
    assert attempt(platform, "ana@example.org", PASSWORD) == "sign_in.refused"
    assert attempt(platform, "ana@example.org", "seven slow brown herons") == "ok"


def test_a_password_changed_meanwhile_is_not_right_any_more(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, ana = add_person(platform, "root", "admin"), add_person(platform, "ana")
    verify = module.verify_password

    def slow(*given: Any) -> bool:
        block_user(platform, admin.actor, ana.id)
        return verify(*given)

    monkeypatch.setattr(module, "verify_password", slow)
    assert attempt(platform, "ana@example.org", PASSWORD) == "sign_in.refused"
    with platform.records.read() as connection:
        theirs = select(func.count()).where(sessions.c.user_id == ana.id)
        assert connection.execute(theirs).scalar_one() == 0


def test_attempts_are_in_the_audit_log_without_what_was_typed(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    attempt(platform, "ana@example.org", "wrong horse typed")
    attempt(platform, "nobody@example.org", PASSWORD)
    attempt(platform, "ana@example.org", PASSWORD)
    with platform.records.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.number)).all()
    assert [(row.outcome, row.actor_id, row.object_id) for row in rows] == [
        ("refused", None, ana.id),
        ("refused", None, None),
        ("done", ana.id, ana.id),
    ]
    told = " ".join(str(value) for row in rows for value in row)
    assert "wrong horse" not in told
    assert "example.org" not in told


def test_a_flood_is_in_the_audit_log_once_an_hour_for_each_reason(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    for _ in range(40):
        attempt(platform, "ana@example.org", "wrong", ELSEWHERE)
    assert told_throttled(platform) == [ana.id]
    for number in range(130):
        attempt(platform, f"p{number}@example.org", "wrong", HERE)
    assert told_throttled(platform) == [ana.id, None], "the address is the reason, whatever is guessed at"
    put_forward(platform, HOUR + 1)
    wrong = PasswordChange(current="x", new="seven slow brown herons")
    for _ in range(9):
        with pytest.raises(AccessError):
            change_password(platform, ana.actor, wrong, HERE)
    assert told_throttled(platform) == [ana.id, None, ana.id]


def told_throttled(platform: Platform) -> list[str | None]:
    """Whom the audit log names in what it tells of throttled attempts."""
    with platform.records.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.number)).all()
    return [row.object_id for row in rows if row.details == {"code": "access.throttled"}]


def test_an_older_hash_is_made_anew_at_the_next_sign_in(
    platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    ana = add_person(platform, "ana")

    def stored() -> str:
        with platform.records.read() as connection:
            return str(
                connection.execute(select(users.c.password_hash).where(users.c.id == ana.id)).scalar_one()
            )

    old = stored()
    assert attempt(platform, ana.email, PASSWORD) == "ok"
    assert stored() == old, "its parameters are today's"
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert attempt(platform, ana.email, "wrong") == "sign_in.refused"
    assert stored() == old, "only who knows the password has it hashed"
    assert attempt(platform, ana.email, PASSWORD) == "ok"
    assert "m=16,t=2" in stored()
    assert is_alive(platform, ana.session.secret), "it is the same password"
    assert attempt(platform, ana.email, PASSWORD) == "ok"


@pytest.mark.soak
def test_ten_thousand_guesses_from_fifty_addresses(platform: Platform, guesses: Guesses) -> None:
    """Within an hour, by four at once; 20 accounts, half of which exist."""
    for number in range(10):
        add_person(platform, f"p{number}")
    reached: Counter[str] = Counter()

    def guess(start: int) -> None:
        for number in range(start, 10_000, 4):
            email = f"p{number % 20}@example.org"
            if attempt(platform, email, f"guess {number}", f"198.51.100.{number % 50}") != "access.throttled":
                reached[email] += 1

    threads = [threading.Thread(target=guess, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(reached.values()) <= 20, reached
    assert guesses.count == sum(reached.values())


@pytest.mark.soak
def test_time_tells_nothing_about_accounts(records: Records, tmp_path: Path) -> None:
    """With real hashes: medians of 500 pairs of sign-ins, in processor time, differ by less than 5 %."""
    platform = make_platform(records, tmp_path)
    add_person(platform, "ana")
    times: dict[str, list[float]] = {"ana@example.org": [], "nobody@example.org": []}
    for _ in range(500):
        for email, taken in times.items():
            with platform.records.write() as connection:
                connection.execute(delete(throttles))
            began = time.process_time()
            attempt(platform, email, "a wrong guess at it")
            taken.append(time.process_time() - began)
    known, unknown = (statistics.median(taken) for taken in times.values())
    platform.analysts.close()
    assert abs(known / unknown - 1) < 0.05, (known, unknown)
