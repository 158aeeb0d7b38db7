"""The training child: performs one execution in a scratch folder and tells its parent what happens.

It is started as ``python -m kinsynth.service.performing.program`` with one JSON document on its standard
input, and is the only process of a service that loads torch. It writes JSON lines to its standard output:
``event``, and at the end ``outcome``. After each finished step it waits until its parent has kept the files.
SIGTERM asks it to stop at the next safe point. It dies with its parent, and opens no connection.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, TextIO

from kinsynth.errors import Interrupted, KinsynthError
from kinsynth.pipeline.conditions import Conditions
from kinsynth.pipeline.request import read_conditions
from kinsynth.pipeline.run import drawing_facts, run_facts, take_up
from kinsynth.pipeline.timeline import Event, StepFinished
from kinsynth.service.performing.mirror import GIVEN
from kinsynth.service.performing.words import KEPT
from kinsynth.settings.conditions import Fill
from kinsynth.settings.document import parse
from kinsynth.system import crash
from kinsynth.system.child import describe, die_with_parent
from kinsynth.system.memory import offer_to_the_killer

_CONNECTIONS = {"socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo"}


class _Parent:
    """The other end of the pipes."""

    def __init__(self, channel: TextIO) -> None:
        self._channel = channel
        self.wants_stop = False

    def tell(self, **said: Any) -> None:
        """Send one line; a parent that is gone ends this process."""
        try:
            self._channel.write(json.dumps(said) + "\n")
            self._channel.flush()
        except BrokenPipeError:
            os._exit(1)

    def hear(self, event: Event) -> None:
        """Send an event; after a step, wait until its files are kept."""
        self.tell(event=event.model_dump(mode="json"))
        if isinstance(event, StepFinished):
            crash.point("child.told")
            if sys.stdin.readline() != KEPT:
                os._exit(1)
            crash.point("child.answered")

    def ask_stop(self, _signal: int, _frame: FrameType | None) -> None:
        """Take the wish to stop."""
        self.wants_stop = True


def perform(request: Mapping[str, Any], parent: _Parent) -> None:
    """Perform what the request asks for.

    Args:
        request: ``folder`` of the execution; ``synthesis``, the document; ``base``, the folder of its source;
            ``model``, the folder of the stored model to draw from, or None to train one; ``rows``, ``seed``,
            ``conditions`` and ``fill`` of the drawing.
        parent: Who is told.

    Raises:
        KinsynthError: As ``pipeline.run``.
    """
    folder, synthesis = Path(request["folder"]), parse(request["synthesis"])
    if request["model"] is None:
        facts = run_facts(Path(request["base"]))
    else:
        said = request["conditions"]
        conditions = read_conditions(said, folder / GIVEN) if said else Conditions()
        facts = drawing_facts(
            Path(request["model"]),
            rows=request["rows"],
            seed=request["seed"],
            conditions=conditions,
            fill=Fill.model_validate(request["fill"]) if request["fill"] else None,
        )
    take_up(folder, synthesis, facts, on_event=parent.hear, stop_requested=lambda: parent.wants_stop)


def _refuse_connections(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in _CONNECTIONS:
        raise PermissionError(f"{event} is not allowed here")


def _report_fault(parent: _Parent) -> None:
    """Let an unforeseen exception end as its type and place: its text could hold a cell."""

    def hook(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
        place = traceback.extract_tb(trace)[-1]
        parent.tell(outcome="fault", type=kind.__name__, at=f"{Path(place.filename).name}:{place.lineno}")

    sys.excepthook = hook


def main() -> None:
    """Serve one request."""
    parent = _Parent(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    _report_fault(parent)
    signal.signal(signal.SIGTERM, parent.ask_stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's interrupt is for the worker
    request = json.loads(sys.stdin.readline())
    die_with_parent(request["parent"])
    offer_to_the_killer()
    sys.addaudithook(_refuse_connections)
    crash.point("child.begun")
    try:
        perform(request, parent)
    except Interrupted:
        parent.tell(outcome="stopped")
    except KinsynthError as error:
        parent.tell(outcome="error", error=describe(error))
    else:
        parent.tell(outcome="succeeded")


if __name__ == "__main__":
    main()
