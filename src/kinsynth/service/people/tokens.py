"""API tokens: what scripts hold. Shown once and stored as a hash, they end by date or by hand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StrictBool
from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from kinsynth.errors import ConflictError
from kinsynth.service import audit
from kinsynth.service.actor import Actor
from kinsynth.service.fields import Name, Note
from kinsynth.service.idempotency import create, make_once
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.people.proofs import digest, make_proof
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import tokens, users

PREFIX = "kst_"  # so that scanners of repositories recognise one
MOST = 200
TOUCH_S = 60.0
_DAY_S = 86_400.0


class TokenView(View):
    """A token without its secret."""

    id: str
    name: str
    description: str
    hint: str
    suspended: bool
    created_at: float
    expires_at: float | None
    used_at: float | None


class NewToken(View):
    """What a token is made from."""

    name: Name
    description: Note = ""
    expires_in_days: Annotated[float, Field(gt=0, le=3650, strict=True)] | None = None


class TokenChange(View):
    """What may be changed; what is left out stays."""

    name: Name | None = None
    description: Note | None = None
    suspended: StrictBool | None = None


class MadeToken(View):
    """A new token with its secret, which is never shown again."""

    token: TokenView
    secret: str


def create_token(platform: Platform, actor: Actor, wanted: NewToken, *, key: str | None = None) -> MadeToken:
    """Make a token that acts for its maker.

    Raises:
        AccessError: As ``permissions.require``.
        ConflictError: ``tokens.too_many``; ``idempotency.reused``; ``tokens.made_before``, by the same
            request: its secret is kept nowhere, and cannot be given again.
    """
    once = make_once(actor.user_id, key, "tokens.create", wanted.model_dump())
    secret = make_proof(PREFIX)

    def make(connection: Connection) -> str:
        token_id = make_id("tok")
        require(connection, actor, "tokens.create")
        count = select(func.count()).select_from(tokens).where(tokens.c.user_id == actor.user_id)
        if connection.execute(count).scalar_one() >= MOST:
            raise ConflictError(
                "tokens.too_many", f"There are {MOST} tokens already.", remedy="Delete those not in use."
            )
        expires = None if wanted.expires_in_days is None else now() + wanted.expires_in_days * _DAY_S
        connection.execute(
            insert(tokens).values(
                id=token_id,
                user_id=actor.user_id,
                name=wanted.name,
                description=wanted.description,
                secret_hash=digest(secret),
                hint=secret[: len(PREFIX) + 4],
                suspended=False,
                created_at=now(),
                expires_at=expires,
            )
        )
        audit.record(connection, actor, "tokens.create", token_id)
        return token_id

    token_id, made = create(platform.records, once, make)
    if not made:
        raise ConflictError(
            "tokens.made_before",
            "The same request made the token before; its secret was shown once, in the answer to it.",
            where=token_id,
            remedy="If that answer was lost, delete the token and make another one with a new key.",
        )
    return MadeToken(token=read_token(platform, actor, token_id), secret=secret)


def list_tokens(platform: Platform, actor: Actor, wanted: Wanted) -> Page[TokenView]:
    """List one's own tokens, the newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "tokens.list")
        mine = select(tokens).where(tokens.c.user_id == actor.user_id)
        rows, following = read_page(connection, mine, tokens.c.created_at, tokens.c.id, wanted)
        return Page(items=tuple(_view(row) for row in rows), next=following)


def read_token(platform: Platform, actor: Actor, token_id: str) -> TokenView:
    """Read one of one's own tokens."""
    with platform.records.read() as connection:
        require(connection, actor, "tokens.read", token_id)
        return _read(connection, token_id)


def update_token(platform: Platform, actor: Actor, token_id: str, change: TokenChange) -> TokenView:
    """Rename, describe, suspend or reactivate a token."""
    values = change.model_dump(exclude_none=True)
    with platform.records.write() as connection:
        require(connection, actor, "tokens.update", token_id)
        if values:
            connection.execute(update(tokens).where(tokens.c.id == token_id).values(**values))
            audit.record(connection, actor, "tokens.update", token_id, details={"fields": sorted(values)})
        return _read(connection, token_id)


def delete_token(platform: Platform, actor: Actor, token_id: str) -> None:
    """Delete a token; it is worth nothing from then on."""
    with platform.records.write() as connection:
        require(connection, actor, "tokens.delete", token_id)
        connection.execute(delete(tokens).where(tokens.c.id == token_id))
        audit.record(connection, actor, "tokens.delete", token_id)


def find_token(connection: Connection, secret: str) -> Row[Any] | None:
    """Find the valid token of a secret, with ``role`` of its active user."""
    stale = or_(tokens.c.used_at.is_(None), now() - tokens.c.used_at > TOUCH_S).label("stale")
    asked = (
        select(tokens.c.id, tokens.c.user_id, users.c.role, stale)
        .join(users, users.c.id == tokens.c.user_id)
        .where(
            tokens.c.secret_hash == digest(secret),
            tokens.c.suspended.is_(False),
            or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now()),
            users.c.status == "active",
        )
    )
    return connection.execute(asked).one_or_none()


def touch_token(connection: Connection, token_id: str) -> None:
    """Note that a token was used."""
    connection.execute(update(tokens).where(tokens.c.id == token_id).values(used_at=now()))


def _read(connection: Connection, token_id: str) -> TokenView:
    return _view(connection.execute(select(tokens).where(tokens.c.id == token_id)).one())


def _view(row: Row[Any]) -> TokenView:
    return TokenView(**{name: getattr(row, name) for name in TokenView.model_fields})
