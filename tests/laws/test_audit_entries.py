"""Law: every operation that changes something, or hands out a result, leaves one entry in the audit log.

What changes nothing leaves none: looking at data (detection, checks, assessment). Uploads of the files of a
version are told by one entry, where it is sealed: a version has up to 2,000 files, and entries are one chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from finished_run import put
from kinsynth.errors import TransientError
from kinsynth.schema.document import write_schema
from kinsynth.schema.table import Column, Schema, Table
from kinsynth.server.app import make_app
from kinsynth.service import names, sources
from kinsynth.service.downloads import issue_ticket
from kinsynth.service.people.setup import offer_setup
from kinsynth.service.platform import Platform
from kinsynth.storage import tables
from kinsynth.storage.files import attach, detach
from kinsynth.system.files import write_json
from objects import add_objects, share
from people import PASSWORD, Person, add_person
from server.test_access_matrix import OPERATIONS, ask
from visitors import Visitors, visiting

NEW_PASSWORD = "seven slow brown herons"
LOOKS_ONLY = {
    "versions.detect",
    "syntheses.check",
    "syntheses.assess",
    "drafts.check",
    "drafts.detect",
    "drafts.write",
    "drafts.read",
}
TOLD_AT_SEALING = {"versions.upload"}
HANDS_OUT = {
    "executions.file",
    "executions.report",
    "executions.certificate",
    "executions.evaluation",
    "tickets.redeem",
}
METHODS = {name: (method, path) for name, method, path in OPERATIONS}
CHANGING = {name for name, (method, _) in METHODS.items() if method != "GET"}
TOLD = sorted((CHANGING | HANDS_OUT) - LOOKS_ONLY - TOLD_AT_SEALING)


@dataclass
class World:
    """An owner with one object of each kind, an administrator, and somebody who has a share."""

    platform: Platform
    owner: Person
    admin: Person
    ids: dict[str, str]

    def change(self, table: str, **values: Any) -> None:
        """Give all rows of a table other values."""
        with self.platform.records.write() as connection:
            connection.execute(update(tables.metadata.tables[table]).values(**values))


@dataclass(frozen=True)
class Case:
    """A request that succeeds: its body, what must be so before, and what it comes as."""

    body: Mapping[str, Any] = field(default_factory=dict)
    before: Callable[[World], object] = lambda _world: None
    by: str = "owner"
    ids: Callable[[World], dict[str, str]] = lambda _world: {}


def with_ids(**names: str) -> Callable[[World], dict[str, str]]:
    """Give bodies that name objects."""
    return lambda world: {name: world.ids[of] for name, of in names.items()}


def an_open_version(world: World) -> None:
    """Open the version again, as if it had not been sealed."""
    world.change("source_versions", sealed_at=None)


def no_version(world: World) -> None:
    """Remove the versions."""
    with world.platform.records.write() as connection:
        connection.execute(tables.source_versions.delete())
        detach(connection, world.ids["source_id"])


def of_status(status: str) -> Callable[[World], None]:
    """Give the execution a status."""
    return lambda world: world.change("executions", status=status)


def a_ticket(world: World) -> dict[str, str]:
    """Issue a ticket; its own entry is not of interest."""
    ticket = issue_ticket(world.platform, world.owner.actor, world.ids["download_id"])
    return {"secret": ticket.path.rpartition("/")[2]}


CASES: Mapping[str, Case] = {
    "destinations.create": Case({"name": "x", "settings": {}}),
    "destinations.update": Case({"name": "x"}),
    "downloads.create": Case({"format": "tsv"}),
    "executions.cancel": Case(before=of_status("queued")),
    "executions.create": Case({"kind": "generate", "model_id": "model_id"}),
    "executions.rename": Case({"name": "x"}),
    "executions.resume": Case(before=of_status("paused")),
    "executions.retry": Case({"first_step": "synthesis", "seed": 5}),
    "executions.file": Case(ids=lambda _world: {"path": "report.pdf"}),
    "models.rename": Case({"name": "x"}),
    "quotas.update": Case({"limit": 5, "period": "day"}, by="admin"),
    "sessions.create": Case({"email": "owner@example.org", "password": PASSWORD}, by="nobody"),
    "shares.set": Case({"email": "other@example.org", "level": "run"}),
    "sources.create": Case({"name": "x"}),
    "sources.rename": Case({"name": "x"}),
    "syntheses.clone": Case({"name": "x"}),
    "syntheses.create": Case({"name": "x", "source_id": "source_id", "document": {"name": "x"}}),
    "syntheses.import": Case({"source_id": "source_id", "text": "name: x\n"}),
    "syntheses.rename": Case({"name": "x"}),
    "syntheses.update": Case({"document": {"name": "x"}, "version": 1}),
    "tickets.redeem": Case(by="nobody", ids=a_ticket),
    "tokens.create": Case({"name": "x"}),
    "tokens.update": Case({"name": "x"}),
    "users.activate": Case(by="admin"),
    "users.block": Case(by="admin"),
    "users.change_password": Case({"current": PASSWORD, "new": NEW_PASSWORD}),
    "users.create": Case({"email": "new@example.org", "name": "New", "password": NEW_PASSWORD}, by="admin"),
    "users.set_password": Case({"password": NEW_PASSWORD}, by="admin"),
    "users.update": Case({"name": "x"}, by="admin"),
    "users.update_me": Case({"name": "x"}),
    "versions.create": Case(before=no_version),
    "versions.remove_file": Case(before=an_open_version),
    "versions.seal": Case(before=an_open_version),
}


@pytest.fixture
def records_url(tmp_path: Path) -> str:
    """The log is tested on both databases elsewhere; this is about who writes to it."""
    return f"sqlite:///{tmp_path / 'records.sqlite'}"


@pytest.fixture
def visitors(platform: Platform) -> Iterator[Visitors]:
    """Clients of the application."""
    with visiting(make_app(platform)) as found:
        yield found


@pytest.fixture
def world(platform: Platform, tmp_path: Path) -> World:
    """Everybody, with objects on which each operation can succeed."""
    owner, admin = add_person(platform, "owner"), add_person(platform, "admin", "admin")
    other = add_person(platform, "other")
    objects = add_objects(platform, owner.id)
    share(platform, objects.synthesis_id, other.id, "view")
    file = tmp_path / "file"
    shops = Schema({"shop": Table("shop", (Column("id", "identifier", "int64"),), ("id",))}, ())
    write_json(file, {"rows": {"shop": 150}, **write_schema(shops)})
    results = ("report.pdf", "certificate.json", "evaluation.json", "synthetic/database.json")
    put(platform, objects.execution_id, "protected", dict.fromkeys(results, file))
    learned = ("model/model.json", "model/schema.json")
    put(platform, objects.execution_id, "derived", dict.fromkeys(learned, file))
    put(platform, objects.download_id, "protected", {"csv.zip": file})
    put_version(platform, objects.source_id, file)
    found = World(platform, owner, admin, objects.ids() | {"user_id": other.id})
    found.change("executions", next_event=1)
    return found


def put_version(platform: Platform, source_id: str, file: Path) -> None:
    """Give the version a file."""
    stored = platform.artefacts.put_file(file, "original")
    with platform.records.write() as connection:
        attach(connection, source_id, 1, {"a.csv": stored})


def entries(platform: Platform) -> list[Any]:
    """Give the log."""
    with platform.records.read() as connection:
        return list(connection.execute(select(tables.audit).order_by(tables.audit.c.number)))


def send(world: World, visitors: Visitors, name: str) -> tuple[list[Any], Any]:
    """Let an operation succeed; gives its new entries and the answer."""
    case, (method, path) = CASES.get(name, Case()), METHODS[name]
    case.before(world)
    ids = world.ids | {"resource": "rows", "number": "1", "name": "a.csv"} | case.ids(world)
    body = {key: world.ids.get(value, value) if isinstance(value, str) else value
            for key, value in case.body.items()}  # fmt: skip
    client = visitors.make() if case.by == "nobody" else visitors.of(getattr(world, case.by))
    before = len(entries(world.platform))
    answer = ask(client, method, path, ids, body)
    assert answer.is_success, answer.text
    return entries(world.platform)[before:], answer


@pytest.mark.parametrize("name", [one for one in TOLD if one != "setup.claim"])
def test_what_changes_something_is_told_once(world: World, visitors: Visitors, name: str) -> None:
    told, _ = send(world, visitors, name)
    assert [(one.action, one.outcome) for one in told] == [(name, "done")]
    actor = world.admin if CASES.get(name, Case()).by == "admin" else world.owner
    assert told[0].actor_id == actor.id
    assert told[0].object_id
    written = {"x", "a.csv", "report.pdf", "csv.zip", "other@example.org", "new@example.org"}
    assert not written & {*map(str, told[0].details.values())}, "nothing that people wrote"


def test_the_first_administrator_is_told(platform: Platform, visitors: Visitors) -> None:
    claim = {"token": offer_setup(platform), "email": "a@example.org", "name": "A", "password": NEW_PASSWORD}
    before = len(entries(platform))
    assert visitors.make().post("/api/v1/setup", json=claim).status_code == 201
    assert [one.action for one in entries(platform)[before:]] == ["setup.claim"]


def test_uploads_are_told_where_their_version_is_sealed(world: World, visitors: Visitors) -> None:
    an_open_version(world)
    client = visitors.of(world.owner)
    before = len(entries(world.platform))
    place = f"/api/v1/sources/{world.ids['source_id']}/versions/1"
    for number in range(3):
        sent = client.put(f"{place}/files/b{number}.csv", content=b"k,v\n1,2\n")
        assert sent.status_code == 200
    assert len(entries(world.platform)) == before
    for _ in range(2):
        assert client.post(f"{place}/seal").status_code == 200
    (told,) = entries(world.platform)[before:]
    assert (told.action, told.details["files"]) == ("versions.seal", 4)


def test_what_is_refused_or_already_so_leaves_no_entry(world: World, visitors: Visitors) -> None:
    stranger = visitors.of(add_person(world.platform, "stranger"))
    before = len(entries(world.platform))
    for name in TOLD:
        method, path = METHODS[name]
        if "_id}" in path:
            assert ask(stranger, method, path, world.ids).status_code in {403, 404}, name
    assert len(entries(world.platform)) == before


def test_an_entry_is_of_the_transaction_that_it_tells(
    world: World, visitors: Visitors, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the entry cannot be written, nothing happens."""

    def refuse(*_arguments: object, **_more: object) -> None:
        raise TransientError("records.unavailable", "away")

    for module in (names, sources):
        monkeypatch.setattr(module, "record", refuse)
    client = visitors.of(world.owner)
    place = f"/api/v1/sources/{world.ids['source_id']}"
    assert client.patch(place, json={"name": "y"}).status_code == 503
    assert client.delete(place).status_code == 503
    assert client.get(place).json()["name"] != "y"
