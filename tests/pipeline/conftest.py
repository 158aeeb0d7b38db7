"""What tests that run whole pipelines share."""

from __future__ import annotations

from typing import Any

import pytest

from kinsynth.connectors import files


@pytest.fixture
def parse_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parse in this process: a child for each of many tiny files costs most of the time."""

    def call(_path: str, arguments: dict[str, Any], **_limits: Any) -> Any:
        return files.parse(**arguments)

    monkeypatch.setattr(files, "run_limited", call)
