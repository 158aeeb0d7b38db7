"""What a performer is given and what it gives back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kinsynth.executions.claims import Claim, Wish


@dataclass(frozen=True)
class Succeeded:
    """The last step is recorded."""


@dataclass(frozen=True)
class Failed:
    """It cannot be done; trying again would not help.

    Attributes:
        error: Why, as :func:`~kinsynth.executions.failure.describe_error` gives it.
    """

    error: Mapping[str, Any]


@dataclass(frozen=True)
class Paused:
    """It stopped at a point from which it can go on, and waits for somebody.

    Attributes:
        error: Why, as :func:`~kinsynth.executions.failure.describe_error` gives it; None where unknown.
    """

    error: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Stopped:
    """It stopped because it was wished: cancel, pause, drain or lost."""


@dataclass(frozen=True)
class Broken:
    """A process or a connection it needs was lost; another attempt may succeed."""


Outcome = Succeeded | Failed | Paused | Stopped | Broken
Perform = Callable[[Claim, Callable[[], Wish]], Outcome]
"""Works on a claimed execution until it is done or :class:`Work` wishes otherwise; blocks."""


class Work:
    """A claim that this process works on, and what is wished of it at the moment.

    Args:
        claim: The claim.
        lease_s: How long it lasts after a renewal.
        claimed_at: Time of :func:`time.monotonic` before it was asked for.
        draining: Set when the worker stops.

    Guarantees:
        ``wish`` answers without asking anybody, and says ``lost`` for ever as soon as the lease may have
        ended, also while the database is away or the thread that renews it hangs.
    """

    def __init__(self, claim: Claim, lease_s: float, claimed_at: float, draining: threading.Event) -> None:
        self.claim = claim
        self._lease_s = lease_s
        self._renewed_at = claimed_at
        self._said: Wish = "go"
        self._draining = draining

    def note(self, said: Wish, asked_at: float) -> None:
        """Take in the answer to a renewal that was asked for at ``asked_at`` of the monotonic clock."""
        if self.wish() != "lost":
            self._renewed_at, self._said = asked_at, said

    def wish(self) -> Wish:
        """Say what is wished: ``go``, ``cancel``, ``pause``, ``drain`` or ``lost``."""
        if time.monotonic() - self._renewed_at > self._lease_s:
            self._said = "lost"
        if self._said == "go" and self._draining.is_set():
            return "drain"
        return self._said
