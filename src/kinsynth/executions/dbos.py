"""DBOS as the engine under executions; why, and what was seen in it, is in ``docs/durable-engine.md``.

A delivery is a workflow of DBOS, ``EXECUTION-ATTEMPT``, that does nothing but call the worker.
"""

from __future__ import annotations

import logging
import math
import threading
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import Final

from dbos import DBOS, DBOSClient, DBOSPortableJSONSerializer, WorkflowStatus

from kinsynth.executions.port import Delivery
from kinsynth.storage.records import Records, translated

_QUEUE: Final = "executions"
_WORKFLOW: Final = "look"
_APPLICATION: Final = "kinsynth"
_VERSION: Final = "1"  # DBOS gives work only to workers of the version it was put in with
_ENDED: Final = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
_FIRST, _LATER = 1, 2  # what was begun before goes before what was not
_MOST: Final = 500  # deliveries looked at in one restoring


class DbosEngine:
    """DBOS in the database of the records.

    Args:
        records: The records; DBOS opens connections of its own to the same database.
        poll_s: How often a worker looks for deliveries, in seconds, at least 0.02.
    """

    def __init__(self, records: Records, poll_s: float = 0.2) -> None:
        self._url = records.url.render_as_string(hide_password=False)
        self._poll_s = poll_s
        _quieten()

    def prepare(self) -> None:
        """Make DBOS's tables."""
        with translated():
            DBOS.migrate(self._url)

    def submit(self, execution_id: str, attempt: int) -> None:
        """Put in a delivery."""
        with translated():
            self._submit((execution_id, attempt))

    def restore(self, queued: Iterable[Delivery], live: Collection[str]) -> int:
        """Forget what ended or is held by a dead worker, and put in what is queued and has no delivery."""
        with translated():
            held = [one.workflow_id for one in self._find(status="PENDING") if one.executor_id not in live]
            gone = held + [one.workflow_id for one in self._find(status=_ENDED)]
            if gone:
                self._client.delete_workflows(gone)
            return self._submit_missing({_workflow_id(one): one for one in queued})

    def serve(
        self,
        worker_id: str,
        handle: Callable[[str, int], None],
        *,
        capacity: int,
        stop: threading.Event,
        drain_s: float,
    ) -> None:
        """Call ``handle`` with deliveries until ``stop`` is set; once at a time in a process."""
        with translated():
            self._launch(worker_id, handle, capacity)
        try:
            stop.wait()
        finally:
            DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=math.ceil(drain_s))

    def close(self) -> None:
        """Close the connections for putting in."""
        if "_client" in self.__dict__:
            self._client.destroy()

    @cached_property
    def _client(self) -> DBOSClient:
        return DBOSClient(
            system_database_url=self._url,
            serializer=DBOSPortableJSONSerializer(),
            application_name=_APPLICATION,
            retry_connection_errors=False,
        )

    def _find(self, **conditions: str | list[str]) -> list[WorkflowStatus]:
        return self._client.list_workflows(
            **conditions,  # type: ignore[arg-type]
            queue_name=_QUEUE,
            limit=_MOST,
            load_input=False,
            load_output=False,
        )

    def _submit_missing(self, wanted: dict[str, Delivery]) -> int:
        known = {one.workflow_id for one in self._find(workflow_ids=list(wanted))} if wanted else set()
        missing = [delivery for name, delivery in wanted.items() if name not in known]
        for delivery in missing:
            self._submit(delivery)
        return len(missing)

    def _submit(self, delivery: Delivery) -> None:
        self._client.enqueue(
            {
                "queue_name": _QUEUE,
                "workflow_name": _WORKFLOW,
                "workflow_id": _workflow_id(delivery),
                "app_version": _VERSION,
                "priority": _LATER if delivery[1] == 1 else _FIRST,
            },
            *delivery,
        )

    def _launch(self, worker_id: str, handle: Callable[[str, int], None], capacity: int) -> None:
        DBOS(
            config={
                "name": _APPLICATION,
                "system_database_url": self._url,
                "application_version": _VERSION,
                "executor_id": worker_id,
                "serializer": DBOSPortableJSONSerializer(),
                "enable_otlp": False,
                "log_level": "ERROR",
                "sys_db_pool_size": 4,
            }
        )

        @DBOS.workflow(name=_WORKFLOW)
        def look(execution_id: str, attempt: int) -> None:
            handle(execution_id, attempt)

        DBOS.listen_queues([_QUEUE])
        DBOS.launch()
        DBOS.register_queue(
            _QUEUE,
            worker_concurrency=capacity,
            polling_interval_sec=self._poll_s,
            on_conflict="always_update",
        )


def _workflow_id(delivery: Delivery) -> str:
    return f"{delivery[0]}-{delivery[1]}"


def _quieten() -> None:
    """Keep DBOS off the console; what it says goes the way of every other message."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.ERROR)
