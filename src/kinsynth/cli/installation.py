"""The commands that run an installation and look after it; its settings come from the environment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from kinsynth.cli.commands import Invocation, app, invocation_of


@contextmanager
def _bar(invocation: Invocation) -> Iterator[Callable[[float, str], None]]:
    """Show a bar on the terminal while something long runs."""
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:3.0f}%"),
        TimeRemainingColumn(),
        console=invocation.err,
        transient=True,
    )
    with bar:
        task = bar.add_task("", total=1.0)
        yield lambda share, message: bar.update(task, completed=share, description=message)


BackupArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup.", dir_okay=False)]


@app.command()
def serve(context: typer.Context) -> None:
    """Serve the API, with workers beside it, until Ctrl-C. KINSYNTH_... variables set it up."""
    invocation = invocation_of(context, settings=False)
    from kinsynth.server.serve import serve as run_server
    from kinsynth.settings.deployment import read_deployment
    from kinsynth.system.logs import set_up_logs

    deployment = read_deployment()
    set_up_logs(deployment.log_format, deployment.log_level)
    run_server(deployment, say=lambda line: invocation.out.print(Text(line), soft_wrap=True))


@app.command()
def worker(context: typer.Context) -> None:
    """Perform executions of an installation on this machine, until Ctrl-C."""
    invocation_of(context, settings=False)
    from kinsynth.service.performing.worker import run_worker
    from kinsynth.settings.deployment import read_deployment
    from kinsynth.system.logs import set_up_logs

    deployment = read_deployment()
    set_up_logs(deployment.log_format, deployment.log_level)
    run_worker(deployment)


@app.command()
def backup(context: typer.Context, file: BackupArgument) -> None:
    """Write a whole installation into one file, while it works. The encryption key is not in it."""
    invocation = invocation_of(context, settings=False)
    from kinsynth.service.backup import back_up
    from kinsynth.service.platform import opened_platform
    from kinsynth.settings.deployment import read_deployment

    with opened_platform(read_deployment()) as platform, _bar(invocation) as on_share:
        made = back_up(platform.records, platform.artefacts.store, file, on_share=on_share)
    line = f"Wrote {file}: {sum(made.rows.values()):,} rows, {made.files:,} files, {made.bytes:,} bytes."
    invocation.out.print(Text(line), soft_wrap=True)


@app.command()
def restore(context: typer.Context, file: BackupArgument) -> None:
    """Bring a backup into an installation that is empty; its database may be of the other kind."""
    invocation = invocation_of(context, settings=False)
    from kinsynth.service.backup import restore as bring_back
    from kinsynth.service.platform import opened_platform
    from kinsynth.settings.deployment import read_deployment

    with opened_platform(read_deployment()) as platform, _bar(invocation) as on_share:
        made = bring_back(platform.records, platform.artefacts.store, file, on_share=on_share)
        platform.artefacts.condemn_strangers()  # what the store had before
    line = f"Restored {sum(made.rows.values()):,} rows and {made.files:,} files. Everybody signs in anew."
    invocation.out.print(Text(line), soft_wrap=True)


@app.command("reencrypt")
def reencrypt_secrets(context: typer.Context) -> None:
    """Encrypt all secrets with the newest key of KINSYNTH_KEY_FILE. Files stay under the keys they have."""
    invocation = invocation_of(context, settings=False)
    from kinsynth.service.platform import opened_platform
    from kinsynth.service.rotation import rotate_keys
    from kinsynth.settings.deployment import read_deployment

    with opened_platform(read_deployment()) as platform:
        done = rotate_keys(platform)
        newest = platform.keys.newest.id
    invocation.out.print(Text(f"Encrypted {done:,} secrets with key {newest}."), soft_wrap=True)


@app.command("reset-password")
def reset_password(
    context: typer.Context, email: Annotated[str, typer.Argument(metavar="EMAIL", help="Of the account.")]
) -> None:
    """Give an account a new password, asked for here; its sessions end."""
    invocation = invocation_of(context, settings=False)
    from kinsynth.service.people.users import reset_password as reset
    from kinsynth.service.platform import opened_platform
    from kinsynth.settings.deployment import read_deployment

    password = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    with opened_platform(read_deployment()) as platform:
        reset(platform, email, password)
    invocation.out.print(Text(f"The password of {email} is changed."), soft_wrap=True)
