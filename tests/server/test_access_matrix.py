"""Every operation of the document, for everybody, on objects that are there and that are not."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi.routing import APIRoute
from sqlalchemy import update

from kinsynth.server.app import make_app
from kinsynth.server.openapi import make_document
from kinsynth.server.operation import Operation
from kinsynth.service.actor import SYSTEM
from kinsynth.service.people import passwords
from kinsynth.service.people.tokens import NewToken, TokenChange, create_token, update_token
from kinsynth.service.permissions import POLICY, Rule
from kinsynth.service.platform import Platform
from kinsynth.storage.migrate import migrate
from kinsynth.storage.records import Records
from kinsynth.storage.tables import tokens, users
from objects import add_objects, share
from people import Person, add_person, make_platform
from visitors import Visitors, visiting

LEVELS = ["view", "run", "edit", "own"]
SHARED = {"synthesis", "execution", "model", "download"}
NOBODIES = {"anonymous", "blocked", "suspended token", "expired token"}
ROLES = [
    *sorted(NOBODIES),
    "other",
    "viewer",
    "runner",
    "editor",
    "owner",
    "owner's token",
    "admin",
    "admin's token",
]
GIVEN = {"viewer": "view", "runner": "run", "editor": "edit"}


def read_operations() -> list[tuple[str, str, str]]:
    """Id, method and path of every operation, from the document."""
    with tempfile.TemporaryDirectory() as folder:
        document = make_document(make_app(make_platform(Records("sqlite://"), Path(folder))))
    return sorted(
        (operation["operationId"], method.upper(), path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    )


OPERATIONS = read_operations()


class World:
    """An owner with one object of each kind, everybody else, and somebody to be acted on."""

    def __init__(self, platform: Platform, visitors: Visitors, name: str) -> None:
        self._visitors = visitors
        people = {
            role: add_person(platform, f"{role.replace(' ', '_')}_{name}")
            for role in ("owner", "other", *GIVEN)
        }
        people["admin"] = add_person(platform, f"admin_{name}", "admin")
        people["blocked"] = add_person(platform, f"blocked_{name}", "admin")
        target = add_person(platform, f"target_{name}")
        owner = people["owner"]
        self.ids = add_objects(platform, owner.id).ids() | {"user_id": target.id}
        for role, level in GIVEN.items():
            share(platform, self.ids["synthesis_id"], people[role].id, level)
        share(platform, self.ids["synthesis_id"], target.id, "view")
        with platform.records.write() as connection:
            connection.execute(
                update(users).where(users.c.id == people["blocked"].id).values(status="blocked")
            )
        self._people = people
        self._secrets = {
            "owner's token": _make_token(platform, owner),
            "admin's token": _make_token(platform, people["admin"]),
            "suspended token": _make_token(platform, owner, is_suspended=True),
            "expired token": _make_token(platform, owner, has_expired=True),
        }

    def visit(self, role: str) -> httpx.Client:
        """Somebody's client."""
        if role in self._people:
            return self._visitors.of(self._people[role])
        return (
            self._visitors.with_token(self._secrets[role]) if role in self._secrets else self._visitors.make()
        )


def _make_token(
    platform: Platform, person: Person, *, is_suspended: bool = False, has_expired: bool = False
) -> str:
    made = create_token(platform, person.actor, NewToken(name="t", expires_in_days=1))
    if is_suspended:
        update_token(platform, SYSTEM, made.token.id, TokenChange(suspended=True))
    if has_expired:
        with platform.records.write() as connection:
            connection.execute(update(tokens).where(tokens.c.id == made.token.id).values(expires_at=1.0))
    return made.secret


