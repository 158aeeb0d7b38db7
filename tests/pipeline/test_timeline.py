"""Events are kept, torn lines are dropped, and the timeline shows the seven steps as they stand."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from kinsynth.pipeline.timeline import (
    STEPS,
    Event,
    EventLog,
    ExecutionFailed,
    StepFinished,
    StepProgress,
    StepProgressed,
    StepStarted,
    read_events,
    timeline,
)


def test_events_are_read_back_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    log = EventLog(path)
    written: list[Event] = [
        StepStarted(at=1.0, step="loading"),
        StepProgressed(at=2.0, step="loading", share=0.5, seconds_left=1.0, values={"loss": 2.5}),
        StepFinished(at=3.0, step="loading", seconds=2.0),
    ]
    for event in written:
        log.add(event)
    assert list(read_events(path)) == written


def test_a_line_torn_by_a_kill_is_cut_before_the_next_event(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    EventLog(path).add(StepStarted(at=1.0, step="loading"))
    with path.open("ab") as handle:
        handle.write(b'{"at": 2.0, "kind": "step_fini')
    EventLog(path).add(StepStarted(at=3.0, step="preprocessing"))
    assert [event.at for event in read_events(path)] == [1.0, 3.0]


def test_looking_at_a_log_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"at": 2.0, "kind": "another process is wri')
    EventLog(path)
    assert path.read_bytes().endswith(b"wri")


def test_the_timeline_always_has_the_seven_steps_in_order() -> None:
    assert [view.step for view in timeline([])] == list(STEPS)
    assert {view.state for view in timeline([])} == {"waiting"}


def test_the_timeline_tells_running_finished_and_stopped_steps() -> None:
    events: list[Event] = [
        StepStarted(at=1.0, step="loading"),
        StepFinished(at=3.0, step="loading", seconds=2.0),
        StepStarted(at=3.0, step="preprocessing"),
        StepProgressed(at=4.0, step="preprocessing", share=0.25),
    ]
    loading, preprocessing, *rest = timeline(events)
    assert (loading.state, loading.seconds, loading.share) == ("finished", 2.0, 1.0)
    assert (preprocessing.state, preprocessing.share) == ("running", 0.25)
    assert {view.state for view in rest} == {"waiting"}
    stopped = timeline([*events, ExecutionFailed(at=5.0, code="x.y", message="m")])
    assert stopped[1].state == "stopped"


def test_progress_is_reported_at_most_twice_a_second_but_the_end_always(tmp_path: Path) -> None:
    seconds = iter([0.0, 0.6, 0.7, 0.8, 2.0, 2.1])
    progress = StepProgress(EventLog(tmp_path / "events.jsonl"), "training", clock=lambda: next(seconds))
    for share in (0.1, 0.2, 0.3, 0.5, 1.0):
        progress(share)
    events = [event for event in read_events(tmp_path / "events.jsonl") if isinstance(event, StepProgressed)]
    assert [event.share for event in events] == [0.1, 0.5, 1.0]
    assert events[1].seconds_left == pytest.approx(2.0)


def test_an_event_with_a_wrong_share_is_refused() -> None:
    with pytest.raises(ValidationError):
        StepProgressed(at=0.0, step="loading", share=1.5)


def test_a_loss_that_json_cannot_hold_is_no_event() -> None:
    with pytest.raises(ValidationError):
        StepProgressed(at=2.0, step="training", share=0.5, values={"loss": float("nan")})
