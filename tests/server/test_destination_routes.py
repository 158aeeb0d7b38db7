"""Destinations over HTTP."""

from __future__ import annotations

from kinsynth.service.platform import Platform
from people import add_person
from visitors import Visitors

SECRET = "only for the database"


def test_a_destination_from_its_making_to_its_end(visitors: Visitors, platform: Platform) -> None:
    ana = visitors.of(add_person(platform, "ana"))
    body = {"name": "nightly", "settings": {"format": "xlsx"}}
    made = [ana.post("/api/v1/destinations", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json() == made[1].json()
    place = f"/api/v1/destinations/{made[0].json()['id']}"
    assert ana.get(place).json()["settings"] == {"format": "xlsx"}
    changed = ana.patch(place, json={"name": "weekly", "settings": {"format": "ods"}}).json()
    assert (changed["name"], changed["settings"], changed["has_password"]) == (
        "weekly",
        {"format": "ods"},
        False,
    )
    assert [one["id"] for one in ana.get("/api/v1/destinations?name=weekly").json()["items"]] == [
        changed["id"]
    ]
    assert ana.delete(place).status_code == 204
    assert ana.get(place).status_code == 404


def test_what_is_not_built_or_not_known_is_refused_without_the_password(
    visitors: Visitors, platform: Platform
) -> None:
    ana = visitors.of(add_person(platform, "ana"))
    for settings, code in (
        ({"kind": "postgresql", "password": SECRET}, "settings.not_available"),
        ({"password": SECRET, "nonsense": SECRET}, "request.invalid"),
        ({"kind": SECRET}, "request.invalid"),
        ({"port": 70_000, "password": SECRET}, "request.invalid"),
    ):
        answer = ana.post("/api/v1/destinations", json={"name": "x", "settings": settings})
        assert (answer.status_code, answer.json()["code"]) == (422, code)
        assert SECRET not in answer.text
    assert ana.get("/api/v1/destinations").json() == {"items": [], "next": None}


def test_a_foreign_destination_is_not_there(visitors: Visitors, platform: Platform) -> None:
    ana, ben = (visitors.of(add_person(platform, name)) for name in ("ana", "ben"))
    made = ana.post("/api/v1/destinations", json={"name": "x", "settings": {}}).json()
    place = f"/api/v1/destinations/{made['id']}"
    for answer in (ben.get(place), ben.patch(place, json={"name": "y"}), ben.delete(place)):
        assert (answer.status_code, answer.json()["code"]) == (404, "access.not_found")
    assert ana.get(place).json() == made
    assert ben.get("/api/v1/destinations").json()["items"] == []
