"""Analysts: warm child processes that read files, so many at a time and no more."""

from __future__ import annotations

import queue
import secrets
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from kinsynth.errors import TransientError
from kinsynth.service.analysis.readers import MODULE, Pages, Readers
from kinsynth.service.scratch import open_scratch, sweep
from kinsynth.settings.deployment import Deployment
from kinsynth.system.child import LimitedChild

# What its functions would import at their first use.
_MODULES = (MODULE, "kinsynth.connectors.texts.reader", "pyarrow.pandas_compat", "pandas", "_strptime")
_WAITING = 48  # beside those that run
Call = Callable[[str, Mapping[str, Any], Path], Any]


class Analysts:
    """Calls functions of ``service.analysis.tasks`` in limited children.

    Args:
        deployment: How many at a time, their memory and time, and where their folders are.

    Guarantees:
        At most ``analysis_processes`` calls run at a time, and 48 more wait: a thread of the API stands
        behind each (``places``). No child outlives this process. Those that give pages stay for a while
        (``readers``).
    """

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._folder = deployment.data / "scratch" / "analysis"
        self._slots = threading.BoundedSemaphore(deployment.analysis_processes)
        self.places = deployment.analysis_processes + _WAITING
        self._callers = threading.BoundedSemaphore(self.places)
        self._waiting: queue.SimpleQueue[LimitedChild] = queue.SimpleQueue()
        # Children die with the thread that started them: this one lives as long as the pool.
        self._starter = ThreadPoolExecutor(max_workers=1, thread_name_prefix="analysts")
        self._guard = threading.Lock()
        self._places: dict[Hashable, _Place] = {}
        self._closed = False
        self.readers = Readers(deployment, self._take, self.folder)
        sweep(self._folder)

    def warm_up(self) -> None:
        """Start a child for each slot, in the background."""
        for _ in range(self._deployment.analysis_processes):
            self._starter.submit(self._start)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Give an empty private folder that is removed afterwards."""
        with open_scratch(self._folder.resolve(), secrets.token_hex(8)) as scratch:
            path = scratch / "files"
            path.mkdir(mode=0o700)
            yield path

    def call(self, function: str, arguments: Mapping[str, Any], folder: Path) -> Any:
        """Call a function of ``service.analysis.tasks`` and give its answer.

        Raises:
            TransientError: ``analysis.busy``, all children were at work for too long.
            KinsynthError: The function raised it, or a limit of the child was reached.
        """
        with _held(self._callers, 0.0):
            return self._call(function, arguments, folder)

    def _call(self, function: str, arguments: Mapping[str, Any], folder: Path) -> Any:
        with self._slot():
            return self._take().call(
                f"{MODULE}.{function}",
                arguments,
                memory_bytes=self._deployment.analysis_memory_bytes,
                timeout_s=self._deployment.analysis_timeout_s,
                folder=folder,
            )

    def page(self, pages: Pages) -> Any:
        """Give a page: by the reader of its content and person, else by a child of its own.

        Raises:
            TransientError: ``analysis.busy``.
            KinsynthError: As of ``call``; ``pages.prepare`` raised it.
        """
        with _held(self._callers, 0.0):
            answer = self.readers.ask(pages, self._slot)
        if answer is not None:
            return answer
        with self.folder() as folder:
            return self.call(pages.function, pages.prepare(folder), folder)

    @contextmanager
    def alone(self, work: Hashable) -> Iterator[Call]:
        """Let nobody else here do the same work while the block runs: whoever waited finds it done.

        Gives what calls as ``call`` does, in the place that the block has: all others may wait.

        Raises:
            TransientError: ``analysis.busy``, too many wait, or it takes too long.
        """
        with self._guard:
            place = self._places.setdefault(work, _Place())
            place.users += 1
        try:
            with _held(self._callers, 0.0):
                if not place.lock.acquire(timeout=self._deployment.analysis_wait_s):
                    raise _busy()
                try:
                    yield self._call
                finally:
                    place.lock.release()
        finally:
            with self._guard:
                place.users -= 1
                if not place.users:
                    del self._places[work]

    def close(self) -> None:
        """End the readers, and the children that wait."""
        self._closed = True
        self.readers.close()
        self._starter.shutdown(wait=True, cancel_futures=True)
        with suppress(queue.Empty):
            while True:
                self._waiting.get_nowait().close()

    def _slot(self) -> AbstractContextManager[None]:
        return _held(self._slots, self._deployment.analysis_wait_s)

    def _take(self) -> LimitedChild:
        """Give a child that waits, and have the next one started."""
        try:
            child = self._waiting.get_nowait()
        except queue.Empty:
            child = self._starter.submit(LimitedChild, _MODULES).result()
        self._starter.submit(self._start)
        return child if child.is_alive() else self._take()

    def _start(self) -> None:
        if not self._closed and self._waiting.qsize() < self._deployment.analysis_processes:
            self._waiting.put(LimitedChild(_MODULES))


class _Place:
    """Where those wait who want the same work done."""

    def __init__(self) -> None:
        self.lock, self.users = threading.Lock(), 0


@contextmanager
def _held(places: threading.BoundedSemaphore, timeout_s: float) -> Iterator[None]:
    """Hold one of some places while the block runs, or say that all are taken."""
    if not places.acquire(timeout=timeout_s):
        raise _busy()
    try:
        yield
    finally:
        places.release()


def _busy() -> TransientError:
    return TransientError(
        "analysis.busy",
        "All processes that read files are at work.",
        remedy="Try again in a minute; KINSYNTH_ANALYSIS_PROCESSES sets how many there are.",
    )
