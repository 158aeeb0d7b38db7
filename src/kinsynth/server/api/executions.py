"""Executions: started, followed, cancelled; their results."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Header, Query, Request
from pydantic import Field
from starlette.responses import Response, StreamingResponse

from kinsynth.executions.state import Status
from kinsynth.pipeline.timeline import StepName
from kinsynth.server.auth import CurrentActor, OpenPlatform, read_credentials
from kinsynth.server.bodies import Body, Key, Renamed, Rows, Sealed, Seed, WindowOf
from kinsynth.server.codes import BUSY, CONDITIONS, DAMAGED, KEY, LOST, PARSER, QUOTA, READING
from kinsynth.server.content import BINARY, send_content
from kinsynth.server.operation import make_router, operation
from kinsynth.server.streams import follow_events
from kinsynth.server.words import PAGES, PageOf
from kinsynth.service import executions, results, starts
from kinsynth.service.analysis.views import RowsView
from kinsynth.service.drawings import Given, Wishes
from kinsynth.service.executions import EventsView, ExecutionDetail, ExecutionView, TimelineView
from kinsynth.service.fields import Short
from kinsynth.service.pages import Page
from kinsynth.service.results import ResultFileView
from kinsynth.service.starts import Order
from kinsynth.settings.conditions import Asked, Fill

router = make_router()
_ONE = "/executions/{execution_id}"
_OF = "/syntheses/{synthesis_id}/executions"
_REFUSED = ("execution.configuration", "execution.too_little_data")
_MODEL = ("model.not_found", "settings.invalid", "settings.rows_not_root")
_NOT_AGAIN = ("execution.not_finished", "execution.no_model", "execution.given_gone")
_FILE = {404: ("access.not_found",), 422: LOST, 500: DAMAGED, 503: BUSY}
_JSON: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}


class _New(Body):
    name: Short = Field("", description="Empty for one made of the synthesis' name.")
    rows: Rows = Field(default_factory=dict, description="Rows of root tables.")
    seed: Seed | None = None


class NewRun(_New):
    """A run to start: it learns from the source, then draws."""

    kind: Literal["run"] = "run"
    source_version: Sealed | None = Field(None, description="Null is the newest.")


class GivenRows(Body):
    """Known rows of root tables: those of the tables of a source of one's own.

    They are copied when the drawing starts and removed when it has ended; the source may be deleted at once.
    """

    source_id: str
    source_version: Sealed | None = Field(None, description="Null is the newest.")
    tables: dict[Short, Short] = Field(
        default_factory=dict,
        max_length=1_000,
        description="Table by name of a file; of others the file's name says it, else it is the only root "
        "table.",
    )


class NewDrawing(_New):
    """More to draw from a stored model."""

    kind: Literal["generate"]
    model_id: str
    conditions: Asked = Field(default_factory=Asked, description="What the rows must keep to.")
    given: GivenRows | None = Field(None, description="Known rows: each becomes a row.")
    fill: Fill | None = Field(
        None,
        description="Fills the empty cells of the given rows of one table, which alone is the result; null "
        "draws a database.",
    )


class Retried(Body):
    """How an execution is done again."""

    name: Short = Field("", description="Empty for the name of the synthesis with the next number.")
    first_step: StepName = Field(
        "loading",
        description="The step to begin at: loading repeats all, training trains again. Finished steps before "
        "it are taken over; where their files were removed, it begins earlier, as its first event says.",
    )
    seed: Seed | None = Field(None, description="Another seed; null keeps the old one.")


@operation(
    router,
    "POST",
    _OF,
    "executions.create",
    status=201,
    errors={
        409: (*KEY, *QUOTA, "source.not_sealed"),
        422: (*READING, *_REFUSED, *_MODEL, *CONDITIONS),
        500: DAMAGED,
        503: BUSY,
    },
)
def create(
    platform: OpenPlatform,
    actor: CurrentActor,
    synthesis_id: str,
    body: NewDrawing | NewRun,
    key: Key = None,
) -> ExecutionDetail:
    """Start a run, or generate more from a stored model; what cannot succeed is refused here."""
    order = Order(body.name, body.rows, body.seed, key)
    if isinstance(body, NewDrawing):
        given = None if body.given is None else Given(**body.given.model_dump())
        wishes = Wishes(body.conditions, given, body.fill)
        return starts.start_drawing(platform, actor, synthesis_id, body.model_id, order, wishes=wishes)[0]
    return starts.start_run(platform, actor, synthesis_id, order, source_version=body.source_version)[0]


@operation(router, "GET", _OF, "executions.of_synthesis", errors=PAGES)
def list_of_synthesis(
    platform: OpenPlatform,
    actor: CurrentActor,
    synthesis_id: str,
    page: PageOf,
    status: Annotated[Status | None, Query()] = None,
) -> Page[ExecutionView]:
    """List the executions of a synthesis, the newest first."""
    return executions.list_executions(platform, actor, page, synthesis_id=synthesis_id, status=status)


@operation(router, "GET", "/executions", "executions.list", errors=PAGES)
def list_all(
    platform: OpenPlatform,
    actor: CurrentActor,
    page: PageOf,
    status: Annotated[Status | None, Query()] = None,
) -> Page[ExecutionView]:
    """List the executions of all syntheses one sees, the newest first."""
    return executions.list_executions(platform, actor, page, status=status)


@operation(router, "GET", _ONE, "executions.read")
def read(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> ExecutionDetail:
    """Read an execution with the document as it was at the start."""
    return executions.read_execution(platform, actor, execution_id)


@operation(router, "PATCH", _ONE, "executions.rename")
def rename(platform: OpenPlatform, actor: CurrentActor, execution_id: str, body: Renamed) -> ExecutionDetail:
    """Rename an execution."""
    return executions.rename_execution(platform, actor, execution_id, body.name)


@operation(router, "POST", _ONE + "/cancel", "executions.cancel", errors={409: ("execution.final",)})
def cancel(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> ExecutionDetail:
    """Cancel an execution: at once where nobody works on it, else within seconds."""
    return executions.cancel_execution(platform, actor, execution_id)


@operation(
    router,
    "POST",
    _ONE + "/resume",
    "executions.resume",
    errors={409: ("execution.not_paused", "quota.seconds")},
)
def resume(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> ExecutionDetail:
    """Let an execution go on that paused because its owner's compute time was used up."""
    return executions.resume_execution(platform, actor, execution_id)


