"""The client against the application: what is lost on the way is sent again, and nothing is made twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from finished_run import succeed
from installation import Submitted, make_person, running_platform
from kinsynth import client as module
from kinsynth.client import Client
from kinsynth.errors import AccessError, ConflictError, SchemaError, SourceError, TransientError, UserError
from kinsynth.server.app import make_app
from kinsynth.service import downloads
from kinsynth.service.people.tokens import NewToken, create_token
from kinsynth.service.platform import Platform
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions
from shop_database import write_shops

DOCUMENT = {"tables": {"region": {"original": True}}}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """An open platform without workers."""
    records = Records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    migrate(records)
    with running_platform(records, tmp_path / "data") as found:
        yield replace(found, engine=Submitted())  # type: ignore[arg-type]
    records.close()


class Wire(httpx.BaseTransport):
    """A way to the application that loses answers: each of ``losses`` is asked once for every request."""

    def __init__(self, platform: Platform) -> None:
        self.app = make_app(platform)
        self.sent: list[tuple[str, str]] = []
        self.loses: Callable[[int], bool] = lambda _number: False

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; its answer may get lost after it was served."""
        body = request.read()
        self.sent.append((request.method, request.url.path))

        async def serve() -> httpx.Response:
            inner = httpx.ASGITransport(app=self.app)
            whole = httpx.Request(request.method, request.url, headers=request.headers, content=body)
            answer = await inner.handle_async_request(whole)
            content = await answer.aread()
            return httpx.Response(answer.status_code, headers=answer.headers, content=content)

        answer = asyncio.run(serve())
        if self.loses(len(self.sent)):
            raise httpx.ReadError("lost", request=request)
        return answer


@pytest.fixture
def wire(platform: Platform) -> Wire:
    """The way to it."""
    return Wire(platform)


