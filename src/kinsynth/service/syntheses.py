"""Syntheses: documents in versions, each about a source; shared with people, checked against data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field
from sqlalchemy import Connection, Row, case, delete, func, insert, literal, select, update

from kinsynth.errors import ConflictError
from kinsynth.executions.state import Status
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.versions import check_version, detect, find_version, refusal
from kinsynth.service.analysis.views import AssessmentView, CheckView
from kinsynth.service.audit import record
from kinsynth.service.documents import Document, bind, settle
from kinsynth.service.idempotency import create, find, make_once
from kinsynth.service.names import rename
from kinsynth.service.pages import Page, View, Wanted, read_page
from kinsynth.service.permissions import find_level, not_found, require, visible_syntheses
from kinsynth.service.platform import Platform
from kinsynth.service.removal import remove_execution
from kinsynth.service.scores import Accuracy, Privacy, report_of_execution, score_columns
from kinsynth.service.sources import UNFINISHED
from kinsynth.settings.document import dump, parse
from kinsynth.storage.clock import now
from kinsynth.storage.files import list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.locks import hold
from kinsynth.storage.tables import (
    executions,
    shares,
    sources,
    steps,
    syntheses,
    synthesis_versions,
    users,
)


class SynthesisView(View):
    """A synthesis."""

    id: str
    name: str
    owner_id: str
    source_id: str | None = Field(
        description="Null once the source was deleted, or its owner may no longer edit the synthesis."
    )
    version: int
    level: str = Field(description="What the reader may do: view, run, edit or own.")
    owner_name: str
    source_name: str | None = Field(description="Null where the source is not the reader's.")
    execution_id: str | None = Field(description="The newest execution; null where there is none.")
    execution_status: Status | None
    scored_id: str | None = Field(description="The newest execution that has scores; null where none has.")
    accuracy: Accuracy
    privacy: Privacy
    created_at: float
    updated_at: float


class SynthesisDetail(SynthesisView):
    """A synthesis with the newest version of its document."""

    document: Document


class SynthesisVersion(View):
    """A version of a document."""

    number: int
    author_id: str
    created_at: float


class SynthesisVersionDetail(SynthesisVersion):
    """A version of a document, with it."""

    document: Document


def create_synthesis(
    platform: Platform,
    actor: Actor,
    source_id: str,
    *,
    name: str,
    document: Mapping[str, Any] | None = None,
    key: str | None = None,
    operation: str = "syntheses.create",
) -> tuple[SynthesisDetail, bool]:
    """Make a synthesis of a source.

    Args:
        platform: The platform.
        actor: Who; the source must be theirs.
        source_id: The source.
        name: Name of the synthesis.
        document: The document; None takes what is detected in the newest version.
        key: Idempotency key.
        operation: How the document came.

    Returns:
        The synthesis, and whether it was made now.
    """
    once = make_once(actor.user_id, key, operation, [source_id, name, document])
    with platform.records.read() as connection:
        require(connection, actor, operation)
        require(connection, actor, "sources.read", source_id)
    if (known := find(platform.records, once)) is not None:
        return read_synthesis(platform, actor, known), False
    settled = settle({"name": name} if document is None else document)
    if document is None:
        settled = settle(detect(platform, find_version(platform, source_id), settled).document)

    def make(connection: Connection) -> str:
        require(connection, actor, operation)
        require(connection, actor, "sources.read", source_id)
        made_id = _insert(connection, actor, source_id, name, settled)
        record(connection, actor, operation, made_id, details={"source": source_id})
        return made_id

    synthesis_id, made = create(platform.records, once, make)
    return read_synthesis(platform, actor, synthesis_id), made


def import_synthesis(
    platform: Platform, actor: Actor, source_id: str, *, text: str, name: str = "", key: str | None = None
) -> tuple[SynthesisDetail, bool]:
    """Make a synthesis of a document in YAML; its paths are replaced by the source."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.import")
    with platform.analysts.folder() as folder:
        document = platform.analysts.call("read_document", {"text": text}, folder)
    return create_synthesis(
        platform,
        actor,
        source_id,
        name=name or parse(document).name,
        document=document,
        key=key,
        operation="syntheses.import",
    )


