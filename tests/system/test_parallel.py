"""Results in the order of the items, errors where they belong, little waiting."""

from __future__ import annotations

import threading
import time

import pytest

from kinsynth.system.parallel import ordered


def test_results_come_in_order_however_long_each_takes() -> None:
    def work(item: int) -> int:
        time.sleep(0.01 * (item % 3))
        return item * item

    assert list(ordered(work, range(30), workers=4)) == [item * item for item in range(30)]


def test_few_items_are_taken_ahead() -> None:
    taken = []

    def items() -> object:
        for item in range(100):
            taken.append(item)
            yield item

    results = ordered(lambda item: item, items(), workers=2)  # type: ignore[arg-type]
    next(results)
    assert len(taken) <= 3
    results.close()  # type: ignore[attr-defined]
    assert len(taken) <= 3


def test_an_error_comes_where_its_result_would() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    results = ordered(work, range(9), workers=3)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(ValueError, match="two"):
        next(results)


def test_every_thread_begins_once() -> None:
    begun = []
    list(
        ordered(
            lambda item: time.sleep(0.01),
            range(8),
            workers=2,
            begin=lambda: begun.append(threading.get_ident()),
        )
    )
    assert 1 <= len(begun) <= 2
    assert len(set(begun)) == len(begun)
