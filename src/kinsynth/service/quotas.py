"""Quotas: compute time and rows of a person in a period, reserved before use and settled after it.

A row of ``quotas`` holds what the person has used in the current window and what running executions hold
in reserve. Both change only by single conditional updates.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Connection, case, insert, or_, select, update

from kinsynth.errors import AccessError, UserError
from kinsynth.settings.deployment import Deployment
from kinsynth.storage.clock import now
from kinsynth.storage.tables import quotas

Resource = Literal["seconds", "rows"]
Period = Literal["day", "week", "month", "year"]
RESOURCES: tuple[Resource, ...] = ("seconds", "rows")
_WORDS: dict[Resource, str] = {"seconds": "seconds of compute time", "rows": "rows"}


class QuotaView(BaseModel):
    """What a person may use in a period."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    resource: Resource
    limit: float | None = Field(
        description="Seconds of compute time, or rows of root tables; null for no limit."
    )
    period: Period
    used: float = Field(description="Used in this period.")
    reserved: float = Field(description="Held by executions that are not finished.")
    left: float | None = Field(description="What a new execution may take; null for no limit.")
    renewed_at: float = Field(description="When the next period begins, seconds since 1970.")


def period_end(period: Period, at: float) -> float:
    """Give when the calendar period (UTC; weeks begin on Monday) that holds a time ends.

    >>> datetime.fromtimestamp(period_end("month", 1_700_000_000.0), UTC).isoformat()
    '2023-12-01T00:00:00+00:00'
    """
    today = datetime.fromtimestamp(at, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    match period:
        case "day":
            end = today + timedelta(days=1)
        case "week":
            end = today + timedelta(days=7 - today.weekday())
        case "month":
            end = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
        case "year":
            end = today.replace(year=today.year + 1, month=1, day=1)
    return end.timestamp()


def grant(
    connection: Connection, user_id: str, resource: Resource, *, limit: float | None, period: Period
) -> None:
    """Set what a person may use; what is used and reserved stays, unless the period is another.

    Raises:
        UserError: ``quota.limit``, the limit is below zero or no number.
    """
    if limit is not None and not (math.isfinite(limit) and limit >= 0):
        raise UserError(
            "quota.limit",
            f"limit={limit}; expected a number from 0, or nothing for no limit.",
            where=f"quotas.{resource}.limit",
            remedy="Give another limit.",
        )
    at = connection.execute(select(now())).scalar_one()
    end = period_end(period, at)
    same = quotas.c.period == period
    changed = connection.execute(
        update(quotas)
        .where(quotas.c.user_id == user_id, quotas.c.resource == resource)
        .values(
            limit=limit,
            period=period,
            used=case((same, _used()), else_=0.0),
            window_ends_at=case(
                (same & (quotas.c.window_ends_at > now()), quotas.c.window_ends_at), else_=end
            ),
        )
    )
    if not changed.rowcount:
        connection.execute(
            insert(quotas).values(
                user_id=user_id,
                resource=resource,
                limit=limit,
                period=period,
                window_ends_at=end,
                used=0.0,
                reserved=0.0,
            )
        )


def grant_defaults(connection: Connection, user_id: str, deployment: Deployment) -> None:
    """Give a new person the quota of the installation."""
    limits: dict[Resource, float | None] = {
        "seconds": deployment.quota_seconds,
        "rows": deployment.quota_rows,
    }
    for resource, limit in limits.items():
        grant(connection, user_id, resource, limit=limit, period=deployment.quota_period)


def reserve(connection: Connection, user_id: str, *, seconds: float, rows: int) -> None:
    """Hold back what an execution will need; all or nothing, in the caller's transaction.

    Raises:
        AccessError: ``quota.seconds`` or ``quota.rows``, less is left.

    Guarantees:
        Used and reserved together never exceed the limit, however many reserve at once.
    """
    for resource, amount in (("rows", float(rows)), ("seconds", seconds)):
        if not try_reserve(connection, user_id, resource, amount):  # type: ignore[arg-type]
            raise _refusal(connection, user_id, resource, amount)  # type: ignore[arg-type]


def try_reserve(connection: Connection, user_id: str, resource: Resource, amount: float) -> bool:
    """Hold back some of a quota; tell whether there was enough."""
    if amount < 0 or not math.isfinite(amount):
        raise ValueError("an amount is a number from 0")
    fits = or_(quotas.c.limit.is_(None), _used() + quotas.c.reserved + amount <= quotas.c.limit)
    return _change(connection, user_id, resource, fits, reserved=quotas.c.reserved + amount)


def settle(connection: Connection, user_id: str, resource: Resource, *, reserved: float, used: float) -> None:
    """Give back a reservation and count what was used of it.

    Args:
        connection: The transaction in which the execution ends or pauses.
        user_id: Whose quota it is.
        resource: Which one.
        reserved: What was held back.
        used: What was used; more than was held back is counted as well.
    """
    held = case((quotas.c.reserved > reserved, quotas.c.reserved - reserved), else_=0.0)
    _change(connection, user_id, resource, None, reserved=held, used=_used() + used)


def read_quotas(connection: Connection, user_id: str) -> tuple[QuotaView, ...]:
    """Give both quotas of a person as they stand now."""
    at = connection.execute(select(now())).scalar_one()
    rows = connection.execute(
        select(quotas, _used().label("used_now"))
        .where(quotas.c.user_id == user_id)
        .order_by(quotas.c.resource.desc())
    ).mappings()
    return tuple(
        QuotaView(
            resource=row["resource"],
            limit=row["limit"],
            period=row["period"],
            used=row["used_now"],
            reserved=row["reserved"],
            left=None if row["limit"] is None else max(0.0, row["limit"] - row["used_now"] - row["reserved"]),
            renewed_at=row["window_ends_at"] if row["window_ends_at"] > at else period_end(row["period"], at),
        )
        for row in rows
    )


def read_quota(connection: Connection, user_id: str, resource: Resource) -> QuotaView:
    """Give one quota of a person as it stands now."""
    return next(one for one in read_quotas(connection, user_id) if one.resource == resource)


def _used() -> ColumnElement[float]:
    """Give what is used in the window that is open now: nothing once the stored one has ended."""
    return case((quotas.c.window_ends_at <= now(), 0.0), else_=quotas.c.used)


def _change(
    connection: Connection,
    user_id: str,
    resource: Resource,
    condition: ColumnElement[bool] | None,
    **values: object,
) -> bool:
    """Change one quota in one statement, opening a new window where the old one has ended."""
    mine = (quotas.c.user_id == user_id) & (quotas.c.resource == resource)
    period = connection.execute(select(quotas.c.period, now()).where(mine)).one_or_none()
    if period is None:
        raise ValueError("every person has both quotas")
    ended = quotas.c.window_ends_at <= now()
    end = period_end(period[0], period[1])
    statement = update(quotas).where(mine)
    if condition is not None:
        statement = statement.where(condition)
    changed = connection.execute(
        statement.values(
            **{"used": _used(), **values, "window_ends_at": case((ended, end), else_=quotas.c.window_ends_at)}
        )
    )
    return bool(changed.rowcount)


def _refusal(connection: Connection, user_id: str, resource: Resource, amount: float) -> AccessError:
    view = read_quota(connection, user_id, resource)
    when = datetime.fromtimestamp(view.renewed_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    needed, left, limit = (f"{math.ceil(n):,}" for n in (amount, math.floor(view.left or 0), view.limit or 0))
    message = (
        f"{needed} {_WORDS[resource]} are needed and {left} are left of {limit} in this {view.period} "
        f"({math.ceil(view.reserved):,} are reserved by executions that are not finished)."
    )
    if resource == "seconds":
        return AccessError(
            "quota.seconds",
            message,
            where="quotas.seconds",
            remedy=f"Choose a smaller model or fewer rows, or wait until {when}.",
        )
    return AccessError(
        "quota.rows", message, where="quotas.rows", remedy=f"Generate fewer rows, or wait until {when}."
    )
