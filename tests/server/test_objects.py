"""The objects over HTTP: from upload to download, with the statuses and codes that the OpenAPI declares."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from finished_run import succeed
from installation import Submitted, make_person, running_platform
from kinsynth.executions.journal import add_event
from kinsynth.server import limits, streams
from kinsynth.server.app import make_app
from kinsynth.service import downloads
from kinsynth.service import executions as executions_of
from kinsynth.service.actor import Actor
from kinsynth.service.people.tokens import NewToken, create_token
from kinsynth.service.platform import Platform
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.tables import executions, users
from shop_database import write_shops

API = "/api/v1"
DOCUMENT = {"tables": {"region": {"original": True}}}


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[Platform]:
    """An open platform without workers."""
    records = Records(f"sqlite:///{tmp_path / 'records.sqlite'}")
    migrate(records)
    with running_platform(records, tmp_path / "data", max_upload_bytes=100_000) as found:
        yield replace(found, engine=Submitted())  # type: ignore[arg-type]
    records.close()


@pytest.fixture
def ann(platform: Platform) -> Actor:
    """Somebody."""
    return make_person(platform)


class Caller:
    """Calls the application as somebody, and compares each answer with what the OpenAPI declares."""

    def __init__(self, platform: Platform, actor: Actor) -> None:
        self.app = make_app(platform)
        secret = create_token(platform, actor, NewToken(name="t")).secret
        self.headers = {"Authorization": f"Bearer {secret}"}
        self.declared = {
            (method, path): operation
            for path, methods in self.call("GET", "/openapi.json")[1]["paths"].items()
            for method, operation in methods.items()
        }

    def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        async def once() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="https://kinsynth.test") as client:
                headers = self.headers | options.pop("headers", {})
                return await client.request(method, f"{API}{path}", headers=headers, timeout=60, **options)

        return asyncio.run(once())

    def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        answer = self.send(method, path, **options)
        return answer.status_code, answer.json() if answer.content else None


@pytest.fixture
def caller(platform: Platform, ann: Actor) -> Caller:
    """Somebody with a token."""
    return Caller(platform, ann)


def upload(caller: Caller, folder: Path) -> str:
    """Make a sealed source of a folder over HTTP; gives its id."""
    source_id: str = caller.call("POST", "/sources", json={"name": "shops"})[1]["id"]
    assert caller.call("POST", f"/sources/{source_id}/versions", json={})[0] == 201
    for path in folder.iterdir():
        status, body = caller.call(
            "PUT", f"/sources/{source_id}/versions/1/files/{path.name}", content=path.read_bytes()
        )
        assert (status, body["size"]) == (200, path.stat().st_size)
    assert caller.call("POST", f"/sources/{source_id}/versions/1/seal")[1]["sealed"]
    return source_id


def test_from_upload_to_download(platform: Platform, caller: Caller, tmp_path: Path) -> None:
    write_shops(tmp_path / "shops")
    source_id = upload(caller, tmp_path / "shops")
    window = {"table": "shop", "offset": 3, "limit": 2}
    status, page = caller.call("GET", f"/sources/{source_id}/versions/1/preview", params=window)
    assert (status, page["total"], page["rows"][0][0]) == (200, 150, "S0003")
    status, found = caller.call("POST", f"/sources/{source_id}/versions/1/detection", json={})
    assert (status, {one["name"] for one in found["tables"]}) == (200, {"region", "shop", "sale"})
    new = {"source_id": source_id, "name": "Shops", "document": DOCUMENT}
    key = {"Idempotency-Key": "k"}
    status, synthesis = caller.call("POST", "/syntheses", json=new, headers=key)
    assert (status, caller.call("POST", "/syntheses", json=new, headers=key)[1]) == (201, synthesis)
    one = f"/syntheses/{synthesis['id']}"
    assert caller.call("POST", f"{one}/checks", json={})[1]["rows"] == {"shop": 150}
    assert caller.call("POST", f"{one}/assessment", json={})[1]["verdict"]
    assert caller.send("GET", f"{one}/export").text.startswith("# What to synthesise")
    status, execution = caller.call("POST", f"{one}/executions", json={"rows": {"shop": 30}, "seed": 4})
    assert (status, execution["status"], execution["rows"]) == (201, "queued", 30)
    made = f"/executions/{execution['id']}"
    model_id = succeed(platform, execution["id"], tmp_path)
    assert caller.call("GET", made)[1]["trained_model_id"] == model_id
    assert [one["id"] for one in caller.call("GET", "/models")[1]["items"]] == [model_id]
    told = {table["name"]: table for table in caller.call("GET", f"/models/{model_id}")[1]["tables"]}
    assert {name: table["rows"] for name, table in told.items()} == {
        "region": None,
        "shop": 150,
        "sale": None,
    }
    in_keys = {one["name"] for one in told["shop"]["columns"] if one["in_key"]}
    assert in_keys == {"shop_id", "region_id"}
    assert caller.call("GET", f"{made}/certificate")[1] == {"holds": True}
    report = caller.send("GET", f"{made}/report")
    assert (report.content, report.headers["content-type"]) == (b"%PDF-1.7", "application/pdf")
    assert report.headers["content-disposition"].startswith("inline;")
    assert caller.call("GET", f"{made}/preview", params=window)[1]["total"] == 150
    table = caller.send("GET", f"{made}/files/tables/shop.csv")
    assert table.content.startswith(b"shop_id,")
    assert table.headers["content-disposition"].startswith("attachment;")
    assert caller.call("GET", f"{made}/files/model/model.json")[1]["code"] == "access.not_found"
    status, asked = caller.call("POST", f"{made}/downloads", json={"format": "parquet"})
    assert (status, asked["status"]) == (201, "preparing")
    assert downloads.prepare_next(platform)
    assert caller.call("GET", f"/downloads/{asked['id']}")[1]["status"] == "ready"
    ticket = caller.call("POST", f"/downloads/{asked['id']}/ticket")[1]
    caller.headers = {}
    archive = caller.send("GET", ticket["path"].removeprefix(API))
    assert (archive.status_code, archive.headers["content-type"]) == (200, "application/zip")
    assert caller.call("GET", ticket["path"].removeprefix(API))[0] == 404


@pytest.mark.parametrize(
    ("method", "path", "options", "status", "code"),
    [
        ("GET", "/sources/src_" + "a" * 20, {}, 404, "access.not_found"),
        ("POST", "/sources", {"json": {"name": "a", "no": 1}}, 422, "request.invalid"),
        ("POST", "/syntheses", {"json": {"source_id": "x", "name": "a"}}, 404, "access.not_found"),
        ("GET", "/executions", {"params": {"status": "no"}}, 422, "request.invalid"),
        ("GET", "/executions", {"params": {"cursor": "no"}}, 422, "request.cursor"),
        ("GET", "/sources", {"params": {"limit": 1_000}}, 422, "request.invalid"),
        ("GET", "/tickets/nothing", {}, 404, "access.not_found"),
        (
            "POST",
            "/sources",
            {"json": {"name": "a"}, "headers": {"Idempotency-Key": " "}},
            422,
            "request.invalid",
        ),
    ],
)
def test_bad_requests_are_told(
    caller: Caller, method: str, path: str, options: dict[str, Any], status: int, code: str
) -> None:
    found, problem = caller.call(method, path, **options)
    assert (found, problem["code"]) == (status, code)


def test_a_too_large_upload_is_cut(caller: Caller) -> None:
    source_id = caller.call("POST", "/sources", json={"name": "s"})[1]["id"]
    caller.call("POST", f"/sources/{source_id}/versions", json={})

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"a,b\n" * 1_000

    path = f"/sources/{source_id}/versions/1/files/a.csv"
    assert caller.call("PUT", path, content=endless())[0] == 413
    assert caller.call("PUT", path, content=b"PK\x03\x04")[1]["code"] == "source.wrong_type"
    assert caller.call("GET", f"/sources/{source_id}/versions/1")[1]["files"] == []


def lines_of(caller: Caller, path: str, **headers: str) -> list[str]:
    return caller.send("GET", path, headers=headers).text.split("\n\n")


def test_events_are_followed_to_the_end(
    platform: Platform, caller: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_shops(tmp_path / "shops")
    source_id = upload(caller, tmp_path / "shops")
    new = {"source_id": source_id, "name": "Shops", "document": DOCUMENT}
    synthesis = caller.call("POST", "/syntheses", json=new)[1]
    execution_id = caller.call("POST", f"/syntheses/{synthesis['id']}/executions", json={})[1]["id"]
    path = f"/executions/{execution_id}/stream"
    succeed(platform, execution_id, tmp_path)
    found = lines_of(caller, path)
    assert [part.splitlines()[0] for part in found[:-1]] == ["id: 1", "id: 2", "id: 3", "event: end"]
    assert json.loads(found[-2].splitlines()[1].removeprefix("data: ")) == {"status": "succeeded"}
    assert lines_of(caller, path, **{"Last-Event-ID": "2"}) == found[2:]
    monkeypatch.setattr(streams, "COMMENT_S", 0.0)
    monkeypatch.setattr(streams, "ADMIT_S", 1.0)
    with platform.records.write() as connection:
        mine = executions.c.id == execution_id
        connection.execute(update(executions).where(mine).values(status="running"))
        add_event(connection, execution_id, {"kind": "step_started", "step": "report"})
        connection.execute(update(users).values(status="blocked"))
        connection.execute(update(users).values(status="active"))

    async def block() -> list[str]:
        transport = httpx.ASGITransport(app=caller.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://kinsynth.test") as client:
            asked = asyncio.create_task(client.get(f"{API}{path}", headers=caller.headers, timeout=60))
            await asyncio.sleep(0.3)
            with platform.records.write() as connection:
                connection.execute(update(users).values(status="blocked"))
            return (await asked).text.split("\n\n")

    followed = asyncio.run(block())
    assert followed[3].splitlines()[0] == "id: 4"
    assert ": here" in followed
    assert "end" not in "".join(followed)


def test_the_events_of_a_deleted_execution_end(
    platform: Platform, ann: Actor, caller: Caller, tmp_path: Path
) -> None:
    write_shops(tmp_path / "shops")
    new = {"source_id": upload(caller, tmp_path / "shops"), "name": "Shops", "document": DOCUMENT}
    synthesis = caller.call("POST", "/syntheses", json=new)[1]
    execution_id = caller.call("POST", f"/syntheses/{synthesis['id']}/executions", json={})[1]["id"]

    async def remove() -> httpx.Response:
        transport = httpx.ASGITransport(app=caller.app)
        async with httpx.AsyncClient(transport=transport, base_url="https://kinsynth.test") as client:
            path = f"{API}/executions/{execution_id}/stream"
            asked = asyncio.create_task(client.get(path, headers=caller.headers, timeout=60))
            await asyncio.sleep(0.3)
            executions_of.cancel_execution(platform, ann, execution_id)
            executions_of.delete_execution(platform, ann, execution_id)
            return await asked

    answer = asyncio.run(remove())
    assert (answer.status_code, answer.text.count("id: ")) == (200, 1)


def test_an_upload_that_is_cut_or_stands_still_ends(
    platform: Platform, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "PATIENCE_S", 0.3)
    source_id = caller.call("POST", "/sources", json={"name": "s"})[1]["id"]
    caller.call("POST", f"/sources/{source_id}/versions", json={})
    path = f"{API}/sources/{source_id}/versions/1/files/a.csv"

    async def send(*messages: dict[str, Any]) -> list[Any]:
        waiting, answered = list(messages), []

        async def receive() -> Any:
            if waiting:
                return waiting.pop(0)
            await asyncio.sleep(60)
            return None

        async def take(message: Any) -> None:
            answered.append(message)

        headers = [(name.lower().encode(), value.encode()) for name, value in caller.headers.items()]
        scope = {"type": "http", "method": "PUT", "path": path, "raw_path": path.encode(), "scheme": "https"}
        scope |= {"query_string": b"", "headers": headers, "client": ("203.0.113.1", 4242)}
        await asyncio.wait_for(caller.app(scope, receive, take), 10)
        return answered

    part = {"type": "http.request", "body": b"a,b\n", "more_body": True}
    for messages in ([part, {"type": "http.disconnect"}], [part]):
        answered = asyncio.run(send(*messages))
        assert answered[0]["status"] == 408, answered
        assert json.loads(answered[1]["body"])["code"] == "request.cut"
    assert caller.call("GET", f"/sources/{source_id}/versions/1")[1]["files"] == []
    assert [*(platform.deployment.data / "scratch").glob("analysis-*")] == []
