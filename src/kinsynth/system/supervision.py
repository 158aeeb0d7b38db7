"""Processes that are kept running beside this one: started again when they end, ended when it ends."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Sequence

_FIRST_WAIT_S, _LONGEST_WAIT_S, _STEADY_S = 0.5, 30.0, 60.0
_LOOK_EVERY_S = 0.1

Told = Callable[[str, int], None]


def _silent(_event: str, _number: int) -> None:
    pass


class Supervisor:
    """Keeps processes running.

    Args:
        command: What each runs; it should end by itself when this process is gone.
        count: How many there are.
        tell: Told ``started`` with the process id, ``ended`` with the exit status, and ``not_started`` with
            the system's number of the cause.

    Guarantees:
        A process that ends is started again: at once, and when it keeps ending after ever longer waits of at
        most 30 seconds.
    """

    def __init__(self, command: Sequence[str], count: int, tell: Told = _silent) -> None:
        self._command, self._tell = list(command), tell
        self._slots = [_Slot() for _ in range(count)]
        self._stopping, self._patience_s = threading.Event(), 0.0
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self) -> None:
        """Start all."""
        self._thread.start()

    def stop(self, patience_s: float) -> None:
        """Ask all to end, and end those that have not after some seconds."""
        self._patience_s = patience_s
        self._stopping.set()
        if self._thread.ident is not None:  # else it was never started
            self._thread.join()

    def pids(self) -> list[int]:
        """Give the ids of the processes that run."""
        return [
            slot.process.pid
            for slot in self._slots
            if slot.process is not None and slot.process.poll() is None
        ]

    def _watch(self) -> None:
        """Start, look and start again; at the end, end all.

        It is one thread that does all of this: a child that asks the kernel to die with its parent dies with
        the thread that started it.
        """
        while not self._stopping.wait(_LOOK_EVERY_S):
            for slot in self._slots:
                if slot.process is not None and slot.process.poll() is not None:
                    self._tell("ended", slot.process.returncode)
                    slot.note_end(time.monotonic())
                if slot.process is None and time.monotonic() >= slot.due:
                    self._fill(slot)
        self._end_all([slot.process for slot in self._slots if slot.process is not None])

    def _fill(self, slot: _Slot) -> None:
        """Start a process; a machine that cannot start one now is asked again later."""
        try:
            slot.note_start(self._begin(), time.monotonic())
        except OSError as error:
            self._tell("not_started", error.errno or 0)
            slot.note_end(time.monotonic())

    def _end_all(self, running: Sequence[subprocess.Popen[bytes]]) -> None:
        for process in running:
            process.terminate()
        ends = time.monotonic() + self._patience_s
        for process in running:
            try:
                process.wait(max(0.0, ends - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _begin(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)
        self._tell("started", process.pid)
        return process


class _Slot:
    """The place of one process."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.due = 0.0
        self._started = 0.0
        self._wait = _FIRST_WAIT_S

    def note_start(self, process: subprocess.Popen[bytes], at: float) -> None:
        """Remember a process that was started."""
        self.process, self._started = process, at

    def note_end(self, at: float) -> None:
        """Decide when the next one is started."""
        steady = at - self._started >= _STEADY_S
        self._wait = _FIRST_WAIT_S if steady else min(self._wait * 2, _LONGEST_WAIT_S)
        self.process, self.due = None, at + (0.0 if steady else self._wait - _FIRST_WAIT_S)
