"""Fixtures of the service's tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from installation import Submitted, make_person, running_platform
from kinsynth.service.actor import Actor
from kinsynth.service.platform import Platform
from kinsynth.storage.records import Records


@pytest.fixture
def platform(records: Records, tmp_path: Path, cheap_passwords: None) -> Iterator[Platform]:
    """An open platform without workers, once on each kind of database."""
    with running_platform(records, tmp_path / "data") as found:
        yield replace(found, engine=Submitted())  # type: ignore[arg-type]


@pytest.fixture
def ann(platform: Platform) -> Actor:
    """Somebody."""
    return make_person(platform)


@pytest.fixture
def bob(platform: Platform) -> Actor:
    """Somebody else."""
    return make_person(platform)


@pytest.fixture
def unlocked(platform: Platform) -> None:
    """No guard of the database over the audit log, as somebody with all rights would have it."""
    with platform.records.write() as connection:
        for name in ("audit_keeps_rows", "audit_keeps_values"):
            suffix = "" if platform.records.is_sqlite else " ON audit"
            connection.execute(text(f"DROP TRIGGER {name}{suffix}"))
