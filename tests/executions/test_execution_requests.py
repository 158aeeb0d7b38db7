"""Cancel and resume, from each status. On both databases."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Connection

from executions_at_hand import add_execution, read_row
from kinsynth.errors import ConflictError, UserError
from kinsynth.executions.claims import claim
from kinsynth.executions.journal import read_events
from kinsynth.executions.outcomes import finish, pause
from kinsynth.executions.requests import cancel, resume
from kinsynth.executions.state import FINAL, Status
from kinsynth.storage.records import Records

QUOTA = {"code": "quota.seconds", "message": "", "where": "", "remedy": "", "findings": []}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("queued", "cancelled"),
        ("paused", "cancelled"),
        ("running", "cancelling"),
        ("cancelling", "cancelling"),
        ("cancelled", "cancelled"),
    ],
)
def test_cancel(records: Records, before: Status, after: Status) -> None:
    execution_id, ended = add_execution(records, status=before, lease_expires_at=time.time() + 60), []

    def note(_connection: Connection, which: str, status: Status) -> None:
        ended.append((which, status))

    for _ in range(2):
        with records.write() as connection:
            assert cancel(connection, execution_id, on_final=note) == after
    row = read_row(records, execution_id)
    assert row.status == after
    assert ended == ([(execution_id, "cancelled")] if before in ("queued", "paused") else [])


@pytest.mark.parametrize("status", ["succeeded", "failed"])
def test_what_has_ended_is_not_cancelled(records: Records, status: Status) -> None:
    execution_id = add_execution(records, status=status)
    with pytest.raises(ConflictError) as refused, records.write() as connection:
        cancel(connection, execution_id)
    assert refused.value.code == "execution.final"
    assert read_row(records, execution_id).status == status


def test_a_paused_one_goes_on(records: Records) -> None:
    execution_id = add_execution(records)
    with records.write() as connection:
        held = claim(connection, execution_id, "wrk_a", 60)
        assert held is not None
        assert pause(connection, held, QUOTA) == "paused"
    row = read_row(records, execution_id)
    assert (row.status, row.error["code"], row.finished_at) == ("paused", "quota.seconds", None)
    with records.write() as connection:
        assert resume(connection, execution_id) == 2
        assert claim(connection, execution_id, "wrk_b", 60) is not None
    row = read_row(records, execution_id)
    assert (row.status, row.error, row.epoch) == ("running", None, 2)
    with records.read() as connection:
        found = [(one.number, one.body["kind"]) for one in read_events(connection, execution_id)]
    assert found == [(1, "execution_paused"), (2, "execution_resumed")]


@pytest.mark.parametrize("status", ["queued", "running", "cancelling", *sorted(FINAL)])
def test_only_a_paused_one_goes_on(records: Records, status: Status) -> None:
    execution_id = add_execution(records, status=status)
    with pytest.raises(ConflictError) as refused, records.write() as connection:
        resume(connection, execution_id)
    assert refused.value.code == "execution.not_paused"


def test_a_foreign_id_is_refused(records: Records) -> None:
    for ask in (cancel, resume):
        with pytest.raises(UserError) as refused, records.write() as connection:
            ask(connection, "exe_nowhere")
        assert refused.value.code == "execution.missing"


def test_a_failure_needs_an_error_and_a_cancellation_a_wish(records: Records) -> None:
    execution_id = add_execution(records)
    with records.write() as connection:
        held = claim(connection, execution_id, "wrk_a", 60)
    assert held is not None
    for status, error in (("failed", None), ("succeeded", QUOTA), ("cancelled", None)):
        with pytest.raises(ValueError, match=r"error|asked"), records.write() as connection:
            finish(connection, held, status, error=error)  # type: ignore[arg-type]
    assert read_row(records, execution_id).status == "running"
