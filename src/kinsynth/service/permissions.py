"""Permissions: one table says who may do what, and one function asks it. What has no row is nobody's.

Levels of a synthesis, and of all that was made from it: *view* reads, *run* starts executions too, *edit*
changes it too, *own* is everything. Who started an execution may edit that execution while they may run.
Originals (sources) are their owner's alone: no share and no role opens them. A synthesis reads a source as
long as the source's owner may edit it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Column, Connection, Select, and_, literal, select

from kinsynth.errors import AccessError
from kinsynth.service.actor import Actor
from kinsynth.storage.ids import PATTERN
from kinsynth.storage.tables import (
    destinations,
    downloads,
    executions,
    models,
    shares,
    sources,
    syntheses,
    tokens,
)

Level = Literal["view", "run", "edit", "own"]
Kind = Literal["source", "synthesis", "execution", "model", "download", "destination", "token"]
LEVELS: tuple[Level, ...] = ("view", "run", "edit", "own")


@dataclass(frozen=True)
class Rule:
    """Who may do an operation.

    Attributes:
        who: ``anyone``; ``user``, whoever is signed in; ``admin``; ``object``, by the level on an object.
        kind: What the object is.
        level: The least level on it.
        in_person: Whether a session is needed: a token that leaked must not make others or change passwords.
    """

    who: Literal["anyone", "user", "admin", "object"]
    kind: Kind | None = None
    level: Level = "own"
    in_person: bool = False


ANYONE, USER, ADMIN = Rule("anyone"), Rule("user"), Rule("admin")
USER_IN_PERSON = Rule("user", in_person=True)


def _may(level: Level, kind: Kind, *, in_person: bool = False) -> Rule:
    return Rule("object", kind, level, in_person)


POLICY: Mapping[str, Rule] = {
    # the installation
    "health.read": ANYONE,
    "metrics.read": ANYONE,
    "openapi.read": USER,
    "documents.schema": USER,
    "setup.claim": ANYONE,
    "audit.list": ADMIN,
    "audit.verify": ADMIN,
    "receipts.list": ADMIN,
    # people
    "sessions.create": ANYONE,
    "sessions.read": USER_IN_PERSON,
    "sessions.end": USER_IN_PERSON,
    "sessions.list": USER_IN_PERSON,
    "sessions.end_all": USER_IN_PERSON,
    "sign_in.methods": ANYONE,
    "sign_in.begin": ANYONE,
    "sign_in.finish": ANYONE,
    "users.me": USER,
    "users.update_me": USER,
    "users.change_password": USER_IN_PERSON,
    "users.list": ADMIN,
    "users.create": Rule("admin", in_person=True),
    "users.read": ADMIN,
    "users.update": Rule("admin", in_person=True),
    "users.block": ADMIN,
    "users.activate": ADMIN,
    "users.set_password": Rule("admin", in_person=True),
    "tokens.list": USER,
    "tokens.create": USER_IN_PERSON,
    "tokens.read": _may("own", "token"),
    "tokens.update": _may("own", "token", in_person=True),
    "tokens.delete": _may("own", "token"),
    "quotas.me": USER,
    "quotas.read": ADMIN,
    "quotas.update": ADMIN,
    # originals
    "sources.create": USER,
    "sources.list": USER,
    "sources.read": _may("own", "source"),
    "sources.rename": _may("own", "source"),
    "sources.delete": _may("own", "source"),
    "versions.create": _may("own", "source"),
    "versions.list": _may("own", "source"),
    "versions.read": _may("own", "source"),
    "versions.upload": _may("own", "source"),
    "versions.remove_file": _may("own", "source"),
    "versions.seal": _may("own", "source"),
    "versions.preview": _may("own", "source"),
    "versions.detect": _may("own", "source"),
    # destinations
    "destinations.create": USER,
    "destinations.list": USER,
    "destinations.read": _may("own", "destination"),
    "destinations.update": _may("own", "destination"),
    "destinations.delete": _may("own", "destination"),
    # syntheses
    "syntheses.create": USER,
    "syntheses.import": USER,
    "syntheses.list": USER,
    "syntheses.read": _may("view", "synthesis"),
    "syntheses.update": _may("edit", "synthesis"),
    "syntheses.rename": _may("edit", "synthesis"),
    "syntheses.clone": _may("own", "synthesis"),
    "syntheses.export": _may("view", "synthesis"),
    "syntheses.delete": _may("own", "synthesis"),
    "syntheses.versions": _may("view", "synthesis"),
    "syntheses.version": _may("view", "synthesis"),
    "syntheses.check": _may("run", "synthesis"),
    "syntheses.assess": _may("run", "synthesis"),
    "drafts.check": _may("edit", "synthesis"),
    "drafts.detect": _may("edit", "synthesis"),
    "drafts.write": _may("edit", "synthesis"),
    "drafts.read": _may("edit", "synthesis"),
    "shares.list": _may("view", "synthesis"),
    "shares.set": _may("own", "synthesis"),
    "shares.remove": _may("own", "synthesis"),
    # executions and what they made
    "executions.create": _may("run", "synthesis"),
    "executions.list": USER,
    "executions.of_synthesis": _may("view", "synthesis"),
    "executions.read": _may("view", "execution"),
    "executions.rename": _may("edit", "execution"),
    "executions.cancel": _may("edit", "execution"),
    "executions.resume": _may("edit", "execution"),
    "executions.retry": _may("run", "execution"),
    "executions.delete": _may("edit", "execution"),
    "executions.events": _may("view", "execution"),
    "executions.stream": _may("view", "execution"),
    "executions.timeline": _may("view", "execution"),
    "executions.preview": _may("view", "execution"),
    "executions.report": _may("view", "execution"),
    "executions.certificate": _may("view", "execution"),
    "executions.evaluation": _may("view", "execution"),
    "executions.files": _may("view", "execution"),
    "executions.file": _may("view", "execution"),
    "models.list": USER,
    "models.read": _may("view", "model"),
    "models.rename": _may("edit", "model"),
    "models.delete": _may("edit", "model"),
    "models.document": _may("view", "model"),
    "downloads.create": _may("view", "execution"),
    "downloads.list": _may("view", "execution"),
    "downloads.read": _may("view", "download"),
    "downloads.ticket": _may("view", "download"),
    "tickets.redeem": ANYONE,
}


def require(connection: Connection, actor: Actor, operation: str, object_id: str = "") -> None:
    """Let an operation pass, or refuse it.

    Args:
        connection: A transaction, that of the operation itself where it writes.
        actor: Who asks.
        operation: Id of the operation, a row of ``POLICY``.
        object_id: What it is done to, for rules about an object.

    Raises:
        AccessError: ``access.unauthenticated``; ``access.not_found`` where the object is not there, or
            not for them, which look the same; ``access.forbidden`` where they see it but may not do this;
            ``access.session_needed`` where they came with a token and have to come themselves.

    Guarantees:
        An operation without a row raises KeyError: forgetting a rule never opens anything. The platform
        itself may do everything.
    """
    rule = POLICY[operation]
    if rule.who == "anyone" or actor.via == "system":
        return
    if actor.role is None:
        raise unauthenticated()
    if rule.who == "object":
        _require_level(connection, actor, rule, object_id)
    if rule.who == "admin" and actor.role != "admin":
        raise AccessError(
            "access.forbidden", "Only administrators may do this.", remedy="Ask an administrator."
        )
    if rule.in_person and actor.via != "session":
        raise AccessError(
            "access.session_needed",
            "This is not done with an API token.",
            remedy="Sign in and do it there.",
        )


def _require_level(connection: Connection, actor: Actor, rule: Rule, object_id: str) -> None:
    assert rule.kind is not None
    level = find_level(connection, actor, rule.kind, object_id)
    if level is None:
        raise not_found(rule.kind)
    if LEVELS.index(level) < LEVELS.index(rule.level):
        raise AccessError(
            "access.forbidden",
            f"This needs the right to {rule.level}; yours is to {level}.",
            where=rule.kind,
            remedy="Ask the owner for a further share.",
        )


def unauthenticated() -> AccessError:
    """Give the error for somebody who is not signed in."""
    return AccessError(
        "access.unauthenticated",
        "Nobody is signed in, or the session or token is over.",
        remedy="Sign in, or send a token that is valid.",
    )


def not_found(kind: str) -> AccessError:
    """Give the error for what is not there, or not for the one who asks."""
    return AccessError(
        "access.not_found",
        f"There is no such {kind}, or it is not shared with you.",
        where=kind,
        remedy="Look at the id, or ask its owner for a share.",
    )


def find_level(connection: Connection, actor: Actor, kind: Kind, object_id: str) -> Level | None:
    """Look up what somebody may do with an object.

    Returns:
        The highest level, None where it is not there or not for them.
    """
    if not PATTERN.fullmatch(object_id) or not actor.user_id:
        return None
    row = connection.execute(_RIGHTS[kind](object_id, actor.user_id)).one_or_none()
    if row is None:
        return None
    owner_id, level, starter_id = row
    if owner_id == actor.user_id:
        return "own"
    if level == "run" and starter_id == actor.user_id:
        return "edit"
    return level  # type: ignore[no-any-return]


def _owned(identity: Column[Any], owner: Column[Any]) -> Callable[[str, str], Select[Any]]:
    """Give the question for objects that only their owner sees."""
    nobody = literal(None)
    return lambda object_id, _user_id: select(owner, nobody, nobody).where(identity == object_id)


def _shared(identity: Column[Any], way: Any, starter: Any = None) -> Callable[[str, str], Select[Any]]:
    """Give the question for objects that follow the shares of a synthesis.

    Args:
        identity: Column of the object's id.
        way: The tables from the object to ``syntheses``, joined.
        starter: Column of who started the execution.
    """

    def ask(object_id: str, user_id: str) -> Select[Any]:
        theirs = and_(shares.c.synthesis_id == syntheses.c.id, shares.c.user_id == user_id)
        columns = (syntheses.c.owner_id, shares.c.level, literal(None) if starter is None else starter)
        return select(*columns).select_from(way.outerjoin(shares, theirs)).where(identity == object_id)

    return ask


_RIGHTS: Mapping[Kind, Callable[[str, str], Select[Any]]] = {
    "source": _owned(sources.c.id, sources.c.owner_id),
    "destination": _owned(destinations.c.id, destinations.c.owner_id),
    "token": _owned(tokens.c.id, tokens.c.user_id),
    "synthesis": _shared(syntheses.c.id, syntheses),
    "execution": _shared(
        executions.c.id,
        executions.join(syntheses, executions.c.synthesis_id == syntheses.c.id),
        executions.c.owner_id,
    ),
    "model": _shared(models.c.id, models.join(syntheses, models.c.synthesis_id == syntheses.c.id)),
    "download": _shared(
        downloads.c.id,
        downloads.join(executions, downloads.c.execution_id == executions.c.id).join(
            syntheses, executions.c.synthesis_id == syntheses.c.id
        ),
    ),
}


def is_lent(connection: Connection, source_id: str, synthesis_id: str) -> bool:
    """Tell whether a synthesis may read a source: the source's owner owns the synthesis, or edits it."""
    owner = select(sources.c.owner_id).where(sources.c.id == source_id)
    owner_id = connection.execute(owner).scalar_one_or_none()
    if owner_id is None:
        return False
    return find_level(connection, Actor(owner_id, None, "session"), "synthesis", synthesis_id) in {
        "edit",
        "own",
    }


def visible_syntheses(user_id: str) -> Select[Any]:
    """Give the ids of all syntheses somebody owns or that are shared with them, for a list's ``IN``."""
    owned = select(syntheses.c.id).where(syntheses.c.owner_id == user_id)
    shared = select(shares.c.synthesis_id).where(shares.c.user_id == user_id)
    return owned.union(shared)  # type: ignore[return-value]
