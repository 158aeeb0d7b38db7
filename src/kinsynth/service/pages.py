"""Pages of a listing: newest first, and a cursor that stays true while rows come and go."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, Connection, Row, Select, and_, or_

from kinsynth.errors import UserError

MOST = 200
USUAL = 50
T = TypeVar("T")


class View(BaseModel):
    """What leaves the service: frozen, and nothing but its own fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", from_attributes=True)


class Page(View, Generic[T]):
    """Some of the objects."""

    items: tuple[T, ...]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


@dataclass(frozen=True)
class Wanted:
    """Which page is wanted.

    Attributes:
        limit: Most objects on it, 1 to 200.
        cursor: ``next`` of the page before; None for the first.
    """

    limit: int = USUAL
    cursor: str | None = None


def read_page(
    connection: Connection, query: Select[Any], at: Column[float], key: Column[str], wanted: Wanted
) -> tuple[list[Row[Any]], str | None]:
    """Read one page of a query, newest first.

    Args:
        connection: A transaction.
        query: Rows with both columns among theirs.
        at: The column that orders.
        key: The column that decides between equals.
        wanted: Which page.

    Returns:
        The rows, and the cursor of the next page.

    Raises:
        UserError: ``request.cursor`` or ``request.limit``.
    """
    if not 1 <= wanted.limit <= MOST:
        raise UserError(
            "request.limit",
            f"limit={wanted.limit}; expected 1 to {MOST}.",
            where="limit",
            remedy="Ask for fewer.",
        )
    if wanted.cursor is not None:
        last_at, last_key = _read_cursor(wanted.cursor)
        query = query.where(or_(at < last_at, and_(at == last_at, key < last_key)))
    rows = list(connection.execute(query.order_by(at.desc(), key.desc()).limit(wanted.limit + 1)))
    if len(rows) <= wanted.limit:
        return rows, None
    last = rows[wanted.limit - 1]
    return rows[: wanted.limit], write_cursor(getattr(last, at.name), getattr(last, key.name))


def write_cursor(at: float, key: str) -> str:
    """Write where a page ended.

    >>> write_cursor(1.5, "src_a")
    'WzEuNSwic3JjX2EiXQ'
    """
    text = json.dumps([at, key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[float, str]:
    try:
        at, key = json.loads(
            base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        )
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise _bad_cursor() from None
    if isinstance(at, bool) or not isinstance(at, (int, float)) or not isinstance(key, str) or "\0" in key:
        raise _bad_cursor()
    try:
        return float(at), key
    except OverflowError:
        raise _bad_cursor() from None


def _bad_cursor() -> UserError:
    return UserError(
        "request.cursor", "The cursor is not one of ours.", where="cursor", remedy="Begin at the first page."
    )
