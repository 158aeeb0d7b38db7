"""Whatever process of an installation is killed, and when: its executions end as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
import pytest
from sqlalchemy import select

from durability.installed_runs import (
    LEASE_S,
    Fresh,
    Installation,
    check_left,
    check_no_leftovers,
    count,
    installation,
    kill,
)
from installation import Submitted, make_source
from kinsynth.errors import ConflictError
from kinsynth.executions.journal import add_event, read_events
from kinsynth.executions.requests import cancel
from kinsynth.pipeline.timeline import STEPS
from kinsynth.service import starts
from kinsynth.service.drawings import Given, Wishes
from kinsynth.service.starts import Order, retry_execution
from kinsynth.settings.conditions import Asked
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.tables import models, steps
from shop_database import write_shops

MEASURED = {"plan.json", "steps/building.json"}  # the memory that was free when it was planned
SWEEPS_S = 4.0  # that the lease is seen to have ended, and the execution is delivered again
TAKEN_UP_S, CANCELLED_S = 15.0, 10.0
# Passages that a quick look takes; all others are left to the soak suite.
CHOSEN = (
    ("sqlite", "keep.after_blobs:4"),
    ("sqlite", "training.validated:2"),
    ("postgresql", "record.before_commit:9"),
    ("postgresql", "keep.after_rows:7"),
)
BOUNDARIES = {
    *("worker.claimed", "attempt.filled", "child.begun", "child.told", "child.answered", "worker.performed"),
    *("artefacts.announced", "store.before_rename", "store.after_rename", "artefacts.written"),
    *("keep.before_blobs", "keep.after_blobs", "record.before_commit", "keep.after_rows"),
    *("scratch.before_removal", "clear.detached", "artefacts.condemned", "artefacts.removed"),
    *("clear.collected", "clear.recorded"),
}


@dataclass(frozen=True)
class Baseline:
    """An execution that nobody disturbed: its source, its results, and all points that were passed."""

    source: Path
    results: dict[str, bytes]
    points: tuple[str, ...]
    seconds: dict[str, tuple[float, float]]


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> Baseline:
    place = tmp_path_factory.mktemp("undisturbed")
    write_shops(place / "source")
    records = Records(f"sqlite:///{place / 'records.sqlite'}")
    migrate(records)
    trace = place / "trace"
    with installation(records, place / "here", place / "source") as found:
        execution_id = found.add_execution()
        found.start_worker(KINSYNTH_CRASH_TRACE=str(trace))
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        check_left(found, execution_id)
        spans = _spans(found, execution_id)
        results = found.results(execution_id)
    records.close()
    return Baseline(place / "source", results, tuple(trace.read_text().splitlines()), spans)


def _spans(found: Installation, execution_id: str) -> dict[str, tuple[float, float]]:
    """Say how long each step took."""
    spans: dict[str, list[float]] = {}
    with found.platform.records.read() as connection:
        for event in read_events(connection, execution_id, limit=1000):
            if event.body["kind"] in ("step_started", "step_finished"):
                spans.setdefault(event.body["step"], []).append(event.body["at"])
    return {step: (times[0], times[-1]) for step, times in spans.items()}


class Watch:
    """Looks at an execution until it ends, and starts a new worker whenever the last one was killed."""

    def __init__(self, found: Installation, execution_id: str) -> None:
        self.found, self.execution_id = found, execution_id
        self.killed_at: float | None = None

    def until_ended(self, seconds: float = 120) -> None:
        """Wait for the end."""
        self.found.wait(self._is_ended, seconds, f"end of {self.execution_id}")

    def _is_ended(self) -> bool:
        if self.found.workers and self.found.workers[-1].poll() is not None:
            self.killed_at = time.time()
            self.found.start_worker()
        return self.found.row(self.execution_id).status in ("succeeded", "failed", "cancelled")

    def check_taken_up(self, killed_at: float) -> None:
        """Make sure that somebody went on soon after a kill.

        Where the machine is so busy that starting the processes takes long in itself, that is allowed for:
        twice what it took at the first start.
        """
        with self.found.platform.records.read() as connection:
            bodies = [event.body for event in read_events(connection, self.execution_id, limit=1000)]
        signs = ("execution_started", "execution_succeeded")
        after = [body["at"] for body in bodies if body["kind"] in signs and body["at"] > killed_at]
        cleared_at = self.found.row(self.execution_id).cleared_at
        first = next(body["at"] for body in bodies if body["kind"] == "execution_started")
        starting = 2 * (first - self.found.started_at)
        assert min([*after, cleared_at]) - killed_at < max(TAKEN_UP_S, LEASE_S + SWEEPS_S + starting)


def survive(records: Records, tmp_path: Path, baseline: Baseline, point: str) -> None:
    """Have a process killed at a point; what comes out is what comes out undisturbed."""
    once = tmp_path / "once"
    with installation(records, tmp_path / "here", baseline.source) as found:
        execution_id = found.add_execution()
        found.start_worker(KINSYNTH_CRASH_AT=point, KINSYNTH_CRASH_ONCE=str(once))
        watch = Watch(found, execution_id)
        watch.until_ended()
        found.wait(lambda: _is_cleared(found, execution_id), 20, "cleared")
        found.wait(once.exists, 3, f"passing {point}")
        watch.check_taken_up(once.stat().st_mtime)
        check_same(found, execution_id, baseline)


def _is_cleared(found: Installation, execution_id: str) -> bool:
    if found.workers[-1].poll() is not None:
        found.start_worker()
    return found.row(execution_id).cleared_at is not None


def check_same(found: Installation, execution_id: str, baseline: Baseline) -> None:
    check_left(found, execution_id)
    results = found.results(execution_id)
    assert sorted(results) == sorted(baseline.results)
    same = [path for path in results if path not in MEASURED]
    assert [path for path in same if results[path] != baseline.results[path]] == []


def names_of(points: tuple[str, ...]) -> list[str]:
    """Give the names of all points."""
    return sorted({point.rpartition(":")[0] for point in points})


def boundaries(baseline: Baseline) -> list[str]:
    """Give every point at its first passage, and those of keeping a step at each."""
    first = [f"{name}:1" for name in names_of(baseline.points)]
    return sorted({*first, *(point for point in baseline.points if point.startswith("keep."))})


def test_the_undisturbed_execution_passes_every_durable_boundary(baseline: Baseline) -> None:
    assert {point.rpartition(":")[0] for _, point in CHOSEN} <= {*names_of(baseline.points)}
    assert {*names_of(baseline.points)} >= BOUNDARIES


@pytest.mark.slow
@pytest.mark.parametrize(("records_url", "point"), CHOSEN, indirect=["records_url"])
def test_a_process_killed_at_a_point_changes_nothing(
    records: Records, tmp_path: Path, baseline: Baseline, point: str
) -> None:
    survive(records, tmp_path, baseline, point)


@pytest.mark.soak
def test_a_process_killed_at_any_point_changes_nothing(fresh: Fresh, baseline: Baseline) -> None:
    """Every point once, and the keeping of every step at each of its points."""
    for number, point in enumerate(boundaries(baseline)):
        with fresh(number) as (own, folder):
            survive(own, folder, baseline, point)


@pytest.mark.soak
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
def test_a_drawing_that_is_killed_changes_nothing(
    records: Records, tmp_path: Path, baseline: Baseline
) -> None:
    """Known rows completed by a stored model: child or worker is killed where a step was just kept."""
    with installation(records, tmp_path / "here", baseline.source) as found:
        trained = found.add_execution()
        found.start_worker()
        found.wait_for(trained, "succeeded", "failed")
        with records.read() as connection:
            model_id = connection.execute(select(models.c.id)).scalar_one()
        (tmp_path / "known").mkdir()
        (tmp_path / "known" / "shop.csv").write_text("size,region_id\nlarge,\n,2\n" + "small,3\n" * 38)
        given = Given(make_source(found.platform, found.actor, tmp_path / "known"))
        wishes = Wishes(Asked(shares=(("sale.kind", "a", 0.75),)), given)
        platform = replace(found.platform, engine=Submitted())  # type: ignore[arg-type]
        drawn: dict[str, dict[str, bytes]] = {}
        for point in ("", "child.answered:1", "keep.after_rows:1", "keep.after_blobs:2"):
            kill(found.workers[-1])
            once = tmp_path / f"once{len(drawn)}"
            made, _ = starts.start_drawing(
                platform, found.actor, found.synthesis_id, model_id, Order(seed=3), wishes=wishes
            )
            execution_id = made.id
            found.start_worker(
                **({"KINSYNTH_CRASH_AT": point, "KINSYNTH_CRASH_ONCE": str(once)} if point else {})
            )
            Watch(found, execution_id).until_ended()
            assert found.row(execution_id).status == "succeeded", found.row(execution_id).error
            assert once.exists() == bool(point)
            assert [kind for kind, _ in found.kinds(execution_id)].count("step_finished") == 2
            drawn[point] = found.results(execution_id)
        first = drawn.pop("")
        assert any(path.startswith("tables/") for path in first)
        for point, results in drawn.items():
            assert {path: results[path] for path in results if not path.startswith("work/")} == {
                path: first[path] for path in first if not path.startswith("work/")
            }, point


@pytest.mark.slow
@pytest.mark.parametrize(
    ("records_url", "point"),
    [
        pytest.param("sqlite", "keep.after_blobs:1", marks=pytest.mark.soak),
        ("postgresql", "keep.after_rows:1"),
    ],
    indirect=["records_url"],
)
def test_an_execution_again_from_training_that_is_killed_goes_on_from_what_it_took_over(
    records: Records, tmp_path: Path, baseline: Baseline, point: str
) -> None:
    """Killed where its first own step was just kept: the steps taken over are done neither then nor after."""
    once = tmp_path / "once"
    with installation(records, tmp_path / "here", baseline.source, keep_raw_days=1) as found:
        first = found.add_execution()
        with records.write() as connection:
            add_event(connection, first, {"kind": "execution_queued", "seconds": 30.0, "rows": 150})
        found.start_worker()
        found.wait_for(first, "succeeded", "failed")
        kill(found.workers[-1])
        made, _ = retry_execution(found.platform, found.actor, first, first_step="training")
        found.start_worker(KINSYNTH_CRASH_AT=point, KINSYNTH_CRASH_ONCE=str(once))
        Watch(found, made.id).until_ended()
        assert once.exists()
        assert found.row(made.id).status == "succeeded", found.row(made.id).error
        with records.read() as connection:
            mine = select(steps.c.step).where(steps.c.execution_id == made.id, steps.c.epoch > 0)
            done = connection.execute(mine.order_by(steps.c.started_at)).scalars().all()
        assert done == [*STEPS[3:]]
        finished = [step for kind, step in found.kinds(made.id) if kind == "step_finished"]
        assert finished == [*STEPS]
        expected, results = found.results(first), found.results(made.id)
        assert {path for path in expected if path not in results} == set()
        assert [path for path in results if path not in MEASURED and results[path] != expected[path]] == []


def wait_for_step(found: Installation, execution_id: str, step: str) -> None:
    """Wait until a step has begun."""
    found.wait(
        lambda: (
            ("step_started", step) in found.kinds(execution_id)
            or found.row(execution_id).status not in ("queued", "running")
        ),
        60,
        f"{step} of {execution_id}",
    )


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    """Give the processes that a process has started."""
    return [child.pid for child in psutil.Process(process.pid).children()]


def processes_of(server: subprocess.Popen[bytes]) -> dict[str, list[int]]:
    """Give a server, its worker, both of them, and the training child."""
    beside = psutil.Process(server.pid).children()
    workers = [one for one in beside if "kinsynth.service.performing.worker" in one.cmdline()]
    children = [child.pid for worker in workers for child in worker.children()]
    pids = [worker.pid for worker in workers]
    return {"server": [server.pid], "worker": pids, "both": [server.pid, *pids], "child": children}


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
def test_processes_killed_at_random_times_of_a_step_change_nothing(
    records_url: str, fresh: Fresh, baseline: Baseline, step: str
) -> None:
    """Five kills in each: the server, its worker, both at once, the training child, and one by chance."""
    chance = random.Random(f"{step} {records_url[:6]}")
    began, ended = baseline.seconds[step]
    victims = ["server", "worker", "both", "child"]
    for number, victim in enumerate([*victims, chance.choice(victims)]):
        with (
            fresh(number) as (own, folder),
            installation(own, folder / "here", baseline.source) as found,
        ):
            execution_id = found.add_execution()
            server = found.start_server()
            wait_for_step(found, execution_id, step)
            time.sleep(chance.uniform(0, ended - began))
            killed_at = time.time()
            for pid in processes_of(server)[victim]:
                os.kill(pid, signal.SIGKILL)
            watch = Watch(found, execution_id)
            watch.until_ended()
            found.wait(lambda: _is_cleared(found, execution_id), 20, "cleared")  # noqa: B023
            watch.check_taken_up(killed_at)
            check_same(found, execution_id, baseline)


@pytest.mark.slow
def test_a_worker_that_was_stopped_past_its_lease_changes_nothing_when_it_wakes(
    records: Records, tmp_path: Path, baseline: Baseline
) -> None:
    with installation(records, tmp_path / "here", baseline.source) as found:
        execution_id = found.add_execution()
        sleeper = found.start_worker()
        wait_for_step(found, execution_id, "preprocessing")
        sleeper.send_signal(signal.SIGSTOP)
        epoch = found.row(execution_id).epoch
        found.wait_started(found.start_worker())
        found.wait(lambda: found.row(execution_id).epoch > epoch, 15, "taken over")
        sleeper.send_signal(signal.SIGCONT)
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        found.wait(lambda: not children_of(sleeper), 5, "the end of the woken worker's child")
        found.wait(lambda: not [*found.platform.scratch.glob("exe*")], 5, "scratch empty")
        assert sleeper.poll() is None
        assert found.row(execution_id).losses == 1
        check_same(found, execution_id, baseline)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("records_url", "step", "kills"),
    [("sqlite", "training", False), ("postgresql", "report", True)],
    indirect=["records_url"],
)
def test_a_cancelled_execution_ends_in_time_and_leaves_nothing(
    records: Records, tmp_path: Path, baseline: Baseline, step: str, kills: bool
) -> None:
    cancel_at(records, tmp_path, baseline, step, kills=kills)


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("kills", [False, True])
def test_an_execution_cancelled_in_any_step_ends_in_time_and_leaves_nothing(
    records: Records, tmp_path: Path, baseline: Baseline, step: str, kills: bool
) -> None:
    cancel_at(records, tmp_path, baseline, step, kills=kills)


def cancel_at(
    records: Records, tmp_path: Path, baseline: Baseline, step: str, *, kills: bool = False
) -> None:
    with installation(records, tmp_path / "here", baseline.source) as found:
        execution_id = found.add_execution()
        worker = found.start_worker()
        wait_for_step(found, execution_id, step)
        if not cancel_now(records, execution_id):
            assert step == "storing", "only the last step may have ended before"
            return
        if kills:
            family = psutil.Process(worker.pid).children(recursive=True)
            kill(worker)
            _, alive = psutil.wait_procs(family, 5)
            assert not alive, "no child outlives its worker"
        check_cancelled(found, execution_id, time.monotonic())


def check_cancelled(found: Installation, execution_id: str, asked_at: float) -> None:
    """Make sure that an execution ends in time after it was cancelled, and leaves no more than its model."""
    Watch(found, execution_id).until_ended(30)
    assert time.monotonic() - asked_at < CANCELLED_S
    assert found.row(execution_id).status == "cancelled"
    found.wait_cleared(execution_id)
    found.wait(lambda: not children_of(found.workers[-1]), 5, "no child")
    kept = found.results(execution_id)
    trained = count(found.platform.records, models, models.c.execution_id == execution_id)
    assert trained == any(path.startswith("model/") for path in kept)
    assert not [path for path in kept if path.startswith(("work/", "synthetic/", "tables/", "report"))]
    found.wait(lambda: not [*found.platform.scratch.glob("exe*")], 5, "scratch empty")
    check_no_leftovers(found)
    assert found.kinds(execution_id)[-1][0] == "execution_cancelled"


@pytest.mark.slow
@pytest.mark.parametrize(("records_url", "point"), CHOSEN[1:3], indirect=["records_url"])
def test_an_execution_cancelled_at_a_point_ends_in_time_and_leaves_nothing(
    records: Records, tmp_path: Path, baseline: Baseline, point: str
) -> None:
    cancel_at_point(records, tmp_path, baseline, point)


@pytest.mark.soak
def test_an_execution_cancelled_at_any_point_ends_in_time_and_leaves_nothing(
    fresh: Fresh, baseline: Baseline
) -> None:
    for number, point in enumerate(boundaries(baseline)):
        with fresh(number) as (own, folder):
            cancel_at_point(own, folder, baseline, point)


def cancel_at_point(records: Records, tmp_path: Path, baseline: Baseline, point: str) -> None:
    """Hold a process at a point while the execution is cancelled.

    A worker is let go on then, as it may hold the lock that the cancelling waits for; a child is not.
    """
    once = tmp_path / "once"
    with installation(records, tmp_path / "here", baseline.source) as found, ThreadPoolExecutor(1) as pool:
        execution_id = found.add_execution()
        worker = found.start_worker(
            KINSYNTH_CRASH_AT=point, KINSYNTH_CRASH_ONCE=str(once), KINSYNTH_CRASH_BY="SIGSTOP"
        )
        found.wait(once.exists, 60, f"passing {point}")
        asked_at, asked = time.monotonic(), pool.submit(cancel_now, records, execution_id)
        wait([asked], 0.5)
        worker.send_signal(signal.SIGCONT)
        if asked.result():
            check_cancelled(found, execution_id, asked_at)
        else:  # it had ended before: nothing changes that
            found.wait_cleared(execution_id)
            check_same(found, execution_id, baseline)


def cancel_now(records: Records, execution_id: str) -> bool:
    """Cancel an execution; tells whether it had not ended before."""
    try:
        with records.write() as connection:
            cancel(connection, execution_id)
    except ConflictError:
        return False
    return True


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
def test_a_worker_that_is_asked_to_stop_gives_its_execution_back_and_another_goes_on(
    records: Records, tmp_path: Path, baseline: Baseline
) -> None:
    with installation(records, tmp_path / "here", baseline.source) as found:
        execution_id = found.add_execution()
        worker = found.start_worker()
        wait_for_step(found, execution_id, "training")
        worker.terminate()
        started = time.monotonic()
        assert worker.wait(15) == 0
        assert time.monotonic() - started < 10
        row = found.row(execution_id)
        assert (row.status, row.losses) == ("queued", 0)
        assert not [*found.platform.scratch.glob("exe*")]
        found.start_worker()
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        check_same(found, execution_id, baseline)


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["postgresql"], indirect=True)
def test_a_server_that_is_killed_takes_its_workers_along_and_the_next_one_goes_on(
    records: Records, tmp_path: Path, baseline: Baseline
) -> None:
    kill_server_in(records, tmp_path, baseline, "training")


@pytest.mark.soak
@pytest.mark.parametrize("step", STEPS)
def test_a_server_killed_in_any_step_changes_nothing(
    records: Records, tmp_path: Path, baseline: Baseline, step: str
) -> None:
    kill_server_in(records, tmp_path, baseline, step)


def kill_server_in(records: Records, tmp_path: Path, baseline: Baseline, step: str) -> None:
    with installation(records, tmp_path / "here", baseline.source) as found:
        execution_id = found.add_execution()
        server = found.start_server()
        wait_for_step(found, execution_id, step)
        family = psutil.Process(server.pid).children(recursive=True)
        assert len(family) >= 2, "a worker and its child"
        killed_at = time.time()
        kill(server)
        _, alive = psutil.wait_procs(family, 5)
        assert not alive, "nobody outlives the server"
        found.start_server()
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        Watch(found, execution_id).check_taken_up(killed_at)
        check_same(found, execution_id, baseline)
