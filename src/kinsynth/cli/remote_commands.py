"""Commands that only an installation has: its executions are listed, cancelled and fetched."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from kinsynth.cli.commands import Invocation, OutputOption, SeedOption, app, invocation_of
from kinsynth.errors import UserError

__all__ = ["app", "cancel", "executions", "fetch", "retry"]

ExecutionArgument = Annotated[str, typer.Argument(metavar="EXECUTION", help="Id of an execution.")]


def _remote(context: typer.Context) -> Invocation:
    invocation = invocation_of(context, settings=False)
    if not invocation.server:
        raise UserError(
            "command.server",
            f"kinsynth {context.info_name} asks an installation, and none is named.",
            where="--server",
            remedy="Write kinsynth --server URL, or set KINSYNTH_SERVER.",
        )
    return invocation


@app.command()
def executions(context: typer.Context) -> None:
    """List the executions of an installation, the newest first (with --server)."""
    invocation = _remote(context)
    from kinsynth.cli.grid import make_grid
    from kinsynth.cli.remote import connected

    grid = make_grid("Executions", "Id", "Name", "Kind", "Status", "Rows")
    with connected(invocation.server) as client:
        for one in client.executions():
            cells = (one["id"], one["name"], one["kind"], one["status"], f"{one['rows']:,}")
            grid.add_row(*map(Text, cells))
    invocation.out.print(grid)


@app.command()
def cancel(context: typer.Context, execution: ExecutionArgument) -> None:
    """Cancel an execution of an installation (with --server)."""
    invocation = _remote(context)
    from kinsynth.cli.remote import connected

    with connected(invocation.server) as client:
        found = client.cancel(execution)
    invocation.out.print(Text(f"{found['name']}: {found['status']}"), soft_wrap=True)


@app.command()
def retry(
    context: typer.Context,
    execution: ExecutionArgument,
    *,
    output: OutputOption,
    first_step: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="STEP",
            help="Step to begin at; finished steps before it are taken over where their files are there.",
        ),
    ] = "loading",
    seed: SeedOption = None,
) -> None:
    """Do an execution of an installation that ended again, in a new one (with --server)."""
    invocation = _remote(context)
    from kinsynth.cli.remote import retry_remotely
    from kinsynth.pipeline.timeline import STEPS

    if first_step not in STEPS:
        raise UserError(
            "command.usage",
            f"There is no such step; these are {', '.join(STEPS)}.",
            where=f"--from {first_step}",
            remedy="Name one of them.",
        )
    retry_remotely(invocation, execution, first_step, seed, output)


@app.command()
def fetch(
    context: typer.Context,
    execution: ExecutionArgument,
    output: Annotated[
        Path, typer.Option("--output", metavar="DIR", file_okay=False, help="Folder for the results.")
    ],
    file_format: Annotated[
        str,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="csv, tsv, xlsx, ods or parquet: one file, or a zip; left out, all files as they are.",
        ),
    ] = "",
) -> None:
    """Bring the results of an execution of an installation (with --server)."""
    invocation = _remote(context)
    from kinsynth.cli.execution import show_paths
    from kinsynth.cli.remote import connected, fetch_results, refuse_used

    with connected(invocation.server) as client:
        if file_format:
            show_paths(invocation.out, "Tables", (client.download(execution, file_format, output),))
            return
        refuse_used(output)
        fetch_results(invocation.out, client, execution, output)
