"""Destinations: named places that results are written to; their passwords are written and never shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from kinsynth.errors import ConflictError, Finding, SettingsError
from kinsynth.service import audit
from kinsynth.service.actor import Actor
from kinsynth.service.fields import Name, require_number
from kinsynth.service.idempotency import create, make_once
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import not_found, require
from kinsynth.service.platform import Platform
from kinsynth.settings.destination import Destination
from kinsynth.settings.fields import explain_unavailable, find, unavailable
from kinsynth.storage import secrets
from kinsynth.storage.clock import now
from kinsynth.storage.ids import make_id
from kinsynth.storage.tables import destinations

MOST = 200
_PURPOSE = "destination.password"
_WHERE_IT_GOES = ("kind", "host", "port", "database", "user", "bucket")


class DestinationView(View):
    """A destination without its password."""

    id: str
    name: str
    settings: dict[str, Any] = Field(
        description="What was written, as in the part destination of a document."
    )
    has_password: bool
    created_at: float
    updated_at: float


class WrittenDestination(Destination):
    """Settings in a request: JSON has numbers and booleans, which in YAML are read from texts."""

    @field_validator("port", mode="before")
    @classmethod
    def _is_number(cls, value: object) -> object:
        return require_number(value)

    @field_validator("neutralise_formulas", mode="before")
    @classmethod
    def _is_boolean(cls, value: object) -> object:
        if not isinstance(value, bool):
            raise PydanticCustomError("bool_type", "Input should be a valid boolean")
        return value


class NewDestination(View):
    """What a destination is made from."""

    name: Name
    settings: WrittenDestination


class DestinationChange(View):
    """What may be changed; what is left out stays."""

    name: Name | None = None
    settings: WrittenDestination | None = Field(
        None,
        description="All settings, in place of the old ones; a password left out stays, null removes it.",
    )


def create_destination(
    platform: Platform, actor: Actor, wanted: NewDestination, *, key: str | None = None
) -> tuple[DestinationView, bool]:
    """Make a destination; tells also whether it was made now, or by the same request before.

    Raises:
        SettingsError: ``settings.not_available``, the kind or a field is not built yet.
        ConflictError: ``destinations.too_many``.
    """
    settings, password = _split(wanted.settings)
    # No password in a digest that is kept: it could be guessed from it.
    once = make_once(actor.user_id, key, "destinations.create", [wanted.name, settings, password is not None])

    def make(connection: Connection) -> str:
        require(connection, actor, "destinations.create")
        _require_room(connection, actor)
        _require_built(wanted.settings)
        return _insert(connection, platform, actor, wanted.name, settings, password)

    destination_id, made = create(platform.records, once, make)
    return read_destination(platform, actor, destination_id), made


def list_destinations(
    platform: Platform, actor: Actor, wanted: Wanted, *, name: str = ""
) -> Page[DestinationView]:
    """List one's own destinations, newest first; with a name, those of exactly this name."""
    with platform.records.read() as connection:
        require(connection, actor, "destinations.list")
        query = select(destinations).where(destinations.c.owner_id == actor.user_id)
        if name:
            query = query.where(destinations.c.name == name)
        rows, cursor = read_page(connection, query, destinations.c.created_at, destinations.c.id, wanted)
    return Page(items=tuple(map(_view, rows)), next=cursor)


def read_destination(platform: Platform, actor: Actor, destination_id: str) -> DestinationView:
    """Give a destination."""
    with platform.records.read() as connection:
        require(connection, actor, "destinations.read", destination_id)
        return _view(_read(connection, destination_id))


def update_destination(
    platform: Platform, actor: Actor, destination_id: str, change: DestinationChange
) -> DestinationView:
    """Rename a destination or give it other settings.

    Raises:
        SettingsError: ``settings.not_available``; ``destinations.password_needed``, the stored password
            would be sent to another place.
    """
    with platform.records.write() as connection:
        require(connection, actor, "destinations.update", destination_id)
        row = _hold(connection, destination_id)
        values: dict[str, Any] = {} if change.name is None else {"name": change.name}
        if change.settings is not None:
            _require_built(change.settings)
            values |= _replace_settings(connection, platform, row, change.settings)
        if values:
            _write(connection, destination_id, values)
            audit.record(
                connection, actor, "destinations.update", destination_id, details={"fields": sorted(values)}
            )
        return _view(_read(connection, destination_id))


