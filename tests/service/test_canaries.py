"""Cells of a source, secrets and names of people are nowhere to be found but in their places."""

from __future__ import annotations

import random
import re
import shutil
import signal
import subprocess
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from durability.installed_runs import Installation, installation
from kinsynth.client import Client
from kinsynth.errors import KinsynthError
from kinsynth.pipeline.timeline import STEPS
from kinsynth.storage.records import Records
from people import PASSWORD, add_person
from shop_database import SHOPS, write_shops

_CHANCE = random.Random(5)
CANARIES = ["".join(_CHANCE.choices("bcdfghjklmnpqrstvwxz", k=_CHANCE.randint(8, 19))) for _ in range(SHOPS)]


def write_canaries(folder: Path) -> None:
    """Write a source whose shops have names that nobody else has, each of its own kind."""
    write_shops(folder)
    shops = (folder / "shop.csv").read_text().splitlines()
    rows = [f"{row},{canary}" for row, canary in zip(shops[1:], CANARIES, strict=True)]
    (folder / "shop.csv").write_text("\n".join([f"{shops[0]},name", *rows]) + "\n")


def holds_one(content: bytes, planted: Iterable[str] = CANARIES) -> bool:
    """Whether something that was planted is in it."""
    return any(canary.encode() in content for canary in planted)


def hits(folder: Path, planted: Iterable[str] = CANARIES) -> list[str]:
    """Give the files below a folder in which something is that was planted."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return [path.relative_to(folder).as_posix() for path in files if holds_one(path.read_bytes(), planted)]


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fails", [False, True])
def test_no_cell_is_left_in_records_store_log_or_scratch(
    records: Records, tmp_path: Path, fails: bool
) -> None:
    write_canaries(tmp_path / "source")
    assert hits(tmp_path / "source") == ["shop.csv"]
    with installation(records, tmp_path / "here", tmp_path / "source") as found:
        columns = {"name": {"type": "numeric"}} if fails else {}
        document = found.quick(tables={"region": {"original": True}, "shop": {"columns": columns}})
        execution_id = found.add_execution(document=document)
        worker = found.start_worker()
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        assert found.row(execution_id).status == ("failed" if fails else "succeeded")
        worker.terminate()
        worker.wait(20)
        assert hits(tmp_path / "here") == []
        assert hits(tmp_path / "source") == ["shop.csv"], "the search finds what is there"
        dump = "\n".join(connection_dump(records))
        assert "shop" in dump
        assert not holds_one(dump.encode())
        assert not any(holds_one(content) for content in found.results(execution_id).values())


def connection_dump(records: Records) -> list[str]:
    """Give the whole database as text."""
    with records.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        return list(raw.iterdump())


# What people are called and what they typed, beside the cells.
NAMES = ("Xenobia Quillfeather", "xenobia.q", "Ward of Quill", "Plan of Quill", "Turn of Quill")
CHOSEN, GUESSED, REMOTE = "quokkas juggle nine plums", "zebras hum at midnight", "pelican-vault-7731"
COPIES = ("csv", "xlsx", "parquet")


class Wire(httpx.HTTPTransport):
    """A way to a server that keeps every answer: method and path, and headers and body as they came."""

    def __init__(self) -> None:
        super().__init__()
        self.answers: list[tuple[str, bytes]] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and keep the whole answer."""
        answer = super().handle_request(request)
        content, headers = answer.read(), answer.headers
        said = "\n".join(f"{name}: {value}" for name, value in headers.items()).encode() + b"\n\n" + content
        self.answers.append((f"{request.method} {request.url.path.removeprefix('/api/v1')}", said))
        return httpx.Response(answer.status_code, headers=headers, content=content)

    def found(self, planted: Iterable[str], *places: str) -> list[str]:
        """Give the answers that hold something planted; where places are given, only of those."""
        planted = [*planted]
        return [
            what for what, said in self.answers if holds_one(said, planted) and (not places or what in places)
        ]


