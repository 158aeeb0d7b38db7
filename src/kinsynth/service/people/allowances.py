"""Allowances: what people may use, read by themselves and set by administrators."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kinsynth.service import audit
from kinsynth.service.actor import Actor
from kinsynth.service.pages import View
from kinsynth.service.people.users import find_user
from kinsynth.service.permissions import require
from kinsynth.service.platform import Platform
from kinsynth.service.quotas import Period, QuotaView, Resource, grant, read_quotas


class QuotaChange(View):
    """A limit and the time after which it is renewed."""

    limit: Annotated[float, Field(ge=0, le=1e15, allow_inf_nan=False, strict=True)] | None
    period: Period


def read_mine(platform: Platform, actor: Actor) -> tuple[QuotaView, ...]:
    """Read one's own quotas."""
    with platform.records.read() as connection:
        require(connection, actor, "quotas.me")
        return read_quotas(connection, actor.user_id)


def read_theirs(platform: Platform, actor: Actor, user_id: str) -> tuple[QuotaView, ...]:
    """Read somebody's quotas.

    Raises:
        AccessError: As ``permissions.require``.
    """
    with platform.records.read() as connection:
        require(connection, actor, "quotas.read")
        find_user(connection, user_id)
        return read_quotas(connection, user_id)


def change(
    platform: Platform, actor: Actor, user_id: str, resource: Resource, wanted: QuotaChange
) -> tuple[QuotaView, ...]:
    """Set somebody's quota; what is used stays counted while the period is the same.

    Raises:
        AccessError: As ``permissions.require``.
    """
    with platform.records.write() as connection:
        require(connection, actor, "quotas.update")
        find_user(connection, user_id)
        grant(connection, user_id, resource, limit=wanted.limit, period=wanted.period)
        details = {"resource": resource, "limit": wanted.limit, "period": wanted.period}
        audit.record(connection, actor, "quotas.update", user_id, details=details)
        return read_quotas(connection, user_id)
