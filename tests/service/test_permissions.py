"""Who may do what with which object, and sharing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kinsynth.errors import AccessError, KinsynthError
from kinsynth.service.actor import STRANGER, SYSTEM
from kinsynth.service.people.sharing import NewShare, list_shares, remove_share, set_share
from kinsynth.service.permissions import POLICY, Kind, find_level, require, visible_syntheses
from kinsynth.service.platform import Platform
from objects import Objects, add_objects, share
from people import Person, add_person

FOLLOWING: tuple[Kind, ...] = ("synthesis", "execution", "model", "download")
PRIVATE: tuple[Kind, ...] = ("source", "token")


def level(platform: Platform, person: Person, kind: Kind, made: Objects) -> str | None:
    with platform.records.read() as connection:
        return find_level(connection, person.actor, kind, made.ids()[f"{kind}_id"])


def code_of(ask: Any) -> str:
    with pytest.raises(KinsynthError) as caught:
        ask()
    return caught.value.code


def test_owners_may_do_everything_and_others_nothing(platform: Platform) -> None:
    ana, eve, admin = (add_person(platform, name) for name in ("ana", "eve", "root"))
    made = add_objects(platform, ana.id)
    for kind in (*FOLLOWING, *PRIVATE):
        assert level(platform, ana, kind, made) == "own"
        assert level(platform, eve, kind, made) is None
        assert level(platform, admin, kind, made) is None


def test_shares_open_a_synthesis_and_what_was_made_from_it_but_no_originals(platform: Platform) -> None:
    ana = add_person(platform, "ana")
    made = add_objects(platform, ana.id)
    for given in ("view", "run", "edit"):
        other = add_person(platform, f"with_{given}")
        share(platform, made.synthesis_id, other.id, given)
        for kind in FOLLOWING:
            assert level(platform, other, kind, made) == given
        for kind in PRIVATE:
            assert level(platform, other, kind, made) is None


def test_who_started_an_execution_may_edit_it_while_they_may_run(platform: Platform) -> None:
    ana, bob = add_person(platform, "ana"), add_person(platform, "bob")
    made = add_objects(platform, ana.id, starter_id=bob.id)
    assert level(platform, bob, "execution", made) is None
    set_share(platform, ana.actor, made.synthesis_id, NewShare(email=bob.email, level="run"))
    assert level(platform, bob, "execution", made) == "edit"
    assert level(platform, bob, "synthesis", made) == "run"
    set_share(platform, ana.actor, made.synthesis_id, NewShare(email=bob.email, level="view"))
    assert level(platform, bob, "execution", made) == "view"
    remove_share(platform, ana.actor, made.synthesis_id, bob.id)
    assert level(platform, bob, "execution", made) is None


def test_one_share_set_many_times_at_once_is_one(platform: Platform) -> None:
    ana, bob = add_person(platform, "ana"), add_person(platform, "bob")
    made = add_objects(platform, ana.id)

    def set_once(number: int) -> str:
        wanted = NewShare(email=bob.email, level="run" if number % 2 else "view")
        return set_share(platform, ana.actor, made.synthesis_id, wanted).level

    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(set_once, range(16)))
    assert said == ["view", "run"] * 8
    assert level(platform, bob, "synthesis", made) in {"view", "run"}


@pytest.mark.parametrize(
    "object_id", ["", "x", "src_aaaaaaaaaaaaaaaaaaaa", "src_\0", "' OR 1=1 --", "é" * 400]
)
def test_ids_that_are_none_are_not_found(platform: Platform, object_id: str) -> None:
    ana = add_person(platform, "ana")
    with platform.records.read() as connection:
        assert find_level(connection, ana.actor, "source", object_id) is None


def test_a_foreign_object_looks_as_one_that_is_not_there(platform: Platform) -> None:
    ana, eve = add_person(platform, "ana"), add_person(platform, "eve")
    made = add_objects(platform, ana.id)
    texts = set()
    for object_id in (made.source_id, "src_aaaaaaaaaaaaaaaaaaaa", "nonsense"):
        with platform.records.read() as connection, pytest.raises(AccessError) as caught:
            require(connection, eve.actor, "sources.read", object_id)
        texts.add((caught.value.code, str(caught.value)))
    assert len(texts) == 1


def test_every_rule_refuses_strangers_unless_it_is_for_anyone(platform: Platform) -> None:
    with platform.records.read() as connection:
        for operation, rule in POLICY.items():
            if rule.who == "anyone":
                require(connection, STRANGER, operation)
            else:
                with pytest.raises(AccessError) as caught:
                    require(connection, STRANGER, operation, "syn_aaaaaaaaaaaaaaaaaaaa")
                assert caught.value.code == "access.unauthenticated"
            require(connection, SYSTEM, operation)


def test_an_operation_without_a_rule_is_nobody_s(platform: Platform) -> None:
    with platform.records.read() as connection, pytest.raises(KeyError):
        require(connection, SYSTEM, "sources.steal")


def test_shares_are_set_changed_listed_and_ended(platform: Platform) -> None:
    ana, bob, eve = (add_person(platform, name) for name in ("ana", "bob", "eve"))
    made = add_objects(platform, ana.id)
    set_share(platform, ana.actor, made.synthesis_id, NewShare(email="BOB@example.org", level="view"))
    changed = set_share(platform, ana.actor, made.synthesis_id, NewShare(email=bob.email, level="edit"))
    assert (changed.user_id, changed.level) == (bob.id, "edit")
    set_share(platform, ana.actor, made.synthesis_id, NewShare(email=eve.email, level="view"))
    assert len(list_shares(platform, ana.actor, made.synthesis_id)) == 2
    assert [one.user_id for one in list_shares(platform, eve.actor, made.synthesis_id)] == [eve.id]
    with platform.records.read() as connection:
        assert list(connection.execute(visible_syntheses(bob.id)).scalars()) == [made.synthesis_id]
    remove_share(platform, ana.actor, made.synthesis_id, bob.id)
    with platform.records.read() as connection:
        assert list(connection.execute(visible_syntheses(bob.id)).scalars()) == []
    again = lambda: remove_share(platform, ana.actor, made.synthesis_id, bob.id)  # noqa: E731
    assert code_of(again) == "access.not_found"


def test_only_owners_share_and_only_with_others_who_are_there(platform: Platform) -> None:
    ana, bob = add_person(platform, "ana"), add_person(platform, "bob")
    made = add_objects(platform, ana.id)

    def give(person: Person, email: str) -> str:
        wanted = NewShare(email=email, level="view")
        return code_of(lambda: set_share(platform, person.actor, made.synthesis_id, wanted))

    assert give(bob, bob.email) == "access.not_found"
    share(platform, made.synthesis_id, bob.id, "edit")
    assert give(bob, ana.email) == "access.forbidden"
    assert give(ana, "nobody@example.org") == "shares.unknown_user"
    assert give(ana, ana.email) == "shares.owner"
