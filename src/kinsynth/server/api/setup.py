"""The first start."""

from __future__ import annotations

from kinsynth.server.auth import OpenPlatform
from kinsynth.server.operation import make_router, operation
from kinsynth.server.words import PASSWORDS
from kinsynth.service.people.setup import Claim, claim_setup
from kinsynth.service.people.users import UserView

router = make_router()


@operation(
    router,
    "POST",
    "/setup",
    "setup.claim",
    status=201,
    errors={
        403: ("setup.token",),
        404: ("access.not_found",),
        409: ("users.email_taken",),
        422: PASSWORDS,
        503: ("passwords.busy",),
    },
)
def claim(platform: OpenPlatform, body: Claim) -> UserView:
    """Make the first administrator with the token the server printed at its first start."""
    return claim_setup(platform, body)