def clone_synthesis(
    platform: Platform, actor: Actor, synthesis_id: str, *, name: str = "", key: str | None = None
) -> tuple[SynthesisDetail, bool]:
    """Make a copy of a synthesis: its newest document and its source, no shares, no executions.

    A source of another is left out: what an editor put under the synthesis was given to that, not to copies.
    """
    once = make_once(actor.user_id, key, "syntheses.clone", [synthesis_id, name])

    def make(connection: Connection) -> str:
        require(connection, actor, "syntheses.clone", synthesis_id)
        row = read_row(connection, synthesis_id)
        document = read_document(connection, synthesis_id, row.version)
        is_theirs = row.source_id is not None and find_level(connection, actor, "source", row.source_id)
        source_id = row.source_id if is_theirs else None
        copy_id = _insert(connection, actor, source_id, name or f"{row.name} (copy)"[:200], document)
        record(connection, actor, "syntheses.clone", copy_id, details={"of": synthesis_id})
        return copy_id

    made_id, made = create(platform.records, once, make)
    return read_synthesis(platform, actor, made_id), made


def list_syntheses(
    platform: Platform, actor: Actor, wanted: Wanted, *, name: str = ""
) -> Page[SynthesisView]:
    """List what somebody owns or has a share of, newest first; with a name, those of exactly this name."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.list")
        query = _with_level(actor).where(syntheses.c.id.in_(visible_syntheses(actor.user_id)))
        if name:
            query = query.where(syntheses.c.name == name)
        rows, cursor = read_page(connection, query, syntheses.c.created_at, syntheses.c.id, wanted)
    return Page(items=tuple(SynthesisView.model_validate(row) for row in rows), next=cursor)


def read_synthesis(platform: Platform, actor: Actor, synthesis_id: str) -> SynthesisDetail:
    """Give a synthesis with its document."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.read", synthesis_id)
        return _detail(connection, actor, synthesis_id)


def update_synthesis(
    platform: Platform,
    actor: Actor,
    synthesis_id: str,
    *,
    document: Mapping[str, Any],
    expected: int,
    source_id: str | None = None,
) -> SynthesisDetail:
    """Write a new version of the document.

    Args:
        platform: The platform.
        actor: Who.
        synthesis_id: The synthesis.
        document: The whole new document.
        expected: The version that was changed.
        source_id: Another source, of the actor; None keeps the one it has.

    Raises:
        ConflictError: ``synthesis.changed``, somebody wrote another version meanwhile.

    Guarantees:
        The same change of the same person, sent again, changes nothing and is answered as the first time.
    """
    settled = settle(document)
    with platform.records.write() as connection:
        hold(connection, syntheses.c.id, synthesis_id)
        require(connection, actor, "syntheses.update", synthesis_id)
        if source_id is not None:
            require(connection, actor, "sources.read", source_id)
        values: dict[str, Any] = {"version": expected + 1, "updated_at": now()}
        mine = (syntheses.c.id == synthesis_id) & (syntheses.c.version == expected)
        if source_id is not None:
            values["source_id"] = source_id
        if not connection.execute(update(syntheses).where(mine).values(**values)).rowcount:
            if _is_written(connection, actor, synthesis_id, values, settled):
                return _detail(connection, actor, synthesis_id)
            raise ConflictError(
                "synthesis.changed",
                f"The newest version is not {expected} any more.",
                where="version",
                remedy="Read the newest version, and make the change there.",
            )
        _insert_version(connection, actor, synthesis_id, expected + 1, settled)
        said = {"version": expected + 1} | ({} if source_id is None else {"source": source_id})
        record(connection, actor, "syntheses.update", synthesis_id, details=said)
        return _detail(connection, actor, synthesis_id)


def _is_written(
    connection: Connection, actor: Actor, synthesis_id: str, values: Mapping[str, Any], document: Document
) -> bool:
    """Tell whether the newest version is this one, with this source, and this person wrote it."""
    synthesis = read_row(connection, synthesis_id)
    if any(getattr(synthesis, name) != values[name] for name in ("version", "source_id") if name in values):
        return False
    written = _version_row(connection, synthesis_id, synthesis.version)
    return bool(written.author_id == actor.user_id and written.document == document)


