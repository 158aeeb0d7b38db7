"""The commands' work done by an installation: files go there, results come back."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn

from pydantic import TypeAdapter
from rich.console import Console
from rich.text import Text

from kinsynth.cli.commands import Invocation
from kinsynth.cli.execution import GENERATION, show_paths
from kinsynth.cli.progress import show_progress
from kinsynth.client import Client, Object, failure_of
from kinsynth.connectors.content import ENDINGS
from kinsynth.errors import Finding, Interrupted, SourceError, UserError
from kinsynth.pipeline.complexity import Assessment, Driver, Suggestion
from kinsynth.pipeline.filling import FORMATS, check_output
from kinsynth.pipeline.request import Request
from kinsynth.pipeline.timeline import STEPS, Event
from kinsynth.service.documents import settle, with_paths
from kinsynth.settings.conditions import Fill
from kinsynth.settings.document import parse
from kinsynth.settings.synthesis import Synthesis
from kinsynth.system.files import commit

TOKEN = "KINSYNTH_TOKEN"  # noqa: S105 - the name of a variable
_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)
_EVENTS = {"step_started", "step_progressed", "step_message", "step_finished"}


@contextmanager
def connected(server: str) -> Iterator[Client]:
    """Give a client of an installation.

    Raises:
        UserError: ``command.token``, no token is set.
    """
    token = os.environ.get(TOKEN, "")
    if not token:
        raise UserError(
            "command.token",
            "No API token is set.",
            where=TOKEN,
            remedy=f"Make a token in the installation, and write it into the variable {TOKEN}.",
        )
    with Client(server, token) as client:
        yield client


def detect_remotely(invocation: Invocation, synthesis: Synthesis, base: Path) -> Object:
    """Have a source detected; the document that says it outright names the files as they are here."""
    with connected(invocation.server) as client:
        source_id, number = client.put_source(synthesis.name, find_files(synthesis, base))
        found = client.detect(source_id, number, _document(synthesis))
    declared = with_paths(parse(found["document"]), synthesis.source.paths)
    return {**found, "document": declared.model_dump(mode="json", exclude_unset=True)}


def check_remotely(
    invocation: Invocation, synthesis: Synthesis, base: Path
) -> tuple[tuple[Finding, ...], Assessment | None]:
    """Have a document checked against its data."""
    with connected(invocation.server) as client:
        synthesis_id, version = _put_synthesis(client, synthesis, base)
        found = client.check(synthesis_id, source_version=version)
    findings = tuple(Finding(**one) for one in found["findings"])
    assessment = found["assessment"]
    return findings, None if assessment is None else _read_assessment(assessment)


def run_remotely(invocation: Invocation, synthesis: Synthesis, base: Path, output: Path) -> None:
    """Run a document there, follow it, and bring the results."""
    refuse_used(output)
    with connected(invocation.server) as client:
        synthesis_id, version = _put_synthesis(client, synthesis, base)
        execution = client.run(synthesis_id, source_version=version)
        _follow(invocation, client, execution)
        fetch_results(invocation.out, client, execution["id"], output)


def generate_remotely(
    invocation: Invocation,
    execution_id: str,
    output: Path,
    *,
    rows: Mapping[str, int],
    seed: int | None,
    request: Request,
) -> None:
    """Generate more from the model of an execution there, and bring the results."""
    refuse_used(output)
    _refuse_missing(request)
    with connected(invocation.server) as client:
        execution = _draw(invocation, client, execution_id, rows=rows, seed=seed, request=request)
        fetch_results(invocation.out, client, execution["id"], output)


def impute_remotely(
    invocation: Invocation,
    execution_id: str,
    output: Path,
    *,
    seed: int | None,
    request: Request,
    fill: Fill,
) -> None:
    """Have a file filled from the model of an execution there, and bring it."""
    check_output(output)
    _refuse_missing(request)
    with connected(invocation.server) as client:
        execution = _draw(invocation, client, execution_id, seed=seed, request=request, fill=fill)
        output.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=output.absolute().parent) as staging:
            made = client.download(execution["id"], FORMATS[output.suffix.lower()], Path(staging))
            commit(made, output.absolute())
    invocation.out.print(Text(f"Wrote {output}."), soft_wrap=True)


def _draw(
    invocation: Invocation,
    client: Client,
    execution_id: str,
    *,
    seed: int | None,
    request: Request,
    rows: Mapping[str, int] | None = None,
    fill: Fill | None = None,
) -> Object:
    """Draw from the model of an execution, follow it to its end, and give it."""
    trained = client.execution(execution_id)
    model_id = trained["trained_model_id"] or trained["model_id"]
    if model_id is None:
        raise UserError(
            "execution.no_model",
            "The execution has no stored model.",
            where=execution_id,
            remedy="Name an execution whose training is done.",
        )
    execution = client.generate(
        trained["synthesis_id"],
        model_id,
        rows=rows,
        seed=seed,
        conditions=request.model_dump(mode="json", exclude={"given"}),
        given=request.given,
        fill=None if fill is None else fill.model_dump(mode="json"),
    )
    _follow(invocation, client, execution)
    return execution


def _refuse_missing(request: Request) -> None:
    for _, path in request.given:
        if not path.is_file():
            raise SourceError(
                "source.not_found", "No such file.", where=str(path), remedy="Correct its name."
            )


def retry_remotely(
    invocation: Invocation, execution_id: str, first_step: str, seed: int | None, output: Path
) -> None:
    """Do an execution there again, follow the new one, and bring its results."""
    refuse_used(output)
    with connected(invocation.server) as client:
        execution = client.retry(execution_id, first_step=first_step, seed=seed)
        _follow(invocation, client, execution)
        fetch_results(invocation.out, client, execution["id"], output)


def resume_remotely(invocation: Invocation, execution_id: str) -> None:
    """Let a paused execution go on, and follow it; one that is at work is followed."""
    with connected(invocation.server) as client:
        execution = client.execution(execution_id)
        if execution["status"] == "paused":
            execution = client.resume(execution_id)
        _follow(invocation, client, execution)
    command = f"{_program(invocation)} fetch {execution_id} --output DIR"
    invocation.out.print(Text(f"Done. Bring the results with: {command}"), soft_wrap=True)


def fetch_results(console: Console, client: Client, execution_id: str, output: Path) -> None:
    """Bring tables and reports of an execution into a folder."""
    found = [one["path"] for one in client.files(execution_id)]
    if not found:
        raise UserError(
            "execution.no_results",
            "The execution has no results: it has not succeeded, or they were deleted.",
            where=execution_id,
            remedy="Wait until it succeeds, or start it again.",
        )
    for path in found:
        client.fetch(execution_id, path, output / path)
    tables = tuple(output / path for path in found if path.startswith("tables/"))
    show_paths(console, "Tables", tables)
    for title, name in (("Report", "report.pdf"), ("Certificate", "certificate.json")):
        if name in found:
            show_paths(console, title, (output / name,))
    show_paths(console, "Execution", (Path(execution_id),))


def refuse_used(output: Path) -> None:
    """Stop at a folder with something in it.

    Raises:
        UserError: ``execution.folder_not_empty``.
    """
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UserError(
            "execution.folder_not_empty",
            "The folder is not empty.",
            where=str(output),
            remedy="Name another folder.",
        )


def find_files(synthesis: Synthesis, base: Path) -> list[Path]:
    """Give the files that a document reads, those of folders included.

    Raises:
        SourceError: ``source.not_found`` or ``source.no_tables``.
    """
    files: dict[Path, None] = {}
    for given in synthesis.source.paths:
        path = base / given
        if path.is_dir():
            files.update(dict.fromkeys(one for one in sorted(path.iterdir()) if _is_table(one)))
        elif path.is_file():
            files[path] = None
        else:
            raise SourceError(
                "source.not_found", "No such file or folder.", where=given, remedy="Correct source.paths."
            )
    if not files:
        raise SourceError(
            "source.no_tables",
            "No table was found.",
            where="source.paths",
            remedy="Name files that end with " + ", ".join(sorted(ENDINGS)) + ", or their folder.",
        )
    return list(files)


def _is_table(path: Path) -> bool:
    return path.is_file() and not path.name.startswith(".") and path.suffix.lower() in ENDINGS


def _document(synthesis: Synthesis) -> Object:
    return settle(synthesis.model_dump(mode="json", exclude_unset=True))


def _put_synthesis(client: Client, synthesis: Synthesis, base: Path) -> tuple[str, int]:
    """Have the document in the synthesis of its name, and its files in the source of its name.

    Returns:
        Id of the synthesis, and version of the source.
    """
    source_id, number = client.put_source(synthesis.name, find_files(synthesis, base))
    document = _document(synthesis)
    known = next((one for one in client.syntheses(name=synthesis.name) if one["level"] == "own"), None)
    if known is None:
        return client.create_synthesis(source_id, synthesis.name, document)["id"], number
    found = client.synthesis(known["id"])
    if found["document"] != document or found["source_id"] != source_id:
        client.update_synthesis(known["id"], document, version=found["version"], source_id=source_id)
    return known["id"], number


def _follow(invocation: Invocation, client: Client, execution: Object) -> None:
    """Show the events of an execution until it ends.

    Raises:
        KinsynthError: It failed or paused: why. ``execution.cancelled``.
        Interrupted: Ctrl-C; the execution goes on there.
    """
    steps = STEPS if execution["kind"] == "run" else GENERATION
    invocation.err.print(Text(f"{execution['name']}: {execution['id']}"), soft_wrap=True)
    try:
        with show_progress(invocation.err, lambda: False, steps) as listener:
            for body in client.follow(execution["id"]):
                if body["kind"] in _EVENTS:
                    listener(_ADAPTER.validate_python(body))
    except KeyboardInterrupt:
        _leave(invocation, execution["id"])
    ended = client.execution(execution["id"])
    if ended["status"] == "succeeded":
        return
    raise failure_of(ended) or UserError(
        f"execution.{ended['status']}", f"The execution is {ended['status']}.", where=execution["id"]
    )


def _leave(invocation: Invocation, execution_id: str) -> NoReturn:
    program = _program(invocation)
    raise Interrupted(
        "execution.left",
        "The execution goes on at the installation.",
        where=execution_id,
        remedy=f"{program} resume {execution_id} follows it; {program} cancel {execution_id} ends it.",
    ) from None


def _program(invocation: Invocation) -> str:
    return f"kinsynth --server {shlex.quote(invocation.server)}"


def _read_assessment(said: Mapping[str, Any]) -> Assessment:
    return Assessment(
        **{
            **said,
            "drivers": tuple(Driver(**one) for one in said["drivers"]),
            "suggestions": tuple(Suggestion(**one) for one in said["suggestions"]),
        }
    )
