"""Quotas: never above the limit, renewed by the calendar, on both databases."""

from __future__ import annotations

import random
import threading
from datetime import datetime
from itertools import pairwise

import pytest
from sqlalchemy import literal, select, update

from executions_at_hand import add_person
from kinsynth.errors import AccessError, TransientError, UserError
from kinsynth.service.quotas import (
    Period,
    grant,
    period_end,
    read_quota,
    read_quotas,
    reserve,
    settle,
    try_reserve,
)
from kinsynth.storage.records import Records
from kinsynth.storage.tables import quotas


@pytest.fixture
def person(records: Records) -> str:
    with records.write() as connection:
        add_person(connection, "usr_a")
    return "usr_a"


def allow(records: Records, person: str, *, seconds: float | None = None, rows: float | None = None) -> None:
    with records.write() as connection:
        grant(connection, person, "seconds", limit=seconds, period="day")
        grant(connection, person, "rows", limit=rows, period="month")


def state(records: Records, person: str, resource: str) -> tuple[float, float]:
    with records.read() as connection:
        view = next(one for one in read_quotas(connection, person) if one.resource == resource)
    return view.used, view.reserved


def test_a_reservation_is_settled_by_what_was_used(records: Records, person: str) -> None:
    allow(records, person, seconds=100, rows=1000)
    with records.write() as connection:
        reserve(connection, person, seconds=60, rows=400)
    assert state(records, person, "seconds") == (0, 60)
    with records.write() as connection:
        settle(connection, person, "seconds", reserved=60, used=35)
        settle(connection, person, "rows", reserved=400, used=400)
    assert state(records, person, "seconds") == (35, 0)
    assert state(records, person, "rows") == (400, 0)


def test_too_much_is_refused_with_the_numbers_and_nothing_is_held(records: Records, person: str) -> None:
    allow(records, person, seconds=100, rows=1000)

    def ask() -> None:
        with records.write() as connection:
            reserve(connection, person, seconds=100.5, rows=900)

    with pytest.raises(AccessError) as caught:
        ask()
    assert caught.value.code == "quota.seconds"
    assert "101 seconds of compute time are needed and 100 are left of 100" in caught.value.message
    assert state(records, person, "rows") == (0, 0)


def test_nothing_limits_a_person_without_a_limit(records: Records, person: str) -> None:
    allow(records, person)
    with records.write() as connection:
        reserve(connection, person, seconds=1e9, rows=10**15)
    assert state(records, person, "rows") == (0, 10**15)


def test_a_new_window_begins_with_nothing_used_and_keeps_reservations(records: Records, person: str) -> None:
    allow(records, person, seconds=100, rows=10)
    with records.write() as connection:
        reserve(connection, person, seconds=30, rows=0)
        settle(connection, person, "seconds", reserved=0, used=70)
        assert not try_reserve(connection, person, "seconds", 1)
        connection.execute(update(quotas).values(window_ends_at=1.0))
    with records.read() as connection:
        view = read_quotas(connection, person)[0]
        assert (view.used, view.reserved, view.left) == (0, 30, 70)
    with records.write() as connection:
        assert try_reserve(connection, person, "seconds", 70)
        assert not try_reserve(connection, person, "seconds", 0.01)
        ends = select(quotas.c.window_ends_at).where(quotas.c.resource == "seconds")
        assert connection.execute(ends).scalar_one() > 1e9


BOUNDARIES = {
    "day": ["2024-02-29", "2024-03-01", "2024-03-02"],
    "week": ["2024-12-30", "2025-01-06", "2025-01-13", "2025-01-20"],
    "month": [f"2024-{month:02}-01" for month in range(2, 13)] + ["2025-01-01", "2025-02-01"],
    "year": [f"{year}-01-01" for year in range(2024, 2030)],
}


@pytest.mark.parametrize("period", BOUNDARIES)
def test_every_window_is_renewed_at_its_boundary_and_not_before(
    records: Records, person: str, period: Period, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One boundary after the other, then several at once; what is reserved goes along and counts later."""
    ends = [datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp() for day in BOUNDARIES[period]]
    at = ends[0] - 1.0
    monkeypatch.setattr("kinsynth.service.quotas.now", lambda: literal(at))

    def take(amount: float) -> bool:
        with records.write() as connection:
            return try_reserve(connection, person, "seconds", amount)

    def view() -> tuple[float, float, float]:
        with records.read() as connection:
            found = read_quota(connection, person, "seconds")
        return found.used, found.reserved, found.renewed_at

    with records.write() as connection:
        grant(connection, person, "seconds", limit=10, period=period)
    carried = 0.0
    for end, following in pairwise([*ends, period_end(period, ends[-1])]):
        at = end - 1.0
        assert view() == (carried, 0, end)
        assert take(10 - carried)
        assert not take(1)
        with records.write() as connection:
            settle(connection, person, "seconds", reserved=10 - carried, used=4 - carried)
        assert take(3)
        assert not take(4)
        at = end
        assert view() == (0, 3, following)
        assert take(7)
        assert not take(1)
        with records.write() as connection:
            settle(connection, person, "seconds", reserved=10, used=2)
        assert view() == (2, 0, following)
        carried = 2.0
    at = period_end(period, period_end(period, following))
    assert view() == (0, 0, period_end(period, at))
    assert take(10)
    assert view() == (0, 10, period_end(period, at))


@pytest.mark.parametrize(
    ("period", "end"),
    [
        ("day", 1_709_251_200.0),
        ("week", 1_709_510_400.0),
        ("month", 1_709_251_200.0),
        ("year", 1_735_689_600.0),
    ],
)
def test_periods_end_with_the_calendar(period: str, end: float) -> None:
    assert period_end(period, 1_709_208_000.0) == end  # noon of 29 February 2024, a Thursday
    assert period_end(period, end) > end


@pytest.mark.parametrize("limit", [-1.0, float("nan"), float("inf")])
def test_a_limit_is_a_number_from_zero(records: Records, person: str, limit: float) -> None:
    with pytest.raises(UserError) as caught:
        allow(records, person, seconds=limit)
    assert caught.value.code == "quota.limit"


def race(records: Records, person: str, limit: int, contenders: int) -> int:
    """Let many threads reserve one row each at once; gives how many could."""
    allow(records, person, seconds=None, rows=limit)
    won: list[int] = []
    together = threading.Barrier(contenders)

    def work() -> None:
        together.wait()
        try:
            with records.write() as connection:
                reserve(connection, person, seconds=1, rows=1)
        except AccessError:
            return
        except TransientError:
            pytest.fail("the database was too busy")
        won.append(1)

    threads = [threading.Thread(target=work) for _ in range(contenders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(won)


def many_rounds(records: Records, person: str, rounds: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(rounds):
        limit = chance.randrange(0, 60)
        assert race(records, person, limit, 50) == min(limit, 50)
        with records.write() as connection:
            settle(connection, person, "rows", reserved=min(limit, 50), used=0)
        assert state(records, person, "rows") == (0, 0)


def test_fifty_at_once_never_pass_the_limit_nor_stay_below_it(records: Records, person: str) -> None:
    many_rounds(records, person, rounds=6, seed=1)


@pytest.mark.soak
def test_fifty_at_once_never_pass_the_limit_in_two_hundred_rounds(records: Records, person: str) -> None:
    many_rounds(records, person, rounds=200, seed=2)
