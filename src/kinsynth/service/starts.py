"""Starts: new executions: a run, a drawing from a stored model, another one as one before."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from kinsynth.errors import AccessError, ConflictError, UserError
from kinsynth.executions.journal import add_event, read_events
from kinsynth.executions.state import FINAL
from kinsynth.pipeline.timeline import STEPS, StepName
from kinsynth.service import quotas
from kinsynth.service.actor import Actor
from kinsynth.service.analysis.versions import check_version, find_version, refusal
from kinsynth.service.analysis.views import CheckView
from kinsynth.service.audit import record
from kinsynth.service.documents import Document, bind
from kinsynth.service.drawings import Wishes, given_gone, needs_given, settle
from kinsynth.service.executions import (
    ExecutionDetail,
    model_of,
    read_execution,
    read_execution_row,
    submit,
)
from kinsynth.service.idempotency import Once, create, find, make_once
from kinsynth.service.inheritance import Inheritance, find_inheritance, hold_ancestor, steps_of, take_over
from kinsynth.service.models import StoredModel, read_model_facts
from kinsynth.service.performing.mirror import GIVEN
from kinsynth.service.permissions import is_lent, not_found, require
from kinsynth.service.platform import Platform
from kinsynth.service.sources import gone
from kinsynth.service.syntheses import read_document, read_row
from kinsynth.settings.document import parse
from kinsynth.storage.artefacts import Stored
from kinsynth.storage.clock import now
from kinsynth.storage.files import attach, list_files
from kinsynth.storage.ids import make_id
from kinsynth.storage.locks import keep
from kinsynth.storage.tables import executions, models, sources, syntheses

# What a drawing is expected to need before anything is known of it; more is reserved as it goes on.
DRAWING_S, DRAWN_ROW_S = 30.0, 1e-4
_TOO_LITTLE = {"data.too_few_rows", "settings.training_too_small"}


@dataclass(frozen=True)
class Order:
    """What a person wishes of a new execution.

    Attributes:
        name: Its name; empty for one made of the synthesis' name.
        rows: Rows of root tables, instead of those of the document or the model.
        seed: Seed, instead of that of the document or the model.
        key: Idempotency key.
    """

    name: str = ""
    rows: Mapping[str, int] = field(default_factory=dict)
    seed: int | None = None
    key: str | None = None


def start_run(
    platform: Platform,
    actor: Actor,
    synthesis_id: str,
    order: Order,
    *,
    source_version: int | None = None,
) -> tuple[ExecutionDetail, bool]:
    """Start a run: learn from the source, then draw.

    Args:
        platform: The platform.
        actor: Who starts it; their quota is used.
        synthesis_id: The synthesis; its newest document is taken.
        order: What is wished.
        source_version: Version of the source; None for the newest.

    Returns:
        The execution, and whether it was made now.

    Raises:
        SchemaError: ``execution.configuration``, ``execution.too_little_data``: ``findings`` has what blocks.
        SourceError: ``source.gone``; or its files cannot be read as they are.
        AccessError: ``quota.seconds`` or ``quota.rows``.
    """
    once = _once(actor, order, "executions.create", synthesis_id, source_version)
    with platform.records.read() as connection:
        require(connection, actor, "executions.create", synthesis_id)
        synthesis = read_row(connection, synthesis_id)
        document = read_document(connection, synthesis_id, synthesis.version)
    if (known := find(platform.records, once)) is not None:
        return read_execution(platform, actor, known), False
    version = find_version(platform, synthesis.source_id, source_version)
    document = bind(_with_generation(document, order), version.files)
    expected = _expect_run(check_version(platform, version, document))
    values = {
        "synthesis_id": synthesis_id,
        "synthesis_version": synthesis.version,
        "source_id": version.source_id,
        "source_version": version.number,
        "kind": "run",
        "document": document,
        "request": {},
    }

    return _begin(platform, actor, once, _maker(actor, synthesis, order, values, expected))


def start_drawing(
    platform: Platform,
    actor: Actor,
    synthesis_id: str,
    model_id: str,
    order: Order,
    *,
    wishes: Wishes = Wishes(),  # noqa: B008 - frozen
) -> tuple[ExecutionDetail, bool]:
    """Generate more from a stored model, with its own number of rows and its own seed.

    Args:
        platform: The platform.
        actor: Who starts it; their quota is used.
        synthesis_id: The synthesis.
        model_id: A model of it.
        order: What is wished of any execution.
        wishes: What the rows must keep to, and known rows, which are copied: their source may go.

    Raises:
        SettingsError: ``settings.rows_not_root``, a table is no root table; ``condition...``, what is wished
            does not fit the model.
        SourceError: The known rows cannot be read.
        AccessError: The model is none of the synthesis; ``quota.seconds`` or ``quota.rows``.
    """
    once = _once(actor, order, "executions.create", synthesis_id, model_id, wishes.said)
    with platform.records.read() as connection:
        require(connection, actor, "executions.create", synthesis_id)
        require(connection, actor, "models.read", model_id)
        synthesis = read_row(connection, synthesis_id)
    if (known := find(platform.records, once)) is not None:
        return read_execution(platform, actor, known), False
    stored = read_model_facts(platform, synthesis_id, model_id)
    settled = settle(platform, actor, stored, order.rows, wishes)
    asked = {
        "rows": dict(settled.rows),
        "seed": order.seed,
        "conditions": settled.conditions,
        "fill": wishes.said["fill"],
    }
    values, expected = _drawing(stored, asked), _expect_drawing(stored, asked)

    make = _maker(actor, synthesis, order, values, expected, files=settled.files)
    return _begin(platform, actor, once, make)


def retry_execution(
    platform: Platform,
    actor: Actor,
    execution_id: str,
    *,
    name: str = "",
    first_step: StepName = "loading",
    seed: int | None = None,
    key: str | None = None,
) -> tuple[ExecutionDetail, bool]:
    """Do an execution that ended again from one of its steps on, in a new one that names it.

    The new one takes over the steps before. Where files of them were removed, as raw data is when an
    execution ends, it begins at an earlier step; a training that is there is kept as long as its data comes
    out the same.

    Args:
        platform: The platform.
        actor: Who; their quota is used.
        execution_id: An execution that ended.
        name: Name of the new one; empty for the name of the synthesis with the next number.
        first_step: The step to begin at; ``loading`` repeats all, ``training`` trains anew.
        seed: Another seed; None keeps the old one. With one, ``synthesis`` draws from the trained model, and
            earlier steps begin at ``preprocessing`` at the latest: the rows held out follow the seed.
        key: Idempotency key.

    Returns:
        The execution, and whether it was made now. Its first event says where it begins, and why.

    Raises:
        ConflictError: ``execution.not_finished``; ``execution.no_model``, a drawing's model was deleted;
            ``execution.given_gone``, rows that were given to it were removed.
        SourceError: ``source.gone``, it must be read again.
        UserError: ``execution.seed_unused``, the step comes after the drawing.

    Guarantees:
        The results have the bytes that a new run with this document and seed would give.
    """
    once = make_once(actor.user_id, key, "executions.retry", [execution_id, name, first_step, seed])
    with platform.records.read() as connection:
        require(connection, actor, "executions.retry", execution_id)
        old = read_execution_row(connection, execution_id)
        model_id = old.model_id or model_of(connection, execution_id)
    if (known := find(platform.records, once)) is not None:
        return read_execution(platform, actor, known), False
    if old.status not in FINAL:
        raise not_finished(old.status)
    again = _repeat(platform, old, model_id, first_step, seed)

    def make(connection: Connection) -> str:
        require(connection, actor, "executions.retry", execution_id)
        keep(connection, syntheses.c.id, old.synthesis_id)  # first, as whoever ends a share holds it first
        source_id = hold_ancestor(connection, execution_id)
        inherited = find_inheritance(connection, execution_id, again.steps)
        if again.values["kind"] == "run" and "loading" not in inherited.done and source_id is None:
            raise gone()  # what was there a moment ago was removed
        named = {
            "ancestor_id": old.id,
            "source_id": source_id,
            "name": name or _next_name(connection, old.synthesis_id),
        }
        values = {**again.values, **named}
        said = _say_beginning(old, again, first_step, inherited)
        given = list_files(connection, execution_id, under=GIVEN)
        if needs_given(values["request"]) and not given:
            raise given_gone()
        new_id = _insert(connection, actor, values, again.expected, said)
        attach(connection, new_id, 0, given)
        take_over(connection, execution_id, new_id, inherited)
        record(connection, actor, "executions.retry", new_id, details={"ancestor": old.id})
        return new_id

    return _begin(platform, actor, once, make)


@dataclass(frozen=True)
class _Expected:
    """What an execution will use."""

    seconds: float
    rows: int


@dataclass(frozen=True)
class _Again:
    """How an execution is done again: columns of its row, what it will use, and steps it may take over."""

    values: Mapping[str, Any]
    expected: _Expected
    steps: Sequence[StepName]
    is_seeded: bool


def _repeat(
    platform: Platform, old: Row[Any], model_id: str | None, first_step: StepName, seed: int | None
) -> _Again:
    is_seeded = seed is not None and seed != _seed_of(old)
    if is_seeded and STEPS.index(first_step) > STEPS.index("synthesis"):
        raise _seed_unused(first_step)
    steps = steps_of(old.kind)
    before = [step for step in steps if STEPS.index(step) < STEPS.index(first_step)]
    if old.kind == "generate":
        return _repeat_drawing(
            platform, old, model_id, () if is_seeded else before, seed if is_seeded else None
        )
    with platform.records.read() as connection:
        is_loaded = "loading" in find_inheritance(connection, old.id, before).done
        is_withdrawn = old.source_id is not None and not is_lent(connection, old.source_id, old.synthesis_id)
    draws_only = is_seeded or is_withdrawn or not (is_loaded or old.source_id)
    if first_step == "synthesis" and model_id and draws_only:
        return _repeat_drawing(platform, old, model_id, (), seed if is_seeded else None)
    if is_withdrawn:
        raise gone()  # before it is looked into: findings speak of its content
    document = _with_generation(old.document, Order(seed=seed)) if is_seeded else old.document
    may_take = [step for step in before if step == "loading" or not is_seeded]
    return _Again(
        {**{name: getattr(old, name) for name in _SAME}, "document": document},
        _expect_again(platform, old, document, is_loaded=is_loaded),
        may_take,
        is_seeded,
    )


_SAME = ("synthesis_id", "synthesis_version", "source_id", "source_version", "kind", "request")


def _repeat_drawing(
    platform: Platform,
    old: Row[Any],
    model_id: str | None,
    steps: Sequence[StepName],
    seed: int | None,
) -> _Again:
    if model_id is None:
        raise _no_model()
    try:
        stored = read_model_facts(platform, old.synthesis_id, model_id)
    except AccessError as error:  # the row of a drawing names a model that was deleted
        raise _no_model() from error
    asked = dict(old.request if old.kind == "generate" else _asked(old.document))
    if seed is not None:
        asked["seed"] = seed
    return _Again(_drawing(stored, asked), _expect_drawing(stored, asked), steps, seed is not None)


def _expect_again(platform: Platform, old: Row[Any], document: Document, *, is_loaded: bool) -> _Expected:
    """Give what a run will use: as it was expected before, where its source is not needed any more."""
    if is_loaded and old.source_id is None:
        with platform.records.read() as connection:
            said = read_events(connection, old.id, limit=1)[0].body
        return _Expected(said["seconds"], said["rows"])
    return _expect_run(
        check_version(platform, find_version(platform, old.source_id, old.source_version), document)
    )


def _say_beginning(
    old: Row[Any], again: _Again, asked: StepName, inherited: Inheritance
) -> Mapping[str, Any]:
    """Say where an execution begins that does another one again, and why not where it was asked to."""
    begins_at = inherited.first_step(again.values["kind"])
    earlier = STEPS.index(begins_at) < STEPS.index(asked)
    reason = ("seed" if again.is_seeded and "loading" in inherited.done else "files") if earlier else "asked"
    return {
        "ancestor": old.id,
        "asked": asked,
        "begins_at": begins_at,
        "takes_over": [step for step in STEPS if step in inherited.done],
        "reason": reason,
    }


def _seed_of(old: Row[Any]) -> int | None:
    seed: int | None = old.request.get("seed")
    return parse(old.document).generation.seed if seed is None else seed


def _seed_unused(first_step: StepName) -> UserError:
    return UserError(
        "execution.seed_unused",
        f"Nothing is drawn in {first_step}: another seed has no effect there.",
        where="seed",
        remedy="Begin at synthesis to draw with another seed, or at training to train with it.",
    )


def _no_model() -> ConflictError:
    return ConflictError(
        "execution.no_model",
        "The stored model it draws from was deleted.",
        where="execution",
        remedy="Start a run of the synthesis.",
    )


def _drawing(stored: StoredModel, asked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "synthesis_id": stored.synthesis_id,
        "synthesis_version": stored.synthesis_version,
        "source_id": stored.source_id,
        "source_version": stored.source_version,
        "ancestor_id": stored.execution_id,
        "model_id": stored.id,
        "kind": "generate",
        "document": stored.document,
        "request": dict(asked),
    }


def _asked(document: Document) -> dict[str, Any]:
    """Give what the document of a run says about drawing."""
    generation = parse(document).generation
    return {"rows": dict(generation.rows), "seed": generation.seed}


def _expect_drawing(stored: StoredModel, asked: Mapping[str, Any]) -> _Expected:
    """Give what a drawing will use; a filling makes the given rows of its table and no others."""
    rows = stored.rows_of(asked["rows"])
    drawn = sum(rows[name] for name in (asked["rows"] if asked.get("fill") else rows))
    return _Expected(DRAWING_S + DRAWN_ROW_S * drawn, drawn)


def _expect_run(checked: CheckView) -> _Expected:
    """Give what a run will use.

    Raises:
        SchemaError: ``execution.configuration`` or ``execution.too_little_data``.
    """
    if checked.assessment is None:
        raise _unfit(checked)
    return _Expected(checked.assessment.seconds, sum(checked.rows.values()))


def _unfit(checked: CheckView) -> UserError:
    blocking = {one.code for one in checked.findings if one.severity == "error"}
    if blocking <= _TOO_LITTLE:
        return refusal("execution.too_little_data", checked.findings)
    return refusal("execution.configuration", checked.findings)


def not_finished(status: str) -> ConflictError:
    """Give the error for an execution that has not ended."""
    return ConflictError(
        "execution.not_finished",
        f"The execution is {status}.",
        where="execution",
        remedy="Wait until it ends, or cancel it.",
    )


def _once(actor: Actor, order: Order, operation: str, *said: object) -> Once:
    asked = [*said, order.name, dict(order.rows), order.seed]
    return make_once(actor.user_id, order.key, operation, asked)


def _maker(
    actor: Actor,
    synthesis: Row[Any],
    order: Order,
    values: Mapping[str, Any],
    expected: _Expected,
    *,
    files: Mapping[str, Stored] | None = None,
) -> Callable[[Connection], str]:
    """Give what makes a new execution of a synthesis, with files of its own, in a transaction."""

    def make(connection: Connection) -> str:
        require(connection, actor, "executions.create", synthesis.id)
        named = {**values, "name": order.name or _next_name(connection, synthesis.id)}
        execution_id = _insert(connection, actor, named, expected)
        attach(connection, execution_id, 0, files or {})
        record(connection, actor, "executions.create", execution_id)
        return execution_id

    return make


def _begin(platform: Platform, actor: Actor, once: Once, make: Any) -> tuple[ExecutionDetail, bool]:
    execution_id, made = create(platform.records, once, make)
    found = read_execution(platform, actor, execution_id)
    if made:
        submit(platform, found)
    return found, made


def _keep_needed(connection: Connection, values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what an execution is made from until it is there; much may have gone since it was read.

    Returns:
        The values, without a source that a drawing does not need.
    """
    for kind, key, needed in (
        ("synthesis", syntheses.c.id, values["synthesis_id"]),
        ("execution", executions.c.id, values.get("ancestor_id")),
        ("model", models.c.id, values.get("model_id")),
    ):
        if needed is not None and not keep(connection, key, needed):
            raise not_found(kind)
    source_id = values["source_id"]
    if source_id is not None and not (
        keep(connection, sources.c.id, source_id) and is_lent(connection, source_id, values["synthesis_id"])
    ):
        if values["kind"] == "run":
            raise gone()
        source_id = None
    return {**values, "source_id": source_id}


