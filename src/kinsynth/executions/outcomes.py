"""Ends of a claim that was worked on: succeeded, failed or paused; only its holder writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from sqlalchemy import Connection

from kinsynth.executions.claims import Claim, Hook, end, no_hook, read_held
from kinsynth.executions.state import Status


def finish(
    connection: Connection,
    held: Claim,
    status: Literal["succeeded", "failed", "cancelled"],
    *,
    error: Mapping[str, Any] | None = None,
    on_final: Hook = no_hook,
) -> Status:
    """End an execution.

    Args:
        connection: A writing transaction.
        held: The claim.
        status: What came of the work; ``cancelled`` only when somebody asked for it.
        error: Why it failed, as :func:`~kinsynth.executions.failure.describe_error` gives it.
        on_final: What follows from it, in the same transaction.

    Returns:
        The status it has now: ``cancelled`` whatever the outcome, when somebody asked for that before.

    Raises:
        LeaseLost: The claim is no longer good.
        ValueError: ``failed`` without an error, or ``cancelled`` without a wish: a fault of ours.
    """
    row = read_held(connection, held)
    if row.status == "cancelling":
        status, error = "cancelled", None
    elif status == "cancelled":
        raise ValueError("nobody asked to cancel the execution")
    if (status == "failed") != (error is not None):
        raise ValueError("an error belongs to a failure, and only to one")
    found = None if error is None else dict(error)
    end(connection, row, status, error=found, on_final=on_final)
    return status


def pause(
    connection: Connection, held: Claim, error: Mapping[str, Any] | None, *, on_final: Hook = no_hook
) -> Status:
    """Pause an execution.

    Args:
        connection: A writing transaction.
        held: The claim.
        error: Why, as :func:`~kinsynth.executions.failure.describe_error` gives it; None where unknown.
        on_final: What follows from it, in the same transaction.

    Returns:
        ``paused``, or ``cancelled`` when somebody asked for that before.

    Raises:
        LeaseLost: The claim is no longer good.
    """
    found = None if error is None else dict(error)
    row = read_held(connection, held)
    if row.status == "cancelling":
        end(connection, row, "cancelled", on_final=on_final)
        return "cancelled"
    end(connection, row, "paused", error=found, on_final=on_final)
    return "paused"
