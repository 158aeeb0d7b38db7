"""Wherever the server is killed, who asks again gets what they asked for: once, whole, and nothing else."""

from __future__ import annotations

import hashlib
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from durability.installed_runs import Fresh, Installation, check_no_leftovers, count, installation, kill
from installation import make_person
from kinsynth.client import Client
from kinsynth.service.audit import verify
from kinsynth.service.people.tokens import NewToken, create_token
from kinsynth.storage.files import list_files
from kinsynth.storage.records import Records
from kinsynth.storage.store import FolderStore
from kinsynth.storage.tables import executions, files, sources, syntheses
from shop_database import write_shops

# What the script passes at least, whatever the server does on its own meanwhile.
PASSED = {"records.before_commit", "records.committed", "artefacts.announced", "artefacts.written"}
PASSED |= {"store.before_rename", "store.after_rename"}
# What children that read files pass: without one the server goes on, and asks to be asked again.
IN_CHILDREN = "files."
CHOSEN = {"sqlite": "records.committed:9", "postgresql": "store.after_rename:3"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("source") / "shops"
    write_shops(folder)
    return folder


class Served:
    """An installation whose server is started again whenever it is killed."""

    def __init__(self, found: Installation, port: int, **variables: str) -> None:
        self.found, self.port, self.kills = found, port, 0
        self._server = self._start(**variables)
        self._ended = threading.Event()
        self._keeper = threading.Thread(target=self._keep)
        self._keeper.start()

    def _start(self, **variables: str) -> object:
        settings = {"KINSYNTH_PORT": str(self.port), "KINSYNTH_EMBEDDED_WORKERS": "0"}
        return self.found.start_server(**settings, **variables)

    def _keep(self) -> None:
        while not self._ended.wait(0.02):
            if self._server.poll() is not None:
                self.kills += 1
                self._server = self._start()

    def has_been_killed(self, times: int) -> bool:
        """Tell whether it was, once the last kill had the time to be noticed."""
        until = time.monotonic() + 10
        while self.kills < times and time.monotonic() < until:
            time.sleep(0.02)
        return self.kills == times

    def kill(self) -> None:
        kill(self._server)

    def close(self) -> None:
        self._ended.set()
        self._keeper.join()
        kill(self._server)


@contextmanager
def served(records: Records, folder: Path, source: Path, **variables: str) -> Iterator[tuple[Served, Client]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with installation(records, folder, source) as found:
        secret = create_token(found.platform, found.actor, NewToken(name="script")).secret
        server = Served(found, port, **variables)
        try:
            wait_for(port)
            with Client(f"http://127.0.0.1:{port}", secret) as client:
                yield server, client
        finally:
            server.close()


def wait_for(port: int) -> None:
    until = time.monotonic() + 60
    while True:
        try:
            assert httpx.get(f"http://127.0.0.1:{port}/health").is_success
        except httpx.TransportError:
            assert time.monotonic() < until, "the server did not start"
            time.sleep(0.05)
        else:
            return


def script(client: Client, source: Path, name: str) -> tuple[str, str]:
    """Upload, replace and remove files, make and change a synthesis, start, cancel, retry, delete."""
    paths = sorted(source.iterdir())
    source_id, number = client.put_source(name, paths)
    version = client.open_version(source_id, copy_files=True)["number"]
    assert (number, version) == (1, 2)
    client.remove_file(source_id, version, paths[0].name)
    client.upload(source_id, version, paths[1], name=paths[0].name)
    client.upload(source_id, version, paths[0])
    client.seal(source_id, version)
    document = Installation.quick()
    synthesis_id = client.create_synthesis(source_id, name, document)["id"]
    client.update_synthesis(synthesis_id, {**document, "report": {"enabled": False}}, version=1)
    first = client.run(synthesis_id, seed=3)["id"]
    assert client.cancel(first)["status"] == "cancelled"
    second = client.retry(first)["id"]
    client.cancel(second)
    client.delete_execution(first)
    copy = client.clone(synthesis_id, name="copy")["id"]
    client.delete_synthesis(copy)
    other, _ = client.put_source(f"other {name}", paths[:1])
    client.delete_source(other)
    return source_id, second


def check(found: Installation, source: Path, source_id: str, execution_id: str, rounds: int) -> None:
    """What the script made is there once, whole; what it deleted is gone; nothing is half."""
    records = found.platform.records
    mine = sources.c.owner_id == found.actor.user_id
    assert count(records, sources, mine) == 1 + rounds, "that of the installation, and those made"
    assert count(records, syntheses) == 1 + rounds
    assert count(records, executions) == rounds
    assert found.row(execution_id).status == "cancelled"
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in source.iterdir()}
    with records.read() as connection:
        for number in (1, 2):
            kept = {name: one.digest for name, one in list_files(connection, source_id, number).items()}
            assert kept == digests
        owners = set(connection.execute(select(files.c.owner_id)).scalars())
        known = set(connection.execute(select(sources.c.id)).scalars())
    assert {owner.partition("/")[0] for owner in owners} <= known
    verify(found.platform, make_person(found.platform, "admin"))
    read = found.platform.artefacts.read
    with records.read() as connection:
        stored = list_files(connection, source_id, 2)
    for name, one in stored.items():
        assert b"".join(read(one)) == (source / name).read_bytes()
    store = found.platform.artefacts.store
    store.remove_parts(older_than_s=3600, now=time.time())  # as every worker does: their writers are gone
    assert isinstance(store, FolderStore)
    assert not list(store.folder.rglob(".part.*"))
    check_no_leftovers(found)


def survive(records: Records, folder: Path, source: Path, point: str) -> bool:
    """Kill at a point; tells whether it was reached: what the server does on its own moves later ones."""
    once = folder / "once"
    folder.mkdir(exist_ok=True)
    crash = {"KINSYNTH_CRASH_AT": point, "KINSYNTH_CRASH_ONCE": str(once)}
    with served(records, folder / "here", source, **crash) as (server, client):
        made = script(client, source, "shop")
        assert not once.exists() or server.has_been_killed(0 if point.startswith(IN_CHILDREN) else 1)
        check(server.found, source, *made, rounds=1)
        return once.exists()


@pytest.mark.slow
def test_a_server_killed_at_a_point_has_done_what_it_was_asked_once(
    records_url: str, records: Records, tmp_path: Path, source: Path
) -> None:
    assert survive(records, tmp_path / "it", source, CHOSEN[records_url.partition(":")[0].partition("+")[0]])


@pytest.mark.soak
def test_a_server_killed_at_any_point_has_done_what_it_was_asked_once(
    records_url: str, fresh: Fresh, tmp_path: Path, source: Path
) -> None:
    """Each point that the script passes; on PostgreSQL every third."""
    trace = tmp_path / "trace"
    with (
        fresh("undisturbed") as (records, folder),
        served(records, folder, source, KINSYNTH_CRASH_TRACE=str(trace)) as (server, client),
    ):
        passed_before = len(trace.read_text().splitlines())
        made = script(client, source, "shop")
        points = trace.read_text().splitlines()
        check(server.found, source, *made, rounds=1)
    assert {point.partition(":")[0] for point in points} >= PASSED
    chosen = points[passed_before :: 1 if records_url.startswith("sqlite") else 3]
    reached = 0
    for number, point in enumerate(chosen):
        with fresh(str(number)) as (records, folder):
            reached += survive(records, folder, source, point)
    assert reached >= 0.9 * len(chosen)


@pytest.mark.soak
def test_a_server_killed_at_random_has_done_what_it_was_asked_once(
    records: Records, records_url: str, tmp_path: Path, source: Path
) -> None:
    """Twelve times the script, and a kill within each: in the middle of an upload, an answer, a start."""
    chance = random.Random(records_url.partition(":")[0])
    with served(records, tmp_path / "here", source) as (server, client):
        began = time.monotonic()
        made = script(client, source, "shop 0")
        lasts = time.monotonic() - began
        for number in range(1, 13):
            timer = threading.Timer(chance.uniform(0, lasts), server.kill)
            timer.start()
            made = script(client, source, f"shop {number}")
            timer.join()
        check(server.found, source, *made, rounds=13)
        assert server.has_been_killed(12)
