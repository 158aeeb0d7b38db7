"""The first start: a token printed on the console makes the first administrator, once, within an hour."""

from __future__ import annotations

import hmac
import json

from sqlalchemy import Connection, delete, insert, select, text

from kinsynth.errors import AccessError
from kinsynth.service import audit
from kinsynth.service.actor import SYSTEM, Actor
from kinsynth.service.fields import ChosenPassword, Email, Name, Short
from kinsynth.service.pages import View
from kinsynth.service.people.passwords import check_password, hash_password
from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.service.people.users import UserView, add_account, count_users, find_user
from kinsynth.service.permissions import not_found
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.tables import instance

PREFIX = "setup_"
VALID_S = 3600.0
_KEY = "setup"
_LOCK = 0x73657475  # "setu": two who claim at once, on PostgreSQL


class Claim(View):
    """What the first administrator says."""

    token: str
    email: Email
    name: Name
    company: Short = ""
    password: ChosenPassword


def offer_setup(platform: Platform) -> str | None:
    """Make a new setup token when there is no account yet; the caller prints it on the console.

    Returns:
        The token, valid for an hour and once, in place of any earlier one; None once there is an account.
    """
    token = make_proof(PREFIX)
    with platform.records.write() as connection:
        _lock(connection)
        if count_users(connection):
            return None
        _withdraw(connection)
        ends_at = connection.execute(select(now() + VALID_S)).scalar_one()
        value = json.dumps({"hash": digest(token), "ends_at": ends_at})
        connection.execute(insert(instance).values(key=_KEY, value=value))
        audit.record(connection, SYSTEM, "setup.offer")
    return token


def needs_setup(platform: Platform) -> bool:
    """Tell whether nobody has an account yet; anyone may know, who is to be led to the setup."""
    with platform.records.read() as connection:
        return not count_users(connection)


def claim_setup(platform: Platform, claim: Claim) -> UserView:
    """Make the first administrator.

    Raises:
        AccessError: ``access.not_found`` once there is an account; ``setup.token``, it is wrong or over.
        SettingsError: As ``passwords.check_password``.

    Guarantees:
        However many try at once, at most one succeeds, and from then on there is nothing to claim.
    """
    with platform.records.read() as connection:
        _check(connection, claim.token)
    check_password(claim.password, email=claim.email, name=claim.name)
    password_hash = hash_password(claim.password)
    with platform.records.write() as connection:
        _lock(connection)
        _check(connection, claim.token)
        _withdraw(connection)
        user_id = add_account(
            connection,
            platform,
            email=claim.email,
            name=claim.name,
            company=claim.company,
            role="admin",
            password_hash=password_hash,
        )
        audit.record(connection, Actor(user_id, "admin", "nothing"), "setup.claim", user_id)
        return find_user(connection, user_id)


def _check(connection: Connection, token: str) -> None:
    value = connection.execute(select(instance.c.value).where(instance.c.key == _KEY)).scalar_one_or_none()
    if value is None or count_users(connection):
        raise not_found("setup")
    offer = json.loads(value)
    current = connection.execute(select(now())).scalar_one()
    if not hmac.compare_digest(digest(token), offer["hash"]) or current > offer["ends_at"]:
        raise AccessError(
            "setup.token",
            "The setup token is not the one of the last start, or is older than an hour.",
            where="token",
            remedy="Start the server again: it prints a new one.",
        )


def _withdraw(connection: Connection) -> None:
    connection.execute(delete(instance).where(instance.c.key == _KEY))


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
