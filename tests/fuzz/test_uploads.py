"""Damaged uploads are taken or refused in words: never a fault of the server, whose memory stays flat.

Files go up one by one; some versions are sealed with one file, most with many, as parsing starts a process.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import httpx
import psutil
import pytest
from serving import API, People, running_server

from fuzz.mutated_files import make_seeds, mutate

GROWTH_BYTES = 50_000_000


class Server:
    """A running installation and somebody with a token."""

    def __init__(self, address: str, token: str, pid: int) -> None:
        self.client = httpx.Client(
            base_url=address + API, headers={"Authorization": f"Bearer {token}"}, timeout=120
        )
        self._process = psutil.Process(pid)
        self.answers: Counter[str] = Counter()

    def ask(self, kind: str, method: str, path: str, **options: object) -> httpx.Response:
        """Send one request and count what came back."""
        answer = self.client.request(method, path, **options)  # type: ignore[arg-type]
        self.answers[f"{kind} {answer.status_code}"] += 1
        if not answer.is_success:
            said = answer.json()
            assert said["code"], (kind, answer.status_code, said)
            assert said["remedy"], (kind, answer.status_code, said)
            self.answers[said["code"]] += 1
        return answer

    def memory(self) -> int:
        """Bytes of memory of the process that serves."""
        return int(self._process.memory_info().rss)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("installation")
    with running_server(folder, KINSYNTH_EMBEDDED_WORKERS="0") as (address, setup, process):
        people = People(address, setup, count=1)
        people.admin.close()
        found = Server(address, people.tokens[0], process.pid)
        yield found
        found.client.close()


def upload(server: Server, files: list[tuple[str, bytes]]) -> None:
    """Put files into a version, seal it, look into it, and delete it all."""
    source = server.ask("source", "POST", "/sources", json={"name": "damaged"}).json()["id"]
    number = server.ask("version", "POST", f"/sources/{source}/versions", json={}).json()["number"]
    version = f"/sources/{source}/versions/{number}"
    for place, (name, content) in enumerate(files):
        server.ask("upload", "PUT", f"{version}/files/{place:03}-{name}", content=content)
    sealed = server.ask("seal", "POST", f"{version}/seal")
    if sealed.is_success:
        server.ask("detection", "POST", f"{version}/detection", json={})
    server.ask("delete", "DELETE", f"/sources/{source}")


def fuzz(server: Server, folder: Path, *, alone: int, together: int, batch: int, seed: int) -> None:
    """Upload damaged files, some alone and others in batches."""
    damaged = mutate(make_seeds(folder), alone + together, seed)
    for one in islice(damaged, alone):
        upload(server, [one])
    before = server.memory()
    while some := list(islice(damaged, batch)):
        upload(server, some)
    growth = server.memory() - before
    told = f"{alone + together} damaged uploads, memory grew by {growth / 1e6:.1f} MB: {dict(server.answers)}"
    sys.stdout.write(told + "\n")
    assert [kind for kind in server.answers if kind.endswith((" 500", " 503", " 501", " 502"))] == []
    assert growth < GROWTH_BYTES


@pytest.mark.slow
def test_damaged_uploads_are_refused_in_words(server: Server, tmp_path: Path) -> None:
    fuzz(server, tmp_path, alone=12, together=240, batch=40, seed=1)


@pytest.mark.soak
def test_ten_thousand_damaged_uploads_are_refused_in_words(server: Server, tmp_path: Path) -> None:
    fuzz(server, tmp_path, alone=300, together=9_700, batch=50, seed=2)
