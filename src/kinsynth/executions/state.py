"""Statuses of an execution and the changes between them that are allowed."""

from __future__ import annotations

from typing import Final, Literal

Status = Literal["queued", "running", "paused", "cancelling", "succeeded", "failed", "cancelled"]

ALLOWED: Final[dict[Status, dict[Status, str]]] = {
    "queued": {
        "running": "a worker claims it",
        "cancelled": "cancel",
    },
    "running": {
        "queued": "its worker was lost, or stops",
        "paused": "the quota of compute time is used up",
        "cancelling": "cancel",
        "succeeded": "the last step is done",
        "failed": "a step failed, or it was lost too often",
    },
    "paused": {"queued": "resume", "cancelled": "cancel"},
    "cancelling": {"cancelled": "its worker stopped, or was lost"},
    "succeeded": {},
    "failed": {},
    "cancelled": {},
}
FINAL: Final[frozenset[Status]] = frozenset(status for status, to in ALLOWED.items() if not to)
HELD: Final[frozenset[Status]] = frozenset({"running", "cancelling"})  # those that a worker works on


def check_transition(before: Status, after: Status) -> None:
    """Refuse a change of status that does not exist.

    Raises:
        ValueError: The change is not allowed: a fault of ours.

    >>> check_transition("queued", "running")
    """
    if after not in ALLOWED[before]:
        raise ValueError(f"an execution never goes from {before} to {after}")


def sources_of(after: Status) -> tuple[Status, ...]:
    """Give the statuses from which one comes to another, in the order of the table.

    >>> sources_of("cancelled")
    ('queued', 'paused', 'cancelling')
    """
    return tuple(before for before, to in ALLOWED.items() if after in to)
