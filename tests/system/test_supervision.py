"""Processes beside ours: started again when they end, ended with us."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import pairwise

import pytest

from kinsynth.system.supervision import Supervisor

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN_CODE = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(1, file=sys.stderr)
time.sleep(600)
"""
STUBBORN = [sys.executable, "-c", STUBBORN_CODE]


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.02)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_killed_process_is_started_again_and_all_end_at_the_end() -> None:
    told: list[tuple[str, int]] = []
    supervisor = Supervisor(SLEEP, 2, lambda event, number: told.append((event, number)))
    supervisor.start()
    wait_for(lambda: len(supervisor.pids()) == 2)
    first = supervisor.pids()
    os.kill(first[0], signal.SIGKILL)
    wait_for(lambda: len(supervisor.pids()) == 2 and first[0] not in supervisor.pids())
    last = supervisor.pids()
    assert first[1] in last
    supervisor.stop(10)
    assert [pid for pid in {*first, *last} if is_running(pid)] == []
    assert ("ended", -signal.SIGKILL) in told
    assert [event for event, _ in told].count("started") == 3


def test_a_process_that_does_not_end_when_asked_is_killed(capfd: pytest.CaptureFixture[str]) -> None:
    supervisor = Supervisor(STUBBORN, 1)
    supervisor.start()
    said = ""

    def ready() -> bool:
        nonlocal said
        said += capfd.readouterr().err
        return "1" in said

    wait_for(ready)
    pid = supervisor.pids()[0]
    began = time.monotonic()
    supervisor.stop(0.5)
    assert not is_running(pid)
    assert 0.4 < time.monotonic() - began < 10


def test_one_that_ends_at_once_is_started_after_ever_longer_waits() -> None:
    starts: list[float] = []

    def note(event: str, _number: int) -> None:
        if event == "started":
            starts.append(time.monotonic())

    supervisor = Supervisor([sys.executable, "-S", "-c", "pass"], 1, note)
    supervisor.start()
    wait_for(lambda: len(starts) >= 4)
    supervisor.stop(1)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    assert gaps[1] > gaps[0]
    assert gaps[2] > 2


def test_one_that_was_never_started_can_be_stopped() -> None:
    Supervisor(SLEEP, 1).stop(1)


def test_a_machine_that_starts_no_process_for_a_moment_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, int]] = []
    begin, fails = Supervisor._begin, [True, True]

    def begin_or_fail(self: Supervisor) -> object:
        if heard and fails:
            fails.pop()
            raise BlockingIOError
        return begin(self)

    monkeypatch.setattr(Supervisor, "_begin", begin_or_fail)
    supervisor = Supervisor(SLEEP, 2, lambda *said: heard.append(said))
    supervisor.start()
    try:
        wait_for(lambda: len(supervisor.pids()) == 2)
    finally:
        supervisor.stop(5)
    assert fails == []
