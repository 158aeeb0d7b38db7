"""API tokens act for their makers until they end."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from kinsynth.errors import AccessError, ConflictError
from kinsynth.service.actor import Actor
from kinsynth.service.pages import Wanted
from kinsynth.service.people import tokens as module
from kinsynth.service.people.identity import Credentials, admit
from kinsynth.service.people.tokens import (
    NewToken,
    TokenChange,
    create_token,
    delete_token,
    list_tokens,
    read_token,
    update_token,
)
from kinsynth.service.people.users import activate_user, block_user
from kinsynth.service.platform import Platform
from kinsynth.storage.tables import audit, idempotency, tokens
from people import add_person, put_forward


def who(platform: Platform, secret: str, operation: str = "users.me") -> Actor | str:
    try:
        return admit(platform, Credentials(token=secret), operation)
    except AccessError as error:
        return error.code


def test_a_token_acts_for_its_maker(platform: Platform) -> None:
    ana = add_person(platform, "ana", "admin")
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    assert who(platform, made.secret) == Actor(ana.id, "admin", "token", made.token.id)
    assert made.secret.startswith(made.token.hint)
    assert len(made.token.hint) < 12


def test_only_its_hash_is_kept(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    with platform.records.read() as connection:
        kept = str(connection.execute(select(tokens)).all()) + str(connection.execute(select(audit)).all())
    assert made.secret not in kept
    assert made.secret not in str(read_token(platform, ana.actor, made.token.id))


def test_it_ends_by_date_suspension_deletion_and_with_the_account(platform: Platform) -> None:
    admin, ana = add_person(platform, "root", "admin"), add_person(platform, "ana")
    made = create_token(platform, ana.actor, NewToken(name="short", expires_in_days=1))
    put_forward(platform, 0.9 * 86_400)
    assert isinstance(who(platform, made.secret), Actor)
    put_forward(platform, 0.2 * 86_400)
    assert who(platform, made.secret) == "access.unauthenticated"

    kept = create_token(platform, ana.actor, NewToken(name="kept"))
    update_token(platform, ana.actor, kept.token.id, TokenChange(suspended=True))
    assert who(platform, kept.secret) == "access.unauthenticated"
    update_token(platform, ana.actor, kept.token.id, TokenChange(suspended=False))
    assert isinstance(who(platform, kept.secret), Actor)
    block_user(platform, admin.actor, ana.id)
    assert who(platform, kept.secret) == "access.unauthenticated"
    activate_user(platform, admin.actor, ana.id)
    assert isinstance(who(platform, kept.secret), Actor)
    delete_token(platform, ana.actor, kept.token.id)
    assert who(platform, kept.secret) == "access.unauthenticated"


@pytest.mark.parametrize("secret", ["", "kst_", "kst_wrong", "\0", "é", "x" * 10_000])
def test_other_texts_are_nobody(platform: Platform, secret: str) -> None:
    assert who(platform, secret) == "access.unauthenticated"


def test_a_token_makes_no_tokens(platform: Platform) -> None:
    """Else one that leaked would outlive its own end."""
    ana = add_person(platform, "ana")
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    actor = who(platform, made.secret)
    assert isinstance(actor, Actor)
    for ask in (
        lambda: create_token(platform, actor, NewToken(name="another")),
        lambda: update_token(platform, actor, made.token.id, TokenChange(suspended=False)),
    ):
        with pytest.raises(AccessError) as caught:
            ask()
        assert caught.value.code == "access.session_needed"


def test_others_do_not_see_it(platform: Platform) -> None:
    ana, eve = add_person(platform, "ana"), add_person(platform, "eve", "admin")
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    for ask in (
        lambda: read_token(platform, eve.actor, made.token.id),
        lambda: update_token(platform, eve.actor, made.token.id, TokenChange(name="mine")),
        lambda: delete_token(platform, eve.actor, made.token.id),
    ):
        with pytest.raises(AccessError) as caught:
            ask()
        assert caught.value.code == "access.not_found"
    assert list_tokens(platform, eve.actor, Wanted()).items == ()
    assert [one.id for one in list_tokens(platform, ana.actor, Wanted()).items] == [made.token.id]


def test_its_last_use_is_known_to_the_minute(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    made = create_token(platform, ana.actor, NewToken(name="nightly"))
    assert made.token.used_at is None
    who(platform, made.secret)
    first = read_token(platform, ana.actor, made.token.id).used_at
    assert first is not None
    who(platform, made.secret)
    assert read_token(platform, ana.actor, made.token.id).used_at == first
    put_forward(platform, 120)
    who(platform, made.secret)
    used = read_token(platform, ana.actor, made.token.id).used_at
    assert used is not None
    assert used > first - 60


def test_what_is_left_out_of_a_change_stays(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    made = create_token(platform, ana.actor, NewToken(name="nightly", description="for the cron job"))
    changed = update_token(platform, ana.actor, made.token.id, TokenChange(name="weekly"))
    assert (changed.name, changed.description, changed.suspended) == ("weekly", "for the cron job", False)


def test_there_is_an_end_to_them(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    ana = add_person(platform, "ana")
    for _ in range(2):
        create_token(platform, ana.actor, NewToken(name="one of many"))
    with pytest.raises(ConflictError) as caught:
        create_token(platform, ana.actor, NewToken(name="one too many"))
    assert caught.value.code == "tokens.too_many"


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "a\nb", "a\u202eb", "x" * 201, "a\x1b[31mb"])
def test_names_are_printable(name: str) -> None:
    with pytest.raises(ValidationError):
        NewToken(name=name)


def test_the_same_request_makes_one_token_and_shows_its_secret_once(platform: Platform) -> None:
    ana, ben = add_person(platform, "ana"), add_person(platform, "ben")
    made = create_token(platform, ana.actor, NewToken(name="nightly"), key="k")
    with pytest.raises(ConflictError) as caught:
        create_token(platform, ana.actor, NewToken(name="nightly"), key="k")
    assert (caught.value.code, caught.value.where) == ("tokens.made_before", made.token.id)
    assert made.secret not in str(caught.value)
    with pytest.raises(ConflictError, match=r"idempotency\.reused"):
        create_token(platform, ana.actor, NewToken(name="other"), key="k")
    assert [one.id for one in list_tokens(platform, ana.actor, Wanted()).items] == [made.token.id]
    with platform.records.read() as connection:
        kept = str(connection.execute(select(idempotency)).all())
    assert made.secret not in kept
    create_token(platform, ben.actor, NewToken(name="nightly"), key="k")
    delete_token(platform, ana.actor, made.token.id)
    renewed = create_token(platform, ana.actor, NewToken(name="nightly"), key="another")
    assert isinstance(who(platform, renewed.secret), Actor)
