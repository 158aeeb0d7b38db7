"""The parent's end of a training child: it is started, listened to, answered, stopped or killed."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
from collections.abc import Mapping
from threading import Thread
from typing import IO, Any

from kinsynth.service.performing.words import KEPT
from kinsynth.system.child import plain_environment


class TrainingChild:
    """A process that performs an execution; ``kinsynth.service.performing.program`` is its program.

    Args:
        request: What it is to do, as that module says.

    Guarantees:
        It gets no setting of the installation. On Linux it dies when the thread ends that made it.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "kinsynth.service.performing.program"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=plain_environment(),
            start_new_session=True,
        )
        self._heard: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._say(json.dumps({**request, "parent": os.getpid()}) + "\n")
        self._listener = Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._listener.start()

    def hear(self, timeout_s: float) -> list[dict[str, Any] | None]:
        """Give what it said, in order: nothing when it said nothing for so long; None is its end."""
        said: list[dict[str, Any] | None] = []
        try:
            said.append(self._heard.get(timeout=timeout_s))
            while True:
                said.append(self._heard.get_nowait())
        except queue.Empty:
            return said

    def answer(self) -> None:
        """Say that the files of its finished step are kept."""
        self._say(KEPT)

    def ask_stop(self) -> None:
        """Ask it to stop at its next safe point."""
        self._process.send_signal(signal.SIGTERM)

    def end(self) -> int:
        """Kill it and its children, whatever they do; gives its exit status."""
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        status = self._process.wait()
        self._listener.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                _close(pipe)
        return status

    def _say(self, words: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(words.encode())
            self._process.stdin.flush()
        except BrokenPipeError:  # it is dead: its end is heard
            pass

    def _listen(self, pipe: IO[bytes]) -> None:
        for line in pipe:
            if line.endswith(b"\n"):  # one that was cut by its death is none
                self._heard.put(json.loads(line))
        self._heard.put(None)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        pass
