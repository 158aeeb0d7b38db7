"""Users: accounts. Administrators make, change and block them, and read nobody's data by it."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from kinsynth.errors import ConflictError, UserError
from kinsynth.service import audit, quotas
from kinsynth.service.actor import SYSTEM, Actor, Role
from kinsynth.service.fields import ChosenPassword, Email, Name, Short
from kinsynth.service.idempotency import create, make_once
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.people.passwords import check_password, hash_password
from kinsynth.service.people.sessions import end_sessions
from kinsynth.service.people.throttle import forgive_account
from kinsynth.service.permissions import not_found, require
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import users

Status = Literal["active", "blocked"]


class UserView(View):
    """An account."""

    id: str
    email: str
    name: str
    company: str
    role: Role
    status: Status
    has_password: bool
    has_single_sign_on: bool
    created_at: float
    updated_at: float


class NewUser(View):
    """What an account is made from; without a password for people of single sign-on."""

    email: Email
    name: Name
    company: Short = ""
    role: Role = "user"
    password: ChosenPassword | None = None


class UserChange(View):
    """What an administrator may change; what is left out stays."""

    email: Email | None = None
    name: Name | None = None
    company: Short | None = None
    role: Role | None = None


class OwnChange(View):
    """What people may change of their own account."""

    name: Name | None = None
    company: Short | None = None


class NewPassword(View):
    """A password an administrator sets."""

    password: ChosenPassword


def create_user(
    platform: Platform, actor: Actor, wanted: NewUser, *, key: str | None = None
) -> tuple[UserView, bool]:
    """Make an account, with the quotas of the installation; tells also whether it was made now.

    Raises:
        AccessError: As ``permissions.require``.
        ConflictError: ``users.email_taken``; ``idempotency.reused``.
        SettingsError: As ``passwords.check_password``.
    """
    # Without the password: its plain digest would be easy to guess against.
    once = make_once(actor.user_id, key, "users.create", wanted.model_dump(exclude={"password"}))
    password_hash = None
    if wanted.password is not None:
        check_password(wanted.password, email=wanted.email, name=wanted.name)
        password_hash = hash_password(wanted.password)

    def make(connection: Connection) -> str:
        require(connection, actor, "users.create")
        user_id = add_account(
            connection,
            platform,
            email=wanted.email,
            name=wanted.name,
            company=wanted.company,
            role=wanted.role,
            password_hash=password_hash,
        )
        audit.record(connection, actor, "users.create", user_id, details={"role": wanted.role})
        return user_id

    user_id, made = create(platform.records, once, make)
    return read_user(platform, actor, user_id), made


def add_account(
    connection: Connection,
    platform: Platform,
    *,
    email: str,
    name: str,
    company: str = "",
    role: Role = "user",
    password_hash: str | None = None,
    subject: str | None = None,
) -> str:
    """Put an account into the database and give its id.

    Raises:
        ConflictError: ``users.email_taken``.
    """
    user_id = make_id("usr")
    try:
        with connection.begin_nested():
            connection.execute(
                insert(users).values(
                    id=user_id,
                    email=email,
                    name=name,
                    company=company,
                    role=role,
                    status="active",
                    password_hash=password_hash,
                    subject=subject,
                    created_at=now(),
                    updated_at=now(),
                )
            )
    except IntegrityError:
        raise _email_taken() from None
    quotas.grant_defaults(connection, user_id, platform.deployment)
    return user_id


def _email_taken() -> ConflictError:
    return ConflictError(
        "users.email_taken",
        "There is an account with this e-mail address.",
        where="email",
        remedy="Use that account, or another address.",
    )


def list_users(platform: Platform, actor: Actor, wanted: Wanted) -> Page[UserView]:
    """List all accounts, the newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "users.list")
        rows, following = read_page(connection, select(users), users.c.created_at, users.c.id, wanted)
        return Page(items=tuple(_view(row) for row in rows), next=following)


def read_user(platform: Platform, actor: Actor, user_id: str) -> UserView:
    """Read an account."""
    with platform.records.read() as connection:
        require(connection, actor, "users.read")
        return find_user(connection, user_id)


def read_me(platform: Platform, actor: Actor) -> UserView:
    """Read one's own account."""
    with platform.records.read() as connection:
        require(connection, actor, "users.me")
        return find_user(connection, actor.user_id)


def update_user(platform: Platform, actor: Actor, user_id: str, change: UserChange) -> UserView:
    """Change an account.

    Raises:
        AccessError: As ``permissions.require``.
        ConflictError: ``users.last_admin``, ``users.email_taken``.
    """
    values = change.model_dump(exclude_none=True)
    with platform.records.write() as connection:
        require(connection, actor, "users.update")
        before = find_user(connection, user_id)
        if before.role == "admin" and values.get("role") == "user":
            _keep_an_admin(connection, user_id)
        _set(connection, user_id, values)
        if values.get("role", before.role) != before.role:
            end_sessions(
                connection, user_id
            )  # what was open under the old role begins anew under the new one
        audit.record(connection, actor, "users.update", user_id, details={"fields": sorted(values)})
        return find_user(connection, user_id)


