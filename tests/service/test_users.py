"""Accounts: administrators make and block them, and one always stays."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from kinsynth.errors import AccessError, ConflictError, KinsynthError, SettingsError
from kinsynth.service.actor import SYSTEM
from kinsynth.service.pages import Wanted
from kinsynth.service.people.allowances import QuotaChange, change, read_mine, read_theirs
from kinsynth.service.people.users import (
    NewUser,
    OwnChange,
    UserChange,
    activate_user,
    block_user,
    create_user,
    list_users,
    read_me,
    read_user,
    set_password,
    update_me,
    update_user,
)
from kinsynth.service.platform import Platform
from kinsynth.storage.tables import audit, users
from people import PASSWORD, add_person, make_platform

ANA = NewUser(email="Ana@Example.org", name="Ana", company="Tins", password=PASSWORD)


def code_of(ask: Any) -> str:
    with pytest.raises(KinsynthError) as caught:
        ask()
    return caught.value.code


def test_an_administrator_makes_accounts(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    made, _ = create_user(platform, admin.actor, ANA)
    assert (made.email, made.role, made.status, made.has_password) == (
        "ana@example.org",
        "user",
        "active",
        True,
    )
    assert read_user(platform, admin.actor, made.id) == made
    assert [one.id for one in list_users(platform, admin.actor, Wanted()).items] == [made.id, admin.id]


def test_a_new_account_has_the_quotas_of_the_installation(platform: Platform, tmp_path: Any) -> None:
    admin = add_person(platform, "root", "admin")
    other = make_platform(platform.records, tmp_path, quota_rows=500, quota_period="week")
    made, _ = create_user(other, admin.actor, ANA)
    limits = {one.resource: (one.limit, one.period) for one in read_theirs(platform, admin.actor, made.id)}
    assert limits == {"rows": (500.0, "week"), "seconds": (None, "week")}


def test_quotas_are_set_by_administrators_and_read_by_their_owner(platform: Platform) -> None:
    admin, ana = add_person(platform, "root", "admin"), add_person(platform, "ana")
    change(platform, admin.actor, ana.id, "seconds", QuotaChange(limit=60.0, period="day"))
    assert {one.resource: one.limit for one in read_mine(platform, ana.actor)}["seconds"] == 60.0
    lift = QuotaChange(limit=None, period="day")
    assert code_of(lambda: change(platform, ana.actor, ana.id, "seconds", lift)) == "access.forbidden"
    assert code_of(lambda: read_theirs(platform, ana.actor, admin.id)) == "access.forbidden"


def test_addresses_are_taken_once_however_written(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    made, _ = create_user(platform, admin.actor, ANA)
    again = NewUser(email="aNA@example.ORG", name="Another")
    assert code_of(lambda: create_user(platform, admin.actor, again)) == "users.email_taken"
    rename = UserChange(email="root@example.org")
    assert code_of(lambda: update_user(platform, admin.actor, made.id, rename)) == "users.email_taken"


def test_weak_passwords_are_refused(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    weak = NewUser(email="a@b.c", name="A", password="short")
    assert code_of(lambda: create_user(platform, admin.actor, weak)) == "passwords.short"
    assert (
        code_of(lambda: set_password(platform, admin.actor, admin.id, "password1234")) == "passwords.common"
    )
    with pytest.raises(SettingsError):
        set_password(platform, admin.actor, admin.id, "")


@pytest.mark.parametrize(
    "email", ["", "a", "a@", "@b", "a b@c.d", "a@b@c", "a\0@b.c", "a@b\n.c", "x" * 400 + "@b.c", "<a@b.c>"]
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValidationError):
        NewUser(email=email, name="A")


def test_roles_and_owners_cannot_be_slipped_in() -> None:
    with pytest.raises(ValidationError):
        OwnChange.model_validate({"name": "Ana", "role": "admin"})
    with pytest.raises(ValidationError):
        UserChange.model_validate({"status": "active"})
    with pytest.raises(ValidationError):
        NewUser.model_validate({"email": "a@b.c", "name": "A", "role": "owner"})


def test_people_change_their_own_name(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    update_me(platform, ana.actor, OwnChange(name="Ana B"))
    assert read_me(platform, ana.actor).name == "Ana B"


def test_users_do_nothing_with_accounts(platform: Platform) -> None:
    ana, bob = add_person(platform, "ana"), add_person(platform, "bob")
    for ask in (
        lambda: create_user(platform, ana.actor, ANA),
        lambda: list_users(platform, ana.actor, Wanted()),
        lambda: read_user(platform, ana.actor, bob.id),
        lambda: update_user(platform, ana.actor, ana.id, UserChange(role="admin")),
        lambda: block_user(platform, ana.actor, bob.id),
        lambda: activate_user(platform, ana.actor, bob.id),
        lambda: set_password(platform, ana.actor, bob.id, "seven slow brown herons"),
    ):
        assert code_of(ask) == "access.forbidden"


def test_who_is_not_there_is_not_found(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    for ask in (
        lambda: read_user(platform, admin.actor, "usr_aaaaaaaaaaaaaaaaaaaa"),
        lambda: block_user(platform, admin.actor, "nobody"),
        lambda: set_password(platform, admin.actor, "nobody", "seven slow brown herons"),
    ):
        assert code_of(ask) == "access.not_found"


def test_the_last_administrator_stays(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    demote = UserChange(role="user")
    assert code_of(lambda: block_user(platform, admin.actor, admin.id)) == "users.last_admin"
    assert code_of(lambda: update_user(platform, admin.actor, admin.id, demote)) == "users.last_admin"
    other = add_person(platform, "second", "admin")
    block_user(platform, admin.actor, other.id)
    assert code_of(lambda: update_user(platform, admin.actor, admin.id, demote)) == "users.last_admin"
    activate_user(platform, admin.actor, other.id)
    assert update_user(platform, admin.actor, admin.id, demote).role == "user"


def test_two_administrators_cannot_remove_each_other(platform: Platform) -> None:
    for number in range(8):
        pair = [add_person(platform, f"a{number}", "admin"), add_person(platform, f"b{number}", "admin")]
        with platform.records.read() as connection:
            theirs = select(users.c.id).where(users.c.role == "admin", users.c.status == "active")
            others = set(connection.execute(theirs).scalars()) - {one.id for one in pair}
        for other in others:
            block_user(platform, SYSTEM, other)
        codes: list[str] = []

        def remove(actor: Any, target: str, codes: list[str] = codes) -> None:
            try:
                block_user(platform, actor, target)
            except (AccessError, ConflictError) as error:
                codes.append(error.code)

        threads = [
            threading.Thread(target=remove, args=(pair[one].actor, pair[1 - one].id)) for one in (0, 1)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert codes == ["users.last_admin"]


def test_what_is_done_is_in_the_audit_log_by_id_only(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    made, _ = create_user(platform, admin.actor, ANA)
    update_user(platform, admin.actor, made.id, UserChange(name="Someone Else"))
    block_user(platform, admin.actor, made.id)
    with platform.records.read() as connection:
        rows = connection.execute(select(audit).order_by(audit.c.number)).all()
    assert [(row.action, row.actor_id, row.object_id) for row in rows] == [
        ("users.create", admin.id, made.id),
        ("users.update", admin.id, made.id),
        ("users.block", admin.id, made.id),
    ]
    assert "Someone" not in str(rows)
    assert "example" not in str(rows)


def test_the_same_request_makes_one_account(platform: Platform) -> None:
    admin = add_person(platform, "root", "admin")
    made, is_new = create_user(platform, admin.actor, ANA, key="k")
    again, is_again_new = create_user(platform, admin.actor, ANA, key="k")
    assert (again, is_new, is_again_new) == (made, True, False)
    other = ANA.model_copy(update={"password": "seven slow brown herons"})
    assert create_user(platform, admin.actor, other, key="k") == (made, False), "no trace of it is kept"
    renamed = ANA.model_copy(update={"name": "B"})
    assert code_of(lambda: create_user(platform, admin.actor, renamed, key="k")) == "idempotency.reused"
    assert code_of(lambda: create_user(platform, admin.actor, ANA, key="l")) == "users.email_taken"
