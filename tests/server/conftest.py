"""Fixtures of the HTTP tests: one application on SQLite, and its visitors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from kinsynth.server.app import make_app
from kinsynth.service.platform import Platform
from visitors import Visitors, visiting


@pytest.fixture
def records_url(tmp_path: Path) -> str:
    """The use cases are tested on both databases; HTTP on one."""
    return f"sqlite:///{tmp_path / 'records.sqlite'}"


@pytest.fixture
def app(platform: Platform) -> FastAPI:
    """The application."""
    return make_app(platform)


@pytest.fixture
def visitors(app: FastAPI) -> Iterator[Visitors]:
    """Clients of the application, whose answers are checked against its document."""
    with visiting(app) as found:
        yield found
