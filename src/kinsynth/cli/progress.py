"""Shows the seven steps while an execution runs: bars in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.text import Text

from kinsynth.cli.findings import describe_time
from kinsynth.pipeline.timeline import (
    STEPS,
    TITLES,
    Event,
    ExecutionStarted,
    Listener,
    StepFinished,
    StepMessage,
    StepName,
    StepProgressed,
    StepStarted,
)

STOPPING = "stopping at the next safe point; Ctrl-C again stops now"
LINE_EVERY_S = 10.0


@contextmanager
def show_progress(
    console: Console, stop_requested: Callable[[], bool], steps: tuple[StepName, ...] = STEPS
) -> Iterator[Listener]:
    """Give a listener that shows events on the console.

    Args:
        console: Bars when it is a terminal, plain lines otherwise.
        stop_requested: Whether the user asked to stop; shown beside the running step.
        steps: The steps that will run; further ones get a bar when they start.
    """
    if not console.is_terminal:
        yield PlainLines(console, stop_requested)
        return
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        _Clock(),
        _Words(stop_requested),
        console=console,
        refresh_per_second=8,
    )
    with bars:
        yield Bars(bars, steps)


class Bars:
    """A bar for each step, in the order of the timeline."""

    def __init__(self, progress: Progress, steps: tuple[StepName, ...]) -> None:
        self._progress = progress
        self._tasks: dict[StepName, TaskID] = {step: self._add(step) for step in steps}

    def __call__(self, event: Event) -> None:
        """Show one event."""
        match event:
            case StepStarted():
                self._progress.start_task(self._task(event.step))
            case StepProgressed():
                words = describe_progress(event.message, event.values)
                self._progress.update(
                    self._task(event.step), completed=event.share, left=event.seconds_left, words=words
                )
            case StepMessage():
                self._progress.console.print(Text(f"{TITLES[event.step]}: {event.message}"), soft_wrap=True)
            case StepFinished():
                task = self._task(event.step)
                self._progress.update(task, completed=1.0, left=None, seconds=event.seconds, words="")
                self._progress.stop_task(task)
            case _:
                pass

    def _task(self, step: StepName) -> TaskID:
        if step not in self._tasks:
            self._tasks[step] = self._add(step)
        return self._tasks[step]

    def _add(self, step: StepName) -> TaskID:
        return self._progress.add_task(
            TITLES[step], total=1.0, start=False, left=None, words="", seconds=None
        )


class PlainLines:
    """A line when a step begins or ends, and now and then between."""

    def __init__(
        self,
        console: Console,
        stop_requested: Callable[[], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._stop_requested = stop_requested
        self._clock = clock
        self._last = clock()
        self._told = False

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if self._stop_requested() and not self._told:
            self._told = True
            self._print(STOPPING)
        match event:
            case ExecutionStarted():
                self._print(f"{event.name}: {'taken up again' if event.resumed else 'started'}")
            case StepStarted():
                self._last = self._clock()
                self._print(TITLES[event.step])
            case StepProgressed() if event.share < 1 and self._clock() - self._last >= LINE_EVERY_S:
                self._last = self._clock()
                left = f", {describe_time(event.seconds_left)} left" if event.seconds_left is not None else ""
                words = describe_progress(event.message, event.values)
                self._print(f"  {event.share:.0%}{left}{', ' + words if words else ''}")
            case StepMessage():
                self._print(f"  {event.message}")
            case StepFinished():
                self._print(f"  done in {describe_time(event.seconds)}")
            case _:
                pass

    def _print(self, line: str) -> None:
        self._console.print(Text(line), soft_wrap=True)


class _Clock(ProgressColumn):
    """Time left while a step runs, time taken once it is done."""

    def render(self, task: Task) -> Text:
        seconds, left = task.fields["seconds"], task.fields["left"]
        if seconds is not None:
            return Text(f"{describe_time(seconds):>11}", style="green")
        if not task.started:
            return Text(" " * 11)
        words = f"{task.completed:4.0%}" if left is None else f"{describe_time(left)} left"
        return Text(f"{words:>11}", style="cyan")


class _Words(ProgressColumn):
    """What the running step says; that it is about to stop, when the user asked for it."""

    def __init__(self, stop_requested: Callable[[], bool]) -> None:
        self._stop_requested = stop_requested
        super().__init__()

    def render(self, task: Task) -> Text:
        running = task.started and task.fields["seconds"] is None
        if running and self._stop_requested():
            return Text(STOPPING, style="yellow")
        return Text(task.fields["words"], style="bright_black")


def describe_progress(message: str, values: Mapping[str, float]) -> str:
    """Write a step's message and measures in one line.

    >>> describe_progress("epoch 3", {"validation_loss": 1.23456})
    'epoch 3, validation loss 1.235'
    """
    measures = [f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items()]
    return ", ".join([message, *measures] if message else measures)
