"""Fixtures of the use cases."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from kinsynth.service.platform import Platform


@pytest.fixture
def unlocked(platform: Platform) -> None:
    """An installation whose database no longer guards the audit log, as somebody with all rights would make it."""
    with platform.records.write() as connection:
        for name in ("audit_keeps_rows", "audit_keeps_values"):
            suffix = "" if platform.records.is_sqlite else " ON audit"
            connection.execute(text(f"DROP TRIGGER {name}{suffix}"))