def rename_synthesis(platform: Platform, actor: Actor, synthesis_id: str, name: str) -> SynthesisDetail:
    """Give a synthesis another name."""
    with platform.records.write() as connection:
        rename(connection, actor, "syntheses.rename", syntheses, synthesis_id, name=name)
        return _detail(connection, actor, synthesis_id)


def delete_synthesis(platform: Platform, actor: Actor, synthesis_id: str) -> None:
    """Delete a synthesis with its executions, models and results.

    Raises:
        ConflictError: ``synthesis.in_use``, an execution is not finished.
    """
    with platform.records.write() as connection:
        require(connection, actor, "syntheses.delete", synthesis_id)
        hold(connection, syntheses.c.id, synthesis_id)
        mine = executions.c.synthesis_id == synthesis_id
        at_work = mine & executions.c.status.in_(UNFINISHED)
        if connection.execute(select(func.count()).select_from(executions).where(at_work)).scalar_one():
            raise ConflictError(
                "synthesis.in_use",
                "An execution is not finished.",
                where="synthesis",
                remedy="Wait for it, or cancel it.",
            )
        made = connection.execute(select(executions.c.id).where(mine)).scalars().all()
        for execution_id in made:
            remove_execution(connection, execution_id)
        for table in (shares, synthesis_versions):
            connection.execute(delete(table).where(table.c.synthesis_id == synthesis_id))
        connection.execute(delete(syntheses).where(syntheses.c.id == synthesis_id))
        record(connection, actor, "syntheses.delete", synthesis_id, details={"executions": len(made)})


def export_synthesis(platform: Platform, actor: Actor, synthesis_id: str) -> str:
    """Give the newest document as YAML that the command line reads too."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.export", synthesis_id)
        row = read_row(connection, synthesis_id)
        document = read_document(connection, synthesis_id, row.version)
        names = names_of_source(connection, row.source_id)
    return dump(parse(bind(document, names)))


def names_of_source(connection: Connection, source_id: str | None) -> Iterable[str]:
    """Give the names of the newest sealed files of a source; none where there are none."""
    number = connection.execute(
        select(sources.c.version).where(sources.c.id == source_id)
    ).scalar_one_or_none()
    return list_files(connection, source_id, number) if source_id and number else ()


def list_synthesis_versions(
    platform: Platform, actor: Actor, synthesis_id: str, wanted: Wanted
) -> Page[SynthesisVersion]:
    """List the versions of a document, the newest first."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.versions", synthesis_id)
        at, key = synthesis_versions.c.number, synthesis_versions.c.synthesis_id
        columns = (at, key, synthesis_versions.c.author_id, synthesis_versions.c.created_at)
        query = select(*columns).where(key == synthesis_id)
        rows, following = read_page(connection, query, at, key, wanted)
        return Page(items=tuple(SynthesisVersion.model_validate(row) for row in rows), next=following)


