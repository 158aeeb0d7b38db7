"""Readers: children that stay for a while, so that one person's next page of one content comes quickly."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from kinsynth.errors import KinsynthError
from kinsynth.settings.deployment import Deployment
from kinsynth.system.child import Conversation, LimitedChild

MODULE = "kinsynth.service.analysis.tasks"
IDLE_S, LIFE_S, MOST_PAGES = 60.0, 300, 50
_PATIENCE_S = 10.0  # with one page
_LOOK_S = 1.0
_FOR_EACH_PROCESS = 10  # most readers for each analysis process; one has some 130 MB
_log = structlog.get_logger("kinsynth.analysis")

Key = tuple[str, str, str]
Start = Callable[[], LimitedChild]
MakeFolder = Callable[[], AbstractContextManager[Path]]


@dataclass(frozen=True)
class Pages:
    """What a person reads page by page.

    Attributes:
        key: The person, the object, and a digest of all that a page may come from.
        function: Function of ``service.analysis.tasks`` that gives a page.
        prepare: Brings into a folder what it lacks for a page, and gives the function's arguments.
        check: Asks whether the person may still read it, and whether it is still there; raises if not.
    """

    key: Key
    function: str
    prepare: Callable[[Path], Mapping[str, Any]]
    check: Callable[[], object]


class Reader:
    """One reader: a child in a folder of its own, for one content and one person.

    Args:
        pages: What it reads.
    """

    def __init__(self, pages: Pages) -> None:
        self.lock = threading.Lock()  # held by whoever uses or ends it
        self.pages, self.ended = pages, False
        self._begun = self._used = time.monotonic()
        self._answers = 0
        self._stack = ExitStack()
        self._folder: Path | None = None
        self._talk: Conversation | None = None

    def open(self, make_folder: MakeFolder) -> Path:
        """Give its folder, made at the first time."""
        if self._folder is None:
            self._folder = self._stack.enter_context(make_folder())
        return self._folder

    def ask(self, arguments: Mapping[str, Any], start: Start, deployment: Deployment) -> Any:
        """Ask its child for a page, started at the first time.

        Raises:
            KinsynthError: There is none: end the reader.
        """
        assert self._folder is not None, "it was opened"
        if self._talk is None:
            self._begun = time.monotonic()  # bringing its files may have taken long
            self._talk = Conversation(
                start(),
                memory_bytes=deployment.analysis_memory_bytes,
                processor_s=min(LIFE_S, deployment.analysis_timeout_s),
                folder=self._folder,
            )
            self._stack.callback(self._talk.close)
        patience_s = min(_PATIENCE_S, deployment.analysis_timeout_s)
        answer = self._talk.ask(f"{MODULE}.{self.pages.function}", arguments, patience_s=patience_s)
        self._used = time.monotonic()
        self._answers += 1
        return answer

    def is_spent(self) -> bool:
        """Tell whether it was not used for long, or was for long enough."""
        now = time.monotonic()
        old = now - self._used >= IDLE_S or now - self._begun >= LIFE_S
        return old or self._answers >= MOST_PAGES

    def end(self) -> None:
        """End the child, then remove its folder."""
        self.ended = True
        self._stack.close()


class Readers:
    """The readers of this process.

    Args:
        deployment: How many analysis processes there are, and the limits of each.
        start: Gives a child.
        make_folder: Gives a folder.

    Guarantees:
        There are at most ten readers for each analysis process. One ends after a minute without a page, after
        50 pages, after five minutes, when it is late or dead, when its content is deleted or its person may
        not read it any more, and, if it was used least recently, when another one is needed. Its folder
        goes with it.
    """

    def __init__(self, deployment: Deployment, start: Start, make_folder: MakeFolder) -> None:
        self._deployment, self._start, self._make_folder = deployment, start, make_folder
        self._readers: OrderedDict[Key, Reader] = OrderedDict()  # the one used last is the last
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._keeper: threading.Thread | None = None
        self.lost = 0

    def ask(self, pages: Pages, slot: Callable[[], AbstractContextManager[None]]) -> Any | None:
        """Give a page.

        Args:
            pages: What is read.
            slot: Entered while the child is at work.

        Returns:
            None where no reader can give it: all are at work for others, or this one died or was late, which
            is counted and logged.

        Raises:
            KinsynthError: ``pages.prepare`` or ``slot`` raised it.
        """
        with self._held(pages) as reader:
            if reader is None:
                return None
            arguments = pages.prepare(reader.open(self._make_folder))
            with slot():
                try:
                    return reader.ask(arguments, self._start, self._deployment)
                except KinsynthError as error:
                    self._lose(reader, error)
                    return None

    def close(self) -> None:
        """End all."""
        self._closed.set()
        if self._keeper is not None:
            self._keeper.join()
        for reader in self._list():
            held = reader.lock.acquire(timeout=_LOOK_S)
            self._end(reader)  # whoever still waits for a page hears that its child is dead
            if held:
                reader.lock.release()

    @contextmanager
    def _held(self, pages: Pages) -> Iterator[Reader | None]:
        """Hold the reader of some pages while the block runs; a spent one is ended afterwards."""
        reader = self._take(pages)
        if reader is None:
            yield None
            return
        try:
            reader.pages = pages
            yield reader
        finally:
            if self._closed.is_set() or reader.is_spent():
                self._end(reader)
            reader.lock.release()

    def _take(self, pages: Pages) -> Reader | None:
        """Give the reader of some pages with its lock held; None where that takes too long."""
        while (reader := self._find(pages)) is not None:
            if not reader.lock.acquire(timeout=self._deployment.analysis_wait_s):
                return None
            if not (reader.ended or reader.is_spent()):
                return reader
            self._end(reader)
            reader.lock.release()
        return None

    def _find(self, pages: Pages) -> Reader | None:
        """Give the reader of some pages, or a new one where there is room or can be made."""
        with self._lock:
            if (known := self._readers.get(pages.key)) is not None:
                self._readers.move_to_end(pages.key)
                return known
            others = list(self._readers.values())
            if len(others) < _FOR_EACH_PROCESS * self._deployment.analysis_processes:
                self._readers[pages.key] = found = Reader(pages)
                self._keep()
                return found
        idle = next((one for one in others if one.lock.acquire(blocking=False)), None)
        if idle is None:
            return None
        self._end(idle)
        idle.lock.release()
        return self._find(pages)

    def _lose(self, reader: Reader, error: KinsynthError) -> None:
        self._end(reader)
        with self._lock:
            self.lost += 1
        _log.warning("reader lost", code=error.code)

    def _end(self, reader: Reader) -> None:
        """End a reader whose lock is held."""
        with self._lock:
            if self._readers.get(reader.pages.key) is reader:
                del self._readers[reader.pages.key]
        reader.end()

    def _list(self) -> list[Reader]:
        with self._lock:
            return list(self._readers.values())

    # The keeper

    def _keep(self) -> None:
        """Have the readers looked after, from the first one on."""
        if self._keeper is None and not self._closed.is_set():
            self._keeper = threading.Thread(target=self._look, name="readers", daemon=True)
            self._keeper.start()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_S):
            for reader in self._list():
                if reader.lock.acquire(blocking=False):  # else it is in use
                    try:
                        if reader.is_spent() or not _is_allowed(reader.pages):
                            self._end(reader)
                    finally:
                        reader.lock.release()


def _is_allowed(pages: Pages) -> bool:
    try:
        pages.check()
    except KinsynthError:  # also where the database is away: the next page has a new reader
        return False
    except Exception as error:  # noqa: BLE001 - the keeper must live; the text could hold a value
        _log.error("reader cannot be checked", error=type(error).__name__)
        return False
    return True
