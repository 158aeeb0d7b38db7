"""Events are shown as bars in a terminal and as lines elsewhere."""

from __future__ import annotations

import io
import re

from rich.console import Console

from kinsynth.cli.progress import STOPPING, PlainLines, show_progress
from kinsynth.pipeline.timeline import (
    STEPS,
    TITLES,
    Event,
    ExecutionStarted,
    StepFinished,
    StepMessage,
    StepProgressed,
    StepStarted,
)

EVENTS: list[Event] = [
    ExecutionStarted(at=0.0, name="hospital"),
    StepStarted(at=0.0, step="loading"),
    StepMessage(at=1.0, step="loading", message="patients: 2,000 rows [utf-8]"),
    StepFinished(at=2.0, step="loading", seconds=2.0),
    StepStarted(at=2.0, step="training"),
    StepProgressed(
        at=9.0,
        step="training",
        share=0.4,
        seconds_left=12.0,
        message="epoch 3",
        values={"validation_loss": 1.25},
    ),
    StepFinished(at=20.0, step="training", seconds=18.0),
]


def test_plain_lines() -> None:
    """One line for each start, end and message, and for progress after a while; brackets stay."""
    words, ticks = io.StringIO(), iter(range(0, 1000, 11))
    listener = PlainLines(Console(file=words), lambda: False, clock=lambda: float(next(ticks)))
    for event in EVENTS:
        listener(event)
    assert words.getvalue().splitlines() == [
        "hospital: started",
        "Data loading",
        "  patients: 2,000 rows [utf-8]",
        "  done in 2 s",
        "Training",
        "  40%, 12 s left, epoch 3, validation loss 1.25",
        "  done in 18 s",
    ]


def test_plain_lines_are_not_a_flood() -> None:
    """Progress within the same seconds is one line at most."""
    words = io.StringIO()
    listener = PlainLines(Console(file=words), lambda: False, clock=lambda: 1.0)
    for _ in range(50):
        listener(EVENTS[5])
    assert words.getvalue() == ""


def test_a_wish_to_stop_is_said_once() -> None:
    """The user sees that Ctrl-C was heard."""
    words = io.StringIO()
    listener = PlainLines(Console(file=words), lambda: True)
    for event in EVENTS:
        listener(event)
    assert words.getvalue().count(STOPPING) == 1


def test_bars_show_all_steps() -> None:
    """A terminal shows the seven steps, the time taken and the messages."""
    words = io.StringIO()
    console = Console(file=words, force_terminal=True, width=120)
    with show_progress(console, lambda: False) as listener:
        for event in EVENTS:
            listener(event)
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", words.getvalue())
    assert all(TITLES[step] in shown for step in STEPS)
    assert "patients: 2,000 rows [utf-8]" in shown
    assert "18 s" in shown


def test_bars_tell_of_the_wish_to_stop() -> None:
    """The wish stands beside the running step."""
    words = io.StringIO()
    console = Console(file=words, force_terminal=True, width=120)
    with show_progress(console, lambda: True) as listener:
        listener(EVENTS[1])
    assert STOPPING in words.getvalue()
