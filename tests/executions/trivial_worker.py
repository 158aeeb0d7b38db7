"""A worker process for tests: its performer writes steps, each by a child that sleeps.

``python trivial_worker.py URL ROLE`` where ROLE is ``worker``, ``api`` (adds executions one after the other)
or ``slow`` (a worker whose step goes on, whatever is wished, until it is done; where its late write is
refused, it adds a line to the file that ``TRIVIAL_REFUSED`` names: execution and epoch).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from executions_at_hand import add_execution
from kinsynth.errors import TransientError
from kinsynth.executions.claims import Claim, Wish
from kinsynth.executions.dbos import DbosEngine
from kinsynth.executions.journal import LeaseLost, add_event, finish_step, read_outcomes, start_step
from kinsynth.executions.work import Outcome, Stopped, Succeeded
from kinsynth.executions.worker import Worker, WorkerSettings
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions

STEPS = ("loading", "training", "storing")
LEASE_S = float(os.environ.get("TRIVIAL_LEASE_S", "2"))
STEP_S = float(os.environ.get("TRIVIAL_STEP_S", "0.1"))


CHILD = f"import ctypes, time; ctypes.CDLL(None).prctl(1, 9); time.sleep({STEP_S})"  # it dies with us


def perform_step(wish: Callable[[], Wish], *, stubborn: bool) -> bool:
    """Let a child sleep; tell whether it came to its end."""
    with subprocess.Popen([sys.executable, "-S", "-c", CHILD]) as child:
        while child.poll() is None:
            if not stubborn and wish() != "go":
                child.kill()
            time.sleep(0.01)
    return child.returncode == 0


def make_performer(records: Records, *, stubborn: bool) -> Callable[[Claim, Callable[[], Wish]], Outcome]:
    def perform(held: Claim, wish: Callable[[], Wish]) -> Outcome:
        with records.read() as connection:
            done = read_outcomes(connection, held.execution_id)
        with records.write() as connection:
            add_event(connection, held.execution_id, {"kind": "execution_started"}, epoch=held.epoch)
        for step in STEPS:
            if step in done:
                continue
            with records.write() as connection:
                start_step(connection, held.execution_id, step, epoch=held.epoch)
            if not perform_step(wish, stubborn=stubborn):
                return Stopped()
            with records.write() as connection:
                finish_step(connection, held.execution_id, step, {"epoch": held.epoch}, epoch=held.epoch)
                body = {"kind": "step_finished", "step": step}
                add_event(connection, held.execution_id, body, epoch=held.epoch)
        return Succeeded()

    def perform_and_tell(held: Claim, wish: Callable[[], Wish]) -> Outcome:
        try:
            return perform(held, wish)
        except (LeaseLost, TransientError):
            with Path(os.environ.get("TRIVIAL_REFUSED", os.devnull)).open("a") as refused:
                refused.write(f"{held.execution_id} {held.epoch}\n")
            raise

    return perform_and_tell


def work(records: Records, engine: DbosEngine, *, stubborn: bool) -> None:
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    settings = WorkerSettings(lease_s=LEASE_S, capacity=2, sweep_s=0.5, drain_s=5)
    worker = Worker(records, engine, make_performer(records, stubborn=stubborn), settings=settings)
    sys.stdout.write(f"{worker.id}\n")
    sys.stdout.flush()
    worker.run(stop)
    os._exit(0)  # the engine's threads may wait for a database that is away


def ask(records: Records, engine: DbosEngine) -> None:
    engine.prepare()
    while True:
        execution_id = add_execution(records)
        with records.read() as connection:
            row = connection.execute(select(executions.c.attempt).where(executions.c.id == execution_id))
            engine.submit(execution_id, row.scalar_one())
        time.sleep(0.5)


def main(url: str, role: str) -> None:
    records = Records(url)
    engine = DbosEngine(records, poll_s=0.1)
    if role == "api":
        ask(records, engine)
    else:
        work(records, engine, stubborn=role == "slow")


if __name__ == "__main__":
    main(*sys.argv[1:])