@operation(
    router,
    "POST",
    _ONE + "/retry",
    "executions.retry",
    status=201,
    errors={
        409: (*KEY, *QUOTA, *_NOT_AGAIN, "source.not_sealed"),
        422: (*READING, *_REFUSED, *_MODEL, "execution.seed_unused"),
        500: DAMAGED,
        503: BUSY,
    },
)
def retry(
    platform: OpenPlatform, actor: CurrentActor, execution_id: str, body: Retried, key: Key = None
) -> ExecutionDetail:
    """Do an execution that ended again, in a new one that names it."""
    return starts.retry_execution(
        platform,
        actor,
        execution_id,
        name=body.name,
        first_step=body.first_step,
        seed=body.seed,
        key=key,
    )[0]


@operation(
    router,
    "DELETE",
    _ONE,
    "executions.delete",
    status=204,
    errors={409: ("execution.not_finished", "model.in_use")},
)
def delete(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> None:
    """Delete an execution that ended, with its model and results."""
    executions.delete_execution(platform, actor, execution_id)


@operation(router, "GET", _ONE + "/events", "executions.events")
def list_events(
    platform: OpenPlatform,
    actor: CurrentActor,
    execution_id: str,
    after: Annotated[int, Query(ge=0, lt=2**31, description="Number of the last event known.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> EventsView:
    """Read the events after a number, in order."""
    return executions.list_events(platform, actor, execution_id, after=after, limit=limit)


@operation(
    router,
    "GET",
    _ONE + "/stream",
    "executions.stream",
    response_class=StreamingResponse,
    success={"text/event-stream": {"schema": {"type": "object"}}},
)
def stream(
    request: Request,
    platform: OpenPlatform,
    execution_id: str,
    last: Annotated[int, Header(alias="Last-Event-ID", ge=0, lt=2**31)] = 0,
    after: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> StreamingResponse:
    """Follow the events as they come (server-sent events); ends after the last one."""
    credentials = read_credentials(request)
    events = follow_events(platform, credentials, execution_id, max(last, after))
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


@operation(router, "GET", _ONE + "/timeline", "executions.timeline")
def read_timeline(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> TimelineView:
    """Read the steps as they stand, with the loss curve."""
    return executions.read_timeline(platform, actor, execution_id)


@operation(
    router,
    "GET",
    _ONE + "/preview",
    "executions.preview",
    errors={
        409: ("execution.no_results",),
        422: (*LOST, *PARSER, "table.not_found"),
        500: DAMAGED,
        503: BUSY,
    },
)
def preview(platform: OpenPlatform, actor: CurrentActor, execution_id: str, window: WindowOf) -> RowsView:
    """Read some rows of a synthetic table."""
    return results.preview_result(platform, actor, execution_id, window)


@operation(router, "GET", _ONE + "/files", "executions.files")
def list_files(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> list[ResultFileView]:
    """List tables and reports; none before they are there."""
    return list(results.list_result_files(platform, actor, execution_id))


@operation(
    router,
    "GET",
    _ONE + "/files/{path:path}",
    "executions.file",
    errors=_FILE | {404: ("access.not_found", "request.no_such_path")},  # one with a line break is no path
    response_class=Response,
    success=BINARY,
)
def read_file(platform: OpenPlatform, actor: CurrentActor, execution_id: str, path: str) -> Response:
    """Read a table or a report."""
    return send_content(results.open_result(platform, actor, execution_id, path))


@operation(
    router,
    "GET",
    _ONE + "/report",
    "executions.report",
    errors=_FILE,
    response_class=Response,
    success={"application/pdf": {"schema": {"type": "string", "format": "binary"}}},
)
def read_report(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> Response:
    """Read the PDF report; a browser shows it."""
    name, operation_id = "report.pdf", "executions.report"
    content = results.open_result(platform, actor, execution_id, name, operation=operation_id)
    return send_content(content, shown=True)


@operation(
    router,
    "GET",
    _ONE + "/certificate",
    "executions.certificate",
    errors=_FILE,
    response_class=Response,
    success=_JSON,
)
def read_certificate(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> Response:
    """Read what was proven on the written files."""
    name, operation_id = "certificate.json", "executions.certificate"
    return send_content(results.open_result(platform, actor, execution_id, name, operation=operation_id))


@operation(
    router,
    "GET",
    _ONE + "/evaluation",
    "executions.evaluation",
    errors=_FILE,
    response_class=Response,
    success=_JSON,
)
def read_evaluation(platform: OpenPlatform, actor: CurrentActor, execution_id: str) -> Response:
    """Read the comparison of original and synthetic."""
    name, operation_id = "evaluation.json", "executions.evaluation"
    return send_content(results.open_result(platform, actor, execution_id, name, operation=operation_id))
