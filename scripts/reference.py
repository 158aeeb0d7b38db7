"""Writes the reference pages that follow from the code. --check only compares."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import typer

from kinsynth.cli.help import grouped_fields
from kinsynth.cli.program import app
from kinsynth.settings.deployment import Deployment
from kinsynth.settings.fields import Field, Group, groups
from kinsynth.settings.visibility import describe

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "reference"
NOTE = "<!-- Made by scripts/docs from the code. Do not edit by hand. -->\n"


SETTINGS_INTRODUCTION = """# Settings

Every field of the synthesis document, in its order. The same path is an option of `kinsynth inspect`,
`init`, `check` and `run` (`--training.max_epochs 5`).

In a path, `<table>` and `<column>` stand for your own names, `<number>` for a place in a list, counted
from 0. A field marked *not available yet* is refused by `kinsynth check` (`settings.not_available`)
unless it has its default.

The web application makes its forms from the same facts (`GET /api/v1/document-schema`): *advanced* fields are
those that few need, and a field or a part with a rule is shown where the rule holds. What is not shown keeps
its value.
"""


def settings_page() -> str:
    """Every field of the synthesis document."""
    parts = [NOTE, SETTINGS_INTRODUCTION]
    by_title = {group.title: group for group in groups()}
    for title, members in grouped_fields().items():
        rows = [(f"`{field.path}`", _describe(field), field.expected, _default(field)) for field in members]
        parts += [
            f"## {title}\n",
            *_describe_group(by_title.get(title)),
            _table(("Field", "Meaning", "Takes", "Default"), rows),
        ]
    return "\n".join(parts)


def _describe_group(group: Group | None) -> list[str]:
    words = _describe_form(group) if group is not None else []
    return [f"{' '.join(words)}\n"] if words else []


def _describe_form(part: Field | Group) -> list[str]:
    """Say how forms show a field or a part."""
    words = ["*Advanced.*"] if part.advanced else []
    if part.visible_when is not None:
        words.append(f"Shown where {describe(part.visible_when)}.")
    return words


def _describe(field: Field) -> str:
    words = [f"**{field.title}.** {field.description}"]
    if field.types is not None:
        words.append(f"Applies to {', '.join(field.types)}.")
    if not field.available:
        words.append("*Not available yet.*")
    elif field.available_values is not None:
        values = ", ".join(f"`{value}`" for value in field.available_values)
        words.append(f"*Available so far: {values}.*")
    if field.unit is not None:
        words.append(f"Unit: {field.unit}.")
    words += _describe_form(field)
    return " ".join(words)


def _default(field: Field) -> str:
    value = field.default
    if value is None or value in ("", (), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return ", ".join(f"`{item!r}`" for item in value) if isinstance(value, tuple) else f"`{value}`"


def commands_page() -> str:
    """Every command with its arguments and options."""
    parts = [
        NOTE,
        "# Commands\n",
        "`kinsynth --version` shows the version, `kinsynth COMMAND --help` the help.\n",
    ]
    group: Any = typer.main.get_command(app)
    for name, command in group.commands.items():
        rows = [(_option(part), part.help or "", "yes" if part.required else "") for part in command.params]
        usage = " ".join(["kinsynth", name, *(_usage(part) for part in command.params if part.required)])
        text = (command.help or "").strip()
        parts += [f"## kinsynth {name}\n", f"{text}\n", f"```\n{usage}\n```\n", _table(COLUMNS, rows)]
    return "\n".join([*parts, EXIT_CODES])


COLUMNS = ("Argument or option", "Meaning", "Required")
EXIT_CODES = """## Exit codes

| Code | Meaning |
|---|---|
| 0 | Good. |
| 2 | Something the user can repair: the document, the data, the arguments. |
| 70 | Our own fault. One line names the class of the error and the file with the calls that led to it. |
| 75 | Try again: the machine had too little memory, or something else that may pass. |
| 130 | Interrupted with Ctrl-C. `kinsynth resume` takes the execution up again. |
"""


def _option(part: Any) -> str:
    if part.param_type_name == "argument":
        return f"`{part.metavar}`"
    metavar = "" if part.is_flag else f" {part.metavar or 'N'}"
    return ", ".join(f"`{name}{metavar}`" for name in part.opts)


def _usage(part: Any) -> str:
    return part.metavar if part.param_type_name == "argument" else f"{part.opts[0]} {part.metavar}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *(tuple(_cell(cell) for cell in row) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(text: str) -> str:
    plain = text.replace("[bold]", "").replace("[/bold]", "")
    return " ".join(plain.replace("|", "\\|").split())


DEPLOYMENT_INTRODUCTION = """# Settings of an installation

What `kinsynth serve`, `kinsynth worker` and the commands that look after an installation read from the
environment.
All of it is optional. What a synthesis does is said in its [document](settings.md), not here.
"""


def deployment_page() -> str:
    """Every environment variable of an installation."""
    rows = []
    for name, field in Deployment.model_fields.items():
        default: Any = field.default
        secret = default.get_secret_value() if hasattr(default, "get_secret_value") else default
        shown = (
            "none"
            if secret is None or secret in ("", ())
            else f"`{str(secret).lower() if isinstance(secret, bool) else secret}`"
        )
        rows.append((f"`KINSYNTH_{name.upper()}`", f"**{field.title}.** {field.description}", shown))
    return "\n".join([NOTE, DEPLOYMENT_INTRODUCTION, _table(("Variable", "Meaning", "Default"), rows)])


PAGES = {"settings.md": settings_page, "commands.md": commands_page, "deployment.md": deployment_page}


def main() -> None:
    """Write the pages, or with --check name those that are stale."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    stale = [name for name, page in PAGES.items() if not _is_fresh(FOLDER / name, page())]
    if "--check" in sys.argv[1:]:
        sys.exit(f"stale: {', '.join(stale)}; run scripts/docs" if stale else 0)
    for name in stale:
        (FOLDER / name).write_text(PAGES[name](), encoding="utf-8")
    sys.stdout.write("".join(f"wrote {name}\n" for name in stale))


def _is_fresh(path: Path, content: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == content


if __name__ == "__main__":
    main()
