"""What is asked of the engine under executions: to bring deliveries to workers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable
from typing import Protocol

Delivery = tuple[str, int]
"""Id of an execution and its attempt: "look at this one". A new attempt is a new delivery."""


class Engine(Protocol):
    """Brings each delivery to one of any number of workers, at least once.

    What was begun before, by its attempt, goes before what was not; else the older goes before the younger.
    It holds no truth: whether something is to be done is decided by the claim. A delivery may come late,
    twice, or for an execution that is done; one that got lost is put in again by :meth:`restore`.
    """

    def prepare(self) -> None:
        """Make the tables it needs; several processes may do it at once.

        Raises:
            TransientError: ``records.unavailable``.
        """

    def submit(self, execution_id: str, attempt: int) -> None:
        """Put in a delivery, durably; the same one twice is one.

        Raises:
            TransientError: ``records.unavailable``; the execution is delivered by a later :meth:`restore`.
        """

    def restore(self, queued: Iterable[Delivery], live: Collection[str]) -> int:
        """Put in what is queued and has no delivery, or had one that was refused or is held by a dead worker.

        Args:
            queued: What waits by our records.
            live: Ids of the workers that are alive.

        Returns:
            How many deliveries were put in.

        Raises:
            TransientError: ``records.unavailable``.
        """

    def serve(
        self,
        worker_id: str,
        handle: Callable[[str, int], None],
        *,
        capacity: int,
        stop: threading.Event,
        drain_s: float,
    ) -> None:
        """Call ``handle`` with deliveries, each in a thread, until ``stop`` is set.

        Args:
            worker_id: Id of this process, new at each start.
            handle: Looks at an execution; raises nothing.
            capacity: How many at a time, at least 1.
            stop: Ends the work: nothing more is delivered, calls on their way are waited for.
            drain_s: How long they are waited for, in seconds.
        """

    def close(self) -> None:
        """Close its connections."""
