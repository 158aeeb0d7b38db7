"""The REST API: one file for each resource, and the list of all."""

from kinsynth.server.api import (
    audit,
    destinations,
    installation,
    quotas,
    sessions,
    setup,
    shares,
    sign_in,
    tokens,
    users,
)

ROUTERS = (
    installation.router,
    setup.router,
    sign_in.router,
    sessions.router,
    users.router,
    quotas.router,
    tokens.router,
    shares.router,
    destinations.router,
    audit.router,
)
