"""Named points at which a test may kill the process, as a power cut would.

``KINSYNTH_CRASH_AT=name`` kills at the first passage of that point, ``name:3`` at the third.
``KINSYNTH_CRASH_ONCE=file`` lets that happen once for all processes: the file is made before the kill.
``KINSYNTH_CRASH_BY=SIGSTOP`` stops it there instead, so that a test may act at that very moment.
``KINSYNTH_CRASH_TRACE=file`` writes the name of every passage, so that a test knows them all.
Without these variables a point costs one look into a dictionary.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

_passages: Counter[str] = Counter()


def point(name: str) -> None:
    """Pass a point: nothing happens unless a test asked for it."""
    wanted, trace = os.environ.get("KINSYNTH_CRASH_AT"), os.environ.get("KINSYNTH_CRASH_TRACE")
    if wanted is None and trace is None:
        return
    _passages[name] += 1
    if trace is not None:
        with Path(trace).open("a", encoding="utf-8") as handle:
            handle.write(f"{name}:{_passages[name]}\n")
    if wanted in {name, f"{name}:{_passages[name]}"} and _is_first():
        os.kill(os.getpid(), signal.Signals[os.environ.get("KINSYNTH_CRASH_BY", "SIGKILL")])


def _is_first() -> bool:
    """Tell whether no process was killed yet, where that is asked."""
    once = os.environ.get("KINSYNTH_CRASH_ONCE")
    if once is None:
        return True
    try:
        Path(once).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True
