"""Throttle: how often something is tried. Counted in the database, so a restart forgives nothing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from sqlalchemy import Connection, case, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from kinsynth.errors import AccessError
from kinsynth.service.people.proofs import digest
from kinsynth.storage.clock import now
from kinsynth.storage.tables import throttles

THROTTLED = {"code": "access.throttled"}  # what the audit log says of a refusal


class ThrottledError(AccessError):
    """Too many attempts; a later one may be served after ``retry_after_s`` whole seconds."""

    retry_after_s: int = 1


def throttled(wait_s: float) -> ThrottledError:
    """Make the error for an attempt that came too early."""
    seconds = max(1, math.ceil(wait_s))
    error = ThrottledError(
        "access.throttled",
        f"Too many attempts. The next is possible in {seconds} seconds.",
        remedy="Wait, or ask an administrator for a new password.",
    )
    error.retry_after_s = seconds
    return error


@dataclass(frozen=True)
class Budget:
    """Attempts of one kind on one thing.

    Attributes:
        key: What is counted; of people and addresses only a hash.
        most: Attempts in a window. A window begins with its first attempt, so any stretch of its length
            touches at most two and sees at most twice as many.
        window_s: Length of the window.
    """

    key: str
    most: int
    window_s: float


def make_budget(purpose: str, subject: str, most: int, window_s: float) -> Budget:
    """Make a budget for a person or an address."""
    return Budget(f"{purpose}:{digest(subject)}", most, window_s)


def spend(connection: Connection, budget: Budget) -> float:
    """Count an attempt.

    Returns:
        0 where it may be made, else the seconds until the next one may; then nothing was counted.
    """
    _begin(connection, budget)
    over = throttles.c.window_ends_at <= now()
    changed = connection.execute(
        update(throttles)
        .where(throttles.c.key == budget.key, over | (throttles.c.count < budget.most))
        .values(
            count=case((over, 1), else_=throttles.c.count + 1),
            window_ends_at=case((over, now() + budget.window_s), else_=throttles.c.window_ends_at),
        )
    )
    if changed.rowcount == 1:
        return 0.0
    left = select(throttles.c.window_ends_at - now()).where(throttles.c.key == budget.key)
    return max(1.0, float(connection.execute(left).scalar_one()))


def refund(connection: Connection, budget: Budget) -> None:
    """Take an attempt back that turned out to be no guess."""
    connection.execute(
        update(throttles)
        .where(throttles.c.key == budget.key, throttles.c.count > 0)
        .values(count=throttles.c.count - 1)
    )


def remember(connection: Connection, budget: Budget) -> None:
    """Keep a fact until the end of its window."""
    _begin(connection, budget)
    connection.execute(
        update(throttles)
        .where(throttles.c.key == budget.key)
        .values(count=1, window_ends_at=now() + budget.window_s)
    )


def is_remembered(connection: Connection, budget: Budget) -> bool:
    """Tell whether a fact is still kept."""
    kept = select(throttles.c.key).where(
        throttles.c.key == budget.key, throttles.c.count > 0, throttles.c.window_ends_at > now()
    )
    return connection.execute(kept).one_or_none() is not None


def forget_past(connection: Connection) -> None:
    """Remove counters whose window is over."""
    connection.execute(delete(throttles).where(throttles.c.window_ends_at <= now()))


def _begin(connection: Connection, budget: Budget) -> None:
    """Make the counter where there is none yet; another process may be faster."""
    known = select(throttles.c.key).where(throttles.c.key == budget.key)
    if connection.execute(known).one_or_none() is not None:
        return
    try:
        with connection.begin_nested():
            connection.execute(
                insert(throttles).values(key=budget.key, count=0, window_ends_at=now() + budget.window_s)
            )
    except IntegrityError:
        return


# The budgets of signing in. Of one account at most 20 guesses in any hour reach the hash: twice 7 from
# anywhere, and twice 3 from addresses the person has signed in from, which strangers cannot use up.
_HOUR_S = 3600.0
_KNOWN_FOR_S = 30 * 86_400.0
_FROM_ANYWHERE, _FROM_KNOWN, _OF_ADDRESS = 7, 3, 100


@dataclass(frozen=True)
class Attempt:
    """A guess that was let through.

    Attributes:
        budgets: What it was counted on.
        known: The fact that the person has signed in from this address.
    """

    budgets: tuple[Budget, ...]
    known: Budget


@dataclass(frozen=True)
class Refusal:
    """Something that came too early.

    Attributes:
        wait_s: Seconds until it may be tried again.
        is_first: Whether it is the first in an hour that is refused for this reason. Only that one is told:
            a flood does not fill the audit log.
    """

    wait_s: float
    is_first: bool


def _refuse(connection: Connection, budget: Budget, wait_s: float) -> Refusal:
    told = Budget(f"told:{budget.key}", 1, _HOUR_S)
    return Refusal(wait_s, is_first=not spend(connection, told))


def begin_attempt(connection: Connection, email: str, address: str) -> Attempt | Refusal:
    """Count a guess at somebody's password, whether or not there is such an account.

    Args:
        connection: A transaction of its own: a guess is counted before the hash is looked at.
        email: The account guessed at.
        address: Where the guess came from.

    Returns:
        The guess, or why it is none.
    """
    known = make_budget("known", f"{email} {address}", 1, _KNOWN_FOR_S)
    waits = []
    if is_remembered(connection, known):
        own = _of_account(email, "known-account", _FROM_KNOWN)
        wait_s = spend(connection, own)
        if not wait_s:
            return Attempt((own,), known)
        waits.append(wait_s)
    shared = (
        make_budget("address", _network(address), _OF_ADDRESS, _HOUR_S),
        _of_account(email, "account", _FROM_ANYWHERE),
    )
    for number, budget in enumerate(shared):
        wait_s = spend(connection, budget)
        if wait_s:
            for spent in shared[:number]:
                refund(connection, spent)
            return _refuse(connection, budget, min([*waits, wait_s]))
    return Attempt(shared, known)


def begin_departure(connection: Connection, address: str) -> Refusal | None:
    """Count a departure to the provider of single sign-on; gives why it must not be made, if so."""
    forget_past(connection)
    budget = _of_departures(address)
    wait_s = spend(connection, budget)
    return _refuse(connection, budget, wait_s) if wait_s else None


def return_from_departure(connection: Connection, address: str) -> None:
    """Take a departure back from what was counted: somebody came back and was let in."""
    refund(connection, _of_departures(address))


def _of_departures(address: str) -> Budget:
    return make_budget("departure", _network(address), _OF_ADDRESS, _HOUR_S)


def succeed(connection: Connection, attempt: Attempt) -> None:
    """Take a right guess back from what was counted, and remember where it came from."""
    for budget in attempt.budgets:
        refund(connection, budget)
    remember(connection, attempt.known)
    forget_past(connection)


def forgive_account(connection: Connection, email: str) -> None:
    """Forget the wrong guesses at an account, after an administrator set a new password."""
    keys = [_of_account(email, purpose, 1).key for purpose in ("account", "known-account")]
    connection.execute(delete(throttles).where(throttles.c.key.in_(keys)))


def _of_account(email: str, purpose: str, most: int) -> Budget:
    return make_budget(purpose, email, most, _HOUR_S)


def _network(address: str) -> str:
    """Give what belongs to one customer of a provider: an IPv4 address, or 64 bits of an IPv6 address.

    >>> _network("2001:db8:1:2:3:4:5:6"), _network("192.0.2.7")
    ('2001:db8:1:2::', '192.0.2.7')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(IPv6Address(int(parsed) >> 64 << 64))
    return str(parsed)