def delete_destination(platform: Platform, actor: Actor, destination_id: str) -> None:
    """Delete a destination and its password; what was written there stays."""
    with platform.records.write() as connection:
        require(connection, actor, "destinations.delete", destination_id)
        row = _hold(connection, destination_id)
        connection.execute(delete(destinations).where(destinations.c.id == destination_id))
        if row.secret_id is not None:
            secrets.remove(connection, row.secret_id)
        audit.record(connection, actor, "destinations.delete", destination_id)


def open_destination(connection: Connection, platform: Platform, destination_id: str) -> Destination:
    """Give the settings of a destination with its password, to be used and not to be shown.

    Raises:
        KinsynthError: ``keys.missing`` or ``keys.tampered``: the password cannot be read.
    """
    row = _read(connection, destination_id)
    if row.secret_id is None:
        return Destination(**row.settings)
    return Destination(
        **row.settings, password=secrets.get(connection, platform.keys, row.secret_id, _PURPOSE)
    )


def _insert(  # noqa: PLR0917
    connection: Connection,
    platform: Platform,
    actor: Actor,
    name: str,
    settings: Mapping[str, Any],
    password: SecretStr | None,
) -> str:
    destination_id = make_id("des")
    values = {"id": destination_id, "owner_id": actor.user_id, "name": name, "settings": dict(settings)}
    if password is not None:
        values["secret_id"] = secrets.put(connection, platform.keys, actor.user_id, _PURPOSE, password)
    connection.execute(insert(destinations).values(**values, created_at=now(), updated_at=now()))
    audit.record(connection, actor, "destinations.create", destination_id)
    return destination_id


def _replace_settings(
    connection: Connection, platform: Platform, row: Row[Any], wanted: Destination
) -> dict[str, Any]:
    """Give the columns that change; a password that is not given again stays where it belongs."""
    settings, password = _split(wanted)
    if "password" not in wanted.model_fields_set:
        if row.secret_id is not None and _is_elsewhere(Destination(**row.settings), wanted):
            raise SettingsError(
                "destinations.password_needed",
                "The destination is another one, and the stored password is not sent there.",
                where="settings.password",
                remedy="Give the password again, or null for none.",
            )
        return {"settings": settings}
    if row.secret_id is not None:
        secrets.remove(connection, row.secret_id)
    kept = (
        None if password is None else secrets.put(connection, platform.keys, row.owner_id, _PURPOSE, password)
    )
    return {"settings": settings, "secret_id": kept}


def _is_elsewhere(old: Destination, new: Destination) -> bool:
    return any(getattr(old, name) != getattr(new, name) for name in _WHERE_IT_GOES)


def _split(settings: Destination) -> tuple[dict[str, Any], SecretStr | None]:
    """Give what may be stored and shown, and the password."""
    shown = settings.model_dump(mode="json", exclude_unset=True, exclude={"password"})
    return shown, settings.password


def _require_built(settings: Destination) -> None:
    """Refuse what is not built yet, by the code that the checks of a synthesis use."""
    findings = []
    for path in unavailable(settings):
        message, remedy = explain_unavailable(find(("destination", path)))
        findings.append(Finding("settings.not_available", "error", f"settings.{path}", message, remedy))
    if findings:
        first = findings[0]
        raise SettingsError(
            first.code, first.message, where=first.where, remedy=first.remedy, findings=findings
        )


def _require_room(connection: Connection, actor: Actor) -> None:
    mine = select(func.count()).select_from(destinations).where(destinations.c.owner_id == actor.user_id)
    if connection.execute(mine).scalar_one() >= MOST:
        raise ConflictError(
            "destinations.too_many",
            f"There are {MOST} destinations already.",
            remedy="Delete those not in use.",
        )


def _read(connection: Connection, destination_id: str) -> Row[Any]:
    return _one(connection, _find(destination_id))


def _hold(connection: Connection, destination_id: str) -> Row[Any]:
    """Read a destination that is about to change: of two changes at once, each removes its own password."""
    return _one(connection, _find(destination_id).with_for_update())


def _one(connection: Connection, query: Select[Any]) -> Row[Any]:
    row = connection.execute(query).one_or_none()
    if row is None:  # deleted a moment ago
        raise not_found("destination")
    return row


def _find(destination_id: str) -> Select[Any]:
    return select(destinations).where(destinations.c.id == destination_id)


def _write(connection: Connection, destination_id: str, values: Mapping[str, Any]) -> None:
    mine = destinations.c.id == destination_id
    connection.execute(update(destinations).where(mine).values(**values, updated_at=now()))


def _view(row: Row[Any]) -> DestinationView:
    return DestinationView(
        id=row.id,
        name=row.name,
        settings=row.settings,
        has_password=row.secret_id is not None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