def expect(rule: Rule, role: str, *, exists: bool) -> str:
    """What the table says, read on its own: the refusal's code, or nothing."""
    if rule.who == "anyone":
        return ""
    if role in NOBODIES:
        return "access.unauthenticated"
    if rule.who == "object":
        level = "own" if role.startswith("owner") else GIVEN.get(role) if rule.kind in SHARED else None
        if not exists or level is None:
            return "access.not_found"
        if LEVELS.index(level) < LEVELS.index(rule.level):
            return "access.forbidden"
    if rule.who == "admin" and not role.startswith("admin"):
        return "access.forbidden"
    return "access.session_needed" if rule.in_person and role.endswith("token") else ""


def ask(
    client: httpx.Client, method: str, path: str, ids: dict[str, str], body: dict[str, Any] | None = None
) -> httpx.Response:
    """Send a request, mostly an empty one: who may not is refused before it is looked at."""
    fillers = {"number": "1", "resource": "rows", "name": "a.csv", "secret": "x"} | ids
    address = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: fillers.get(found[1], "x"), path)
    return client.request(method, address, json=(body or {}) if method in {"POST", "PUT", "PATCH"} else None)


def refusal(answer: httpx.Response, rule: Rule) -> str:
    """The code of a refusal by the policy; what is missing inside of an object is none."""
    if not answer.is_error:
        return ""
    found = answer.json()
    refusals = {
        "access.unauthenticated",
        "access.forbidden",
        "access.session_needed",
        "access.csrf",
        "access.origin",
    }
    if found["code"] in refusals or (found["code"] == "access.not_found" and found["where"] == rule.kind):
        return str(found["code"])
    return ""


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Platform, Visitors]]:
    """One installation for the whole matrix."""
    folder: Path = tmp_path_factory.mktemp("matrix")
    records = Records(f"sqlite:///{folder / 'records.sqlite'}")
    migrate(records)
    platform = make_platform(records, folder)
    with pytest.MonkeyPatch.context() as patch, visiting(make_app(platform)) as visitors:
        patch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield platform, visitors
    platform.analysts.close()
    records.close()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "method", "path"), OPERATIONS, ids=[one[0] for one in OPERATIONS])
def test_every_cell_is_as_the_policy_says(
    installation: tuple[Platform, Visitors], name: str, method: str, path: str
) -> None:
    platform, visitors = installation
    rule, wrong, number = POLICY[name], [], 0
    world = World(platform, visitors, f"{name}_{number}")
    missing = {key: f"{value[:4]}{'a' * 20}" for key, value in world.ids.items()}
    for role in ROLES:
        for exists in (True, False) if rule.kind else (True,):
            answer = ask(world.visit(role), method, path, world.ids if exists else missing)
            expected, found = expect(rule, role, exists=exists), refusal(answer, rule)
            if found != expected:
                wrong.append((role, exists, expected or "allowed", answer.status_code, answer.text))
            if not expected and method != "GET":
                number += 1
                world = World(platform, visitors, f"{name}_{number}")
    assert wrong == []


def test_every_route_goes_through_the_policy(installation: tuple[Platform, Visitors]) -> None:
    """No route is made beside ``operation``."""
    found: list[Any] = []

    def collect(routes: list[Any]) -> None:
        for route in routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None:
                collect(inner.routes)
            else:
                found.append(route)

    collect(installation[1].app.routes)
    assert len([one for one in found if isinstance(one, APIRoute)]) == len(OPERATIONS)
    assert [one for one in found if not isinstance(one, Operation)] == []


def test_rows_of_the_policy_and_routes_are_the_same() -> None:
    assert {name for name, _, _ in OPERATIONS} == POLICY.keys()
    assert len(OPERATIONS) == len({name for name, _, _ in OPERATIONS})


def test_every_operation_that_makes_something_takes_a_key() -> None:
    """Beside what is one of its kind by itself, or new each time."""
    with tempfile.TemporaryDirectory() as folder:
        document = make_document(make_app(make_platform(Records("sqlite://"), Path(folder))))
    without = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if "201" in operation["responses"]
        and "Idempotency-Key" not in {one["name"] for one in operation.get("parameters", ())}
    }
    assert without == {"setup.claim", "sessions.create", "downloads.create", "downloads.ticket"}
