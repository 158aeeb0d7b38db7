"""The table of statuses is what the database knows and what the functions do."""

from __future__ import annotations

from typing import get_args

import pytest

from kinsynth.executions.state import ALLOWED, FINAL, Status, check_transition, sources_of
from kinsynth.storage.tables import executions

STATUSES = get_args(Status)


def test_the_table_names_every_status_and_the_database_no_other() -> None:
    assert set(ALLOWED) == set(STATUSES)
    known = next(str(one.sqltext) for one in executions.constraints if str(one.name).endswith("status"))  # type: ignore[attr-defined]
    assert {word.strip("'") for word in known.partition("(")[2].rstrip(")").split(", ")} == set(STATUSES)


def test_final_ones_are_final_and_every_other_one_comes_to_an_end() -> None:
    assert {"succeeded", "failed", "cancelled"} == FINAL
    for status in set(STATUSES) - FINAL:
        reached, todo = set[str](), [status]
        while todo:
            todo += [
                after for after in ALLOWED[todo.pop()] if after not in reached and not reached.add(after)
            ]  # type: ignore[func-returns-value]
        assert reached & FINAL, status


def test_cancelling_ends_in_cancelled_only() -> None:
    assert list(ALLOWED["cancelling"]) == ["cancelled"]


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_what_is_not_in_the_table_is_refused(before: Status, after: Status) -> None:
    if after in ALLOWED[before]:
        check_transition(before, after)
        assert before in sources_of(after)
    else:
        with pytest.raises(ValueError, match="never goes"):
            check_transition(before, after)
