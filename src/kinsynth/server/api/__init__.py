"""The REST API: one file for each resource, and the list of all."""

from kinsynth.server.api import installation

ROUTERS = (installation.router,)
