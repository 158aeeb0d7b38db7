"""Sharing: an owner lets others view a synthesis, run it, or edit it."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection, delete, select, update

from kinsynth.errors import UserError
from kinsynth.executions.state import FINAL
from kinsynth.service import audit
from kinsynth.service.actor import Actor
from kinsynth.service.fields import Email
from kinsynth.service.pages import View
from kinsynth.service.permissions import not_found, require
from kinsynth.service.platform import Platform
from kinsynth.storage.clock import now
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import executions, shares, sources, syntheses, users
from kinsynth.storage.upsert import upsert

ShareLevel = Literal["view", "run", "edit"]


class ShareView(View):
    """With whom a synthesis is shared, and what they may do."""

    user_id: str
    email: str
    name: str
    level: ShareLevel
    created_at: float


class NewShare(View):
    """Whom to share with; somebody who has a share gets this level instead."""

    email: Email
    level: ShareLevel


def list_shares(platform: Platform, actor: Actor, synthesis_id: str) -> tuple[ShareView, ...]:
    """List the shares of a synthesis: all for its owner, for others their own."""
    with platform.records.read() as connection:
        require(connection, actor, "shares.list", synthesis_id)
        asked = (
            select(shares, users.c.email, users.c.name, syntheses.c.owner_id)
            .join(users, users.c.id == shares.c.user_id)
            .join(syntheses, syntheses.c.id == shares.c.synthesis_id)
            .where(shares.c.synthesis_id == synthesis_id)
            .order_by(shares.c.created_at, shares.c.user_id)
        )
        rows = connection.execute(asked).all()
        return tuple(
            ShareView(
                user_id=row.user_id,
                email=row.email,
                name=row.name,
                level=row.level,
                created_at=row.created_at,
            )
            for row in rows
            if actor.user_id in {row.owner_id, row.user_id} or actor.via == "system"
        )


def set_share(platform: Platform, actor: Actor, synthesis_id: str, wanted: NewShare) -> ShareView:
    """Share a synthesis with somebody, or change what they may do; without *edit*, their sources leave it.

    Raises:
        AccessError: As ``permissions.require``.
        UserError: ``shares.unknown_user``, ``shares.owner``.
    """
    with platform.records.write() as connection:
        hold(connection, syntheses.c.id, synthesis_id)
        require(connection, actor, "shares.set", synthesis_id)
        person = connection.execute(
            select(users.c.id, users.c.email, users.c.name).where(
                users.c.email == wanted.email, users.c.status == "active"
            )
        ).one_or_none()
        if person is None:
            raise UserError(
                "shares.unknown_user",
                "There is no active account with this e-mail address.",
                where="email",
                remedy="Correct the address, or ask an administrator to make the account.",
            )
        owner = select(syntheses.c.owner_id).where(syntheses.c.id == synthesis_id)
        if connection.execute(owner).scalar_one() == person.id:
            raise UserError(
                "shares.owner", "This is the owner.", where="email", remedy="Share it with somebody else."
            )
        theirs = (shares.c.synthesis_id == synthesis_id) & (shares.c.user_id == person.id)
        share = {"synthesis_id": synthesis_id, "user_id": person.id, "level": wanted.level}
        upsert(connection, shares, [{**share, "created_at": now()}], change=["level"])
        if wanted.level != "edit":
            _take_sources_back(connection, synthesis_id, person.id)
        row = connection.execute(select(shares).where(theirs)).one()
        audit.record(
            connection,
            actor,
            "shares.set",
            synthesis_id,
            details={"user": person.id, "level": wanted.level},
        )
        return ShareView(
            user_id=person.id,
            email=person.email,
            name=person.name,
            level=row.level,
            created_at=row.created_at,
        )


def remove_share(platform: Platform, actor: Actor, synthesis_id: str, user_id: str) -> None:
    """End a share; executions its holder started go on, and belong to the synthesis; their sources leave it.

    Raises:
        AccessError: As ``permissions.require``, ``access.not_found`` also where there is no such share.
    """
    with platform.records.write() as connection:
        hold(connection, syntheses.c.id, synthesis_id)
        require(connection, actor, "shares.remove", synthesis_id)
        theirs = (shares.c.synthesis_id == synthesis_id) & (shares.c.user_id == user_id)
        if not connection.execute(delete(shares).where(theirs)).rowcount:
            raise not_found("share")
        _take_sources_back(connection, synthesis_id, user_id)
        audit.record(connection, actor, "shares.remove", synthesis_id, details={"user": user_id})


def _take_sources_back(connection: Connection, synthesis_id: str, user_id: str) -> None:
    """Take the sources of somebody out of a synthesis they may not edit, as if they were deleted.

    Who cannot see any more what is made of their data has not given it for good. An execution that is not
    finished goes on: it was started while it might.
    """
    theirs = select(sources.c.id).where(sources.c.owner_id == user_id)
    ended = (executions.c.synthesis_id == synthesis_id) & executions.c.status.in_(FINAL)
    for table, mine in ((syntheses, syntheses.c.id == synthesis_id), (executions, ended)):
        connection.execute(update(table).where(mine, table.c.source_id.in_(theirs)).values(source_id=None))
