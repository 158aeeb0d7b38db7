"""Serving: what is started when, and what is said where nobody can listen."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from installation import make_source
from kinsynth.client import Client
from kinsynth.errors import UserError
from kinsynth.server import serve as module
from kinsynth.server.serve import serve
from kinsynth.service.analysis.analysts import Analysts
from kinsynth.service.people.tokens import NewToken, create_token
from kinsynth.service.platform import opened_platform
from kinsynth.settings.deployment import read_deployment
from kinsynth.system.supervision import Supervisor
from people import add_person


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


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_child_and_no_folder_outlives_the_server(
    tmp_path: Path, how: signal.Signals, cheap_passwords: None
) -> None:
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.csv").write_bytes(b"id,x\n" + b"1,2\n" * 30)
    deployment = read_deployment(data=tmp_path / "data")
    with opened_platform(deployment) as platform:
        ana = add_person(platform, "ana").actor
        token = create_token(platform, ana, NewToken(name="t")).secret
        source_id = make_source(platform, ana, tmp_path / "files")
    variables = {"DATA": str(tmp_path / "data"), "PORT": "0", "EMBEDDED_WORKERS": "0"}
    command = [sys.executable, "-P", "-c", "from kinsynth.cli import main; main()", "serve"]
    said = (tmp_path / "said").open("wb")
    with (
        said,
        subprocess.Popen(
            command,
            env=os.environ | {f"KINSYNTH_{name}": value for name, value in variables.items()},
            stdout=said,
            stderr=said,
        ) as server,
    ):
        try:
            with Client(_find_address(tmp_path / "said"), token) as client:
                assert len(client.preview_source(source_id, 1, "a", limit=2)["rows"]) == 2
                assert len(client.preview_source(source_id, 1, "a", limit=3)["rows"]) == 3
            folder = tmp_path / "data" / "scratch" / "analysis"
            assert [path for path in folder.iterdir() if path.is_dir()], "a reader is open"
            family = psutil.Process(server.pid).children(recursive=True)
            assert family
        finally:
            server.send_signal(how)
    _, alive = psutil.wait_procs(family, 5)
    assert not alive
    if how == signal.SIGKILL:  # the next one clears away
        Analysts(deployment).close()
    assert not [path for path in folder.iterdir() if path.is_dir()]


def _find_address(said: Path) -> str:
    until = time.monotonic() + 60
    while (found := re.search(r"http://[0-9.]+:[0-9]+", said.read_text())) is None:
        assert time.monotonic() < until, said.read_text()
        time.sleep(0.05)
    return found.group()
