"""Actor: who asks for something, as the policy sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Role = Literal["admin", "user"]
Via = Literal["session", "token", "system", "nothing"]


@dataclass(frozen=True)
class Actor:
    """Somebody, or nobody, in front of an operation.

    Attributes:
        user_id: Who it is; empty for strangers and for the platform itself.
        role: What they are, None for strangers.
        via: How they were recognised.
        credential_id: Id of the session or the token.
    """

    user_id: str
    role: Role | None
    via: Via
    credential_id: str = ""


STRANGER = Actor("", None, "nothing")
SYSTEM = Actor("", "admin", "system")
