"""The worker process of an installation: performs executions, and looks after what ended ones leave.

``python -m kinsynth.service.performing.worker PARENT`` is one that ends with its parent.
"""

from __future__ import annotations

import importlib.metadata
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from types import FrameType

import structlog

from kinsynth.errors import KinsynthError
from kinsynth.executions.claims import Claim, Wish
from kinsynth.executions.work import Outcome
from kinsynth.executions.worker import Worker, WorkerSettings
from kinsynth.service.performing.attempt import Attempt
from kinsynth.service.platform import Platform, open_platform
from kinsynth.service.retention import clear_ended, expire_results
from kinsynth.service.scratch import sweep
from kinsynth.service.usage import continue_paused, has_paused, keep_reserved, settle_usage
from kinsynth.settings.deployment import Deployment, read_deployment
from kinsynth.system import crash
from kinsynth.system.child import die_with_parent
from kinsynth.system.logs import set_up_logs

_LOOK_S, _TIDY_S, _PART_S = 1.0, 60.0, 86_400.0
_log = structlog.get_logger("kinsynth.worker")


def run_worker(deployment: Deployment) -> None:
    """Perform executions until SIGTERM or SIGINT; then keep what was done, give back the rest, and end.

    Does not return: threads that still hope for a database that is away would keep the process alive.

    Raises:
        KinsynthError: The installation cannot be opened.
    """
    stop = threading.Event()

    def ask_stop(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask_stop)
    signal.signal(signal.SIGINT, ask_stop)
    platform = open_platform(deployment)
    sweep(platform.scratch)
    janitor = threading.Thread(target=Janitor(platform).run, args=(stop,), name="janitor", daemon=True)
    janitor.start()
    make_worker(platform).run(stop)
    janitor.join(_LOOK_S)
    os._exit(0)


def make_worker(platform: Platform) -> Worker:
    """Put a worker together."""
    deployment = platform.deployment

    def perform(claim: Claim, wish: Callable[[], Wish]) -> Outcome:
        crash.point("worker.claimed")
        outcome = Attempt(platform, claim, wish).perform()
        crash.point("worker.performed")
        return outcome

    settings = WorkerSettings(
        lease_s=deployment.lease_s,
        capacity=deployment.executions_per_worker,
        drain_s=deployment.cancel_s + deployment.lease_s,
        version=importlib.metadata.version("kinsynth"),
    )
    return Worker(
        platform.records,
        platform.engine,
        perform,
        settings=settings,
        on_final=settle_usage,
        may_go_on=partial(keep_reserved, margin_s=stopping_s(deployment)),
    )


def stopping_s(deployment: Deployment) -> float:
    """Give the compute time that an execution may still take when it is asked to pause, in seconds."""
    return deployment.cancel_s + deployment.lease_s / 3


class Janitor:
    """Looks after what ended executions leave.

    Args:
        platform: The installation.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._tidied_at = time.monotonic()

    def run(self, stop: threading.Event) -> None:
        """Look again and again until ``stop`` is set; what is away now is done later."""
        while not stop.wait(_LOOK_S):
            for do in (self.look, self.tidy_when_due):
                try:
                    do()
                except KinsynthError as error:
                    _log.warning("janitor", code=error.code)
                except Exception as error:  # noqa: BLE001 - the thread must live; the text could hold a value
                    _log.error("janitor", fault=type(error).__name__)

    def look(self) -> None:
        """Do what should not wait."""
        self._continue_paused()
        clear_ended(self._platform)
        self._platform.artefacts.collect_released()

    def _continue_paused(self) -> None:
        """Let what paused for want of compute time go on; whoever sweeps delivers it should this end here."""
        margin_s = stopping_s(self._platform.deployment)
        with self._platform.records.read() as connection:  # mostly there is none: ask without a lock
            if not has_paused(connection):
                return
        with self._platform.records.write() as connection:
            again = continue_paused(connection, margin_s=margin_s)
        for execution_id, attempt in again:
            self._platform.engine.submit(execution_id, attempt)

    def tidy_when_due(self) -> None:
        """Do what may wait a minute."""
        if time.monotonic() - self._tidied_at < _TIDY_S:
            return
        self._tidied_at = time.monotonic()
        expire_results(self._platform)
        self._platform.artefacts.collect()
        sweep(self._platform.scratch)
        self._platform.artefacts.store.remove_parts(older_than_s=_PART_S, now=time.time())


def main() -> None:
    """Run a worker that ends with its parent."""
    die_with_parent(int(sys.argv[1]))
    deployment = read_deployment()
    set_up_logs(deployment.log_format, deployment.log_level)
    try:
        run_worker(deployment)
    except KinsynthError as error:
        _log.error("worker_not_started", code=error.code, where=error.where)
        sys.exit(1)


if __name__ == "__main__":
    main()
