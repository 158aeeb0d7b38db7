"""People of a test installation, and a clock that can be put forward."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from installation import Submitted
from kinsynth.service.actor import Actor, Role
from kinsynth.service.people.passwords import hash_password
from kinsynth.service.people.sessions import NewSession, begin_session
from kinsynth.service.people.users import add_account
from kinsynth.service.platform import Platform, assemble
from kinsynth.settings.deployment import read_deployment
from kinsynth.storage.records import Records
from kinsynth.storage.tables import instance, sessions, sign_ins, throttles, tokens, users

PASSWORD = "violet otter counts tins"


@dataclass(frozen=True)
class Person:
    """Somebody with an account and a session."""

    id: str
    email: str
    session: NewSession
    actor: Actor


def make_platform(records: Records, folder: Path, **settings: Any) -> Platform:
    """An installation on a database, whose executions go to nobody; its children are the caller's to end."""
    folder.mkdir(exist_ok=True)
    open_one = assemble(read_deployment(data=folder, **settings), records)
    open_one.engine.close()
    return replace(open_one, engine=Submitted())


def add_person(platform: Platform, name: str, role: Role = "user") -> Person:
    """An account with the password of all tests, signed in."""
    email = f"{name}@example.org"
    with platform.records.write() as connection:
        user_id = add_account(
            connection, platform, email=email, name=name, role=role, password_hash=hash_password(PASSWORD)
        )
        session = begin_session(connection, platform.deployment, user_id, "203.0.113.9")
        session_id = connection.execute(
            select(sessions.c.id).where(sessions.c.user_id == user_id)
        ).scalar_one()
    return Person(user_id, email, session, Actor(user_id, role, "session", session_id))


def put_forward(platform: Platform, seconds: float) -> None:
    """Let time pass for people: all they have is that much older."""
    with platform.records.write() as connection:
        for table, names in (
            (throttles, ("window_ends_at",)),
            (sessions, ("created_at", "seen_at", "expires_at")),
            (tokens, ("created_at", "expires_at", "used_at")),
            (sign_ins, ("expires_at",)),
            (users, ("created_at", "updated_at")),
        ):
            connection.execute(update(table).values({name: table.c[name] - seconds for name in names}))
        setup = select(instance.c.value).where(instance.c.key == "setup")
        if (value := connection.execute(setup).scalar_one_or_none()) is not None:
            offer = json.loads(value)
            offer["ends_at"] -= seconds
            connection.execute(
                update(instance).where(instance.c.key == "setup").values(value=json.dumps(offer))
            )
