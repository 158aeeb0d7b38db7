"""The REST API: one file for each resource, and the list of all."""

from kinsynth.server.api import (
    audit,
    destinations,
    downloads,
    executions,
    installation,
    models,
    quotas,
    receipts,
    sessions,
    setup,
    shares,
    sign_in,
    sources,
    syntheses,
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
    sources.router,
    syntheses.router,
    executions.router,
    models.router,
    downloads.router,
    destinations.router,
    audit.router,
    receipts.router,
)
