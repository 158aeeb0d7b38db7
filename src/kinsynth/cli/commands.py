"""The commands. Heavy modules are imported inside them, so that help appears at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from kinsynth.cli.arguments import make_request, read_given, read_pairs, read_rows, read_shares
from kinsynth.cli.border import Border
from kinsynth.cli.help import SettingsCommand
from kinsynth.errors import UserError

if TYPE_CHECKING:
    from kinsynth.settings.synthesis import Synthesis

app = typer.Typer(
    name="kinsynth",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)

SourceArgument = Annotated[
    list[str],
    typer.Argument(metavar="SOURCE...", help="Files or folders with tables, or a synthesis document."),
]
DocumentArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="The synthesis document, made by [bold]kinsynth init[/bold].")
]
FolderArgument = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="The folder of an execution; with --server, the id of an execution."),
]
OutputOption = Annotated[
    Path,
    typer.Option("--output", metavar="DIR", file_okay=False, help="Folder to make for the result."),
]
RowsOption = Annotated[
    list[str] | None,
    typer.Option("--rows", metavar="TABLE=N", help="Rows of a root table; may be repeated."),
]
SeedOption = Annotated[
    int | None,
    typer.Option("--seed", min=0, help="Same seed, document and data: same result. [generation.seed]"),
]
EmptyOption = Annotated[
    list[str] | None,
    typer.Option(
        "--empty-is-missing",
        metavar="COLUMN",
        help="A column in which an empty cell is known to be missing; elsewhere it is unknown.",
    ),
]
TemperatureOption = Annotated[
    float | None,
    typer.Option("--temperature", metavar="T", help="Above 1 draws more variety, below 1 less."),
]


@dataclass(frozen=True)
class Invocation:
    """What a command gets besides its own arguments.

    Attributes:
        settings: Fields of the document set on the command line, path to text.
        border: Knows where the calls of an unexpected error are written.
        server: Address of an installation that does the work; empty for this machine.
    """

    settings: dict[str, str]
    border: Border
    server: str = ""

    @property
    def out(self) -> Console:
        """Where results are shown."""
        return Console()

    @property
    def err(self) -> Console:
        """Where progress and errors are shown."""
        return Console(stderr=True)


def invocation_of(context: typer.Context, *, settings: bool) -> Invocation:
    """Give what a command gets; with ``settings`` it takes fields of the document.

    Raises:
        UserError: ``command.setting_not_taken``.
    """
    invocation: Invocation = context.obj
    if invocation.settings and not settings:
        raise UserError(
            "command.setting_not_taken",
            f"This command takes no settings of the document ({context.info_name}).",
            where=f"--{next(iter(invocation.settings))}",
            remedy="Settings are fixed when an execution starts: give them to kinsynth run.",
        )
    return invocation


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"kinsynth {version('kinsynth')}")
        raise typer.Exit


@app.callback()
def _kinsynth(
    context: typer.Context,
    server: Annotated[
        str,
        typer.Option(
            "--server",
            metavar="URL",
            envvar="KINSYNTH_SERVER",
            help="An installation that does the work; KINSYNTH_TOKEN holds an API token for it.",
        ),
    ] = "",
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and leave.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Learns a relational database and generates a synthetic one.

    The result has the same schema and the same statistics, and nobody's rows.
    """
    del version  # seen before
    context.obj = replace(context.obj, server=server)


@app.command(cls=SettingsCommand)
def inspect(context: typer.Context, source: SourceArgument) -> None:
    """Show what a source holds: tables, column types and proposed keys, each with its reason."""
    invocation = invocation_of(context, settings=True)
    from kinsynth.cli.detection import show_detection

    synthesis, base = _read_source(source, invocation.settings)
    show_detection(invocation.out, _detect(invocation, synthesis, base))


@app.command(cls=SettingsCommand)
def init(
    context: typer.Context,
    source: SourceArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Document to write; - for the terminal.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace the document if it exists.")] = False,
) -> None:
    """Write a complete synthesis document for a source: every field with its value and a comment."""
    invocation = invocation_of(context, settings=True)
    from kinsynth.settings.document import dump, parse
    from kinsynth.system.files import write_atomically

    printed = str(output) == "-"
    if output.exists() and not force and not printed:
        raise UserError(
            "command.file_exists",
            "The file exists already.",
            where=str(output),
            remedy="Choose another name, or add --force to replace it.",
        )
    synthesis, base = _read_source(source, invocation.settings)
    declared = parse(_detect(invocation, synthesis, base)["document"])
    if printed:
        typer.echo(dump(declared), nl=False)
        return
    moved = _move_paths(declared, old=base, new=output.absolute().parent)
    write_atomically(output, dump(moved).encode())
    invocation.out.print(Text(f"Wrote {output}. Next: kinsynth check {output}"), soft_wrap=True)