@pytest.fixture
def client(platform: Platform, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Somebody's client, who does not wait between tries."""
    monkeypatch.setattr(module, "_pause", lambda _attempt: 0.0)
    secret = create_token(platform, make_person(platform), NewToken(name="t")).secret
    with Client("https://kinsynth.test", secret, transport=wire) as found:
        yield found


@pytest.fixture
def shops(tmp_path: Path) -> list[Path]:
    """Three files."""
    write_shops(tmp_path / "shops")
    return sorted((tmp_path / "shops").iterdir())


def test_nothing_is_made_twice_where_every_second_answer_is_lost(
    client: Client, wire: Wire, shops: list[Path]
) -> None:
    wire.loses = lambda number: number % 2 == 1
    source_id, version = client.put_source("shops", shops)
    synthesis = client.create_synthesis(source_id, "shops", DOCUMENT)
    client.run(synthesis["id"])
    wire.loses = lambda _number: False
    assert [one["id"] for one in client.sources()] == [source_id]
    assert [one["number"] for one in client.versions(source_id)] == [version] == [1]
    assert len(list(client.syntheses())) == len(list(client.executions())) == 1


def test_the_same_files_are_sent_once(client: Client, wire: Wire, shops: list[Path]) -> None:
    first = client.put_source("shops", shops)
    before = len(wire.sent)
    assert client.put_source("shops", shops) == first
    assert {method for method, _ in wire.sent[before:]} == {"GET"}
    changed = shops[0].parent / "region.csv"
    changed.write_text(changed.read_text() + "6,Region 6\n")
    assert client.put_source("shops", shops) == (first[0], 2)


def test_a_version_left_open_is_brought_to_the_end(client: Client, shops: list[Path]) -> None:
    source = client.create_source("shops")
    client.open_version(source["id"])
    client.upload(source["id"], 1, shops[0], name="old.csv")
    client.upload(source["id"], 1, shops[0])
    assert client.put_source("shops", shops) == (source["id"], 1)
    assert [one["name"] for one in next(client.versions(source["id"]))["files"]] == [
        "region.csv",
        "sale.csv",
        "shop.csv",
    ]


def test_a_wish_whose_answer_was_lost_is_met(
    platform: Platform, client: Client, wire: Wire, shops: list[Path]
) -> None:
    source_id, _ = client.put_source("shops", shops)
    synthesis_id = client.create_synthesis(source_id, "shops", DOCUMENT)["id"]
    execution_id = client.run(synthesis_id)["id"]
    with platform.records.write() as connection:
        connection.execute(update(executions).values(status="paused"))
    wire.loses = lambda number: number % 2 == 1
    wire.sent.clear()
    assert client.resume(execution_id)["status"] == "queued"
    assert client.cancel(execution_id)["status"] == "cancelled"
    changed = client.update_synthesis(synthesis_id, {"training": {"max_epochs": 3}}, version=1)
    assert changed["version"] == 2
    open_one = client.open_version(source_id, copy_files=True)["number"]
    client.remove_file(source_id, open_one, shops[0].name)
    client.delete_execution(execution_id)
    client.delete_synthesis(synthesis_id)
    client.delete_source(source_id)
    assert [one for one in wire.sent[1::2] if one[0] == "DELETE"] == [
        one for one in wire.sent[::2] if one[0] == "DELETE"
    ], "each was sent twice"


def test_what_was_never_there_is_not_deleted(client: Client, wire: Wire) -> None:
    for wish in (client.delete_source, client.delete_synthesis, client.delete_execution, client.delete_model):
        with pytest.raises(AccessError, match=r"access\.not_found"):
            wish("src_" + "a" * 20)
    with pytest.raises(AccessError, match=r"access\.not_found"):
        client.resume("exe_" + "a" * 20)
    assert len(wire.sent) == 5


def test_given_rows_are_not_left_there_whatever_is_lost(
    client: Client, wire: Wire, shops: list[Path]
) -> None:
    source_id, _ = client.put_source("shops", shops)
    synthesis = client.create_synthesis(source_id, "shops", DOCUMENT)
    for lost in (False, True):
        wire.loses = lambda number, lost=lost: lost and number % 2 == 1  # type: ignore[misc]
        with pytest.raises(AccessError) as caught:
            client.generate(synthesis["id"], "mod_" + "a" * 20, given=[("shop", shops[0])])
        wire.loses = lambda _number: False
        assert caught.value.where == "model"
        assert [one["name"] for one in client.sources()] == ["shops"]
    with pytest.raises(SourceError, match=r"source\.table_name"):
        client.generate(synthesis["id"], "mod_" + "a" * 20, given=[("shop", shops[0]), ("", shops[0])])


def test_errors_come_with_their_class_code_and_findings(client: Client, shops: list[Path]) -> None:
    source_id, version = client.put_source("shops", shops)
    with pytest.raises(AccessError, match=r"access\.not_found"):
        client.synthesis("syn_" + "a" * 20)
    with pytest.raises(ConflictError, match=r"source\.sealed"):
        client.upload(source_id, version, shops[0])
    synthesis = client.create_synthesis(source_id, "shops", {})
    with pytest.raises(UserError) as caught:
        client.run(synthesis["id"])
    assert caught.value.code == "execution.too_little_data"
    assert [one.code for one in caught.value.findings] == ["data.too_few_rows"]
    assert not isinstance(caught.value, SchemaError)


def test_a_server_that_is_away_is_told(wire: Wire, client: Client) -> None:
    wire.loses = lambda _number: True
    with pytest.raises(TransientError, match=r"server\.unreachable"):
        client.create_source("a")
    assert len(wire.sent) == 6


def test_a_server_that_was_there_is_waited_for_a_minute(wire: Wire, client: Client) -> None:
    list(client.sources())
    wire.loses, before = (lambda _number: True), len(wire.sent)
    with pytest.raises(TransientError, match=r"server\.unreachable"):
        client.create_source("a")
    tries = len(wire.sent) - before
    assert 60 <= sum(min(10.0, 0.2 * 2.0**attempt) for attempt in range(1, tries)) <= 70


def test_events_and_results_come_back(
    platform: Platform, client: Client, shops: list[Path], tmp_path: Path
) -> None:
    source_id, _ = client.put_source("shops", shops)
    synthesis = client.create_synthesis(source_id, "shops", DOCUMENT)
    execution = client.run(synthesis["id"], rows={"shop": 20})
    succeed(platform, execution["id"], tmp_path)
    kinds = [event["kind"] for event in client.follow(execution["id"])]
    assert kinds == ["execution_queued", "step_started", "step_progressed"]
    assert client.wait(execution["id"])["status"] == "succeeded"
    client.fetch(execution["id"], "tables/shop.csv", tmp_path / "out" / "shop.csv")
    assert (tmp_path / "out" / "shop.csv").read_bytes() == shops[2].read_bytes()
    with pytest.raises(AccessError):
        client.fetch(execution["id"], "no.csv", tmp_path / "out" / "no.csv")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["shop.csv"]
    client._do("POST", f"/executions/{execution['id']}/downloads", json={"format": "xlsx"})
    assert downloads.prepare_next(platform)
    made = client.download(execution["id"], "xlsx", tmp_path / "out")
    assert (made.name, made.read_bytes()[:2]) == ("database.xlsx", b"PK")
    assert client.preview(execution["id"], "shop", limit=1)["total"] == 150


@pytest.mark.parametrize(("kinds", "status"), [("q p r p", "paused"), ("q p r s", "succeeded")])
def test_a_pause_that_is_over_does_not_end_what_follows(kinds: str, status: str) -> None:
    words = {"q": "queued", "p": "paused", "r": "resumed", "s": "succeeded"}
    events = [{"kind": f"execution_{words[one]}"} for one in kinds.split()]
    lines = [f"id: {number}\ndata: {json.dumps(body)}\n\n" for number, body in enumerate(events, 1)]
    if status == "succeeded":
        lines.append('event: end\ndata: {"status": "succeeded"}\n\n')

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/stream"):
            return httpx.Response(200, text="".join(lines))
        later = events[int(request.url.params["after"]) :][: int(request.url.params["limit"])]
        return httpx.Response(200, json={"items": later, "status": status, "ended": False})

    with Client("https://kinsynth.test", "t", transport=httpx.MockTransport(answer)) as client:
        assert list(client.follow("exe")) == events