def read_synthesis_version(
    platform: Platform, actor: Actor, synthesis_id: str, number: int
) -> SynthesisVersionDetail:
    """Give one version of a document."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.version", synthesis_id)
        row = _version_row(connection, synthesis_id, number)
    return SynthesisVersionDetail.model_validate(row)


def check_synthesis(
    platform: Platform, actor: Actor, synthesis_id: str, *, source_version: int | None = None
) -> CheckView:
    """Check the newest document against a version of the source, None for the newest, and assess its cost."""
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.check", synthesis_id)
        row = read_row(connection, synthesis_id)
        document = read_document(connection, synthesis_id, row.version)
    return check_version(platform, find_version(platform, row.source_id, source_version), document)


def assess_synthesis(
    platform: Platform, actor: Actor, synthesis_id: str, *, source_version: int | None = None
) -> AssessmentView:
    """Say what a run will cost.

    Raises:
        SchemaError: ``synthesis.unfit``, a finding blocks; ``findings`` holds all that do.
    """
    with platform.records.read() as connection:
        require(connection, actor, "syntheses.assess", synthesis_id)
        row = read_row(connection, synthesis_id)
        document = read_document(connection, synthesis_id, row.version)
    checked = check_version(platform, find_version(platform, row.source_id, source_version), document)
    if checked.assessment is None:
        raise refusal("synthesis.unfit", checked.findings)
    return checked.assessment


def read_row(connection: Connection, synthesis_id: str) -> Row[Any]:
    """Give the row of a synthesis that was let through by ``require``."""
    return connection.execute(select(syntheses).where(syntheses.c.id == synthesis_id)).one()


def read_document(connection: Connection, synthesis_id: str, number: int) -> Document:
    """Give a version of the document."""
    document: Document = _version_row(connection, synthesis_id, number).document
    return document


def _version_row(connection: Connection, synthesis_id: str, number: int) -> Row[Any]:
    if not 0 < number < 2**31:
        raise not_found("version")
    mine = (synthesis_versions.c.synthesis_id == synthesis_id) & (synthesis_versions.c.number == number)
    row = connection.execute(select(synthesis_versions).where(mine)).one_or_none()
    if row is None:
        raise not_found("version")
    return row


def _insert(
    connection: Connection, actor: Actor, source_id: str | None, name: str, document: Document
) -> str:
    synthesis_id = make_id("syn")
    connection.execute(
        insert(syntheses).values(
            id=synthesis_id,
            owner_id=actor.user_id,
            source_id=source_id,
            name=name,
            version=1,
            created_at=now(),
            updated_at=now(),
        )
    )
    _insert_version(connection, actor, synthesis_id, 1, document)
    return synthesis_id


def _insert_version(
    connection: Connection, actor: Actor, synthesis_id: str, number: int, document: Document
) -> None:
    values = {"synthesis_id": synthesis_id, "number": number, "document": document}
    connection.execute(insert(synthesis_versions).values(**values, author_id=actor.user_id, created_at=now()))


def _with_level(actor: Actor) -> Any:
    """Ask for syntheses with what somebody may do with each, and what came of them last."""
    theirs = (shares.c.synthesis_id == syntheses.c.id) & (shares.c.user_id == actor.user_id)
    level = case((syntheses.c.owner_id == actor.user_id, literal("own")), else_=shares.c.level)
    newest, scored = executions.alias(), executions.alias()
    mine = (sources.c.id == syntheses.c.source_id) & (sources.c.owner_id == actor.user_id)
    way = syntheses.outerjoin(shares, theirs).outerjoin(sources, mine)
    way = way.join(users, users.c.id == syntheses.c.owner_id)
    way = way.outerjoin(newest, newest.c.id == _newest_execution())
    way = way.outerjoin(scored, scored.c.id == _newest_execution(has_scores=True))
    return select(
        syntheses,
        level.label("level"),
        users.c.name.label("owner_name"),
        sources.c.name.label("source_name"),
        newest.c.id.label("execution_id"),
        newest.c.status.label("execution_status"),
        scored.c.id.label("scored_id"),
        *score_columns(),
    ).select_from(way.outerjoin(steps, report_of_execution(scored)))


def _newest_execution(*, has_scores: bool = False) -> Any:
    """Ask for the id of a synthesis' newest execution, for each synthesis of the query around it."""
    one, report = executions.alias(), steps.alias()
    query = select(one.c.id).where(one.c.synthesis_id == syntheses.c.id).correlate(syntheses)
    if has_scores:
        accuracy, _ = score_columns(report)
        query = query.join(report, report_of_execution(one, report)).where(accuracy.is_not(None))
    return query.order_by(one.c.created_at.desc(), one.c.id.desc()).limit(1).scalar_subquery()


def _detail(connection: Connection, actor: Actor, synthesis_id: str) -> SynthesisDetail:
    row = connection.execute(_with_level(actor).where(syntheses.c.id == synthesis_id)).one()
    view = SynthesisView.model_validate(row)
    document = read_document(connection, synthesis_id, row.version)
    return SynthesisDetail(**view.model_dump(), document=document)