@app.command(cls=SettingsCommand)
def check(context: typer.Context, file: DocumentArgument) -> None:
    """Check a document against its data and say what a run would cost."""
    invocation = invocation_of(context, settings=True)
    from kinsynth.cli.findings import show_assessment, show_findings
    from kinsynth.pipeline.review import check_document

    synthesis = _read_document(file, invocation.settings)
    if invocation.server:
        from kinsynth.cli.remote import check_remotely

        findings, assessment = check_remotely(invocation, synthesis, file.absolute().parent)
    else:
        _, findings, assessment = check_document(synthesis, base=file.absolute().parent)
    show_findings(invocation.out, findings)
    if assessment is not None:
        show_assessment(invocation.out, assessment)
    if any(finding.severity == "error" for finding in findings):
        raise typer.Exit(UserError.exit_code)


@app.command(cls=SettingsCommand)
def run(
    context: typer.Context,
    file: DocumentArgument,
    output: OutputOption,
    rows: RowsOption = None,
    seed: SeedOption = None,
) -> None:
    """Make the synthetic database: load, learn, generate, report, store."""
    invocation = invocation_of(context, settings=True)
    settings = invocation.settings | _generation_settings(rows, seed)
    synthesis = _read_document(file, settings)
    if invocation.server:
        from kinsynth.cli.remote import run_remotely

        run_remotely(invocation, synthesis, file.absolute().parent, output)
        return
    from kinsynth.cli.execution import follow, show_execution
    from kinsynth.pipeline.run import run as execute

    invocation.border.trace_folder = output
    with follow(invocation.err, output) as (listener, stop_requested):
        execution = execute(
            synthesis,
            output,
            base=file.absolute().parent,
            on_event=listener,
            stop_requested=stop_requested,
        )
    show_execution(invocation.out, execution)


@app.command()
def resume(context: typer.Context, folder: FolderArgument) -> None:
    """Take up an execution that was stopped or killed, from its last finished step."""
    invocation = invocation_of(context, settings=False)
    if invocation.server:
        from kinsynth.cli.remote import resume_remotely

        resume_remotely(invocation, str(folder))
        return
    from kinsynth.cli.execution import follow, show_execution
    from kinsynth.pipeline.run import resume as execute

    invocation.border.trace_folder = folder
    with follow(invocation.err, folder, steps=()) as (listener, stop_requested):
        execution = execute(folder, on_event=listener, stop_requested=stop_requested)
    show_execution(invocation.out, execution)


@app.command()
def generate(
    context: typer.Context,
    folder: FolderArgument,
    *,
    output: OutputOption,
    rows: RowsOption = None,
    seed: SeedOption = None,
    given: Annotated[
        list[str] | None,
        typer.Option(
            "--given",
            metavar="[TABLE=]FILE",
            help="Known rows of a root table: each becomes a row, its empty cells are drawn.",
        ),
    ] = None,
    empty_is_missing: EmptyOption = None,
    fix: Annotated[
        list[str] | None,
        typer.Option("--fix", metavar="COLUMN=VALUE", help="A value of all rows of a root table."),
    ] = None,
    balance: Annotated[
        list[str] | None,
        typer.Option(
            "--balance",
            metavar="COLUMN=VALUE:SHARE",
            help="Share of the rows that have the value; the other values share the rest as learned.",
        ),
    ] = None,
    never: Annotated[
        list[str] | None,
        typer.Option("--never", metavar="COLUMN=VALUE", help="A value not to draw."),
    ] = None,
    no_missing: Annotated[
        list[str] | None,
        typer.Option("--no-missing", metavar="COLUMN", help="A column in which no missing value is drawn."),
    ] = None,
    temperature: TemperatureOption = None,
) -> None:
    """Generate more data from the stored model of an execution, without training again.

    A COLUMN is written table.column, or column where there is one root table that has it. Options may be
    repeated.
    """
    invocation = invocation_of(context, settings=False)
    wanted = read_rows(rows) if rows else None
    request = make_request(
        given=read_given(given or ()),
        fixed=read_pairs(fix or (), "--fix"),
        empty_is_missing=empty_is_missing or (),
        shares=read_shares(balance or (), "--balance"),
        never=read_pairs(never or (), "--never"),
        no_missing=no_missing or (),
        temperature=temperature,
    )
    if invocation.server:
        from kinsynth.cli.remote import generate_remotely

        generate_remotely(invocation, str(folder), output, rows=wanted or {}, seed=seed, request=request)
        return
    from kinsynth.cli.execution import GENERATION, follow, show_execution
    from kinsynth.pipeline.run import generate as execute

    invocation.border.trace_folder = output
    with follow(invocation.err, output, steps=GENERATION) as (listener, stop_requested):
        execution = execute(
            folder,
            rows=wanted,
            seed=seed,
            request=request,
            output=output,
            on_event=listener,
            stop_requested=stop_requested,
        )
    show_execution(invocation.out, execution)