def update_me(platform: Platform, actor: Actor, change: OwnChange) -> UserView:
    """Change one's own account."""
    values = change.model_dump(exclude_none=True)
    with platform.records.write() as connection:
        require(connection, actor, "users.update_me")
        _set(connection, actor.user_id, values)
        audit.record(connection, actor, "users.update_me", actor.user_id, details={"fields": sorted(values)})
        return find_user(connection, actor.user_id)


def block_user(platform: Platform, actor: Actor, user_id: str) -> UserView:
    """Block an account: its sessions end, its tokens are refused; its data and running executions stay.

    Raises:
        AccessError: As ``permissions.require``.
        ConflictError: ``users.last_admin``.
    """
    with platform.records.write() as connection:
        require(connection, actor, "users.block")
        if find_user(connection, user_id).role == "admin":
            _keep_an_admin(connection, user_id)
        _set(connection, user_id, {"status": "blocked"})
        ended = end_sessions(connection, user_id)
        audit.record(connection, actor, "users.block", user_id, details={"sessions_ended": ended})
        return find_user(connection, user_id)


def activate_user(platform: Platform, actor: Actor, user_id: str) -> UserView:
    """Let a blocked account in again."""
    with platform.records.write() as connection:
        require(connection, actor, "users.activate")
        find_user(connection, user_id)
        _set(connection, user_id, {"status": "active"})
        audit.record(connection, actor, "users.activate", user_id)
        return find_user(connection, user_id)


def set_password(platform: Platform, actor: Actor, user_id: str, password: str) -> None:
    """Set somebody's password; their sessions end, and their earlier wrong guesses are forgotten.

    Raises:
        AccessError: As ``permissions.require``.
        SettingsError: As ``passwords.check_password``.
    """
    with platform.records.read() as connection:
        require(connection, actor, "users.set_password")
        user = find_user(connection, user_id)
    check_password(password, email=user.email, name=user.name)
    password_hash = hash_password(password)
    with platform.records.write() as connection:
        require(connection, actor, "users.set_password")
        store_password(connection, user_id, password_hash)
        forgive_account(connection, user.email)
        audit.record(connection, actor, "users.set_password", user_id)


def reset_password(platform: Platform, email: str, password: str) -> None:
    """Set somebody's password from the machine itself, where nobody is signed in.

    Raises:
        UserError: ``users.unknown``, nobody has this address.
        SettingsError: As ``passwords.check_password``.
    """
    with platform.records.read() as connection:
        found = connection.execute(
            select(users.c.id).where(users.c.email == email.strip().lower())
        ).scalar_one_or_none()
    if found is None:
        raise UserError(
            "users.unknown", "Nobody has this address.", where="email", remedy="Look at it again."
        )
    set_password(platform, SYSTEM, found, password)


def store_password(connection: Connection, user_id: str, password_hash: str) -> None:
    """Store a new hash and end all sessions."""
    _set(connection, user_id, {"password_hash": password_hash})
    end_sessions(connection, user_id)


def find_user(connection: Connection, user_id: str) -> UserView:
    """Read an account in a transaction.

    Raises:
        AccessError: ``access.not_found``.
    """
    row = connection.execute(select(users).where(users.c.id == user_id)).one_or_none()
    if row is None:
        raise not_found("user")
    return _view(row)


def _set(connection: Connection, user_id: str, values: dict[str, Any]) -> None:
    try:
        with connection.begin_nested():
            connection.execute(update(users).where(users.c.id == user_id).values(**values, updated_at=now()))
    except IntegrityError:
        raise _email_taken() from None


def _keep_an_admin(connection: Connection, user_id: str) -> None:
    """Refuse to take the last active administrator away; two who do it to each other wait for one another."""
    admins = (
        select(users.c.id)
        .where(users.c.role == "admin", users.c.status == "active")
        .order_by(users.c.id)
        .with_for_update()
    )
    if set(connection.execute(admins).scalars()) <= {user_id}:
        raise ConflictError(
            "users.last_admin",
            "This is the last active administrator.",
            where="role",
            remedy="Make somebody else an administrator first.",
        )


def count_users(connection: Connection) -> int:
    """Count all accounts."""
    return connection.execute(select(func.count()).select_from(users)).scalar_one()


def _view(row: Row[Any]) -> UserView:
    return UserView(
        id=row.id,
        email=row.email,
        name=row.name,
        company=row.company,
        role=row.role,
        status=row.status,
        has_password=row.password_hash is not None,
        has_single_sign_on=row.subject is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