class Visit:
    """Two people at a running installation, and what they typed and were given that nobody else may see."""

    def __init__(self, found: Installation, address: str) -> None:
        self.wire, self.secrets = Wire(), {PASSWORD, CHOSEN, GUESSED, REMOTE}
        self._found, self._address = found, address
        boss = add_person(found.platform, "boss", "admin")
        self.admin = self._sign_in(boss.email, PASSWORD)
        new = {"email": f"{NAMES[1]}@example.org", "name": NAMES[0], "password": CHOSEN}
        assert self.admin.post("/users", json=new).status_code == 201
        assert self._http().post("/sessions", json={"email": new["email"], "password": GUESSED}).is_error
        token = self._sign_in(new["email"], CHOSEN).post("/tokens", json={"name": "t"}).json()["secret"]
        self.secrets.add(token)
        self.client = Client(address, token, transport=self.wire)

    def _http(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self._address}/api/v1", transport=self.wire, timeout=60)

    def _sign_in(self, email: str, password: str) -> httpx.Client:
        client = self._http()
        answer = client.post("/sessions", json={"email": email, "password": password})
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        client.headers["Cookie"] = answer.headers["set-cookie"].partition(";")[0]
        self.secrets |= {answer.json()["csrf"], client.headers["Cookie"].partition("=")[2]}
        return client

    def work(self, place: Path) -> None:
        """Do everything once as it should be, and much as it should not."""
        client = self.client
        files = sorted((place / "source").iterdir())
        source_id, number = client.put_source(NAMES[2], files)
        client.detect(source_id, number)
        client.preview_source(source_id, number, "shop")
        document = {**self._found.quick(), "name": NAMES[3]}
        synthesis = client.create_synthesis(source_id, NAMES[3], document)
        client.check(synthesis["id"])
        execution = client.run(synthesis["id"], name=NAMES[4])
        assert [*client.follow(execution["id"])][-1]["kind"] == "execution_succeeded"
        for form in COPIES:
            client.download(execution["id"], form, place / "copies")
        client.fetch(execution["id"], "report.pdf", place / "copies" / "report.pdf")
        client.export(synthesis["id"])
        client.timeline(execution["id"])
        for misfit in ({"type": "numeric"}, {"type": "datetime"}, {"type": REMOTE}):
            tables = {"region": {"original": True}, "shop": {"columns": {"name": misfit}}}
            refused(lambda asked={**document, "tables": tables}: self._try(source_id, asked))
        for damaged in damage(files, place / "damaged"):
            refused(lambda path=damaged: client.detect(*client.put_source("damaged", [path])))
        remote = {"kind": "postgresql", "host": "h", "user": "u", "password": REMOTE}
        assert self._http().post("/destinations", json={"name": "d", "settings": remote}).is_error
        refused(lambda: client._ask("POST", "/destinations", json={"name": "d", "settings": remote}))
        for path in ("/audit", "/metrics", "/openapi.json", "/users"):
            assert self.admin.get(path if path != "/metrics" else f"{self._address}/metrics").is_success

    def _try(self, source_id: str, document: dict[str, Any]) -> None:
        synthesis = self.client.create_synthesis(source_id, "misfit", document)
        self.client.run(synthesis["id"])


def refused(ask: Callable[[], object]) -> None:
    """Ask for something that is answered by an error."""
    with pytest.raises(KinsynthError):
        ask()


def damage(files: list[Path], place: Path) -> list[Path]:
    """Write files that cannot be read, each full of cells."""
    place.mkdir()
    shop = next(path for path in files if path.name == "shop.csv").read_bytes()
    made = {
        "ragged.csv": shop + b"S9999," + b",".join(name.encode() for name in CANARIES) + b"\n",
        "bytes.csv": shop.replace(b"S0003", b"\xff\xfe\x00\x81"),
        "cut.parquet": b"PAR1" + shop + b"PAR1",
        "cut.xlsx": b"PK\x03\x04" + shop,
        "cut.ods": b"PK\x03\x04" + shop,
    }
    for name, content in made.items():
        (place / name).write_bytes(content)
    return [place / name for name in made]