@app.command()
def impute(
    context: typer.Context,
    folder: FolderArgument,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Rows of a root table with empty cells.")],
    *,
    output: Annotated[
        Path,
        typer.Option("--output", metavar="FILE", dir_okay=False, help="File to make: csv, tsv or parquet."),
    ],
    table: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="The table; else the file's name says it.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="METHOD",
            help="draw fills in what could have been; best the median of numbers and the mode of categories.",
        ),
    ] = "draw",
    seed: SeedOption = None,
    empty_is_missing: EmptyOption = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="Cells may be filled with missing values where learned.")
    ] = False,
    temperature: TemperatureOption = None,
) -> None:
    """Fill the empty cells of a table from the stored model of an execution."""
    invocation = invocation_of(context, settings=False)
    from kinsynth.pipeline.outline import check_method

    check_method(method)
    if invocation.server:
        from kinsynth.cli.remote import impute_remotely
        from kinsynth.settings.conditions import Fill

        request = make_request(
            given=[(table or "", file)], empty_is_missing=empty_is_missing or (), temperature=temperature
        )
        fill = Fill.model_validate({"method": method, "allow_missing": allow_missing})
        impute_remotely(invocation, str(folder), output, seed=seed, request=request, fill=fill)
        return
    from kinsynth.pipeline.filling import fill_file

    filled = fill_file(
        folder,
        file,
        output,
        table=table,
        method=method,
        seed=seed,
        empty_is_missing=empty_is_missing or (),
        allow_missing=allow_missing,
        temperature=temperature,
    )
    line = f"Wrote {output}: {filled.rows:,} rows, {filled.cells:,} cells filled."
    invocation.out.print(Text(line), soft_wrap=True)


def _read_document(file: Path, settings: dict[str, str]) -> Synthesis:
    from kinsynth.settings.document import load

    return load(file, settings)


def _read_source(source: list[str], settings: dict[str, str]) -> tuple[Synthesis, Path]:
    """Give the document of a source, and the folder its paths start at."""
    from kinsynth.settings.document import override
    from kinsynth.settings.source import Source
    from kinsynth.settings.synthesis import Synthesis

    if len(source) == 1 and source[0].endswith((".yaml", ".yml")):
        file = Path(source[0])
        return _read_document(file, settings), file.absolute().parent
    name = Path(source[0]).resolve().stem or "synthesis"
    synthesis = Synthesis(name=name, source=Source(paths=tuple(source)))
    return override(synthesis, settings), Path.cwd()


def _detect(invocation: Invocation, synthesis: Synthesis, base: Path) -> dict[str, Any]:
    """Say what a source holds, here or in an installation."""
    if invocation.server:
        from kinsynth.cli.remote import detect_remotely

        return detect_remotely(invocation, synthesis, base)
    from kinsynth.pipeline.description import describe
    from kinsynth.pipeline.review import inspect_source

    return describe(inspect_source(synthesis, base=base), synthesis)


def _generation_settings(rows: list[str] | None, seed: int | None) -> dict[str, str]:
    from kinsynth.settings.fields import join_path

    counts = {join_path(("generation", "rows", table)): str(n) for table, n in read_rows(rows or ()).items()}
    return counts if seed is None else counts | {"generation.seed": str(seed)}


def _move_paths(synthesis: Synthesis, *, old: Path, new: Path) -> Synthesis:
    """Rewrite the source's relative paths so that they start at the document's folder."""
    import os

    paths = tuple(
        path if Path(path).is_absolute() else Path(os.path.relpath(old / path, new)).as_posix()
        for path in synthesis.source.paths
    )
    return synthesis.model_copy(update={"source": synthesis.source.model_copy(update={"paths": paths})})
