"""Serving: what is started when, and what is said where nobody can listen."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from kinsynth.errors import UserError
from kinsynth.server import serve as module
from kinsynth.server.serve import serve
from kinsynth.settings.deployment import read_deployment
from kinsynth.system.supervision import Supervisor


def test_a_port_that_is_taken_is_told_and_no_worker_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Supervisor] = []
    monkeypatch.setattr(module.Supervisor, "start", started.append)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        deployment = read_deployment(data=tmp_path, host="127.0.0.1", port=taken.getsockname()[1])
        with pytest.raises(UserError) as caught:
            serve(deployment, say=lambda _: None)
    assert caught.value.code == "server.address"
    assert started == []