def _insert(
    connection: Connection,
    actor: Actor,
    values: Mapping[str, Any],
    expected: _Expected,
    said: Mapping[str, Any] | None = None,
) -> str:
    values = _keep_needed(connection, values)
    quotas.reserve(connection, actor.user_id, seconds=expected.seconds, rows=expected.rows)
    execution_id = make_id("exe")
    connection.execute(
        insert(executions).values(
            id=execution_id,
            owner_id=actor.user_id,
            status="queued",
            epoch=0,
            lease_expires_at=0.0,
            attempt=1,
            losses=0,
            next_event=1,
            reserved_seconds=expected.seconds,
            used_seconds=0.0,
            charged_seconds=0.0,
            reserved_rows=expected.rows,
            used_rows=0,
            created_at=now(),
            **values,
        )
    )
    queued = {"kind": "execution_queued", "seconds": expected.seconds, "rows": expected.rows, **(said or {})}
    add_event(connection, execution_id, queued)
    return execution_id


def _with_generation(document: Document, order: Order) -> Document:
    generation = dict(document.get("generation", {}))
    if order.rows:
        generation["rows"] = {**generation.get("rows", {}), **order.rows}
    if order.seed is not None:
        generation["seed"] = order.seed
    return {**document, "generation": generation} if generation else document


def _next_name(connection: Connection, synthesis_id: str) -> str:
    """Give the name of the synthesis with the next number that none of its executions has."""
    name = connection.execute(select(syntheses.c.name).where(syntheses.c.id == synthesis_id)).scalar_one()
    mine = executions.c.synthesis_id == synthesis_id
    numbered = re.compile(rf"{re.escape(name[:180])} ([0-9]{{1,9}})")
    taken = connection.execute(select(executions.c.name).where(mine)).scalars()
    numbers = [int(found[1]) for found in map(numbered.fullmatch, taken) if found]
    return f"{name[:180]} {max(numbers, default=0) + 1}"