def started(found: Installation) -> tuple[subprocess.Popen[bytes], str]:
    """Start a server; gives its process and its address."""
    server = found.start_server()
    find = re.compile(r"serves at (\S+)")
    found.wait(lambda: find.search(found.log()) is not None, 60, "served")
    matched = find.search(found.log())
    assert matched
    return server, matched[1]


def arguments_of(process: subprocess.Popen[bytes]) -> str:
    """Give arguments and environment of a process and all its children."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    return "\n".join(str([one.cmdline(), one.environ()]) for one in family)


@pytest.mark.slow
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("encrypts", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_nothing_that_was_planted_leaves_its_place(records: Records, tmp_path: Path, encrypts: bool) -> None:
    """Through a run, downloads, misfitting documents, damaged files and wrong passwords, from outside."""
    write_canaries(tmp_path / "source")
    data = tmp_path / "here" / "data"
    with installation(records, tmp_path / "here", tmp_path / "source", encrypts=encrypts) as found:
        server, address = started(found)
        visit = Visit(found, address)
        visit.work(tmp_path)
        assert not holds_one(arguments_of(server).encode(), [*CANARIES, *visit.secrets, *NAMES])
        visit.wire.close()
        server.terminate()
        server.wait(30)
        dump = "\n".join(connection_dump(records)).encode()
    planted = [*visit.secrets, *CANARIES]
    in_store = [] if encrypts else [path for path in hits(data) if path.startswith("artefacts/original/")]
    assert hits(tmp_path / "here") == [f"data/{path}" for path in in_store]
    assert bool(in_store) != encrypts, "what is not encrypted is found"
    assert hits(tmp_path / "here", visit.secrets) == []
    assert not holds_one(dump, planted)
    assert hits(tmp_path / "copies", [*planted, *NAMES[:2]]) == []
    for copy in (tmp_path / "copies").iterdir():
        assert not holds_one(text_of(copy), [*planted, *NAMES[:2]]), copy
    assert [what.rpartition("/")[2] for what in visit.wire.found(CANARIES)] == ["preview"]
    assert set(visit.wire.found(visit.secrets)) == {"POST /sessions", "POST /tokens"}, "once, to their owner"
    assert visit.wire.found(NAMES, "GET /audit", f"GET {address}/metrics", "GET /metrics") == []
    log = (data / "worker.log").read_bytes()
    assert b"listening" in log
    assert not holds_one(log, NAMES)


def text_of(copy: Path) -> bytes:
    """Give what is in a copy that is packed; the report's text, where something that reads it is there."""
    if copy.suffix in {".zip", ".xlsx"}:
        with zipfile.ZipFile(copy) as packed:
            return b"\n".join(packed.read(name) for name in packed.namelist())
    if copy.suffix == ".pdf" and (reader := shutil.which("pdftotext")):
        return subprocess.run([reader, str(copy), "-"], capture_output=True, check=True).stdout
    return copy.read_bytes()


@pytest.mark.soak
@pytest.mark.parametrize("records_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("by", ["SIGKILL", "SIGABRT"])
def test_no_cell_is_left_where_a_step_was_killed_or_failed(
    records: Records, tmp_path: Path, step: str, by: str
) -> None:
    """The training child is killed at the end of a step, and goes on; or it crashes, and the run fails."""
    write_canaries(tmp_path / "source")
    once = tmp_path / "once"
    with installation(records, tmp_path / "here", tmp_path / "source") as found:
        execution_id = found.add_execution()
        worker = found.start_worker(
            KINSYNTH_CRASH_AT=f"{step}.end", KINSYNTH_CRASH_ONCE=str(once), KINSYNTH_CRASH_BY=by
        )
        found.wait_for(execution_id, "succeeded", "failed")
        found.wait_cleared(execution_id)
        assert once.exists()
        assert found.row(execution_id).status == ("succeeded" if by == "SIGKILL" else "failed")
        worker.send_signal(signal.SIGTERM)
        worker.wait(20)
        assert hits(tmp_path / "here") == []
        assert not holds_one("\n".join(connection_dump(records)).encode())
        assert not any(holds_one(content) for content in found.results(execution_id).values())
