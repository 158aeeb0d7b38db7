"""What the worker process looks after beside its executions."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from durability.installed_runs import Installation, installation
from installation import Submitted
from kinsynth.errors import TransientError
from kinsynth.service.performing import worker
from kinsynth.service.performing.worker import Janitor
from kinsynth.service.quotas import grant, read_quotas
from kinsynth.service.usage import SLICE_S
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions
from shop_database import write_shops


@pytest.fixture
def found(records: Records, tmp_path: Path) -> Iterator[Installation]:
    write_shops(tmp_path / "source")
    with installation(records, tmp_path / "here", tmp_path / "source") as installed:
        yield installed


def limit(found: Installation, seconds: float | None) -> None:
    with found.platform.records.write() as connection:
        grant(connection, found.actor.user_id, "seconds", limit=seconds, period="month")


def reserved(found: Installation) -> float:
    with found.platform.records.read() as connection:
        return next(
            one for one in read_quotas(connection, found.actor.user_id) if one.resource == "seconds"
        ).reserved


def test_paused_executions_go_on_one_by_one_as_there_is_time_again(found: Installation) -> None:
    engine = Submitted()
    janitor = Janitor(replace(found.platform, engine=engine))  # type: ignore[arg-type]
    limit(found, 0)
    paused = [found.add_execution(status="paused", error={"code": "quota.seconds"}) for _ in range(3)]
    janitor.look()
    assert {found.row(execution_id).status for execution_id in paused} == {"paused"}
    limit(found, 2 * SLICE_S)
    janitor.look()
    rows = [found.row(execution_id) for execution_id in paused]
    assert [row.status for row in rows] == ["queued", "queued", "paused"]
    assert engine.deliveries == [(execution_id, 2) for execution_id in paused[:2]]
    assert reserved(found) == 2 * SLICE_S == sum(row.reserved_seconds for row in rows)
    assert found.kinds(paused[0]) == [("execution_resumed", "")]
    assert found.kinds(paused[2]) == []


def test_the_janitor_goes_on_after_a_fault(found: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []

    def look(_self: Janitor) -> None:
        looks.append(1)
        if len(looks) == 1:
            raise TransientError("records.unavailable", "away")
        if len(looks) == 2:
            raise KeyError("a cell of the source")

    monkeypatch.setattr(Janitor, "look", look)
    monkeypatch.setattr("kinsynth.service.performing.worker._LOOK_S", 0.01)
    stop = threading.Event()
    thread = threading.Thread(target=Janitor(found.platform).run, args=(stop,))
    thread.start()
    until = time.monotonic() + 10
    while len(looks) < 4 and time.monotonic() < until:
        time.sleep(0.01)
    stop.set()
    thread.join(10)
    assert len(looks) >= 4
    assert not thread.is_alive()


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
def test_an_execution_without_compute_time_pauses_and_ends_when_there_is_some_again(
    found: Installation,
) -> None:
    """Time is used up by hand while it trains: nothing that small uses up a slice."""
    execution_id = found.add_execution()
    limit(found, 1.0)
    found.start_worker()
    found.wait_for(execution_id, "paused", seconds=60)
    row = found.row(execution_id)
    assert row.error["code"] == "quota.seconds"
    with found.platform.records.read() as connection:
        used = next(one for one in read_quotas(connection, found.actor.user_id) if one.resource == "seconds")
        assert connection.execute(select(executions.c.reserved_seconds)).scalar_one() == 0
    assert 0 < used.used == pytest.approx(row.used_seconds)
    limit(found, None)
    found.wait_for(execution_id, "succeeded", "failed")
    assert found.row(execution_id).status == "succeeded"
    assert found.row(execution_id).losses == 0


def test_a_worker_that_cannot_start_says_so_in_a_line_of_the_log(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KINSYNTH_DATA", str(tmp_path))
    monkeypatch.setenv("KINSYNTH_DATABASE", "nothing://somebody:secret@host/name")
    monkeypatch.setattr(sys, "argv", ["worker", str(os.getppid())])
    monkeypatch.setattr(worker, "set_up_logs", lambda *_: None)
    monkeypatch.setattr(worker, "die_with_parent", lambda _: None)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    with capture_logs() as lines, pytest.raises(SystemExit) as ended:
        worker.main()
    assert ended.value.code == 1
    assert [(line["event"], line["code"]) for line in lines] == [("worker_not_started", "records.url")]
    assert "secret" not in str(lines) + "".join(capsys.readouterr())
